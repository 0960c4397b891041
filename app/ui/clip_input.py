"""A video component that is safe to open to the world."""

from functools import partial
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from app.serving import metrics
from app.ui.gradio_overrides.uploaded_media import UploadedMedia
from models import clip
from models.errors import UnreadableClipError


class ClipInput(UploadedMedia, gr.Video):
    """A `gr.Video` that reads uploads and nothing else, and hands the bytes of a clip to its handler.

    See `UploadedMedia`. The stock component hands files to ffmpeg as well; this one does not.
    """

    def get_block_name(self) -> str:
        """The name of the component it stands for, by which the page draws it."""
        return "video"

    def preprocess(self, payload: FileData | None) -> Any:
        """The bytes of an upload.

        Raises:
            PhotoError: not an upload of this app.
            ClipError: it can be seen to be no clip.
        """
        if payload is not None and payload.url and not payload.path:
            raise UnreadableClipError("The clip was not uploaded", "an address", "Download it and upload the file")
        with metrics.stage("decode"):
            data = self.take(payload.path if payload else None)
        clip.check(data)
        return data


class ClipSource(ClipInput):
    """A `ClipInput` that hands over how to read the upload, so that its handler can say what is wrong with it."""

    def preprocess(self, payload: FileData | None) -> Any:
        """What reads the upload, see `ClipInput`; None where there is none."""
        return None if payload is None else partial(super().preprocess, payload)
