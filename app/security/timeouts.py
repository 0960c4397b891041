"""How long a client may take."""

SILENCE = 20.0
"""Seconds without a byte of a body after which it is given up."""
START = 30.0
SLOWEST = 16 * 1024
"""A body may take `START` seconds and one more for each `SLOWEST` bytes of it that came."""
LINGER = 2.0
"""Seconds in which the rest of a refused body is read, so that its sender sees the answer and no broken connection."""
