"""Twenty measures of a drawn face, worked out by hand, and what they do not depend on."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ParameterError
from models.geometry import COLUMNS, MEASURES, NAMES, measure, mirrored
from models.types import KEYPOINTS
from tests.mean_face import MEAN_KEYPOINTS

DRAWN = {
    "left_eye_center": (70, 40),
    "right_eye_center": (30, 40),
    "left_eye_inner_corner": (60, 42),
    "left_eye_outer_corner": (80, 38),
    "right_eye_inner_corner": (40, 44),
    "right_eye_outer_corner": (20, 44),
    "left_eyebrow_inner_end": (58, 26),
    "left_eyebrow_outer_end": (82, 30),
    "right_eyebrow_inner_end": (42, 32),
    "right_eyebrow_outer_end": (18, 28),
    "nose_tip": (52, 64),
    "mouth_left_corner": (68, 78),
    "mouth_right_corner": (36, 82),
    "mouth_center_top_lip": (50, 76),
    "mouth_center_bottom_lip": (50, 88),
}
"""In the order of `KEYPOINTS`; the eyes are 40 pixels apart, and the face's middle is x = 50."""
BY_HAND = {
    "brow_raise_left": (40 - (26 + 30) / 2) / 40,
    "brow_raise_right": (40 - (32 + 28) / 2) / 40,
    "brow_tilt_left": (30 - 26) / 40,
    "brow_tilt_right": (28 - 32) / 40,
    "brow_gap": (16**2 + 6**2) ** 0.5 / 40,
    "eye_width_left": (20**2 + 4**2) ** 0.5 / 40,
    "eye_width_right": 20 / 40,
    "eye_lift_left": 0.0,
    "eye_lift_right": (44 - 40) / 40,
    "eye_slant_left": (42 - 38) / 40,
    "eye_slant_right": 0.0,
    "nose_drop": (64 - 40) / 40,
    "nose_to_lip": (76 - 64) / 40,
    "mouth_width": (32**2 + 4**2) ** 0.5 / 40,
    "mouth_openness": (88 - 76) / 40,
    "corner_raise_left": (82 - 78) / 40,
    "corner_raise_right": 0.0,
    "mouth_shift": ((68 + 36) / 2 - 50) / 40,
    "head_turn": (52 - 50) / 40,
    # inner and outer corners, inner and outer ends of the brows, nose, mouth corners; the rest mirrors itself
    "asymmetry": (2 * 2 + 2 * 6 + 2 * 6 + 2 * 2 + 4 + 2 * 32**0.5) / 15 / 40,
}


def drawn(**changes):
    return np.array([(DRAWN | changes)[name] for name in KEYPOINTS], float)


def test_each_measure_is_what_a_ruler_says():
    assert tuple(DRAWN) == KEYPOINTS and tuple(BY_HAND) == NAMES
    assert dict(zip(NAMES, measure(drawn()), strict=True)) == pytest.approx(BY_HAND, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(-180, 180), st.floats(0.05, 50), st.tuples(st.floats(-500, 500), st.floats(-500, 500)))
def test_place_size_and_roll_change_nothing(degrees, zoom, shift):
    turn = np.radians(degrees)
    turn = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    assert measure(drawn() @ turn.T + shift) == pytest.approx(measure(drawn()), abs=1e-5)


def test_a_mirrored_face_swaps_the_sides():
    swapped = [name.replace("left", "#").replace("right", "left").replace("#", "right") for name in KEYPOINTS]
    picture = np.array([(100 - DRAWN[name][0], DRAWN[name][1]) for name in swapped], float)
    assert measure(picture) == pytest.approx(mirrored(measure(drawn())), abs=1e-6)
    assert not np.allclose(mirrored(measure(drawn())), measure(drawn()))


@pytest.mark.parametrize(
    ("name", "point", "moved"),
    [
        ("brow_raise_left", "left_eyebrow_outer_end", (82, 26)),
        ("brow_tilt_right", "right_eyebrow_inner_end", (42, 28)),
        ("corner_raise_right", "mouth_right_corner", (36, 78)),
        ("mouth_openness", "mouth_center_bottom_lip", (50, 92)),
        ("nose_to_lip", "mouth_center_top_lip", (50, 80)),
    ],
)
def test_more_is_more(name, point, moved):
    where = NAMES.index(name)
    assert measure(drawn(**{point: moved}))[where] > measure(drawn())[where] + 0.01


def test_many_faces_are_measured_at_once_as_each_alone():
    faces = np.stack([drawn(), MEAN_KEYPOINTS])
    both = measure(faces[None])
    assert both.shape == (1, 2, 20) and both.dtype == np.float32
    assert np.array_equal(both[0], np.stack([measure(face) for face in faces]))


def test_eyes_in_one_place_have_no_measure_and_broken_points_are_refused():
    assert np.isnan(measure(drawn(left_eye_center=(30, 40)))).all()
    for broken in (drawn()[:14], drawn(nose_tip=(np.nan, 3))):
        with pytest.raises(ParameterError, match="not 15 finite points"):
            measure(broken)


def test_names_are_words_that_a_column_may_have():
    assert len(MEASURES) == len(set(COLUMNS)) == len({(each.label, each.up) for each in MEASURES}) == 20
    assert all(re.fullmatch(r"geometry_[a-z_]+", column) for column in COLUMNS)


def test_the_page_defines_each():
    page = " ".join((Path(__file__).parents[2] / "docs" / "glass-box.md").read_text(encoding="utf-8").split())
    for each in MEASURES:
        assert f"| `{each.name}` | {each.definition} |" in page
