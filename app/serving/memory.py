"""What the C library does with memory that is given back, where it is glibc; elsewhere nothing is changed."""

import ctypes
import gc
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from models.memory import trim

ARENAS = 4
"""Pools of memory that threads share; glibc would make eight for each processor, and each keeps what it once held."""
ARENA_MAX = -8
"""mallopt's name for the most arenas, from malloc.h."""
EVERY_S = 5.0
"""Seconds between two looks at how much is held."""
GROWTH = 48 * 2**20
"""Bytes that this process may hold more than at its lowest point, before it gives back what is free."""


def share() -> None:
    """Let threads share a few arenas; to be called before there are many threads."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(ARENA_MAX, ARENAS)


def give_back() -> None:
    """Return to the system what loading and compiling left behind, and from then on what requests leave behind.

    What stays, 700,000 objects, is kept out of every later search for garbage, which would stop all requests for 0.4 s.
    """
    gc.collect()
    gc.freeze()
    trim()
    _keep_low()


def resident() -> int:
    """Bytes that this process holds; 0 where that cannot be read."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


_keeping = threading.Lock()


def _keep_low() -> None:
    """Give back what is free, again and again; a second call does nothing."""
    if _keeping.acquire(blocking=False):
        threading.Thread(target=_watch, args=(resident(),), name="memory", daemon=True).start()


def _watch(held: int) -> None:
    """Trim for as long as more is held than at the lowest point: what is in use at one look may be free at the next."""
    while True:
        time.sleep(EVERY_S)
        if resident() > held + GROWTH:
            trim()
        held = min(held, resident())
