"""uvicorn's server, which ends what idle visitors hold open when it is told to stop."""

import os
import threading

import gradio as gr
import uvicorn

GRACE = 8
"""Seconds that running requests have to finish after SIGTERM."""
LAST_RESORT = 9.5
"""Seconds after which the process ends whatever still runs."""


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
        self._page = page

    async def startup(self, sockets=None) -> None:
        """As uvicorn's."""
        await super().startup(sockets)
        self.ready.set()

    def handle_exit(self, sig: int, frame) -> None:
        """As uvicorn's, and it does not raise the signal again once all is done."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()

    async def shutdown(self, sockets=None) -> None:
        """As uvicorn's; what does not end is left behind after `LAST_RESORT` seconds."""
        if threading.current_thread() is threading.main_thread():
            last = threading.Timer(LAST_RESORT, os._exit, [0])
            last.daemon = True
            last.start()
        self._page.stop_event.set()
        self._page.get_blocks()._queue.let_all_go()
        await super().shutdown(sockets)
