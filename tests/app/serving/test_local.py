import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partialmethod
from pathlib import Path

import numpy as np
import pytest

from app import experiments, main, pipeline, source_faces
from app.serving import engines, jobs
from app.serving.engine import Engine
from app.serving.local import LocalEngine
from app.serving.reports import ModelReport
from app.serving.tf_serving import TFServingEngine
from app.ui.tabs import models
from explain import control_maps
from explain.base import Target
from explain.lab import trial
from models import card as cards
from models import detector, keypoints, photo, weight_store, zoo
from models.errors import ParameterError, UnknownNameError, WeightsError
from models.types import EMOTIONS, Photo

HIDDEN = experiments.Experiment.from_json({"steps": [{"do": "hide", "region": "mouth"}]})
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.[jp][pn]g"))


@pytest.fixture(scope="module")
def photos():
    return [photo.read(path) for path in EXAMPLES]


@pytest.fixture
def here():
    return LocalEngine()


def read(here, picture):
    """What a visitor gets for a photo."""
    faces = here.keypoints(here.detect(picture) or [detector.whole_picture(picture)], picture)
    return faces, {name: here.predict(name, faces) for name in zoo.EMOTION_MODELS}


def test_visitors_at_once_get_what_each_would_get_alone(here, photos):
    alone = [read(here, picture) for picture in photos]
    before = here.batches()
    crowd = photos * 3
    with ThreadPoolExecutor(len(crowd)) as pool:
        together = list(pool.map(lambda picture: read(here, picture), crowd))
    for (faces, answers), (expected, told) in zip(together, alone * 3, strict=True):
        assert len(faces) == len(expected)
        for face, other in zip(faces, expected, strict=True):
            assert np.array_equal(face.crop, other.crop)
            assert np.allclose(face.keypoints, other.keypoints, atol=0.02 * np.ptp(other.keypoints))
        for name in told:
            for answer, other in zip(answers[name], told[name], strict=True):
                assert np.allclose(answer.probabilities, other.probabilities, atol=0.02), "bfloat16 and no more"
    for name, count in here.batches().items():
        batches, items = (now - then for now, then in zip(count, before[name], strict=True))
        assert items >= len(crowd)
        assert batches < items, f"nobody shared a batch of {name}"


def test_it_is_the_plain_functions_that_answer(here, photos):
    picture = photos[0]
    found = detector.find(picture)
    faces, answers = read(here, picture)
    assert np.allclose(faces[0].box, found[0].box)
    assert np.allclose(faces[0].keypoints, keypoints.read(found, picture)[0].keypoints, atol=0.5)
    for name, (answer, *_) in answers.items():
        expected = zoo.load(name).predict(faces)[0]
        assert (answer.model, answer.version) == (name, zoo.load(name).card.version)
        assert np.allclose(answer.logits, expected.logits, atol=0.2)


def test_a_photo_that_takes_many_looks_keeps_nobody_else_waiting(here, photos, monkeypatch):
    """Pictures without a face took 70 times as long as others, and all who came meanwhile waited for them."""
    slow, look, further = np.zeros((1200, 1200, 3), np.uint8), detector._look, threading.Event()
    quick = threading.Event()

    def watched(pixels, side, border=0.0):
        if pixels is slow and side > detector.SIDES[0]:
            further.set()
            assert quick.wait(600)
        return look(pixels, side, border)

    monkeypatch.setattr(detector, "_look", watched)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(here.detect, Photo(slow))
        assert further.wait(600)
        assert here.detect(photos[0])
        quick.set()
        assert waits.result() == []


def test_further_looks_are_taken_one_at_a_time(monkeypatch):
    """One of 1920 pixels takes 225 MiB, which are of the room that pictures are decoded in."""
    now, most, network = [], [], detector._network(keeps_memory=False)
    taken = detector.LOOKING * 960 * 960

    class Watched:
        def run(self, outputs, given):
            large = given[detector.INPUT].shape[-1] > detector.SIDES[0]
            now.append(large)
            most.append(sum(now))
            assert not large or photo.ROOM._used == taken
            answer = network.run(outputs, given)
            now.remove(large)
            return answer

    monkeypatch.setattr(detector, "_network", lambda keeps_memory: Watched())
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(detector.find, [Photo(np.zeros((960, 960, 3), np.uint8))] * 3)) == [[]] * 3
    assert max(most) == 1 and len(most) > 6


def test_no_face_asks_nobody(here, photos):
    assert here.keypoints([], photos[0]) == []
    assert here.predict("cnn", []) == []
    assert here.batches()["faces"].batches == 0


def test_a_name_that_does_not_exist_harms_nobody_else(here, photos):
    faces, _ = read(here, photos[0])
    for wrong in (("nobody", ""), ("cnn", "99.0.0")):
        with pytest.raises(UnknownNameError):
            here.predict(wrong[0], faces, wrong[1])
    assert here.predict("cnn", faces)[0].emotion in EMOTIONS


class Elsewhere(Engine):
    """Asks another engine, and notes what for."""

    def __init__(self, other):
        self._other, self.asked = other, []

    def _note(self, name, *args, **kwargs):
        self.asked.append(args[0].__name__ if name == "explain" else name)
        return getattr(self._other, name)(*args, **kwargs)


for promise in Engine.__abstractmethods__:
    setattr(Elsewhere, promise, partialmethod(Elsewhere._note, promise))
Elsewhere.__abstractmethods__ = frozenset()


def test_page_and_api_ask_the_engine_that_they_are_given_and_nothing_else(monkeypatch, photos):
    given = Elsewhere(LocalEngine())
    monkeypatch.setattr(engines, "_current", given)
    face = pipeline.faces_in(photos[0])[0]
    pipeline.trusted(face, pipeline.explain("cnn", face, Target(3), "gradcam"))
    assert pipeline.unsuitable("cnn", "gradcam") == ""
    assert given.asked == ["detect", "keypoints", "explain", "tested", "beside", "unsuitable"]
    given.asked.clear()
    experiments.run_with_smallest(face, HIDDEN, smallest_change=True)
    assert given.asked == ["run", "smallest"]
    given.asked.clear()
    monkeypatch.setattr(zoo, "load", lambda *_: pytest.fail("the page loads weights"))
    given._other = Carded()
    list(models.show("cnn"))
    assert pipeline.recommended("cnn") == "saliency"
    assert set(given.asked) == {"health", "card"}


class Carded:
    """Knows a card and nothing else, as a cluster does for the page that asks it."""

    def health(self):
        return {"cnn": zoo.Status("ready", 1.0, "shipped", version="1.0.0")}

    def card(self, name):
        card = cards.read(weight_store.SHIPPED / name)
        return ModelReport(card, (card.version,), {"gradcam": ""}, {}, {"default": "saliency", "methods": {}}, False)


def test_nobody_inherits_from_an_engine_that_can_be_used():
    for kind in (LocalEngine, TFServingEngine):
        assert kind.__bases__ == (Engine,) and kind.__final__


def test_an_example_face_is_read_where_it_is_asked_for_and_not_where_it_is_used(monkeypatch, photos):
    """What a replica runs is given the faces; it would make an engine of its own to read them."""
    swap = experiments.Experiment.from_json({"steps": [{"do": "swap", "donor": "composite_happy"}]})
    face, sources = pipeline.faces_in(photos[0])[0], source_faces.shown_by(swap)
    monkeypatch.setattr(engines, "current", lambda: pytest.fail("asks an engine"))
    monkeypatch.setattr(source_faces, "_read", lambda name: pytest.fail("reads a face"))
    outcome = trial.run(face, swap, sources, "gradcam", "", None, None, None)
    assert outcome.changed.touched.any()


def test_what_runs_elsewhere_can_be_sent_there(photos):
    import pickle

    face = pipeline.faces_in(photos[0])[0]
    made = jobs.explain("cnn", face, Target(3), "shap_regions")
    judged = jobs.beside(face, made, jobs.tested(face, made))
    tried = experiments.run(face, HIDDEN)
    for sent in (LocalEngine().card("cnn"), photos[0], face, made, judged, tried, *zoo.load("cnn").predict([face])):
        back = pickle.loads(pickle.dumps(sent))
        assert type(back) is type(sent)
    for function in (jobs.explain, jobs.tested, jobs.beside, jobs.unsuitable, trial.run, trial.smallest):
        assert pickle.loads(pickle.dumps(function)) is function


def test_a_map_is_compared_with_other_faces_maps_where_they_answer_the_same_question(photos, monkeypatch):
    """Of the same method with its own parameters, for the network's own answer."""
    face = pipeline.faces_in(photos[0])[0]
    maps = {
        "gradcam": np.stack(
            [control_maps.ranked(np.random.default_rng(i).normal(size=(48, 48)), face) for i in range(2)]
        )
    }
    card = zoo.load("cnn").card
    monkeypatch.setattr(control_maps, "read", lambda folder, sha256: maps if sha256 == card.sha256 else {})
    monkeypatch.setattr(jobs.reports, "trust", lambda located, sha256: None)
    answer = zoo.load("cnn").predict([face])[0].top
    own = jobs.tested(face, jobs.explain("cnn", face, Target(answer), "gradcam"))
    assert [len(one.other_faces_gains) for one in own.curves] == [2] * 6
    other = (answer + 1) % 7
    for method, params, target in (
        ("gradcam", {"positive_only": False}, Target(answer)),
        ("gradcam", None, Target(other)),
        ("gradcam", None, Target(answer, other)),
        ("shap_regions", None, Target(answer)),
    ):
        alone = jobs.tested(face, jobs.explain("cnn", face, target, method, params))
        assert len(alone.curves[0].other_faces_gains) == 0 and np.isnan(alone.curves[0].average_map_gain)
    found = {"methods": {"gradcam": {"sanity": {"low": 0.6, "high": 0.7, "shared": 0.5}}}}
    monkeypatch.setattr(jobs.reports, "trust", lambda located, sha256: found)
    assert jobs.tested(face, jobs.explain("cnn", face, Target(answer), "gradcam")).reason == "blind"


def test_predictions_may_come_from_a_server_and_explanations_stay(monkeypatch, photos):
    monkeypatch.setattr(engines, "_current", None)
    monkeypatch.setenv("FACEWHY_PREDICT_URL", "http://localhost:1")
    chosen = engines.current()
    face = pipeline.faces_in(photos[0])[0]
    asked = []

    def answer(name, crops):
        asked.append((name, crops.shape))
        rows = np.tile(np.float32([0.1, 0, 0, 0, 0, 0.9, 0]), (len(crops), 1))
        return np.log(rows + 1e-9), rows

    monkeypatch.setattr(chosen._server, "predict", answer)
    told = pipeline.predict("cnn", [face, face])
    assert [said.emotion for said in told] == ["sad", "sad"]
    assert told[0].version == zoo.load("cnn").card.version
    assert asked == [("cnn", (2, 48, 48))]
    assert chosen.batches()["cnn served"] == (1, 2), "what the server predicts counts as any batch"
    assert pipeline.explain("cnn", face, Target(3), "gradcam").values.shape == (48, 48)
    assert len(asked) == 1


def test_a_model_that_the_server_lacks_takes_only_itself_away(monkeypatch, photos):
    monkeypatch.setattr(engines, "_current", None)
    monkeypatch.setenv("FACEWHY_PREDICT_URL", "http://localhost:1")
    face = pipeline.faces_in(photos[0])[0]
    present = {"cnn", "resnet"}

    def answer(name, crops):
        if name not in present:
            raise WeightsError("The server has the model", name, "Export it")
        rows = np.full((len(crops), 7), 1 / 7, np.float32)
        return np.log(rows), rows

    monkeypatch.setattr(engines.current()._server, "predict", answer)
    assert list(pipeline.predictions_for([face])) == ["cnn", "resnet"]
    present.clear()
    with pytest.raises(WeightsError):
        pipeline.predictions_for([face])


@pytest.mark.parametrize("variable", ["FACEWHY_PREDICT_URL", "FACEWHY_BF16"])
def test_a_wrong_setting_ends_the_start(monkeypatch, variable):
    monkeypatch.setattr(engines, "_current", None)
    monkeypatch.setenv(variable, "not a value")
    with pytest.raises(ParameterError, match=variable):
        main.launch(port=0)
