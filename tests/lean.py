"""An engine that compiles a method when somebody asks for it: in the tests there are several, each asked little."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from app.serving.local import LocalEngine
from models import zoo


def lean() -> AbstractContextManager[Any]:
    """Within it an engine's `warm` loads the networks and does not run every method of each."""
    return patch.object(LocalEngine, "warm", lambda engine: zoo.warm().join())
