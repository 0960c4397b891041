from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app import experiments, main, pipeline
from app.serving import engine, jobs
from app.serving.local import LocalEngine
from explain.base import Target
from models import detector, keypoints, photo, zoo
from models.errors import ParameterError, UnknownNameError, WeightsError
from models.types import EMOTIONS

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.[jp][pn]g"))


@pytest.fixture(scope="module")
def photos():
    return [photo.read(path) for path in EXAMPLES]


@pytest.fixture
def here():
    return LocalEngine()


def read(here, picture):
    """What a visitor gets for a photo."""
    faces = here.keypoints(here.find(picture) or [detector.whole_picture(picture)], picture)
    return faces, {name: here.predict(name, faces) for name in zoo.EMOTION_MODELS}


def test_visitors_at_once_get_what_each_would_get_alone(here, photos):
    alone = [read(here, picture) for picture in photos]
    before = {name: (batcher.batches, batcher.items) for name, batcher in here.batches.items()}
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
    for name, batcher in here.batches.items():
        batches, items = batcher.batches - before[name][0], batcher.items - before[name][1]
        assert items >= len(crowd)
        assert batches < items, f"nobody shared a round of {name}"


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


def test_no_face_asks_nobody(here, photos):
    assert here.keypoints([], photos[0]) == []
    assert here.predict("cnn", []) == []
    assert here.batches["faces"].batches == 0


def test_a_name_that_does_not_exist_harms_nobody_else(here, photos):
    faces, _ = read(here, photos[0])
    for wrong in (("nobody", ""), ("cnn", "99.0.0")):
        with pytest.raises(UnknownNameError):
            here.predict(wrong[0], faces, wrong[1])
    assert here.predict("cnn", faces)[0].emotion in EMOTIONS


def test_the_page_uses_the_engine_that_it_is_given(monkeypatch, photos):
    class Elsewhere(LocalEngine):
        ran = []

        def find(self, picture):
            self.ran.append("find")
            return super().find(picture)

        def run(self, function, *args, **kwargs):
            self.ran.append(function.__name__)
            return super().run(function, *args, **kwargs)

    monkeypatch.setattr(engine, "_current", None)
    engine.use(Elsewhere())
    face = pipeline.faces_in(photos[0])[0]
    made = pipeline.explain("cnn", face, Target(3), "gradcam")
    pipeline.trusted(face, made)
    assert pipeline.unsuitable("cnn", "gradcam") == ""
    assert Elsewhere.ran == ["find", "explain", "tested", "beside", "unsuitable"]


def test_what_runs_elsewhere_can_be_sent_there(photos):
    import pickle

    face = pipeline.faces_in(photos[0])[0]
    made = jobs.explain("cnn", face, Target(3), "shap_regions")
    judged = jobs.beside(face, made, jobs.tested(face, made))
    tried = experiments.run(face, experiments.Experiment.from_json({"steps": [{"do": "hide", "region": "mouth"}]}))
    for sent in (photos[0], face, made, judged, tried, *zoo.load("cnn").predict([face])):
        back = pickle.loads(pickle.dumps(sent))
        assert type(back) is type(sent)
    for function in (jobs.explain, jobs.tested, jobs.beside, jobs.unsuitable, experiments.run, experiments.smallest):
        assert pickle.loads(pickle.dumps(function)) is function


def test_predictions_may_come_from_a_server_and_explanations_stay(monkeypatch, photos):
    monkeypatch.setattr(engine, "_current", None)
    monkeypatch.setenv("FACEWHY_PREDICT_URL", "http://localhost:1")
    chosen = engine.current()
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
    assert pipeline.explain("cnn", face, Target(3), "gradcam").values.shape == (48, 48)
    assert len(asked) == 1


def test_a_model_that_the_server_lacks_takes_only_itself_away(monkeypatch, photos):
    monkeypatch.setattr(engine, "_current", None)
    monkeypatch.setenv("FACEWHY_PREDICT_URL", "http://localhost:1")
    face = pipeline.faces_in(photos[0])[0]
    present = {"cnn", "resnet"}

    def answer(name, crops):
        if name not in present:
            raise WeightsError("The server has the model", name, "Export it")
        rows = np.full((len(crops), 7), 1 / 7, np.float32)
        return np.log(rows), rows

    monkeypatch.setattr(engine.current()._server, "predict", answer)
    assert list(pipeline.predictions_for([face])) == ["cnn", "resnet"]
    with pytest.raises(WeightsError, match="vgg16"):
        pipeline.predictions_for([face], ("cnn", "vgg16"))
    present.clear()
    with pytest.raises(WeightsError):
        pipeline.predictions_for([face])


@pytest.mark.parametrize("variable", ["FACEWHY_PREDICT_URL", "FACEWHY_BF16"])
def test_a_wrong_setting_ends_the_start(monkeypatch, variable):
    monkeypatch.setattr(engine, "_current", None)
    monkeypatch.setenv(variable, "not a value")
    with pytest.raises(ParameterError, match=variable):
        main.launch(port=0)
