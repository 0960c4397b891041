"""How far maps of the same face agree."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from explain import scale
from explain.base import Explanation
from models.errors import ParameterError

TOP = 0.2
"""The share of the face that `overlap` compares; two maps that know nothing of each other overlap by as much."""


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of two maps over their pixels, -1..1.

    It asks whether both put the pixels in the same order, not how strongly they mark them. Equal
    values share their mean rank. A map with both signs is ranked from what speaks most against the
    target to what speaks most for it. Smooth maps have far fewer independent places than pixels:
    0.3 between two Grad-CAM maps can be chance.

    Args:
        a, b: float (H, W), raw.

    Returns:
        nan where a map is flat, because it has no order.

    Raises:
        ParameterError: the shapes differ.
    """
    _same_grid(a, b)
    if scale.is_flat(a) or scale.is_flat(b):
        return float("nan")
    first, second = (rankdata(values, axis=None) for values in (a, b))
    first, second = first - first.mean(), second - second.mean()
    return float(np.clip(first @ second / np.sqrt((first @ first) * (second @ second)), -1, 1))


def overlap(a: np.ndarray, b: np.ndarray, share: float = TOP) -> float:
    """How much of what one map marks most the other marks most too, 0..1.

    A map's set is the share of the pixels with the highest values, of those above zero: what speaks
    against the target is no part of it, and a map that marks less of the face has a smaller set.
    Pixels of equal value at the set's edge are in it by the same fraction each. The result is the
    size of the intersection (the smaller of two memberships) over that of the larger set. By chance
    it is `share` where both sets are full.

    Args:
        a, b: float (H, W), raw.
        share: of the pixels, above 0, at most 1.

    Returns:
        nan where a map is flat or has nothing above zero.

    Raises:
        ParameterError: the shapes differ, or the share lies outside its range.
    """
    _same_grid(a, b)
    if not 0 < share <= 1:
        raise ParameterError(
            "The share of the pixels is outside its range", repr(share), "Give a number above 0 and at most 1"
        )
    if any(scale.is_flat(values) or values.max() <= 0 for values in (a, b)):
        return float("nan")
    first, second = (_highest(values.ravel(), share) for values in (a, b))
    return float(np.minimum(first, second).sum() / max(first.sum(), second.sum()))


def matrix(
    explanations: Sequence[Explanation], measure: Callable[[np.ndarray, np.ndarray], float] = rank_correlation
) -> np.ndarray:
    """A measure between all pairs of explanations of one face, float64 (N, N), symmetric.

    Args:
        explanations: N of them.
        measure: `rank_correlation` or `overlap`; nan stands where it is not defined.
    """
    result = np.full((len(explanations),) * 2, np.nan)
    for i, one in enumerate(explanations):
        for j, other in enumerate(explanations[: i + 1]):
            result[i, j] = result[j, i] = measure(one.values, other.values)
    return result


def disagreement(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Where maps of the same face disagree: the standard deviation over the maps, pixel by pixel.

    Each map is first divided by its mean |value|, so that a model with larger logits does not count
    for more: 1 at a pixel means that the maps differ there by as much as an average pixel weighs. A
    flat map counts as zero everywhere.

    Args:
        maps: two or more, float (H, W), raw.

    Returns:
        float32 (H, W), 0 where all agree.

    Raises:
        ParameterError: fewer than two maps, or their shapes differ.
    """
    if len(maps) < 2:
        raise ParameterError("The maps are too few to disagree", f"{len(maps)}", "Give two maps or more")
    for values in maps:
        _same_grid(maps[0], values)
    scaled = [np.zeros(v.shape) if scale.is_flat(v) else v / np.abs(v).mean(dtype=np.float64) for v in maps]
    return np.std(scaled, axis=0).astype(np.float32)


def _same_grid(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        raise ParameterError(
            "The maps to compare differ in their grids", f"{a.shape} and {b.shape}", "Resize one of them"
        )


def _highest(values: np.ndarray, share: float) -> np.ndarray:
    """How far each value belongs to the given share of the highest, of those above zero, float64 (n,) in 0..1."""
    places = max(1, round(share * values.size))
    edge = max(np.partition(values, -places)[-places], 0)
    above, level = values > edge, values == edge
    if edge <= 0:
        return above.astype(float)
    return above + level * (places - above.sum()) / level.sum()
