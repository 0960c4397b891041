"""Which run is the latest: the ones before stop at their next step."""

import threading

from models.types import Photo

CHANGING = threading.Lock()
"""Held while a run begins; a lock of its own could not be copied with a visitor's state."""


class Cancellation:
    """Counts the runs of one visitor that set the same thing; lives in a `gr.State`.

    Attributes:
        latest: the number of the run that began last.
        since: when the visitor asked for it, by the clock of the browser.
        shown: the key of what is on the screen; "" for nothing.
        photo: that the latest run reads, to be turned further before its faces are found; None where it reads none, or
            has ended.
        place: the tab that the latest run began on.

    Gradio's own `cancels` waits until a thread has ended, and loses what is clicked meanwhile.
    """

    def __init__(self) -> None:
        self.latest = 0
        self.since = 0.0
        self.shown = ""
        self.photo: Photo | None = None
        self.place = ""

    def begin(self, when: float = float("inf"), place: str = "") -> int:
        """Start a run, or stop the one before: its number, to ask `over` with.

        Args:
            when: the visitor asked for it, by the clock of the browser; one that was asked for before the latest
                is over at once, however late its turn came.
            place: the title of a tab.
        """
        with CHANGING:
            if when < self.since:
                return -1
            self.since = self.since if when == float("inf") else when
            self.latest += 1
            self.photo, self.place = None, place
            return self.latest

    def over(self, token: int) -> bool:
        """Whether a later run has begun, or the visitor has stopped this one."""
        return token != self.latest
