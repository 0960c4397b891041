"""Overlays and charts."""

import numpy as np
import pytest

from explain import figures, scale
from explain.base import Explanation, Parameters, Target
from explain.evidence import RegionEvidence
from explain.metrics.faithfulness import Curves
from explain.scale import Scale
from explain.trust import TrustResult
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


def made(method="gradcam", signed=True, against=None) -> Explanation:
    return Explanation(method, "cnn", Target(3, against), np.eye(48, dtype=np.float32), signed, Parameters(), 0.0)


def test_the_ends_of_the_colour_bar_in_plain_words():
    both, one = Scale(0.031, True), Scale(0.031, False)
    assert figures.colour_bar_labels(both, made()) == ("speaks against happy", "speaks for happy")
    assert figures.colour_bar_labels(one, made(signed=False)) == ("counts nothing", "speaks for happy")
    rather = figures.colour_bar_labels(both, made(against=0))
    assert rather == ("speaks for angry rather than happy", "speaks for happy rather than angry")
    assert figures.colour_bar_labels(one, made("saliency", False)) == ("counts nothing", "matters for happy")
    assert "no evidence" in figures.colour_bar_labels(Scale(0.0, False), made())[1]
    assert "0.031 a pixel" in figures.full_colour(one)
    assert "flat" in figures.full_colour(Scale(0.0, False))


def test_disagreement_is_purple_and_has_no_sides(crop):
    values = np.zeros((48, 48), np.float32)
    values[10, 10] = 1
    red, green, blue, cover = figures.heat(values, Scale(1.0, False), 48, figures.DISAGREEMENT)[10, 10]
    assert (red, green, blue) == figures.DISAGREEMENT[-1] and cover == 255
    assert figures.DISAGREEMENT == figures.DISAGREEMENT[::-1]


def curves(fill: str, score: str = "probability", others: bool = True) -> Curves:
    shares, falling = np.linspace(0, 1, 5), np.linspace(0.9, 0.1, 5)
    line = np.full(5, 0.5)
    controls = [line, line, line + 0.1, line - 0.1, *[line if others else line * np.nan] * 4]
    return Curves(fill, score, shares, falling**2, falling[::-1], *controls, 0.2, np.zeros(18), 0.1, 0.1, np.zeros(19))


def reading(*curves: Curves) -> TrustResult:
    return TrustResult("high", "high", "s", None, curves, 0.9, {}, {}, 0.1)


def test_trust_curves_stand_beside_their_controls_for_every_fill():
    figure = figures.trust_curves(reading(curves("blur", "log-odds"), curves("blur"), curves("surroundings")))
    names = ["this map", "random maps", "the middle", "other faces' average", "other faces"]
    assert len(figure.data) == 2 * 2 * 5
    assert [trace.name for trace in figure.data if trace.showlegend] == names
    ours = [trace for trace in figure.data if trace.name == "this map"]
    assert list(ours[0].x) == [0, 25, 50, 75, 100]
    assert list(ours[0].y) == pytest.approx([81, 49, 25, 9, 1]) and list(ours[1].y) == pytest.approx(
        [10, 30, 50, 70, 90]
    )
    assert len({trace.xaxis for trace in ours}) == 4
    assert len({trace.line.dash for trace in figure.data}) == 5, "told apart without colour"


def test_without_other_faces_there_is_no_curve_of_them():
    figure = figures.trust_curves(reading(curves("blur", others=False)))
    assert {trace.name for trace in figure.data} == {"this map", "random maps", "the middle"}


def test_probabilities_of_all_models_stand_in_one_chart():
    rows = np.eye(7, dtype=np.float32)[[0, 3]]
    figure = figures.probability_chart([Prediction("cnn", rows[0], rows[0]), Prediction("vgg16", rows[1], rows[1])])
    assert [trace.name for trace in figure.data] == ["cnn", "vgg16"]
    assert all(tuple(trace.x) == EMOTIONS for trace in figure.data)
    assert list(figure.data[1].y) == [0, 0, 0, 100, 0, 0, 0]
    assert figure.layout.height and figure.layout.barmode == "group"
    assert len({trace.marker.color for trace in figure.data}) == 2


def test_regions_of_several_models_and_a_flat_one():
    figure = figures.region_comparison(
        {"cnn": [item("mouth", 3.0, -1.0)], "resnet": [item("mouth", 0.0, 0.0)]}, "Grad-CAM"
    )
    assert [list(trace.x) for trace in figure.data] == [[50], [0]]
    assert "Grad-CAM" in figure.layout.title.text


def test_no_step_normalises_twice():
    values = np.array([[0.0, 5.0], [-10.0, 2.0]], np.float32)
    once = scale.normalise(values, Scale(10.0, True))
    np.testing.assert_allclose(once, values / 10)
