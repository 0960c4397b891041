import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import framing

UPRIGHT = np.array([[10.0, 10.0], [20.0, 10.0], [15.0, 15.0], [11.0, 20.0], [19.0, 20.0]])


def test_a_frontal_face_lands_where_it_was_measured():
    placed = framing.apply(framing.frame(UPRIGHT), UPRIGHT)
    assert np.hypot(*(placed[1] - placed[0])) == pytest.approx(framing.SPREAD, abs=1e-4)
    assert (placed[:2].mean(0) + placed[3:].mean(0)) / 2 == pytest.approx(framing.CENTRE, abs=1e-3)


@given(angle=st.floats(-180, 180), zoom=st.floats(0.3, 30), x=st.floats(-500, 500), y=st.floats(-500, 500))
def test_the_crop_does_not_depend_on_where_how_large_and_how_tilted_a_face_is(angle, zoom, x, y):
    radians = np.deg2rad(angle)
    turn = zoom * np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    moved = UPRIGHT @ turn.T + [x, y]
    expected = framing.apply(framing.frame(UPRIGHT), UPRIGHT)
    assert framing.apply(framing.frame(moved), moved) == pytest.approx(expected, abs=0.05)


def test_a_profile_is_not_blown_up():
    profile = UPRIGHT.copy()
    profile[0, 0], profile[1, 0] = 14.9, 15.1
    placed = framing.apply(framing.frame(profile), profile)
    assert np.hypot(*(placed[:2].mean(0) - placed[3:].mean(0))) == pytest.approx(framing.SPREAD, abs=1e-3)
    assert placed[3:].mean(0)[1] > placed[:2].mean(0)[1]


def test_points_in_one_place_give_a_finite_map():
    assert np.isfinite(framing.frame(np.full((5, 2), 7.0))).all()


def test_the_wide_crop_has_the_same_centre_and_a_margin():
    to_crop = framing.frame(UPRIGHT)
    middle = framing.apply(framing.invert(to_crop), np.array([(framing.CROP_SIDE - 1) / 2] * 2))
    wide = framing.widen(to_crop)
    assert framing.apply(wide, middle) == pytest.approx([(framing.WIDE_SIDE - 1) / 2] * 2, abs=1e-2)
    ratio = np.linalg.norm(wide[0, :2]) / np.linalg.norm(to_crop[0, :2])
    assert ratio == pytest.approx(framing.WIDE_SIDE / framing.CROP_SIDE / framing.WIDE_MARGIN, rel=1e-4)


def test_whole_takes_the_largest_centred_square():
    placed = framing.apply(framing.whole(100, 60), np.array([[19.5, -0.5], [79.5, 59.5]]))
    assert placed == pytest.approx(np.array([[-0.5, -0.5], [47.5, 47.5]]), abs=1e-3)


@pytest.mark.parametrize("zoom", [0.1, 0.3, 0.7, 2.0])
def test_cut_keeps_a_ramp_in_place_at_any_zoom(zoom):
    height, width = 480, 640
    grey = np.tile(np.linspace(0, 255, width), (height, 1)).astype(np.uint8)
    side = 40
    matrix = np.array([[zoom, 0, -200 * zoom], [0, zoom, -40 * zoom]])
    columns = np.arange(side) / zoom + 200
    inside = columns < width - 1
    expected = columns[inside] / (width - 1)
    assert framing.cut(grey, matrix, side)[side // 2, inside] == pytest.approx(expected, abs=0.01)


def test_cut_repeats_the_border():
    grey = np.full((20, 20), 100, np.uint8)
    assert framing.cut(grey, np.array([[1.0, 0, 30], [0, 1.0, 30]]), 48) == pytest.approx(100 / 255, abs=1e-6)
