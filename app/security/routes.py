"""Which routes are open: a list of what the page, its clients, REST and MCP need; everything else is not there.

Source: OWASP's Input Validation Cheat Sheet, "allow-list over deny-list"; the names are those of Gradio's
`gradio.routes.App.create_app`, where much writes files, fetches addresses or calls functions of components.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from app.security.refusals import NOTHING_HERE, Refused

GRADIO = re.compile(r"/($|config|gradio_api/)")
REST = (
    r"/(health|metrics|emotions|models|predict|predict/batch|openapi\.json)",
    r"/(docs|docs/oauth2-redirect|redoc|redoc\.js|static-offline-docs/.+)",
    r"/api(/.*)?",  # says itself what is not there
)
PAGE = (
    r"/(|config/?|favicon\.ico|manifest\.json|robots\.txt|theme\.css|(assets|static|svelte|pwa_icon)/.+)",
    r"/gradio_api/(app_id|cancel|info|login_check|openapi\.json|reset|startup-events|theme\.css|token|user)/?",
    r"/gradio_api/(queue/(join|data)|upload|upload_progress)/?",
    r"/gradio_api/(heartbeat|run|api|call|call/v2)/[^/]+/?",
    r"/gradio_api/call/[^/]+/[^/]+",
    r"/gradio_api/stream/[^/]+(/close)?",
    r"/gradio_api/mcp(/.*)?",
    r"/gradio_api/file=.+",
)
OPEN = re.compile("|".join(REST + PAGE), re.DOTALL)
KEY = "facewhy.path"
FETCHING = re.compile(r"/gradio_api/file=(.*(://|%|\0)|data:|[/\\]{2})", re.DOTALL)
"""Gradio would fetch an address that is named as a file; no upload's path looks like these."""


class RoutePathMiddleware:
    """Notes in the scope which path routes will match, for all that stand behind it; `path_of` finds it there.

    Routes learn the root path, too, so that they match whether the proxy takes it off or passes it on.

    Args:
        app: what stands behind it.
        root_path: the path under which a proxy serves the page, see `seen_by_routes`.
    """

    def __init__(self, app: ASGIApp, root_path: str):
        self.app, self.root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = seen_by_routes(scope["path"], self.root_path)
            scope = {**scope, "root_path": self.root_path, KEY: path}
        await self.app(scope, receive, send)


class RouteMiddleware:
    """Refuses what goes to no open route."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (not OPEN.fullmatch(path_of(scope)) or FETCHING.match(path_of(scope))):
            raise Refused(NOTHING_HERE)
        await self.app(scope, receive, send)


def path_of(scope: Scope) -> str:
    """A request's path as routes match it."""
    path: str = scope[KEY]
    return path


def seen_by_routes(path: str, root_path: str) -> str:
    """A request's path as routes match it: less the root path, where it begins with that.

    Source: `starlette._utils.get_route_path`.
    """
    below = path.removeprefix(root_path) if root_path else path
    return below if below.startswith("/") else path
