"""Explanations by name."""

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from explain import scale
from explain.base import Explanation, Method, Parameters, Target
from explain.methods import (
    gradcam,
    gradcam_plus_plus,
    integrated_gradients,
    occlusion,
    rise,
    saliency,
    scorecam,
    shap_gradient,
    shap_partition,
    shap_regions,
    smoothgrad,
)
from models import regions
from models.errors import ParameterError, UnknownNameError, UnsuitableMethodError
from models.types import Face

if TYPE_CHECKING:
    from models.model import Model

METHODS: dict[str, Method] = {
    module.METHOD.name: module.METHOD
    for module in (
        gradcam,
        gradcam_plus_plus,
        scorecam,
        saliency,
        smoothgrad,
        integrated_gradients,
        shap_gradient,
        shap_partition,
        shap_regions,
        occlusion,
        rise,
    )
}


def find(name: str) -> Method:
    """A method by its name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in METHODS:
        raise UnknownNameError(
            "The name of the method of explanation is unknown", repr(name), f"Use one of {', '.join(METHODS)}"
        )
    return METHODS[name]


def suitable(model: "Model") -> dict[str, str]:
    """Every method's name, with a sentence on why it cannot explain the model, or "" where it can."""
    return {name: method.suits(model) for name, method in METHODS.items()}


def explain(
    model: "Model",
    face: Face,
    target: Target,
    method: str,
    params: Parameters | Mapping[str, Any] | None = None,
) -> Explanation:
    """Explain a model's answer for a face.

    Args:
        model: an emotion model.
        face: with its keypoints where the method needs regions.
        target: what to explain.
        method: a key of `METHODS`.
        params: the method's own `Params`, or plain JSON values by name; None for the defaults.

    Returns:
        An Explanation whose values lie on the crop's grid.

    Raises:
        UnknownNameError: no such method or parameter.
        UnsuitableMethodError: the method cannot explain this model.
        ParameterError: a parameter is wrong, or the face has no keypoints where they are needed.
    """
    chosen = find(method)
    if not isinstance(params, chosen.Params):
        params = chosen.Params.from_json(params.to_json() if isinstance(params, Parameters) else params)
    if reason := chosen.suits(model):
        others = ", ".join(name for name, against in suitable(model).items() if not against)
        raise UnsuitableMethodError(
            "The method cannot explain this model",
            f"{chosen.title} for {model.name!r}",
            f"{reason} Use one of {others}",
        )
    parts = []
    if chosen.needs_regions:
        if face.keypoints is None:
            raise ParameterError(
                f"{chosen.title} cannot explain a face without keypoints", "no keypoints", "Read the keypoints first"
            )
        parts = [regions.masks(face.crop_keypoints, face.crop.shape[0])]
    started = perf_counter()
    values = chosen.run(model, face.crop, target, params, *parts)
    seconds = perf_counter() - started
    values = scale.resize(np.asarray(values, np.float32), *face.crop.shape)
    return Explanation(method, model.name, target, values, chosen.signed(params), params, seconds)


def warm(model: "Model") -> None:
    """Run every method that suits the model once, so that the first visitor does not wait for compilation."""
    from explain.methods.background import mean_face

    crop = mean_face()
    rows = np.arange(crop.shape[0]) * 8 // crop.shape[0]
    parts = np.broadcast_to((rows == np.arange(8)[:, None])[:, :, None], (8, *crop.shape))
    for method in METHODS.values():
        if not method.suits(model):
            method.run(model, crop, Target(0), method.Params(**method.quick), *[parts] * method.needs_regions)
