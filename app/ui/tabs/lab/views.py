"""What the tab shows of a state."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from app import experiments
from app.ui.gradio_overrides.blocks import Perishable
from app.ui.render import lab_panels, pictures
from app.ui.session import Session
from app.ui.tabs import SKIP
from app.ui.tabs.lab.changes import SLIDERS
from app.ui.tabs.lab.state import LabState
from explain.lab.steps import Experiment


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


class Answer(View, Perishable):
    """The outputs after a change, which the page leaves out once a later one has begun."""


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
