"""What a heatmap had predicted for hiding an area, before the experiment."""

from dataclasses import dataclass

import numpy as np

from explain import scale
from explain.base import Explanation
from explain.methods import shap_regions

MARGIN = 0.25
"""A heatmap expects more or less of an area than of any other where its mean there is this far off, in units of the
mean size of its values."""


@dataclass(frozen=True)
class Forecast:
    """What a heatmap says about an area.

    Attributes:
        share: the area's share of all evidence for the target, 0..1.
        opposing: the area's share of all evidence against it, 0..1.
        area: the area's share of the picture, 0..1.
        drop: how far the target's score falls when the area is hidden, in logits; None where the
            method does not tell: only the Shapley values of face parts do, and on average only.
        expects: "more" where hiding the area should cost the target more than hiding as much of
            the picture elsewhere, "less", or "same"; None where the map is flat or nothing is hidden.
    """

    share: float
    opposing: float
    area: float
    drop: float | None
    expects: str | None


def predicted(explanation: Explanation, mask: np.ndarray) -> Forecast:
    """What a heatmap had predicted for hiding an area.

    The mean of the map inside the area is set against that over the whole picture, which is what a
    random patch would hold. No map but the Shapley values states in logits what hiding does, so only
    the order is taken from the others.

    Args:
        explanation: of the face before the experiment.
        mask: bool (H, W) on the same grid, what was hidden.
    """
    values = explanation.values.astype(np.float64)
    above, below = np.maximum(values, 0), np.minimum(values, 0)
    drop = float(values[mask].sum()) if explanation.method == shap_regions.METHOD.name else None
    expects = None
    if mask.any() and not scale.is_flat(explanation.values):
        lead = (values[mask].mean() - values.mean()) / np.abs(values).mean()
        expects = "more" if lead > MARGIN else "less" if lead < -MARGIN else "same"
    return Forecast(_share(above, mask), _share(below, mask), float(mask.mean()), drop, expects)


def _share(values: np.ndarray, mask: np.ndarray) -> float:
    whole = values.sum()
    return float(values[mask].sum() / whole) if whole else 0.0
