"""The import of TensorFlow and Keras: in two thirds of the time, and without the lines that TensorFlow says of itself.

What is made in it stays, so that nothing is searched for garbage meanwhile; and it goes without the libraries that are
imported in it where they are installed, for parts that nothing here uses.

TF_CPP_MIN_LOG_LEVEL is 2, errors only, unless it is set; 0 lets everything through. What TensorFlow writes before its
log is ready minds no level, so that is taken out of the standard error while TensorFlow is imported.
"""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.abc import MetaPathFinder
from types import ModuleType

from models import import_hooks

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
STARTING = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|I\d{4} [\d:.]+ +\d+ \S+:\d+\] |[\d-]+ [\d:.]+: I "
)
"""How a line begins that tells of no fault."""
UNUSED = {
    "tensorflow": frozenset({"jax", "matplotlib", "sklearn"}),
    "keras": frozenset({"matplotlib", "sklearn"}),
}
"""What each does without: JAX's models in TFLite, galleries of pictures, and networks as scikit-learn's estimators.

TensorFlow's import goes through Keras', or the other way round; Keras alone may stand on JAX.
"""


def prepare() -> None:
    """Have both imported as above, and in silence where this process starts others; a second call changes nothing."""
    os.environ.setdefault(LEVEL, "2")
    for name in UNUSED:
        import_hooks.around(name, partial(_within, name))


@contextmanager
def _within(name: str, module: ModuleType) -> Iterator[None]:
    with ExitStack() as during:
        during.enter_context(import_hooks.without_garbage())
        during.enter_context(without(UNUSED[name]))
        if name == "tensorflow" and os.environ[LEVEL] != "0":
            during.enter_context(without_start_up())
        yield


@contextmanager
def without(unused: frozenset[str]) -> Iterator[None]:
    """Let this thread's imports find none of some libraries, but for those that were imported before."""
    finder = _NotInstalled(unused, threading.get_ident())
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _NotInstalled(MetaPathFinder):
    """Says in one thread that some libraries are not there."""

    def __init__(self, names: frozenset[str], thread: int):
        self._names = names
        self._thread = thread

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@contextmanager
def without_start_up() -> Iterator[None]:
    """Hold back what is written to the standard error, and pass on at the end what tells of a fault.

    A process that is killed within it takes what it has written last with it.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as told:
        os.dup2(told.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            told.seek(0)
            if passed := b"".join(line for line in told if not STARTING.match(line)):
                os.write(2, passed)
