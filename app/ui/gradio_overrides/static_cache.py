"""Keeps the files that the page is made of as they were first answered.

A page of Gradio is a hundred scripts and styles, and each visitor's first view asks for them all. To open, read and
compress them anew took two fifths of what a view takes of the server's processor.
"""

import posixpath
import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security.routes import path_of

STATIC = re.compile(r"/(assets|static)/.+", re.DOTALL)
"""What Gradio ships and no visitor changes."""
ROOM = 16 * 2**20
"""Bytes of all that is kept; a page takes one or two MiB."""
DIFFERENT = ("range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")
"""Headers of a request that ask for another answer than the whole file."""


@dataclass(frozen=True)
class Kept:
    """A whole answer.

    Attributes:
        headers: as ASGI sends them.
        body: in the coding that the headers name.
        route: what the request took, for those who count by it.
    """

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    route: Any


class StaticCacheMiddleware:
    """Answers again what was answered before to a request for the same file in the same codings.

    Args:
        app: what answers at first.
        room: bytes that may be kept; what comes when they are taken is answered by `app` each time.
    """

    def __init__(self, app: ASGIApp, room: int = ROOM):
        self.app, self._room = app, room
        self._kept: dict[Hashable, Kept] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = key_of(scope)
        if key is None:
            await self.app(scope, receive, send)
        elif key in self._kept:
            await self._again(self._kept[key], scope, send)
        else:
            await self._first(key, scope, receive, send)

    async def _again(self, kept: Kept, scope: Scope, send: Send) -> None:
        scope["route"] = kept.route
        await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers)})
        await send({"type": "http.response.body", "body": kept.body})

    async def _first(self, key: Hashable, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        parts: list[bytes] = []
        whole = False

        async def noted(message: Message) -> None:
            nonlocal start, whole
            if message["type"] == "http.response.start":
                start = {**message, "headers": tuple(message["headers"])}
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                whole = not message.get("more_body", False)
            await send(message)

        await self.app(scope, receive, noted)
        size = sum(map(len, parts))
        if whole and start["status"] == 200 and size <= self._room and key not in self._kept:  # asked for at once
            self._room -= size
            self._kept[key] = Kept(start["headers"], b"".join(parts), scope.get("route"))


def key_of(scope: Scope) -> Hashable:
    """What tells one answer from another; None where it depends on more than the file and the codings."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return None
    path, headers = path_of(scope), Headers(scope=scope)
    if not STATIC.fullmatch(path) or path != posixpath.normpath(path) or any(name in headers for name in DIFFERENT):
        return None
    codings = headers.get("accept-encoding", "")
    return path, "br" in codings, "gzip" in codings
