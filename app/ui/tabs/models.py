"""What is known about each model: what it reaches, where it came from, its licence and its limits."""

from collections.abc import Iterator

import gradio as gr

from app.serving import canary, reports
from app.ui.render import model_cards, report_charts
from app.ui.tabs import Shared
from models import zoo
from models.errors import WeightsError

TITLE = "Models"
CHOICES = [(title, name) for name, title in model_cards.NAMES.items()]
COMING = (
    '<p class="fw-note" role="status">Its charts are on their way from the Hub: choose the model again in a moment.</p>'
)
NO_CHARTS = '<p class="fw-note">No charts come with these weights.</p>'
PLACES = (("confusion", "points"), ("reliability", "cumulative"), ("robustness",), ("training",))
"""Which charts take the same place, for one model or another."""


def build(shared: Shared) -> None:
    """The tab's components and events."""
    model = gr.Radio(CHOICES, value="cnn", label="Model", elem_id="models-model")
    told = gr.HTML(elem_id="models")
    trust = gr.HTML(elem_id="models-trust")
    table = gr.HTML(elem_id="models-emotions")
    note = gr.HTML()
    with gr.Row(elem_id="models-charts", elem_classes="fw-charts"):
        plots = [gr.Plot(show_label=False, visible=False, min_width=320) for _ in PLACES]
    outputs = [told, trust, table, note, *plots]
    gr.on([shared.tab.select, model.change], show, model, outputs, api_visibility="private", show_progress="hidden")


def show(name: str) -> Iterator[tuple]:
    """A model's facts, its table of trust, its table of emotions, a note on its charts, and the charts.

    While the model is being loaded that is said first, and the rest follows.
    """
    status = zoo.loaded()[name]
    if status.state != "ready":
        yield _without_facts(name, status)
        if status.state == "failed":
            return
    try:
        model = zoo.keypoint_model() if name == zoo.KEYPOINT_MODEL else zoo.load(name)
    except WeightsError:
        yield _without_facts(name, zoo.loaded()[name])
        return
    coming = reports.fetch(model.located)
    found = report_charts.charts(model.located)
    shown = [next((found[chart] for chart in place if chart in found), None) for place in PLACES]
    table = reports.trust(model.located, model.card.sha256)
    yield (
        model_cards.described(name, zoo.loaded()[name], model.card, canary.agreement_counters().get(name)),
        "" if name == zoo.KEYPOINT_MODEL else model_cards.trust(name, table),
        model_cards.emotions(model.card),
        "" if found else COMING if coming else NO_CHARTS,
        *(gr.update(value=figure, visible=figure is not None) for figure in shown),
    )


def _without_facts(name: str, status: zoo.Status) -> tuple:
    return model_cards.described(name, status), "", "", "", *[gr.update(visible=False)] * len(PLACES)
