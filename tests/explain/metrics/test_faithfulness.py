"""Deletion and insertion against a model whose curves are known by hand, and fair random maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.metrics import faithfulness

HEIGHT, WIDTH = 48, 48
FACE, NOTHING = np.ones((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
LEFT = np.tile(np.arange(WIDTH) < WIDTH // 2, (HEIGHT, 1)).astype(np.float64)


def left_half(crops):
    """A model that is linear in the pixels: the mean of the left half."""
    return crops[:, :, : WIDTH // 2].mean((1, 2))


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
    """Hidden from the left half on, the score falls to 0 at a half: areas 1/4 and 3/4."""
    (found,) = faithfulness.curves(left_half, FACE, LEFT, {"black": NOTHING})
    np.testing.assert_allclose(found.shares, np.arange(7) / 6)
    np.testing.assert_allclose(found.deletion, [1, 2 / 3, 1 / 3, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found.insertion, [0, 1 / 3, 2 / 3, 1, 1, 1, 1], atol=1e-6)
    assert (found.deletion_auc, found.insertion_auc) == pytest.approx((0.25, 0.75))
    assert found.relevance_gain == pytest.approx(0.5)
    # a round blob takes as much from the left as from the right: straight lines
    np.testing.assert_allclose(found.blob_deletion_curve, 1 - found.shares, atol=0.02)
    assert (found.blob_deletion, found.blob_insertion) == pytest.approx((0.5, 0.5), abs=0.01)
    assert faithfulness.share_beaten(found.relevance_gain, found.random_relevance_gain) == 1


def test_the_opposite_map_is_as_wrong_as_the_true_one_is_right():
    (found,) = faithfulness.curves(left_half, FACE, -LEFT, {"black": NOTHING})
    assert (found.deletion_auc, found.insertion_auc) == pytest.approx((0.75, 0.25))
    assert faithfulness.share_beaten(found.relevance_gain, found.random_relevance_gain) == 0


@pytest.mark.parametrize(("steps", "shares"), [(2, [0, 0.5, 1]), (5, [0, 0.2, 0.4, 0.6, 0.8, 1])])
def test_other_steps(steps, shares):
    (found,) = faithfulness.curves(left_half, FACE, LEFT, {"black": NOTHING}, steps=steps, pairs=2)
    np.testing.assert_allclose(found.shares, shares, atol=1e-3)
    assert len(found.random_deletion) == 4


def test_every_fill_has_its_curves_and_all_pictures_go_in_one_call():
    calls = []

    def counted(crops):
        calls.append(crops.copy())
        return left_half(crops)

    baselines = {"black": NOTHING, "grey": NOTHING + 0.5}
    black, grey = faithfulness.curves(counted, FACE, LEFT, baselines)
    maps, inner = 2 + faithfulness.PAIRS, faithfulness.STEPS - 1
    assert [call.shape for call in calls] == [(1 + 2 * (1 + 2 * maps * inner), HEIGHT, WIDTH)]
    assert calls[0].dtype == np.float32
    assert (black.fill, grey.fill) == ("black", "grey")
    np.testing.assert_allclose(grey.deletion, 0.5 + black.deletion / 2, atol=1e-6)
    np.testing.assert_allclose(grey.random_relevance_gain, black.random_relevance_gain / 2, atol=1e-6)


def test_the_negative_of_a_random_map_is_measured_with_it():
    """What the second half of the random areas claims, computed for the negated maps themselves."""

    def bent(crops):
        return (crops * np.linspace(0, 1, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)).mean((1, 2)) ** 2

    values = smooth_noise(3, 0)
    (found,) = faithfulness.curves(bent, FACE, values, {"black": NOTHING}, seed=5, pairs=3)
    for i, one in enumerate(faithfulness.random_maps(values, 3, 5)):
        for sign, place in ((1, i), (-1, 3 + i)):
            (again,) = faithfulness.curves(bent, FACE, sign * one, {"black": NOTHING}, pairs=1)
            assert found.random_deletion[place] == pytest.approx(again.deletion_auc, abs=1e-9)
            assert found.random_insertion[place] == pytest.approx(again.insertion_auc, abs=1e-9)
    np.testing.assert_allclose(np.sort(found.random_relevance_gain), np.sort(-found.random_relevance_gain), atol=1e-12)


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

    (found,) = faithfulness.curves(left_half, FACE, LEFT, {"black": NOTHING}, pairs=2)
    read = json.loads(json.dumps(found.to_json()))
    assert set(read) == set(vars(found)) and read["deletion"] == found.deletion.tolist()
