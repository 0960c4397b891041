"""A video component that is safe to open to the world."""

from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from app.serving import metrics
from app.ui import uploads
from models import clip
from models.errors import UnreadableClipError


class ClipInput(gr.Video):
    """A `gr.Video` that reads uploads and nothing else, and hands the bytes of a clip to its handler.

    The stock component opens any path on the server when a client names one without `meta`, downloads addresses, and
    hands files to ffmpeg; this one does none of it.
    """

    def get_block_name(self) -> str:
        """The name of the component it stands for, by which the page draws it."""
        return "video"

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """Copy and download nothing: uploads are in the cache already. Raises PhotoError for any other file."""
        if url_or_file_path is not None:
            uploads.locate(str(url_or_file_path), self.GRADIO_CACHE)
        return await super().async_move_resource_to_block_cache(url_or_file_path)

    def preprocess(self, payload: FileData | None) -> Any:
        """The bytes of an upload.

        Raises:
            PhotoError: not an upload of this app.
            ClipError: it can be seen to be no clip.
        """
        if payload is not None and payload.url and not payload.path:
            raise UnreadableClipError("The clip was not uploaded", "an address", "Download it and upload the file")
        with metrics.stage("decode"):
            data = uploads.ALL.take(payload.path if payload else None, self.GRADIO_CACHE)
        clip.check(data)
        return data

    def example_payload(self) -> dict[str, Any]:
        """What /gradio_api/info shows: a file that was uploaded before."""
        return {"path": "the path that /gradio_api/upload answered", "meta": {"_type": "gradio.FileData"}}

    def example_value(self) -> dict[str, Any]:
        return self.example_payload()


class ClipSource(ClipInput):
    """A `ClipInput` that hands over how to read the upload, so that its handler can say what is wrong with it."""

    def preprocess(self, payload: FileData | None) -> Any:
        """What reads the upload, see `ClipInput`; None where there is none."""
        return None if payload is None else partial(super().preprocess, payload)
