"""Agreement of maps: by hand, against scipy, and what holds for any map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import spearmanr

from explain import scale
from explain.base import Explanation, Parameters, Target
from explain.metrics import agreement
from models.errors import ParameterError

maps = arrays.arrays(np.float32, (6, 5), elements=st.floats(-4, 4, width=16))


def explanation(values) -> Explanation:
    return Explanation("gradcam", "cnn", Target(0), np.asarray(values, np.float32), True, Parameters(), 0.0)


def grid(*values):
    return np.array(values, float).reshape(2, -1)


def test_rank_correlation_by_hand():
    """Ranks 1 2 3 4 and 2 1 4 3: 1 - 6 * (1 + 1 + 1 + 1) / (4 * 15) = 0.6."""
    assert agreement.rank_correlation(grid(1, 2, 3, 40), grid(-5, -9, 7, 0)) == pytest.approx(0.6)
    assert agreement.rank_correlation(grid(1, 2, 3, 4), grid(8, 6, 4, 2)) == pytest.approx(-1)


@settings(deadline=None)
@given(maps, maps)
def test_rank_correlation_is_that_of_scipy(a, b):
    found = agreement.rank_correlation(a, b)
    if scale.is_flat(a) or scale.is_flat(b):
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic, abs=1e-9)


def test_overlap_by_hand():
    first = np.zeros((10, 10))
    first[:2] = np.arange(1, 21).reshape(2, 10)  # its highest 20 are rows 0 and 1
    second = np.zeros((10, 10))
    second[1:3] = 5
    assert agreement.overlap(first, second) == pytest.approx(10 / 20)
    assert agreement.overlap(first, second, share=0.1) == pytest.approx(5 / 10)  # half of the plateau's places
    assert agreement.overlap(first, np.roll(first, 5, 0)) == 0


def test_only_what_is_above_zero_overlaps():
    small, wide = np.zeros((10, 10)), np.zeros((10, 10))
    small[0, :5], wide[0], wide[1] = 1, 2, 1
    assert agreement.overlap(small, wide) == pytest.approx(5 / 20)
    against = -np.arange(100.0).reshape(10, 10) - 1
    assert np.isnan(agreement.overlap(against, wide))


def test_by_chance_maps_overlap_by_the_share():
    rng = np.random.default_rng(0)
    found = [agreement.overlap(*rng.normal(size=(2, 48, 48))) for _ in range(40)]
    assert np.mean(found) == pytest.approx(agreement.TOP, abs=0.01)


@settings(deadline=None)
@given(maps, maps)
def test_overlap_is_symmetric_and_whole_with_itself(a, b):
    found = agreement.overlap(a, b)
    if np.isnan(found):
        assert any(scale.is_flat(values) or values.max() <= 0 for values in (a, b))
    else:
        assert 0 <= found <= 1 + 1e-9
        assert found == agreement.overlap(b, a)
        assert agreement.overlap(a, a) == pytest.approx(1)


def test_flat_maps_have_no_order():
    flat, other = np.full((4, 4), 3.0), np.arange(16.0).reshape(4, 4)
    for measure in (agreement.rank_correlation, agreement.overlap):
        assert np.isnan(measure(flat, other)) and np.isnan(measure(other, flat))


def test_the_matrix_holds_every_pair():
    rng = np.random.default_rng(1)
    three = [explanation(rng.normal(size=(6, 6))) for _ in range(3)]
    for measure in (agreement.rank_correlation, agreement.overlap):
        found = agreement.matrix(three, measure)
        np.testing.assert_allclose(np.diag(found), 1)
        np.testing.assert_array_equal(found, found.T)
        assert found[0, 2] == measure(three[0].values, three[2].values)


def test_disagreement_by_hand():
    """Divided by their means of 2 and 20, (1, 3) and (30, 10) are (0.5, 1.5) and (1.5, 0.5)."""
    found = agreement.disagreement([np.array([[1.0, 3.0]]), np.array([[30.0, 10.0]])])
    np.testing.assert_allclose(found, [[0.5, 0.5]])


def test_size_is_no_disagreement_and_a_flat_map_counts_as_zero():
    values = np.random.default_rng(2).normal(size=(5, 5)).astype(np.float32)
    np.testing.assert_allclose(agreement.disagreement([values, 7 * values]), 0, atol=1e-6)
    expected = np.abs(values) / np.abs(values).mean() / 2
    np.testing.assert_allclose(agreement.disagreement([values, np.full_like(values, 9)]), expected, rtol=1e-5)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ParameterError, match="differ in their grids"):
        agreement.rank_correlation(np.ones((2, 2)), np.ones((3, 3)))
    with pytest.raises(ParameterError, match="at most 1"):
        agreement.overlap(np.ones((2, 2)), np.ones((2, 2)), share=0)
    with pytest.raises(ParameterError, match="two maps"):
        agreement.disagreement([np.ones((2, 2))])
