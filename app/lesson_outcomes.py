"""What comes out at the end of each lesson, computed with the networks and the tables that are in use."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from app import pipeline, text
from explain.base import Target
from models import photo, regions
from models.errors import WeightsError
from models.regions import REGIONS
from models.types import EMOTIONS, Face

EXAMPLES = Path(__file__).parents[1] / "examples"
GROUPS = {
    "the mouth": ("mouth",),
    "the eyes": ("left_eye", "right_eye"),
    "the eyebrows": ("left_brow", "right_brow"),
    "the nose": ("nose",),
    "the rest of the face": ("face",),
}
"""Parts as a lesson names them, by the regions that they are made of."""
ALIKE = 0.1
"""Shares of faces that differ by less count as about the same."""


@dataclass(frozen=True)
class LessonOutcome:
    """What came out.

    Attributes:
        answers: the options of the lesson that it bears out.
        told: in a sentence.
        heads: of a table's columns, the first of the rows' names.
        rows: of the table, as it is written.
        note: what must not be read into it.
    """

    answers: tuple[str, ...]
    told: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def smile() -> LessonOutcome:
    """Which part of the average happy face speaks most for happy."""
    values = _parts("composite_happy", "happy")
    means = {group: float(np.mean([each[group] for each in values.values()])) for group in GROUPS}
    first = max(means, key=lambda group: means[group])
    return LessonOutcome(
        (first,),
        f"On average over the networks, {first} speaks most for happy.",
        ("part", *(text.MODELS[name] for name in values)),
        tuple((group, *(f"{each[group]:+.1f}" for each in values.values())) for group in GROUPS),
        "Shapley values in logits, exact for eight parts that are hidden out of focus. The rest of the face, cheeks "
        "and chin, is by far the largest part. Another way of hiding, or another face, gives other numbers.",
    )


def tells_apart() -> LessonOutcome:
    """Which of two methods tells faces apart more often, by the tables of trust."""
    methods = {"Grad-CAM": "gradcam", "SHAP by gradients": "shap_gradient"}
    shares: dict[str, dict[str, float]] = {}
    for name in text.MODELS:
        rows = (pipeline.trust_table(name) or {"methods": {}})["methods"]
        if all(method in rows for method in methods.values()):
            shares[name] = {title: rows[method]["beats_other_faces"]["mean"] for title, method in methods.items()}
    if not shares:
        return LessonOutcome((), "This was not measured for the weights in use.", (), (), "")
    means = {title: float(np.mean([each[title] for each in shares.values()])) for title in methods}
    one, other = means.values()
    first = max(means, key=lambda title: means[title])
    alike = abs(one - other) < ALIKE
    return LessonOutcome(
        ("both about as often",) if alike else (first,),
        "Both do about as often." if alike else f"{first} does, on {text.share(means[first])} of the faces.",
        ("method", *(text.MODELS[name] for name in shares)),
        tuple((title, *(text.share(each[title]) for each in shares.values())) for title in methods),
        "Share of test faces on which the map does better than at least 95 % of the same method's maps of other faces.",
    )


def reasons() -> LessonOutcome:
    """On which part of the average sad face each network leans most."""
    values = _parts("composite_sad", "sad")
    first = {name: max(each, key=lambda group: each[group]) for name, each in values.items()}
    most = Counter(first.values()).most_common(1)[0][1]
    answer = {3: "all three", 2: "two of them"}.get(most, "each leans on another")
    return LessonOutcome(
        (answer,) if len(first) == len(text.MODELS) else (),
        text.listed([f"{text.MODELS[name]} leans most on {group}" for name, group in first.items()]) + ".",
        ("part", *(text.MODELS[name] for name in values)),
        tuple((group, *(f"{each[group]:+.1f}" for each in values.values())) for group in GROUPS),
        "Shapley values in logits. Compare the order in a column: a logit of one network is not that of another.",
    )


def overlooked() -> LessonOutcome:
    """Which emotion is found least often, by the networks' cards."""
    recall: dict[str, dict[str, float]] = {}
    for name in text.MODELS:
        try:
            found = pipeline.card(name).metrics.get("PrivateTest", {}).get("recall")
        except WeightsError:
            continue
        recall |= {name: found} if found else {}
    if not recall:
        return LessonOutcome((), "This was not measured for the weights in use.", (), (), "")
    means = {emotion: float(np.mean([each[emotion] for each in recall.values()])) for emotion in EMOTIONS}
    least = min(means, key=lambda emotion: means[emotion])
    return LessonOutcome(
        (least,),
        f"{least.capitalize()}: on average {text.share(means[least])} of the faces labelled so are found.",
        ("emotion", *(text.MODELS[name] for name in recall)),
        tuple((emotion, *(text.share(each[emotion]) for each in recall.values())) for emotion in EMOTIONS),
        "Share found of the faces that FER2013 labels so. By age, gender or skin nothing was measured: the data names "
        "none.",
    )


OUTCOMES: dict[str, Callable[[], LessonOutcome]] = {
    "smile": smile,
    "map": tells_apart,
    "three": reasons,
    "wrong": overlooked,
}
"""By the name of the lesson."""


def example(name: str) -> Path:
    """The file of an example picture by its name."""
    return next(path for path in EXAMPLES.iterdir() if path.stem == name and path.suffix in (".jpg", ".png"))


@cache
def _face(name: str) -> Face:
    return pipeline.faces_in(photo.read(example(name)))[0]


def _parts(name: str, emotion: str) -> dict[str, dict[str, float]]:
    """The Shapley values of the parts of an example's face for an emotion, in logits, by network."""
    face, target = _face(name), Target(EMOTIONS.index(emotion))
    masks = regions.masks(face.crop_keypoints, face.crop.shape[0])
    found = {}
    for model in pipeline.predictions_for([face]):
        values = pipeline.explain(model, face, target, "shap_regions").values
        sums = dict(zip(REGIONS, (float(values[mask].sum()) for mask in masks), strict=True))
        found[model] = {group: sum(sums[part] for part in parts) for group, parts in GROUPS.items()}
    return found
