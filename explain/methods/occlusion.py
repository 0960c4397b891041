"""Occlusion: how far the target's score falls when a patch hides a place of the face."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Method, Parameters, Target, number
from explain.methods import masking

if TYPE_CHECKING:
    from models.model import Model


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of occlusion."""

    patch: int = number(
        12,
        6,
        24,
        2,
        "Patch",
        "Side of the square patch in pixels of the 48-pixel crop: a small one shows small parts, a large one "
        "hides what only counts together.",
    )
    step: int = number(
        4, 2, 6, 1, "Step", "How many pixels the patch moves at a time: smaller steps are slower and smoother."
    )
    baseline: str = masking.baseline_choice("The patch shows")


def corners(side: int, patch: int, step: int) -> np.ndarray:
    """Where the patch is put: its top left corners, int (P, 2), rows and columns, from the top left on.

    The patch never leaves the crop. Where a step would carry it over the border it is put flush with
    the border instead, so that every pixel is hidden at least once.
    """
    starts = np.unique([*range(0, side - patch, step), side - patch])
    return np.stack(np.meshgrid(starts, starts, indexing="ij"), -1).reshape(-1, 2)


def covered(places: np.ndarray, patch: int, side: int) -> np.ndarray:
    """Which pixels each patch hides: corners (P, 2) -> bool (P, side, side)."""
    from_corner = np.arange(side) - places[..., None]
    inside = (from_corner >= 0) & (from_corner < patch)
    return inside[:, 0, :, None] & inside[:, 1, None, :]


def average(drops: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """A pixel's value: the mean drop over all patches that hide it.

    Args:
        drops: float (P,), score of the face less the score with patch p.
        hidden: bool (P, H, W), the pixels of each patch; every pixel at least once.

    Returns:
        float64 (H, W).
    """
    return np.tensordot(np.asarray(drops, np.float64), hidden, 1) / hidden.sum(0)


def run(model: "Model", crop: np.ndarray, target: Target, params: Params) -> np.ndarray:
    """Occlusion of one face, float32 (H, W), signed, in logits.

    The paper draws the score itself at each position of a grey square. Here a value is the drop of
    the target's score, averaged over the patches that cover the pixel: positive where hiding lowers
    the score. Values do not sum to the score, and their size depends on the patch.

    Known criticism: a square edge is something no face has, and the network may answer to it
    (Hooker et al. 2019, arXiv 1806.10758); parts that can stand in for one another seem to count for
    nothing, because one patch hides only one of them.

    Source: Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks",
    arXiv 1311.2901, section 4.2.
    """
    side = crop.shape[0]
    hidden = covered(corners(side, params.patch, params.step), params.patch, side)
    patched = np.where(hidden, masking.baseline_picture(crop, params.baseline), crop)
    scores = model.logits(np.concatenate([crop[None], patched])) @ target.weights
    return average(scores[0] - scores[1:], hidden).astype(np.float32)


METHOD = Method(
    name="occlusion",
    title="Occlusion",
    summary="How far the target's score falls when a small patch hides a place: a direct question, asked place by "
    "place.",
    Params=Params,
    run=run,
    signed=lambda params: True,
    quick={"step": 6},
)
