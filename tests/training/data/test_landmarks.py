from pathlib import Path

import cv2
import numpy as np
import pytest

from models import detector, photo
from models.types import KEYPOINTS
from training.data import landmark_offset, landmarks

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """The astronaut, uint8, grey, as small as the frames of the data."""
    pixels = photo.read(EXAMPLES / "astronaut.jpg").pixels
    left, top, right, bottom = detector.find(photo.read(EXAMPLES / "astronaut.jpg"))[0].box.astype(int)
    grey = cv2.cvtColor(pixels[max(0, top - 40) : bottom + 40, max(0, left - 40) : right + 40], cv2.COLOR_RGB2GRAY)
    zoom = 150 / max(grey.shape)
    return cv2.resize(grey, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)


def points_of(face: np.ndarray) -> np.ndarray:
    """The detector's five points in pixels of the picture."""
    wide = cv2.copyMakeBorder(face, *[landmark_offset.BORDER] * 4, cv2.BORDER_REPLICATE)
    return detector.find(photo.Photo(cv2.cvtColor(wide, cv2.COLOR_GRAY2RGB)))[0].points - landmark_offset.BORDER


def test_a_correction_moves_across_by_a_share_of_the_eyes_distance_and_back():
    points = np.zeros((1, 15, 2))
    points[0, KEYPOINTS.index("left_eye_outer_corner")] = (40, 30)
    moved = landmarks.corrected(points)
    assert moved[0, :, 0] == pytest.approx(points[0, :, 0] - landmarks.SHIFT * 50)
    assert (moved[..., 1] == points[..., 1]).all() and points[0, 0, 0] == 0
    assert landmarks.as_published(moved) == pytest.approx(points)


@pytest.mark.parametrize("shift", [0.0, 3.0, -2.0])
def test_the_offset_of_labels_is_found(face, shift):
    known = landmark_offset.offset(face, points_of(face))
    found = landmark_offset.offset(face, points_of(face) + [shift, 0])
    assert found - known == pytest.approx([shift, 0], abs=1e-4)


def test_a_mirrored_picture_with_mirrored_labels_has_the_opposite_offset(face):
    """What makes the measure fair: the detector itself has no side in it."""
    labels = points_of(face) + [1.5, 0]
    mirrored = labels[landmark_offset.SWAPPED] * [-1, 1] + [face.shape[1] - 1, 0]
    one = landmark_offset.offset(face, labels)
    other = landmark_offset.offset(np.ascontiguousarray(face[:, ::-1]), mirrored)
    assert other == pytest.approx(one * [-1, 1], abs=0.02)


def test_no_face_and_another_face_count_for_nothing(face):
    assert landmark_offset.offset(np.full((120, 120), 90, np.uint8), np.zeros((5, 2))) is None
    assert landmark_offset.offset(face, points_of(face) + [60, 0]) is None


def test_the_mean_over_pictures_is_a_share_of_the_eyes_distance(face, monkeypatch):
    published = np.zeros((4, 15, 2))
    published[:, KEYPOINTS.index("left_eye_outer_corner"), 0] = (20, 40, 50, 80)
    monkeypatch.setattr(landmark_offset, "offset", lambda image, labels: image)
    images = [np.array([2.0, 9]), np.array([4.0, 9]), None, np.array([8.0, 9])]
    (mean, low, high), faces = landmark_offset.measure(images, published)
    assert mean == low == high == pytest.approx(0.1) and faces == 3
