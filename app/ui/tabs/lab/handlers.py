"""The handlers of the tab's events: each changes the state and asks the models."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from app import experiments, source_faces
from app.ui import method_pages
from app.ui.gradio_overrides import events
from app.ui.render import html, lab_panels, pictures
from app.ui.session import Session
from app.ui.tabs import SKIP
from app.ui.tabs.explain.results import Shown
from app.ui.tabs.lab import changes
from app.ui.tabs.lab.state import LabState, Latest
from app.ui.tabs.lab.views import Answer, View, show, versions_used
from explain.lab.steps import Experiment

BUSY = html.note("The heatmaps are on their way…", progress=())
SEARCHING = html.note("All ways to hide parts of the face are tried…", progress=())
CHANGING = threading.Lock()
"""Held while a state is changed, which takes next to no time."""


def change(
    session: Session, latest: Latest, to: Callable[..., LabState], *given: Any, stays: Iterable[str] = ()
) -> Answer:
    """Change the state at once, then ask the models.

    Two quick clicks both count, since the second finds what the first has done; of what they show, that of
    the first is left out once the second has begun.

    Args:
        session: whose face it is.
        latest: holds the state.
        to: takes the state and what is `given`; returns the new state.
        given: what the event brings.
        stays: outputs that are left as they are.
    """
    with CHANGING:
        latest.state = state = to(latest.state, *given)
        token = latest.cancellation.begin()
    made, view = show(session, state)
    with CHANGING:
        over = latest.cancellation.over(token)
        if latest.state.about == made.about:
            latest.state = replace(latest.state, maps={**latest.state.maps, **made.maps})
        elif not over:
            latest.state = replace(latest.state, about=made.about, maps=made.maps, found=made.found)
    answer = Answer(*View() if over else view._replace(**dict.fromkeys(stays, SKIP)))
    answer.outdated = lambda: latest.cancellation.over(token)
    return answer


def arrive(session: Session, latest: Latest, shown: Shown | None, prepared: tuple[str, Experiment | None]) -> View:
    """Open the tab, see `changes.arrive`."""
    return change(session, latest, changes.arrive, shown, prepared)


def watch(session: Session, latest: Latest, method: str, emotion: str, part: str) -> View:
    """See the experiment by another method, with another emotion in mind, or with another part to swap."""
    return change(session, latest, changes.watch, method, emotion, part)


def touch(session: Session, latest: Latest, event: gr.EventData, fill: str) -> View:
    """Hide a part of the face, show it again, or paint a patch."""
    return change(session, latest, changes.touch, events.data(event), fill)


def change_baseline(session: Session, latest: Latest, fill: str) -> View:
    """Let everything that is hidden show something else."""
    return change(session, latest, changes.change_baseline, fill)


def swap_part(session: Session, latest: Latest, event: gr.EventData) -> View:
    """Take a part from an example face, or give it back."""
    return change(session, latest, changes.swap_part, events.data(event))


def slide(session: Session, latest: Latest, *values: float) -> View:
    """Change the whole face; the sliders stay where the finger is."""
    return change(session, latest, changes.slide, *values, stays=changes.SLIDERS)


def take_away(session: Session, latest: Latest, event: gr.EventData) -> View:
    """Take one step away."""
    return change(session, latest, changes.take_away, events.data(event))


def back(session: Session, latest: Latest) -> View:
    """Undo the last change."""
    return change(session, latest, changes.back)


def start_over(session: Session, latest: Latest) -> View:
    """Take all steps away."""
    return change(session, latest, changes.start_over)


def follow_json(session: Session, latest: Latest, text: str) -> View:
    """Do what the JSON says; raises as `Experiment.from_json`."""
    return change(session, latest, changes.follow_json, text)


def follow(session: Session, latest: Latest, event: gr.EventData) -> View:
    """Hide the fewest parts which flip one model's answer."""
    return change(session, latest, changes.follow, events.data(event))


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


def waiting(session: Session, latest: Latest) -> View:
    """Say that the tab waits for its turn, where the face is another than the one on the screen."""
    if session.face is None or latest.state.about == (session.key, session.chosen):
        return View()
    nothing = dict.fromkeys(("steps", "verdict", "predictions", "smallest"), "")
    return View(strip=pictures.above(session), face=html.QUEUED, **nothing)


def busy(session: Session) -> View:
    """Say that the heatmaps of another method are on their way."""
    return View(verdict=BUSY) if session.face else View()


def linked(latest: Latest, code: str) -> None:
    """Keep the experiment that the page's address names until there is a face; raises as `Experiment.from_code`."""
    if not code:
        return
    experiment = Experiment.from_code(code)
    source_faces.names_in(experiment)  # a face that is not among ours is found now, not when the tab is opened
    gr.Info("The link brought an experiment. Give a photo with a face, then open the tab Lab.")
    with CHANGING:
        latest.state = latest.state.with_experiment(experiment)


def guide() -> str:
    """The guide to the Lab."""
    return method_pages.guide("lab")
