"""Who asks how far an upload is: Gradio remembers every name that was ever asked for."""

import time

from gradio import routes
from gradio.route_utils import FileUploadProgress

KEPT_S = 60.0
"""Seconds that an upload is remembered whose progress nobody reads to its end."""
MOST = 500
"""Uploads that are remembered; beyond them the one goes of which nothing came for longest."""
LONGEST = 64
"""Characters of an upload's name; the page's have 11, those of a client 32."""


class BoundedProgress(FileUploadProgress):
    """Gradio's, which forgets."""

    def __init__(self) -> None:
        super().__init__()
        self._touched: dict[str, float] = {}  # the longest ago first

    def track(self, upload_id: str) -> None:
        """Begin to remember an upload."""
        self.forget(time.monotonic())
        if len(upload_id) <= LONGEST:
            super().track(upload_id)
            self._touch(upload_id)

    async def is_tracked(self, upload_id: str) -> bool:
        """Return once an upload has begun."""
        try:
            return await super().is_tracked(upload_id)
        finally:
            if upload_id not in self._touched:
                self._signals.pop(upload_id, None)

    def append(self, upload_id: str, filename: str, message_bytes: bytes) -> None:
        """Note what came of a file."""
        if upload_id in self._statuses:
            super().append(upload_id, filename[:255], message_bytes)
            self._touch(upload_id)

    def set_done(self, upload_id: str) -> None:
        """Note that all of it came."""
        if upload_id in self._statuses:
            super().set_done(upload_id)

    def forget(self, now: float) -> None:
        """Forget the uploads of which nothing came for `KEPT_S` seconds; `now` is of `time.monotonic`."""
        for upload_id, touched in list(self._touched.items()):
            if now - touched > KEPT_S or len(self._touched) > MOST:
                self.stop_tracking(upload_id)
                self._signals.pop(upload_id, None)  # the page may have asked again after the end
                self._touched.pop(upload_id, None)

    def _touch(self, upload_id: str) -> None:
        self._touched.pop(upload_id, None)
        self._touched[upload_id] = time.monotonic()


def bound() -> BoundedProgress:
    """Let Gradio's routes use it."""
    if not isinstance(routes.file_upload_statuses, BoundedProgress):
        routes.file_upload_statuses = BoundedProgress()
    return routes.file_upload_statuses
