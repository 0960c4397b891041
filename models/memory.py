"""What the C library keeps of memory that was given back, where it is glibc; elsewhere nothing is changed."""

import ctypes
from contextlib import suppress


def trim() -> None:
    """Return to the system what is free: glibc keeps blocks of up to 32 MiB, and in pieces that no later one fits."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
