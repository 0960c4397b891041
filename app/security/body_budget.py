"""How large a body may be, and how many bytes of bodies all requests in progress may hold together.

Source: OWASP's Denial of Service Cheat Sheet, "limit the size of requests"; the budget of all is our own.
"""

from collections import Counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security import exchange
from app.security.refusals import BUSY, MALFORMED, PACKED, Refused, too_large
from app.security.settings import MAX_BODY

HELD = 16 * MAX_BODY
"""Bytes of bodies that all requests in progress may hold together; those of one client, a quarter of it."""


class BodyBudgetMiddleware:
    """Refuses a body that says or shows that it is too large, that is compressed, or that no longer fits.

    Args:
        app: what is protected.
        most: bytes of one body.
    """

    def __init__(self, app: ASGIApp, most: int):
        self.app, self.most, self.budget = app, most, BodyBudget()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        self.check(Headers(scope=scope))
        client, size = scope["state"]["client"], 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            more = len(message.get("body", b""))
            size += more
            fits = self.budget.hold(client, more)
            if size > self.most:
                return exchange.of(scope).refuse(too_large(self.most))
            return message if fits else exchange.of(scope).refuse(BUSY)

        try:
            await self.app(scope, counted, send)
        finally:
            self.budget.release(client, size)

    def check(self, headers: Headers) -> None:
        """Raise `Refused` where what the headers say of the body is enough to refuse it."""
        if headers.get("content-encoding", "identity") != "identity":
            raise Refused(PACKED)
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise Refused(MALFORMED)
        if len(length) > 18 or int(length) > self.most:
            raise Refused(too_large(self.most))


class BodyBudget:
    """What is held of bodies, by client."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    def hold(self, client: str, size: int) -> bool:
        """Count bytes that a client sent, and say whether they still fit."""
        self._held[client] += size
        return self._held.total() <= HELD and self._held[client] <= HELD // 4

    def release(self, client: str, size: int) -> None:
        """Forget bytes that a client's request no longer holds."""
        self._held[client] -= size
        if not self._held[client]:
            del self._held[client]
