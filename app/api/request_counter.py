"""Counts requests by route for /metrics, those of Gradio's client API by endpoint."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.serving import metrics


class RequestCounter:
    """ASGI middleware that counts requests.

    A route is counted under the pattern that it was defined with, so that what clients write makes no new one.

    Args:
        app: what is counted.
        endpoints: Gradio's by name, each of which is counted as a route of its own.
    """

    def __init__(self, app: ASGIApp, endpoints: frozenset[str] = frozenset()):
        self.app, self.endpoints = app, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            metrics.answered(self.route(scope), scope["method"], status)

    def route(self, scope: Scope) -> str:
        """The pattern of the route that a request took; "" where there is none."""
        path = getattr(scope.get("route"), "path", "")
        name = scope.get("path_params", {}).get("api_name")
        return path.replace("{api_name}", name) if name in self.endpoints else path
