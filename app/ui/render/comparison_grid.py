"""The comparison as HTML: a row a method, the models side by side on one scale, and where they differ."""

from collections.abc import Mapping

import numpy as np

from app import text
from app.ui.render import pictures, trust_panel
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


def rows(session: Session, answers: dict[str, Prediction], results: Mapping[str, Maps]) -> str:
    """A row a method; what is not ready yet has a place kept free."""
    return f'<div class="fw-compared">{"".join(_row(session, answers, *item) for item in results.items())}</div>'


def ready(maps: Maps) -> list[Explanation]:
    """The explanations among a method's maps."""
    return [found for found in maps.values() if isinstance(found, Explanation)]


def _row(session: Session, answers: dict[str, Prediction], method: str, maps: Maps) -> str:
    found = ready(maps)
    shared = scale.shared(found)
    complete = len(maps) == len(answers)
    shown = [_model(session, name, answer, maps.get(name), shared) for name, answer in answers.items()]
    bar = pictures.colour_bar(shared, found[0]) if complete and found else ""
    alike = ""
    if complete and len(found) > 1:
        shown.append(_difference(session, found))
        alike = _alike(found)
    return (
        f'<section class="fw-method"><div><h3>{METHODS[method].title}</h3>{bar}{alike}</div>'
        f'<div class="fw-maps" tabindex="0" role="group" aria-label="Maps by {METHODS[method].title}">'
        f"{''.join(shown)}</div></section>"
    )


def _model(session: Session, name: str, answer: Prediction, found: Explanation | str | None, shared: Scale) -> str:
    """A model's map under its answer."""
    about, below = "", ""
    if isinstance(found, Explanation):
        picture = pictures.overlay(session, found, shared, ZOOM)
        about, below = f" <span>{text.duration(found.seconds)}</span>", decisive(session, found)
    elif found:
        picture = f'<div class="fw-overlay fw-none-here"><p>{found}</p></div>'
    else:
        picture = '<div class="fw-overlay fw-empty"></div>'
    seen = f"{text.ADJECTIVES[answer.emotion]}, {text.percent(answer.confidence)}"
    return f"<figure>{picture}<figcaption><b>{text.MODELS[name]}</b>: {seen}{about}{below}</figcaption></figure>"


def decisive(session: Session, explanation: Explanation) -> str:
    """The parts of the face that push most, by their exact Shapley values; "" for other methods."""
    if explanation.method != PARTS:
        return ""
    told = evidence.by_region(explanation.values, regions.masks(session.face.crop_keypoints))
    ranked = sorted(told, key=lambda item: -item.total)
    lines = []
    if ranked[0].total > 0:
        lines.append(f"most for: <b>{ranked[0].label}</b>")
    if ranked[-1].total < 0:
        lines.append(f"most against: <b>{ranked[-1].label}</b>")
    return f"<br>{'; '.join(lines)}" if lines else ""


def _difference(session: Session, found: list[Explanation]) -> str:
    """Where the models' maps differ."""
    apart = agreement.disagreement([explanation.values for explanation in found])
    limit = max(float(np.percentile(apart, scale.PERCENTILE)), LEAST)
    heat = figures.heat(apart, Scale(limit, False), ZOOM * apart.shape[0], figures.DISAGREEMENT)
    alt = f"Where the models differ by {METHODS[found[0].method].title}"
    return (
        f'<figure title="Full purple: maps that differ by {limit:.1f} times what an average place weighs">'
        f"{pictures.layers(session, heat, alt, ZOOM)}"
        "<figcaption><b>Where they differ</b>: the deeper the purple, the more</figcaption></figure>"
    )


def _alike(found: list[Explanation]) -> str:
    """How alike the models' maps are: the closest pair, and all pairs as a table behind a fold."""
    order, shared = agreement.matrix(found), agreement.matrix(found, agreement.overlap)
    names = [text.MODELS[explanation.model] for explanation in found]
    pairs = [(i, j) for i in range(len(found)) for j in range(i) if not np.isnan(order[i, j])]
    if not pairs:
        return '<p class="fw-small">The maps are flat, so there is nothing to compare.</p>'
    i, j = max(pairs, key=lambda pair: order[pair])
    closest = f"Closest: {names[j]} and {names[i]}, {trust_panel.alike(order[i, j])} ({order[i, j]:.2f})"
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    cells = "".join(
        f'<tr><th scope="row">{name}</th>'
        + "".join(_pair(order[i, j], shared[i, j]) if i != j else "<td>–</td>" for j in range(len(names)))
        + "</tr>"
        for i, name in enumerate(names)
    )
    return (
        f"<details><summary>{closest}</summary>"
        f'<table class="fw-alike"><thead><tr><th></th>{heads}</tr></thead><tbody>{cells}</tbody></table>'
        '<p class="fw-small">Above: do both put the places of the face in the same order? 1 is the same, 0 nothing in '
        "common. Below: how much of the strongest fifth both share, by chance 20\u00a0%.</p></details>"
    )


def _pair(correlation: float, overlap: float) -> str:
    if np.isnan(correlation):
        return "<td>flat</td>"
    shared = "" if np.isnan(overlap) else f"<br><span>{text.share(overlap)}</span>"
    return f'<td style="--alike:{max(correlation, 0):.0%}">{correlation:.2f}{shared}</td>'
