"""A report as one HTML page that needs nothing beside it: no script, no file, no address on the web."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import VERSION, text
from app.reporting import picture
from app.reporting.report import Report
from explain import evidence, figures, part_ranges
from explain.registry import METHODS
from explain.trust import Agreement
from models.types import EMOTIONS, Face, Photo

SMALL_SIDE = 360
"""Longest side in pixels of the photo in a report."""

templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.filters |= {
    "percent": text.percent,
    "share": evidence.percent,
    "between": part_ranges.between,
    "duration": text.duration,
}


def to_html(report: Report) -> str:
    """The report as a page, from what is explained to what the network cannot."""
    low, high = figures.colour_bar_labels(report.scale, report.explanation)
    probabilities = dict(zip(EMOTIONS, map(float, report.prediction.probabilities), strict=True))
    return templates.get_template("report.html").render(
        report=report,
        version=VERSION,
        photo=None if report.photo is None else _photo(report.photo, report.face),
        map=_address(picture.overlay(report), ".png"),
        bar=_address(figures.colour_bar(report.scale.signed), ".png"),
        low=low,
        high=high,
        full=figures.full_colour(report.scale),
        question=text.question(report.explanation.target, report.prediction),
        adjective=text.ADJECTIVES[report.prediction.emotion],
        sides=evidence.sides(report.explanation)[: 1 + report.explanation.signed],
        probabilities=sorted(probabilities.items(), key=lambda item: -item[1]),
        beside=_beside(report),
        facts=_facts(report),
    )


def _photo(photo: Photo, face: Face) -> str:
    """The photo with a frame around the face, small."""
    pixels = photo.pixels
    zoom = min(1.0, SMALL_SIDE / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    left, top, right, bottom = (round(float(side) * zoom) for side in face.box)
    cv2.rectangle(small, (left, top), (right, bottom), (255, 255, 255), 4)
    cv2.rectangle(small, (left, top), (right, bottom), picture.INK, 2)
    return _address(small, ".jpg")


def _address(pixels: np.ndarray, kind: str) -> str:
    """A picture, uint8 (H, W, 3) RGB, as a data: address."""
    data = cv2.imencode(kind, pixels[..., ::-1])[1]
    return f"data:image/{'jpeg' if kind == '.jpg' else 'png'};base64,{base64.b64encode(data.tobytes()).decode()}"


def _beside(report: Report) -> list[tuple[str, str, str]]:
    """How far the map agrees with others: whose, the rank correlation, the overlap of the strongest fifth.

    A flat map agrees with none.
    """
    if report.trust is None:
        return []
    moved = Agreement(report.trust.stability, float("nan"))
    others = {f"by {METHODS[name].title}": found for name, found in report.trust.between_methods.items()}
    others |= {f"of {text.MODELS[name]}": found for name, found in report.trust.between_models.items()}
    rows = [
        (name, _known(found.rank_correlation, "{:.2f}".format), _known(found.overlap, text.share))
        for name, found in {"the same face, moved a little": moved, **others}.items()
    ]
    return [row for row in rows if any(row[1:])]


def _known(value: float, written: Callable[[float], str]) -> str:
    return "" if np.isnan(value) else written(value)


def _settings(report: Report) -> list[tuple[str, Any]]:
    """The method's parameters by their titles."""
    controls, values = report.method.Params.controls(), report.explanation.params.to_json()
    words = {True: "yes", False: "no"}
    return [(controls[name].title, words[v] if isinstance(v, bool) else v) for name, v in values.items()]


def _facts(report: Report) -> list[tuple[str, str]]:
    """Where the answer comes from."""
    card, made = report.card, report.explanation
    return [
        ("Model", f"{report.model}, version {report.prediction.version} of {card.date}"),
        ("Trained on", "; ".join(card.data)),
        ("Licence of the weights", card.licence),
        ("Weights file", f"sha256 {card.sha256}"),
        ("Method", f"{report.method.title}: {report.method.summary}"),
        *[(f"Setting: {title}", str(value)) for title, value in _settings(report)],
        ("Time for the map", text.duration(made.seconds)),
        ("Made", f"{report.made.isoformat()} with FaceWhy {VERSION}"),
    ]
