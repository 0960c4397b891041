"""What an engine computes, as plain functions of picklable things: the same here and on another machine."""

from collections.abc import Mapping
from typing import Any

from explain import registry, trust
from explain.base import Explanation, Parameters, Target
from explain.trust import TrustReading
from models import zoo
from models.types import Face

REFERENCES = ("gradcam", "shap_regions")
"""The methods that the trust reading compares a map with."""


def unsuitable(name: str, method: str, version: str = "") -> str:
    """Why a method cannot explain a model; "" where it can.

    Raises:
        UnknownNameError, WeightsError: there is no such method, or no such model.
    """
    return registry.find(method).suits(zoo.load(name, version))


def explain(
    name: str,
    face: Face,
    target: Target,
    method: str,
    params: Parameters | Mapping[str, Any] | None = None,
    version: str = "",
) -> Explanation:
    """Why a model answers as it does, see `explain.registry.explain`."""
    return registry.explain(zoo.load(name, version), face, target, method, params)


def trusted(face: Face, explanation: Explanation, version: str = "") -> TrustReading:
    """How far an explanation can be trusted, beside the maps of other methods and of the other models.

    Args:
        face: the face that was explained, with its keypoints.
        explanation: of this face.
        version: of the model that was explained.
    """
    model, target, method = zoo.load(explanation.model, version), explanation.target, explanation.method
    suitable = registry.suitable(model)
    references = [name for name in REFERENCES if name != method and not suitable[name]]
    others = [zoo.load(name) for name in zoo.available() if name != explanation.model]
    return trust.read(
        model,
        face,
        explanation,
        other_methods=[registry.explain(model, face, target, name) for name in references],
        other_models=[
            registry.explain(other, face, target, method, explanation.params)
            for other in others
            if not registry.suitable(other)[method]
        ],
    )
