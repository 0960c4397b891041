"""Who computes for the page and the API: this process, or others that it asks.

Everything that takes time goes through `current()`. What it runs are plain functions of faces and
photos (`app.serving.jobs`), so that another engine can run the same ones elsewhere: `app.serving.ray_cluster` does.
"""

import os
import threading

from app.serving.local import LocalEngine

_current: LocalEngine | None = None
_choosing = threading.Lock()


def current() -> LocalEngine:
    """The engine in use: the one that `use` was given, else this process, and FACEWHY_PREDICT_URL where it is set.

    Raises:
        ParameterError: FACEWHY_PREDICT_URL is no address.
    """
    with _choosing:
        if _current is None:
            url = os.environ.get("FACEWHY_PREDICT_URL", "").strip()
            use(_tf_serving(url) if url else LocalEngine())
        return _current


def use(engine: LocalEngine) -> None:
    """Let another engine compute from now on."""
    global _current
    _current = engine


def _tf_serving(url: str) -> LocalEngine:
    from app.serving.tf_serving import TFServingEngine

    return TFServingEngine(url)
