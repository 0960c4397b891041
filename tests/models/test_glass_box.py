"""The glass box gives what the machine it was made of gives, to the last term, and refuses what is broken."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from models import geometry, glass_box
from models.errors import ParameterError, WeightsError, WeightsMismatchError, WeightsNotFoundError
from models.types import EMOTIONS
from tests.mean_face import MEAN_KEYPOINTS
from training.dataset import candidates, readable

SETTINGS = {"bins": 8, "learning_rate": 0.1, "leaves": 3, "bags": 1, "rounds": 40}
CARD = {"version": "1.0.0", "temperature": 1.0, "metrics": {}}


@pytest.fixture(scope="module")
def faces():
    """Measures of 700 faces around the mean one, 100 an emotion, each emotion with measures of its own."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(7), 100)
    own = random.normal(0, 0.1, (7, 20))
    values = geometry.measure(MEAN_KEYPOINTS) + own[labels] + random.normal(0, 0.1, (700, 20))
    return values.astype(np.float32), labels


@pytest.fixture(scope="module")
def machine(faces):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return candidates.ebm(SETTINGS, *faces)


@pytest.fixture(scope="module")
def box(faces, machine):
    return glass_box.from_json(readable.model_json(machine, faces[0]), CARD)


def test_probabilities_and_every_contribution_are_the_machines_own(box, faces, machine):
    values = faces[0][::7]
    readings = [box.read(row) for row in values]
    theirs = machine.predict_proba(values.astype(np.float64))
    assert np.array([reading.probabilities for reading in readings]) == pytest.approx(theirs, abs=1e-4)
    local = machine.explain_local(values.astype(np.float64))
    for index, reading in enumerate(readings):
        said = local.data(index)
        assert said["names"] == list(geometry.NAMES)
        scores = np.array(said["scores"])
        # what is added to all seven alike changes no probability, and is left out here
        assert reading.contributions == pytest.approx(scores - scores.mean(1, keepdims=True), abs=1e-5)
        assert reading.scores == pytest.approx(box.intercept + reading.contributions.sum(0), abs=1e-9)
    assert theirs.argmax(1).tolist() != [theirs[0].argmax()] * len(theirs)


def test_it_learned_what_tells_the_emotions_apart(box, faces):
    values, labels = faces
    answers = (box.intercept + box.contributions(values).sum(1)).argmax(1)
    assert (answers == labels).mean() > 0.7


def test_a_cut_belongs_to_the_row_above(box):
    term = max(box.terms, key=lambda term: len(term.cuts))
    assert np.array_equal(term.at(term.cuts), term.scores[1:])
    assert np.array_equal(term.at(np.array([-1e9, 1e9])), term.scores[[0, -1]])


def test_the_temperature_changes_how_sure_it_is_and_nothing_else(box, faces):
    warm = replace(box, card={**CARD, "temperature": 2.0})
    one, other = box.read(faces[0][0]), warm.read(faces[0][0])
    assert np.array_equal(one.scores, other.scores) and other.confidence < one.confidence
    powers = np.exp(one.scores / 2)
    assert other.probabilities == pytest.approx(powers / powers.sum(), abs=1e-6)


def test_the_strongest_terms_are_those_of_the_largest_numbers(box, faces):
    reading = box.read(faces[0][0])
    for emotion in (None, 0, 3):
        of = np.abs(reading.contributions[:, reading.top if emotion is None else emotion])
        assert [of[index] for index in reading.strongest(emotion)] == sorted(of, reverse=True)[:3]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(version=2),
        lambda content: content.update(emotions=list(EMOTIONS)[::-1]),
        lambda content: content["measures"].pop(),
        lambda content: content["terms"].pop(),
        lambda content: content["terms"][3]["scores"].pop(),
        lambda content: content["terms"][3]["scores"][0].pop(),
        lambda content: content["terms"][3].update(cuts="no"),
        lambda content: content["terms"][3]["cuts"].reverse(),
        lambda content: content["terms"].__setitem__(0, 7),
        lambda content: content["intercept"].__setitem__(0, "x"),
        lambda content: content["intercept"].__setitem__(0, float("nan")),
        lambda content: content.update(low=content["high"]),
        lambda content: content.pop("typical"),
    ],
)
def test_a_broken_file_is_refused(machine, faces, change):
    content = json.loads(readable.model_json(machine, faces[0]))
    change(content)
    with pytest.raises(WeightsMismatchError, match=r"Received: .* Fit it again"):
        glass_box.from_json(json.dumps(content), CARD)


@pytest.mark.parametrize(
    "card", [{**CARD, "temperature": 0}, {**CARD, "temperature": True}, {"temperature": 1.0}, {**CARD, "version": 1}]
)
def test_a_card_without_what_it_must_tell_is_refused(machine, faces, card):
    with pytest.raises(WeightsMismatchError, match="card"):
        glass_box.from_json(readable.model_json(machine, faces[0]), card)


def test_files_that_do_not_belong_together_are_refused(tmp_path, machine, faces):
    with pytest.raises(WeightsNotFoundError, match="model.json"):
        glass_box.load(tmp_path)
    text = readable.model_json(machine, faces[0])
    readable.save(tmp_path, text, **CARD)
    assert glass_box.load(tmp_path).version == "1.0.0"
    (tmp_path / "model.json").write_text(text.replace("0.", "1.", 1))
    with pytest.raises(WeightsMismatchError, match="not the file that its card describes"):
        glass_box.load(tmp_path)
    for broken in ("", "[]", "{", '{"a": 1}', "[" * 100_000):
        (tmp_path / "card.json").write_text(broken)
        with pytest.raises(WeightsError):
            glass_box.load(tmp_path)


def test_measures_that_are_none_are_refused(box):
    for broken in (np.zeros(19), np.full(20, np.nan), np.zeros((20, 2))):
        with pytest.raises(ParameterError, match="not twenty numbers"):
            box.read(broken)


def test_a_machine_that_nobody_can_read_is_not_written(machine, faces):
    class WithPairs:
        term_features_ = [*machine.term_features_, (0, 1)]
        classes_ = machine.classes_

    with pytest.raises(ParameterError, match="without interactions"):
        readable.model_json(WithPairs(), faces[0])
