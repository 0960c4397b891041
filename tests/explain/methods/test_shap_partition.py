"""Owen values against the definition and shap's documented call, and what they must sum to."""

from itertools import product

import numpy as np
import pytest

from explain.base import Target
from explain.methods import shap_package, shap_partition
from tests.explain.conftest import gained

Params = shap_partition.Params
EVERYTHING = 10**6


def orders(rows: range, columns: range) -> list[list[tuple[int, int]]]:
    """All orders of a block's pixels in which the halves of every cut stay together; the first half is the larger."""
    if len(rows) * len(columns) == 1:
        return [[(rows[0], columns[0])]]
    if len(rows) >= len(columns):
        middle = (len(rows) + 1) // 2
        halves = [orders(part, columns) for part in (rows[:middle], rows[middle:])]
    else:
        middle = (len(columns) + 1) // 2
        halves = [orders(rows, part) for part in (columns[:middle], columns[middle:])]
    return [a + b for one, other in (halves, halves[::-1]) for a, b in product(one, other)]


def by_definition(score, crop, hidden) -> np.ndarray:
    """The mean contribution of each pixel over those orders."""
    found = orders(range(crop.shape[0]), range(crop.shape[1]))
    values = np.zeros(crop.shape)
    for order in found:
        shown = np.stack([hidden] * (len(order) + 1))
        for step, place in enumerate(order):
            shown[step + 1 :, *place] = crop[place]
        values[tuple(np.transpose(order))] += np.diff(score(shown))
    return values / len(found)


def uneven(shape):
    """A score in which every pixel depends on the others, with a face and what hides it."""
    rng = np.random.default_rng(4)
    first, second, crop, hidden = rng.normal(size=(4, *shape))
    crop, hidden = crop.astype(np.float32), hidden.astype(np.float32)

    def score(crops):
        return np.tanh((crops * first).sum((1, 2))) + (crops * second).sum((1, 2)) ** 2

    return score, crop, hidden


def test_the_orders_by_hand():
    """Two rows and two columns: the rows stay together, 2 x 2 x 2 orders of the 24."""
    found = orders(range(2), range(2))
    assert len(found) == len(set(map(tuple, found))) == 8
    assert all(a[0] == b[0] for a, b, _, _ in found)


@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (3, 3)])
def test_a_small_crop_against_the_definition(shape):
    score, crop, hidden = uneven(shape)
    values = shap_partition.owen(score, crop, hidden, EVERYTHING)
    np.testing.assert_allclose(values, by_definition(score, crop, hidden), atol=1e-5)


def test_it_equals_shaps_documented_call():
    """Cut down to the last pixel, where the size of a batch decides nothing."""
    shap = shap_package.load()
    score, crop, hidden = uneven((6, 6))
    with shap_package.interpreted():
        masker = shap.maskers.Image(hidden[..., None])
    documented = shap.Explainer(lambda crops: score(crops[..., 0]), masker)
    reference = documented(crop[None, ..., None], max_evals=EVERYTHING, batch_size=50, silent=True).values
    values = shap_partition.owen(score, crop, hidden, EVERYTHING)
    np.testing.assert_allclose(values, reference[0, ..., 0], atol=1e-6)


def test_a_linear_score_by_hand():
    """With weights w a pixel is worth w (x - h), whatever the order."""
    weights, crop, hidden = np.random.default_rng(1).normal(size=(3, 8, 8)).astype(np.float32)
    values = shap_partition.owen(lambda crops: (crops * weights).sum((1, 2)), crop, hidden, EVERYTHING)
    np.testing.assert_allclose(values, weights * (crop - hidden), atol=1e-4)


def test_no_more_evaluations_than_asked_and_in_batches():
    score, crop, hidden = uneven((48, 48))
    calls = []

    def counted(crops):
        calls.append(len(crops))
        return score(crops)

    for evaluations in (128, 320, 1024):
        calls.clear()
        shap_partition.owen(counted, crop, hidden, evaluations)
        assert sum(calls) == evaluations and max(calls) == shap_partition.BATCH


def test_more_evaluations_cut_finer():
    score, crop, hidden = uneven((48, 48))
    few, many = (len(np.unique(shap_partition.owen(score, crop, hidden, number))) for number in (128, 1024))
    assert many > 2 * few


def test_the_values_sum_to_the_distance_from_the_baseline_on_every_model(model, crop):
    assert_complete(model, crop, "mean face", Target(0))


@pytest.mark.parametrize(("baseline", "target"), [("blur", Target(3, 0)), ("grey", Target(6))])
def test_the_values_sum_to_the_distance_from_every_baseline(cnn, crop, baseline, target):
    assert_complete(cnn, crop, baseline, target)


def assert_complete(model, crop, baseline, target) -> None:
    values = shap_partition.run(model, crop, target, Params(evaluations=128, baseline=baseline))
    assert values.sum(dtype=np.float64) == pytest.approx(gained(model, crop, baseline, target), abs=1e-4)


def test_pieces_of_equal_weight_are_cut_in_the_same_order_every_time(crop):
    """A score of all pixels alike leaves the order to numpy's generator, whose state is put back."""
    hidden = np.zeros_like(crop)

    def alike(crops):
        return (crops > 0).sum((1, 2)) / 100.0

    bright = np.ones_like(crop)
    maps = []
    for seed in (1, 2):
        np.random.seed(seed)
        expected = np.random.RandomState(seed).random(3)
        maps.append(shap_partition.owen(lambda crops: alike(crops) ** 2, bright, hidden, 128))
        np.testing.assert_array_equal(np.random.random(3), expected)
    np.testing.assert_array_equal(*maps)


@pytest.mark.parametrize("baseline", ["blur", "grey"])
def test_a_picture_of_one_grey_equals_its_own_blur_and_mean(cnn, baseline):
    plain = np.full((48, 48), 0.5, np.float32)
    values = shap_partition.run(cnn, plain, Target(0), Params(evaluations=128, baseline=baseline))
    assert np.abs(values).max() < 1e-6
