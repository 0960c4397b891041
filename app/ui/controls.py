"""The controls of a method, built from what its Params declare, and those of an emotion."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from explain.base import Control, Method
from explain.registry import METHODS
from models.types import EMOTIONS

Field = gr.Checkbox | gr.Radio | gr.Number | gr.Slider
"""What shows a parameter."""
COMMON = ("likeliest on average", "")
"""The first choice of what is explained of several models."""
ALONE = ("no other emotion", "")
"""The first choice of what an emotion is set against."""


def build(method: Method) -> list[Field]:
    """One component a parameter, in the order of `method.Params`."""
    defaults = method.Params()
    return [component(control, getattr(defaults, name)) for name, control in method.Params.controls().items()]


def emotions(first: tuple[str, str], label: str, name: str, **layout: Any) -> gr.Dropdown:
    """A choice of an emotion, or of what its first entry says, whose value is empty."""
    choices: list[str | tuple[str, str]] = [first, *EMOTIONS]
    return gr.Dropdown(choices, value="", label=label, elem_id=name, filterable=False, interactive=True, **layout)


def component(control: Control, default: Any) -> Field:
    """The component for one parameter."""
    words: dict[str, Any] = {"label": control.title, "info": control.help, "interactive": True}
    if control.kind is bool:
        return gr.Checkbox(default, **words)
    if control.kind is str:
        return gr.Radio(list(control.options), value=default, **words)
    low, high, step = control.range
    if high - low > 100 * step:
        precision = 0 if control.kind is int else None
        return gr.Number(default, minimum=low, maximum=high, precision=precision, **words)
    return gr.Slider(low, high, default, step=step, **words)


def settled(fields: list[Field]) -> list[Callable[..., Any]]:
    """The events that say that a visitor has settled on a new value; a number is typed, so `typed` has its own."""
    chosen = (field for field in fields if not isinstance(field, gr.Number))
    return [field.release if isinstance(field, gr.Slider) else field.input for field in chosen]


def typed(fields: list[Field]) -> list[Callable[..., Any]]:
    """The events that say that a number is complete."""
    return [event for field in fields if isinstance(field, gr.Number) for event in (field.submit, field.blur)]


def read(method: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """A method's parameters out of the values of all methods' controls.

    Args:
        method: a key of `METHODS`.
        values: what the controls of every method hold, in the order of `METHODS`.
    """
    offset = 0
    for name, entry in METHODS.items():
        controls = entry.Params.controls()
        if name == method:
            chosen = values[offset : offset + len(controls)]
            return {
                key: control.kind(value) if control.kind is int and isinstance(value, float) else value
                for (key, control), value in zip(controls.items(), chosen, strict=True)
            }
        offset += len(controls)
    return {}
