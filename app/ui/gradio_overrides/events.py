"""What an event of Gradio carries, where it is registered, and endpoints whose arguments are plain JSON but for one."""

import inspect
from collections.abc import Callable
from typing import Any, cast

import gradio as gr
from gradio.components.api_component import Api
from gradio.context import Context


def data(event: gr.EventData) -> Any:
    """What JavaScript gave to `trigger`: a dict, whose `index`, where it has one, is an integer."""
    given = event._data if isinstance(event._data, dict) else {}
    index = given.get("index")
    return given if type(index) in (int, type(None)) else {name: given[name] for name in given if name != "index"}


def page() -> gr.Blocks:
    """The page that is being built, whatever part of it is."""
    return cast(gr.Blocks, Context.root_block)


def open_endpoint(
    image: gr.Image,
    function: Callable[..., Any],
    arguments: dict[str, dict[str, Any]],
    returned: dict[str, Any],
    with_image: bool = True,
    **options: Any,
) -> None:
    """Open a function as an endpoint of the page that is being built, under the function's name.

    `gr.api` does the same for functions whose arguments are all plain JSON.

    Args:
        image: the component that reads the argument `image`, the first one of those that have it.
        function: its name, docstring and defaults are the endpoint's.
        arguments: by name, the JSON schemas of the others in their order.
        returned: the JSON schema of what it returns.
        with_image: whether the function has the argument `image`.
        options: of the event, such as its queue.
    """
    parameters = inspect.signature(function).parameters
    others = [Api(parameters[name].default, schema, name) for name, schema in arguments.items()]
    page().default_config.set_event_trigger(
        [],
        function,
        [image, *others] if with_image else others,
        [Api(None, returned, "answer")],
        api_name=function.__name__,
        api_description=inspect.getdoc(function),
        show_progress="hidden",
        **options,
    )
