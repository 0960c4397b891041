"""The two queues that work waits in: what predicts and what explains, so that neither holds up the other."""

import gradio as gr
from gradio import route_utils
from gradio.queueing import Queue

from app.crowd import Lane

PREDICT, EXPLAIN = "predict", "explain"
AT_ONCE = {PREDICT: 16, EXPLAIN: 2}
"""Calls that run at the same time: predictions meet in the engine's batches, an explanation uses all processors."""
WAITING = {PREDICT: 64, EXPLAIN: 16}
"""Calls that may wait for their turn; one more is refused at once."""
USUAL = {PREDICT: 0.2, EXPLAIN: 1.0}
"""Seconds that a call takes, until some were timed."""

QUICK = 8
"""Calls at once of a handler that computes nothing to speak of."""
MOST = sum(WAITING.values()) + 20
"""Calls of the page and its clients that may wait, of any kind."""

PREDICTS, EXPLAINS = ({"concurrency_id": name, "concurrency_limit": AT_ONCE[name]} for name in (PREDICT, EXPLAIN))
"""The same as options of an event of Gradio."""


def create() -> dict[str, Lane]:
    """New lanes by name, for callers of one event loop."""
    return {name: Lane(name, AT_ONCE[name], WAITING[name], USUAL[name]) for name in (PREDICT, EXPLAIN)}


def open_queue(page: gr.Blocks) -> gr.Blocks:
    """Give a page its queue; what belongs to no lane is quick and waits for little."""
    page.queue(max_size=MOST, default_concurrency_limit=QUICK)
    page._queue = PageQueue(True, page.max_threads, 1, MOST, page, QUICK)
    return page


class PageQueue(Queue):
    """Gradio's queue, where each kind of work has places of its own and a full one says so in words."""

    async def push(self, body, request, username):
        """As Gradio's; the sentence goes with its status 503."""
        lane = route_utils.get_fn(self.blocks, None, body).concurrency_id if body.fn_index is not None else ""
        waiting = self.event_queue_per_concurrency_id.get(lane)
        if waiting is not None and len(waiting.queue) >= WAITING.get(lane, self.max_size):
            return False, busy(len(waiting.queue)), "queue_full"
        pushed, said, state = await super().push(body, request, username)
        return pushed, busy(len(self)) if state == "queue_full" else said, state


def counts(page: gr.Blocks) -> dict[str, tuple[int, int]]:
    """By lane, how many calls of a page and its clients run and how many wait."""
    queues = page._queue.event_queue_per_concurrency_id
    return {name: (queues[name].current_concurrency, len(queues[name].queue)) for name in AT_ONCE if name in queues}


def busy(waiting: int) -> str:
    """What a visitor is told whose call finds no place."""
    return f"FaceWhy is busy: {waiting} others are waiting. Your picture was not read; try again in a few seconds."
