"""One network opened on one face, for one emotion."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Target
from explain.inside.architecture import Stage, linear_head, stages
from explain.inside.gradcam_steps import GradCamSteps, gradcam_steps
from explain.inside.path import Path, path
from explain.inside.receptive_field import ReceptiveField, receptive_field
from explain.methods import gradients

if TYPE_CHECKING:
    import keras

    from models.model import Model

SHOWN = 6
"""Maps of a stage that are shown."""


@dataclass(frozen=True, eq=False)
class OpenedStage:
    """What a stage makes of a face.

    Attributes:
        stage: what it is.
        field: what its cells see.
        strongest: int (n,), its maps with the highest mean, the highest first.
        maps: float32 (n, h, w), their activations.
        parts: float32 (h, w), what each cell adds to the score: its activations times their gradients, summed over
            the channels.
        exact: whether the parts and the bias add up to the score; else they tell what happens for a small change.
    """

    stage: Stage
    field: ReceptiveField
    strongest: np.ndarray
    maps: np.ndarray
    parts: np.ndarray
    exact: bool


@dataclass(frozen=True, eq=False)
class Opened:
    """A network opened on a face.

    Attributes:
        model: the network's name.
        target: whose score is meant.
        score: of the target, in logits.
        bias: what the score would be if the last maps were dark.
        stages: from the picture on.
        gradcam: how Grad-CAM is made of the last of them.
        path: from the average face to this one.
    """

    model: str
    target: Target
    score: float
    bias: float
    stages: list[OpenedStage]
    gradcam: GradCamSteps
    path: Path


def opened(model: "Model", crop: np.ndarray, target: Target) -> Opened:
    """Open a network on a face: one pass forward and backward for all stages, and the path.

    Args:
        model: an emotion model.
        crop: float32 (H, W) in 0..1.
        target: what is explained.

    Raises:
        ParameterError: see `receptive_field`.
    """
    network = model.network
    found = stages(network)
    compiled = gradients.maps_and_gradients(model, *(stage.layer for stage in found))
    pairs = [(maps.numpy()[0], slope.numpy()[0]) for maps, slope in compiled(crop[None, ..., None], target.weights)]
    at = [stage.layer for stage in found].index(model.cam_layer)
    bias = np.asarray(network.get_layer("logits").bias) @ target.weights
    way = path(model, crop, target)
    return Opened(
        model=model.name,
        target=target,
        score=float(way.scores[-1]),
        bias=float(bias),
        stages=[_opened(network, stage, *pair) for stage, pair in zip(found, pairs, strict=True)],
        gradcam=gradcam_steps(*pairs[at], crop.shape[0]),
        path=way,
    )


def _opened(network: "keras.Model", stage: Stage, maps: np.ndarray, slope: np.ndarray) -> OpenedStage:
    strongest = np.argsort(-maps.mean((0, 1)), kind="stable")[:SHOWN]
    return OpenedStage(
        stage=stage,
        field=receptive_field(network, stage.layer),
        strongest=strongest,
        maps=np.moveaxis(maps[..., strongest], -1, 0).astype(np.float32),
        parts=(maps * slope).sum(-1).astype(np.float32),
        exact=linear_head(network, stage.layer),
    )
