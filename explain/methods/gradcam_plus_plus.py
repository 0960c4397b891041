"""Grad-CAM++: Grad-CAM that counts only gradients above zero, place by place."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Method, Parameters, Target
from explain.methods import cam

if TYPE_CHECKING:
    from models.model import Model


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of Grad-CAM++."""

    detail: str = cam.detail()


def weigh(activations: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Channels weighed by a weighted mean of their positive gradients: equations 5 and 19 of the paper.

    For Y = exp(score) the second and third derivatives of equation 19 are Y g^2 and Y g^3, so that
    a place with gradient g > 0 in a channel that sums to S has alpha = g^2 / (2 g^2 + S g^3). As in
    the authors' code, places whose gradient is not above zero have none, and a channel's alphas are
    divided by their sum. The factor Y, the same for the whole map, is left out: it would make maps
    of a confident model larger by an exponential.

    Args:
        activations: float (h, w, K), a convolution's maps after its ReLU.
        gradient: float (h, w, K), of the score with respect to them.

    Returns:
        float32 (h, w), at least 0.
    """
    positive = np.maximum(gradient, 0, dtype=np.float64)
    total = activations.sum((0, 1), dtype=np.float64)
    denominator = 2 * positive**2 + total * positive**3
    alphas = positive**2 / np.where(denominator == 0, 1, denominator)
    sums = alphas.sum((0, 1))
    weights = (alphas / np.where(sums == 0, 1, sums) * positive).sum((0, 1))
    return np.maximum(activations @ weights, 0).astype(np.float32)


def run(model: "Model", crop: np.ndarray, target: Target, params: Params) -> np.ndarray:
    """Grad-CAM++ of one face, float32 (h, w) on the layer's grid, in logits; "fused" is `cam.fuse`.

    tf-keras-vis has it too, but also gives alphas to gradients below zero, where the denominator of
    equation 19 can vanish and the sum of alphas change its sign; with its gradients cut at zero it
    gives this map times exp(score). Known criticism: it equals
    Grad-CAM with positive gradients only (Lerma and Lucas 2022, arXiv 2205.10838); exactly so at
    "coarse", where a network with a global average has one gradient a channel. What a channel says
    against the target is not counted, so maps of two targets differ less.

    Raises:
        ParameterError: the network has no map that fine.

    Source: Chattopadhyay et al. 2018, "Grad-CAM++", arXiv 1710.11063.
    """
    return cam.read(model, crop, target, params.detail, weigh)


METHOD = Method(
    name="gradcam_plus_plus",
    title="Grad-CAM++",
    summary="Like Grad-CAM, but counts only what speaks for the target, place by place.",
    Params=Params,
    run=run,
    signed=lambda params: False,
    suits=cam.suits,
)
