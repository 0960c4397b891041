"""What a finger or a mouse paints, as pixels of the crop."""

import math
from typing import Any

import numpy as np

from explain.lab.steps import SIDE
from models.errors import ParameterError

MOST_POINTS = 400
WIDEST = 16.0


def mask(points: Any, width: Any) -> np.ndarray:
    """The pixels of the crop under a line, bool (48, 48).

    Args:
        points: what a page sends: a list of [x, y], 0 at the crop's left and top edge, 48 at the others.
        width: of the line in pixels of the crop.

    Raises:
        ParameterError: no such line, or it misses the crop.
    """
    try:
        line = np.array(points, np.float64)
        radius = float(width) / 2
    except (TypeError, ValueError, OverflowError):
        line, radius = np.empty(0), math.nan
    well_formed = line.ndim == 2 and line.shape[1] == 2 and 1 <= len(line) <= MOST_POINTS
    if not well_formed or not np.isfinite(line).all() or not 0.25 <= radius <= WIDEST / 2:
        raise ParameterError(
            "The painted line could not be read", "something else than points and a width", "Paint it again"
        )
    line = np.clip(line, -SIDE, 2 * SIDE)
    x, y = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    grid = np.stack([x, y], -1)
    under = np.zeros((SIDE, SIDE), bool)
    for start, end in zip(line, [*line[1:], line[-1]], strict=True):
        axis = end - start
        share = np.clip((grid - start) @ axis / max(axis @ axis, 1e-9), 0, 1)
        under |= np.linalg.norm(grid - (start + share[..., None] * axis), axis=-1) <= radius
    if not under.any():
        raise ParameterError("The painted line does not touch the face", "a line beside it", "Paint it on the face")
    return under
