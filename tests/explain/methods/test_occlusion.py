"""Occlusion by hand, on a score that looks at one region, and at the borders."""

from types import SimpleNamespace

import numpy as np
import pytest

from explain.base import Target
from explain.methods import background, masking, occlusion

Params = occlusion.Params


def sees(region: np.ndarray):
    """A stand-in for a model: the first logit is the mean grey of a region, the others are zero."""

    def logits(crops):
        grey = crops[:, region].astype(np.float64).mean(1)
        return np.stack([grey, *[np.zeros_like(grey)] * 6], 1)

    return SimpleNamespace(logits=logits)


def test_corners_by_hand():
    starts = lambda *given: sorted({row for row, _ in occlusion.corners(*given).tolist()})  # noqa: E731
    assert starts(48, 12, 4) == list(range(0, 37, 4))
    assert starts(48, 10, 4) == [*range(0, 37, 4), 38]  # the last one flush with the border
    assert starts(8, 8, 2) == [0]
    assert occlusion.corners(6, 4, 2).tolist() == [[0, 0], [0, 2], [2, 0], [2, 2]]


@pytest.mark.parametrize("patch", [6, 7, 12, 24])
@pytest.mark.parametrize("step", [2, 3, 5, 6])
def test_patches_are_whole_and_cover_the_crop(patch, step):
    hidden = occlusion.covered(occlusion.corners(48, patch, step), patch, 48)
    assert hidden.any(0).all()
    np.testing.assert_array_equal(hidden.sum((1, 2)), patch**2)


def test_the_formula_by_hand():
    """Four patches of two pixels' side on a crop of three: a corner has one, an edge two, the middle all."""
    hidden = occlusion.covered(occlusion.corners(3, 2, 1), 2, 3)
    expected = [[1, 1.5, 2], [2, 2.5, 3], [3, 3.5, 4]]
    np.testing.assert_allclose(occlusion.average(np.array([1, 2, 3, 4]), hidden), expected)


def test_a_score_that_is_the_mean_of_one_region(crop):
    """Hiding n of a region's N pixels, each d brighter than what hides it, costs n d / N."""
    region = np.zeros((48, 48), bool)
    region[30:42, 16:32] = True
    bright = background.mean_face() + np.float32(0.25)
    values = occlusion.run(sees(region), bright, Target(0), Params(patch=6, step=3))
    assert values[33:39, 21:27] == pytest.approx(0.25 * 36 / region.sum(), rel=1e-5)  # patches lie inside
    assert np.abs(values[:24]).max() < 1e-9 and np.abs(values[:, :10]).max() < 1e-9  # no patch reaches it
    at_corner = occlusion.run(sees(region), bright, Target(0), Params(patch=6, step=6))[30, 12:18]
    assert at_corner == pytest.approx(0.25 * 6 * 2 / region.sum(), rel=1e-5)  # rows 30-35, columns 16 and 17


@pytest.mark.parametrize("baseline", ["mean face", "blur", "grey"])
def test_a_linear_score_against_each_patch_alone(crop, baseline):
    """With a score w x, the drop at a patch is the sum of w (x - fill) over it."""
    weights = np.random.default_rng(2).normal(size=(48, 48))
    model = SimpleNamespace(
        logits=lambda crops: np.stack([(crops * weights).sum((1, 2)), *[np.zeros(len(crops))] * 6], 1)
    )
    params = Params(patch=16, step=5, baseline=baseline)
    change = weights * (crop - masking.baseline_picture(crop, baseline))
    total, count = np.zeros((48, 48)), np.zeros((48, 48))
    for top in (0, 5, 10, 15, 20, 25, 30, 32):
        for left in (0, 5, 10, 15, 20, 25, 30, 32):
            place = np.s_[top : top + 16, left : left + 16]
            total[place] += change[place].sum()
            count[place] += 1
    np.testing.assert_allclose(occlusion.run(model, crop, Target(0), params), total / count, atol=1e-4)


def test_all_positions_go_in_one_call(crop):
    calls = []

    def logits(crops):
        calls.append(crops.shape)
        return np.zeros((len(crops), 7), np.float32)

    occlusion.run(SimpleNamespace(logits=logits), crop, Target(0), Params())
    assert calls == [(101, 48, 48)]  # the face, and ten positions each way


@pytest.mark.parametrize("baseline", ["blur", "grey"])
def test_a_picture_of_one_grey_equals_its_own_blur_and_mean(cnn, baseline):
    plain = np.full((48, 48), 0.5, np.float32)
    values = occlusion.run(cnn, plain, Target(0), Params(step=6, baseline=baseline))
    assert np.abs(values).max() < 1e-3
