"""Decodes one clip in a process of its own, which can crash, hang or run out of memory without harm to any other.

Run by `models.clip` as `python -I clip_worker.py REQUEST`, with the request as JSON and the clip on standard input.
What is found goes to standard output: lines of JSON, each frame's followed by its pixels. Before it looks at the clip
it gives up the right to open any file or connection, so that whatever a clip names stays closed to it.
"""

import io
import json
import os
import sys
from typing import Any

import cv2

DATA = 640 * 2**20
"""Bytes of memory that decoding may take."""
CPU_S = 90
"""Seconds of processor time that it may take."""
STREAMS = 3
"""Open files that are left: input, output and the one for errors."""


def say(message: dict[str, Any], pixels: bytes = b"") -> None:
    """Send a message, and the pixels that belong to it."""
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n" + pixels)
    sys.stdout.buffer.flush()


def confine() -> None:
    """Give up what decoding does not need, where the system can take it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (DATA, DATA))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (STREAMS, STREAMS))
    os.nice(5)


def decode(data: bytes, seconds: float, pixels: int, frames: int, side: int, every: float) -> None:
    """Send the sampled frames of a clip, then that it ended, or why it is refused.

    Args:
        data: the clip.
        seconds, pixels, frames: the most of each.
        side: the longer side in pixels of what is sent.
        every: seconds from one sampled frame to the next.
    """
    video = cv2.VideoCapture(io.BytesIO(data), cv2.CAP_FFMPEG, [])  # type: ignore[call-overload]  # any buffer does
    if not video.isOpened():
        return say({"end": "no_video"})
    width, height = (int(video.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > pixels:
        return say({"end": "too_large", "received": f"{width} x {height} pixels"})
    rate, count = video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)
    told = count / rate if rate > 0 and 0 < count < 1e9 else 0.0
    if rate < 200 and told > 1.5 * seconds:
        return say({"end": "too_long", "received": f"{told:.0f} seconds"})
    number, first, following = 0, None, 0.0
    while video.grab():
        number += 1
        at = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        first = at if first is None else first
        at -= first
        if number > frames:
            return say({"end": "too_many", "received": f"over {frames} frames"})
        if at > seconds + 0.05:
            return say({"end": "too_long", "received": f"over {seconds:g} seconds"})
        if at < following - 1e-3:
            continue
        found, picture = video.retrieve()
        if not found or picture.ndim != 3:
            continue
        zoom = min(1.0, side / max(picture.shape[:2]))
        if zoom < 1:
            picture = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        high, wide = picture.shape[:2]
        say({"at": round(at, 4), "width": wide, "height": high, "told": round(told, 2)}, picture.tobytes())
        following = max(following + every, at + every / 2)
    say({"end": "done" if number else "damaged"})


def main() -> None:
    """Decode what stands on standard input."""
    asked = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    confine()
    decode(data, **asked)


if __name__ == "__main__":
    main()
