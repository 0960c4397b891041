"""How Grad-CAM is made, one step after the other."""

from dataclasses import dataclass

import numpy as np

from explain import scale


@dataclass(frozen=True, eq=False)
class GradCamSteps:
    """The steps of Grad-CAM on one face.

    Attributes:
        shown: int (n,), the channels that add most to the map, or take most from it, the strongest first.
        maps: float32 (n, h, w), their activations.
        weights: float32 (n,), by how much each is weighed: its gradient, averaged over the cells.
        channels: how many channels there are in all.
        total: float32 (h, w), the sum of all channels times their weights.
        positive: float32 (h, w), the same less what lies below zero.
        enlarged: float32 (H, W), the same on the picture's grid: the map that Explain shows.
    """

    shown: np.ndarray
    maps: np.ndarray
    weights: np.ndarray
    channels: int
    total: np.ndarray
    positive: np.ndarray
    enlarged: np.ndarray


def gradcam_steps(activations: np.ndarray, gradient: np.ndarray, side: int, count: int = 3) -> GradCamSteps:
    """Equations 1 and 2 of Grad-CAM, step by step.

    Args:
        activations: float (h, w, K), a convolution's maps.
        gradient: float (h, w, K), of the score with respect to them.
        side: of the picture in pixels.
        count: how many channels are shown.

    Source: Selvaraju et al. 2017, "Grad-CAM", arXiv 1610.02391.
    """
    weights = gradient.mean((0, 1), dtype=np.float64)
    total = (activations @ weights).astype(np.float32)
    positive = np.maximum(total, 0)
    part = np.abs(weights * activations.mean((0, 1)))
    shown = np.argsort(-part, kind="stable")[:count]
    return GradCamSteps(
        shown=shown,
        maps=np.moveaxis(activations[..., shown], -1, 0).astype(np.float32),
        weights=weights[shown].astype(np.float32),
        channels=activations.shape[-1],
        total=total,
        positive=positive,
        enlarged=scale.resize(positive, side, side),
    )
