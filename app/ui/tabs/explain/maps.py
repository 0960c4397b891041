"""The map of the chosen face: made, stopped, and tested."""

import uuid
from collections.abc import Iterator
from typing import Any

import gradio as gr

from app import pipeline, text
from app.ui import controls
from app.ui.cancellation import Cancellation
from app.ui.render import charts, html, pictures, trust_panel
from app.ui.session import Session
from app.ui.tabs import SKIP
from app.ui.tabs.explain import views
from app.ui.tabs.explain.results import Judged, Shown, View
from explain.registry import METHODS
from models.errors import WeightsError

INSTANT = ("gradcam", "gradcam_plus_plus", "saliency")
"""Methods of one pass through the network: over before a word about waiting is read."""


def explain(
    cancellation: Cancellation, session: Session, model: str, emotion: str, against: str, method: str, *values: Any
) -> Iterator[View]:
    """The map with its evidence in words and numbers; before a slow one, word that it is at work."""
    token = cancellation.begin()
    if session.face is None:
        yield views.notice_only(cancellation, session, views.NO_FACE)
        return
    try:
        prediction = session.face_predictions.get(model) or pipeline.predict(model, [session.face])[0]
    except WeightsError:
        yield views.notice_only(cancellation, session, html.note(text.unavailable(model)))
        return
    if against == (emotion or prediction.emotion):
        yield views.notice_only(cancellation, session, views.itself(model, emotion, against))
        return
    if reason := pipeline.unsuitable(model, method, prediction.version):
        yield views.notice_only(cancellation, session, html.note(reason))
        return
    params = METHODS[method].Params.from_json(controls.read(method, values))
    if method not in INSTANT:
        yield views.at_work(session, f"{METHODS[method].title} is at work…")
    target = pipeline.target(emotion, against, prediction)
    try:
        explanation = pipeline.explain(model, session.face, target, method, params, prediction.version)
    except Exception:
        if not cancellation.over(token):
            yield views.idle()
        raise
    if cancellation.over(token):
        return
    about = (session.key, session.chosen, model, emotion, against, method, *values)
    cancellation.shown = uuid.uuid4().hex
    yield views.finished(
        session, Shown(cancellation.shown, about, session.face, explanation, prediction.version, prediction), prediction
    )


def arrive(shown: Shown | None, cancellation: Cancellation, session: Session, *inputs: Any) -> Iterator[View]:
    """The map when the tab is opened, unless it is there already."""
    if shown is not None and shown.about == (session.key, session.chosen, *inputs):
        yield View()
        return
    yield from explain(cancellation, session, *inputs)


def waiting(session: Session, shown: Shown | None) -> View:
    """Say that the tab waits for its turn, where the face is another than the one on the screen."""
    if session.face is None or (shown is not None and shown.about[:2] == (session.key, session.chosen)):
        return View()
    return View(strip=pictures.above(session), picture=html.QUEUED, told="", parts="", verdict="")


def stopped(cancellation: Cancellation) -> View:
    """Stop the run, and say so."""
    cancellation.begin()
    return View(status=views.STOPPED, stop=gr.Button(visible=False))


def judge(cancellation: Cancellation, shown: Shown | None, judged: str) -> Iterator[Judged]:
    """The trust reading of the map on the screen, unless it is there already or a later map has begun.

    The verdict comes as soon as the map is tested, the agreement with other maps after it, and last how far the
    evidence by part moves with other fills and other seeds.
    """
    token = cancellation.latest
    if shown is None or shown.key == judged:
        return
    if shown.face.guessed:
        nothing = gr.Plot(visible=False)
        yield Judged(shown.key, trust_panel.UNTESTED, gr.Accordion(visible=False), "", nothing)
        return
    last = None
    for result in pipeline.trust_steps(shown.face, shown.explanation, shown.version):
        if cancellation.over(token) or cancellation.shown != shown.key:
            return
        if result is last:
            continue
        last = result
        curves = gr.Plot(charts.trust_curves(result), visible=True) if result.curves else gr.Plot(visible=False)
        yield Judged(
            judged=shown.key,
            verdict=trust_panel.verdict(result),
            fold=gr.Accordion(visible=True),
            numbers=trust_panel.numbers(result, shown.explanation.signed),
            curves=curves,
            result=result,
            parts=views.by_part(shown, result.part_ranges) if result.part_ranges else SKIP,
        )
