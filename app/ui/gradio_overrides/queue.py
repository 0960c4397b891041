"""Gradio's queue, where a full one says so in words and an answer that comes late is not lost."""

import asyncio

import gradio as gr
from gradio import route_utils
from gradio.queueing import Queue
from gradio.server_messages import ProcessCompletedMessage

from app.serving.admission import AT_ONCE, WAITING

LINGER_S = 10.0
OPEN = "stays open"
"""See `PageQueue`."""

QUICK = 8
"""Calls at once of a handler that computes nothing to speak of."""
MOST = sum(WAITING.values()) + 20
"""Calls of the page and its clients that may wait, of any kind."""


def open_queue(page: gr.Blocks) -> gr.Blocks:
    """Give a page its queue; what computes nothing is quick and waits for little."""
    page.queue(max_size=MOST, default_concurrency_limit=QUICK, api_open=False)
    page._queue = PageQueue(True, page.max_threads, 1, MOST, page, QUICK)
    return page


class PageQueue(Queue):
    """Gradio's queue, where each kind of work has places of its own and a full one says so in words.

    It also keeps a browser's stream of answers open for `LINGER_S` seconds after the last one. Gradio
    closes it at once, and an answer to what is clicked in that moment is lost: the page believes that
    its stream is still open, and nobody reads what comes. The call that keeps a stream open is `OPEN`,
    which is never computed.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._lingering: dict[str, asyncio.TimerHandle] = {}

    async def push(self, body, request, username):
        """As Gradio's; the sentence goes with its status 503."""
        name = route_utils.get_fn(self.blocks, None, body).concurrency_id if body.fn_index is not None else ""
        waiting = self.event_queue_per_concurrency_id.get(name)
        if waiting is not None and len(waiting.queue) >= WAITING.get(name, self.max_size):
            return False, busy(len(waiting.queue)), "queue_full"
        if body.session_hash and "sec-fetch-site" in request.headers:
            self.pending_event_ids_session.setdefault(body.session_hash, set()).add(OPEN)
            self._linger(body.session_hash)
        pushed, message, state = await super().push(body, request, username)
        return pushed, busy(len(self)) if state == "queue_full" else message, state

    async def clean_events(self, *, session_hash=None, event_id=None):
        """As Gradio's, when a stream is gone."""
        if timer := self._lingering.pop(session_hash, None):
            timer.cancel()
            self.pending_event_ids_session.get(session_hash, set()).discard(OPEN)
        await super().clean_events(session_hash=session_hash, event_id=event_id)

    def let_go(self, session_hash: str) -> None:
        """Let a stream close once nothing is left to answer."""
        if timer := self._lingering.pop(session_hash, None):
            timer.cancel()
        if messages := self.pending_messages_per_session.get(session_hash):
            messages.put_nowait(ProcessCompletedMessage(event_id=OPEN, output={}, success=True))

    def let_all_go(self) -> None:
        """Let every stream close, because the server stops."""
        for session_hash in list(self._lingering):
            self.let_go(session_hash)

    def _linger(self, session_hash: str) -> None:
        if timer := self._lingering.get(session_hash):
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._lingering[session_hash] = loop.call_later(LINGER_S, self._after, session_hash)

    def _after(self, session_hash: str) -> None:
        if self.pending_event_ids_session.get(session_hash, set()) - {OPEN}:
            self._linger(session_hash)
        else:
            self.let_go(session_hash)


def counts(page: gr.Blocks) -> dict[str, tuple[int, int]]:
    """By queue, how many calls of a page and its clients run and how many wait."""
    queues = page._queue.event_queue_per_concurrency_id
    return {name: (queues[name].current_concurrency, len(queues[name].queue)) for name in AT_ONCE if name in queues}


def busy(waiting: int) -> str:
    """What a visitor is told whose call finds no place."""
    return f"FaceWhy is busy: {waiting} others are waiting. Your picture was not read; try again in a few seconds."
