"""A place to try what a heatmap claims: change the face, and see whether the models' answers follow."""

import inspect
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, NamedTuple, cast

import gradio as gr

from app import experiments, lab_text, pipeline, source_faces
from app.ui import brush_mask, controls, measures_fold, method_pages, scripts
from app.ui import queues as admission
from app.ui.cancellation import Cancellation
from app.ui.gradio_overrides import events
from app.ui.measures_fold import face_again, face_arrived, move_measures
from app.ui.render import html, lab_panels, pictures
from app.ui.session import Session
from app.ui.tabs import PRIVATE, SKIP, Shared, choose, waiting_place
from app.ui.tabs.explain.results import Shown
from explain.base import Explanation
from explain.lab import steps as kinds
from explain.lab.counterfactual import Counterfactual
from explain.lab.steps import BASELINES, Experiment, Hide, Paint, Patch, Step, Swap, pack
from explain.registry import METHODS
from models.regions import REGIONS

TITLE = "Lab"
MOST_UNDONE = 40
SLIDERS = {
    "blur": (kinds.Blur, "sigma", 0.0),
    "brightness": (kinds.Brightness, "by", 0.0),
    "contrast": (kinds.Contrast, "times", 1.0),
    "rotate": (kinds.Rotate, "degrees", 0.0),
    "noise": (kinds.Noise, "sigma", 0.0),
    "x": (kinds.Shift, "x", 0.0),
    "y": (kinds.Shift, "y", 0.0),
}
"""A slider's step, field, and the value that changes nothing, by its name in `View`."""
HANDS = [("Tap", "0"), ("Paint fine", "3.5"), ("Paint broad", "8")]
BUSY = html.note("The heatmaps are on their way…", progress=())
SEARCHING = html.note("All ways to hide parts of the face are tried…", progress=())


@dataclass(frozen=True, eq=False)
class LabState:
    """What one visitor is working on at a moment; no picture and no network.

    Attributes:
        experiment: the steps so far.
        method, emotion: whose heatmap is held to it, and for which emotion; "" for what the models see on average.
        part: what is taken from an example face, a key of `lab_text.PARTS`.
        past: the experiments before, the last one last.
        about: what `maps` and `found` speak about: the photo's key and the chosen face.
        maps: heatmaps that need not be made again, by method, model and emotion.
        followed: the method that the tab Explain showed when the Lab was opened last.
        prepared: the key of the wish that the Lab was opened with last, see `Shared.prepared`.
        found: what hidden parts showed in the search for the fewest parts, and what it found by
            model; None before.
    """

    experiment: Experiment = Experiment()
    method: str = "gradcam"
    emotion: str = ""
    part: str = "mouth"
    past: tuple[Experiment, ...] = ()
    about: tuple[Any, ...] = ()
    maps: dict[tuple[str, str, int], Explanation] = field(default_factory=dict)
    followed: str = ""
    prepared: str = ""
    found: tuple[str, dict[str, Counterfactual | None]] | None = None

    def with_experiment(self, experiment: Experiment) -> "LabState":
        """With another experiment, which can be undone."""
        if experiment == self.experiment:
            return self
        return replace(self, experiment=experiment, past=(*self.past, self.experiment)[-MOST_UNDONE:])


class Latest:
    """The state on which every click finds what the click before it did; lives in a `gr.State`.

    Attributes:
        state: as it is now.
        cancellation: what is on the screen comes from the latest run.
    """

    def __init__(self, state: LabState | None = None):
        self.state, self.cancellation = state or LabState(), Cancellation()


class View(NamedTuple):
    """The outputs of the tab; the last seven are the sliders."""

    strip: Any = SKIP
    face: Any = SKIP
    steps: Any = SKIP
    verdict: Any = SKIP
    predictions: Any = SKIP
    smallest: Any = SKIP
    parts: Any = SKIP
    swap: Any = SKIP
    undo: Any = SKIP
    reset: Any = SKIP
    link: Any = SKIP
    text: Any = SKIP
    method: Any = SKIP
    blur: Any = SKIP
    brightness: Any = SKIP
    contrast: Any = SKIP
    rotate: Any = SKIP
    noise: Any = SKIP
    x: Any = SKIP
    y: Any = SKIP


CHANGING = threading.Lock()
"""Held while a state is changed, which takes next to no time."""


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    first = LabState(method=pipeline.recommended("cnn"))
    latest = gr.State(Latest(first))
    code = gr.Textbox(visible=False)
    strip = gr.HTML(js_on_load=scripts.read("select"))
    with gr.Row(elem_classes="fw-columns fw-lab"):
        with gr.Column(scale=4, min_width=300):
            parts = gr.HTML(lab_panels.parts(Experiment()), js_on_load=scripts.read("select"), elem_id="lab-parts")
            fill = gr.Radio(list(BASELINES), value=BASELINES[0], label="What is hidden shows", elem_id="lab-fill")
            swapped = gr.Radio(
                [(title, name) for name, title in lab_text.PARTS.items()],
                value=LabState.part,
                label="Take from an example face",
                elem_id="lab-part",
            )
            swaps = lab_panels.swaps(Experiment(), LabState.part)
            swap = gr.HTML(swaps, js_on_load=scripts.read("select"), elem_id="lab-swap")
            with gr.Accordion("Change the whole face", open=False, elem_id="lab-whole"):
                sliders = {name: _slider(*entry) for name, entry in SLIDERS.items()}
        with gr.Column(scale=4, min_width=300, elem_classes="fw-first"):
            hand = gr.Radio(HANDS, value="0", show_label=False, container=False, elem_id="lab-hand")
            invitation = lab_panels.invitation(Experiment())
            face = gr.HTML(invitation, js_on_load=scripts.read("lab_face"), elem_id="lab-face")
            _, waits = waiting_place()
            steps = gr.HTML(js_on_load=scripts.read("select"), elem_id="lab-steps")
            verdict = gr.HTML(elem_id="lab-verdict")
            with gr.Row():
                undo = gr.Button("Undo", elem_id="lab-undo", interactive=False, min_width=80)
                reset = gr.Button("Start over", elem_id="lab-reset", interactive=False, min_width=80)
            search = gr.Button("Fewest parts whose hiding flips the answer", variant="primary", elem_id="lab-search")
            smallest = gr.HTML(js_on_load=scripts.read("select"), elem_id="lab-smallest")
            with gr.Row():
                titles = [(entry.title, name) for name, entry in METHODS.items()]
                method = gr.Dropdown(
                    titles,
                    value=LabState.method,
                    label="Heatmap",
                    elem_id="lab-method",
                    filterable=False,
                    min_width=240,
                )
                emotion = controls.emotions(controls.COMMON, "Emotion to watch", "lab-emotion", min_width=240)
        with gr.Column(scale=6, min_width=320):
            predictions = gr.HTML(elem_id="lab-answers")
    fold = measures_fold.build()
    with gr.Accordion("Share or keep this experiment", open=False, elem_id="lab-share"):
        link = gr.HTML(lab_panels.shared(Experiment()), js_on_load=scripts.read("copy_link"), elem_id="lab-link")
        text = gr.Textbox(written(Experiment()), label="As JSON", lines=5, max_lines=14, elem_id="lab-json")
        take = gr.Button("Do what the JSON says", elem_id="lab-take")

    with gr.Accordion("How the Lab works, and experiments to try", open=False, elem_id="lab-guide") as about:
        page = gr.Markdown()

    own = [shared.session, latest]
    watched = [method, emotion, swapped]
    places = [strip, face, steps, verdict, predictions, smallest, parts, swap, undo, reset, link, text, method]
    outputs = [*View(*places, **sliders)]
    computed = waits | admission.EXPLAINS
    shared.tab.select(waiting, own, outputs, **PRIVATE, queue=False)
    shared.tab.select(does(arrive), [*own, shared.explained, shared.prepared], outputs, **computed)
    gr.on([emotion.input, swapped.input], does(watch), [*own, *watched], outputs, **computed)
    method.input(busy, shared.session, outputs, **PRIVATE, queue=False)
    method.input(does(watch), [*own, *watched], outputs, **computed)
    gr.on([face.select, parts.select], does(touch), [*own, fill], outputs, **computed)
    fill.input(does(change_baseline), [*own, fill], outputs, **computed)
    swap.select(does(swap_part), own, outputs, **computed)
    releases = [slider.release for slider in sliders.values()]
    gr.on(releases, does(slide), [*own, *sliders.values()], outputs, **computed)
    steps.select(does(take_away), own, outputs, **computed)
    undo.click(does(back), own, outputs, **computed)
    reset.click(does(start_over), own, outputs, **computed)
    take.click(does(follow_json), [*own, text], outputs, **computed)
    chosen = strip.select(choose, shared.session, shared.session, **PRIVATE)
    chosen.then(does(watch), [*own, *watched], outputs, **computed)
    chosen.then(face_arrived, [shared.session, fold.state], fold.outputs, **PRIVATE)
    shared.tab.select(face_arrived, [shared.session, fold.state], fold.outputs, **PRIVATE)
    fold.back.click(face_again, shared.session, fold.outputs, **PRIVATE)
    moving = [shared.session, fold.state, fold.both, *fold.sliders]
    gr.on([each.input for each in fold.sliders], move_measures, moving, fold.outputs, **measures_fold.LIVE)
    search.click(search_smallest, [*own, fill], outputs, **computed)
    smallest.select(does(follow), own, outputs, **computed)
    about.expand(guide, None, page, **PRIVATE)
    hand.input(None, hand, None, js=scripts.read("lab_hand"))
    events.page().load(linked, [latest, code], None, js=scripts.read("lab_code"), **PRIVATE)


def _slider(kind: type[Step], name: str, neutral: float) -> gr.Slider:
    control = kind.controls()[name]
    low, high, step = control.range
    return gr.Slider(low, high, neutral, step=step, label=control.title, interactive=True)


# --------------------------------------------------------------------- handlers


def does(change: Callable[..., LabState]) -> Callable[..., View]:
    """The handler of an event, by what it changes: the change is made at once, then the models are asked.

    Two quick clicks both count, since the second finds what the first has done; of what they show, that of
    the first is left out once the second has begun.

    Args:
        change: takes the state and what else the event brings; answers the new state.
    """

    @wraps(change)
    def handle(session: Session, latest: Latest, *rest: Any) -> View:
        with CHANGING:
            latest.state = state = change(latest.state, *rest)
            token = latest.cancellation.begin()
        made, view = show(session, state)
        with CHANGING:
            over = latest.cancellation.over(token)
            if latest.state.about == made.about:
                latest.state = replace(latest.state, maps={**latest.state.maps, **made.maps})
            elif not over:
                latest.state = replace(latest.state, about=made.about, maps=made.maps, found=made.found)
        if over:
            return View()
        return view._replace(**dict.fromkeys(SLIDERS, SKIP)) if change is slide else view

    _, *rest = inspect.signature(change).parameters.values()
    own = list(inspect.signature(handle, follow_wrapped=False).parameters.values())[:2]
    # by which Gradio sees where an event's data goes
    handle.__signature__ = inspect.Signature([*own, *rest])  # type: ignore[attr-defined]
    return handle


def show(session: Session, state: LabState) -> tuple[LabState, View]:
    """The state with its maps, and what the tab shows of it; the models are asked."""
    experiment = state.experiment
    view = View(
        parts=lab_panels.parts(experiment),
        swap=lab_panels.swaps(experiment, state.part),
        undo=gr.Button(interactive=bool(state.past)),
        reset=gr.Button(interactive=bool(experiment.steps)),
        link=lab_panels.shared(experiment),
        text=written(experiment),
        method=state.method,
        **_positions(experiment),
    )
    if session.face is None:
        nothing = dict.fromkeys(("strip", "steps", "verdict", "predictions", "smallest"), "")
        return state, view._replace(face=lab_panels.invitation(experiment), **nothing)
    about = (session.key, session.chosen)
    if state.about != about:
        state = replace(state, about=about, maps={}, found=None)
    known = {key[1:]: found for key, found in state.maps.items() if key[0] == state.method}
    outcome = experiments.run(
        session.face, experiment, state.method, state.emotion, maps=known, versions=versions_used(session)
    )
    made = {(state.method, name, outcome.target.emotion): found for name, found in outcome.maps.items()}
    return replace(state, maps={**state.maps, **made}), view._replace(
        strip=pictures.above(session),
        face=lab_panels.changed_face(outcome),
        steps=lab_panels.done(experiment),
        verdict=lab_panels.verdict(outcome, session.face_name),
        predictions=lab_panels.answers(outcome),
        smallest=lab_panels.smallest(state.found[1]) if state.found else "",
    )


def versions_used(session: Session) -> dict[str, str]:
    """The version of each model that answered for the face; a canary may have, see `app.serving.canary`."""
    return {name: answer.version for name, answer in session.face_predictions.items()}


def _positions(experiment: Experiment) -> dict[str, float]:
    """Where the sliders stand for an experiment."""
    steps = {name: experiment.find((kind.DO,)) for name, (kind, _, _) in SLIDERS.items()}
    return {
        name: neutral if steps[name] is None else getattr(steps[name], key)
        for name, (_, key, neutral) in SLIDERS.items()
    }


def written(experiment: Experiment) -> str:
    """An experiment as JSON for people, a line a step."""
    lines = ",\n".join(f"  {json.dumps(step)}" for step in experiment.to_json()["steps"])
    return f'{{"steps": [\n{lines}\n]}}' if lines else '{"steps": []}'


def watch(state: LabState, method: str, emotion: str, part: str) -> LabState:
    """The same experiment seen by a method, with an emotion in mind, and the part that is taken from other faces."""
    return replace(state, method=method, emotion=emotion, part=part)


def arrive(state: LabState, shown: Shown | None, prepared: tuple[str, Experiment | None] = ("", None)) -> LabState:
    """The Lab begins with the method that the tab Explain shows, and follows where that is another one.

    Where it is opened by a lesson, it begins with the lesson's experiment.
    """
    key, experiment = prepared
    if experiment is not None and key != state.prepared:
        state = replace(state.with_experiment(experiment), prepared=key)
    method = state.followed if shown is None else shown.explanation.method
    return state if method == state.followed else replace(state, method=method, followed=method)


def waiting(session: Session, latest: Latest) -> View:
    """Say that the tab waits for its turn, where the face is another than the one on the screen."""
    if session.face is None or latest.state.about == (session.key, session.chosen):
        return View()
    nothing = dict.fromkeys(("steps", "verdict", "predictions", "smallest"), "")
    return View(strip=pictures.above(session), face=html.QUEUED, **nothing)


def touch(state: LabState, event: gr.EventData, fill: str) -> LabState:
    """A part of the face hidden, or shown again; or a patch that was painted."""
    data, experiment = events.data(event), state.experiment
    if "stroke" in data:
        under = brush_mask.mask(data["stroke"], data.get("width"))
        experiment = experiment.put(Paint(pack(under), fill))
    elif data.get("index") in range(len(REGIONS)):
        step = Hide(REGIONS[data["index"]], fill)
        hidden = experiment.find(step.slot)
        experiment = experiment.without(step.slot) if hidden else experiment.put(step)
    return state.with_experiment(experiment)


def change_baseline(state: LabState, fill: str) -> LabState:
    """Everything that is hidden shows something else."""
    steps = (
        replace(cast(Any, step), fill=fill) if isinstance(step, Patch) else step for step in state.experiment.steps
    )
    return replace(state.with_experiment(Experiment(tuple(steps))), found=None)


def swap_part(state: LabState, event: gr.EventData) -> LabState:
    """The mouth or the eyes of an example face; the same one again takes them away."""
    names, experiment = list(lab_panels.thumbnails()), state.experiment
    index = events.data(event).get("index")
    if index in range(len(names)):
        step = Swap(state.part, names[index])
        there = experiment.find(step.slot) == step
        experiment = experiment.without(step.slot) if there else experiment.put(step)
    return state.with_experiment(experiment)


def slide(state: LabState, *values: float) -> LabState:
    """What the sliders say about the whole face; the sliders themselves stay where they are."""
    experiment = state.experiment
    chosen: dict[type[Step], dict[str, float]] = {}
    for (kind, name, _), value in zip(SLIDERS.values(), values, strict=True):
        chosen.setdefault(kind, {})[name] = value
    for kind, fields in chosen.items():
        step = kind(**fields)
        there = experiment.find(step.slot)
        neutral = all(fields[name] == rest for own, name, rest in SLIDERS.values() if own is kind)
        if neutral:
            experiment = experiment.without(step.slot)
        elif there is None or any(getattr(there, name) != value for name, value in fields.items()):
            experiment = experiment.put(step if there is None else replace(there, **fields))
    return state.with_experiment(experiment)


def take_away(state: LabState, event: gr.EventData) -> LabState:
    """The experiment without one of its steps."""
    index = events.data(event).get("index")
    kept = tuple(step for place, step in enumerate(state.experiment.steps) if place != index)
    return state.with_experiment(Experiment(kept))


def back(state: LabState) -> LabState:
    """The experiment before the last change."""
    return replace(state, experiment=state.past[-1], past=state.past[:-1]) if state.past else state


def start_over(state: LabState) -> LabState:
    """The face as it was; this too can be undone."""
    return state.with_experiment(Experiment())


def follow_json(state: LabState, text: str) -> LabState:
    """The experiment that the visitor wrote or pasted; raises as `Experiment.from_json`."""
    return state.with_experiment(Experiment.from_json(text))


def guide() -> str:
    """The guide to the Lab."""
    return method_pages.guide("lab")


def busy(session: Session) -> View:
    """Say that the heatmaps of another method are on their way."""
    return View(verdict=BUSY) if session.face else View()


def search_smallest(session: Session, latest: Latest, fill: str) -> Iterator[View]:
    """The fewest parts whose hiding flips each model's answer."""
    if session.face is None:
        yield View(smallest=html.note(html.FIRST_A_PHOTO))
        return
    yield View(smallest=SEARCHING)
    found = experiments.smallest(session.face, fill, versions_used(session))
    with CHANGING:
        latest.state = replace(latest.state, found=(fill, found))
    yield View(smallest=lab_panels.smallest(found))


def follow(state: LabState, event: gr.EventData) -> LabState:
    """The experiment that hides the fewest parts which flip one model's answer."""
    fill, found = state.found or ("", {})
    index = events.data(event).get("index")
    change = list(found.values())[index] if index in range(len(found)) else None
    if change is None:
        return state
    return state.with_experiment(Experiment(tuple(Hide(region, fill) for region in change.regions)))


def linked(latest: Latest, code: str) -> None:
    """Keep the experiment that the page's address names until there is a face; raises as `Experiment.from_code`."""
    if not code:
        return
    experiment = Experiment.from_code(code)
    source_faces.names_in(experiment)  # a face that is not among ours is found now, not when the tab is opened
    gr.Info("The link brought an experiment. Give a photo with a face, then open the tab Lab.")
    with CHANGING:
        latest.state = latest.state.with_experiment(experiment)
