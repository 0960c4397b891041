from dataclasses import replace

import numpy as np
import pytest

from models import framing, photo, upright
from models.keypoints import FIVE
from models.quality import disagreement
from models.types import Face, Photo

POINTS = np.float32([[40, 50], [60, 50], [50, 62], [42, 70], [58, 70]])
"""An upright face: the eyes 20 px apart, and 20 px above the mouth."""


def face(apart: float = 0.0, lean: float = 0.0, score: float = 1.0) -> Face:
    """A face whose keypoints lie `apart` pixels below the detector's points, and that leans clockwise."""
    angle = np.radians(lean)
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.float32((POINTS - 50) @ spin.T + 50)
    keypoints = np.zeros((15, 2), np.float32)
    keypoints[list(FIVE)] = points + [0, apart]
    crop = np.zeros((48, 48), np.float32)
    box = np.float32([30, 30, 70, 80])
    return Face(box, score, points, framing.frame(points), crop, np.zeros((96, 96), np.float32), keypoints)


def test_the_disagreement_is_the_mean_distance_in_eye_distances():
    assert disagreement(face()) == pytest.approx(0, abs=1e-6)
    assert disagreement(face(apart=5)) == pytest.approx(5 / 20, rel=1e-5)
    assert disagreement(replace(face(), keypoints=None)) is None
    assert disagreement(replace(face(), points=None)) is None


@pytest.mark.parametrize(("lean", "expected"), [(0, 0), (90, 90), (-90, -90), (30, 30), (170, 170)])
def test_the_roll_is_clockwise(lean, expected):
    assert framing.roll(face(lean=lean).to_crop) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("degrees", "corner"), [(0, (0, 0)), (90, (0, 1)), (180, (1, 2)), (270, (2, 0))])
def test_a_turn_is_clockwise_and_is_told(degrees, corner):
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 0] = 255
    turned = upright.turned(Photo(pixels), degrees)
    assert turned.turned == degrees and turned.size == ((3, 2) if degrees in (0, 180) else (2, 3))
    assert turned.pixels[corner].tolist() == [255] * 3 and turned.pixels.sum() == 3 * 255
    assert np.array_equal(upright.turned(turned, 360 - degrees).pixels, pixels)
    assert upright.turned(turned, 360 - degrees).turned == 0


def test_most_of_the_largest_faces_decide_whether_a_photo_is_upright():
    good, bad, lying = face(), face(apart=8), face(lean=90)
    assert upright.fits([good]) and upright.fits([good, bad, good]) and upright.fits([face(lean=-30)])
    assert not upright.fits([]) and not upright.fits([bad]) and not upright.fits([lying])
    assert not upright.fits([good, bad]) and not upright.fits([bad] * 3 + [good] * 4), "the five largest"


def test_another_turn_must_fit_clearly_better():
    good, fair, poor = face(), face(apart=1.5), face(apart=5)
    assert upright.best({0: [poor], 90: [fair], 180: [good], 270: []}) == 180
    assert upright.best({0: [good], 90: [face(lean=90)], 180: [], 270: [good]}) == 0, "as good is not better"
    assert upright.best({0: [fair], 90: [good]}) == 90 and upright.best({0: [face(apart=0.5)], 90: [good]}) == 0
    assert upright.best({0: [], 90: [face(score=0.25)]}) == 0, "an animal, perhaps"
    assert upright.best({0: [], 90: [face(score=0.6)]}) == 90
    assert upright.best({0: [face(lean=90)], 270: [good]}) == 270, "it fits, and lies"


def test_what_is_only_looked_at_is_small():
    large = Photo(np.zeros((600, 960, 3), np.uint8), 90)
    assert upright.small(large).size == (480, 300) and upright.small(large).turned == 90
    tiny = photo.read(np.zeros((40, 50, 3), np.uint8))
    assert upright.small(tiny) is tiny
