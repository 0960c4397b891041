"""The page travels compressed, and what clients read about it first."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.security.routes import path_of

LONG = ("/", "/config", "/gradio_api/info")
"""Hundreds of kilobytes of text each, in which nothing is a secret; compressing other answers would cost more time."""
LEVEL = 4
"""Of gzip's nine: a page of 1 MiB becomes a sixth in 8 ms, at 9 a seventh in 19."""


class CompressionMiddleware:
    """Compresses what is long, for clients that accept gzip."""

    def __init__(self, app: ASGIApp):
        self.app, self.compressed = app, GZipMiddleware(app, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        long = scope["type"] == "http" and path_of(scope) in LONG
        await (self.compressed if long else self.app)(scope, receive, send)
