"""The name and the password that a server can ask for.

Source: RFC 7617, the Basic scheme of HTTP, whose header every browser and client can send.
"""

import base64
import binascii
import hmac
import ipaddress

import limits
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.security.rate_limit import RateLimit
from app.security.refusals import LOCKED, METRICS, Refused
from app.security.routes import path_of
from app.security.settings import SAFE, Settings

GUESSES = limits.parse("10/minute")
"""Wrong passwords of one client."""


class AuthenticationMiddleware:
    """Refuses who does not know the name and the password, where there are any; health is open to look at.

    The metrics are for addresses that are trusted, and for who knows the password.
    """

    def __init__(self, app: ASGIApp, settings: Settings):
        self.app, self.settings, self.limit = app, settings, RateLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path, client = path_of(scope), scope["state"]["client"]
            open_to_all = path == "/health" and scope["method"] in SAFE
            counts = path.rstrip("/") == "/metrics"
            if self.settings.user and not open_to_all and not (counts and self.trusts(client)):
                await self.unlock(Headers(scope=scope).get("authorization"), client)
            elif counts and not self.trusts(client):
                raise Refused(METRICS)
        await self.app(scope, receive, send)

    def trusts(self, client: str) -> bool:
        """Whether a client, see `app.security.rate_limit.client_of`, may read the metrics."""
        try:
            network = ipaddress.ip_network(client)
        except ValueError:  # no address: a socket of this machine
            return client == "local"
        return any(network.version == other.version and network.overlaps(other) for other in self.settings.metrics)

    async def unlock(self, given: str | None, client: str) -> None:
        """Raise `Refused` where the name or the password is missing or wrong, or the client guessed too often."""
        if given is None:
            raise Refused(LOCKED)
        await self.limit.check(GUESSES, "guesses", client)
        if not is_authorized(given, self.settings.user, self.settings.password):
            await self.limit.count(GUESSES, "guesses", client)
            raise Refused(LOCKED)


def is_authorized(given: str, user: str, password: str) -> bool:
    """Whether an Authorization header holds this name and password; takes equally long whichever is wrong."""
    scheme, _, coded = given.partition(" ")
    try:
        received = base64.b64decode(coded.strip(), validate=True)
    except (binascii.Error, ValueError):
        received = b""
    name, _, secret = received.partition(b":")
    right = hmac.compare_digest(name, user.encode()) & hmac.compare_digest(secret, password.encode())
    return scheme.lower() == "basic" and right
