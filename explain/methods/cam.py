"""What the class activation maps share: which layers they read, and how two of them become one sharper map."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from explain import scale
from explain.base import Target, choice
from explain.methods import gradients
from models.errors import ParameterError

if TYPE_CHECKING:
    from models.model import Model

FINER = {"coarse": 1, "medium": 2, "fine": 4}
"""A detail of one layer, and how many times finer its map is than the last one."""
DETAILS = (*FINER, "fused")
LEAST = 6
"""The smallest side of a map that can tell the parts of a face apart."""
TINY = 1e-12


def detail(options: tuple[str, ...] = DETAILS) -> Any:
    """The field of `Params` that chooses the layers."""
    fused = " Fused sharpens the coarse map by the medium one." if "fused" in options else ""
    return choice(
        "coarse",
        options,
        "Detail",
        "Which convolution is asked: the last one (coarse map, closest to the decision), or an earlier one "
        f"with a map twice or four times as fine, which shows smaller parts but says less about the emotion.{fused}",
    )


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
    """The layer that "coarse", "medium" or "fine" stands for.

    "coarse" is the card's layer; the others are the last layer whose map is at least two or four
    times as fine.

    Raises:
        ParameterError: the network has no map that fine.
    """
    if detail == "coarse":
        return model.cam_layer
    layers = model.network.layers
    wanted = FINER[detail] * model.network.get_layer(model.cam_layer).output.shape[1]
    names = [layer.name for layer in layers[1:] if len(layer.output.shape) == 4 and layer.output.shape[1] >= wanted]
    if not names:
        raise ParameterError(f"The network does not have a map of the detail {detail!r}", model.name, "Choose 'coarse'")
    return names[-1]


def read(
    model: "Model",
    crop: np.ndarray,
    target: Target,
    detail: str,
    weigh: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """The map of a detail, all its layers in one compiled pass.

    Args:
        model: an emotion model that `suits`.
        crop: float32 (H, W) in 0..1.
        target: what is explained.
        detail: one of `DETAILS`.
        weigh: activations and gradient of a layer, float32 (h, w, K) each -> its map, float32 (h, w).
            For "fused" the finer layer is weighed by `pointwise` instead.

    Returns:
        float32 (h, w); for "fused" on the medium layer's grid.

    Raises:
        ParameterError: the network has no map that fine.
    """
    details = ("coarse", "medium") if detail == "fused" else (detail,)
    compiled = gradients.maps_and_gradients(model, *(layer_at(model, name) for name in details))
    pairs = compiled(crop[None, ..., None], target.weights)
    (first, *finer) = [(activations.numpy()[0], gradient.numpy()[0]) for activations, gradient in pairs]
    return fuse(weigh(*first), *pointwise(*finer[0])) if finer else weigh(*first)


def pointwise(activations: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What raises and what lowers the score at each place: LayerCAM of the score, and of its negative.

    In an earlier layer the mean gradient of a channel says little, its gradient at a place more.

    Args:
        activations: float (h, w, K), a convolution's maps after its ReLU.
        gradient: float (h, w, K), of the score with respect to them.

    Returns:
        Two of float32 (h, w), both at least 0.

    Source: Jiang et al. 2021, "LayerCAM", doi 10.1109/TIP.2021.3089943.
    """
    parts = activations * gradient
    return np.maximum(parts, 0).sum(-1), np.maximum(-parts, 0).sum(-1)


def fuse(coarse: np.ndarray, favour: np.ndarray, against: np.ndarray) -> np.ndarray:
    """A coarse map sharpened by a finer one: Up(coarse) * fine / Up(Down(fine)).

    The last factor says where within a coarse place the finer map is stronger than around it: it is
    1 where the finer map is level, so that the coarse map keeps its say on where and how much. This
    is one step of Poly-CAM with other weights. What lies above zero in the coarse map is sharpened
    by what speaks for the target, what lies below by what speaks against it. Known criticism: what
    either layer misses is lost, an earlier layer knows edges rather than emotions and so draws
    them, and the map no longer sums to the score.

    Args:
        coarse: float32 (h, w).
        favour, against: float32 (H, W), H >= h and W >= w, at least 0.

    Returns:
        float32 (H, W), in the unit of the coarse map.

    Source: Englebert et al. 2022, "Poly-CAM", arXiv 2204.13359, with its local normalisation.
    """

    def sharpened(coarse: np.ndarray, fine: np.ndarray) -> np.ndarray:
        around = cv2.resize(fine, coarse.shape[::-1], interpolation=cv2.INTER_AREA)
        relative = fine / np.maximum(scale.resize(around, *fine.shape), TINY)
        return scale.resize(coarse, *fine.shape) * relative

    return sharpened(np.maximum(coarse, 0), favour) - sharpened(np.maximum(-coarse, 0), against)
