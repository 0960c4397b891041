"""Requests that a browser sends on behalf of another site's page.

Source: Filippo Valsorda, https://words.filippo.io/csrf/, as datasette's csrf.py does it: no tokens, but what
browsers themselves say of where a request comes from.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.security.refusals import Refused, foreign
from app.security.settings import ORIGIN, SAFE


class CrossOriginMiddleware:
    """Refuses what pages of other sites send, unless their origin is listed.

    Args:
        app: what is protected.
        origins: that may send, in lower case.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]):
        self.app, self.origins = app, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" and scope["method"] not in SAFE else Headers()
        if is_foreign(headers, self.origins):
            raise Refused(foreign(readable_by(headers)))
        await self.app(scope, receive, send)


def is_foreign(headers: Headers, origins: tuple[str, ...]) -> bool:
    """Whether a browser sends this on behalf of another site's page.

    A page cannot write Sec-Fetch-Site or Origin itself; X-Forwarded-Host is here only where a proxy is trusted, see
    `app.security.hosts`.
    The scheme is not compared: behind a proxy that ends TLS it differs.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin is None:
        return site in ("cross-site", "same-site")
    if site == "same-origin" or origin.lower() in origins:
        return False
    own = {_host(f"//{headers.get(name, '').split(',')[0].strip()}") for name in ("host", "x-forwarded-host")}
    return _host(origin) not in own - {""}


def readable_by(headers: Headers) -> tuple[tuple[str, str], ...]:
    """The headers with which the script that sent a request may read its answer; none where no page sent it."""
    origin = headers.get("origin", "")
    return (("Access-Control-Allow-Origin", origin), ("Vary", "Origin")) if ORIGIN.fullmatch(origin.lower()) else ()


def _host(address: str) -> str:
    """Host and port of an address, without the ports that are not shown; empty where it has none."""
    try:
        parts = urlsplit(address.lower())
        port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
        return f"{parts.hostname}{port}" if parts.hostname else ""
    except ValueError:
        return ""
