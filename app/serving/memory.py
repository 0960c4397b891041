"""What the C library does with memory that is given back, where it is glibc; elsewhere nothing is changed."""

import ctypes
import gc
from contextlib import suppress

ARENAS = 4
"""Pools of memory that threads share; glibc would make eight for each processor, and each keeps what it once held."""
ARENA_MAX = -8
"""mallopt's name for the most arenas, from malloc.h."""


def share() -> None:
    """Let threads share a few arenas; to be called before there are many of them."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(ARENA_MAX, ARENAS)


def give_back() -> None:
    """Return to the system what loading and compiling left behind."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
