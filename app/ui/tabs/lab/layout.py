"""The tab's components, column by column."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app import lab_text
from app.ui import controls, measures_fold, scripts
from app.ui.render import lab_panels
from app.ui.tabs import waiting_place
from app.ui.tabs.lab.changes import SLIDERS
from app.ui.tabs.lab.state import LabState
from app.ui.tabs.lab.views import View, written
from explain.lab.steps import BASELINES, Experiment, Step
from explain.registry import METHODS

HANDS = [("Tap", "0"), ("Paint fine", "3.5"), ("Paint broad", "8")]


@dataclass(frozen=True)
class Changing:
    """The left column: what changes the face."""

    parts: gr.HTML
    fill: gr.Radio
    part: gr.Radio
    swap: gr.HTML
    sliders: dict[str, gr.Slider]


@dataclass(frozen=True)
class Changed:
    """The column in the middle; `waits` are the options of events that wait in the queue."""

    waits: dict[str, Any]
    hand: gr.Radio
    face: gr.HTML
    steps: gr.HTML
    verdict: gr.HTML
    undo: gr.Button
    reset: gr.Button
    search: gr.Button
    smallest: gr.HTML
    method: gr.Dropdown
    emotion: gr.Dropdown


@dataclass(frozen=True)
class Kept:
    """Below: the experiment to share, and the guide."""

    link: gr.HTML
    text: gr.Textbox
    take: gr.Button
    about: gr.Accordion
    page: gr.Markdown


@dataclass(frozen=True)
class Components:
    """All that is seen, and `code`, to which the page's address brings an experiment."""

    code: gr.Textbox
    strip: gr.HTML
    changing: Changing
    changed: Changed
    predictions: gr.HTML
    measures: measures_fold.Fold
    kept: Kept

    @property
    def outputs(self) -> list[Any]:
        """What a `View` is shown by."""
        left, middle, below = self.changing, self.changed, self.kept
        return [
            *View(
                self.strip,
                middle.face,
                middle.steps,
                middle.verdict,
                self.predictions,
                middle.smallest,
                left.parts,
                left.swap,
                middle.undo,
                middle.reset,
                below.link,
                below.text,
                middle.method,
                **left.sliders,
            )
        ]


def components() -> Components:
    """Make the components."""
    code = gr.Textbox(visible=False)
    strip = gr.HTML(js_on_load=scripts.read("select"))
    with gr.Row(elem_classes="fw-columns fw-lab"):
        with gr.Column(scale=4, min_width=300):
            changing = _changing()
        with gr.Column(scale=4, min_width=300, elem_classes="fw-first"):
            changed = _changed()
        with gr.Column(scale=6, min_width=320):
            predictions = gr.HTML(elem_id="lab-answers")
    return Components(code, strip, changing, changed, predictions, measures_fold.build(), _kept())


def _changing() -> Changing:
    parts = gr.HTML(lab_panels.parts(Experiment()), js_on_load=scripts.read("select"), elem_id="lab-parts")
    fill = gr.Radio(list(BASELINES), value=BASELINES[0], label="What is hidden shows", elem_id="lab-fill")
    part = gr.Radio(
        [(title, name) for name, title in lab_text.PARTS.items()],
        value=LabState.part,
        label="Take from an example face",
        elem_id="lab-part",
    )
    swaps = lab_panels.swaps(Experiment(), LabState.part)
    swap = gr.HTML(swaps, js_on_load=scripts.read("select"), elem_id="lab-swap")
    with gr.Accordion("Change the whole face", open=False, elem_id="lab-whole"):
        sliders = {name: _slider(*entry) for name, entry in SLIDERS.items()}
    return Changing(parts, fill, part, swap, sliders)


def _changed() -> Changed:
    hand = gr.Radio(HANDS, value="0", show_label=False, container=False, elem_id="lab-hand")
    face = gr.HTML(lab_panels.invitation(Experiment()), js_on_load=scripts.read("lab_face"), elem_id="lab-face")
    _, waits = waiting_place()
    steps = gr.HTML(js_on_load=scripts.read("select"), elem_id="lab-steps")
    verdict = gr.HTML(elem_id="lab-verdict")
    with gr.Row():
        undo = gr.Button("Undo", elem_id="lab-undo", interactive=False, min_width=80)
        reset = gr.Button("Start over", elem_id="lab-reset", interactive=False, min_width=80)
    search = gr.Button("Fewest parts whose hiding flips the answer", variant="primary", elem_id="lab-search")
    smallest = gr.HTML(js_on_load=scripts.read("select"), elem_id="lab-smallest")
    with gr.Row():
        method = gr.Dropdown(
            [(entry.title, name) for name, entry in METHODS.items()],
            value=LabState.method,
            label="Heatmap",
            elem_id="lab-method",
            filterable=False,
            min_width=240,
        )
        emotion = controls.emotions(controls.COMMON, "Emotion to watch", "lab-emotion", min_width=240)
    return Changed(waits, hand, face, steps, verdict, undo, reset, search, smallest, method, emotion)


def _kept() -> Kept:
    with gr.Accordion("Share or keep this experiment", open=False, elem_id="lab-share"):
        link = gr.HTML(lab_panels.shared(Experiment()), js_on_load=scripts.read("copy_link"), elem_id="lab-link")
        text = gr.Textbox(written(Experiment()), label="As JSON", lines=5, max_lines=14, elem_id="lab-json")
        take = gr.Button("Do what the JSON says", elem_id="lab-take")
    with gr.Accordion("How the Lab works, and experiments to try", open=False, elem_id="lab-guide") as about:
        page = gr.Markdown()
    return Kept(link, text, take, about, page)


def _slider(kind: type[Step], name: str, neutral: float) -> gr.Slider:
    control = kind.controls()[name]
    low, high, step = control.range
    return gr.Slider(low, high, neutral, step=step, label=control.title, interactive=True)
