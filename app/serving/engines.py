"""Which engine computes for the page and the API of this process."""

import os
import threading

from app.serving.engine import Engine
from app.serving.local import LocalEngine
from app.serving.tf_serving import TFServingEngine

_current: Engine | None = None
_choosing = threading.Lock()


def current() -> Engine:
    """The engine in use: the one that `use` was given, else this process, and FACEWHY_PREDICT_URL where it is set.

    Raises:
        ParameterError: FACEWHY_PREDICT_URL is no address.
    """
    with _choosing:
        if _current is not None:
            return _current
        url = os.environ.get("FACEWHY_PREDICT_URL", "").strip()
        use(engine := TFServingEngine(url) if url else LocalEngine())
        return engine


def use(engine: Engine) -> None:
    """Make an engine compute for this process from now on."""
    global _current
    _current = engine
