"""Integrated Gradients: each pixel's share in the way from a baseline to the face."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Method, Parameters, Target, number
from explain.methods import gradients, masking

if TYPE_CHECKING:
    from models.model import Model


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of Integrated Gradients."""

    steps: int = number(
        32,
        8,
        256,
        8,
        "Steps",
        "At how many points of the way the gradient is taken: more are slower and miss less of what happens between.",
    )
    baseline: str = masking.baseline_choice("The way begins at")


def path(crop: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    """The middles of equal steps on the straight way from a baseline to a crop, float32 (steps, H, W)."""
    shares = (np.arange(steps, dtype=np.float32) + 0.5) / steps
    return start + shares[:, None, None] * (crop - start)


def combine(crop: np.ndarray, start: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The mean gradient on the way times the way, float32 (H, W).

    Args:
        crop, start: float (H, W), the end and the beginning of the way.
        gradient: float (N, H, W), at each point of `path`.
    """
    return ((crop - start) * gradient.mean(0, dtype=np.float64)).astype(np.float32)


def run(model: "Model", crop: np.ndarray, target: Target, params: Params) -> np.ndarray:
    """Integrated Gradients of one face, float32 (H, W), signed, in logits.

    The gradient of the target's score is averaged along the straight way from a baseline to the face and multiplied
    by what changes on it: equation 1 of the paper, its integral by the midpoint rule. With enough steps the values
    sum to score(face) less score(baseline) (completeness, proposition 1). The paper begins at black; here it is
    another face, or this one without its details, because black is a value that brows and pupils have. Known
    criticism: the map depends on the baseline, and a pixel that is as bright as there gets nothing (Sturmfels et
    al. 2020, doi 10.23915/distill.00022); what lies on the way is no face (Kapishnikov et al. 2021, arXiv 2106.09788).

    Source: Sundararajan et al. 2017, "Axiomatic attribution for deep networks", arXiv 1703.01365.
    """
    start = masking.baseline_picture(crop, params.baseline)
    found = gradients.input_gradients(model)(path(crop, start, params.steps), target.weights)
    return combine(crop, start, found)


METHOD = Method(
    name="integrated_gradients",
    title="Integrated Gradients",
    summary="How much each pixel adds to the target on the straight way from a baseline, such as the average face, to "
    "this face.",
    Params=Params,
    run=run,
    signed=lambda params: True,
    quick={"steps": 8},
)
