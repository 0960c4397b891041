"""SmoothGrad: saliency averaged over noisy copies of the face."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Method, Parameters, Target, choice, number
from explain.methods import gradients

if TYPE_CHECKING:
    from models.model import Model

MEAN, SQUARE = "mean", "mean square"


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of SmoothGrad."""

    samples: int = number(32, 8, 256, 8, "Samples", "How many noisy copies are averaged: more are slower and smoother.")
    noise: float = number(
        0.15, 0.02, 0.5, 0.01, "Noise", "How strong the noise is, as a share of the face's range from dark to bright."
    )
    average: str = choice(
        SQUARE,
        (SQUARE, MEAN),
        "Average",
        "The mean square, in which strong reactions stand out; or the mean, in which reactions that change their "
        "direction with the noise cancel.",
    )
    seed: int = number(0, 0, 9999, 1, "Seed", "Chooses the noise; the same seed gives the same map.")


def noisy(crop: np.ndarray, samples: int, noise: float, seed: int) -> np.ndarray:
    """Copies of a crop with normal noise of standard deviation noise (max - min), not clipped.

    Returns:
        float32 (samples, H, W); the first copies are the same for any number of samples.
    """
    sigma = noise * (crop.max() - crop.min())
    drawn = np.random.default_rng(seed).standard_normal((samples, *crop.shape), np.float32)
    return crop + np.float32(sigma) * drawn


def combine(gradient: np.ndarray, average: str) -> np.ndarray:
    """The size of the mean gradient (section 3 of the paper), or the mean of its square.

    Args:
        gradient: float (N, H, W), one a noisy copy.
        average: one of the options of `Params.average`.

    Returns:
        float32 (H, W), at least 0.
    """
    values = np.abs(gradient.mean(0, dtype=np.float64)) if average == MEAN else np.square(gradient, dtype=float).mean(0)
    return values.astype(np.float32)


def run(model: "Model", crop: np.ndarray, target: Target, params: Params) -> np.ndarray:
    """SmoothGrad of one face, float32 (H, W), in the unit of saliency, or its square.

    Gradients are averaged with their signs, as in the paper, in batches of one compiled function;
    tf-keras-vis averages their sizes instead, one copy at a time and without a seed. Known
    criticism: networks that were trained again without the marked pixels lost no more than without
    random ones; only for the mean square they did (Hooker et al. 2019, arXiv 1806.10758, where it
    comes from), and it is the default. The noise level decides how the map looks, and a noisy face
    is none the model was trained on.

    Source: Smilkov et al. 2017, "SmoothGrad", arXiv 1706.03825.
    """
    copies = noisy(crop, params.samples, params.noise, params.seed)
    return combine(gradients.input_gradients(model)(copies, target.weights), params.average)


METHOD = Method(
    name="smoothgrad",
    title="SmoothGrad",
    summary="How strongly the score reacts to each pixel, noise included: the gradients of many noisy copies of the "
    "face, averaged.",
    Params=Params,
    run=run,
    signed=lambda params: False,
    quick={"samples": 8},
)
