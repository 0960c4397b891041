"""What the script of another site's page may read here: that it was refused, and what its owner can do about it.

A browser keeps every answer from such a script, and asks first whether a request may be sent at all. Without a word
in between, the script sees nothing but a failed connection. So the question is answered with yes, and the request
then with the refusal, which holds nothing of this server; no other answer can be read.

Source: the Fetch standard, "CORS-preflight request".
"""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.security.csrf import is_foreign, readable_by


class PreflightMiddleware:
    """Lets the pages of other sites send what will be refused, see above.

    Args:
        app: what answers all else.
        origins: whose questions are answered by `app`, in lower case.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]):
        self.app, self.origins = app, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" and scope["method"] == "OPTIONS" else Headers()
        asked = readable_by(headers) if "access-control-request-method" in headers else ()
        if not asked or not is_foreign(headers, self.origins):
            return await self.app(scope, receive, send)
        wanted = headers.get("access-control-request-headers", "")
        allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": wanted}
        await Response(status_code=204, headers=dict(asked) | allowed)(scope, receive, send)
