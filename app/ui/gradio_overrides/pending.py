"""Answers that a session has not read yet, and how long and how many of them are kept.

Gradio keeps them until as many newer sessions have come as it has room for, whether or not anybody will read them,
and what a page's handler answers holds the visitor's photo.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from gradio.server_messages import EventMessage
from gradio.utils import LRUCache

ABANDONED_S = 60.0
"""Seconds without a reader after which what was answered last is forgotten."""
OF_SESSION = 32 * 2**20
"""Bytes of the answers of one session; beyond them all are forgotten, and its stream is told so."""
OF_ALL = 128 * 2**20
"""Bytes of the answers of all sessions; beyond them those go first that nobody reads."""
SESSIONS = 1000
"""Sessions with answers; beyond them those go first that nobody reads."""


class Answers(asyncio.Queue[EventMessage]):
    """The answers of one session.

    Attributes:
        held: their bytes.
        readers: how many streams wait for the next one.
        touched: when the last one came or was read, by `time.monotonic`.
        lost: whether they were more than `OF_SESSION` bytes; none is taken any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.held = self.readers = 0
        self._queue: deque[tuple[EventMessage, int]]
        self.touched, self.lost = time.monotonic(), False

    async def get(self) -> EventMessage:
        """The next one."""
        self.readers += 1
        try:
            return await super().get()
        finally:
            self.readers -= 1
            self.touched = time.monotonic()

    def _put(self, item: EventMessage) -> None:
        cost = size(item.output) if hasattr(item, "output") else 0
        self.touched = time.monotonic()
        if self.lost or self.held + cost > OF_SESSION:
            self.lost, self.held = True, 0
            self._queue.clear()
            return
        self.held += cost
        self._queue.append((item, cost))

    def _get(self) -> EventMessage:
        item, cost = self._queue.popleft()
        self.held -= cost
        return item


class PendingAnswers(LRUCache[str, Answers]):
    """The answers of every session, by its name; what is stored under a name is always an `Answers`."""

    def __setitem__(self, session: str, queue: asyncio.Queue[EventMessage]) -> None:
        super().__setitem__(session, queue if isinstance(queue, Answers) else Answers())

    def __init__(self) -> None:
        super().__init__(2**62)  # what is too much is chosen below

    def abandoned(self, busy: Iterable[str], now: float) -> list[str]:
        """Sessions whose answers are to be forgotten.

        Args:
            busy: sessions that still have calls.
            now: by `time.monotonic`.
        """
        busy = set(busy)
        found = [
            name
            for name, answers in self.items()
            if answers.lost or not (answers.readers or name in busy or now - answers.touched < ABANDONED_S)
        ]
        held, count = sum(answers.held for answers in self.values()), len(self)
        for name, answers in sorted(self.items(), key=lambda item: (item[1].readers > 0, item[1].touched)):
            if held <= OF_ALL and count <= SESSIONS:
                break
            held, count = held - answers.held, count - 1
            found.append(name)
        return list(dict.fromkeys(found))


def size(value: Any) -> int:
    """About how many bytes a value of JSON takes."""
    if isinstance(value, dict):
        return 64 + sum(size(key) + size(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return 56 + sum(8 + size(inner) for inner in value)
    return 50 + len(value) if isinstance(value, str | bytes) else 32
