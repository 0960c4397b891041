"""What stands in front of the whole server: who may ask, how much, how often, and what an answer lets a browser do.

Pure ASGI, so that it holds for the REST routes, the page, its API and the MCP server alike. Nothing of a
request is logged, and the addresses of clients stay in memory for as long as their limit counts.
"""

import asyncio
import logging
import time
import traceback
from contextlib import suppress

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from secure.middleware import SecureASGIMiddleware
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security import timeouts
from app.security.authentication import is_authorized
from app.security.body_budget import BodyBudget
from app.security.closed_routes import CLOSED, FETCHING, GRADIO, NONSENSE
from app.security.csrf import is_foreign
from app.security.headers import limit_caching, security_headers
from app.security.rate_limit import GUESSES, READING, UNCOUNTED, client_of
from app.security.refusals import (
    BUSY,
    FOREIGN,
    LOCKED,
    MALFORMED,
    NOTHING_HERE,
    PACKED,
    SLOW,
    UNEXPECTED,
    Refusal,
    too_large,
    too_often,
)
from app.security.settings import Settings

log = logging.getLogger(__name__)

TALKATIVE = ("mcp", "python_multipart", "sse_starlette")
"""Libraries that log what a request held."""

SAFE = ("GET", "HEAD", "OPTIONS")


def protect(app: ASGIApp, settings: Settings) -> ASGIApp:
    """A server behind its protection.

    Args:
        app: everything that is served.
        settings: see `Settings.from_env`.
    """
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    shared = CORSMiddleware(
        Gate(app, settings),
        allow_origins=settings.origins,
        allow_methods=("GET", "POST"),
        allow_headers=("*",),
        allow_credentials=True,
        expose_headers=("Retry-After",),
    )
    return SecureASGIMiddleware(shared, secure=security_headers(settings))


class Gate:
    """Lets a request through to the app, or answers it."""

    def __init__(self, app: ASGIApp, settings: Settings):
        self.app, self.settings = app, settings
        self.limiter = FixedWindowRateLimiter(MemoryStorage())
        self.reading = tuple(type(rate)(rate.amount * READING, rate.multiples) for rate in settings.rates)
        self.body_budget = BodyBudget()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":  # Gradio has no websocket
            return await send({"type": "websocket.close", "code": 1008})
        exchange = Exchange(self, scope, receive, send)
        try:
            exchange.client = await self.admit(scope, Headers(scope=scope))
            scope["state"] = {**scope.get("state", {}), "client": exchange.client}  # for `app.serving.admission`
            await self.app(scope, exchange.receive, exchange.send)
        except Refusal as refusal:
            exchange.refusal = refusal
        except Exception as error:
            if exchange.refusal in (None, UNEXPECTED) and not isinstance(error, ClientDisconnect):
                puzzled = isinstance(error, NONSENSE) and GRADIO.match(scope["path"])
                exchange.refusal = MALFORMED if puzzled else UNEXPECTED
                frames = "".join(traceback.format_tb(error.__traceback__))
                log.error("%s\n%s", type(error).__name__, frames)  # its message could name a visitor's file
        finally:
            exchange.give_back()
        await exchange.close()

    async def admit(self, scope: Scope, headers: Headers) -> str:
        """Everything that is known before the body comes.

        Returns:
            Who asks, as far as is known.

        Raises:
            Refusal: the request goes no further.
        """
        path, safe = scope["path"], scope["method"] in SAFE
        if not safe and is_foreign(headers, self.settings.origins):
            raise FOREIGN
        client = client_of(scope, headers, self.settings.trusted_proxies)
        if not path.startswith(UNCOUNTED):
            await self.count(self.reading if safe else self.settings.rates, "reading" if safe else "computing", client)
        if self.settings.user and not (path == "/health" and safe):
            await self.unlock(headers, client)
        if path.startswith(CLOSED) or FETCHING.match(path):
            raise NOTHING_HERE
        if headers.get("content-encoding", "identity") != "identity":
            raise PACKED
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise MALFORMED
        if len(length) > 18 or int(length) > self.settings.max_body:
            raise too_large(self.settings.max_body)
        return client

    async def count(self, rates: tuple[limits.RateLimitItem, ...], kind: str, client: str) -> None:
        for rate in rates:
            if not await self.limiter.hit(rate, kind, client):
                raise too_often((await self.limiter.get_window_stats(rate, kind, client)).reset_time - time.time())

    async def unlock(self, headers: Headers, client: str) -> None:
        given = headers.get("authorization")
        if given is None:
            raise LOCKED
        if not await self.limiter.test(GUESSES, "guesses", client):
            raise too_often((await self.limiter.get_window_stats(GUESSES, "guesses", client)).reset_time - time.time())
        if not is_authorized(given, self.settings.user, self.settings.password):
            await self.limiter.hit(GUESSES, "guesses", client)
            raise LOCKED


class Exchange:
    """One request and its answer, as the app sees them.

    Attributes:
        refusal: what is answered instead of what the app says; from then on the app hears that the client is gone.
        size: bytes of the body that have come.
    """

    def __init__(self, gate: Gate, scope: Scope, receive: Receive, send: Send):
        self._gate, self._scope, self._receive, self._send = gate, scope, receive, send
        self._began, self._complete, self._answered = time.monotonic(), False, False
        self.refusal: Refusal | None = None
        self.client, self.size = "", 0

    async def receive(self) -> Message:
        """The next part of the body; one that is too large or too slow ends here."""
        if self.refusal:
            return {"type": "http.disconnect"}
        if self._complete:
            return await self._receive()
        left = self._began + timeouts.BODY_TIMEOUT_S + self.size / timeouts.SLOWEST_RATE - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, min(timeouts.IDLE_TIMEOUT_S, left)))
        except TimeoutError:
            return self._give_up(SLOW)
        self._complete = message["type"] != "http.request" or not message.get("more_body")
        more = len(message.get("body", b""))
        self.size += more
        fits = self._gate.body_budget.hold(self.client, more)
        if self.size > self._gate.settings.max_body:
            return self._give_up(too_large(self._gate.settings.max_body))
        if not fits:
            return self._give_up(BUSY)
        return message

    def give_back(self) -> None:
        """Hold nothing of the body any longer."""
        self._gate.body_budget.release(self.client, self.size)

    def _give_up(self, refusal: Refusal) -> Message:
        self.refusal = refusal
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The app's answer, unless the request was refused meanwhile."""
        if message["type"] == "http.response.start" and not self.refusal:
            headers = MutableHeaders(scope=message)
            if message["status"] == 500 and not headers.get("content-type", "").startswith("application/json"):
                self.refusal = UNEXPECTED
            for name in [name for name in headers if name.lower().startswith("access-control-")]:
                del headers[name]  # Gradio gives them to any site
            limit_caching(headers, self._scope["path"], message["status"], bool(self._gate.settings.user))
            self._answered = not self.refusal
        if self._answered:
            await self._send(message)

    async def close(self) -> None:
        """Answer a refused request; what is still coming of its body is read and dropped for a while."""
        if self.refusal is None or self._answered:
            return
        body = self.refusal.body(self._scope["path"])
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        unread = not self._complete and self._scope["method"] not in SAFE
        headers += [*self.refusal.headers, *([("Connection", "close")] if unread else [])]
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        await self._send({"type": "http.response.start", "status": self.refusal.status, "headers": raw})
        said = b"" if self._scope["method"] == "HEAD" else body
        await self._send({"type": "http.response.body", "body": said, "more_body": unread})
        if unread:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeouts.LINGER_S):
                    while (await self._receive()).get("more_body"):
                        pass
            await self._send({"type": "http.response.body", "body": b""})
