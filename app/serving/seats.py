"""Who may use the live camera: a few places, which visitors take in turns where there are too few.

FACEWHY_LIVE is how many there are. A place is free once its visitor has sent no frame for a moment, so that nobody has
to give it back.
"""

import os
import threading
from collections import Counter
from dataclasses import dataclass
from functools import cache

from models.errors import ParameterError

PLACES = 4
"""Cameras that are read at once where FACEWHY_LIVE does not say otherwise."""
MOST = 64
GONE_S = 4.0
"""Seconds without a frame after which a visitor is gone."""
TURN_S = 60.0
"""Seconds that a visitor keeps a place for which others wait."""
SHARE = 3
"""No client holds more than one in so many of the places while others wait."""
FRAMES = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))
"""Frames that are computed at once: half of the processors stay with the photos of other visitors."""


@dataclass
class Seat:
    """A visitor who has a place, or waits for one.

    Attributes:
        client: from where the visitor comes, see `app.serving.admission.client_of`.
        since: when the visitor got the place, or began to wait.
        seen: when the last frame came.
    """

    client: str
    since: float
    seen: float


class Seats:
    """Places, and the line of those who wait for one.

    Who comes takes a free place. Where all are taken, whoever has had one for `TURN_S` seconds goes to the end of the
    line, at once where its client holds more than its share; next is who waits longest, of those whose client holds
    least.

    Args:
        places: how many there are.
    """

    def __init__(self, places: int):
        self.places = places
        self._taken: dict[str, Seat] = {}
        self._line: dict[str, Seat] = {}
        self._lock = threading.Lock()

    def ask(self, visitor: str, client: str, now: float) -> int:
        """A visitor's place in line with a new frame; 0 for one who may have it read.

        Args:
            visitor: a name that no other has.
            client: see `Seat`.
            now: seconds on a clock that does not run backwards.
        """
        with self._lock:
            for people in (self._taken, self._line):
                for name in [name for name, seat in people.items() if now - seat.seen > GONE_S]:
                    del people[name]
            seat = self._taken.get(visitor) or self._line.setdefault(visitor, Seat(client, now, now))
            seat.seen = now
            self._fill(now)
            return 0 if visitor in self._taken else 1 + self._order().index(visitor)

    def _fill(self, now: float) -> None:
        while self._line and self.places:
            if len(self._taken) >= self.places and not self._give_way(now):
                return
            following = self._order()[0]
            seat = self._line.pop(following)
            seat.since = now
            self._taken[following] = seat

    def _give_way(self, now: float) -> bool:
        """Move one who has a place to the end of the line, if one has to."""
        held, share = self._held(), max(1, self.places // SHARE)
        following = self._line[self._order()[0]].client
        heavy = [name for name, seat in self._taken.items() if held[seat.client] > max(share, held[following])]
        over = [name for name, seat in self._taken.items() if now - seat.since >= TURN_S]
        candidates = heavy or over
        if not candidates:
            return False
        name = min(candidates, key=lambda name: self._taken[name].since)
        seat = self._taken.pop(name)
        seat.since = now
        self._line[name] = seat
        return True

    def _order(self) -> list[str]:
        held = self._held()
        return sorted(self._line, key=lambda name: (held[self._line[name].client], self._line[name].since))

    def _held(self) -> Counter[str]:
        return Counter(seat.client for seat in self._taken.values())


@cache
def current() -> Seats:
    """The places of this process.

    Raises:
        ParameterError: FACEWHY_LIVE is no number of places.
    """
    return Seats(asked())


def asked() -> int:
    """FACEWHY_LIVE, or `PLACES` where it is not set.

    Raises:
        ParameterError: it is no number from 0 to `MOST`.
    """
    text = os.environ.get("FACEWHY_LIVE", "").strip() or str(PLACES)
    if not text.isascii() or not text.isdigit() or int(text) > MOST:
        raise ParameterError(
            f"FACEWHY_LIVE is not a number from 0 to {MOST}", repr(text)[:40], "Count the cameras, 0 for none"
        )
    return int(text)
