"""How often a network names the label, over all faces and by what can be measured of them."""

from dataclasses import dataclass

import numpy as np

from app.data.faces import Faces
from app.data.intervals import wilson

BINS, MOST_BINS = 5, 20
"""Into so many parts with about as many faces each a measure is cut unless asked otherwise, and at most."""


@dataclass(frozen=True)
class Rate:
    """How many of some labelled faces were named right.

    Attributes:
        faces: labelled ones.
        right: of them.
        low, high: ends of the 95 % interval of the share, see `wilson`; 0 and 1 without faces.
    """

    faces: int
    right: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """Right of all, 0..1; None without faces."""
        return self.right / self.faces if self.faces else None


@dataclass(frozen=True)
class Bin:
    """Faces whose measure lies in a range.

    Attributes:
        least, most: the smallest and the greatest value in it.
        rate: how many of its faces were named right.
    """

    least: float
    most: float
    rate: Rate


def rate(faces: Faces, network: str) -> Rate:
    """How often a network, or the mean, names the label of those faces that have one."""
    labelled = faces.labelled
    return _rate(faces.answers[network][labelled] == faces.labels[labelled])


def by_measure(faces: Faces, network: str, measure: str, bins: int = BINS) -> list[Bin]:
    """The same by a measure, cut at its quantiles.

    Equal values are never parted, so that there are fewer bins where many faces share one; a face without a label or
    without the measure is left out.

    Args:
        faces: with `measure` among their measures.
        network: whose answers, or the mean.
        measure: its name.
        bins: how many at most, 1 or more.

    Returns:
        From the smallest values to the greatest, none of them empty.
    """
    values = faces.measures[measure]
    known = faces.labelled & np.isfinite(values)
    values, right = values[known], faces.answers[network][known] == faces.labels[known]
    if not len(values):
        return []
    inner = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))
    place = np.searchsorted(inner, values, side="left")
    return [
        Bin(float(values[place == each].min()), float(values[place == each].max()), _rate(right[place == each]))
        for each in np.unique(place)
    ]


def _rate(right: np.ndarray) -> Rate:
    total, count = len(right), int(right.sum())
    return Rate(total, count, *(wilson(count, total) if total else (0.0, 1.0)))
