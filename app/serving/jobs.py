"""What an engine computes, as plain functions of picklable things: the same here and on another machine."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from app.serving import reports
from explain import control_maps, interactions, reference, registry, trust
from explain.base import Explanation, Parameters, Target
from explain.inside import opened as inside
from explain.inside.opened import Opened
from explain.interactions import Interactions
from explain.metrics import randomisation
from explain.metrics.randomisation import Shaken
from explain.reference import Reference
from explain.trust import TrustResult
from models import ensemble, zoo
from models.card import Card
from models.ensemble import Ensemble
from models.types import Face

REFERENCES = ("gradcam", "shap_regions")
"""The methods that the trust reading compares a map with."""


@cache
def together(versions: tuple[tuple[str, str], ...]) -> Ensemble:
    """What was measured of several models together, see `models.ensemble.read`.

    Args:
        versions: by model, the version that answers.

    Raises:
        UnknownNameError, WeightsError: there is no such model, or no such version.
    """
    asked = [zoo.load(name, version) for name, version in versions]
    return ensemble.read(asked[0].located.folder.parent, [model.card for model in asked])


def card(name: str, version: str = "") -> Card:
    """The card of a version of a model.

    Raises:
        UnknownNameError, WeightsError: there is no such model, or no such version.
    """
    return zoo.load(name, version).card


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


def opened(name: str, face: Face, target: Target, version: str = "") -> Opened:
    """A model opened on a face, see `explain.inside.opened.opened`."""
    return inside.opened(zoo.load(name, version), face.crop, target)


def tested(face: Face, explanation: Explanation, version: str = "") -> TrustResult:
    """Which tests an explanation survives, see `explain.trust.read`; beside no map of another method or model.

    It is compared with maps of other faces where they are of the same network and the method's default parameters, and
    where it explains the network's own answer, as they do.

    Args:
        face: the face that was explained, with its keypoints.
        explanation: of this face.
        version: of the model that was explained.
    """
    model, method = zoo.load(explanation.model, version), registry.find(explanation.method)
    maps = control_maps.read(model.located.folder, model.card.sha256).get(method.name)
    own = Target(int(model.logits(face.crop[None])[0].argmax()))
    if explanation.params != method.Params() or explanation.target != own:
        maps = None
    return trust.read(
        model,
        face,
        explanation,
        other_faces=None if maps is None else control_maps.compared(maps, face),
        blind=reports.blind(reports.trust(model.located, model.card.sha256), method.name),
    )


def beside(face: Face, explanation: Explanation, result: TrustResult, version: str = "") -> TrustResult:
    """A reading of an explanation with its agreement with the maps of `REFERENCES` and of the other models.

    Args:
        face, explanation, version: see `tested`.
        result: what `tested` answered.
    """
    model, target, method = zoo.load(explanation.model, version), explanation.target, explanation.method
    suitable = registry.suitable(model)
    methods = [name for name in REFERENCES if name != method and not suitable[name]]
    others = [zoo.load(name) for name in zoo.available() if name != explanation.model]
    others = [other for other in others if not registry.suitable(other)[method]]
    params = explanation.params
    maps = {name: registry.explain(model, face, target, name) for name in methods}
    of_others = {other.name: registry.explain(other, face, target, method, params) for other in others}
    return replace(
        result,
        between_methods={name: trust.compare(explanation, other) for name, other in maps.items()},
        between_models={name: trust.compare(explanation, other) for name, other in of_others.items()},
    )


def average_shares(name: str, method: str, version: str = "") -> dict[str, dict[str, float]] | None:
    """What each part of the face holds on average in a method's maps, see `reports.average_shares`."""
    model = zoo.load(name, version)
    return reports.average_shares(reports.trust(model.located, model.card.sha256), method)


def by_other_library(face: Face, explanation: Explanation, version: str = "") -> Reference:
    """The map of an explanation made by another library, see `explain.reference.read`."""
    return reference.read(zoo.load(explanation.model, version), face, explanation)


def shaken(face: Face, explanation: Explanation, count: int, version: str = "") -> Shaken:
    """The map of an explanation after some stages of layers were randomised, see `randomisation.shaken`."""
    return randomisation.shaken(zoo.load(explanation.model, version), face, explanation, count)


def interacting(face: Face, explanation: Explanation, version: str = "") -> Interactions:
    """What the parts of a face are worth alone and together for what was explained, see `explain.interactions.read`."""
    fill = getattr(explanation.params, "baseline", interactions.FILLS[0])
    return interactions.read(zoo.load(explanation.model, version), face, explanation.target, fill)
