"""uvicorn's server, which ends what idle visitors hold open when it is told to stop."""

import os
import socket
import threading
from types import FrameType
from typing import cast

import gradio as gr
import uvicorn

from app.ui.gradio_overrides.queue import PageQueue

GRACE = 8
"""Seconds that running requests have to finish after SIGTERM."""
LAST_RESORT = 9.0
"""Seconds after SIGTERM at which the process ends whatever still runs; Docker kills it after 10."""


class GracefulServer(uvicorn.Server):
    """A server that ends what idle visitors hold open when it is told to stop, so that only work keeps it waiting.

    Args:
        config: see uvicorn.
        page: the mounted page, whose heartbeats and streams do not end by themselves.

    Attributes:
        ready: set once it answers.
    """

    def __init__(self, config: uvicorn.Config, page: gr.routes.App):
        super().__init__(config)
        self.ready = threading.Event()
        self._page, self._is_process = page, False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's."""
        self._is_process = threading.current_thread() is threading.main_thread()
        await super().startup(sockets)
        self.ready.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As uvicorn's, and it does not raise the signal again once all is done.

        What does not end is left behind `LAST_RESORT` seconds from now, however busy the event loop is.
        """
        if self._is_process and not self.should_exit:
            last = threading.Timer(LAST_RESORT, os._exit, [0])
            last.daemon = True
            last.start()
        super().handle_exit(sig, frame)
        self._captured_signals.clear()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; calls that wait for their turn are told to come back, so that those that run have all."""
        self._page.stop_event.set()
        calls = cast(PageQueue, self._page.get_blocks()._queue)
        for queue in calls.work_queues.values():
            queue.close()
        calls.let_all_go()
        await super().shutdown(sockets)
