"""The fewest face parts, and the least area of them, that hidden change a model's answer."""

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.methods.masking import baseline_picture, blends
from models.regions import REGIONS

if TYPE_CHECKING:
    from models.model import Model


@dataclass(frozen=True)
class Counterfactual:
    """A change of the face that changes the answer, and none with fewer parts does.

    Attributes:
        regions: the parts that are hidden, in the order of `REGIONS`.
        before, after: the most probable emotion without and with the change, indices into `EMOTIONS`.
        drop: how far the probability of `before` falls, 0..1.
        ties: how many other sets of as few parts change the answer as well.
        area: how much of the crop these parts are, 0..1.
        least_regions: the parts of the set with the least area that changes the answer; two small parts may hide less
            than one large one.
        least_area: how much of the crop they are, 0..1.
    """

    regions: tuple[str, ...]
    before: int
    after: int
    drop: float
    ties: int
    area: float
    least_regions: tuple[str, ...]
    least_area: float


def counterfactual(
    model: "Model", crop: np.ndarray, masks: np.ndarray, baseline: str = "mean face"
) -> Counterfactual | None:
    """The fewest regions, and the least area, that hidden change the most probable emotion; None if no set does.

    Exact: all sets of regions with pixels are asked in one batch. Among sets of as few regions, or of the same
    area, the one counts that costs the answer most probability. Known criticism: a face of which parts are hidden is
    none that the model was trained on, so the answer depends on what stands in for them.

    Args:
        model: an emotion model.
        crop: float32 (48, 48) in 0..1.
        masks: bool (8, 48, 48) in the order of `REGIONS`.
        baseline: what hidden parts show, see `masking.baseline_picture`.

    Source: the idea of a minimal counterfactual, Wachter et al. 2017, arXiv 1711.00399.
    """
    there = np.flatnonzero(masks.any((1, 2)))
    shown = np.array(list(itertools.product([True, False], repeat=len(there))))
    probabilities = model.probabilities(
        model.logits(blends(crop, baseline_picture(crop, baseline), masks[there], shown))
    )
    before = int(probabilities[0].argmax())  # the first set hides nothing
    drops = probabilities[0, before] - probabilities[:, before]
    flips = np.flatnonzero(probabilities.argmax(1) != before)
    if not len(flips):
        return None
    sizes = (~shown[flips]).sum(1)
    smallest = flips[sizes == sizes.min()]
    best = smallest[drops[smallest].argmax()]
    areas = (~shown[flips]) @ masks[there].sum((1, 2)) / masks[0].size
    small = flips[areas == areas.min()]
    least = small[drops[small].argmax()]
    return Counterfactual(
        tuple(REGIONS[index] for index in there[~shown[best]]),
        before,
        int(probabilities[best].argmax()),
        float(drops[best]),
        len(smallest) - 1,
        float(areas[flips == best][0]),
        tuple(REGIONS[index] for index in there[~shown[least]]),
        float(areas.min()),
    )
