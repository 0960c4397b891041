"""What is known about each model: what it reaches, where it came from, its licence and its limits."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr

from app.serving import canary, engines
from app.ui.render import global_view, html, model_cards, report_charts
from app.ui.tabs import SKIP, Shared
from models import zoo
from models.errors import WeightsError

TITLE = "Models"
CHOICES = [(title, name) for name, title in model_cards.NAMES.items()]
COMING = html.note("Its charts are on their way from the Hub: choose the model again in a moment.")
NO_CHARTS = html.note("No charts come with these weights.", quiet=True)
PLACES = {
    "first": ("confusion", "points"),
    "second": ("reliability", "cumulative"),
    "third": ("robustness",),
    "fourth": ("training",),
}
"""Which charts take the same place, for one model or another."""


class View(NamedTuple):
    """The outputs of the tab; the last four are charts, see `PLACES`."""

    facts: Any = ""
    trust: Any = ""
    average: Any = ""
    emotions: Any = ""
    note: Any = ""
    first: Any = SKIP
    second: Any = SKIP
    third: Any = SKIP
    fourth: Any = SKIP


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    model = gr.Radio(CHOICES, value="cnn", label="Model", elem_id="models-model")
    facts = gr.HTML(elem_id="models")
    trust = gr.HTML(elem_id="models-trust")
    average = gr.HTML(elem_id="models-global")
    emotions = gr.HTML(elem_id="models-emotions")
    note = gr.HTML()
    with gr.Row(elem_id="models-charts", elem_classes="fw-charts"):
        charts = {place: gr.Plot(show_label=False, visible=False, min_width=320) for place in PLACES}
    outputs = [*View(facts, trust, average, emotions, note, **charts)]
    gr.on([shared.tab.select, model.change], show, model, outputs, api_visibility="private", show_progress="hidden")


def show(name: str) -> Iterator[View]:
    """A model's facts, its table of trust, its table of emotions, a note on its charts, and the charts.

    While the model is being loaded that is said first, and the rest follows.
    """
    status = engines.current().health()[name]
    if status.state != "ready":
        yield _without_facts(name, status)
        if status.state == "failed":
            return
    try:
        report = engines.current().card(name)
        status = engines.current().health()[name]
    except WeightsError:
        yield _without_facts(name, engines.current().health()[name])
        return
    found = report_charts.charts(report.charts)
    shown = {place: next((found[name] for name in names if name in found), None) for place, names in PLACES.items()}
    yield View(
        model_cards.described(name, status, report.card, canary.agreement_counters().get(name)),
        "" if name == zoo.KEYPOINT_MODEL else model_cards.trust(name, report.trust),
        global_view.shown(model_cards.NAMES[name], report.global_view),
        model_cards.emotions(report.card),
        "" if found else COMING if report.coming else NO_CHARTS,
        **{place: gr.update(value=figure, visible=figure is not None) for place, figure in shown.items()},
    )


def _without_facts(name: str, status: zoo.Status) -> View:
    return View(model_cards.described(name, status), **{place: gr.update(visible=False) for place in PLACES})
