"""Clips that are none or say what is not so, and paths in the place of a clip."""

import random
import struct
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.app.api.hostile.pictures import encoded, flipped
from tests.app.api.hostile.visitor import EITHER, META, READ, REFUSED, Case, meant
from tests.models.test_clip import film


@cache
def good_clip() -> bytes:
    """An MP4 of a second without a face."""
    with tempfile.TemporaryDirectory() as folder:
        return film(Path(folder) / "film.mp4", times=(0, 250, 500, 750))


def lasting(data: bytes, length: int) -> bytes:
    """A clip whose head says that it lasts so long, in its own units."""
    at = data.index(b"mvhd") + 20
    return data[:at] + struct.pack(">I", length) + data[at + 4 :]


def clips() -> dict[str, tuple[bytes, frozenset[int]]]:
    """What may be uploaded as a clip, and what is said to it."""
    good = good_clip()
    return {
        "a clip": (good, READ),
        "nothing": (b"", REFUSED),
        "a picture": (encoded("PNG"), REFUSED),
        "a picture in a clip's box": (encoded("AVIF"), EITHER),
        "text": (b"ftyp" * 50, REFUSED),
        "a box and noise": (good[:32] + random.Random(1).randbytes(5000), REFUSED),
        "half": (good[: len(good) // 2], REFUSED),
        "flipped bits": (flipped(good, 2), EITHER),
        "ten hours": (lasting(good, 36_000_000), EITHER),
        "a box of 2^64 bytes": (good[:32] + b"\0\0\0\x01moov" + b"\xff" * 8 + good[32:], REFUSED),
        "a thousand boxes in each other": (b"\0\0\0\x08ftyp" + b"\0\0\x20\0moov" * 1000, REFUSED),
        "only Matroska's head": (b"\x1aE\xdf\xa3" + b"\x01" + b"\xff" * 7, REFUSED),
        "only AVI's head": (b"RIFF\xff\xff\xff\xffAVI LIST" + b"\xff" * 64, REFUSED),
        "a playlist of a file": (b"#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", REFUSED),
        "a list of addresses": (b"ffconcat version 1.0\nfile http://169.254.169.254/a.mp4\n", REFUSED),
    }


def cases() -> Iterable[Case]:
    """Each clip to the tab and to the REST API, and each path to every interface that takes a clip."""
    for name, (data, allowed) in clips().items():
        yield Case(name, "the tab Clips", lambda visitor, data=data: visitor.clip(data), allowed)
        yield Case(name, "/api/v1/video", lambda visitor, data=data: visitor.coded_clip(data), allowed)
    for name in ("a.m3u8", "../../a.sh"):
        yield Case(
            f"a clip called {name}", "the tab Clips", lambda visitor, name=name: visitor.clip(good_clip(), name), READ
        )
    for path in ("SECRET", "LINK", "/etc/passwd", "http://127.0.0.1:1/a.mp4", "concat:/etc/passwd", "FOLDER"):
        for interface, send in {
            "call": lambda visitor, said: visitor.call("video", {"path": said, **META}),
            "join": lambda visitor, said: visitor.join("read_clip", None, None, 1, {"path": said, **META}, "cnn"),
            "/api/v1/video": lambda visitor, said: visitor.v1("video", video=said),
            "mcp": lambda visitor, said: visitor.tool("video", video=said),
        }.items():
            allowed = EITHER if interface == "join" else REFUSED
            yield Case(
                f"{path} as a clip",
                interface,
                lambda visitor, path=path, send=send: send(visitor, meant(visitor, path)),
                allowed,
            )
