"""Which routes are open.

Source: Gradio's own list of routes, `gradio.routes.App.create_app`; what its page does not use stays closed.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from app.security.refusals import NOTHING_HERE

GRADIO = re.compile(r"/($|config|gradio_api/)")
CLOSED = tuple(
    f"/gradio_api/{route}"
    for route in (
        "component_server",
        "custom_component/",
        "deep_link",
        "dev/",
        "file/",
        "process_recording",
        "proxy=",
        "run-history",
        "runs",
        "stream/",
        "undo-vibe-edit",
        "vibe-",
    )
) + ("/monitoring",)
"""Routes of Gradio that the page does not use: they write files, fetch addresses or call functions of components."""
FETCHING = re.compile(r"/gradio_api/file=(.*(://|%|\0)|data:|[/\\]{2})", re.DOTALL)
"""Gradio would fetch an address that is named as a file; no upload's path looks like these."""


class RouteMiddleware:
    """Refuses what goes to a closed route."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["path"].startswith(CLOSED) or FETCHING.match(scope["path"])):
            raise NOTHING_HERE
        await self.app(scope, receive, send)
