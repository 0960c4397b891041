"""Image components that are safe to open to the world."""

import base64
from functools import partial
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from app.serving import metrics
from app.ui.gradio_overrides.uploaded_media import UploadedMedia
from models import photo
from models.errors import PhotoError
from models.types import Photo


class PhotoInput(UploadedMedia, gr.Image):
    """A `gr.Image` that reads uploads and nothing else, see `UploadedMedia`, and hands a `Photo` to its handler."""

    def get_block_name(self) -> str:
        """The name of the component it stands for, by which the page draws it."""
        return "image"

    def preprocess(self, payload: ImageData | None) -> Any:
        """The `Photo` of an upload.

        Raises:
            PhotoError: not an upload of this app, or not a picture that can be used.
        """
        if payload is not None and payload.url and payload.path is None:
            raise PhotoError("The picture was not uploaded", "an address", "Download the picture and upload the file")
        with metrics.stage("decode"):
            return photo.read(self.take(payload.path if payload else None))


class PhotoSource(PhotoInput):
    """A `PhotoInput` that hands over how to read the picture, so that its handler can say what is wrong with it.

    Gradio paints "Error" over every output of a handler whose input fails.
    """

    def preprocess(self, payload: ImageData | None) -> Any:
        """What reads the upload, see `PhotoInput`; None where there is none, as when the camera is chosen."""
        return None if payload is None else partial(super().preprocess, payload)


class FrameSource(PhotoInput):
    """A `PhotoInput` whose camera streams: hands over how to read the frame, as `PhotoSource` does.

    A frame comes as a JPEG in a data address and becomes no file.
    """

    def preprocess(self, payload: ImageData | None) -> Any:
        """What reads the frame; None where there is none, as when a stream begins."""
        if payload is None or not (payload.url or payload.path):
            return None
        return partial(_frame, payload.url or "")

    def example_payload(self) -> dict[str, Any]:
        return {"url": FRAME}


FRAME = "data:image/jpeg;base64,"
"""How a frame begins."""


def _frame(address: str) -> Photo:
    """A frame that the page's camera sent.

    Raises:
        PhotoError: it is no JPEG in a data address, or cannot be read.
    """
    if not address.startswith(FRAME):
        raise PhotoError("The frame was not sent by the page's camera", "another address", "Use the page's camera")
    try:
        data = base64.b64decode(address.removeprefix(FRAME), validate=True)
    except ValueError:
        raise PhotoError("The frame could not be decoded", "no base64", "Use the page's camera") from None
    with metrics.stage("decode"):
        return photo.read(data)
