"""RISE: show the model the face through many random masks, and see where being seen raises the score."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from explain.base import Method, Parameters, Target, number
from explain.methods import masking

if TYPE_CHECKING:
    from models.model import Model

SHOWN = 0.5
"""The share of a mask's cells that show the face, as in the paper."""


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of RISE."""

    masks: int = number(
        512, 128, 2048, 128, "Masks", "How many random masks are tried: more are slower and less noisy."
    )
    cells: int = number(
        5, 4, 12, 1, "Cells", "How many cells a mask has across: more show smaller parts and need more masks."
    )
    baseline: str = masking.baseline_choice()
    seed: int = number(0, 0, 9999, 1, "Seed", "Chooses the masks; the same seed gives the same map.")


def random_masks(count: int, cells: int, side: int, seed: int) -> np.ndarray:
    """Random masks with soft edges: a coarse grid of zeros and ones, enlarged and shifted, float32 (count, side, side).

    The grid has one cell more each way than fits on the crop, is enlarged bilinearly, and the crop is cut out of it
    at a random place, so that the borders of the cells lie elsewhere in each mask. The first masks are the same for
    any count.

    Source: section 3.2 of the paper.
    """
    cell = -(-side // cells)
    whole = (cells + 1) * cell
    masks = np.empty((count, side, side), np.float32)
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        grid = (rng.random((cells + 1, cells + 1)) < SHOWN).astype(np.float32)
        top, left = rng.integers(cell, size=2)
        masks[index] = cv2.resize(grid, (whole, whole))[top : top + side, left : left + side]
    return masks


def weigh(masks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """How much higher the score is on average where a pixel is seen: sum((s - mean s) m) / sum(m), float32 (H, W).

    Args:
        masks: float (N, H, W) in 0..1, 1 where the face is seen; each pixel is seen at least once.
        scores: float (N,), the target's score through each mask.
    """
    apart = scores - scores.mean(dtype=np.float64)
    return (np.tensordot(apart, masks, 1) / np.maximum(masks.sum(0, dtype=np.float64), 1e-9)).astype(np.float32)


def run(model: "Model", crop: np.ndarray, target: Target, params: Params) -> np.ndarray:
    """RISE of one face, float32 (H, W), signed, in logits.

    The face is shown through random masks, half of it at a time. A pixel's value is the mean score over the masks,
    each counted by how far it shows the pixel, less the mean score over all masks: equation 6 of the paper without that
    constant, for else the map of a model that sees nothing would be that of how often the masks show each place. It
    is divided by how often these masks show the pixel, not by the half that is expected. The paper hides by black
    and scores by probability; here is what the other methods hide by, and the logit. Known criticism: the values are
    an estimate, and with few masks neighbouring places differ by chance; half a face is none that the model was
    trained on (Hooker et al. 2019, arXiv 1806.10758).

    Source: Petsiuk et al. 2018, "RISE: Randomized input sampling for explanation of black-box models",
    arXiv 1806.07421.
    """
    masks = random_masks(params.masks, params.cells, crop.shape[0], params.seed)
    hidden = masking.baseline_picture(crop, params.baseline)
    return weigh(masks, model.logits(hidden + masks * (crop - hidden)) @ target.weights)


METHOD = Method(
    name="rise",
    title="RISE",
    summary="Shows the model the face through hundreds of random masks: how much higher the target scores on average "
    "where a place is seen.",
    Params=Params,
    run=run,
    signed=lambda params: True,
    quick={"masks": 128},
)
