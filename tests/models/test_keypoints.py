"""Keypoints come back to the photo from wherever the crop was cut."""

import cv2
import numpy as np
import pytest

from models import framing, keypoints, zoo
from models.detector import whole_picture
from models.types import KEYPOINTS, Face, Photo


class Spots:
    """A keypoint network that gives the brightest spot of each crop for all 15 points, and counts its batches."""

    def __init__(self):
        self.batches = []

    def points(self, wide_crops):
        assert wide_crops.dtype == np.float32 and wide_crops.shape[1:] == (96, 96)
        self.batches.append(len(wide_crops))
        weights = np.maximum(wide_crops - 0.5, 0) + 1e-9
        total = weights.sum((1, 2))
        grid = np.arange(96) / 95
        x, y = (weights * grid).sum((1, 2)) / total, (weights * grid[:, None]).sum((1, 2)) / total
        return np.repeat(np.stack([x, y], 1)[:, None], len(KEYPOINTS), 1).astype(np.float32)


@pytest.fixture
def spots(monkeypatch):
    network = Spots()
    monkeypatch.setattr(zoo, "keypoint_model", lambda: network)
    return network


def face_at(photo, points):
    grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
    to_crop = framing.frame(points)
    return Face(
        box=np.float32([0, 0, 1, 1]),
        score=0.9,
        points=points,
        to_crop=to_crop,
        crop=framing.cut(grey, to_crop, 48),
        wide_crop=framing.cut(grey, framing.widen(to_crop), 96),
    )


def detector_points(middle, spread, degrees):
    """Five points of an upright face of this size, turned about its middle."""
    turn = np.radians(degrees)
    turn = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape = np.array([[-0.5, -0.5], [0.5, -0.5], [0, 0.1], [-0.4, 0.5], [0.4, 0.5]]) * spread
    return (shape @ turn.T + middle).astype(np.float32)


def test_points_come_back_to_the_photo_from_turned_and_scaled_crops(spots):
    """Three bright spots in one photo, faces around them of different size and roll."""
    grey, places = np.zeros((400, 600), np.uint8), [(100, 120), (320, 200), (480, 300)]
    for place in places:
        cv2.circle(grey, place, 4, 255, -1)
    photo = Photo(np.repeat(grey[..., None], 3, 2))
    offsets, spreads, rolls = [(4, -6), (-5, 9), (10, 3)], [30, 45, 60], [0, 40, -75]
    faces = [
        face_at(photo, detector_points(np.add(place, offset), spread, roll))
        for place, offset, spread, roll in zip(places, offsets, spreads, rolls, strict=True)
    ]
    read = keypoints.read(faces, photo)
    assert spots.batches == [3]
    for face, before, place in zip(read, faces, places, strict=True):
        assert face.keypoints.shape == (15, 2) and face.keypoints.dtype == np.float32
        assert np.abs(face.keypoints - place).max() < 0.5
        assert np.allclose(face.crop_keypoints, framing.apply(before.to_crop, np.array(place)), atol=0.3)
        assert before.keypoints is None and face.crop is before.crop


def test_the_corners_of_the_wide_crop_are_its_first_and_last_pixel(monkeypatch):
    """Shares 0 and 1 of a 48-pixel picture taken whole: the wide crop is 1.25 as wide, so 60 pixels, centred.

    96 pixels over 60: their outermost centres lie 60 * 95 / 96 / 2 = 29.6875 from the middle, 23.5.
    """

    class Corners:
        def points(self, wide_crops):
            shares = np.zeros((len(wide_crops), 15, 2), np.float32)
            shares[:, 1] = 1
            return shares

    monkeypatch.setattr(zoo, "keypoint_model", Corners)
    monkeypatch.setattr(keypoints, "PASSES", 1)
    photo = Photo(np.zeros((48, 48, 3), np.uint8))
    (face,) = keypoints.read([whole_picture(photo)], photo)
    assert np.allclose(face.keypoints[0], 23.5 - 29.6875, atol=1e-4)
    assert np.allclose(face.keypoints[1], 23.5 + 29.6875, atol=1e-4)


def test_a_face_that_no_detector_framed_is_cut_again_by_its_keypoints(monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)
    photo, seen = Photo(cv2.GaussianBlur(pixels, (0, 0), 5)), []
    truth = detector_points((66, 63), 50, 20)
    whole = whole_picture(photo)
    framed = face_at(photo, detector_points((60, 60), 40, 0))

    class Recorder:
        """Finds the five points in the whole picture, then says that they stand as they should."""

        def points(self, wide_crops):
            to_crop = framing.frame(truth) if seen else whole.to_crop
            seen.append(wide_crops)
            shares = np.full((len(wide_crops), 15, 2), 0.5, np.float32)
            shares[-1, list(keypoints.FIVE)] = framing.apply(framing.widen(to_crop), truth) / 95
            return shares

    monkeypatch.setattr(zoo, "keypoint_model", Recorder)
    detected, found = keypoints.read([framed, whole], photo)
    assert [len(batch) for batch in seen] == [2] + [1] * (keypoints.PASSES - 1)
    assert np.array_equal(seen[0][1], whole.wide_crop)
    expected = face_at(photo, truth).wide_crop
    for batch in seen[1:]:
        assert np.abs(batch[0] - expected).max() < 0.01
    assert np.allclose(found.keypoints[list(keypoints.FIVE)], truth, atol=0.01)
    assert np.array_equal(found.to_crop, whole.to_crop) and np.array_equal(found.crop, whole.crop)
    assert np.array_equal(detected.to_crop, framed.to_crop)


def test_no_faces_need_no_network(monkeypatch):
    monkeypatch.setattr(zoo, "keypoint_model", lambda: pytest.fail("loaded"))
    assert keypoints.read([], Photo(np.zeros((40, 40, 3), np.uint8))) == []


def test_a_picture_without_a_face_still_gives_finite_points(monkeypatch):
    """All points in one place: framing by them must not run away."""

    class Middle:
        def points(self, wide_crops):
            return np.full((len(wide_crops), 15, 2), 0.5, np.float32)

    monkeypatch.setattr(zoo, "keypoint_model", Middle)
    photo = Photo(np.zeros((64, 100, 3), np.uint8))
    (face,) = keypoints.read([whole_picture(photo)], photo)
    assert np.isfinite(face.keypoints).all() and np.allclose(face.keypoints, [49.5, 31.5], atol=0.1)
