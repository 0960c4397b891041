"""What an event of Gradio carries, where it is registered, and endpoints whose arguments are plain JSON but for one."""

import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components.api_component import Api
from gradio.context import Context, get_blocks_context
from gradio_client.utils import python_type_to_json_schema


def data(event: gr.EventData) -> dict[str, Any]:
    """What JavaScript gave to `trigger`."""
    return event._data or {}


def page() -> gr.Blocks:
    """The page that is being built, whatever part of it is."""
    return Context.root_block


def open_endpoint(image: gr.Image, function: Callable, **options: Any) -> None:
    """Open a function as an endpoint of the page that is being built, under the function's name.

    `gr.api` does the same for functions whose arguments are all plain JSON.

    Args:
        image: the component that reads the argument `image`.
        function: annotated with types that have a JSON schema.
        options: of the event, such as its queue.
    """
    signature = inspect.signature(function)
    arguments = [
        Api(parameter.default, python_type_to_json_schema(parameter.annotation), name)
        for name, parameter in signature.parameters.items()
        if name != "image"
    ]
    returned = Api(None, python_type_to_json_schema(signature.return_annotation), "answer")
    get_blocks_context().set_event_trigger(
        [],
        function,
        [image, *arguments],
        [returned],
        api_name=function.__name__,
        api_description=inspect.getdoc(function),
        show_progress="hidden",
        **options,
    )
