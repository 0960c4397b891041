"""Averages that show no single person."""

import cv2
import numpy as np
import pytest

from models.errors import DataError
from models.types import EMOTIONS, Photo
from training import data
from training.data import composites


def noise(count: int, side: int = 48) -> np.ndarray:
    return np.random.default_rng(0).random((count, side, side)).astype(np.float32)


def test_an_average_of_few_faces_is_refused():
    with pytest.raises(DataError, match="99"):
        composites.composite(noise(99))


def test_a_composite_keeps_what_the_faces_share_whatever_their_light():
    y, x = np.mgrid[:48, :48]
    shared = ((x - 24) ** 2 + (y - 24) ** 2 < 100).astype(np.float32)
    rng = np.random.default_rng(1)
    gains, offsets = rng.uniform(0.1, 0.5, (120, 1, 1)), rng.uniform(0, 0.5, (120, 1, 1))
    picture = composites.composite((offsets + gains * shared + 0.05 * noise(120)).astype(np.float32))
    assert picture.dtype == np.uint8
    assert np.corrcoef(picture.ravel(), shared.ravel())[0, 1] > 0.98
    assert picture[shared == 1].min() > 200 and picture[shared == 0].max() < 55


def test_halves_are_equal_and_part_what_differs_most():
    faces = noise(64) * 0.1
    bright = np.random.default_rng(2).permutation(64)[:32]
    faces[bright] += 0.5
    groups = composites.halves(faces, 1)
    assert sorted(np.concatenate(groups).tolist()) == list(range(64))
    assert {frozenset(group.tolist()) for group in groups} == {
        frozenset(bright.tolist()),
        frozenset(set(range(64)) - set(bright.tolist())),
    }
    assert [len(group) for group in composites.halves(faces, 3)] == [8] * 8


def test_copies_are_taken_once():
    faces = list(noise(5))
    smooth = [cv2.GaussianBlur(face, (0, 0), 3) for face in faces]
    brighter = smooth[1] * 0.5 + 0.3
    kept = list(composites.distinct([smooth[0], smooth[1], smooth[0], brighter, *smooth[2:]]))
    assert len(kept) == 5
    assert all(one is other for one, other in zip(kept, smooth, strict=True))


def test_the_clearest_faces_come_first():
    votes = np.zeros((5, len(EMOTIONS)), np.float32)
    votes[0, :2] = 6, 4  # clear enough
    votes[1, 0] = 10  # the clearest
    votes[2, :2] = 5, 5  # no majority
    votes[3, 1] = 10  # another emotion
    votes[4, :4] = 4, 2, 2, 2  # a majority, but not of half the taggers
    split = data.EmotionSplit(np.zeros((5, 48, 48), np.uint8), np.zeros(5, np.int64), votes)
    assert composites.clearest(split, 0).tolist() == [1, 0]


def test_a_face_is_cut_as_the_detector_frames_it(monkeypatch):
    """A detector that maps the enlarged picture's middle half onto the crop gives that half back."""
    image = np.arange(48 * 48).reshape(48, 48) // 9
    seen = []

    class Found:
        to_crop = np.array([[0.25, 0, -12 + 0.25 / 2 - 0.5], [0, 0.25, -12 + 0.25 / 2 - 0.5]], np.float32)

    def find(photo: Photo, limit=None):
        seen.append(photo.size)
        return [Found] if len(seen) < 3 else []

    monkeypatch.setattr(composites.detector, "find", find)
    small = composites.align(image.astype(np.uint8), 48)
    np.testing.assert_allclose(small[4:-4, 4:-4] * 255, image[4:-4, 4:-4], atol=2)
    assert composites.align(image.astype(np.uint8), 192).shape == (192, 192)
    assert composites.align(image.astype(np.uint8), 48) is None
    assert seen[0] == (288, 288)
