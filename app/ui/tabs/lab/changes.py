"""What a visitor changes: a state in, a state out. `data` is what the page tells of a click, see `events.data`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from app.ui import brush_mask
from app.ui.render import lab_panels
from app.ui.tabs.explain.results import Shown
from app.ui.tabs.lab.state import LabState
from explain.lab import steps as kinds
from explain.lab.steps import Experiment, Hide, Paint, Patch, Step, Swap, pack
from models.regions import REGIONS

Data = Mapping[str, Any]
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


def touch(state: LabState, data: Data, fill: str) -> LabState:
    """A part of the face hidden, or shown again; or a patch that was painted."""
    experiment = state.experiment
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


def swap_part(state: LabState, data: Data) -> LabState:
    """The mouth or the eyes of an example face; the same one again takes them away."""
    names, experiment = list(lab_panels.thumbnails()), state.experiment
    index: Any = data.get("index")
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


def take_away(state: LabState, data: Data) -> LabState:
    """The experiment without one of its steps."""
    index: Any = data.get("index")
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


def follow(state: LabState, data: Data) -> LabState:
    """The experiment that hides the fewest parts which flip one model's answer."""
    fill, found = state.found or ("", {})
    index: Any = data.get("index")
    change = list(found.values())[index] if index in range(len(found)) else None
    if change is None:
        return state
    return state.with_experiment(Experiment(tuple(Hide(region, fill) for region in change.regions)))
