"""SHAP by partition: the face is halved again and again, and each piece gets its share."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Method, Parameters, Target, number
from explain.methods import masking, numpy_random, shap_package

if TYPE_CHECKING:
    import shap

    from models.model import Model

BATCH = 64
"""Crops a call. Larger batches run a little faster, but halve pieces that matter less."""


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of SHAP by partition."""

    evaluations: int = number(
        320,
        128,
        1024,
        64,
        "Evaluations",
        "How often the model is asked: more are slower and cut the pieces that matter smaller.",
    )
    baseline: str = masking.baseline_choice()


def owen(
    score: Callable[[np.ndarray], np.ndarray], crop: np.ndarray, hidden: np.ndarray, evaluations: int
) -> np.ndarray:
    """Owen values of a crop's pixels, as far as the evaluations reach, by shap's partition explainer.

    Args:
        score: float32 (N, H, W) -> float (N,), with N no more than `BATCH`.
        crop, hidden: float32 (H, W): the face, and what hidden pixels show.
        evaluations: how many crops are scored, at most and with both of these; from 2 on.

    Returns:
        float64 (H, W); the sum is score(crop) less score(hidden).
    """
    shap = shap_package.load()
    masker = copy(_masker(hidden.shape))
    masker.mask_value = hidden.ravel()
    explainer = shap.explainers.Partition(lambda crops: score(crops[..., 0]), masker)
    with numpy_random.seeded(0):  # decides between pieces that weigh the same
        found = explainer(crop[None, ..., None], max_evals=evaluations, batch_size=BATCH, silent=True)
    return found.values[0, ..., 0]


@cache
def _masker(shape: tuple[int, int]) -> "shap.maskers.Image":
    """What hides pixels of crops of a shape by black, with the tree of all halves, the same for each crop."""
    with shap_package.interpreted():
        return shap_package.load().maskers.Image(np.zeros((*shape, 1), np.float32))


def run(model: "Model", crop: np.ndarray, target: Target, params: Params) -> np.ndarray:
    """SHAP by partition of one face, float32 (H, W), signed, in logits.

    The crop is halved, across its longer side, down to single pixels. A piece's Owen value is its mean
    contribution over all orders in which the halves of every cut stay together. The piece whose
    cut matters most is cut next; when the evaluations are used up, a piece's value is spread evenly
    over its pixels. The values sum to score(face) less score(baseline).

    Known criticism: the cuts follow the grid and not the face, so that a part that lies across a cut
    is shared out between the halves; each cut level takes four times the evaluations, so that the
    map stays coarse; and a face of which parts are hidden is none the model was trained on (Frye et
    al. 2021, arXiv 2006.01272).

    shap's own call does the work. Given the compiled network it is as fast as its evaluations;
    through `model.predict`, as its documentation has it, it takes a multiple.

    Source: Owen 1977, "Values of games with a priori unions"; Lundberg and Lee 2017,
    arXiv 1705.07874; shap's `PartitionExplainer`.
    """
    hidden = masking.baseline_picture(crop, params.baseline)
    values = owen(lambda crops: model.logits(crops) @ target.weights, crop, hidden, params.evaluations)
    return values.astype(np.float32)


METHOD = Method(
    name="shap_partition",
    title="SHAP by partition",
    summary="The face is cut into ever smaller pieces, and each piece gets an averaged share of what the face adds "
    "to the target compared with a hidden face.",
    Params=Params,
    run=run,
    signed=lambda params: True,
    quick={"evaluations": 128},
)
