"""Where a long computation can let shorter ones go first.

What computes says when it could pause; whoever lets it compute says what it then waits for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_pause: ContextVar[Callable[[], None] | None] = ContextVar("pause", default=None)


@contextmanager
def waiting_for(pause: Callable[[], None] | None) -> Iterator[None]:
    """Call `pause` wherever what is computed within it could pause; None where it should not.

    None belongs wherever a lock is held: who is let go first might wait for that lock.
    """
    token = _pause.set(pause)
    try:
        yield
    finally:
        _pause.reset(token)


def here() -> None:
    """Pause, where whoever lets this compute wants so."""
    if pause := _pause.get():
        pause()
