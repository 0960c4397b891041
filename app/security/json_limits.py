"""How much JSON a request may hold, in bytes and in structure, before anything parses it.

A parser makes an object of every value, and what validates the objects takes far longer than what parses them: a
megabyte of `[],[],` held the event loop for seconds. Source: the limits of nesting and of nodes that OWASP's REST
Security Cheat Sheet asks for; the count is our own, because no parser at hand has them. It counts bytes, so it is right
for UTF-8 alone, which RFC 8259 asks for; Python's parser would read UTF-16 and UTF-32 as well.
"""

import codecs
import re
from collections.abc import Iterator
from functools import partial

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security import exchange
from app.security.refusals import MALFORMED, Refusal, Refused
from app.security.routes import path_of

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
SIGNS = b'[]{},"'
"""What begins, ends or divides values."""
NO_SIGNS = bytes(sorted(set(range(256)) - set(SIGNS)))
DEEPER = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
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
NOT_UTF8 = Refusal(400, "BadRequest", "The request holds a null byte or is not written in UTF-8", "Send JSON in UTF-8")


class JSONLimitMiddleware:
    """Refuses a body that is long where no picture belongs, JSON of too many values, and JSON that is not UTF-8."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path, headers = path_of(scope), Headers(scope=scope)
        sends_json = headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        if FORMS.fullmatch(path) and not sends_json:
            return await self.app(scope, receive, send)
        most = None if PICTURES.fullmatch(path) else FRAME if FRAMES.fullmatch(path) else SMALL
        length = headers.get("content-length", "0")
        if most and int(length) > most:
            raise Refused(TOO_LONG)
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
        fault = fault_of(body) if size <= SMALL else await to_thread.run_sync(partial(fault_of, body))
        return exchange.of(scope).refuse(fault) if fault else {"type": "http.request", "body": body}


def fault_of(body: bytes) -> Refusal | None:
    """Why JSON is refused: it is not UTF-8, or holds more than `NODES` values or one deeper than `DEPTH`; else None.

    Where a parser would find that it is no JSON, the count is right up to that place. What closes more than was opened
    ends it there.
    """
    if not is_utf8(body):
        return NOT_UTF8
    values = depth = 0
    for signs in structure(body):
        values += signs.count(b",") + signs.count(b"[") + signs.count(b"{") + signs.count(b'"')
        if values > NODES:
            return TOO_MANY
        for sign in signs:
            depth += DEEPER.get(sign, 0)
            if depth > DEPTH:
                return TOO_MANY
            if depth < 0:
                return MALFORMED
    return None


def is_utf8(body: bytes) -> bool:
    """Whether bytes are UTF-8 and hold no null byte, which JSON never does."""
    if b"\0" in body:
        return False
    if body.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(body), SLICE):
            decoder.decode(body[at : at + SLICE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def structure(body: bytes) -> Iterator[bytes]:
    """The `SIGNS` of JSON in their order: all outside of texts, a quote for each text, and those that it escapes.

    Text is skipped by searching for its end, so that a picture in base64 costs next to nothing.
    """
    at, in_text = 0, False
    while at < len(body):
        quote = body.find(b'"', at, len(body) if in_text else at + SLICE)
        end = quote + 1 if quote >= 0 else len(body) if in_text else at + SLICE
        if not in_text:
            yield body[at:end].translate(None, NO_SIGNS)
            in_text = quote >= 0
        elif ends_in_escape(body[at : end - 1]):
            yield b'"'
        else:
            in_text = False
        at = end


def ends_in_escape(text: bytes) -> bool:
    """Whether a quote behind this text is a part of it, because a backslash stands before it that none escapes."""
    return text.endswith(b"\\") and (len(text) - len(text.rstrip(b"\\"))) % 2 == 1
