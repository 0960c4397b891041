"""A module's first import goes on within a context, and no other module's does."""

import gc
import importlib
import sys
from contextlib import contextmanager

import pytest

from models import import_hooks


@pytest.fixture(autouse=True)
def restored(monkeypatch, tmp_path):
    """Modules can be made up in `tmp_path`, and hooks are gone afterwards."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("made_up", "made_up.inner"):
        sys.modules.pop(name, None)


@contextmanager
def noted(told, module):
    told.append(("before", module.__name__, hasattr(module, "VALUE")))
    yield
    told.append(("after", module.__name__, hasattr(module, "VALUE")))


def test_the_first_import_alone_goes_on_within_it(tmp_path):
    (tmp_path / "made_up").mkdir()
    (tmp_path / "made_up" / "__init__.py").write_text("VALUE = 1")
    (tmp_path / "made_up" / "inner.py").write_text("VALUE = 2")
    told = []
    for _ in range(2):
        import_hooks.around("made_up.inner", lambda module: noted(told, module))
    importlib.import_module("made_up")
    assert told == []
    inner = importlib.import_module("made_up.inner")
    assert inner.VALUE == 2 and told == [("before", "made_up.inner", False), ("after", "made_up.inner", True)]
    importlib.reload(inner)
    assert len(told) == 2


def test_a_module_that_is_not_there_is_missed_as_ever():
    import_hooks.around("made_up", lambda module: pytest.fail("there is none"))
    with pytest.raises(ModuleNotFoundError, match="made_up"):
        importlib.import_module("made_up")


def test_a_module_that_fails_fails(tmp_path):
    (tmp_path / "made_up.py").write_text("1 / 0")
    import_hooks.around("made_up", lambda module: import_hooks.without_garbage())
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("made_up")
    assert gc.isenabled()
