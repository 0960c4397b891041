"""Overlays and charts."""

import numpy as np
import pytest

from explain import figures, scale
from explain.base import Target
from explain.evidence import RegionEvidence
from explain.scale import Scale
from models.types import EMOTIONS, Prediction

SHARED = Scale(1.0, True)


def item(region: str, supporting: float, opposing: float) -> RegionEvidence:
    return RegionEvidence(region, region.title(), 10, supporting, opposing, 0.0, 0.0, 1.0)


def test_a_flat_map_shows_the_face_alone(crop):
    plain = figures.overlay(crop, np.zeros((48, 48), np.float32), SHARED)
    assert plain.shape == (384, 384, 3) and plain.dtype == np.uint8
    np.testing.assert_array_equal(plain, figures.overlay(crop, np.full((48, 48), 0.7, np.float32), SHARED))
    assert (plain[..., 0] == plain[..., 1]).all() and (plain[..., 1] == plain[..., 2]).all()
    centres = plain[4::8, 4::8, 0] / 255  # enlarged eight times, the middle of each pixel
    assert np.abs(centres - crop).max() < 0.06


def test_red_speaks_for_and_blue_against(crop):
    values = np.zeros((48, 48), np.float32)
    values[10, 10], values[40, 40] = 1, -1
    picture = figures.overlay(crop, values, SHARED, opacity=1).astype(int)
    red, _, blue = picture[84, 84]
    assert red > blue + 50
    red, _, blue = picture[324, 324]
    assert blue > red + 50
    np.testing.assert_array_equal(
        figures.overlay(crop, values, SHARED, opacity=0), figures.overlay(crop, 0 * values, SHARED)
    )


def test_opacity_moves_evenly_between_face_and_colour(crop):
    values = np.linspace(-1, 1, 2304, dtype=np.float32).reshape(48, 48)
    none, half, full = (figures.overlay(crop, values, SHARED, opacity).astype(int) for opacity in (0, 0.5, 1))
    assert np.abs(none + full - 2 * half).max() <= 2
    assert np.abs(full - none).max() > 60


def test_the_same_value_has_the_same_colour_in_maps_side_by_side(crop):
    weak = np.zeros((48, 48), np.float32)
    weak[:, :24] = 0.2
    strong = weak.copy()
    strong[:, 30:] = 1.0
    left, right = (figures.heat(values, SHARED) for values in (weak, strong))
    np.testing.assert_array_equal(left[:, :180], right[:, :180])


def test_the_colour_bar_runs_through_white_where_signed():
    bar = figures.colour_bar(True, width=257)
    assert bar.shape == (16, 257, 3)
    np.testing.assert_array_equal(
        bar[0, [0, 128, 256]], [figures.DIVERGING[0], figures.DIVERGING[2], figures.DIVERGING[4]]
    )
    np.testing.assert_array_equal(figures.colour_bar(False, width=129)[0], bar[0, 128:])
    low, high = figures.colour_bar_words(Scale(0.031, True), Target(3, 0))
    assert "against happy rather than angry (-0.031" in low and "for happy rather than angry (0.031" in high
    assert figures.colour_bar_words(Scale(0.5, False), Target(0))[0] == "0"
    assert "no evidence" in figures.colour_bar_words(Scale(0.0, False), Target(0))[1]


def test_probabilities_of_all_models_stand_in_one_chart():
    rows = np.eye(7, dtype=np.float32)[[0, 3]]
    figure = figures.probability_chart([Prediction("cnn", rows[0], rows[0]), Prediction("vgg16", rows[1], rows[1])])
    assert [trace.name for trace in figure.data] == ["cnn", "vgg16"]
    assert all(tuple(trace.x) == EMOTIONS for trace in figure.data)
    assert list(figure.data[1].y) == [0, 0, 0, 100, 0, 0, 0]
    assert figure.layout.height and figure.layout.barmode == "group"
    assert len({trace.marker.color for trace in figure.data}) == 2


@pytest.mark.parametrize("signed", [True, False])
def test_region_bars_are_shares_of_all_evidence(signed):
    evidence = [item("mouth", 3.0, -1.0 if signed else 0.0), item("nose", 1.0, 0.0)]
    figure = figures.region_bars(evidence, Target(3), signed)
    whole = 5 if signed else 4
    assert list(figure.data[0].x) == pytest.approx([300 / whole, 100 / whole])
    assert len(figure.data) == (2 if signed else 1)
    if signed:
        assert list(figure.data[1].x) == [-20, 0]
    assert list(figure.data[0].y) == ["Mouth", "Nose"]
    assert figure.layout.height


def test_regions_of_several_models_and_a_flat_one():
    figure = figures.region_comparison({"cnn": [item("mouth", 3.0, -1.0)], "resnet": [item("mouth", 0.0, 0.0)]})
    assert [list(trace.x) for trace in figure.data] == [[50], [0]]


def test_no_step_normalises_twice():
    values = np.array([[0.0, 5.0], [-10.0, 2.0]], np.float32)
    once = scale.normalise(values, Scale(10.0, True))
    np.testing.assert_allclose(once, values / 10)
