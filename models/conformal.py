"""Conformal sets: the labels that stay possible for a face, chosen so that the right one is among them often enough.

The promise is marginal: over many faces like those of the calibration, the set holds the label as often as it says. It
says nothing certain about one face, nor about one emotion (Angelopoulos and Bates 2021, arXiv 2107.07511).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.types import EMOTIONS

KEY = "conformal"
"""Where a card's metrics and `ensemble.json` hold what was calibrated."""
METHODS = ("lac", "aps", "raps")
"""By which score: 1 less the probability; the sum of the probabilities down to the label; the same with long sets
made dearer."""
COVERAGE = 0.9
PENALTY, FREE = 0.1, 2
"""Of RAPS: what a label costs more for each rank beyond the free ones (Angelopoulos et al. 2021, equation 4)."""


@dataclass(frozen=True)
class Calibration:
    """What makes a set of probabilities.

    Attributes:
        method: one of `METHODS`.
        threshold: labels whose score is at most this are in the set.
        coverage: how often the set holds the label, over faces like those of the calibration.
    """

    method: str
    threshold: float
    coverage: float = COVERAGE

    def sets(self, probabilities: np.ndarray) -> np.ndarray:
        """Which labels are in the sets of probabilities (N, K), bool (N, K); the most probable one always is."""
        inside = scores(self.method, probabilities) <= self.threshold
        inside[np.arange(len(inside)), np.argmax(probabilities, 1)] = True
        return inside

    def likely(self, probabilities: np.ndarray) -> tuple[str, ...]:
        """The emotions in the set of one face's probabilities (7,), the most probable first."""
        inside = self.sets(probabilities[None])[0]
        return tuple(EMOTIONS[index] for index in _order(probabilities[None])[0] if inside[index])


def scores(method: str, probabilities: np.ndarray) -> np.ndarray:
    """How little each label conforms to its probabilities, float64 (N, K); low is good.

    Without the random part that some authors add, so that the same face has the same set at every call; sets are then
    a little too large rather than too small.

    Args:
        method: one of `METHODS`: "lac" (Sadinle et al. 2019, arXiv 1609.00451), "aps" (Romano et al. 2020, arXiv
            2006.02544), or "raps" (Angelopoulos et al. 2021, arXiv 2009.14193).
        probabilities: float (N, K), rows summing to 1.
    """
    values = np.asarray(probabilities, np.float64)
    if method == "lac":
        return 1 - values
    order = _order(values)
    sums = np.cumsum(np.take_along_axis(values, order, 1), 1)
    if method == "raps":
        sums = sums + PENALTY * np.maximum(np.arange(1, values.shape[1] + 1) - FREE, 0)
    found = np.empty_like(sums)
    np.put_along_axis(found, order, sums, 1)
    return found


def threshold(true_scores: np.ndarray, coverage: float = COVERAGE) -> float:
    """The score that the labels of new faces stay at or below with the asked probability, if faces are exchangeable.

    The ceil((n + 1) * coverage)-th smallest of n scores, which is more than the plain quantile; infinity where n is
    too small for that (Vovk et al. 2005; Angelopoulos and Bates 2021, section 1).

    Args:
        true_scores: float (n,), the scores of the right labels.
        coverage: above 0 and below 1.
    """
    rank = math.ceil((len(true_scores) + 1) * coverage - 1e-9)
    return float(np.sort(true_scores)[rank - 1]) if rank <= len(true_scores) else math.inf


def read(found: Any) -> Calibration | None:
    """The calibration in the JSON of a card's metrics or `ensemble.json`; None where there is none that can be used."""
    values = found if isinstance(found, Mapping) else {}
    limit, coverage = values.get("threshold", ""), values.get("coverage")
    if limit is None:
        limit = math.inf
    if not isinstance(limit, int | float) or not isinstance(coverage, int | float) or math.isnan(limit):
        return None
    if values.get("method") not in METHODS or not 0 < coverage < 1:
        return None
    return Calibration(values["method"], float(limit), float(coverage))


def _order(probabilities: np.ndarray) -> np.ndarray:
    """Labels by probability, the highest first, int (N, K); of equals, the first."""
    return np.argsort(-np.asarray(probabilities, np.float64), axis=1, kind="stable")
