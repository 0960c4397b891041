"""What a heatmap had predicted for hiding an area, before the experiment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explain import scale
from explain.base import Explanation

MARGIN = 0.25
"""A heatmap expects more or less of an area than of the patches where its mean there is this far off theirs, in units
of the mean size of its values."""


@dataclass(frozen=True)
class Forecast:
    """What a heatmap says about an area.

    Attributes:
        share: the area's share of all evidence for the target, 0..1.
        opposing: the area's share of all evidence against it, 0..1.
        area: the area's share of the picture, 0..1.
        exceeds: of how many patches the map holds less on average than of the area.
        expects: "more" where hiding the area should cost the target more than hiding one of the patches, "less",
            or "same"; None where the map is flat or nothing is hidden.
    """

    share: float
    opposing: float
    area: float
    exceeds: int
    expects: str | None


def predicted(explanation: Explanation, mask: np.ndarray, patches: Sequence[np.ndarray]) -> Forecast:
    """What a heatmap had predicted for hiding an area instead of the patches that it will be compared with.

    The mean of the map inside the area is set against the mean over the patches, so that both sides of the
    comparison are the same places. A map states no amount: a Shapley value is an average over what else is hidden, and
    no forecast of what hiding one part of a whole face does.

    Args:
        explanation: of the face before the experiment.
        mask: bool (H, W) on the same grid, what was hidden.
        patches: bool (H, W) each, of the same area elsewhere; none where nothing is hidden.
    """
    values = explanation.values.astype(np.float64)
    above, below = np.maximum(values, 0), np.minimum(values, 0)
    inside, exceeds, expects = values[mask].mean() if mask.any() else 0.0, 0, None
    if len(patches) and mask.any() and not scale.is_flat(explanation.values):
        outside = np.array([values[patch].mean() for patch in patches])
        lead = (inside - outside.mean()) / np.abs(values).mean()
        exceeds = int((inside > outside).sum())
        expects = "more" if lead > MARGIN else "less" if lead < -MARGIN else "same"
    return Forecast(_share(above, mask), _share(below, mask), float(mask.mean()), exceeds, expects)


def _share(values: np.ndarray, mask: np.ndarray) -> float:
    whole = values.sum()
    return float(values[mask].sum() / whole) if whole else 0.0
