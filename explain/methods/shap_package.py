"""shap without numba's compiler.

To compile its loops takes 9 s of a core at every start, measured, and memory for good; it would save 2 ms of a map by
face parts and 4 ms of one by partition, whose time is the network's.
"""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any

_switching = threading.RLock()


@contextmanager
def interpreted() -> Iterator[None]:
    """Within it numba leaves Python as it is: what is decorated then is never compiled, and its lists are Python's."""
    import numba

    config: Any = numba.config
    with _switching:
        before, config.DISABLE_JIT = config.DISABLE_JIT, True
        try:
            yield
        finally:
            config.DISABLE_JIT = before


def load() -> ModuleType:
    """The package, not compiled unless somebody else has imported it before.

    Its `maskers.Image` makes a list of numba's, so that it has to be made within `interpreted` as well.
    """
    with nullcontext() if "shap" in sys.modules else interpreted():
        import shap  # waits for a thread that has begun to
    logging.getLogger("tensorflow").addFilter(_is_news)
    return shap


def _is_news(record: logging.LogRecord) -> bool:
    """Not that shap's gradient is traced again: once for each explainer, of which there is one a model and target."""
    return "_TFGradient.gradient" not in record.getMessage()
