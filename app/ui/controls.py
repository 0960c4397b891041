"""The controls of a method, built from what its Params declare, and those of an emotion."""

from typing import Any

import gradio as gr

from explain.base import Control, Method
from explain.registry import METHODS
from models.types import EMOTIONS

COMMON = ("what they see on average", "")
"""The first choice of what is explained of several models."""
ALONE = ("no other emotion", "")
"""The first choice of what an emotion is set against."""


def build(method: Method) -> list[gr.components.Component]:
    """One component a parameter, in the order of `method.Params`."""
    defaults = method.Params()
    return [component(control, getattr(defaults, name)) for name, control in method.Params.controls().items()]


def emotions(first: tuple[str, str], label: str, name: str, **layout) -> gr.Dropdown:
    """A choice of an emotion, or of what its first entry says, whose value is empty."""
    choices = [first, *EMOTIONS]
    return gr.Dropdown(choices, value="", label=label, elem_id=name, filterable=False, interactive=True, **layout)


def component(control: Control, default: Any) -> gr.components.Component:
    """The component for one parameter."""
    words = {"label": control.title, "info": control.help, "interactive": True}
    if control.kind is bool:
        return gr.Checkbox(default, **words)
    if control.kind is str:
        return gr.Radio(list(control.options), value=default, **words)
    if control.high - control.low > 100 * control.step:
        precision = 0 if control.kind is int else None
        return gr.Number(default, minimum=control.low, maximum=control.high, precision=precision, **words)
    return gr.Slider(control.low, control.high, default, step=control.step, **words)


def chosen(component: gr.components.Component) -> bool:
    """Whether a visitor chooses among values; a number is typed, and is none until it is complete."""
    return not isinstance(component, gr.Number)


def changed(component: gr.components.Component):
    """The event that says a visitor has settled on a new value, of what is `chosen`."""
    return component.release if isinstance(component, gr.Slider) else component.input


def read(method: str, values: tuple) -> dict[str, Any]:
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
