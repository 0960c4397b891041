"""Gradio's queue, where a full one says so in words and an answer that comes late is not lost."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any, cast

import gradio as gr
from gradio import route_utils
from gradio.queueing import Event, Queue
from gradio.server_messages import EstimationMessage, EventMessage, ProcessCompletedMessage

from app.serving import admission
from app.serving.admission import AT_ONCE, WAITING, Place, WorkQueue
from app.ui import queues
from app.ui.gradio_overrides.pending import PendingAnswers
from models.errors import BusyError

LINGER_S = 10.0
OPEN = "stays open"
"""See `PageQueue`."""

QUICK = 8
"""Calls at once of a handler that computes nothing to speak of."""
MOST = sum(WAITING.values()) + 20
"""Calls of the page and its clients that may wait, of any kind."""
RUNNING = sum(AT_ONCE.values()) + queues.CAMERAS + 2 * QUICK
"""Calls of the page and its clients that may run, of any kind."""
NAME_LENGTH = 100
"""Characters of a session's name; the page's have 11, those of a client 36."""


def open_queue(page: gr.Blocks) -> gr.Blocks:
    """Give a page its queue; what computes nothing is quick and waits for little."""
    page.queue(max_size=MOST, default_concurrency_limit=QUICK, api_open=False)
    page._queue = PageQueue(True, RUNNING, 1, MOST, page, QUICK)
    return page


def work_queues(page: gr.Blocks) -> dict[str, WorkQueue]:
    """The queues that the computing calls of a page wait in, for the other interfaces to wait in as well."""
    return cast(PageQueue, page._queue).work_queues


class PageQueue(Queue):
    """Gradio's queue, in which a call that computes has a place in `app.serving.admission` and runs when that says so.

    A full queue says so in words. It also keeps a browser's stream of answers open for `LINGER_S` seconds
    after the last one. Gradio closes it at once, and an answer to what is clicked in that moment is lost:
    the page believes that its stream is still open, and nobody reads what comes. The call that keeps a
    stream open is `OPEN`, which is never computed.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.pending_messages_per_session = cast(Any, PendingAnswers())
        self.ANALYTICS_MAX_EVENTS = 1  # who called what is nobody's business
        self.work_queues = admission.create()
        self._places: dict[str, Place] = {}
        self._lingering: dict[str, asyncio.TimerHandle] = {}

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """As Gradio's, with a place for what computes; the sentence of a full queue goes with its status 503."""
        if len(body.session_hash or "") > NAME_LENGTH:
            return False, f"The session's name is longer than {NAME_LENGTH} characters. Choose a shorter one.", "error"
        name = route_utils.get_fn(self.blocks, None, body).concurrency_id if body.fn_index is not None else ""
        browser = "sec-fetch-site" in request.headers
        place = None
        if name in self.work_queues:
            try:
                place = self.work_queues[name].enter(admission.client_of(request.scope), visitor=browser)
            except BusyError:
                return False, busy(self.work_queues[name].waiting), "queue_full"
        pushed = False
        try:
            if body.session_hash and browser:
                self.pending_event_ids_session.setdefault(body.session_hash, set()).add(OPEN)
                self._linger(body.session_hash)
            pushed, message, state = await super().push(body, request, username)
        finally:
            if place and not pushed:
                place.leave()
        if place and pushed:
            self._places[str(message)] = place
            self.broadcast_estimations(name)
        return pushed, busy(len(self)) if state == "queue_full" else message, state

    def broadcast_estimations(self, concurrency_id: str, after: int | None = None) -> None:
        """As Gradio's; what computes is told its place among all that wait, REST and MCP as well, and how long."""
        work = self.work_queues.get(concurrency_id)
        if work is None:
            super().broadcast_estimations(concurrency_id, after)
            return
        order = work.order()
        ranks: dict[Place | None, int] = {place: rank for rank, place in enumerate(order)}
        for event in list(self.event_queue_per_concurrency_id[concurrency_id].queue):
            place = self._places.get(event._id)
            if place in ranks:
                rank = ranks[place]
                told = EstimationMessage(rank=rank, queue_size=len(order), rank_eta=work.wait_s(rank))
                self.send_message(event, told)

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """As Gradio's, unless the session is forgotten."""
        if event.session_hash in self.pending_messages_per_session:
            super().send_message(event, event_message)

    def compute_analytics_summary(self, records: Any) -> Any:
        """Nothing: Gradio's is a table of the last ten thousand calls, made anew after each."""
        return self.cached_event_analytics_summary

    def forget_abandoned(self) -> None:
        """Forget the answers that nobody reads and what else is known of their sessions, see `pending`."""
        busy = {event.session_hash for event in self.event_ids_to_events.values()}
        pending = cast(PendingAnswers, self.pending_messages_per_session)
        for session_hash in pending.abandoned(busy, time.monotonic()):
            self._forget(session_hash)
        for session_hash in set(self.pending_event_ids_session) - busy - set(pending):
            self.pending_event_ids_session.pop(session_hash)
        if self.server_app:
            self.server_app.iterators_to_reset.intersection_update(self.event_ids_to_events)

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """As Gradio's; of what computes, a call whose place was granted, and not simply the first."""
        for name, waiting in self.event_queue_per_concurrency_id.items():
            for event in list(waiting.queue):
                place = self._places.get(event._id)
                if place and place.displaced:
                    self._refuse(event)
                elif place.granted if place else waiting.current_concurrency < (waiting.concurrency_limit or QUICK):
                    waiting.queue.remove(event)
                    return [event], False, name
        return None

    async def process_events(self, events: list[Event], *args: Any, **kwargs: Any) -> None:
        """As Gradio's, giving way as the place's queue has it; then the place is free."""
        [place, *_] = [self._places.get(event._id) for event in events]
        try:
            with place.giving_way() if place else nullcontext():
                await super().process_events(events, *args, **kwargs)
        finally:
            self._leave(event._id for event in events)

    async def remove_from_queue(self, event_id: str) -> None:
        """As Gradio's; then the place is free."""
        await super().remove_from_queue(event_id)
        self._leave_removed()

    async def clean_events(self, *, session_hash: str | None = None, event_id: str | None = None) -> None:
        """As Gradio's, when a stream is gone; the places of its calls that wait are free."""
        if session_hash and (timer := self._lingering.pop(session_hash, None)):
            timer.cancel()
            self.pending_event_ids_session.get(session_hash, set()).discard(OPEN)
        if session_hash or event_id:
            self._end_cameras(session_hash, event_id)
        await super().clean_events(session_hash=session_hash, event_id=event_id)
        self._leave_removed()

    def let_go(self, session_hash: str) -> None:
        """Let a stream close once nothing is left to answer."""
        if timer := self._lingering.pop(session_hash, None):
            timer.cancel()
        if messages := self.pending_messages_per_session.get(session_hash):
            messages.put_nowait(ProcessCompletedMessage(event_id=OPEN, output={}, success=True))

    def let_all_go(self) -> None:
        """Let every stream close, because the server stops."""
        self._end_cameras()
        for session_hash in list(self._lingering):
            self.let_go(session_hash)

    def _end_cameras(self, session_hash: str | None = None, event_id: str | None = None) -> None:
        """End the cameras of a session or a call, or all: Gradio's would wait for a next frame."""
        for event in [event for job in self.active_jobs if job for event in job if event.streaming]:
            if session_hash in (None, event.session_hash) and event_id in (None, event._id):
                event.run_time, event.closed = float("inf"), True
                event.signal.set()

    def _forget(self, session_hash: str) -> None:
        """Forget a session's answers and calls; those that run answer nobody."""
        self.pending_messages_per_session.pop(session_hash, None)
        self.pending_event_ids_session.pop(session_hash, None)
        if timer := self._lingering.pop(session_hash, None):
            timer.cancel()
        for waiting in self.event_queue_per_concurrency_id.values():
            for event in [event for event in waiting.queue if event.session_hash == session_hash]:
                waiting.queue.remove(event)
                self.event_ids_to_events.pop(event._id, None)
        for event in [event for job in self.active_jobs if job for event in job]:
            event.alive = event.alive and event.session_hash != session_hash
        self._leave_removed()

    def _refuse(self, event: Event) -> None:
        """Tell a call that its place went to another client."""
        queue = self.event_queue_per_concurrency_id[event.concurrency_id]
        queue.queue.remove(event)
        said = {"error": busy(len(queue.queue))}
        self.send_message(event, ProcessCompletedMessage(output=said, title="Error", success=False))
        self.event_ids_to_events.pop(event._id, None)
        self._leave([event._id])

    def _leave(self, events: Iterable[str]) -> None:
        for event in events:
            if place := self._places.pop(event, None):
                place.leave()

    def _leave_removed(self) -> None:
        """Leave the places of calls that neither wait nor run any longer."""
        waiting = {event._id for queue in self.event_queue_per_concurrency_id.values() for event in queue.queue}
        running = {event._id for job in self.active_jobs if job for event in job}
        self._leave(set(self._places) - waiting - running)

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


def busy(waiting: int) -> str:
    """What a visitor is told whose call finds no place."""
    return f"FaceWhy is busy: {waiting} others are waiting. Your picture was not read; try again in a few seconds."
