"""Score-CAM: show the model only what one of its own maps lights up, and see how sure it gets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain import cam, gradients, scale
from explain.base import Method, Parameters, Target, number, switch

if TYPE_CHECKING:
    from models.model import Model

TINY = 1e-7


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of Score-CAM."""

    detail: str = cam.detail(tuple(cam.FINER))
    channels: int = number(
        64, 16, 512, 16, "Channels", "How many of the layer's maps are tried, the most varied first: more are slower."
    )
    positive_only: bool = switch(
        True, "Only what speaks for it", "Hide what speaks against the target, as in the paper; off shows both."
    )


def most_varied(activations: np.ndarray, channels: int) -> np.ndarray:
    """The channels with the largest standard deviation over their map, int (min(channels, K),), largest first."""
    spread = activations.std((0, 1), dtype=np.float64)
    return np.argsort(-spread, kind="stable")[:channels]


def windows(activations: np.ndarray, height: int, width: int) -> np.ndarray:
    """Every channel as a mask on the crop's grid: enlarged, then stretched to 0..1, as in the paper.

    Args:
        activations: float (h, w, K).

    Returns:
        float32 (K, height, width); a flat channel is all zero.
    """
    enlarged = np.stack([scale.resize(channel, height, width) for channel in np.moveaxis(activations, -1, 0)])
    lowest, highest = enlarged.min((1, 2), keepdims=True), enlarged.max((1, 2), keepdims=True)
    return ((enlarged - lowest) / (highest - lowest + TINY)).astype(np.float32)


def weigh(activations: np.ndarray, increase: np.ndarray, positive_only: bool) -> np.ndarray:
    """Channels weighed by the paper's channel-wise increase of confidence and summed.

    Args:
        activations: float (h, w, K), a convolution's maps.
        increase: float (K,), the score with a channel's window less that of a black picture.
        positive_only: whether to keep only what is above zero.

    Returns:
        float32 (h, w).
    """
    values = (activations @ increase.astype(np.float64)).astype(np.float32)
    return np.maximum(values, 0) if positive_only else values


def run(
    model: "Model", crop: np.ndarray, target: Target, params: Params, regions: np.ndarray | None = None
) -> np.ndarray:
    """Score-CAM of one face, float32 (h, w) on the layer's grid, in logits times activation.

    No gradient decides: every channel's map is laid over the face as a window, and its weight is
    how far the target's score rises above that of a black picture. The increases weigh the channels
    as they are; a softmax over the channels, which the paper's listing adds, would mark places even
    for a model that sees nothing. Only the most varied
    channels are tried, an idea of Faster Score-CAM, in one batch. tf-keras-vis does the same with
    probabilities in place of logits, and takes 12 s for the 512 channels of VGG16. Known criticism:
    a face seen through a window on black is none the model was trained on; sizes depend on how
    strong a model's maps are, so that shapes can be compared between models but sizes cannot.

    Raises:
        ParameterError: the network has no map that fine.

    Source: Wang et al. 2020, "Score-CAM", arXiv 1910.01279.
    """
    compiled = gradients.maps_and_gradients(model, cam.layer_at(model, params.detail))
    [(maps, _)] = compiled(crop[None, ..., None], target.weights)
    activations = maps.numpy()[0]
    activations = activations[..., most_varied(activations, params.channels)]
    seen = windows(activations, *crop.shape) * crop
    scores = model.logits(np.concatenate([seen, np.zeros_like(crop)[None]])) @ target.weights
    return weigh(activations, scores[:-1] - scores[-1], params.positive_only)


METHOD = Method(
    name="scorecam",
    title="Score-CAM",
    summary="Shows the model the face through each of its own maps and weighs them by how sure it gets.",
    Params=Params,
    run=run,
    signed=lambda params: not params.positive_only,
    suits=cam.suits,
    quick={"channels": 16},
)
