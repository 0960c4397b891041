"""What the Lab and the API both do with an experiment: ask every model before and after, and hold its heatmap to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from app import answers, lab_words, reading
from app.donors import DONORS
from explain import registry
from explain.base import Explanation, Parameters, Target
from explain.lab.apply import Changed, apply, elsewhere, random_patch, uncovered
from explain.lab.counterfactual import Counterfactual, counterfactual
from explain.lab.forecast import Forecast, predicted
from explain.lab.steps import Experiment
from models import regions, zoo
from models.regions import REGIONS
from models.types import EMOTIONS, Face, Prediction

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
        forecast: what its heatmap of the face as it was says about the hidden area.
        random: float32 (PATCHES,), the target's probability with a random patch hidden instead of
            the area, one a seed; empty where nothing is hidden.
        transplant: whether the area shows another face, about which the heatmap says nothing.
        verdict: "right" where the heatmap expected the area to matter more, or less, than a random
            patch, and it does; "wrong" where it does not; "open" where neither moves the answer;
            "" where the heatmap expects nothing.
    """

    before: Prediction
    after: Prediction
    alone: Prediction
    forecast: Forecast
    random: np.ndarray
    transplant: bool
    verdict: str = ""


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
    method: str = "gradcam",
    emotion: str = "",
    params: Parameters | Mapping[str, Any] | None = None,
    maps: Mapping[tuple[str, int], Explanation] | None = None,
    versions: Mapping[str, str] | None = None,
) -> Outcome:
    """Do an experiment on a face and ask every model, one batch a model.

    Args:
        face: with its keypoints.
        experiment: what to do.
        method: whose heatmap is held to it.
        emotion: which one is watched; "" for the one with the highest mean probability on the face as it was.
        params: the method's.
        maps: heatmaps of this face by model and emotion's index that need not be made again.
        versions: of the models by name; the active one of those that are left out.

    Raises:
        UnknownNameError, ParameterError: a name or a value that does not exist.
    """
    started = perf_counter()
    registry.find(method)
    changed = apply(experiment, face.crop, face.crop_keypoints, DONORS)
    hides, bare = changed.touched.any(), uncovered(experiment)
    asked = [Experiment(), experiment]
    if hides:
        on_face = ~regions.masks(face.crop_keypoints)[REGIONS.index("background")]
        patches = [random_patch(changed.touched, seed, on_face) for seed in range(PATCHES)]
        asked += [bare] * bool(bare.steps) + [elsewhere(experiment, patch) for patch in patches]
    crops = np.stack([apply(each, face.crop, face.crop_keypoints, DONORS).crop for each in asked])
    asked_of = {name: zoo.load(name, (versions or {}).get(name, "")) for name in zoo.available()}
    told = {name: model.answers(model.logits(crops)) for name, model in asked_of.items()}
    target = reading.common_target(emotion, "", {name: said[0] for name, said in told.items()})
    transplant = any(step.transplants for step in experiment.steps)
    made, models = {}, {}
    for name, said in told.items():
        known = (maps or {}).get((name, target.emotion))
        made[name] = known or registry.explain(asked_of[name], face, target, method, params)
        forecast = predicted(made[name], changed.touched)
        alone = said[asked.index(bare) if hides else 1]
        random = [answer.probabilities[target.emotion] for answer in said[-PATCHES:]] if hides else []
        tried = Tried(said[0], said[1], alone, forecast, np.array(random, np.float32), transplant)
        models[name] = replace(tried, verdict=verdict(tried, target))
    return Outcome(face, experiment, target, changed, made, models, perf_counter() - started)


def verdict(tried: Tried, target: Target) -> str:
    """Whether a heatmap was right, see `Tried`.

    Probabilities are compared, for they are what visitors see; where a model is so sure that nothing
    moves them, the answer is "open". One face proves nothing about a method.
    """
    if tried.forecast.expects not in ("more", "less") or tried.transplant or not len(tried.random):
        return ""
    start = tried.alone.probabilities[target.emotion]
    cost, usual = start - tried.after.probabilities[target.emotion], start - tried.random.mean()
    if abs(cost) < MOVED and abs(usual) < MOVED:
        return "open"
    lead = cost - usual if tried.forecast.expects == "more" else usual - cost
    return "right" if lead >= MOVED else "wrong"


def smallest(
    face: Face, baseline: str = "mean face", versions: Mapping[str, str] | None = None
) -> dict[str, Counterfactual | None]:
    """By model, the smallest set of face parts that, hidden, changes its answer; None where there is none.

    Args:
        face: with its keypoints.
        baseline: what parts show that are hidden.
        versions: see `run`.
    """
    masks = regions.masks(face.crop_keypoints)
    asked_of = {name: zoo.load(name, (versions or {}).get(name, "")) for name in zoo.available()}
    return {name: counterfactual(model, face.crop, masks, baseline) for name, model in asked_of.items()}


# -------------------------------------------------------------------------- JSON


class Predicted(TypedDict):
    share: float
    opposing: float
    area: float
    drop: float | None
    expects: str


class RandomPatches(TypedDict):
    mean: float | None
    probabilities: list[float]


class SmallestChange(TypedDict):
    found: bool
    regions: list[str]
    emotion: str
    drop: float
    ties: int


class TriedModel(TypedDict):
    before: answers.Answer
    after: answers.Answer
    without_hiding: answers.Answer
    predicted: Predicted
    random: RandomPatches
    verdict: str
    words: str
    smallest_change: SmallestChange | None


class LabReading(TypedDict):
    emotion: str
    method: str
    experiment: dict
    link: str
    hidden: float
    crop: list[list[float]] | None
    models: list[TriedModel]
    seconds: float


def answer(outcome: Outcome, found: Mapping[str, Counterfactual | None] | None = None) -> LabReading:
    """An outcome as JSON.

    Args:
        outcome: what `run` returned.
        found: what `smallest` returned; None where it was not asked for.
    """
    return {
        "emotion": EMOTIONS[outcome.target.emotion],
        "method": next(iter(outcome.maps.values())).method,
        "experiment": outcome.experiment.to_json(),
        "link": f"?lab={outcome.experiment.code}",
        "hidden": float(outcome.changed.touched.mean()),
        "crop": outcome.changed.crop.astype(float).round(4).tolist(),
        "models": [_tried(name, outcome, found) for name in outcome.models],
        "seconds": outcome.seconds,
    }


def answer_for(
    face: Face,
    experiment: str | Mapping[str, Any],
    method: str = "gradcam",
    emotion: str = "",
    params: Mapping[str, Any] | None = None,
    smallest_change: bool = False,
    fill: str = "mean face",
) -> LabReading:
    """The whole of the Lab for a program: an experiment as JSON in, what happened as JSON out.

    Args:
        face: with its keypoints.
        experiment: see `Experiment.from_json`.
        method, emotion, params: see `run`.
        smallest_change: also search the smallest set of parts that changes each answer.
        fill: what parts show that are hidden in that search.

    Raises:
        UnknownNameError, ParameterError: a name or a value that does not exist.
    """
    outcome = run(face, Experiment.from_json(experiment), method, emotion, params)
    return answer(outcome, smallest(face, fill) if smallest_change else None)


def _tried(name: str, outcome: Outcome, found: Mapping[str, Counterfactual | None] | None) -> TriedModel:
    tried = outcome.models[name]
    forecast = tried.forecast
    return {
        "before": answers.answer(tried.before),
        "after": answers.answer(tried.after),
        "without_hiding": answers.answer(tried.alone),
        "predicted": {
            "share": forecast.share,
            "opposing": forecast.opposing,
            "area": forecast.area,
            "drop": forecast.drop,
            "expects": "" if forecast.expects is None or tried.transplant else forecast.expects,
        },
        "random": {
            "mean": float(tried.random.mean()) if len(tried.random) else None,
            "probabilities": tried.random.astype(float).tolist(),
        },
        "verdict": tried.verdict,
        "words": lab_words.told(outcome.maps[name], tried),
        "smallest_change": None if found is None else _smallest(found[name]),
    }


def _smallest(found: Counterfactual | None) -> SmallestChange:
    if found is None:
        return {"found": False, "regions": [], "emotion": "", "drop": 0.0, "ties": 0}
    return {
        "found": True,
        "regions": list(found.regions),
        "emotion": EMOTIONS[found.after],
        "drop": found.drop,
        "ties": found.ties,
    }
