"""An experiment asked of every model: its answers before and after, and its heatmap held to them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from explain import registry
from explain.base import Explanation, Parameters, Target, common_target
from explain.lab.apply import Changed, SourceFace, apply, elsewhere, random_patch, uncovered
from explain.lab.counterfactual import Counterfactual, counterfactual
from explain.lab.forecast import Forecast, predicted
from explain.lab.steps import Experiment
from models import regions, zoo
from models.regions import REGIONS
from models.types import Face, Prediction

PATCHES = 8
"""Random patches that a hidden area is compared with."""
MOVED = 0.02
"""Probabilities that differ by less do not count as different."""


@dataclass(frozen=True, eq=False)
class Tried:
    """What an experiment did to one model's answer.

    Attributes:
        before, after: its answers for the face as it was and as it is.
        alone: its answer for the face with the same experiment less the steps that hide something.
        forecast: what its heatmap of the face as it was says about the hidden area beside the random patches.
        random: float32 (PATCHES,), the target's probability with a random patch hidden instead of
            the area, one a seed; empty where nothing is hidden.
        swapped: whether the area shows another face, about which the heatmap says nothing.
        verdict: "right" where the heatmap expected the area to matter more, or less, than a random
            patch, and it does; "wrong" where it does not; "open" where neither moves the answer;
            "" where the heatmap expects nothing.
    """

    before: Prediction
    after: Prediction
    alone: Prediction
    forecast: Forecast
    random: np.ndarray
    swapped: bool
    verdict: str = ""

    def costs_more(self, target: Target) -> int:
        """How many of the random patches cost the target less than the area does."""
        return int((self.random > self.after.probabilities[target.emotion]).sum())


@dataclass(frozen=True, eq=False)
class Outcome:
    """An experiment on a face.

    Attributes:
        face: as it was.
        experiment: what was done.
        target: the emotion that is watched.
        changed: the face afterwards.
        maps: by model, the heatmap of the face as it was.
        models: by model, what happened.
        seconds: how long it took.
    """

    face: Face
    experiment: Experiment
    target: Target
    changed: Changed
    maps: dict[str, Explanation]
    models: dict[str, Tried]
    seconds: float


def run(
    face: Face,
    experiment: Experiment,
    sources: Mapping[str, SourceFace],
    method: str,
    emotion: str,
    params: Parameters | Mapping[str, Any] | None,
    maps: Mapping[tuple[str, int], Explanation] | None,
    versions: Mapping[str, str] | None,
) -> Outcome:
    """Do an experiment on a face and ask every model, one batch a model.

    Args:
        face: with its keypoints.
        experiment: what to do.
        sources: the faces that it shows parts of, by name.
        method: whose heatmap is held to it.
        emotion: which one is watched; "" for the one with the highest mean probability on the face as it was.
        params: the method's.
        maps: heatmaps of this face by model and emotion's index that need not be made again.
        versions: of the models by name; the active one of those that are left out.

    Raises:
        UnknownNameError, ParameterError: a name or a value that does not exist.
    """
    started = perf_counter()
    changed = apply(experiment, face.crop, face.crop_keypoints, sources)
    hides, bare = changed.touched.any(), uncovered(experiment)
    variants = [Experiment(), experiment]
    patches: list[np.ndarray] = []
    if hides:
        on_face = ~regions.masks(face.crop_keypoints)[REGIONS.index("background")]
        patches = [random_patch(changed.touched, seed, on_face) for seed in range(PATCHES)]
        variants += [bare] * bool(bare.steps) + [elsewhere(experiment, patch) for patch in patches]
    crops = np.stack([apply(each, face.crop, face.crop_keypoints, sources).crop for each in variants])
    models_asked = {name: zoo.load(name, (versions or {}).get(name, "")) for name in zoo.available()}
    predictions = {name: model.predictions(model.logits(crops)) for name, model in models_asked.items()}
    target = common_target(emotion, "", {name: of_model[0] for name, of_model in predictions.items()})
    swapped = any(step.shows_another_face for step in experiment.steps)
    explanations, models = {}, {}
    for name, of_model in predictions.items():
        known = (maps or {}).get((name, target.emotion))
        explanations[name] = known or registry.explain(models_asked[name], face, target, method, params)
        forecast = predicted(explanations[name], changed.touched, patches)
        alone = of_model[variants.index(bare) if hides else 1]
        random = [answer.probabilities[target.emotion] for answer in of_model[-PATCHES:]] if hides else []
        tried = Tried(of_model[0], of_model[1], alone, forecast, np.array(random, np.float32), swapped)
        models[name] = replace(tried, verdict=verdict(tried, target))
    return Outcome(face, experiment, target, changed, explanations, models, perf_counter() - started)


def verdict(tried: Tried, target: Target) -> str:
    """Whether a heatmap was right, see `Tried`.

    Probabilities are compared, for they are what visitors see; where a model is so sure that nothing
    moves them, or hiding the area costs about as much as hiding random patches, the answer is "open". One face proves
    nothing about a method.
    """
    if tried.forecast.expects not in ("more", "less") or tried.swapped or not len(tried.random):
        return ""
    start = tried.alone.probabilities[target.emotion]
    cost, usual = start - tried.after.probabilities[target.emotion], start - tried.random.mean()
    lead = cost - usual if tried.forecast.expects == "more" else usual - cost
    if abs(lead) < MOVED:
        return "open"
    return "right" if lead > 0 else "wrong"


def smallest(
    face: Face, baseline: str = "mean face", versions: Mapping[str, str] | None = None
) -> dict[str, Counterfactual | None]:
    """By model, the fewest face parts that, hidden, change its answer; None where there are none.

    Args:
        face: with its keypoints.
        baseline: what parts show that are hidden.
        versions: see `run`.
    """
    masks = regions.masks(face.crop_keypoints)
    models_asked = {name: zoo.load(name, (versions or {}).get(name, "")) for name in zoo.available()}
    return {name: counterfactual(model, face.crop, masks, baseline) for name, model in models_asked.items()}
