"""The two queues that work waits in: what predicts and what explains, so that neither holds up the other."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from models.errors import BusyError

PREDICT, EXPLAIN = "predict", "explain"
AT_ONCE = {PREDICT: 32, EXPLAIN: 2}
"""Calls that run at the same time: predictions meet in the engine's batches, an explanation uses all processors."""
WAITING = {PREDICT: 48, EXPLAIN: 16}
"""Calls that may wait for their turn; one more is refused at once."""
USUAL = {PREDICT: 0.2, EXPLAIN: 1.0}
"""Seconds that a call takes, until some were timed."""

PREDICTS, EXPLAINS = ({"concurrency_id": name, "concurrency_limit": AT_ONCE[name]} for name in (PREDICT, EXPLAIN))
"""The same as options of an event of Gradio."""


class WorkQueue:
    """A queue in front of some threads: so many calls at once, so many that wait, and no more.

    Args:
        name: of the kind of work.
        at_once: calls that run at the same time.
        waiting: calls that may wait.
        usual: seconds that a call takes, until some were timed.

    Attributes:
        inside: calls that run or wait.
    """

    def __init__(self, name: str, at_once: int, waiting: int, usual: float):
        self.name, self.at_once, self.waiting = name, at_once, waiting
        self.inside = 0
        self._usual = usual
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=name)

    async def run(self, function: Callable, *args, **kwargs) -> Any:
        """A function's answer, computed in one of the queue's threads; for callers of one event loop.

        Raises:
            BusyError: all places are taken.
        """
        if self.inside >= self.at_once + self.waiting:
            seconds = self.seconds
            raise BusyError(
                "There is room for one more", f"{self.inside} before you", f"Try again in {seconds} s", seconds=seconds
            )
        self.inside += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, partial(self._timed, function, *args, **kwargs))
        finally:
            self.inside -= 1

    @property
    def seconds(self) -> int:
        """When half of what is inside will be done: whole seconds, at least 1."""
        return max(1, round(self._usual * self.inside / self.at_once / 2))

    def _timed(self, function: Callable, *args, **kwargs) -> Any:
        started = time.monotonic()
        try:
            return function(*args, **kwargs)
        finally:
            self._usual += 0.2 * (time.monotonic() - started - self._usual)


def create() -> dict[str, WorkQueue]:
    """New queues by name, for callers of one event loop."""
    return {name: WorkQueue(name, AT_ONCE[name], WAITING[name], USUAL[name]) for name in (PREDICT, EXPLAIN)}
