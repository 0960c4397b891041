"""Exact Shapley values of the parts of a face."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Method, Parameters, Target
from explain.methods import shap_package
from explain.methods.masking import baseline_choice, baseline_picture, blends

if TYPE_CHECKING:
    from models.model import Model


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of the exact Shapley values of regions."""

    baseline: str = baseline_choice()


def shapley(score: Callable[[np.ndarray], np.ndarray], players: int) -> np.ndarray:
    """Exact Shapley values of a game, by shap's exact explainer, all coalitions in one call.

    Args:
        score: bool (M, players), a coalition a row -> float (M,).
        players: how many there are, at least 1.

    Returns:
        float64 (players,); their sum is the score of all players less that of none.

    Source: Shapley 1953; Lundberg and Lee 2017, arXiv 1705.07874, equation 4.
    """
    exact = shap_package.load().explainers.Exact(score, lambda shown, _: shown[None])
    return exact(np.ones((1, players), bool), batch_size=2**players, silent=True).values[0]


def run(model: "Model", crop: np.ndarray, target: Target, params: Params, regions: np.ndarray) -> np.ndarray:
    """Exact Shapley values of a face's regions, float32 (H, W), signed, in logits.

    Beside what every method takes, `regions` are the masks of the face's parts, bool (8, H, W).

    Every pixel carries its region's value divided by the region's pixels, so that the sum over a
    region is the region's value, the sum over the map is score(face) less score(baseline), and a
    small part with much weight stands out. A region without pixels has no value. Known criticism:
    a face of which parts are hidden is none the model was trained on (Frye et al. 2021,
    arXiv 2006.01272); compare the baselines.

    Source: Shapley 1953; Lundberg and Lee 2017, arXiv 1705.07874, equation 4.
    """
    parts = regions[regions.any((1, 2))]
    hidden = baseline_picture(crop, params.baseline)
    values = shapley(lambda shown: model.logits(blends(crop, hidden, parts, shown)) @ target.weights, len(parts))
    densities = values / parts.sum((1, 2))
    return densities[parts.argmax(0)].astype(np.float32)


METHOD = Method(
    name="shap_regions",
    title="Shapley values of face parts",
    summary="How much each part of the face pushes the model towards the target or away from it, over all "
    "256 ways to show some parts and hide the others.",
    Params=Params,
    run=run,
    signed=lambda params: True,
    needs_regions=True,
)
