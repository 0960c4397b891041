"""How the tab looks before, while and after a map is made."""

import gradio as gr

from app import pipeline, text
from app.ui.cancellation import Cancellation
from app.ui.render import evidence_table, html, pictures, trust_panel
from app.ui.session import Session
from app.ui.tabs.explain.results import Shown, View
from explain import action_units, evidence, part_ranges, scale
from explain.base import Explanation
from explain.part_ranges import PartRanges
from models import regions
from models.types import Prediction

NO_FACE = html.note(html.FIRST_A_PHOTO, quiet=True)
STOPPED = html.note("Stopped. What is below is from before.")
PARTS = "shap_regions"
"""The method whose parts are also told together."""
SATURATED = 0.99
"""From this probability on, an answer hardly moves whatever is hidden."""


def notice_only(cancellation: Cancellation, session: Session, note: str) -> View:
    """A word in place of the map."""
    cancellation.shown = ""
    return View(
        shown=None,
        strip=pictures.above(session),
        status="",
        stop=gr.Button(visible=False),
        picture=note,
        told="",
        parts="",
        verdict="",
        fold=gr.Accordion(visible=False),
        keep=gr.Accordion(visible=False),
        files="",
        library="",
        shaken="",
        together=gr.Accordion(visible=False),
    )


def itself(model: str, emotion: str, against: str) -> str:
    """The word to a visitor who sets an emotion against itself."""
    why = (
        f"{against} is what you explain"
        if emotion
        else f"the face looks {text.ADJECTIVES[against]} to {text.MODELS[model]}"
    )
    return html.note(
        f"Why {against} and not {against}? {why[0].upper()}{why[1:]}. "
        "Choose another emotion to set against it, or none."
    )


def at_work(session: Session, note: str) -> View:
    """A word above the map from before, which stays."""
    waiting = html.note(note, progress=())
    return View(strip=pictures.above(session), status=waiting, stop=gr.Button(visible=True))


def idle() -> View:
    """Say nothing, because nothing is at work; what is below is from before."""
    return View(status="", stop=gr.Button(visible=False))


def finished(session: Session, shown: Shown, prediction: Prediction) -> View:
    """The map and its evidence."""
    explanation, keypoints = shown.explanation, shown.face.crop_keypoints
    shared = scale.shared([explanation])
    items = evidence_of(shown)
    above = evidence_table.outlines(keypoints, items, explanation)
    picture = html.fill(
        "heatmap",
        overlay=pictures.overlay(
            session, explanation, shared, above=above, strength=text.strength(prediction, explanation.target)
        ),
        weak=text.weak(prediction, explanation.target),
        rest=evidence_table.REST,
        bar=pictures.colour_bar(shared, explanation),
    )
    return View(
        shown=shown,
        strip=pictures.above(session),
        status="",
        stop=gr.Button(visible=False),
        picture=picture,
        told=described(session, explanation, prediction, items),
        parts=by_part(shown),
        verdict=trust_panel.WAITING,
        fold=gr.Accordion(visible=False),
        keep=gr.Accordion(visible=True),
        files="",
        library="",
        shaken="",
        together=gr.Accordion(visible=explanation.method == PARTS, open=False),
    )


def described(
    session: Session, explanation: Explanation, prediction: Prediction, items: list[evidence.RegionEvidence]
) -> str:
    """What the model sees, what was explained, and the evidence in sentences."""
    return html.fill(
        "explained",
        model=explanation.model,
        emotion=prediction.emotion,
        confidence=prediction.confidence,
        question=text.question(explanation.target, prediction),
        seconds=explanation.seconds,
        sentences=evidence.sentences(explanation, items),
        face=session.face_name,
        where=pictures.where(session),
        saturated=text.probability(prediction, explanation.target) > SATURATED,
        literature=action_units.message(explanation, items),
    )


def by_part(shown: Shown, ranges: PartRanges | None = None) -> str:
    """The evidence by part as a table, with how far it moves once that is known."""
    awaited = ranges is None and not shown.face.guessed and bool(part_ranges.others(shown.explanation))
    return evidence_table.table(evidence_of(shown), shown.explanation, ranges, awaited)


def evidence_of(shown: Shown) -> list[evidence.RegionEvidence]:
    """What a map says about each part of the face."""
    usual = pipeline.average_shares(shown.explanation, shown.version)
    return evidence.by_region(shown.explanation.values, regions.masks(shown.face.crop_keypoints), usual)
