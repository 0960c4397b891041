"""What is around the methods of explanation, tested with less of their work."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

from app.serving.local import LocalEngine
from explain import registry
from explain.base import Method, Parameters
from explain.metrics import faithfulness
from models import zoo


def lean() -> AbstractContextManager[Any]:
    """Within it an engine's `warm` loads the networks and does not run every method of each.

    In the tests there are several engines, each asked little: a method is compiled when somebody asks for it.
    """
    return patch.object(LocalEngine, "warm", lambda engine: zoo.warm().join())


def quick_readings() -> AbstractContextManager[Any]:
    """Within it a map is tested at two points of a curve, a third of the face hidden and two, instead of six."""
    return patch.object(faithfulness, "curves", partial(faithfulness.curves, shares=(1 / 3, 2 / 3)))


@contextmanager
def quick_methods() -> Iterator[None]:
    """Within it every method takes its quick numbers where it is asked for its usual ones, and says the usual ones.

    A map's reading is quick as well. Maps and readings are coarser and still the networks' own; tests of the methods
    and of the reading are in `tests/explain`.
    """
    quickened = {name: quick(method) for name, method in registry.METHODS.items()}
    with patch.dict(registry.METHODS, quickened), quick_readings():
        yield


def quick(method: Method) -> Method:
    """A method that takes its quick numbers in place of its usual ones."""
    usual = method.Params()

    def run(model: Any, crop: Any, target: Any, params: Parameters, *parts: Any) -> Any:
        fewer = {name: value for name, value in method.quick.items() if getattr(params, name) == getattr(usual, name)}
        return method.run(model, crop, target, replace(params, **fewer), *parts)

    return replace(method, run=run)
