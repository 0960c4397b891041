"""A row of the comparison as HTML: a method, the models side by side on one scale, and where they differ."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app import text
from app.ui.render import pictures, trust_panel
from app.ui.render.html import fill
from app.ui.session import Session
from explain import evidence, figures, scale
from explain.base import Explanation
from explain.metrics import agreement
from explain.registry import METHODS
from explain.scale import Scale
from models import regions
from models.types import Prediction

ZOOM = 5
PARTS = "shap_regions"
LEAST = 1.0
"""Full purple is a difference of at least this many times the weight of an average place."""

Maps = Mapping[str, Explanation | str]
"""By model: its explanation, or why there is none."""


def ready(maps: Maps) -> list[Explanation]:
    """The explanations among a method's maps."""
    return [found for found in maps.values() if isinstance(found, Explanation)]


def row(session: Session, answers: dict[str, Prediction], method: str, maps: Maps) -> str:
    """A method's maps, a model beside the other; what is not ready yet has a place kept free."""
    found = ready(maps)
    shared = scale.shared(found)
    complete = len(maps) == len(answers)
    compared = complete and len(found) > 1
    alike = _alike(found) if compared else None
    return fill(
        "comparison",
        title=METHODS[method].title,
        bar=pictures.colour_bar(shared, found[0]) if complete and found else "",
        maps=[_model(session, name, answer, maps.get(name), shared) for name, answer in answers.items()],
        difference=_difference(session, found) if compared else None,
        alike=alike,
        flat=compared and not alike,
    )


def _model(
    session: Session, name: str, answer: Prediction, found: Explanation | str | None, shared: Scale
) -> dict[str, Any]:
    """A model's map under its answer."""
    seen = f"{text.ADJECTIVES[answer.emotion]}, {text.percent(answer.confidence)}"
    model = {"model": text.MODELS[name], "seen": seen}
    if not isinstance(found, Explanation):
        return {**model, "picture": "", "weak": "", "reason": found, "seconds": None, "decisive": []}
    return {
        **model,
        "picture": pictures.overlay(session, found, shared, ZOOM, strength=text.strength(answer, found.target)),
        "weak": text.weak(answer, found.target),
        "reason": "",
        "seconds": found.seconds,
        "decisive": decisive(session, found),
    }


def decisive(session: Session, explanation: Explanation) -> list[tuple[str, str]]:
    """The parts of the face that push most for and against, by their exact Shapley values; none for other methods."""
    if explanation.method != PARTS:
        return []
    told = evidence.by_region(explanation.values, regions.masks(session.opened[1].crop_keypoints))
    ranked = sorted(told, key=lambda item: -item.total)
    ends = [("most for", ranked[0], ranked[0].total > 0), ("most against", ranked[-1], ranked[-1].total < 0)]
    return [(side, item.label) for side, item, there in ends if there]


def _difference(session: Session, found: list[Explanation]) -> dict[str, str]:
    """Where the models' maps differ."""
    apart = agreement.disagreement([explanation.values for explanation in found])
    limit = max(float(np.percentile(apart, scale.PERCENTILE)), LEAST)
    heat = figures.heat(apart, Scale(limit, False), ZOOM * apart.shape[0], figures.DISAGREEMENT)
    alt = f"Where the models differ by {METHODS[found[0].method].title}"
    return {"picture": pictures.layers(session, heat, alt, ZOOM), "limit": f"{limit:.1f}"}


def _alike(found: list[Explanation]) -> dict[str, Any] | None:
    """How alike the models' maps are: the closest pair, and all pairs; None where the maps are flat."""
    order, shared = agreement.matrix(found), agreement.matrix(found, agreement.overlap)
    names = [text.MODELS[explanation.model] for explanation in found]
    pairs = [(i, j) for i in range(len(found)) for j in range(i) if not np.isnan(order[i, j])]
    if not pairs:
        return None
    i, j = max(pairs, key=lambda pair: order[pair])
    cells = [
        [None if i == j else _pair(order[i, j], shared[i, j]) for j in range(len(names))] for i in range(len(names))
    ]
    closest = f"Closest: {names[j]} and {names[i]}, {trust_panel.alike(order[i, j])} ({order[i, j]:.2f})"
    return {"closest": closest, "names": names, "cells": cells}


def _pair(correlation: float, overlap: float) -> dict[str, Any]:
    if np.isnan(correlation):
        return {"flat": True}
    return {
        "flat": False,
        "strength": f"{max(correlation, 0):.0%}",
        "order": f"{correlation:.2f}",
        "overlap": "" if np.isnan(overlap) else text.share(overlap),
    }
