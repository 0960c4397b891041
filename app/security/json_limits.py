"""How much JSON a request may hold, in bytes and in structure, before anything parses it.

A parser makes an object of every value, and what validates the objects takes far longer than what parses them: a
megabyte of `[],[],` held the event loop for seconds. Source: the limits of nesting and of nodes that OWASP's REST
Security Cheat Sheet asks for; the count is our own, because no parser at hand has them.
"""

import re
from functools import partial

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security import exchange
from app.security.refusals import Refusal
from app.security.routes import seen_by_routes

SMALL = 64 * 2**10
"""Bytes of a body that may hold no picture."""
FRAME = 512 * 2**10
"""Bytes of a body that holds a frame of the live camera: one of 640 x 480 pixels has 50 to 150 KiB in base64."""
NODES = 10_000
"""Values that a body may hold, of any kind; a request of the page, REST or MCP has some hundred."""
DEPTH = 64
"""Lists and objects within each other."""
SLICE = 2**18
"""Bytes that are looked at in one go: the event loop has its turn in between, whichever thread looks."""
NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
FORMS = re.compile(r"/(predict|predict/batch|gradio_api/upload)/?")
"""Routes that take pictures as files, unless they are sent JSON."""
PICTURES = re.compile(r"/predict/?|/api/v1/.+|/gradio_api/mcp(/.*)?")
"""Routes that take pictures in JSON."""
FRAMES = re.compile(r"/gradio_api/stream/[^/]+/?")
"""The route that takes a frame."""
TOO_LONG = Refusal(
    413,
    "RequestTooLarge",
    f"The request is too large: over {SMALL // 1024} KiB where no picture belongs, or {FRAME // 1024} for a frame",
    "Upload the picture first, and send what that answers",
)
TOO_MANY = Refusal(
    413,
    "RequestTooLarge",
    f"The request holds too many values, over {NODES}, or nests them too deeply, over {DEPTH}",
    "Send what the endpoint's description says; the endpoints are described at /docs",
)


class JSONLimitMiddleware:
    """Refuses a body that is long where no picture belongs, and JSON of too many values.

    Args:
        app: what is protected.
        root_path: see `app.security.routes.RouteMiddleware`.
    """

    def __init__(self, app: ASGIApp, root_path: str = ""):
        self.app, self.root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = seen_by_routes(scope["path"], self.root_path)
        headers = Headers(scope=scope)
        sends_json = headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        if FORMS.fullmatch(path) and not sends_json:
            return await self.app(scope, receive, send)
        most = None if PICTURES.fullmatch(path) else FRAME if FRAMES.fullmatch(path) else SMALL
        length = headers.get("content-length", "0")
        if most and int(length) > most:
            raise TOO_LONG
        checked = False

        async def whole() -> Message:
            nonlocal checked
            if checked:
                return await receive()
            checked = True
            return await self._whole(scope, receive, most)

        await self.app(scope, whole, send)

    async def _whole(self, scope: Scope, receive: Receive, most: int | None) -> Message:
        """The whole body in one message, once it was found to be within the limits."""
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return message
            parts.append(message.get("body", b""))
            size, more = size + len(parts[-1]), message.get("more_body", False)
            if most and size > most:
                return exchange.of(scope).refuse(TOO_LONG)
        body = b"".join(parts)
        fits = within_limits(body) if size <= SMALL else await to_thread.run_sync(partial(within_limits, body))
        return {"type": "http.request", "body": body} if fits else exchange.of(scope).refuse(TOO_MANY)


def within_limits(body: bytes) -> bool:
    """Whether JSON holds no more than `NODES` values, and none deeper than `DEPTH`.

    What is not JSON is counted as if it were; a parser will say so. Text is skipped by searching for its end, so
    that a picture in base64 costs next to nothing, and what the search has to stop at counts as a value.
    """
    values = depth = at = 0
    while at < len(body):
        begins = body.find(b'"', at, at + SLICE)
        between = body[at : begins if begins >= 0 else at + SLICE]
        values += between.count(b",") + between.count(b"[") + between.count(b"{")
        if values > NODES:
            return False
        for sign in between.translate(None, NO_BRACKETS):
            depth += 1 if sign in b"[{" else -1
            if depth > DEPTH:
                return False
        if begins < 0:
            at += SLICE
            continue
        at = begins + 1
        while True:
            ends = body.find(b'"', at)
            if ends < 0:
                return True
            text = body[at:ends]
            escaped = (len(text) - len(text.rstrip(b"\\"))) % 2
            at = ends + 1
            if not escaped:
                break
            values += 1
            if values > NODES:
                return False
        values += 1
    return True
