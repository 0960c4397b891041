"""One scale for maps that stand side by side, and maps on another grid."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from explain.base import Explanation

FLAT = 1e-6
"""A map whose values differ by no more than this share of their size, or by this many logits in all, is flat."""
PERCENTILE = 99.5


@dataclass(frozen=True)
class Scale:
    """What full colour means.

    Attributes:
        limit: the size of a value that is drawn at full strength; 0 where every map is flat.
        signed: whether the scale runs from -limit to limit, or from 0.
    """

    limit: float
    signed: bool


def is_flat(values: np.ndarray) -> bool:
    """Whether a map marks no place over another."""
    spread = float(values.max() - values.min())
    return spread <= FLAT * max(float(np.abs(values).max()), 1e-30) or spread * values.size <= FLAT


def shared(explanations: Iterable[Explanation]) -> Scale:
    """The scale for maps that stand side by side.

    The limit is the largest of the maps' 99.5th percentiles of |value|, so that a few pixels do
    not dim all others; the largest |value| where that percentile is zero. Flat maps do not count.
    """
    explanations = list(explanations)
    sizes = [np.abs(e.values) for e in explanations if not is_flat(e.values)]
    limit = max((float(np.percentile(size, PERCENTILE) or size.max()) for size in sizes), default=0.0)
    return Scale(limit, any(e.signed for e in explanations))


def normalise(values: np.ndarray, scale: Scale) -> np.ndarray:
    """A map in units of the scale's limit, float32, clipped to -1..1 or 0..1; a flat map is all zero."""
    if scale.limit <= 0 or is_flat(values):
        return np.zeros(values.shape, np.float32)
    return np.clip(values / scale.limit, -1 if scale.signed else 0, 1).astype(np.float32)


def resize(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map on another grid, float32 (height, width), between pixel centres linearly.

    The borders of both grids coincide. Enlarging makes no new extremes and keeps a flat map flat.
    """
    if values.shape == (height, width):
        return values
    return cv2.resize(values.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
