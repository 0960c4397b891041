"""RISE by hand, its masks, and on scores whose map is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from explain.base import Target
from explain.methods import background, rise

Params = rise.Params


def scored(score):
    """A stand-in for a model: a score of crops is its first logit, the others are zero."""

    def logits(crops):
        first = np.asarray(score(crops.astype(np.float64)))
        return np.stack([first, *[np.zeros_like(first)] * 6], 1)

    return SimpleNamespace(logits=logits)


def test_the_formula_by_hand():
    """Scores 5 and 1 lie 2 above and below their mean; a pixel seen in both alike is worth nothing."""
    masks = np.array([[[1, 0, 1, 1.0]], [[0, 1, 1, 0.5]]])
    np.testing.assert_allclose(rise.weigh(masks, np.array([5.0, 1.0])), [[2, -2, 0, (2 - 1) / 1.5]], rtol=1e-6)


def test_with_binary_masks_it_is_the_mean_where_seen_less_the_mean():
    rng = np.random.default_rng(0)
    masks, scores = (rng.random((300, 4, 4)) < 0.5).astype(float), rng.normal(size=300)
    expected = [[scores[masks[:, i, j] == 1].mean() - scores.mean() for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(rise.weigh(masks, scores), expected, atol=1e-6)


def test_masks_show_half_of_every_place():
    """Bilinear between cells of 0 and 1 that are drawn independently: mean 1/2, correlated only within two cells."""
    masks = rise.random_masks(3000, 6, 48, 0)
    assert masks.shape == (3000, 48, 48) and masks.dtype == np.float32
    assert masks.min() == 0 and masks.max() == 1
    assert np.abs(masks.mean(0) - 0.5).max() < 5 * 0.5 / np.sqrt(3000)
    flat = masks.reshape(3000, -1)
    near, far = (np.corrcoef(flat[:, 24 * 48 + 8], flat[:, 24 * 48 + column])[0, 1] for column in (10, 30))
    assert near > 0.7 and abs(far) < 0.1
    np.testing.assert_array_equal(rise.random_masks(3, 6, 48, 0), masks[:3])
    assert np.abs(rise.random_masks(3, 6, 48, 1) - masks[:3]).max() > 0.5


@pytest.mark.parametrize("cells", [4, 5, 7, 12])
def test_masks_of_any_number_of_cells_cover_the_crop(cells):
    masks = rise.random_masks(20, cells, 48, 3)
    assert masks.shape == (20, 48, 48) and (masks.sum(0) > 0).all()
    edges = (np.abs(np.diff(masks, axis=2)) > 0).mean()
    assert edges > 0.05, "cells lie on the crop"


def test_a_score_that_is_the_mean_of_one_region():
    """A small region, d brighter than what hides it, is worth d times the masks' variance over their mean.

    Masks are bilinear between cells of variance 1/4, which averages to 1/4 (2/3)2 = 1/9 over all places: 2 d / 9.
    """
    region = np.zeros((48, 48), bool)
    region[20:24, 20:24] = True
    bright = background.mean_face() + np.float32(0.25)
    values = rise.run(scored(lambda crops: crops[:, region].mean(1)), bright, Target(0), Params(masks=2048, cells=4))
    assert values[region].mean() == pytest.approx(2 * 0.25 / 9, rel=0.05)
    away = np.hypot(*(np.mgrid[:48, :48] - 22.0)) > 26
    assert np.abs(values[away]).max() < 0.02 and values[region].mean() > 0.95 * values.max()


def test_more_masks_are_less_noisy():
    model = scored(lambda crops: crops[:, 10:20, 10:20].mean((1, 2)))
    bright = background.mean_face() + np.float32(0.2)

    def apart(masks):
        one, other = (rise.run(model, bright, Target(0), Params(masks=masks, seed=seed)) for seed in (1, 2))
        return np.abs(one - other).mean()

    assert apart(2048) < 0.6 * apart(128)  # a quarter by theory


def test_every_mask_is_asked_for_once():
    calls = []

    def logits(crops):
        calls.append(len(crops))
        return np.zeros((len(crops), 7), np.float32)

    rise.run(SimpleNamespace(logits=logits), background.mean_face(), Target(0), Params(masks=256))
    assert calls == [256]
