"""Exact Shapley values against the definition, and what they must sum to."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from explain.base import Target
from explain.methods import background, masking, shap_regions
from tests.explain.conftest import gained

Params = shap_regions.Params


def by_definition(score, players: int) -> list[float]:
    """Shapley 1953: the mean marginal contribution over all orders."""

    coalitions = (np.arange(2**players)[:, None] >> np.arange(players)) % 2 == 1
    scores = score(coalitions)

    def value(members):
        return float(scores[sum(1 << member for member in members)])

    result = []
    for player in range(players):
        others = [other for other in range(players) if other != player]
        total = 0.0
        for size in range(players):
            weight = factorial(size) * factorial(players - size - 1) / factorial(players)
            total += sum(weight * (value([*c, player]) - value(list(c))) for c in combinations(others, size))
        result.append(total)
    return result


def test_the_glove_game_by_hand():
    """One left and two right gloves, a pair is worth 1: 2/3, 1/6, 1/6."""

    def pairs(shown):
        return np.minimum(shown[:, 0], shown[:, 1:].any(1)).astype(float)

    np.testing.assert_allclose(shap_regions.shapley(pairs, 3), [2 / 3, 1 / 6, 1 / 6], atol=1e-12)


@pytest.mark.parametrize("players", [1, 2, 5, 8])
def test_any_game_against_the_definition(players):
    table = np.random.default_rng(players).normal(size=2**players)
    calls = []

    def score(shown):
        calls.append(len(shown))
        return table[shown @ (1 << np.arange(players))]

    values = shap_regions.shapley(score, players)
    assert calls == [2**players]  # all coalitions in one batch
    np.testing.assert_allclose(values, by_definition(score, players), atol=1e-9)


def test_blends_hide_what_is_not_shown(crop, regions):
    hidden = np.full_like(crop, -1)
    shown = np.zeros((2, 8), bool)
    shown[0, 3] = True
    shown[1] = True
    first, second = masking.blends(crop, hidden, regions, shown)
    np.testing.assert_array_equal(first == -1, ~regions[3])
    np.testing.assert_array_equal(second, crop)


def test_the_values_sum_to_the_distance_from_the_baseline_on_every_model(model, crop, regions):
    assert_complete(model, crop, regions, "mean face", Target(0))


@pytest.mark.parametrize(("baseline", "target"), [("blur", Target(3, 0)), ("grey", Target(6))])
def test_the_values_sum_to_the_distance_from_every_baseline(cnn, crop, regions, baseline, target):
    assert_complete(cnn, crop, regions, baseline, target)


def assert_complete(model, crop, regions, baseline, target) -> None:
    values = shap_regions.run(model, crop, target, Params(baseline), regions)
    assert values.sum(dtype=np.float64) == pytest.approx(gained(model, crop, baseline, target), abs=1e-4)
    for region in regions:
        assert np.ptp(values[region]) == 0  # every pixel of a region carries the same


def test_a_region_that_the_network_ignores_has_no_value(regions):
    """A stand-in that sums the pixels' grey: values are each region's own sum of differences."""

    class Sums:
        def logits(self, crops):
            flat = crops.astype(np.float64).sum((1, 2))
            return np.stack([flat, *[np.zeros_like(flat)] * 6], 1)

    crop = np.random.default_rng(0).random((48, 48)).astype(np.float32)
    crop[regions[2]] = background.mean_face()[regions[2]]
    values = shap_regions.run(Sums(), crop, Target(0), Params(), regions).astype(np.float64)
    expected = [(crop - background.mean_face())[region].sum(dtype=np.float64) for region in regions]
    np.testing.assert_allclose([values[region].sum() for region in regions], expected, atol=1e-4)
    assert np.abs(values[regions[2]]).max() < 1e-9


def test_empty_regions_take_no_part(cnn, crop, regions):
    fewer = regions.copy()
    fewer[1] |= fewer[0]
    fewer[0] = False
    values = shap_regions.run(cnn, crop, Target(0), Params(), fewer)
    parts = fewer[1:]

    def score(shown):
        return cnn.logits(masking.blends(crop, background.mean_face(), parts, shown))[:, 0]

    expected = by_definition(score, 7)
    np.testing.assert_allclose([values[part].sum(dtype=float) for part in parts], expected, atol=1e-4)
