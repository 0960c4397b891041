"""Files that visitors upload: which of them may be read, and when they are deleted."""

import atexit
import functools
import os
import queue
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from models.errors import EmptyPhotoError, PhotoError

GRACE = 60.0
"""Seconds that an upload stays after it was read: the browser may still show it, a client may reuse it."""

_read: queue.SimpleQueue[tuple[float, Path]] = queue.SimpleQueue()


def private_folder() -> Path:
    """The folder for uploads: GRADIO_TEMP_DIR, or a new one that only we read and that goes with us."""
    if not os.environ.get("GRADIO_TEMP_DIR"):
        folder = tempfile.mkdtemp(prefix="facewhy-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["GRADIO_TEMP_DIR"] = folder
    return Path(os.environ["GRADIO_TEMP_DIR"])


def take(path: str | None, folder: str | Path) -> bytes:
    """The bytes of an upload, which is then deleted `GRACE` seconds after its last use.

    Args:
        path: where the client says its upload lies.
        folder: the only one whose files are read.

    Raises:
        EmptyPhotoError: nothing was given, or the upload is gone.
        PhotoError: the path leads anywhere else.
    """
    if not path:
        raise EmptyPhotoError("A picture is given first", "", "Upload one, take a snapshot or pick an example")
    if "://" in path or path.startswith("data:"):
        raise PhotoError("A picture is uploaded", "an address", "Download the picture and upload the file")
    found = Path(os.path.realpath(path))
    if not found.is_relative_to(os.path.realpath(folder)):
        raise PhotoError("A picture is uploaded", "a path on the server", "Upload the file")
    try:
        os.utime(found)
        data = found.read_bytes()
    except OSError:
        raise EmptyPhotoError("An upload is kept for a short time only", "", "Upload the picture again") from None
    _read.put((time.time(), found))
    _sweeper()
    return data


@functools.cache
def _sweeper() -> threading.Thread:
    thread = threading.Thread(target=_sweep, name="uploads", daemon=True)
    thread.start()
    return thread


def _sweep() -> None:
    while True:
        used, path = _read.get()
        time.sleep(max(0.0, used + GRACE - time.time()))
        forget(path, used)


def forget(path: Path, used: float) -> None:
    """Delete an upload and its folder, unless it was used again after `used` (seconds since 1970)."""
    with suppress(OSError):
        if path.stat().st_mtime <= used + 0.5:
            path.unlink()
            path.parent.rmdir()
