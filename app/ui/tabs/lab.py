"""A place to try what a heatmap claims: change the face, and see whether the models' answers follow."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import NamedTuple

import gradio as gr

from app import experiments, lab_text, text
from app.serving import admission, engine
from app.source_faces import SOURCE_FACES
from app.ui import brush_mask, controls
from app.ui.cancellation import Cancellation
from app.ui.gradio_overrides import events
from app.ui.render import lab_panels, pictures
from app.ui.session import Session
from app.ui.tabs import Shared, choose
from explain.base import Explanation
from explain.lab.counterfactual import Counterfactual
from explain.lab.steps import (
    BASELINES,
    Blur,
    Brightness,
    Contrast,
    Experiment,
    Hide,
    Noise,
    Paint,
    Rotate,
    Shift,
    Step,
    Swap,
    pack,
)
from explain.registry import METHODS
from models.errors import NoFaceError, UnknownNameError
from models.regions import REGIONS

TITLE = "Lab"
MOST_UNDONE = 40
SLIDERS = (
    (Blur, "sigma", 0.0),
    (Brightness, "by", 0.0),
    (Contrast, "times", 1.0),
    (Rotate, "degrees", 0.0),
    (Noise, "sigma", 0.0),
    (Shift, "x", 0.0),
    (Shift, "y", 0.0),
)
"""A slider's step, field, and the value that changes nothing."""
HANDS = [("Tap", "0"), ("Paint fine", "3.5"), ("Paint broad", "8")]
HAND = """value => {
  const style = document.documentElement.style, paints = Number(value) > 0;
  style.setProperty('--fw-touch', paints ? 'none' : 'manipulation');
  style.setProperty('--fw-hand', paints ? 'crosshair' : 'pointer');
  style.setProperty('--fw-areas', paints ? 'none' : 'auto');
  style.setProperty('--fw-brush', value);
}"""
CODE = "(state, code) => [state, new URLSearchParams(window.location.search).get('lab') || '']"


@dataclass(frozen=True, eq=False)
class History:
    """What one visitor is working on at a moment; no picture and no network.

    Attributes:
        experiment: the steps so far.
        past: the experiments before, the last one last.
        about: what `maps` and `found` speak about: the photo's key and the chosen face.
        maps: heatmaps that need not be made again, by method, model and emotion.
        found: what hidden parts showed in the search for the smallest change, and what it found by
            model; None before.
    """

    experiment: Experiment = Experiment()
    past: tuple[Experiment, ...] = ()
    about: tuple = ()
    maps: dict[tuple[str, str, int], Explanation] = field(default_factory=dict)
    found: tuple[str, dict[str, Counterfactual | None]] | None = None

    def with_experiment(self, experiment: Experiment) -> "History":
        """With another experiment, which can be undone."""
        if experiment == self.experiment:
            return self
        return replace(self, experiment=experiment, past=(*self.past, self.experiment)[-MOST_UNDONE:])


class LabState:
    """What one visitor does in the Lab, on which every click finds what the click before it did; lives in a `gr.State`.

    Attributes:
        history: as it is now.
        cancellation: what is on the screen comes from the latest.
    """

    def __init__(self):
        self.history, self.cancellation = History(), Cancellation()


class Display(NamedTuple):
    """What `show` is asked for."""

    session: Session
    history: History
    method: str
    emotion: str
    part: str


CHANGING = threading.Lock()
"""Held while a state changes, which takes next to no time."""


def build(shared: Shared) -> None:
    """The tab's components and events."""
    state = gr.State(LabState())
    code = gr.Textbox(visible=False)
    strip = gr.HTML(js_on_load=pictures.SELECT)
    with gr.Row(elem_classes="fw-columns fw-lab"):
        with gr.Column(scale=4, min_width=300):
            parts = gr.HTML(lab_panels.parts(Experiment()), js_on_load=pictures.SELECT, elem_id="lab-parts")
            fill = gr.Radio(list(BASELINES), value=BASELINES[0], label="What is hidden shows", elem_id="lab-fill")
            swapped = gr.Radio(
                [(title, name) for name, title in lab_text.PARTS.items()],
                value="mouth",
                label="Take from an example face",
                elem_id="lab-part",
            )
            swap = gr.HTML(lab_panels.swaps(Experiment(), "mouth"), js_on_load=pictures.SELECT, elem_id="lab-swap")
            with gr.Accordion("Change the whole face", open=False, elem_id="lab-whole"):
                sliders = [_slider(*entry) for entry in SLIDERS]
        with gr.Column(scale=4, min_width=300, elem_classes="fw-first"):
            hand = gr.Radio(HANDS, value="0", show_label=False, container=False, elem_id="lab-hand")
            face = gr.HTML(lab_panels.note(Experiment()), js_on_load=lab_panels.WORK, elem_id="lab-face")
            steps = gr.HTML(js_on_load=pictures.SELECT, elem_id="lab-steps")
            verdict = gr.HTML(elem_id="lab-verdict")
            with gr.Row(elem_classes="fw-pair"):
                undo = gr.Button("Undo", elem_id="lab-undo", interactive=False, min_width=80)
                reset = gr.Button("Start over", elem_id="lab-reset", interactive=False, min_width=80)
            search = gr.Button("Smallest change that flips the answer", variant="primary", elem_id="lab-search")
            smallest = gr.HTML(js_on_load=pictures.SELECT, elem_id="lab-smallest")
            with gr.Row():
                titles = [(entry.title, name) for name, entry in METHODS.items()]
                method = gr.Dropdown(
                    titles, value="gradcam", label="Heatmap", elem_id="lab-method", filterable=False, min_width=240
                )
                emotion = controls.emotions(controls.COMMON, "Emotion to watch", "lab-emotion", min_width=240)
        with gr.Column(scale=6, min_width=320):
            predictions = gr.HTML(elem_id="lab-answers")
    with gr.Accordion("Share or keep this experiment", open=False, elem_id="lab-share"):
        link = gr.HTML(lab_panels.shared(Experiment()), js_on_load=lab_panels.COPY, elem_id="lab-link")
        text = gr.Textbox(written(Experiment()), label="As JSON", lines=5, max_lines=14, elem_id="lab-json")
        take = gr.Button("Do what the JSON says", elem_id="lab-take")

    inputs = [shared.session, state, method, emotion, swapped]
    shown = [strip, face, steps, verdict, predictions, smallest, parts, swap, undo, reset, link, text, *sliders]
    linking = {"api_visibility": "private", "show_progress": "hidden", "trigger_mode": "multiple"}
    quiet = linking | admission.EXPLAINS
    gr.on([shared.tab.select, emotion.input, swapped.input], does(refresh), inputs, shown, **quiet)
    method.input(does(refresh), inputs, shown, **quiet | {"show_progress": "minimal"})
    gr.on([face.select, parts.select], does(touch), [*inputs, fill], shown, **quiet)
    fill.input(does(change_baseline), [*inputs, fill], shown, **quiet)
    swap.select(does(swap_part), inputs, shown, **quiet)
    moved = [*inputs, *sliders]
    gr.on([slider.release for slider in sliders], does(slide), moved, shown[: -len(sliders)], **quiet)
    steps.select(does(take_away), inputs, shown, **quiet)
    undo.click(does(back), inputs, shown, **quiet)
    reset.click(does(start_over), inputs, shown, **quiet)
    take.click(does(follow_json), [*inputs, text], shown, **quiet)
    strip.select(choose, shared.session, shared.session, **linking).then(does(refresh), inputs, shown, **quiet)
    search.click(search_smallest, [shared.session, state, fill], smallest, **quiet | {"show_progress": "minimal"})
    smallest.select(does(follow), inputs, shown, **quiet)
    hand.input(None, hand, None, js=HAND)
    events.page().load(linked, [state, code], None, js=CODE, **linking)


def _slider(kind: type[Step], name: str, neutral: float) -> gr.Slider:
    control = kind.controls()[name]
    return gr.Slider(control.low, control.high, neutral, step=control.step, label=control.title, interactive=True)


# --------------------------------------------------------------------- handlers


def does(change: Callable[..., Display]) -> Callable[..., tuple]:
    """The handler of an event, by what it changes: the change is made at once, then the models are asked.

    Two quick clicks both count, since the second finds what the first has done; of what they show, that of
    the first is left out once the second has begun.

    Args:
        change: takes the session, the history and what else the event brings.
    """

    @wraps(change)
    def handle(session: Session, state: LabState, *rest) -> tuple:
        with CHANGING:
            display = change(session, state.history, *rest)
            state.history, token = display.history, state.cancellation.begin()
        made, *values = show(*display)
        with CHANGING:
            over = state.cancellation.over(token)
            if state.history.about == made.about:
                state.history = replace(state.history, maps={**state.history.maps, **made.maps})
            elif not over:
                state.history = replace(state.history, about=made.about, maps=made.maps, found=made.found)
        if over:
            values = [gr.skip() for _ in values]
        return tuple(values[: -len(SLIDERS)] if change is slide else values)

    return handle


def show(session: Session, history: History, method: str, emotion: str, part: str) -> tuple:
    """The history with its maps, and all that the tab shows, in the order of its outputs; the models are asked."""
    if session.face is None:
        return history, "", lab_panels.note(history.experiment), "", "", "", "", *_about(history, part)
    about = (session.key, session.chosen)
    if history.about != about:
        history = replace(history, about=about, maps={}, found=None)
    known = {key[1:]: found for key, found in history.maps.items() if key[0] == method}
    given = {"maps": known, "versions": versions_used(session)}
    outcome = engine.current().run(experiments.run, session.face, history.experiment, method, emotion, **given)
    made = {(method, name, outcome.target.emotion): found for name, found in outcome.maps.items()}
    history = replace(history, maps={**history.maps, **made})
    return (
        history,
        pictures.strip(session),
        lab_panels.changed_face(outcome),
        lab_panels.done(history.experiment),
        lab_panels.verdict(outcome) + missing(outcome),
        lab_panels.answers(outcome),
        lab_panels.smallest(history.found[1]) if history.found else "",
        *_about(history, part),
    )


def versions_used(session: Session) -> dict[str, str]:
    """The version of each model that answered for the face; a canary may have, see `app.serving.canary`."""
    return {name: answer.version for name, answer in session.face_predictions.items()}


def missing(outcome: experiments.Outcome) -> str:
    """That models could not be asked; empty where all were."""
    note = text.missing(outcome.models)
    return f'<p class="fw-note">{note}</p>' if note else ""


def _about(history: History, part: str) -> tuple:
    experiment = history.experiment
    return (
        lab_panels.parts(experiment),
        lab_panels.swaps(experiment, part),
        gr.Button(interactive=bool(history.past)),
        gr.Button(interactive=bool(experiment.steps)),
        lab_panels.shared(experiment),
        written(experiment),
        *_positions(experiment),
    )


def _positions(experiment: Experiment) -> list[float]:
    """Where the sliders stand for an experiment."""
    steps = [(experiment.find((kind.DO,)), name, neutral) for kind, name, neutral in SLIDERS]
    return [neutral if step is None else getattr(step, name) for step, name, neutral in steps]


def written(experiment: Experiment) -> str:
    """An experiment as JSON for people, a line a step."""
    lines = ",\n".join(f"  {json.dumps(step)}" for step in experiment.to_json()["steps"])
    return f'{{"steps": [\n{lines}\n]}}' if lines else '{"steps": []}'


def refresh(session: Session, history: History, method: str, emotion: str, part: str) -> Display:
    """The same experiment, seen anew: on another face, by another method, with another emotion in mind."""
    return Display(session, history, method, emotion, part)


def touch(
    session: Session, history: History, event: gr.EventData, method: str, emotion: str, part: str, fill: str
) -> Display:
    """A part of the face hidden, or shown again; or a patch that was painted."""
    data = events.data(event)
    experiment = history.experiment
    if "stroke" in data:
        under = brush_mask.mask(data["stroke"], data.get("width"))
        experiment = experiment.put(Paint(pack(under), fill))
    elif data.get("index") in range(len(REGIONS)):
        step = Hide(REGIONS[data["index"]], fill)
        hidden = experiment.find(step.slot)
        experiment = experiment.without(step.slot) if hidden else experiment.put(step)
    return Display(session, history.with_experiment(experiment), method, emotion, part)


def change_baseline(session: Session, history: History, method: str, emotion: str, part: str, fill: str) -> Display:
    """Everything that is hidden shows something else."""
    steps = (replace(step, fill=fill) if hasattr(step, "fill") else step for step in history.experiment.steps)
    history = replace(history.with_experiment(Experiment(tuple(steps))), found=None)
    return Display(session, history, method, emotion, part)


def swap_part(session: Session, history: History, event: gr.EventData, method: str, emotion: str, part: str) -> Display:
    """The mouth or the eyes of an example face; the same one again takes them away."""
    names = list(lab_panels.thumbnails())
    experiment = history.experiment
    index = events.data(event).get("index")
    if index in range(len(names)):
        step = Swap(part, names[index])
        there = experiment.find(step.slot) == step
        experiment = experiment.without(step.slot) if there else experiment.put(step)
    return Display(session, history.with_experiment(experiment), method, emotion, part)


def slide(session: Session, history: History, method: str, emotion: str, part: str, *values: float) -> Display:
    """What the sliders say about the whole face; the sliders themselves stay where they are."""
    experiment = history.experiment
    chosen: dict[type[Step], dict[str, float]] = {}
    for (kind, name, _), value in zip(SLIDERS, values, strict=True):
        chosen.setdefault(kind, {})[name] = value
    for kind, fields in chosen.items():
        step = kind(**fields)
        there = experiment.find(step.slot)
        neutral = all(fields[name] == rest for own, name, rest in SLIDERS if own is kind)
        if neutral:
            experiment = experiment.without(step.slot)
        elif there is None or any(getattr(there, name) != value for name, value in fields.items()):
            experiment = experiment.put(step if there is None else replace(there, **fields))
    return Display(session, history.with_experiment(experiment), method, emotion, part)


def take_away(session: Session, history: History, event: gr.EventData, method: str, emotion: str, part: str) -> Display:
    """One step taken away."""
    index = events.data(event).get("index")
    kept = tuple(step for place, step in enumerate(history.experiment.steps) if place != index)
    return Display(session, history.with_experiment(Experiment(kept)), method, emotion, part)


def back(session: Session, history: History, method: str, emotion: str, part: str) -> Display:
    """The experiment before the last change."""
    if history.past:
        history = replace(history, experiment=history.past[-1], past=history.past[:-1])
    return Display(session, history, method, emotion, part)


def start_over(session: Session, history: History, method: str, emotion: str, part: str) -> Display:
    """The face as it was; this too can be undone."""
    return Display(session, history.with_experiment(Experiment()), method, emotion, part)


def follow_json(session: Session, history: History, method: str, emotion: str, part: str, text: str) -> Display:
    """The experiment that was written or pasted."""
    return Display(session, history.with_experiment(Experiment.from_json(text)), method, emotion, part)


def search_smallest(session: Session, state: LabState, fill: str) -> str:
    """The smallest change that flips each model's answer."""
    if session.face is None:
        raise NoFaceError("The search needs a face", "none so far", "First give a photo on the tab Predict")
    found = engine.current().run(experiments.smallest, session.face, fill, versions_used(session))
    with CHANGING:
        state.history = replace(state.history, found=(fill, found))
    return lab_panels.smallest(found)


def follow(session: Session, history: History, event: gr.EventData, method: str, emotion: str, part: str) -> Display:
    """The smallest change of one model, done."""
    fill, found = history.found or ("", {})
    index = events.data(event).get("index")
    change = list(found.values())[index] if index in range(len(found)) else None
    if change is not None:
        history = history.with_experiment(Experiment(tuple(Hide(region, fill) for region in change.regions)))
    return Display(session, history, method, emotion, part)


def linked(state: LabState, code: str) -> None:
    """The experiment that the page's address names; it waits for a face."""
    if not code:
        return
    experiment = Experiment.from_code(code)
    for step in experiment.steps:  # a face that is not among ours is found now, not when the tab is opened
        name = getattr(step, "donor", None) or getattr(step, "fill", BASELINES[0])
        if name not in BASELINES and name not in SOURCE_FACES:
            raise UnknownNameError("An example face has a name", repr(name), f"Use one of {', '.join(SOURCE_FACES)}")
    gr.Info("The link brought an experiment. Give a photo with a face, then open the tab Lab.")
    with CHANGING:
        state.history = state.history.with_experiment(experiment)
