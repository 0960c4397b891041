"""TensorFlow without the lines that it says about itself when it starts.

TF_CPP_MIN_LOG_LEVEL is 2, errors only, unless it is set; 0 lets everything through. What TensorFlow writes before its
log is ready minds no level, so that is taken out of the standard error while TensorFlow is imported.
"""

import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
STARTING = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|I\d{4} [\d:.]+ +\d+ \S+:\d+\] |[\d-]+ [\d:.]+: I "
)
"""How a line begins that tells of no fault."""


def prepare() -> None:
    """Let this process and those that it starts import TensorFlow in silence; a second call changes nothing."""
    os.environ.setdefault(LEVEL, "2")
    if os.environ[LEVEL] != "0" and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds TensorFlow as all others do, and has its import go on within `without_start_up`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            with without_start_up():
                load(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one loader alone
        return spec


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
