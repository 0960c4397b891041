"""numpy's global generator, which shap draws from, lent to one caller at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from models import pauses

_lock = threading.Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """While it is entered, the generator starts at `seed` and nobody else here has it; then its state is put back."""
    with _lock, pauses.waiting_for(None):
        state = np.random.get_state()
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)
