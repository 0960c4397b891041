"""How long a client may take."""

IDLE_TIMEOUT_S = 20.0
"""Seconds without a byte of a body after which it is given up."""
BODY_TIMEOUT_S = 30.0
SLOWEST_RATE = 16 * 1024
"""A body may take `BODY_TIMEOUT_S` seconds and one more for each `SLOWEST_RATE` bytes of it that came."""
LINGER_S = 2.0
"""Seconds in which the rest of a refused body is read, so that its sender sees the answer and no broken connection."""
