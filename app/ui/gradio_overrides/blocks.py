"""Blocks that open no file but uploads, and whose every failure becomes a sentence."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import Block
from gradio.components.api_component import Api
from gradio.exceptions import ComponentProcessingError

from app.error_messages import UNEXPECTED, message
from app.ui.gradio_overrides.uploaded_media import UploadedMedia
from models.errors import PhotoError

MISFIT = (
    "The request does not fit its endpoint. Upload the picture first; the arguments are described at /gradio_api/info."
)

HANDLE_FILE = (
    'Give handle_file("face.jpg") in its place, with "from gradio_client import handle_file"; '
    "a picture in base64 is read by the REST API, see /docs"
)

NO_TAGS = str.maketrans("<>", "‹›")

log = logging.getLogger(__name__)


class Perishable:
    """Outputs of a handler that the page leaves out where they are out of date once they could be sent.

    Gradio makes outputs ready for the page one after the other, each in a thread: those of a later event may be there
    first.
    """

    outdated: Callable[[], bool] = staticmethod(lambda: False)


class SafeBlocks(gr.Blocks):
    """Blocks whose every call, from the page or the API, fails with a sentence and nothing else.

    Handlers raise what they like: a `FaceWhyError` is shown as it is; anything else becomes one
    neutral sentence and a log entry without the message, which could name a visitor's file.
    """

    def run_startup_events(self) -> None:
        """A page that is mounted counts as launched: gradio checks no path of a file before that."""
        self.has_launched = True
        super().run_startup_events()

    async def process_api(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """As Gradio's; raises a `VisibleError` for whatever that raises."""
        try:
            return await super().process_api(*args, **kwargs)
        except Exception as error:
            raise visible(error) from None

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        try:
            for block, value in zip(block_fn.inputs, inputs, strict=False):
                if isinstance(block, UploadedMedia):
                    if isinstance(value, str) and value:
                        raise PhotoError("The picture was sent as text and not as an upload", _kind(value), HANDLE_FILE)
                    if isinstance(value, dict) and isinstance(value.get("path"), str):
                        block.locate(value["path"])
                elif _names_a_file(value):
                    raise PhotoError(
                        "A file was sent where no picture is asked for", "a file in another argument", "Leave it out"
                    )
            inputs = _completed(block_fn.inputs, inputs)
            return await super().preprocess_data(block_fn, inputs, *args, **kwargs)
        except ComponentProcessingError as error:
            raise visible(error, MISFIT) from None
        except ValueError as error:  # the caller's: too few values, or none that its component takes
            log.info("a request does not fit its endpoint: %s", type(error).__name__)
            raise VisibleError(MISFIT) from None
        except Exception as error:
            raise visible(error, MISFIT) from None

    async def postprocess_data(self, block_fn: BlockFunction, predictions: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """As Gradio's; see `Perishable`."""
        data = await super().postprocess_data(block_fn, predictions, *args, **kwargs)
        if isinstance(predictions, Perishable) and predictions.outdated():
            return await super().postprocess_data(block_fn, [gr.skip()] * len(data), *args, **kwargs)
        return data


class VisibleError(gr.Error):
    """An error whose message is meant for the visitor.

    The page shows it as HTML, and programs as it is: what comes from outside may hold a tag, as in an address
    somebody was sent. So angle brackets are said with signs that are none.
    """

    def __init__(self, message: str):
        super().__init__(message.translate(NO_TAGS), print_exception=False)


def visible(error: Exception, otherwise: str = UNEXPECTED) -> VisibleError:
    """An error as the visitor sees it, see `app.error_messages.message`."""
    return error if isinstance(error, VisibleError) else VisibleError(message(error, otherwise))


def _completed(blocks: Sequence[Block], values: Any) -> Any:
    """Values of an endpoint with the defaults of the arguments behind them, which its caller need not know."""
    rest = blocks[len(values) :] if isinstance(values, list) else ()
    defaults = [block.value for block in rest if isinstance(block, Api)]
    return [*values, *defaults] if defaults and len(defaults) == len(rest) else values


def _kind(text: str) -> str:
    """What a text may be that stands where an upload should."""
    if text.startswith("data:"):
        return "a data address"
    return "an address" if "://" in text[:20] else "a path or base64"


def _names_a_file(value: object) -> bool:
    """Whether gradio would open or download something for a value from a client."""
    if isinstance(value, dict):
        return "path" in value or "meta" in value or any(map(_names_a_file, value.values()))
    return isinstance(value, list) and any(map(_names_a_file, value))
