"""What the live camera says, frame by frame, by a clock that the tests wind."""

from dataclasses import replace

import numpy as np
import pytest

from app import pipeline
from app.live import HOLD_S, Stream
from models import zoo
from models.types import EMOTIONS, Face, Photo, Prediction

NAMES = zoo.EMOTION_MODELS


@pytest.fixture
def scene(one, monkeypatch):
    """A face that stands still, and networks whose answers are set by hand; counts who is asked."""

    class Scene:
        faces: list[Face] = list(one.faces)
        probabilities = np.full(7, 1 / 7, np.float32)
        asked: list[str] = []

    def predict(name, faces, version=""):
        Scene.asked.append(name)
        return tuple(Prediction(name, np.log(Scene.probabilities), Scene.probabilities, "1.0.0") for _ in faces)

    Scene.asked = []
    monkeypatch.setattr(pipeline, "find", lambda photo: Scene.faces)
    monkeypatch.setattr(
        pipeline, "with_keypoints", lambda faces, photo: [replace(each, keypoints=one.face.keypoints) for each in faces]
    )
    monkeypatch.setattr(pipeline, "predict", predict)
    return Scene


def certain(emotion: str) -> np.ndarray:
    found = np.full(7, 0.01, np.float32)
    found[EMOTIONS.index(emotion)] = 0.94
    return found


def test_answers_are_smoothed_and_the_raw_ones_stay(scene, one):
    stream = Stream()
    scene.probabilities = certain("neutral")
    stream.read(one.photo, "cnn", 0.5, False, 0.0)
    scene.probabilities = certain("happy")
    (person,) = stream.read(one.photo, "cnn", 0.5, False, 0.5).persons
    happy = EMOTIONS.index("happy")
    assert person.raw.probabilities[happy] == pytest.approx(0.94)
    assert person.probabilities[happy] == pytest.approx(0.01 + (1 - np.exp(-1)) * 0.93, abs=1e-4)
    assert person.probabilities.sum() == pytest.approx(1, abs=1e-5)
    (person,) = stream.read(one.photo, "cnn", 0.0, False, 0.6).persons
    assert person.probabilities[happy] == pytest.approx(0.94), "without smoothing each frame stands for itself"


def test_another_network_begins_anew_and_the_mean_asks_all(scene, one):
    stream = Stream()
    scene.probabilities = certain("neutral")
    stream.read(one.photo, "cnn", 5.0, False, 0.0)
    scene.probabilities = certain("happy")
    (person,) = stream.read(one.photo, "resnet", 5.0, False, 0.1).persons
    assert person.emotion == "happy" and scene.asked == ["cnn", "resnet"]
    scene.asked.clear()
    (person,) = stream.read(one.photo, pipeline.MEAN, 5.0, False, 0.2).persons
    assert person.raw.model == pipeline.MEAN and set(scene.asked) == set(NAMES)


def test_a_neutral_face_is_held_and_changes_are_told_against_it(scene, one):
    stream = Stream()
    scene.probabilities = certain("sad")
    stream.read(one.photo, "cnn", 0.0, False, 0.0)
    stream.hold(0.0)
    for index in range(4):
        moment = stream.read(one.photo, "cnn", 0.0, False, 0.5 + 0.5 * index)
        assert not moment.calibrated and 0 < moment.holding <= 1
    last = 0.5 + 0.5 * index
    moment = stream.read(one.photo, "cnn", 0.0, False, last + HOLD_S)
    assert moment.calibrated and moment.holding is None and np.abs(moment.persons[0].change).max() < 1e-6
    scene.probabilities = certain("happy")
    (person,) = stream.read(one.photo, "cnn", 0.0, False, last + HOLD_S + 0.1).persons
    assert person.change[EMOTIONS.index("happy")] == pytest.approx(0.93, abs=1e-4)
    assert person.change[EMOTIONS.index("sad")] == pytest.approx(-0.93, abs=1e-4)
    assert not stream.read(one.photo, "resnet", 0.0, False, last + HOLD_S + 0.2).calibrated, "it was of another network"


def test_a_neutral_face_is_its_owners_alone(scene, one):
    stream = Stream()
    stream.read(one.photo, "cnn", 0.0, False, 0.0)
    stream.hold(0.0)
    for index in range(8):
        stream.read(one.photo, "cnn", 0.0, False, 0.5 * (index + 1))
    assert stream.read(one.photo, "cnn", 0.0, False, 4.5).calibrated
    stream.forget()
    assert not stream.read(one.photo, "cnn", 0.0, False, 4.6).calibrated


def calibrated(stream, photo) -> float:
    """Hold a neutral face from 0 s on: the time of the last frame."""
    stream.read(photo, "cnn", 0.0, False, 0.0)
    stream.hold(0.0)
    for index in range(8):
        moment = stream.read(photo, "cnn", 0.0, False, 0.5 * (index + 1))
    assert moment.calibrated and moment.lost == "" and not moment.other
    return 4.0


def test_why_a_neutral_face_is_lost_is_said_until_another_is_held(scene, one):
    stream = Stream()
    now = calibrated(stream, one.photo)
    assert stream.read(one.photo, "resnet", 0.0, False, now + 0.1).lost == "network"
    assert stream.read(one.photo, "resnet", 0.0, False, now + 0.2).lost == "network"
    stream.hold(now + 0.3)
    assert stream.read(one.photo, "resnet", 0.0, False, now + 0.4).lost == ""

    stream = Stream()
    now = calibrated(stream, one.photo)
    assert stream.read(one.photo, "cnn", 0.0, False, now + 100).lost == "face", "the camera was off"
    stream.forget()
    assert stream.read(one.photo, "cnn", 0.0, False, now + 100.1).lost == ""

    stream = Stream()
    now = calibrated(stream, one.photo)
    scene.faces = []
    said = [stream.read(one.photo, "cnn", 0.0, False, now + 0.1 * (index + 1)).lost for index in range(60)]
    assert said[0] == "" and said[-1] == "face", "nobody is in sight for long"


def test_a_larger_face_is_not_told_against_the_neutral_one(scene, one):
    stream = Stream()
    now = calibrated(stream, one.photo)
    mine = stream._of
    stream._of = mine + 1
    stream._tracker.tracks = (*stream._tracker.tracks, replace(stream._tracker.tracks[0], number=mine + 1, missed=1))
    moment = stream.read(one.photo, "cnn", 0.0, False, now + 0.1)
    assert moment.other and not moment.calibrated and moment.lost == ""


def test_nobody_in_sight_and_a_pause(scene, one):
    stream = Stream()
    scene.faces = []
    moment = stream.read(one.photo, "cnn", 0.4, True, 0.0)
    assert moment.persons == () and moment.heat is None and scene.asked == []
    scene.faces = list(one.faces)
    before = stream.read(one.photo, "cnn", 0.4, False, 100.0).persons[0].number
    assert stream.read(one.photo, "cnn", 0.4, False, 200.0).persons[0].number == before == 1, "after a pause all is new"


def test_frames_a_second_are_counted_by_the_clock(scene, one):
    stream = Stream()
    for index in range(6):
        moment = stream.read(one.photo, "cnn", 0.4, False, 0.125 * index)
    assert moment.rate == pytest.approx(8)


def test_the_heatmap_is_grad_cams_of_the_frame(one):
    stream = Stream()
    moment = stream.read(one.photo, "cnn", 0.0, True, 0.0)
    made, face = moment.heat
    assert (made.method, made.model) == ("gradcam", "cnn")
    expected = pipeline.explain("cnn", face, made.target, "gradcam")
    np.testing.assert_allclose(made.values, expected.values, atol=1e-4 * np.abs(expected.values).max())
    assert made.target.emotion == int(moment.persons[0].probabilities.argmax())


def test_two_streams_have_names_of_their_own():
    assert Stream().key != Stream().key
    assert (stream := Stream()).key == stream.key


def test_a_frame_is_no_larger_than_what_came(one):
    stream = Stream()
    stream.read(Photo(one.photo.pixels[:200, :260]), "cnn", 0.4, False, 0.0)
    assert stream.photo.size == (260, 200)
