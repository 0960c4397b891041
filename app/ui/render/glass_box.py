"""The readable model as HTML: what it says, its terms as bars, and what they become when measures are moved."""

import logging
from typing import Any

import numpy as np

from app import glass_text, pipeline, text
from app.ui.render.html import fill
from explain.base import Target
from models import glass_box
from models.errors import FaceWhyError
from models.geometry import MEASURES
from models.glass_box import GlassBox, Reading
from models.types import EMOTIONS, Face

SHOWN = 10
"""Terms that are shown at once."""

log = logging.getLogger(__name__)


def read(face: Face) -> Reading | None:
    """What it says of a face; None where it cannot be used, which is logged."""
    try:
        return pipeline.read_glass_box(face)
    except FaceWhyError as error:
        log.error("the glass box cannot be used: %s", error)
        return None


def panel(face: Face) -> str:
    """What it says, its three strongest reasons, and how often it is right; "" where it cannot be used."""
    if (reading := read(face)) is None:
        return ""
    box = glass_box.shipped()
    return fill(
        "glass_box",
        answer=glass_text.answer(reading),
        reasons=_reasons(box, reading, reading.contributions[:, reading.top]),
        emotion=reading.emotion,
        accuracy=glass_text.accuracy(box),
        never=glass_text.never(box),
    )


def column(face: Face, target: Target) -> str:
    """All its terms for what is explained, as bars; "" where it cannot be used."""
    if (reading := read(face)) is None:
        return ""
    box = glass_box.shipped()
    of, start = (_scores(numbers, target) for numbers in (reading.contributions, box.intercept))
    terms = bars(box, reading, of, short=True)
    return fill(
        "glass_column",
        answer=glass_text.answer(reading),
        target=target.name,
        strongest=terms[:SHOWN],
        others=terms[SHOWN:],
        start=glass_text.points(float(start)),
        score=glass_text.points(float(start + of.sum())),
    )


def moved(reading: Reading, before: Reading) -> str:
    """What it says once measures were moved by hand, beside what it said of the face."""
    box = glass_box.shipped()
    rows = [
        {"emotion": emotion, "before": float(one), "after": float(other), "told": text.percent(other)}
        for emotion, one, other in zip(EMOTIONS, before.probabilities, reading.probabilities, strict=True)
    ]
    return fill(
        "glass_moved",
        before=text.ADJECTIVES[before.emotion],
        after=text.ADJECTIVES[reading.emotion],
        rows=rows,
        emotion=reading.emotion,
        top=reading.top,
        bars=bars(box, reading, reading.contributions[:, reading.top])[:SHOWN],
    )


def bars(box: GlassBox, reading: Reading, of: np.ndarray, short: bool = False) -> list[dict[str, Any]]:
    """The terms, the strongest first.

    Args:
        box: the model.
        reading: what it says of a face.
        of: float (20,), what each measure adds.
        short: leave out what a measure is counted in.
    """
    order = np.argsort(-np.abs(of), kind="stable")
    most = max(float(np.abs(of).max()), 1e-9)
    return [
        {
            "label": MEASURES[index].label,
            "state": glass_text.difference(box, reading, int(index), short),
            "amount": glass_text.points(of[index]),
            "share": abs(float(of[index])) / most / 2,
            "supports": bool(of[index] > 0),
        }
        for index in order
    ]


def _reasons(box: GlassBox, reading: Reading, of: np.ndarray) -> list[tuple[str, str]]:
    return [(f"{bar['label']} {bar['state']}", bar["amount"]) for bar in bars(box, reading, of)[:3]]


def _scores(numbers: np.ndarray, target: Target) -> np.ndarray:
    """What concerns an emotion, or one against another, of numbers (..., 7)."""
    other = 0.0 if target.against is None else numbers[..., target.against]
    return np.asarray(numbers[..., target.emotion] - other)
