"""Requests of the same moment that share one computation."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from models import pauses
from models.errors import WeightsError

Function = Callable[[list[Any]], Sequence[Any]]
"""Items -> as many answers in their order."""
WAIT = 0.005
"""Seconds that a batch waits for requests that are known to be on their way."""


class BatchCount(NamedTuple):
    """How much was computed in batches.

    Attributes:
        batches: that were computed.
        items: pictures or faces in them.
    """

    batches: int
    items: int


class Batcher:
    """A function of many items whose requests of the same moment are computed together.

    The first request computes; those that come meanwhile wait together for the next batch, which one of
    them computes. A request alone waits for nobody. Where a batch of several requests fails, each is
    computed alone, so that an error reaches only the request whose items raise it.

    Args:
        function: what is computed.
        most: items of a batch; a request with more has a batch alone.

    Attributes:
        batches, items: how many there have been.
    """

    def __init__(self, function: Function, most: int):
        self.function, self.most = function, most
        self.batches = self.items = 0
        self._lock = threading.Lock()
        self._queue: list[_Request] = []
        self._busy = False

    def __call__(self, items: Sequence[Any], expected: Callable[[], int] = lambda: 0) -> list[Any]:
        """The function's answers for these items, whoever computes them.

        Args:
            items: at least one.
            expected: how many requests are on their way, this one included; a batch waits `WAIT` for them.

        Raises:
            what the function raises for these items.
        """
        request = _Request(list(items))
        with self._lock:
            self._queue.append(request)
            request.computes = not self._busy
            self._busy = True
        if not request.computes:
            request.answered.wait()
        if request.computes:
            until = time.monotonic() + WAIT
            while len(self._queue) < expected() and time.monotonic() < until:
                time.sleep(WAIT / 10)
            self._batch(request)
        if request.error is not None:
            raise request.error
        return request.answers

    def _batch(self, computing: "_Request") -> None:
        with self._lock:
            self._queue.remove(computing)
            together, size = [computing], len(computing.items)
            while self._queue and size + len(self._queue[0].items) <= self.most:
                together.append(self._queue.pop(0))
                size += len(together[-1].items)
            self.batches, self.items = self.batches + 1, self.items + size
        try:
            with pauses.waiting_for(None):  # the others of this batch may be those that come first
                self._compute(together)
        finally:
            with self._lock:
                self._busy = bool(self._queue)
                if self._queue:
                    self._queue[0].computes = True
                    together.append(self._queue[0])
            for request in together:
                request.answered.set()

    def _compute(self, requests: list["_Request"]) -> None:
        try:
            answers = list(self.function([item for request in requests for item in request.items]))
        except Exception as error:
            if len(requests) == 1 or isinstance(error, WeightsError):  # the model's fault, not that of an item
                for request in requests:
                    request.error = error
                return
            for request in requests:
                self._compute([request])
            return
        for request in requests:
            request.answers, answers = answers[: len(request.items)], answers[len(request.items) :]


class _Request:
    def __init__(self, items: list[Any]):
        self.items = items
        self.answers: list[Any] = []
        self.error: Exception | None = None
        self.computes = False
        self.answered = threading.Event()


class Batchers:
    """Batchers by key, whose requests count as on their way to each other, whichever they are computing in.

    A request that has its faces found will have them read and predicted next, so a batch of any of these
    waits a moment for it.
    """

    def __init__(self) -> None:
        self._batchers: dict[str, Batcher] = {}
        self._lock = threading.Lock()
        self._present = 0

    def add(self, key: str, function: Function, most: int) -> None:
        """Have a function's requests computed together, see `Batcher`; a key that is there stays as it is."""
        with self._lock:
            self._batchers.setdefault(key, Batcher(function, most))

    def __contains__(self, key: object) -> bool:
        return key in self._batchers

    def __call__(self, key: str, items: Sequence[Any]) -> list[Any]:
        """What the function of this key answers for these items, at least one."""
        with self._lock:
            self._present += 1
        try:
            return self._batchers[key](items, lambda: self._present)
        finally:
            with self._lock:
                self._present -= 1

    def counts(self) -> dict[str, BatchCount]:
        """How much was computed, by key."""
        with self._lock:
            return {key: BatchCount(found.batches, found.items) for key, found in self._batchers.items()}
