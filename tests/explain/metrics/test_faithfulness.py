"""Deletion and insertion against a model whose curves are known by hand, and fair random maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.metrics import faithfulness
from explain.metrics.faithfulness import OtherFaces

HEIGHT, WIDTH = 48, 48
FACE = np.ones((HEIGHT, WIDTH), np.float32)
LEFT = np.tile(np.arange(WIDTH) < WIDTH // 2, (HEIGHT, 1)).astype(np.float64)


def left_half(crops):
    """A model that is linear in the pixels: the mean of the left half, and ten times as much as the other score."""
    return np.outer([10, 1], crops[:, :, : WIDTH // 2].mean((1, 2), dtype=np.float64))


def black(hidden):
    return np.where(hidden, 0, FACE)


def measured(score, values, **options):
    """The curves of the second score with one fill, which shows black."""
    return faithfulness.curves(score, FACE, values, {"black": black}, **options)[1]


def smooth_noise(sigma: float, seed: int) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH)), (0, 0), sigma)


def test_the_order_by_hand():
    values = np.array([[0.0, -1.0, 7.0], [3.0, 0.5, -4.0]])
    np.testing.assert_array_equal(faithfulness.order(values), [[3, 4, 0], [1, 2, 5]])


def test_equal_values_are_taken_nearest_to_the_marked_ones_first():
    values = np.zeros((20, 20), np.float32)
    values[3:6, 3:6] = 1
    places = faithfulness.order(values)
    assert set(places[3:6, 3:6].ravel()) == set(range(9))
    assert places[8, 8] < places[12, 12] < places[18, 18]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_every_pixel_has_one_place(seed):
    values = np.random.default_rng(seed).integers(-2, 3, (9, 7)).astype(np.float32)
    places = faithfulness.order(values)
    assert sorted(places.ravel()) == list(range(63))
    assert (np.diff(values.ravel()[np.argsort(places.ravel())]) <= 0).all()


def test_a_true_map_of_a_linear_model_by_hand():
    """Hidden from the left half on, the score falls by 2 a share until a half: areas 1/4 and 3/4.

    The curve has no point at a half: between a third and two thirds it is a straight line from 1/3 to 0.
    """
    found = measured(left_half, LEFT)
    shares = [0, 1 / 24, 1 / 8, 1 / 3, 2 / 3, 7 / 8, 23 / 24, 1]
    np.testing.assert_allclose(found.shares, shares)
    deletion = [1, 11 / 12, 3 / 4, 1 / 3, 0, 0, 0, 0]
    np.testing.assert_allclose(found.deletion, deletion, atol=1e-6)
    np.testing.assert_allclose(found.insertion, 1 - np.array(deletion), atol=1e-6)
    area = 1 / 3 * (1 + 1 / 3) / 2 + 1 / 3 * (1 / 3) / 2
    assert found.relevance_gain == pytest.approx(1 - 2 * area)
    # a round blob takes as much from the left as from the right: straight lines
    np.testing.assert_allclose(found.centre_prior_deletion, 1 - found.shares, atol=0.02)
    assert found.centre_prior_gain == pytest.approx(0, abs=0.01)
    assert faithfulness.share_beaten(found.relevance_gain, found.random_gains) == 1
    assert len(found.other_faces_gains) == 0 and np.isnan(found.other_faces_deletion).all()
    assert np.isnan(found.average_map_gain) and np.isnan(found.average_map_insertion).all()


def test_the_opposite_map_is_as_wrong_as_the_true_one_is_right():
    right, wrong = measured(left_half, LEFT), measured(left_half, -LEFT)
    assert wrong.relevance_gain == pytest.approx(-right.relevance_gain)
    assert faithfulness.share_beaten(wrong.relevance_gain, wrong.random_gains) == 0


@pytest.mark.parametrize(("shares", "found"), [((0.5,), [0, 0.5, 1]), ((0.25, 0.5, 0.75), [0, 0.25, 0.5, 0.75, 1])])
def test_other_steps(shares, found):
    curves = measured(left_half, LEFT, shares=shares, pairs=2)
    np.testing.assert_allclose(curves.shares, found, atol=1e-3)
    assert len(curves.random_gains) == 4
    assert curves.relevance_gain == pytest.approx(0.5)


def test_every_fill_and_score_has_its_curves_and_all_pictures_go_in_one_call():
    calls = []

    def counted(crops):
        calls.append(crops.copy())
        return left_half(crops)

    fills = {"black": black, "grey": lambda hidden: np.where(hidden, 0.5, FACE)}
    others = np.random.default_rng(0).normal(size=(3, HEIGHT, WIDTH))
    found = faithfulness.curves(counted, FACE, LEFT, fills, OtherFaces(others, others.mean(0)))
    maps, inner = 3 + faithfulness.PAIRS + 3, len(faithfulness.SHARES)
    assert [call.shape for call in calls] == [(1 + 2 * (1 + 2 * maps * inner), HEIGHT, WIDTH)]
    assert calls[0].dtype == np.float32
    assert [(one.score, one.fill) for one in found] == [
        (score, fill) for score in faithfulness.SCORES for fill in ("black", "grey")
    ]
    ten, _, dark, grey = found
    np.testing.assert_allclose(grey.deletion, 0.5 + dark.deletion / 2, atol=1e-6)
    for name in ("random_gains", "other_faces_gains", "relevance_gain", "centre_prior_gain", "average_map_gain"):
        np.testing.assert_allclose(getattr(grey, name), getattr(dark, name) / 2, atol=1e-6)
        np.testing.assert_allclose(getattr(ten, name), getattr(dark, name) * 10, atol=1e-6)


def test_other_faces_maps_are_measured_as_the_map_itself_is():
    others = np.stack([LEFT, -LEFT, smooth_noise(3, 1)])
    found = measured(left_half, LEFT, other_faces=OtherFaces(others, smooth_noise(3, 2)))
    alone = [measured(left_half, one) for one in others]
    np.testing.assert_allclose(found.other_faces_gains, [one.relevance_gain for one in alone], atol=1e-9)
    np.testing.assert_allclose(found.other_faces_deletion, np.mean([one.deletion for one in alone], 0), atol=1e-9)
    np.testing.assert_allclose(found.other_faces_insertion, np.mean([one.insertion for one in alone], 0), atol=1e-9)
    average = measured(left_half, smooth_noise(3, 2))
    assert found.average_map_gain == pytest.approx(average.relevance_gain, abs=1e-9)
    np.testing.assert_allclose(found.average_map_deletion, average.deletion, atol=1e-9)
    np.testing.assert_allclose(found.average_map_insertion, average.insertion, atol=1e-9)


def test_the_negative_of_a_random_map_is_measured_with_it():
    """What the second half of the random gains claims, computed for the negated maps themselves."""

    def bent(crops):
        return np.tile((crops * np.linspace(0, 1, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)).mean((1, 2)) ** 2, (2, 1))

    values = smooth_noise(3, 0)
    found = measured(bent, values, seed=5, pairs=3)
    for i, one in enumerate(faithfulness.random_maps(values, 3, 5)):
        for sign, place in ((1, i), (-1, 3 + i)):
            again = measured(bent, sign * one, pairs=1)
            assert found.random_gains[place] == pytest.approx(again.relevance_gain, abs=1e-9)
    np.testing.assert_allclose(found.random_gains[:3], -found.random_gains[3:], atol=1e-12)


def test_the_z_score_by_hand():
    """Mean 2, deviations -1, 0, 1: standard deviation 1."""
    assert faithfulness.z_score(3.5, np.array([1.0, 2.0, 3.0])) == pytest.approx(1.5)
    assert np.isnan(faithfulness.z_score(1.0, np.array([1.0]))) and np.isnan(faithfulness.z_score(1.0, np.ones(4)))
    assert np.isnan(faithfulness.share_beaten(1.0, np.empty(0)))
    assert faithfulness.share_beaten(1.0, np.array([0.0, 1.0, 2.0, 0.5])) == 0.5  # equal is not beaten


def test_random_maps_follow_the_seed():
    values = smooth_noise(3, 1)
    np.testing.assert_array_equal(*[faithfulness.random_maps(values, 2, 4) for _ in range(2)])
    first, second = faithfulness.random_maps(values, 2, 4)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.9
    assert not np.array_equal(first, faithfulness.random_maps(values, 1, 5)[0])


@pytest.mark.parametrize("sigma", [1, 2, 4])
def test_random_maps_are_as_smooth_as_the_map(sigma):
    """Squared slope over variance; for noise blurred by sigma it is 1 / (2 sigma^2) along one axis."""

    def roughness(values):
        return np.mean(np.diff(values, axis=1) ** 2) / values.var()

    blurred = [smooth_noise(sigma, seed) for seed in range(8)]
    rough = np.mean([roughness(values) for values in blurred])
    assert rough == pytest.approx(1 / (2 * sigma**2), rel=0.3)
    chance = np.concatenate([faithfulness.random_maps(values, 8, 0) for values in blurred])
    assert np.mean([roughness(values) for values in chance]) == pytest.approx(rough, rel=0.25)


def test_the_json_is_plain():
    import json

    found = measured(left_half, LEFT, pairs=2)
    read = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(read) == set(vars(found)) and read["deletion"] == found.deletion.tolist()
    assert read["other_faces_deletion"] == read["average_map_deletion"] == [None] * len(found.shares)
    assert read["average_map_gain"] is None
