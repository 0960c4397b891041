"""Requests of the same moment that share one computation."""

import threading
import time
from collections.abc import Callable, Sequence

from models.errors import WeightsError

WAIT = 0.005
"""Seconds that a round waits for callers that are known to be on their way."""


class Batcher:
    """A function of many items whose callers of the same moment are computed together.

    The first caller computes; those who come meanwhile wait together for the next round, which one of
    them computes. A caller alone waits for nobody. Where a round of several callers fails, each is
    computed alone, so that an error reaches only the caller whose items raise it.

    Args:
        function: a list of items -> as many answers in their order.
        most: items of a round; a caller with more has a round alone.

    Attributes:
        rounds, items: how many there have been.
    """

    def __init__(self, function: Callable[[list], Sequence], most: int):
        self.function, self.most = function, most
        self.rounds = self.items = 0
        self._lock = threading.Lock()
        self._queue: list[_Caller] = []
        self._busy = False

    def __call__(self, items: Sequence, expected: Callable[[], int] = lambda: 0) -> list:
        """The function's answers for these items, whoever computes them.

        Args:
            items: at least one.
            expected: how many callers are on their way, this one included; a round waits `WAIT` for them.

        Raises:
            what the function raises for these items.
        """
        caller = _Caller(list(items))
        with self._lock:
            self._queue.append(caller)
            caller.leads = not self._busy
            self._busy = True
        if not caller.leads:
            caller.called.wait()
        if caller.leads:
            until = time.monotonic() + WAIT
            while len(self._queue) < expected() and time.monotonic() < until:
                time.sleep(WAIT / 10)
            self._round(caller)
        if caller.error is not None:
            raise caller.error
        return caller.answers

    def _round(self, leader: "_Caller") -> None:
        with self._lock:
            self._queue.remove(leader)
            together, size = [leader], len(leader.items)
            while self._queue and size + len(self._queue[0].items) <= self.most:
                together.append(self._queue.pop(0))
                size += len(together[-1].items)
            self.rounds, self.items = self.rounds + 1, self.items + size
        try:
            self._compute(together)
        finally:
            with self._lock:
                self._busy = bool(self._queue)
                if self._queue:
                    self._queue[0].leads = True
                    together.append(self._queue[0])
            for caller in together:
                caller.called.set()

    def _compute(self, callers: list["_Caller"]) -> None:
        try:
            answers = list(self.function([item for caller in callers for item in caller.items]))
        except Exception as error:
            if len(callers) == 1 or isinstance(error, WeightsError):  # the model's fault, not that of an item
                for caller in callers:
                    caller.error = error
                return
            for caller in callers:
                self._compute([caller])
            return
        for caller in callers:
            caller.answers, answers = answers[: len(caller.items)], answers[len(caller.items) :]


class _Caller:
    def __init__(self, items: list):
        self.items = items
        self.answers: list = []
        self.error: Exception | None = None
        self.leads = False
        self.called = threading.Event()
