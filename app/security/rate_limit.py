"""How often one client may ask, and whom a limit counts for.

Source: the fixed windows of https://limits.readthedocs.io/; X-Forwarded-For as MDN says to read it, from the right
and no further than the trusted proxies reach.
"""

import ipaddress
import re
import time

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.security.refusals import Refusal, Refused, too_often
from app.security.routes import path_of
from app.security.settings import SAFE, Settings

READING = 20
"""Requests that only read may come this many times as often as those that compute."""
FRAMES = "/gradio_api/stream/"
"""Frames of live cameras count like what reads: ten a second come of each; `app.serving.seats` says whose are read."""
UNCOUNTED = re.compile(r"/(health|metrics|favicon\.ico)|/(assets|static)/.+")


class RateLimitMiddleware:
    """Refuses what comes too often, and notes in the scope's state who the client is.

    The addresses of clients stay in memory for as long as their limit counts.

    Args:
        app: what is protected.
        settings: rates, and how many proxies are trusted.
    """

    def __init__(self, app: ASGIApp, settings: Settings):
        self.app, self.settings, self.limit = app, settings, RateLimit()
        self.reading = tuple(type(rate)(rate.amount * READING, rate.multiples) for rate in settings.rates)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            client = client_of(scope, Headers(scope=scope), self.settings.trusted_proxies)
            scope = {**scope, "state": {**scope.get("state", {}), "client": client}}
            path = path_of(scope)
            if not UNCOUNTED.fullmatch(path):
                safe = scope["method"] in SAFE or path.startswith(FRAMES)
                for rate in self.reading if safe else self.settings.rates:
                    await self.limit.count(rate, "reading" if safe else "computing", client)
        await self.app(scope, receive, send)


class RateLimit:
    """Counts what clients do, in windows of time."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, rate: limits.RateLimitItem, kind: str, client: str) -> None:
        """Count what a client did.

        Raises:
            Refused: the client did it too often.
        """
        if not await self._limiter.hit(rate, kind, client):
            raise Refused(await self._refusal(rate, kind, client))

    async def check(self, rate: limits.RateLimitItem, kind: str, client: str) -> None:
        """Look whether a client may do something once more, and count nothing.

        Raises:
            Refused: it would be too often.
        """
        if not await self._limiter.test(rate, kind, client):
            raise Refused(await self._refusal(rate, kind, client))

    async def _refusal(self, rate: limits.RateLimitItem, kind: str, client: str) -> Refusal:
        return too_often((await self._limiter.get_window_stats(rate, kind, client)).reset_time - time.time())


def client_of(scope: Scope, headers: Headers, proxies: int) -> str:
    """Whom a limit counts for: an IPv4 address, or the network of an IPv6 one, which a household has to itself."""
    found = (scope.get("client") or ("local",))[0]
    if proxies:
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        found = hops[-min(proxies, len(hops))] if hops else found
    found = re.sub(r"^\[(.*)\](:\d+)?$|^([\d.]+):\d+$", r"\1\3", found)
    try:
        address = ipaddress.ip_address(found.partition("%")[0])
    except ValueError:
        return "local" if found == "local" else (scope.get("client") or ("local",))[0]
    if address.version == 6 and not address.ipv4_mapped:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(getattr(address, "ipv4_mapped", None) or address)
