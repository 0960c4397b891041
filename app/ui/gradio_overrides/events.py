"""What an event of Gradio carries, where it is registered, and endpoints whose arguments are plain JSON but for one."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

import gradio as gr
from gradio.components.api_component import Api
from gradio.context import Context

from app.ui import queues


def data(event: gr.EventData) -> Any:
    """What JavaScript gave to `trigger`: a dict, whose `index`, where it has one, is an integer."""
    given = event._data if isinstance(event._data, dict) else {}
    index = given.get("index")
    return given if type(index) in (int, type(None)) else {name: given[name] for name in given if name != "index"}


def scope(request: gr.Request | None) -> Mapping[str, Any]:
    """The ASGI scope of the request that an event came with; empty where there is none."""
    return cast(Mapping[str, Any], getattr(getattr(request, "request", None), "scope", {}))


def page() -> gr.Blocks:
    """The page that is being built, whatever part of it is."""
    return cast(gr.Blocks, Context.root_block)


def open_endpoint(
    media: Mapping[str, gr.components.Component],
    function: Callable[..., Any],
    arguments: dict[str, dict[str, Any]],
    returned: dict[str, Any],
    about: str,
    queue: str,
) -> None:
    """Open a function as an endpoint of the page that is being built, under the function's name.

    `gr.api` does the same for functions whose arguments are all plain JSON.

    Args:
        media: by name, the components that read a first argument that is no plain JSON.
        function: its name, docstring and defaults are the endpoint's.
        arguments: by name, the JSON schemas of the others in their order.
        returned: the JSON schema of what it returns.
        about: the name of that argument; "" where there is none.
        queue: in which its calls wait, see `app.serving.admission`.
    """
    parameters = inspect.signature(function).parameters
    others = [Api(parameters[name].default, schema, name) for name, schema in arguments.items()]
    page().default_config.set_event_trigger(
        [],
        function,
        [media[about], *others] if about else others,
        [Api(None, returned, "answer")],
        api_name=function.__name__,
        api_description=inspect.getdoc(function),
        show_progress="hidden",
        **queues.waits_in(queue),
    )
