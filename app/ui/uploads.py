"""Files that visitors upload: which of them may be read, and when they are deleted.

They lie in a folder of this server's own, see `app.ui.upload_folder`, and are deleted a minute after they were read, or
some minutes after they came where nobody read them.
"""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from models.errors import EmptyPhotoError, PhotoError

GRACE = 60.0
"""Seconds that an upload stays after it was read: the browser may still show it, a client may reuse it."""
UNREAD = 300.0
"""Seconds that an upload stays which nobody reads."""
MOST = 2**30
"""Bytes on the disk that all uploads may take together; beyond them the oldest go first."""
MOST_FILES = 2000
"""Uploads that may lie there together, likewise."""
SHARE = 4
"""One client may have one in so many of both; beyond them its own oldest go first."""
BLOCK = 4096
"""Bytes on the disk of the smallest file, and of its folder."""


class Uploads:
    """What is known of uploads beside the files themselves; many threads and the one that sweeps share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: set[Path] = set()
        self._arrived: dict[str, dict[Path, float]] = {}
        """By client: when each of its uploads came (seconds since 1970), the oldest first."""

    def take(self, path: str | None, folder: str | Path) -> bytes:
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
        with self._lock:
            self._read.add(found)
        return data

    def arrived(self, client: str, paths: Iterable[Path]) -> None:
        """Note the uploads of a client; what is more than its share is deleted, its oldest first."""
        with self._lock:
            own = self._arrived.setdefault(client, {})
            for path in paths:
                own.pop(path, None)
                own[path] = time.time()
            sizes = {path: taken(path) for path in own}
            held, count = sum(sizes.values()), len(sizes)
            for path, size in sizes.items():
                if held <= MOST // SHARE and count <= MOST_FILES // SHARE:
                    break
                forget(path, own.pop(path))
                held, count = held - size, count - 1

    def known(self) -> set[str]:
        """The paths of all uploads that came and were not deleted."""
        with self._lock:
            return {str(path) for own in self._arrived.values() for path in own}

    def sweep(self, folder: Path, now: float) -> None:
        """Delete the uploads whose time is over, empty folders, and the oldest beyond `MOST` bytes and `MOST_FILES`.

        Args:
            folder: where they lie.
            now: seconds since 1970.
        """
        with self._lock:
            read = set(self._read)
            noted = {path for own in self._arrived.values() for path in own} | read
        kept = []
        for path, found in files_in(folder):
            last = now - (GRACE if path in read else UNREAD)
            if found.st_mtime <= last:
                forget(path, last)
            else:
                kept.append((found.st_mtime, taken(path, found), path))
        held, count = sum(size for _, size, _ in kept), len(kept)
        for used, size, path in sorted(kept):
            if held <= MOST and count <= MOST_FILES:
                break
            forget(path, used)
            held, count = held - size, count - 1
        self._drop({path for path in noted if not os.path.exists(path)})
        for place, _, _ in os.walk(folder, topdown=False):
            with suppress(OSError):
                if place != str(folder) and os.stat(place).st_mtime <= now - UNREAD:
                    os.rmdir(place)

    def _drop(self, gone: set[Path]) -> None:
        """Know nothing any more of uploads that are gone, and of clients that have no other."""
        with self._lock:
            self._read -= gone
            for client, own in list(self._arrived.items()):
                left = {path: came for path, came in own.items() if path not in gone}
                if left:
                    self._arrived[client] = left
                else:
                    del self._arrived[client]


ALL = Uploads()
"""Those of this server."""


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


def forget(path: Path, used: float) -> None:
    """Delete an upload and its folder, unless it was used again after `used` (seconds since 1970)."""
    with suppress(OSError):
        if path.lstat().st_mtime <= used + 0.5:
            path.unlink()
            path.parent.rmdir()


def taken(path: Path, found: os.stat_result | None = None) -> int:
    """Bytes that an upload and its folder take on the disk; 0 where it is gone."""
    try:
        found = found or path.lstat()
    except OSError:
        return 0
    return max(-(-found.st_size // BLOCK) * BLOCK, 512 * getattr(found, "st_blocks", 0), BLOCK) + BLOCK


def files_in(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The files in a folder and below, links not followed, and what the system says of each."""
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                yield (path := Path(place, name)), path.lstat()
