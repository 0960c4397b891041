"""Under which names this server may be asked for, and what a proxy may say of a request.

Against DNS rebinding: a stranger's name that suddenly leads to this machine makes his page the same site as ours.
Source: OWASP's Web Security Testing Guide on Host header injection; names are compared as Django's ALLOWED_HOSTS are.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.security.refusals import UNKNOWN_HOST, Refused
from app.security.settings import Settings

OF_PROXIES = (b"x-forwarded-", b"x-real-ip", b"forwarded")


class HostMiddleware:
    """Refuses a request to an unknown name, and drops what only a proxy may say where none is trusted.

    Args:
        app: what is protected.
        settings: names, where there are any, and how many proxies are trusted.
    """

    def __init__(self, app: ASGIApp, settings: Settings):
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if not self.settings.trusted_proxies:
                kept = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(OF_PROXIES)]
                scope = {**scope, "headers": kept}
            if self.settings.hosts and not is_known(asked_host(Headers(scope=scope)), self.settings.hosts):
                raise Refused(UNKNOWN_HOST)
        await self.app(scope, receive, send)


def asked_host(headers: Headers) -> str:
    """The name that a request is for, without its port; a proxy that is trusted says what it was asked for."""
    given = headers.get("x-forwarded-host", headers.get("host", "")).rpartition(",")[2].strip()
    try:
        return urlsplit(f"//{given}").hostname or "" if "@" not in given else ""
    except ValueError:
        return ""


def is_known(name: str, hosts: tuple[str, ...]) -> bool:
    """Whether a name is one of these, or lies below one that begins with a dot."""
    name = name.rstrip(".")
    return any(name == host or (host.startswith(".") and name.endswith(host)) for host in hosts)
