"""The tabs of the page. Each file has a TITLE, build(shared), and its handlers as plain functions."""

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from app.ui import scripts
from app.ui.cancellation import Cancellation
from app.ui.gradio_overrides import events
from app.ui.session import Session

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "trigger_mode": "multiple"}
"""The options of an event that only the page has."""


def waiting_place() -> tuple[gr.HTML, dict[str, Any]]:
    """What says at which place of the queue a visitor's call waits and how long, and the options of such events."""
    place = gr.HTML(js_on_load=scripts.read("place"), elem_classes="fw-place")
    return place, PRIVATE | {"show_progress": "minimal", "show_progress_on": place}


SKIP = gr.skip()
"""Stands for an output that stays as it is.

The outputs of a handler are a named tuple of its tab: of the components where they are built, and of what a handler
shows of them where it is called.
"""


@dataclass(frozen=True)
class Shared:
    """What `main` hands to every tab.

    Attributes:
        session: holds the visitor's `Session`.
        tab: the tab that is being built.
        explained: holds what the tab Explain shows, its `Shown` or None.
        wanted: holds what Explain is asked to open with: a network, and after spaces a method and an emotion; "" for
            nothing.
        prepared: holds the experiment that the Lab is asked to open with, and a key of this wish and no other.
        reading: counts what is to become the session, wherever it is given, so that the last choice wins.
    """

    session: gr.State
    tab: gr.Tab
    explained: gr.State
    wanted: gr.State = field(default_factory=lambda: gr.State(""))
    prepared: gr.State = field(default_factory=lambda: gr.State(("", None)))
    reading: gr.State = field(default_factory=lambda: gr.State(Cancellation()))


def choose(session: Session, event: gr.EventData) -> Session:
    """Another face of the photo, for all tabs; at once, so that nothing later is overwritten."""
    return session.choose(events.data(event).get("index"))
