"""Files that visitors upload: where they lie, which of them may be read, and when they are deleted.

They lie in a folder of this server's own and are deleted a minute after they were read, or some minutes after
they came where nobody read them. A small process deletes the folder when the server ends, however it ends, and a
server that starts deletes what such a process could not.
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
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from starlette.formparsers import MultiPartParser

from models import photo
from models.errors import EmptyPhotoError, ParameterError, PhotoError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

PREFIX = "facewhy-uploads-"
GRACE = 60.0
"""Seconds that an upload stays after it was read: the browser may still show it, a client may reuse it."""
UNREAD = 300.0
"""Seconds that an upload stays which nobody reads."""
EVERY = 5.0
"""Seconds between two looks at what is old."""
MOST = 2**30
"""Bytes on the disk that all uploads may take together; beyond them the oldest go first."""
MOST_FILES = 2000
"""Uploads that may lie there together, likewise."""
SHARE = 4
"""One client may have one in so many of both; beyond them its own oldest go first."""
BLOCK = 4096
"""Bytes on the disk of the smallest file, and of its folder."""
GENERATED = "__autograph_generated_file*.py"
"""What `tensorflow.python.autograph.pyct.loader` calls its files."""
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
_read: set[Path] = set()
_arrived: dict[str, dict[Path, float]] = {}
"""By client: when each of its uploads came (seconds since 1970), the oldest first."""


def private_folder() -> Path:
    """The folder for uploads, made at the first call: in GRADIO_TEMP_DIR, or else where temporary files go.

    From then on GRADIO_TEMP_DIR names it to gradio; only we can read it, and nothing beside it is touched.
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
            _folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        except OSError as error:
            raise ParameterError(
                "The folder for uploads could not be made",
                f"{parent}: {error.strerror}",
                "Set GRADIO_TEMP_DIR to a folder that this user may write to",
            ) from error
        clear_generated(Path(tempfile.gettempdir()))
        os.environ["GRADIO_TEMP_DIR"] = str(_folder)
        _mark(_folder)
        _watch(_folder)
        threading.Thread(target=_sweep_often, args=(_folder,), name="uploads", daemon=True).start()
        MultiPartParser.spool_max_size = 2 * photo.MAX_BYTES
    return _folder


def take(path: str | None, folder: str | Path) -> bytes:
    """The bytes of an upload, which is then deleted `GRACE` seconds after its last use.

    Args:
        path: where the client says its upload lies.
        folder: the only one whose files are read.

    Raises:
        EmptyPhotoError: nothing was given, or the upload is gone.
        PhotoError: the path leads anywhere else, see `locate`.
    """
    found = locate(path, folder)
    try:
        os.utime(found)
        data = found.read_bytes()
    except OSError:
        raise EmptyPhotoError(
            "The uploaded picture is gone", "an upload whose time is over", "Upload the picture again"
        ) from None
    _read.add(found)
    return data


def arrived(client: str, paths: Iterable[Path]) -> None:
    """Note the uploads of a client; what is more than its share is deleted, its oldest first."""
    own = _arrived.setdefault(client, {})
    for path in paths:
        own.pop(path, None)
        own[path] = time.time()
    sizes = {path: _taken(path) for path in own}
    held, count = sum(sizes.values()), len(sizes)
    for path, size in sizes.items():
        if held <= MOST // SHARE and count <= MOST_FILES // SHARE:
            break
        forget(path, own.pop(path))
        held, count = held - size, count - 1


def known() -> set[str]:
    """The paths of all uploads that came and were not deleted."""
    return {str(path) for own in list(_arrived.values()) for path in list(own)}


def _taken(path: Path, found: os.stat_result | None = None) -> int:
    """Bytes that an upload and its folder take on the disk; 0 where it is gone."""
    try:
        found = found or path.lstat()
    except OSError:
        return 0
    return max(-(-found.st_size // BLOCK) * BLOCK, 512 * getattr(found, "st_blocks", 0), BLOCK) + BLOCK


def locate(path: str | None, folder: str | Path) -> Path:
    """Where an upload lies, links and dots resolved.

    Raises:
        EmptyPhotoError: nothing was given.
        PhotoError: the path leads out of the folder, or is an address.
    """
    if not path:
        raise EmptyPhotoError("No picture was given", "none so far", "Upload one, take a snapshot or pick an example")
    if "://" in path or path.startswith("data:"):
        raise PhotoError("The picture was not uploaded", "an address", "Download the picture and upload the file")
    try:
        found = Path(os.path.realpath(path))
    except ValueError:  # a null byte
        raise PhotoError("The picture was not uploaded", "no path", "Upload the file") from None
    if not found.is_relative_to(os.path.realpath(folder)):
        raise PhotoError("The picture was not uploaded", "a path on the server", "Upload the file")
    return found


def sweep(folder: Path, now: float) -> None:
    """Delete the uploads whose time is over, empty folders, and the oldest beyond `MOST` bytes and `MOST_FILES`.

    Args:
        folder: where they lie.
        now: seconds since 1970.
    """
    kept = []
    for path, found in _files(folder):
        last = now - (GRACE if path in _read else UNREAD)
        if found.st_mtime <= last:
            forget(path, last)
        else:
            kept.append((found.st_mtime, _taken(path, found), path))
    held, count = sum(size for _, size, _ in kept), len(kept)
    for used, size, path in sorted(kept):
        if held <= MOST and count <= MOST_FILES:
            break
        forget(path, used)
        held, count = held - size, count - 1
    _read.intersection_update({path for _, _, path in kept})
    for client, own in list(_arrived.items()):
        for path in [path for path in list(own) if not path.exists()]:
            own.pop(path, None)
        if not own:
            _arrived.pop(client, None)
    for place, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            if place != str(folder) and os.stat(place).st_mtime <= now - UNREAD:
                os.rmdir(place)


def forget(path: Path, used: float) -> None:
    """Delete an upload and its folder, unless it was used again after `used` (seconds since 1970)."""
    with suppress(OSError):
        if path.lstat().st_mtime <= used + 0.5:
            path.unlink()
            path.parent.rmdir()


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


def clear_generated(folder: Path) -> None:
    """Delete the code that TensorFlow writes into a folder and deletes at its end, which a killed server had no chance
    to. A running one has read its own by now; only this user's are looked at."""
    for path in folder.glob(GENERATED) if fcntl else ():
        with suppress(OSError):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and time.time() - found.st_mtime > FRESH:
                path.unlink()


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
        sweep(folder, time.time())


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                yield (path := Path(place, name)), path.lstat()
