"""How the parts of a face count together as HTML: a picture to read at once, sentences, and the numbers."""

from typing import Any

import cv2
import numpy as np
from markupsafe import Markup

from app.ui.render import pictures
from app.ui.render.html import fill
from app.ui.session import Session
from explain import figures, interactions
from explain.interactions import Interactions
from models import framing, regions

DRAWN = 6
"""Pairs that get a line, those that count most."""
THICKEST, LARGEST = 2.2, 3.2
"""Pixels of the crop: the width of the strongest line, the radius of the part that is worth most."""
NOTHING = np.zeros((1, 1, 4), np.uint8)
"""No map over the face."""


def panel(session: Session, found: Interactions) -> str:
    """The parts over the face, joined where they count together."""
    masks = regions.masks(session.opened[1].crop_keypoints)
    places = {name: middle(masks[regions.REGIONS.index(name)]) for name in found.regions}
    pairs = [pair for pair in found.pairs() if pair.relation in interactions.WORDS][:DRAWN]
    strongest = max((abs(pair.value) for pair in pairs), default=1)
    most = float(np.abs(found.chosen.shapley).max()) or 1
    lines = [
        {
            "from": places[pair.first],
            "to": places[pair.second],
            "width": THICKEST * abs(pair.value) / strongest,
            "kind": pair.relation,
            "value": f"{pair.value:+z.2f}",
            "names": (regions.LABELS[pair.first], regions.LABELS[pair.second]),
        }
        for pair in pairs
    ]
    parts = [
        {
            "at": places[name],
            "radius": max(0.7, LARGEST * (abs(value) / most) ** 0.5),
            "kind": "for" if value >= 0 else "against",
            "label": regions.LABELS[name],
        }
        for name, value in zip(found.regions, found.chosen.shapley.tolist(), strict=True)
    ]
    drawing = fill("interactions_drawing", side=framing.CROP_SIDE, lines=lines, parts=parts)
    sentences = interactions.sentences(found)
    return fill(
        "interactions",
        picture=pictures.layers(
            session, NOTHING, "The parts of the face, joined where they count together", above=drawing
        ),
        sentences=sentences,
        target=found.target.name,
        hidden=figures.HIDDEN.get(found.fill, found.fill),
        rows=[_row(found, index, name) for index, name in enumerate(found.regions)],
        share=round(100 * _rests(masks)),
    )


def middle(mask: np.ndarray) -> tuple[float, float]:
    """The place of a region that lies farthest from its border, (x, y) in pixels of the crop."""
    distance = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), mask.shape)
    return float(x) + 0.5, float(y) + 0.5


def _rests(masks: np.ndarray) -> float:
    """How much of the crop the two parts are that have no name of their own, 0..1."""
    return float(masks[[regions.REGIONS.index(name) for name in ("face", "background")]].any(0).mean())


def _row(found: Interactions, index: int, name: str) -> dict[str, Any]:
    cells = []
    for field in ("shapley", "alone", "left_out"):
        low, high = found.spread(field)
        value = getattr(found.chosen, field)[index]
        cells.append((f"{value:+z.2f}", f"{low[index]:+z.2f}", f"{high[index]:+z.2f}"))
    return {"label": regions.LABELS[name], "cells": cells}


BUSY = Markup("All 256 ways to show some parts and hide the others are asked, with three ways of hiding…")
