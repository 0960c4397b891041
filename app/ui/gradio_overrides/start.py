"""Gradio's import without the stubs that it writes for editors.

Whenever Gradio is imported, it writes one beside each file that defines a component, its own and ours, and takes two
fifths of its import for it. No editor looks into a server; and a checkout stays as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from models import import_hooks


def prepare() -> None:
    """Have Gradio imported so, wherever that comes first; a second call changes nothing."""
    import_hooks.around("gradio", lambda module: import_hooks.without_garbage())
    import_hooks.around("gradio.component_meta", without_stubs)


@contextmanager
def without_stubs(module: ModuleType) -> Iterator[None]:
    """Take from Gradio's module of components the function that writes them."""
    yield
    vars(module)["create_or_modify_pyi"] = write_nothing


def write_nothing(component_class: type, class_name: str, events: list[Any]) -> None:
    """In place of `gradio.component_meta.create_or_modify_pyi`."""
