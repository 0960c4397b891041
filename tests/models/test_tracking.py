"""Faces are followed by hand-made frames, and by a portrait that moves through a larger picture."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import detector, framing, keypoints, photo, tracking
from models.keypoints import FIVE
from models.tracking import Smoother, Tracker
from models.types import Face, Photo

EXAMPLES = Path(__file__).parents[2] / "examples"
POINTS = np.float32([[40, 50], [60, 50], [50, 62], [42, 70], [58, 70]])
"""An upright face: the eyes 20 px apart, and 20 px above the mouth."""
TEXTURE = np.random.default_rng(1).random((96, 96)).astype(np.float32)


def face(x: float = 0, y: float = 0, zoom: float = 1.0, texture: np.ndarray = TEXTURE) -> Face:
    """A face with its keypoints, moved and enlarged about its own middle."""
    points = np.float32((POINTS - 50) * zoom + 50 + [x, y])
    read = np.zeros((15, 2), np.float32)
    read[list(FIVE)] = points
    box = np.float32(np.array([30, 30, 70, 80]) * 1.0 - 50) * zoom + 50 + np.float32([x, y, x, y])
    return Face(box, 1.0, points, framing.frame(points), texture[:48, :48], texture, read)


@pytest.mark.parametrize(
    ("other", "expected"),
    [([0, 0, 10, 10], 1), ([5, 0, 15, 10], 50 / 150), ([10, 0, 20, 10], 0), ([2, 2, 4, 4], 4 / 100)],
)
def test_intersection_over_union_by_hand(other, expected):
    assert tracking.iou(np.float32([0, 0, 10, 10]), np.float32(other)) == pytest.approx(expected)
    assert tracking.iou(np.zeros(4), np.zeros(4)) == 0


def test_distances_are_in_distances_between_the_eyes():
    assert tracking.distance(face(), face(6, 8)) == pytest.approx(10 / 20, rel=1e-5)
    assert tracking.step(face(), face(0, 5)) == pytest.approx(5 / 20, rel=1e-4)
    assert tracking.distance(face(), face(10, 0, zoom=2)) < tracking.distance(face(), face(10, 0))


def test_faces_are_matched_so_that_the_sum_is_least():
    before = [face(0), face(16)]
    assert tracking.match(before, [face(17), face(12)]) == {0: 1, 1: 0}
    # alone, the first would take the nearer of the two; together it leaves it to the second
    assert tracking.match(before, [face(12), face(-9)]) == {0: 1, 1: 0}


def test_what_is_far_away_is_nobody_known():
    assert tracking.match([face()], [face(300)]) == {}
    assert tracking.match([], [face()]) == tracking.match([face()], []) == {}
    assert tracking.match([face(), face(200)], [face(201)]) == {1: 0}


def test_a_face_that_jumps_grows_or_changes_does_not_fit():
    assert tracking.fits(face(), face(5, 5))
    assert not tracking.fits(face(), face(20))
    assert not tracking.fits(face(), face(zoom=1.5))
    assert not tracking.fits(face(), face(texture=np.random.default_rng(2).random((96, 96)).astype(np.float32)))
    assert tracking.fits(face(), face(texture=TEXTURE * 0.4 + 0.1)), "another light is no other face"


def test_likeness_is_pearsons_correlation():
    other = np.random.default_rng(3).random((96, 96))
    expected = np.corrcoef(TEXTURE.ravel(), other.ravel())[0, 1]
    assert tracking.likeness(TEXTURE, other) == pytest.approx(expected, abs=1e-6)
    assert tracking.likeness(TEXTURE, np.ones((96, 96))) == 0


def test_smoothing_follows_by_its_time_constant_however_often_frames_come():
    once, often = Smoother(0.5), Smoother(0.5)
    assert once("a", np.zeros(2), 0.0).tolist() == [0, 0]
    often("a", np.zeros(2), 0.0)
    assert once("a", np.ones(2), 0.5) == pytest.approx(1 - np.exp(-1))
    for moment in np.linspace(0.05, 0.5, 10):
        last = often("a", np.ones(2), moment)
    assert last == pytest.approx(1 - np.exp(-1), abs=1e-6)
    assert once("b", np.ones(2), 0.5).tolist() == [1, 1], "another face begins anew"
    assert Smoother(0)("a", np.ones(1), 0.0) == Smoother(0)("a", np.ones(1), 9.0) == 1
    once.keep(["b"])
    assert once("a", np.zeros(2), 0.6).tolist() == [0, 0]


class Scene:
    """Frames whose faces are told by hand: the detector finds them, the keypoint network reads where they are."""

    def __init__(self):
        self.faces: list[Face] = []
        self.detected = 0
        self.photo = Photo(np.zeros((400, 400, 3), np.uint8))

    def detect(self, _: Photo) -> list[Face]:
        self.detected += 1
        return self.faces

    def read(self, asked: list[Face], _: Photo) -> list[Face]:
        """The keypoints of the face that lies nearest to each."""
        return [
            replace(one, keypoints=min(self.faces, key=lambda other: tracking.distance(one, other)).keypoints)
            for one in asked
        ]


@pytest.fixture
def scene(monkeypatch):
    monkeypatch.setattr(framing, "cut", lambda grey, matrix, side: TEXTURE[:side, :side])
    return Scene()


def test_the_detector_looks_only_now_and_then_and_faces_keep_their_numbers(scene):
    tracker = Tracker(scene.detect, scene.read, every=4)
    for frame in range(9):
        scene.faces = [face(frame, zoom=1.2), face(200 - 2 * frame)]
        tracks = tracker.follow(scene.photo)
        assert [track.number for track in tracks] == [1, 2], "largest first"
        assert [track.face.box[0] for track in tracks] == pytest.approx([26 + frame, 230 - 2 * frame], abs=0.2)
    assert scene.detected == tracker.looks == 3


def test_a_jump_makes_the_detector_look_at_once(scene):
    tracker = Tracker(scene.detect, scene.read, every=100)
    scene.faces = [face()]
    tracker.follow(scene.photo)
    scene.faces = [face(40)]
    assert [track.number for track in tracker.follow(scene.photo)] == [2]
    assert scene.detected == 2


def test_who_is_covered_for_a_moment_keeps_the_number_and_who_is_gone_does_not(scene):
    tracker = Tracker(scene.detect, scene.read, every=1)
    scene.faces = [face()]
    tracker.follow(scene.photo)
    scene.faces = []
    for _ in range(tracking.PATIENCE - 1):
        assert tracker.follow(scene.photo) == ()
    scene.faces = [face(3)]
    assert [track.number for track in tracker.follow(scene.photo)] == [1]
    scene.faces = []
    for _ in range(tracking.PATIENCE):
        tracker.follow(scene.photo)
    scene.faces = [face()]
    assert [track.number for track in tracker.follow(scene.photo)] == [2]


def test_while_nobody_is_there_the_detector_does_not_look_at_every_frame(scene):
    tracker = Tracker(scene.detect, scene.read)
    for _ in range(10):
        assert tracker.follow(scene.photo) == ()
    assert scene.detected == 4


def test_a_portrait_that_moves_turns_and_grows_is_followed_as_the_detector_would_find_it():
    pixels = photo.read(EXAMPLES / "astronaut.jpg").pixels
    tracker, rng = Tracker(detector.find, keypoints.read, every=100), np.random.default_rng(0)
    for frame in range(12):
        move = cv2.getRotationMatrix2D((224, 100), 1.5 * frame, 1.1 * 1.01**frame)
        move[:, 2] += [6 * frame, 4 * frame]
        picture = cv2.warpAffine(pixels, move, (640, 480), borderMode=cv2.BORDER_REPLICATE)
        picture = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        (track,) = tracker.follow(Photo(picture))
        (expected,) = keypoints.read(detector.find(Photo(picture)), Photo(picture))
        unit = framing.spread(expected.to_crop)
        assert track.number == 1
        assert np.hypot(*(track.face.keypoints - expected.keypoints).T).mean() < 0.12 * unit
        assert tracking.step(expected, track.face) < 0.15
        assert tracking.iou(track.face.box, expected.box) > 0.75
        assert tracking.likeness(track.face.crop, expected.crop) > 0.8
    assert tracker.looks == 1
