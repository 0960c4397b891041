"""Grad-CAM: which places of a convolution's map raise the target."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain import gradients
from explain.base import Method, Parameters, Target, choice, switch
from models.errors import ParameterError

if TYPE_CHECKING:
    from models.model import Model

DETAIL = {"coarse": 1, "medium": 2, "fine": 4}
LEAST = 6
"""The smallest side of a map that can tell the parts of a face apart."""


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of Grad-CAM."""

    detail: str = choice(
        "coarse",
        tuple(DETAIL),
        "Detail",
        "Which convolution is asked: the last one (coarse map, closest to the decision), or an earlier one "
        "with a map twice or four times as fine, which shows smaller parts but says less about the emotion.",
    )
    positive_only: bool = switch(
        True, "Only what speaks for it", "Hide what speaks against the target, as in the paper; off shows both."
    )


def weigh(activations: np.ndarray, gradient: np.ndarray, positive_only: bool) -> np.ndarray:
    """Channels weighed by their mean gradient and summed: equations 1 and 2 of the paper.

    Args:
        activations: float (h, w, K), a convolution's maps.
        gradient: float (h, w, K), of the score with respect to them.
        positive_only: whether to keep only what is above zero (the ReLU of equation 2).

    Returns:
        float32 (h, w).
    """
    weights = gradient.mean((0, 1), dtype=np.float64)
    values = (activations @ weights).astype(np.float32)
    return np.maximum(values, 0) if positive_only else values


def suits(model: "Model") -> str:
    """Why no map of the model can be read: a sentence, or "" where the card's layer has one of 6x6 or more."""
    layer = next((layer for layer in model.network.layers if layer.name == model.cam_layer), None)
    if layer is None or len(layer.output.shape) != 4:
        return f"The network has no maps at the layer {model.cam_layer!r}, which its card names."
    height, width = layer.output.shape[1:3]
    if min(height, width) < LEAST:
        return f"Its last maps have {height} x {width} places, too few to tell the parts of a face apart."
    return ""


def layer_at(model: "Model", detail: str) -> str:
    """The layer that a detail stands for.

    "coarse" is the card's layer; the others are the last layer whose map is at least two or four
    times as fine.

    Raises:
        ParameterError: the network has no map that fine.
    """
    if detail == "coarse":
        return model.cam_layer
    layers = model.network.layers
    wanted = DETAIL[detail] * model.network.get_layer(model.cam_layer).output.shape[1]
    names = [layer.name for layer in layers[1:] if len(layer.output.shape) == 4 and layer.output.shape[1] >= wanted]
    if not names:
        raise ParameterError(f"A map with detail {detail!r} exists in the network", model.name, "Choose 'coarse'")
    return names[-1]


def run(
    model: "Model", crop: np.ndarray, target: Target, params: Params, regions: np.ndarray | None = None
) -> np.ndarray:
    """Grad-CAM of one face, float32 (h, w) on the layer's grid.

    A network here ends in a global average and one dense layer, so that at "coarse" the full map
    (both signs) sums to the target's score less its bias: values are in logits and can be compared
    between models. Known criticism: the averaged gradient is not faithful to deeper layers'
    nonlinear use of a map (Draelos and Carin 2020, arXiv 2011.08891), which is why "medium" and
    "fine" say less; zero padding can light up a border.

    Source: Selvaraju et al. 2017, "Grad-CAM", arXiv 1610.02391.
    """
    compiled = gradients.maps_and_gradients(model, layer_at(model, params.detail))
    maps, gradient = compiled(crop[None, ..., None], target.weights)
    return weigh(maps.numpy()[0], gradient.numpy()[0], params.positive_only)


METHOD = Method(
    name="gradcam",
    title="Grad-CAM",
    summary="Where the network's last maps raise the target: coarse, but close to the decision.",
    Params=Params,
    run=run,
    signed=lambda params: not params.positive_only,
    suits=suits,
)
