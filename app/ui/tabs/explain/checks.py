"""What a visitor tries on the map: another library, a network that forgets, and parts that count together."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app import pipeline
from app.ui.cancellation import Cancellation
from app.ui.render import html, interactions_panel, map_checks
from app.ui.session import Session
from app.ui.tabs import SKIP
from app.ui.tabs.explain.results import Checked, Shown, on_screen
from explain import reference

UNSTOPPABLE = "Stop only drops what it finds: the other library cannot be interrupted."
"""Said while another library is at work."""


def compute_elsewhere(
    checking: Cancellation, cancellation: Cancellation, session: Session, shown: Shown | None
) -> Iterator[Checked]:
    """The map on the screen by another library beside ours, or why no other has it."""
    token = checking.begin()
    if shown is None:
        return
    explanation = shown.explanation
    if reason := reference.why_not(explanation.method, explanation.params):
        yield Checked("", gr.Button(visible=False), library=html.note(reason))
        return
    call = reference.CALLS[explanation.method]
    wait = f" This may take a minute. {UNSTOPPABLE}" if call.slow else f" {UNSTOPPABLE}"
    yield checks_at_work(html.note(f"{call.library} computes the same map…{wait}", progress=()))
    try:
        found = pipeline.by_other_library(shown.face, explanation, shown.version)
    except Exception:
        if not checking.over(token):
            yield Checked("", gr.Button(visible=False))
        raise
    if checking.over(token):
        return
    there = on_screen(cancellation, session, shown)
    yield Checked("", gr.Button(visible=False), map_checks.library(session, explanation, found) if there else SKIP)


def shake_network(
    checking: Cancellation, cancellation: Cancellation, session: Session, shown: Shown | None
) -> Iterator[Checked]:
    """What becomes of the map on the screen as the network forgets, a step for each stage of layers."""
    token = checking.begin()
    if shown is None:
        return
    yield checks_at_work(html.note("A copy of the network forgets its last layer…", progress=()))
    found = []
    try:
        for one in pipeline.shaken(shown.face, shown.explanation, shown.version):
            if checking.over(token):
                return
            if not on_screen(cancellation, session, shown):
                break
            found.append(one)
            note = html.note(f"{len(found)} of {one.of} stages of layers are shaken", progress=(len(found), one.of))
            yield checks_at_work(note)._replace(shaken=map_checks.shaken(session, shown.explanation, found))
    except Exception:
        if not checking.over(token):
            yield Checked("", gr.Button(visible=False))
        raise
    yield Checked("", gr.Button(visible=False))


def checks_at_work(note: str) -> Checked:
    """A word while a map is checked, and the button that stops it."""
    return Checked(note, gr.Button(visible=True))


def halted(checking: Cancellation) -> Checked:
    """Stop the check, and say so."""
    checking.begin()
    return Checked(html.note("Stopped."), gr.Button(visible=False))


def count_together(
    cancellation: Cancellation, session: Session, shown: Shown | None, counted: str
) -> Iterator[tuple[Any, Any]]:
    """What the parts of the face are worth together, unless it is there already."""
    if shown is None or shown.key == counted:
        return
    yield SKIP, html.note(interactions_panel.BUSY, progress=())
    found = pipeline.interactions(shown.face, shown.explanation, shown.version)
    if on_screen(cancellation, session, shown):
        yield shown.key, interactions_panel.panel(session, found)
