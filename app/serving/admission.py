"""Who is computed for, and in which order: the queues that the page, its API, REST and MCP all wait in.

What predicts, what explains and what is shown unasked wait apart, so that none holds up another. In each queue the
places are shared by client, so that nobody who asks much keeps the others out. For callers of one event loop, the
server's.
"""

import itertools
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar, TypeVarTuple

import anyio
from anyio import to_thread

from models import pauses
from models.errors import BusyError, FaceWhyError

Answer = TypeVar("Answer")
Given = TypeVarTuple("Given")
PREDICT, EXPLAIN, PREVIEW = "predict", "explain", "preview"
AT_ONCE = {PREDICT: 32, EXPLAIN: 2, PREVIEW: 1}
"""Calls that run at the same time: predictions meet in the engine's batches, an explanation uses all processors.

A preview is what nobody asked for, such as the maps below an answer: it never takes the place of what somebody did."""
WAITING = {PREDICT: 48, EXPLAIN: 16, PREVIEW: 80}
"""Calls that may wait for their turn; one more is refused at once."""
USUAL = {PREDICT: 0.2, EXPLAIN: 1.0, PREVIEW: 2.0}
"""Seconds that a call takes, until some were timed."""
SHARE = 3
"""No client holds more than one in so many of the places, running and waiting, while others wait."""
RECENT_S = 10.0
"""Seconds for which a client whose last call has ended counts as one that is still there."""
REFUSED_S = 0.25
"""Seconds after which a client hears that a call of its was refused, while others are there.

Else who sends nothing but what is refused sends the more of it: the server reads it all, and others wait."""
GIVE_WAY_S = 0.25
"""Seconds that a call of who holds much waits before each of its steps while who holds little is computed for.

A step of the smallest network takes some .1 s, so that such a call keeps a quarter of its speed in any case."""
LOOK_S = 0.005
"""Seconds after which it looks whether it still has to."""


class Place:
    """One call's place in a queue, from when it comes until it has left.

    Attributes:
        client: whose call it is.
        visitor: whether the call comes from the page, as it says itself; any client can say so.
        granted: whether it may run.
        displaced: whether it has given way to another client's call, or to the server's end, and will not run.
        began: when it was granted, by `time.monotonic`.
    """

    def __init__(self, queue: "WorkQueue", client: str, visitor: bool):
        self.client, self.visitor = client, visitor
        self.granted = self.displaced = False
        self.began = 0.0
        self._queue, self._decided = queue, anyio.Event()

    def grant(self) -> None:
        """Let the call run, from now."""
        self.granted, self.began = True, time.monotonic()
        self._decided.set()

    def refuse(self) -> None:
        """Let the call not run."""
        self.displaced = True
        self._decided.set()

    async def wait(self) -> None:
        """Return once the call may run.

        Raises:
            BusyError: it has given way to another client's call.
        """
        await self._decided.wait()
        if self.displaced:
            raise self._queue.busy()

    def giving_way(self) -> AbstractContextManager[None]:
        """Within it what is computed pauses while others come first, see `WorkQueue` and `models.pauses`."""
        return pauses.waiting_for(lambda: self._queue.give_way(self.client))

    def leave(self) -> None:
        """Leave the queue, whether the call has run or not; a second time does nothing."""
        self._queue.leave(self)


class WorkQueue:
    """A queue in front of some work: so many calls at once, so many that wait, and no more.

    A client may take every place while nobody else waits, as a class behind one address does. Once others wait,
    a client that holds its share or more gets no further place; where all are taken, the latest waiting call of
    whoever holds the most gives way to a client that holds less than its share. Next to run is a call of a client
    that runs less than its share; among those the page's visitors come first, then the client that was served
    longest ago. While others are there, a client leaves one of the calls that may run at once to them; where it
    runs all when they come, another's call begins beside them: it need not wait until a long call of that client ends.
    What runs gives way as well, between its steps: a call of a client that holds at least `SHARE` times the places of
    another waits while that one is computed for, `GIVE_WAY_S` at most before each step, so that it ends in any case.

    Args:
        name: of the kind of work.
        at_once: calls that run at the same time, from 2 on one more where one client runs all of them.
        waiting: calls that may wait.
        usual: seconds that a call takes, until some were timed.
        together: the queues whose places count when it is said who holds much, with this one; None for it alone.
    """

    def __init__(self, name: str, at_once: int, waiting: int, usual: float, together: "list[WorkQueue] | None" = None):
        self.name, self.at_once, self.most = name, at_once, at_once + waiting
        self._usual = usual
        self._together = [self] if together is None else together
        self._most_running = at_once + 1 if at_once > 1 else 1
        self._threads = anyio.CapacityLimiter(self._most_running)  # its own: anyio's would be one for everything
        self._waiting: list[Place] = []
        self._running: list[Place] = []
        self._turns = itertools.count(1)
        self._served: dict[str, int] = {}
        self._left: dict[str, float] = {}

    @property
    def running(self) -> int:
        """Calls that run."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return len(self._waiting)

    @property
    def seconds(self) -> int:
        """When half of what is inside will be done: whole seconds, at least 1."""
        return max(1, round(self._usual * (self.running + self.waiting) / self.at_once / 2))

    def clients(self) -> tuple[list[str], list[str]]:
        """Whose calls run, and whose wait, one name a call; for any thread."""
        return [place.client for place in self._running.copy()], [place.client for place in self._waiting.copy()]

    def wait_s(self, rank: int) -> float:
        """Seconds until a call begins that waits at this rank, 0 for the next to run: as calls of late took."""
        return self._usual * (rank + 1) / self.at_once

    def busy(self) -> BusyError:
        """What a call is told that gets no place."""
        seconds = self.seconds
        return BusyError(
            "No place is free",
            f"{self.running + self.waiting} calls before this one",
            f"Try again in {seconds} s",
            seconds=seconds,
        )

    def enter(self, client: str = "", visitor: bool = False) -> Place:
        """A place for a call, which may run at once or waits for its turn.

        Args:
            client: whose call it is.
            visitor: whether it comes from the page.

        Raises:
            BusyError: there is none for this client.
        """
        held = Counter(place.client for place in self._running + self._waiting)
        share = max(1, self.most // SHARE)
        if held[client] >= share and any(place.client != client for place in self._waiting):
            raise self.busy()
        if held.total() >= self.most:
            self._displace(held, share, client)
        place = Place(self, client, visitor)
        self._waiting.append(place)
        self._grant()
        return place

    def leave(self, place: Place) -> None:
        """Take a call out, and let the next ones run; nothing where it is out already."""
        if place in self._running:
            self._running.remove(place)
            self._left[place.client] = time.monotonic()
            self._usual += 0.2 * (self._left[place.client] - place.began - self._usual)
        elif place in self._waiting:
            self._waiting.remove(place)
        inside = {place.client for place in self._running + self._waiting}
        self._served = {client: turn for client, turn in self._served.items() if client in inside}
        self._grant()

    async def run(
        self, function: Callable[[*Given], Answer], *args: *Given, client: str = "", visitor: bool = False
    ) -> Answer:
        """A function's answer, computed in a thread once it is this call's turn.

        A refusal of ours comes after `REFUSED_S` where other clients are there.

        Args:
            function: with args, what is called.
            client, visitor: see `enter`.

        Raises:
            BusyError: there is no place, or it went to another client.
            what the function raises.
        """
        try:
            return await self._run(function, *args, client=client, visitor=visitor)
        except FaceWhyError as error:
            _forget(error)
            if not self._alone(client):
                await anyio.sleep(REFUSED_S)
            raise

    def give_way(self, client: str) -> None:
        """Wait in the thread of a call of a client as long as it has to give way."""
        until = time.monotonic() + GIVE_WAY_S
        while self._lighter_runs(client) and time.monotonic() < until:
            time.sleep(LOOK_S)

    def close(self) -> None:
        """Begin no call any more, because the server stops: those that wait are refused, and those that come."""
        self.most = 0
        while self._waiting:
            self._waiting.pop().refuse()

    async def _run(self, function: Callable[[*Given], Answer], *args: *Given, client: str, visitor: bool) -> Answer:
        place = self.enter(client, visitor)
        try:
            await place.wait()
            with place.giving_way():
                return await to_thread.run_sync(_after_others, function, *args, limiter=self._threads)
        finally:
            place.leave()

    def _lighter_runs(self, client: str) -> bool:
        """Whether a call runs of a client that holds a `SHARE`th as many places or fewer; for any thread."""
        running, held = set[str](), Counter[str]()
        for run, wait in (queue.clients() for queue in self._together):
            running.update(run)
            held.update(run + wait)
        return any(held[other] * SHARE <= held[client] for other in running - {client})

    def _displace(self, held: Counter[str], share: int, client: str) -> None:
        heaviest = max((place.client for place in self._waiting), key=held.__getitem__, default=client)
        if held[client] >= share or held[heaviest] <= share:
            raise self.busy()
        displaced = next(place for place in reversed(self._waiting) if place.client == heaviest)
        self._waiting.remove(displaced)
        displaced.refuse()

    def _grant(self) -> None:
        while self._waiting and self._may_begin(place := self.order()[0]):
            self._waiting.remove(place)
            self._running.append(place)
            self._served[place.client] = next(self._turns)
            place.grant()

    def _may_begin(self, place: Place) -> bool:
        run = Counter(other.client for other in self._running)
        another_runs_all = len(run) == 1 and place.client not in run
        leaves_one = run[place.client] < self.at_once - 1 or place.client not in run or self._alone(place.client)
        return self.running < self._most_running and (self.running < self.at_once and leaves_one or another_runs_all)

    def _alone(self, client: str) -> bool:
        """Whether nobody else is inside, or was of late."""
        since = time.monotonic() - RECENT_S
        self._left = {other: when for other, when in self._left.items() if when > since}
        return {place.client for place in self._running + self._waiting} | set(self._left) <= {client}

    def order(self) -> list[Place]:
        """What waits, the next to run first, as things stand."""
        runs = Counter(place.client for place in self._running)
        share = max(1, self.at_once // SHARE)
        return sorted(
            self._waiting,
            key=lambda place: (runs[place.client] >= share, not place.visitor, self._served.get(place.client, 0)),
        )


def _after_others(function: Callable[[*Given], Answer], *args: *Given) -> Answer:
    """A function's answer, after calls that its call gives way to."""
    pauses.here()
    return function(*args)


def _forget(error: BaseException | None) -> None:
    """Let go of what an error ended, which would keep a visitor's picture until garbage is collected."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def create() -> dict[str, WorkQueue]:
    """New queues by name."""
    together: list[WorkQueue] = []
    together += [WorkQueue(name, AT_ONCE[name], WAITING[name], USUAL[name], together) for name in AT_ONCE]
    return {queue.name: queue for queue in together}


def client_of(scope: Mapping[str, Any]) -> str:
    """Whose request this is, as the security middleware noted it in the ASGI scope; "" where nothing stands there."""
    return (scope.get("state") or {}).get("client", "")
