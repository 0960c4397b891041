import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from models import detector, framing, keypoints, photo, quality, upright
from models.types import Face, Photo

EXAMPLES = Path(__file__).parents[2] / "examples"
SIZE = 480, 480


def face(crop: np.ndarray | float = 0.5, side: float = 96, left: float = 100, top: float = 100) -> Face:
    """An upright face whose crop is a square of the photo with a side, and pixels of a level or an array."""
    zoom = 48 / side
    to_crop = np.float32([[zoom, 0, -zoom * left], [0, zoom, -zoom * top]])
    points = framing.apply(framing.invert(to_crop), np.float32([[15, 20], [33, 20], [24, 29], [17, 37], [31, 37]]))
    crop = np.broadcast_to(np.float32(crop), (48, 48))
    box = np.float32([left, top, left + side, top + side])
    marks = np.repeat(points.mean(0)[None], 15, 0)
    marks[list(keypoints.FIVE)] = points
    return Face(box, 0.9, points, to_crop, crop, crop, marks)


@pytest.fixture(scope="module")
def portrait() -> Photo:
    return photo.read(EXAMPLES / "grace_hopper.jpg")


def read(pixels: np.ndarray) -> quality.Quality:
    """The quality of the largest face in a picture."""
    picture = Photo(np.ascontiguousarray(pixels))
    [found] = keypoints.read(detector.find(picture, limit=1), picture)
    return quality.measure(found, picture.size)


def test_the_size_is_that_of_the_square_that_the_networks_see():
    for side in (24, 48, 200):
        assert quality.measure(face(side=side), SIZE).size == pytest.approx(side, rel=1e-5)


def test_pixels_are_those_of_the_photo_as_it_was_sent(portrait):
    large = Image.fromarray(portrait.pixels).resize((3 * photo.WORKING_SIDE, 2 * photo.WORKING_SIDE))
    data = io.BytesIO()
    large.save(data, "JPEG")
    for source in (large, data.getvalue(), np.asarray(large)):
        assert photo.read(source).reduced == pytest.approx(3)
    assert portrait.reduced == 1 and upright.turned(photo.read(large), 90).reduced == pytest.approx(3)
    assert upright.small(photo.read(large)).reduced == pytest.approx(3 * photo.WORKING_SIDE / upright.SIDE)
    measured = quality.measure(face(side=20), SIZE, 3.0)
    assert measured.size == pytest.approx(20, rel=1e-5) and measured.reduced == 3 and "small" in measured.warnings


def test_brightness_and_contrast_are_mean_and_deviation_of_the_middle():
    crop = np.ones((48, 48), np.float32)
    crop[6:46, 6:42] = np.where(np.arange(36) % 2, 0.7, 0.3)
    measured = quality.measure(face(crop), SIZE)
    assert measured.brightness == pytest.approx(0.5) and measured.contrast == pytest.approx(0.2)


def test_sharpness_of_stripes_by_hand():
    """Stripes of one pixel: the Laplacian is left + right - 2 x middle, as far apart as 4 times their deviation."""
    stripes = np.where(np.arange(48) % 2, 0.7, 0.3)
    assert quality.measure(face(stripes), SIZE).sharpness == pytest.approx(4, rel=1e-3)
    ramp = np.linspace(0.2, 0.8, 48)
    assert quality.measure(face(ramp), SIZE).sharpness == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("left", "top", "inside"), [(100, 100, 1), (-48, 100, 0.5), (408, 408, 0.5625)])
def test_the_share_inside_the_picture(left, top, inside):
    assert quality.measure(face(left=left, top=top), SIZE).inside == pytest.approx(inside, abs=0.02)


def test_keypoints_outside_the_picture_are_counted():
    assert quality.measure(face(), SIZE).keypoints_outside == 0
    cut = quality.measure(face(left=-40), SIZE)
    assert cut.keypoints_outside == 2 and "cut" in cut.warnings, "right eye and right mouth corner"
    assert quality.measure(replace(face(), keypoints=None), SIZE).keypoints_outside is None
    points = np.float32([[-0.5, 3], [-0.6, 3], [9.4, 4.4], [9.6, 4.4], [3, 4.6]])
    assert quality.within(points, (10, 5)).tolist() == [True, False, True, False, False]


def test_a_guess_is_none_of_the_detectors():
    guess = quality.measure(replace(face(), points=None), SIZE)
    assert guess.score is None and guess.disagreement is None and "guess" in guess.warnings


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("small", {"size": quality.SMALL - 1}),
        ("dark", {"brightness": quality.DARK - 0.01}),
        ("bright", {"brightness": quality.BRIGHT + 0.01}),
        ("flat", {"contrast": quality.FLAT - 0.01}),
        ("blurred", {"sharpness": quality.BLURRED - 0.01}),
        ("cut", {"inside": quality.CUT - 0.01}),
        ("cut", {"keypoints_outside": 1}),
        ("misfit", {"disagreement": quality.MISFIT + 0.01}),
        ("unsure", {"score": quality.UNSURE - 0.01}),
    ],
)
def test_each_measure_warns_on_its_own(name, change):
    fine = quality.Quality(100, 0.5, 0.2, 0.8, 1, 0, 0.08, 0.9)
    assert fine.warnings == () and replace(fine, **change).warnings == (name,)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.[jp][pn]g")))
def test_nothing_is_said_against_the_examples(name):
    assert read(photo.read(EXAMPLES / name).pixels).warnings == ()


def test_what_spoils_a_photo_is_seen(portrait):
    pixels = portrait.pixels
    fine = read(pixels)
    dark, bright = np.uint8(pixels * 0.12), np.uint8(255 - (255 - pixels.astype(float)) * 0.25)
    assert "dark" in read(dark).warnings and "bright" in read(bright).warnings
    blurred = cv2.GaussianBlur(pixels, (0, 0), 2.5 * fine.size / 48)
    assert "blurred" in read(blurred).warnings and read(blurred).sharpness < fine.sharpness / 5
    zoom = 22 / fine.size
    small = cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    assert "small" in read(small).warnings and read(small).size == pytest.approx(22, rel=0.1)


def test_a_face_that_the_edge_cuts_is_seen(portrait):
    [found] = keypoints.read(detector.find(portrait), portrait)
    eyes = round(float(found.points[:2, 0].mean()))
    cut = read(portrait.pixels[:, eyes:])
    assert "cut" in cut.warnings and cut.inside < 0.75
