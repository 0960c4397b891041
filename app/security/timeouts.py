"""How long a client may take.

Source: OWASP's Denial of Service Cheat Sheet on slow HTTP attacks (slowloris, R-U-Dead-Yet).
"""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security import exchange
from app.security.refusals import SLOW

IDLE_TIMEOUT_S = 20.0
"""Seconds without a byte of a body after which it is given up."""
BODY_TIMEOUT_S = 30.0
SLOWEST_RATE = 16 * 1024
"""A body may take `BODY_TIMEOUT_S` seconds and one more for each `SLOWEST_RATE` bytes of it that came."""
LINGER_S = 2.0
"""Seconds in which the rest of a refused body is read, so that its sender sees the answer and no broken connection."""
UNREAD_TIMEOUT_S = 60.0
"""Seconds that an answer waits for its client to read on."""


class BodyTimeoutMiddleware:
    """Refuses a body that stalls or drips."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        began, size = time.monotonic(), 0

        async def timed() -> Message:
            nonlocal size
            if exchange.of(scope).complete:
                return await receive()
            left = began + BODY_TIMEOUT_S + size / SLOWEST_RATE - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, min(IDLE_TIMEOUT_S, left)))
            except TimeoutError:
                return exchange.of(scope).refuse(SLOW)
            size += len(message.get("body", b""))
            return message

        await self.app(scope, timed, send)
