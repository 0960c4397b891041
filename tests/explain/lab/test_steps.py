"""The steps of the Lab as values, as JSON and as a link."""

import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.lab.steps import MOST_STEPS, STEPS, Blur, Experiment, Hide, Paint, Rectangle, Rotate, Swap, pack, unpack
from models.errors import FaceWhyError, ParameterError, UnknownNameError
from models.regions import REGIONS

EVERY = Experiment(tuple(kind() for kind in STEPS.values()))


def stored(steps) -> str:
    """A code as a link would carry it, whatever the steps are."""
    data = zlib.compress(steps if isinstance(steps, bytes) else json.dumps(steps).encode())
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# --------------------------------------------------------------------- there and back


def test_every_step_comes_back_from_json_and_from_its_code():
    assert Experiment.from_json(EVERY.to_json()) == EVERY
    assert Experiment.from_json(json.dumps(EVERY.to_json())) == EVERY
    assert Experiment.from_code(EVERY.code) == EVERY


def test_an_experiment_is_written_as_the_docs_say():
    experiment = Experiment((Hide("mouth", "grey"), Rotate(15)))
    assert experiment.to_json() == {
        "steps": [{"do": "hide", "region": "mouth", "fill": "grey"}, {"do": "rotate", "degrees": 15.0}]
    }


def test_what_a_step_leaves_out_has_its_default():
    found = Experiment.from_json('{"steps": [{"do": "hide", "region": "nose"}, {"do": "blur", "sigma": 2}]}')
    assert found.steps == (Hide("nose", "mean face"), Blur(2.0))
    assert isinstance(found.steps[1].sigma, float)


def test_a_link_stays_short():
    hidden = Experiment(tuple(Hide(region) for region in REGIONS))
    assert len(hidden.code) < 200
    disc = np.hypot(*np.indices((48, 48)) - 24) < 8
    assert len(Experiment((Paint(pack(disc)),)).code) < 250


masks = st.binary(min_size=288, max_size=288).map(
    lambda data: np.unpackbits(np.frombuffer(data, np.uint8)).reshape(48, 48)
)


@given(masks)
@settings(max_examples=30, deadline=None)
def test_a_painted_mask_comes_back(mask):
    assert np.array_equal(unpack(pack(mask)), mask.astype(bool))
    experiment = Experiment((Paint(pack(mask)),))
    assert Experiment.from_code(experiment.code) == experiment


# ------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "text, word",
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("null", "list"),
        ("[]", "list"),
        ('{"steps": {}}', "list"),
        ('{"steps": [], "photo": "x"}', "list"),
        ('{"steps": ["hide"]}', "Step 1"),
        ('{"steps": [{"do": "hide"}, {"do": "fly"}]}', "Step 2"),
        ('{"steps": [{"do": ["hide"]}]}', "Step 1"),
        ('{"steps": [{"do": "hide", "region": "ear"}]}', "region"),
        ('{"steps": [{"do": "hide", "region": "mouth", "what": 1}]}', "what"),
        ('{"steps": [{"do": "hide", "fill": "../../etc"}]}', "fill"),
        ('{"steps": [{"do": "blur", "sigma": 1e999}]}', "sigma"),
        ('{"steps": [{"do": "blur", "sigma": NaN}]}', "sigma"),
        ('{"steps": [{"do": "blur", "sigma": "2"}]}', "sigma"),
        ('{"steps": [{"do": "noise", "seed": %s}]}' % ("9" * 400), "Step 1"),
        ('{"steps": [{"do": "rectangle", "left": 20, "right": 20}]}', "left"),
        ('{"steps": [{"do": "paint", "pixels": "abc"}]}', "painted"),
        ('{"steps": [{"do": "paint", "pixels": 7}]}', "painted"),
        ('{"steps": [{"do": "swap", "donor": "/etc/passwd"}]}', "donor"),
        ('{"steps": %s}' % ("[" * 9000), "JSON"),
        ("x" * 30_000, "characters"),
        (json.dumps({"steps": [{"do": "blur"}] * (MOST_STEPS + 1)}), "at most"),
    ],
)
def test_bad_json_is_answered_with_what_is_wrong(text, word):
    with pytest.raises(FaceWhyError) as caught:
        Experiment.from_json(text)
    assert isinstance(caught.value, ParameterError | UnknownNameError)
    assert word in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "code",
    ["", "x", "é", "%%%", None, stored(b"\xff\xfe"), stored({"steps": 3}), stored([{"do": "fly"}]), EVERY.code[:-4]],
)
def test_a_damaged_link_is_answered_with_what_is_wrong(code):
    with pytest.raises(FaceWhyError):
        Experiment.from_code(code)


def test_a_link_that_unpacks_to_something_huge_is_refused():
    with pytest.raises(ParameterError, match="characters"):
        Experiment.from_code(stored(b" " * 50_000_000))
    with pytest.raises(ParameterError, match="painted"):
        unpack(stored(bytes(50_000_000)))


# ------------------------------------------------------------------- changing one


def test_a_step_takes_the_place_of_the_one_it_replaces():
    first = Experiment((Hide("mouth"), Blur(1), Swap("eyes", "astronaut")))
    assert first.put(Blur(3)).steps == (Hide("mouth"), Blur(3.0), Swap("eyes", "astronaut"))
    assert first.put(Hide("nose")).steps[-1] == Hide("nose")
    assert first.put(Swap("eyes", "grace_hopper")).steps[-1].donor == "grace_hopper"
    assert len(first.put(Swap("mouth", "grace_hopper")).steps) == 4


def test_a_step_is_taken_away_by_its_slot():
    first = Experiment((Hide("mouth"), Hide("nose"), Blur(1)))
    assert first.without(("hide", "nose")).steps == (Hide("mouth"), Blur(1))
    assert first.find(("blur",)) == Blur(1) and first.find(("noise",)) is None


def test_a_step_says_whether_it_shows_another_face():
    own = (Hide("mouth"), Rectangle(fill="grey"), Paint(), Blur(), Rotate())
    assert not any(step.shows_another_face for step in own)
    assert Swap().shows_another_face and Hide("mouth", "astronaut").shows_another_face


def test_one_step_too_many_is_refused():
    full = Experiment(tuple(Rectangle(0, 0, 1 + index, 1) for index in range(MOST_STEPS)))
    with pytest.raises(ParameterError):
        full.put(Blur())
    assert full.put(Rectangle(0, 0, 1, 1)) == full
