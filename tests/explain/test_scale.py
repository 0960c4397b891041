"""One scale for several maps; flat maps; other grids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explain import scale
from explain.base import Explanation, Parameters, Target
from explain.scale import Scale


def explanation(values, signed=True) -> Explanation:
    return Explanation("m", "cnn", Target(0), np.asarray(values, np.float32), signed, Parameters(), 0.0)


def test_maps_side_by_side_share_the_largest_limit():
    ramp = np.linspace(-1, 1, 401)[None]  # 99.5 % of |value| lie below 0.995
    shared = scale.shared([explanation(ramp), explanation(ramp * 10)])
    assert shared == Scale(pytest.approx(9.95), True)
    small = scale.normalise(ramp, shared)
    assert small.max() == pytest.approx(1 / 9.95)
    assert scale.normalise(ramp * 10, shared).min() == -1
    assert scale.shared([explanation(np.abs(ramp), signed=False)]).signed is False


def test_a_map_with_a_single_pixel_still_has_a_limit():
    single = np.zeros((48, 48))
    single[3, 4] = 2
    assert scale.shared([explanation(single)]).limit == 2


@pytest.mark.parametrize("value", [0.0, 0.3, -5.0, 1e-12])
def test_a_flat_map_stays_flat_and_sets_no_scale(value):
    flat = np.full((48, 48), value, np.float32)
    assert scale.is_flat(flat)
    assert scale.shared([explanation(flat)]).limit == 0
    varied = np.linspace(0, 1, 2304).reshape(48, 48)
    assert scale.shared([explanation(flat * 100), explanation(varied)]).limit == pytest.approx(0.995, abs=1e-3)
    for shared in (Scale(0, True), Scale(0.5, True), Scale(1.0, False)):
        assert not scale.normalise(flat, shared).any()


def test_small_but_real_differences_are_not_flat():
    values = np.zeros((48, 48), np.float32)
    values[:24] = 1e-5
    assert not scale.is_flat(values)
    assert scale.is_flat(1 + 1e-8 * np.random.default_rng(0).random((48, 48)))


@given(arrays(np.float32, (6, 6), elements=st.floats(-1e3, 1e3, width=32)))
def test_normalised_values_are_finite_and_in_range(values):
    for signed in (True, False):
        shared = scale.shared([explanation(values, signed)])
        result = scale.normalise(values, shared)
        assert np.isfinite(result).all() and result.dtype == np.float32
        assert result.min() >= (-1 if signed else 0) and result.max() <= 1


def test_enlarging_by_hand():
    """Pixel centres of 0, 1 on a line of 4: at 0.25, 0.75 between borders 0 and 1, so 0, 1/4, 3/4, 1."""
    result = scale.resize(np.array([[0.0, 1.0]]), 1, 4)
    np.testing.assert_allclose(result, [[0, 0.25, 0.75, 1]], atol=1e-6)
    same = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(scale.resize(same, 3, 3), same)


@given(arrays(np.float32, (6, 6), elements=st.floats(-1e3, 1e3, width=32)))
def test_enlarging_makes_no_new_extremes(values):
    result = scale.resize(values, 48, 48)
    slack = 1e-5 * max(1.0, float(np.abs(values).max()))
    assert result.min() >= values.min() - slack and result.max() <= values.max() + slack
