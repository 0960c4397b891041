"""The tab's components, column by column."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app import text
from app.ui import controls, scripts
from app.ui.tabs import waiting_place
from app.ui.tabs.explain import choices, views
from explain.registry import METHODS

PREDICTED = ("what it looks like to the model", "")
MODELS = [(title, name) for name, title in text.MODELS.items()]


@dataclass(frozen=True)
class Asked:
    """The left column: what is explained, and how."""

    model: gr.Radio
    emotion: gr.Dropdown
    against: gr.Dropdown
    method: gr.Dropdown
    summary: gr.HTML
    about: gr.Accordion
    page: gr.Markdown
    groups: list[gr.Group]
    values: list[controls.Field]


@dataclass(frozen=True)
class Heatmap:
    """The column in the middle; `waits` are the options of events that wait in the queue."""

    waits: dict[str, Any]
    status: gr.HTML
    stop: gr.Button
    picture: gr.HTML
    opacity: gr.Slider
    outlined: gr.Checkbox
    verdict: gr.HTML


@dataclass(frozen=True)
class Checks:
    """The fold with the tests of the map, and what the visitor tries on it."""

    fold: gr.Accordion
    numbers: gr.HTML
    curves: gr.Plot
    compute: gr.Button
    shake: gr.Button
    working: gr.HTML
    halt: gr.Button
    library: gr.HTML
    shaken: gr.HTML


@dataclass(frozen=True)
class Evidence:
    """The right column but for the checks: what the map says, and the files to keep."""

    told: gr.HTML
    parts: gr.HTML
    together: gr.Accordion
    joined: gr.HTML
    keep: gr.Accordion
    bare: gr.Checkbox
    make: gr.Button
    files: gr.HTML


@dataclass(frozen=True)
class Components:
    """All that is seen."""

    strip: gr.HTML
    asked: Asked
    heatmap: Heatmap
    evidence: Evidence
    checks: Checks


def components(first: str) -> Components:
    """Make the components.

    Args:
        first: the method that is chosen at the beginning, for the CNN.
    """
    strip = gr.HTML(js_on_load=scripts.read("select"))
    with gr.Row(elem_classes="fw-columns fw-explain"):
        with gr.Column(scale=4, min_width=300):
            asked = _asked(first)
        with gr.Column(scale=4, min_width=300, elem_classes="fw-first"):
            heatmap = _heatmap()
        with gr.Column(scale=5, min_width=300):
            evidence, checks = _evidence()
    return Components(strip, asked, heatmap, evidence, checks)


def _asked(first: str) -> Asked:
    model = gr.Radio(MODELS, value="cnn", label="Model", elem_id="explain-model")
    emotion = controls.emotions(PREDICTED, "Why this emotion", "explain-emotion")
    against = controls.emotions(controls.ALONE, "… and not that one", "explain-against")
    method = gr.Dropdown(
        [(entry.title, name) for name, entry in METHODS.items()],
        value=first,
        label="Method",
        elem_id="explain-method",
        filterable=False,
    )
    summary = gr.HTML(choices.summarised("cnn", first), elem_id="explain-summary")
    with gr.Accordion("How it works, and what it gets wrong", open=False, elem_id="about-method") as about:
        page = gr.Markdown()
    groups: list[gr.Group] = []
    values: list[controls.Field] = []
    for name, entry in METHODS.items():
        with gr.Group(visible=name == first, elem_id=f"params-{name}") as group:
            values += controls.build(entry)
        groups.append(group)
    return Asked(model, emotion, against, method, summary, about, page, groups, values)


def _heatmap() -> Heatmap:
    _, waits = waiting_place()
    with gr.Row(elem_classes="fw-working"):
        status = gr.HTML(elem_id="explain-status")
        stop = gr.Button("Stop", elem_id="explain-stop", visible=False, scale=0, min_width=90)
    picture = gr.HTML(views.NO_FACE, js_on_load=scripts.read("light_parts"), elem_id="heatmap")
    with gr.Group():
        opacity = gr.Slider(0, 1, 0.7, step=0.05, label="Opacity of the heatmap", elem_id="opacity")
        outlined = gr.Checkbox(True, label="Outline the parts of the face", elem_id="outlined")
    verdict = gr.HTML(elem_id="trust")
    return Heatmap(waits, status, stop, picture, opacity, outlined, verdict)


def _evidence() -> tuple[Evidence, Checks]:
    told = gr.HTML(elem_id="evidence")
    parts = gr.HTML(js_on_load=scripts.read("light_parts"), elem_id="evidence-parts")
    together = gr.Accordion("How the parts count together", open=False, visible=False, elem_id="interactions")
    with together:
        joined = gr.HTML()
    checks = _checks()
    with gr.Accordion("Keep it: report, picture, table", open=False, visible=False, elem_id="keep") as keep:
        bare = gr.Checkbox(False, label="Without my photo", elem_id="keep-bare")
        make = gr.Button("Make the files", size="sm", elem_id="keep-make")
        files = gr.HTML(elem_id="keep-files")
    return Evidence(told, parts, together, joined, keep, bare, make, files), checks


def _checks() -> Checks:
    with gr.Accordion("How the map was tested", open=False, visible=False, elem_id="trust-numbers") as fold:
        numbers = gr.HTML()
        curves = gr.Plot(show_label=False, container=False, visible=False, elem_id="trust-curves")
        with gr.Row(elem_classes="fw-pair"):
            compute = gr.Button("Compute it by another library", elem_id="by-library", min_width=140)
            shake = gr.Button("Shake the network", elem_id="shake", min_width=140)
        with gr.Row(elem_classes="fw-working"):
            working = gr.HTML(elem_id="check-status")
            halt = gr.Button("Stop", elem_id="check-stop", visible=False, scale=0, min_width=90)
        library = gr.HTML(elem_id="library-map")
        shaken = gr.HTML(elem_id="shaken-maps")
    return Checks(fold, numbers, curves, compute, shake, working, halt, library, shaken)
