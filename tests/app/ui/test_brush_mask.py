"""What is painted on the page, as pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ui import brush_mask
from models.errors import ParameterError


def test_a_dot_is_a_disc_and_a_line_is_as_thick_as_its_brush():
    y, x = np.indices((48, 48)) + 0.5
    assert np.array_equal(brush_mask.mask([[20, 30]], 8), np.hypot(x - 20, y - 30) <= 4)
    line = brush_mask.mask([[5, 10], [40, 10]], 4)
    assert np.array_equal(np.flatnonzero(line[:, 20]), [8, 9, 10, 11])
    assert line[10, 4:41].all() and not line[10, :2].any() and not line[10, 43:].any()


points = st.lists(st.tuples(*[st.floats(-1e308, 1e308)] * 2).map(list), min_size=1, max_size=20)


@given(points, st.floats(0.5, 16))
@settings(max_examples=50, deadline=None)
def test_any_line_is_a_mask_or_a_clear_error(line, width):
    try:
        found = brush_mask.mask(line, width)
    except ParameterError:
        return
    assert found.shape == (48, 48) and found.any()


@pytest.mark.parametrize(
    "line, width",
    [
        (None, 4),
        ([], 4),
        ([[1, 2, 3]], 4),
        ([[1, 2], [3]], 4),
        ("line", 4),
        ([["a", "b"]], 4),
        ([[float("nan"), 1]], 4),
        ([[1, 1]] * (brush_mask.MOST_POINTS + 1), 4),
        ([[10, 10]], None),
        ([[10, 10]], 0),
        ([[10, 10]], 900),
        ([[10, 10]], "wide"),
        ({"x": 1}, 4),
        ([[200, 200]], 4),
    ],
)
def test_what_is_no_line_on_the_face_is_refused(line, width):
    with pytest.raises(ParameterError):
        brush_mask.mask(line, width)
