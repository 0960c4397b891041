"""Lets the first import of a module go on within something of ours."""

import gc
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Within = Callable[[ModuleType], AbstractContextManager[None]]


def around(name: str, within: Within) -> None:
    """Have a module run within a context when it is first imported; a second call for its name changes nothing.

    Args:
        name: the module's, with its packages.
        within: called with the module before any line of it has run.
    """
    if not any(isinstance(finder, _Finder) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(name, within))


class _Finder(MetaPathFinder):
    """Finds a module as all others do, once."""

    def __init__(self, name: str, within: Within):
        self.name = name
        self._within = within
        self._looked = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name or self._looked:
            return None
        self._looked = True
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            with self._within(module):
                load(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one loader alone
        return spec


@contextmanager
def without_garbage() -> Iterator[None]:
    """Search for no garbage: what an import makes stays."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()
