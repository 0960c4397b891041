"""A clip in, frames out: sampled, upright, with the times that its container gives them.

It is decoded by the FFmpeg that OpenCV's wheels bundle (LGPL), in a process of its own (`models.clip_worker`) with
limits on memory and time: a damaged clip ends that process and nothing else. A clip never becomes a file here.
"""

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from models import photo
from models.errors import ClipTooLargeError, EmptyClipError, ParameterError, UnreadableClipError
from models.types import Photo

MAX_BYTES = photo.MAX_BYTES
MAX_SECONDS = 30
MAX_PIXELS = 3840 * 2160
"""Of one frame: what phones call 4K."""
MAX_FRAMES = 60 * MAX_SECONDS
"""Decoded frames: sixty a second."""
SIDE = 720
"""The longer side in pixels of the frames that are read."""
RATE, MAX_RATE = 4.0, 10.0
"""Frames a second that are read, and the most of them."""
MAX_READ = 150
"""Frames of one clip that are read."""
STALL_S = 30.0
"""Seconds without a frame after which decoding is given up."""
DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
"""Those of `KINDS`, by FFmpeg's own names."""
ENVIRONMENT = {
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": f"protocol_whitelist;none|format_whitelist;{DEMUXERS}",
    "OPENCV_FFMPEG_THREADS": "2",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_LOG_LEVEL": "OFF",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
"""What a decoder's libraries are told: to open nothing but what is handed to them, and to be quiet."""
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Variables of this process that a decoder needs as well; secrets are not among them."""
WORKER = Path(__file__).with_name("clip_worker.py")

KINDS = "MP4, MOV, WebM, MKV or AVI"
LIMITS = f"{KINDS}, up to {MAX_SECONDS} seconds, {MAX_BYTES // 2**20} MiB, 3840 x 2160 pixels and {MAX_FRAMES} frames"
"""What a clip may be, for people."""
LONGEST_LINE = 4096


@dataclass(frozen=True, eq=False)
class Frame:
    """A sampled frame.

    Attributes:
        at: seconds from the clip's first frame.
        photo: its picture.
        share: how much of the clip is done, 0..1; as far as its container tells, 0 where it does not.
    """

    at: float
    photo: Photo
    share: float = 0.0


def is_clip(data: bytes) -> bool:
    """Whether data begins as one of `KINDS` does: what else FFmpeg could open, as a playlist, never reaches it."""
    return (
        data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
        or data[:4] == b"\x1aE\xdf\xa3"
        or (data[:4] == b"RIFF" and data[8:11] == b"AVI")
    )


def read(data: bytes, rate: float = RATE) -> Iterator[Frame]:
    """The frames of a clip, so many a second, as its container times them; rotation is undone.

    Args:
        data: of one of `KINDS`.
        rate: frames a second, up to `MAX_RATE`; a long clip is read more sparsely, `MAX_READ` frames in all.

    Raises:
        EmptyClipError: nothing was given.
        ClipTooLargeError: more bytes, seconds, pixels or frames than allowed; told once it shows.
        UnreadableClipError: another kind of file, without pictures, or damaged.
        ParameterError: the rate lies outside its range.
    """
    check(data, rate)
    every = max(1 / rate, MAX_SECONDS / MAX_READ)
    asked = {"seconds": MAX_SECONDS, "pixels": MAX_PIXELS, "frames": MAX_FRAMES, "side": SIDE, "every": every}
    process = subprocess.Popen(
        [sys.executable, "-I", str(WORKER), json.dumps(asked)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ} | ENVIRONMENT,
        cwd=WORKER.parent,
        start_new_session=True,  # a signal to the server's group is not for it
    )
    try:
        yield from _frames(process, data)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()


def check(data: bytes, rate: float = RATE) -> None:
    """Refuse what can be seen to be no clip before anything is decoded; see `read`."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= MAX_RATE:
        raise ParameterError(
            "The rate of frames was refused", repr(rate)[:20], f"Ask for up to {MAX_RATE:g} frames a second"
        )
    if not data:
        raise EmptyClipError("No clip was given", "0 bytes", "Upload or record one")
    if len(data) > MAX_BYTES:
        raise ClipTooLargeError(
            "The clip is too large",
            f"a file of more than {MAX_BYTES // 2**20} MiB",
            "Cut it shorter, or save it with a smaller picture",
        )
    if not is_clip(data):
        raise UnreadableClipError(
            f"The file is not a clip in the format {KINDS}", f"{len(data)} bytes", "Save it as MP4 and try again"
        )


def _frames(process: "subprocess.Popen[bytes]", data: bytes) -> Iterator[Frame]:
    threading.Thread(target=_feed, args=(process.stdin, data), name="clip", daemon=True).start()
    pipe, count = _Pipe(process.stdout), 0
    while True:
        message = pipe.message()
        if "at" not in message:
            if message.get("end") == "done" and count:
                return
            raise _refusal(message)
        size = 3 * message["width"] * message["height"]
        pixels = np.frombuffer(pipe.take(size), np.uint8).reshape(message["height"], message["width"], 3)
        count += 1
        told = message["told"]
        yield Frame(message["at"], Photo(pixels), min(1.0, message["at"] / told) if told > 0 else 0.0)


def _feed(stdin: IO[bytes] | None, data: bytes) -> None:
    if stdin:
        with suppress(OSError):  # the process has ended
            stdin.write(data)
            stdin.close()


class _Pipe:
    """What a worker says, read with a time limit; what does not come is damage."""

    def __init__(self, stdout: IO[bytes] | None):
        assert stdout is not None
        self._file, self._rest = stdout.fileno(), b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._file, selectors.EVENT_READ)

    def message(self) -> dict[str, Any]:
        """The next line of JSON; an empty one where the worker has ended."""
        while b"\n" not in self._rest:
            if len(self._rest) > LONGEST_LINE or not self._more():
                return {}
        line, _, self._rest = self._rest.partition(b"\n")
        found = json.loads(line)
        return found if isinstance(found, dict) else {}

    def take(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            UnreadableClipError: the worker ended before.
        """
        while len(self._rest) < size:
            if not self._more():
                raise _refusal({})
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _more(self) -> bool:
        until = time.monotonic() + STALL_S
        if not self._selector.select(max(0.0, until - time.monotonic())):
            return False
        part = os.read(self._file, 2**20)
        self._rest += part
        return bool(part)


def _refusal(message: dict[str, Any]) -> ClipTooLargeError | UnreadableClipError:
    """What is said of a clip that was refused, or whose decoder ended without a word."""
    received = str(message.get("received", ""))
    match message.get("end"):
        case "too_long":
            return ClipTooLargeError("The clip is too long", received, f"Cut it to {MAX_SECONDS} seconds")
        case "too_large":
            return ClipTooLargeError(
                "The clip's picture is too large", received, "Save it with 3840 x 2160 pixels or fewer"
            )
        case "too_many":
            return ClipTooLargeError("The clip has too many frames", received, "Save it with fewer frames a second")
        case "no_video":
            return UnreadableClipError(
                "No pictures were found in the clip",
                "no video track, an unknown codec, or damage",
                "Save it as MP4 (H.264) or WebM and try again",
            )
    return UnreadableClipError(
        "The clip could not be decoded", "one that is incomplete or damaged", "Save or record it again"
    )
