"""How long what the page's visitors have open stays in memory."""

import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio import mcp
from gradio.state_holder import SessionState, StateHolder

from app.clips import Clip
from app.ui import uploads
from app.ui.gradio_overrides import upload_progress
from app.ui.gradio_overrides.queue import PageQueue
from models.types import Photo

KEPT = 3600
"""Seconds after a visitor's last action."""
KEPT_CLOSED = 600
"""The same where the page was closed: a phone that slept may come back."""
KEPT_EMPTY = 10
"""The same where nothing is open: every call of Gradio's client is a session of its own."""
SESSIONS = 1000
"""Sessions at once; the one longest away is forgotten first."""
PHOTOS = 512 * 2**20
"""Bytes of photos at once; the one longest away is forgotten first."""


class LeanSession(SessionState):
    """A session that holds what its State components hold, and nothing that the others show.

    Gradio's own describes all components of the page anew for each session, which keeps the event loop busy for some
    45 ms and takes 0.7 MiB, and copies into that what they show, for the sake of deep links, which FaceWhy has not.
    """

    def __init__(self, blocks: gr.Blocks):
        nothing: Any = SimpleNamespace(default_config=blocks.default_config, blocks={})
        super().__init__(nothing)

    def _update_config(self, key: int) -> None:
        pass

    def _update_value_in_config(self, key: int, value: Any) -> None:
        pass


class SessionStore(StateHolder):
    """Gradio's sessions, lean, and each forgotten whole.

    Gradio's own drops the values of its State components in time, but keeps the rest of a session until as many newer
    ones have come as it has room for.
    """

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = LeanSession(self.blocks)
        return super().__getitem__(session_id)

    def delete_all_expired_state(self) -> None:
        """Forget who has left, also in the queue and among the uploads; Gradio calls this every second."""
        if isinstance(self.blocks._queue, PageQueue):
            self.blocks._queue.forget_abandoned()
        upload_progress.bound().forget(time.monotonic())
        self.blocks.upload_file_set.intersection_update(uploads.ALL.known())
        now, photos = datetime.now(), 0
        for name in reversed(list(self.session_data)):  # the latest first
            session = self.session_data.get(name)
            if session is None:
                continue
            photos += size(session)
            away = (now - self.time_last_used.get(name, now)).total_seconds()
            if away > kept(session) or photos > PHOTOS:
                self.session_data.pop(name, None)
                self.time_last_used.pop(name, None)


def bind() -> None:
    """Give Gradio's MCP server, which makes a session for each call, the lean one."""
    vars(mcp)["SessionState"] = LeanSession


def kept(session: SessionState) -> float:
    """Seconds that a session stays after its last use."""
    if not session.state_data:
        return KEPT_EMPTY
    return KEPT_CLOSED if session.is_closed else KEPT


def size(session: SessionState) -> int:
    """Bytes of what a visitor has open: photos, the last frame of a camera, the frames of a clip."""
    values = list(session.state_data.values())
    photos = {id(photo): photo for value in values if isinstance(photo := getattr(value, "photo", None), Photo)}
    clips = [value.nbytes for value in values if isinstance(value, Clip)]
    return sum(photo.pixels.nbytes for photo in photos.values()) + sum(clips)
