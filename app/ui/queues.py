"""Which queue an event of the page waits in, as the options that Gradio takes."""

from typing import Any

from app.serving import admission

CAMERAS = 40
"""Cameras that may be open at once, those that wait for a place among them."""


def waits_in(queue: str, at_once: int | None = None) -> dict[str, Any]:
    """The options of an event.

    Args:
        queue: where it waits.
        at_once: how many of its calls run at the same time; None for what `app.serving.admission` says of the queue.
    """
    return {"concurrency_id": queue, "concurrency_limit": admission.AT_ONCE[queue] if at_once is None else at_once}


PREDICTS, EXPLAINS, PREVIEWS = map(waits_in, (admission.PREDICT, admission.EXPLAIN, admission.PREVIEW))
STREAMS = waits_in("live", CAMERAS)
