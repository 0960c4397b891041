"""What the components for pictures and clips share: their files are uploads, and nothing is copied or downloaded."""

from pathlib import Path
from typing import Any, cast

from app.ui import uploads


class UploadedMedia:
    """Stands before one of Gradio's components, whose file it then reads from the folder for uploads and nowhere else.

    The stock components open any path on the server when a client names one without `meta`, and download addresses.
    """

    GRADIO_CACHE: str

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """Copy and download nothing: uploads are in the cache already. Raises PhotoError for any other file."""
        if url_or_file_path is not None:
            self.locate(str(url_or_file_path))
        return cast(str | None, await cast(Any, super()).async_move_resource_to_block_cache(url_or_file_path))

    def locate(self, path: str) -> Path:
        """Where an upload lies; raises PhotoError for any other file, see `app.ui.uploads.locate`."""
        return uploads.locate(path, self.GRADIO_CACHE)

    def take(self, path: str | None) -> bytes:
        """The bytes of an upload; raises PhotoError for any other file, see `app.ui.uploads.Uploads.take`."""
        return uploads.ALL.take(path, self.GRADIO_CACHE)

    def example_payload(self) -> dict[str, Any]:
        """What /gradio_api/info shows: a file that was uploaded before."""
        return {"path": "the path that /gradio_api/upload answered", "meta": {"_type": "gradio.FileData"}}

    def example_value(self) -> dict[str, Any]:
        return self.example_payload()
