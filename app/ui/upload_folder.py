"""The folders for uploads and for temporary files: this server's own, and gone when the server ends.

A small process deletes it when the server ends, however it ends, and a server that starts deletes what such a process
could not.
"""

import atexit
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from app.ui import uploads
from app.ui.gradio_overrides import form_parser
from models import photo
from models.errors import ParameterError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

PREFIX = "facewhy-server-"
EVERY = 5.0
"""Seconds between two looks at what is old."""
FRESH = 5.0
"""Seconds in which a new folder may not be marked as in use yet."""

WATCH = """
import os, sys
os.read(0, 1)
import shutil
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""
"""Waits until the other end of its input is closed, which the system does for a process that ends."""

_folder: Path | None = None


def private_folder() -> Path:
    """The folder for uploads, made at the first call: in GRADIO_TEMP_DIR, or else where temporary files go.

    From then on GRADIO_TEMP_DIR names it to gradio; only we can read it, and nothing beside it is touched. Libraries
    write into another one that goes with it, as TensorFlow does with code that it generates.
    Pictures that come to the REST API are kept in memory and never become a file.

    Raises:
        ParameterError: there is none that can be written.
    """
    global _folder
    if _folder is None or os.environ.get("GRADIO_TEMP_DIR") != str(_folder):
        parent = Path(os.path.realpath(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()))
        try:
            parent.mkdir(parents=True, exist_ok=True)
            bury(parent)
            own = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            _folder, temporary = own / "uploads", own / "temporary"
            _folder.mkdir()
            temporary.mkdir()
        except OSError as error:
            raise ParameterError(
                "The folder for uploads could not be made",
                f"{parent}: {error.strerror}",
                "Set GRADIO_TEMP_DIR to a folder that this user may write to",
            ) from error
        os.environ["GRADIO_TEMP_DIR"], tempfile.tempdir = str(_folder), str(temporary)
        _mark(own)
        _watch(own)
        threading.Thread(target=_sweep_often, args=(_folder,), name="uploads", daemon=True).start()
        form_parser.keep_in_memory(2 * photo.MAX_BYTES)
    return _folder


def bury(parent: Path) -> None:
    """Delete the folders of servers that ended without a chance to do so; those of running ones stay.

    Only real folders of this user are looked at, and nothing but our own names.
    """
    for folder in parent.glob(f"{PREFIX}*") if fcntl else ():
        with suppress(OSError):
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and time.time() - found.st_mtime > FRESH:
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(handle)


def _mark(folder: Path) -> None:
    """Keep a lock on a folder for as long as this process runs."""
    if fcntl:
        fcntl.flock(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX)


def _watch(folder: Path) -> None:
    """Have a folder deleted when this process ends: by itself, or by a child where it has no chance to."""
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCH, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a signal to the server's group is not for it
        )
    except OSError as error:
        log.warning("uploads are not deleted if this process is killed: %s", error.strerror)
    else:
        atexit.register(watcher.communicate)


def _sweep_often(folder: Path) -> None:
    while folder.exists():
        time.sleep(EVERY)
        uploads.ALL.sweep(folder, time.time())
