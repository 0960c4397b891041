"""A photo becomes faces, upright, and a face an explanation that is tested."""

import numpy as np
import pytest

from app import pipeline
from explain import registry
from explain.base import Target
from models import photo, upright, zoo
from models.errors import NoFaceError, ParameterError, UnknownModelError, UnknownNameError
from models.types import Photo
from tests.app.conftest import EXAMPLES

UPSIDE_DOWN = 180


@pytest.mark.parametrize("degrees", upright.TURNS[1:])
@pytest.mark.parametrize("name", ["astronaut.jpg", "grace_hopper.jpg", "group.jpg", "composite_fear.png"])
def test_a_photo_that_was_turned_is_put_upright(name, degrees):
    straight = photo.read(EXAMPLES / name)
    given = Photo(upright.turned(straight, degrees).pixels)
    found = pipeline.detections(given)
    assert found.photo.turned == 360 - degrees and np.array_equal(found.photo.pixels, straight.pixels)
    expected = pipeline.detections(straight).faces
    assert len(found.faces) == len(expected)
    for face, same in zip(found.faces, expected, strict=True):
        assert np.allclose(face.box, same.box) and np.allclose(face.keypoints, same.keypoints, atol=0.5)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.[jp][pn]g")))
def test_an_upright_photo_is_looked_at_once(name, monkeypatch):
    looks, find = [], pipeline.find
    monkeypatch.setattr(pipeline, "find", lambda picture: looks.append(picture) or find(picture))
    picture = photo.read(EXAMPLES / name)
    found = pipeline.detections(picture)
    assert found.photo is picture and found.faces and len(looks) == 1


def test_one_face_that_fits_badly_turns_no_group(astronaut):
    head = astronaut.pixels[:256, 96:352]
    group = np.hstack([head, head[:, ::-1], np.rot90(head, 2)])
    found = pipeline.detections(Photo(group))
    assert len(found.faces) == 3 and found.photo.turned == 0
    turned = pipeline.detections(Photo(np.rot90(group).copy()))
    assert turned.photo.turned == 90 and np.array_equal(turned.photo.pixels, group)


def test_a_turn_that_is_asked_for_wins(astronaut):
    lying = upright.turned(astronaut, 90)
    assert pipeline.detections(Photo(lying.pixels), 0).photo.turned == 0
    wrong = pipeline.detections(astronaut, UPSIDE_DOWN)
    assert wrong.photo.turned == UPSIDE_DOWN and np.array_equal(wrong.photo.pixels, np.rot90(astronaut.pixels, 2))


def test_a_picture_without_a_face_stays_as_it_lies(plain):
    found = pipeline.detections(plain)
    assert found.photo is plain and found.faces == []
    with pytest.raises(NoFaceError):
        pipeline.some(found)
    whole = pipeline.detections(plain, whole_picture=True)
    assert whole.photo is plain and whole.faces[0].guessed and whole.faces[0].keypoints.shape == (15, 2)


@pytest.mark.parametrize("index", [1, -1, True, "0", None])
def test_a_face_that_is_not_there_cannot_be_picked(astronaut, index):
    found = pipeline.detections(astronaut)
    assert found.pick(0).faces == found.faces
    with pytest.raises(ParameterError, match="No face has this number"):
        found.pick(index)


@pytest.mark.parametrize(("level", "said"), [(0, "It is black all over."), (255, "It has one colour all over.")])
def test_programs_are_told_as_well_what_is_odd_about_a_picture_without_a_face(level, said):
    with pytest.raises(NoFaceError) as refused:
        pipeline.faces_in(Photo(np.full((64, 64, 3), level, np.uint8)))
    assert said in str(refused.value) and "larger face" not in str(refused.value)


@pytest.fixture(scope="module")
def face(astronaut):
    return pipeline.faces_in(astronaut)[0]


def test_a_face_is_explained_as_it_was_asked_for_and_the_map_tested(face):
    found = pipeline.explained(face, "resnet", "", "sad", "happy", "occlusion", {"step": 6})
    expected = registry.explain(zoo.load("resnet"), face, Target.named("sad", "happy"), "occlusion", {"step": 6})
    made, [prediction] = found.explanation, zoo.load("resnet").predict([face])
    assert np.array_equal(made.values, expected.values) and made.params == expected.params
    assert (made.model, made.method, made.target) == ("resnet", "occlusion", Target.named("sad", "happy"))
    assert np.allclose(found.prediction.probabilities, prediction.probabilities, atol=1e-3) and found.face is face
    tested, again = found.tested(), pipeline.trusted(face, expected)
    assert (tested.verdict, tested.sentence) == (again.verdict, again.sentence)


def test_what_is_not_asked_for_is_what_the_model_names_by_the_recommended_method_of_its_latest_version(
    face, monkeypatch
):
    monkeypatch.setattr(pipeline, "recommended", {"vgg16": "saliency"}.get)
    found = pipeline.explained(face, "vgg16")
    assert found.explanation.target == Target(found.prediction.top) and found.explanation.method == "saliency"
    version = found.prediction.version
    assert pipeline.explained(face, "vgg16", version.split(".")[0]).prediction.version == version
    with pytest.raises(UnknownModelError):
        pipeline.explained(face, "vgg16", "99")
    with pytest.raises(UnknownNameError):
        pipeline.explained(face, "vgg16", emotion="bored")


def test_a_map_of_no_face_is_not_tested(plain, monkeypatch):
    [guess] = pipeline.faces_in(plain, whole_picture=True)
    found = pipeline.explained(guess, "cnn", method="saliency")
    monkeypatch.setattr(pipeline, "trust_steps", lambda *given: 1 / 0)
    assert found.tested() is None
