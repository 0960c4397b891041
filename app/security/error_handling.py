"""The outermost middleware of ours: whatever is refused or fails is answered in one shape, and nothing leaks.

Source: Starlette's ServerErrorMiddleware, which also stands outermost, but answers and logs what was raised.
"""

import asyncio
import logging
import traceback
from contextlib import suppress
from enum import Enum, auto

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from app.security import timeouts
from app.security.exchange import KEY, Exchange
from app.security.refusals import MALFORMED, UNEXPECTED, Refusal, Refused
from app.security.routes import GRADIO, path_of
from app.security.settings import SAFE

log = logging.getLogger(__name__)

TALKATIVE = ("mcp", "python_multipart", "sse_starlette")
"""Libraries that log what a request held."""
NONSENSE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What Gradio's routes raise for a request that its page never sends; what our functions raise ends before."""


class Failure(Enum):
    """What an exception means for the request that it ends."""

    CUT_SHORT = auto()
    """Gradio refuses in the middle of its answer: a stream of a session that it does not know."""
    KNOWN = auto()
    """The request was refused while its body came, or its client left: nothing is to be said."""
    UNREADABLE = auto()
    """Gradio's routes do not understand the request."""
    ACCIDENT = auto()


class ErrorHandlingMiddleware:
    """Answers what the middlewares behind it refuse, and what fails; the log gets no message of an accident."""

    def __init__(self, app: ASGIApp):
        self.app = app
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":  # Gradio has no websocket
            return await send({"type": "websocket.close", "code": 1008})
        exchange = Exchange(receive, send)
        try:
            await self.app({**scope, KEY: exchange}, exchange.receive, exchange.send)
        except Refused as refused:
            exchange.refuse(refused.refusal)
        except Exception as error:
            match classify(error, exchange, path_of(scope)):
                case Failure.CUT_SHORT:
                    log.info(
                        "Gradio refuses in the middle of an answer: %s", getattr(error.__cause__, "status_code", None)
                    )
                    if not exchange.ended:  # the answer says so and has no end
                        await send({"type": "http.response.body", "body": b""})
                case Failure.UNREADABLE:
                    exchange.refusal = MALFORMED
                    log.info("Gradio cannot read a request: %s", type(error).__name__)
                case Failure.ACCIDENT:
                    exchange.refusal = UNEXPECTED
                    frames = "".join(traceback.format_tb(error.__traceback__))
                    log.error("%s\n%s", type(error).__name__, frames)  # its message could name a visitor's file
        if exchange.refusal and not exchange.answered:
            await answer(exchange.refusal, exchange.complete, scope, receive, send)


def classify(error: Exception, exchange: Exchange, path: str) -> Failure:
    """What an exception means for its request, whose path is as routes match it."""
    if exchange.answered and isinstance(error.__cause__, HTTPException):
        return Failure.CUT_SHORT
    if exchange.refusal not in (None, UNEXPECTED):
        return Failure.KNOWN
    if isinstance(error, NONSENSE) and GRADIO.match(path):
        return Failure.UNREADABLE
    return Failure.KNOWN if isinstance(error, ClientDisconnect) else Failure.ACCIDENT


async def answer(refusal: Refusal, complete: bool, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a refused request; what is still coming of its body, if it is not complete, is dropped for a while."""
    body = refusal.body(path_of(scope))
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    unread = not complete and scope["method"] not in SAFE
    headers += [*refusal.headers, *([("Connection", "close")] if unread else [])]
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    said = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": said, "more_body": unread})
    if unread:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeouts.LINGER_S):
                while (await receive()).get("more_body"):
                    pass
        await send({"type": "http.response.body", "body": b""})
