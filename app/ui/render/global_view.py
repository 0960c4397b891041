"""What a network goes by over many faces, as HTML."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.ui.render.html import fill
from app.ui.render.pictures import jpeg
from explain import figures
from explain.registry import METHODS
from explain.scale import PERCENTILE, Scale
from models.regions import LABELS, REGIONS
from models.types import EMOTIONS

SIDE = 240
"""Of an average map in pixels."""
TOLD = 3
"""Emotions of a distribution that are told, the largest first."""
KINDS = {"all": "", "right": "rightly", "wrong": "wrongly"}


def shown(name: str, found: Mapping[str, Any] | None) -> str:
    """The average maps, the parts of the face, and people's answers beside the network's; "" where nothing is known.

    Args:
        name: of the network, for people.
        found: see `training.measures.global_view.measure`.
    """
    if not found:
        return ""
    cells = {emotion: found["emotions"][emotion] for emotion in EMOTIONS}
    maps = {
        emotion: np.array(each["all"]["map"]) * each["all"]["unit"] for emotion, each in cells.items() if drawn(each)
    }
    limit = float(np.percentile(np.abs(np.stack(list(maps.values()))), PERCENTILE)) if maps else 0.0
    return fill(
        "model_global",
        name=name,
        faces=found["faces"],
        least=found["least"],
        method=METHODS[found["method"]].title,
        samples=found["samples"],
        maps=[_map(emotion, cells[emotion]["all"], values, limit) for emotion, values in maps.items()],
        parts=[LABELS[region] for region in REGIONS],
        rows=[
            {"emotion": emotion, "how": how, "faces": each[kind]["faces"], "cells": _cells(each[kind]["parts"])}
            for emotion, each in cells.items()
            for kind, how in KINDS.items()
            if "parts" in each[kind]
        ],
        few=[emotion for emotion, each in cells.items() if "parts" not in each["wrong"]],
        people=[
            (label, each["faces"], _largest(each["people"]), _largest(each["network"]))
            for label, each in found["people"]["by_label"].items()
        ],
        voted=found["people"]["faces"],
        doubt=found["people"]["entropy_correlation"],
    )


def drawn(cells: Mapping[str, Any]) -> bool:
    """Whether an emotion has an average map."""
    return "map" in cells["all"] and "face" in cells["all"]


def _map(emotion: str, cell: Mapping[str, Any], values: np.ndarray, limit: float) -> dict[str, Any]:
    face = np.array(cell["face"], np.float32) / 255
    picture = figures.overlay(face, values.astype(np.float32), Scale(limit, True), side=SIDE)
    means = {region: part["mean"] for region, part in cell["parts"].items()}
    most = max(means, key=lambda region: means[region])
    return {
        "emotion": emotion,
        "faces": cell["faces"],
        "picture": jpeg(picture),
        "most": LABELS[most],
        "value": f"{means[most]:+.1f}",
    }


def _cells(parts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    written = ([f"{parts[region][key]:+z.2f}" for key in ("mean", "low", "high")] for region in REGIONS)
    return [(mean, low, high) for mean, low, high in written]


def _largest(shares: list[float]) -> list[tuple[str, float]]:
    order = sorted(range(len(EMOTIONS)), key=lambda index: -shares[index])[:TOLD]
    return [(EMOTIONS[index], shares[index]) for index in order]
