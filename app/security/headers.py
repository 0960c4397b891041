"""What an answer lets a browser do, and how long it may be kept.

Source: the OWASP Secure Headers Project, in the words of https://secure.readthedocs.io/.
"""

import secure
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security.settings import Settings

LASTING = ("/assets/", "/static/", "/favicon.ico", "/theme.css", "/gradio_api/theme.css", "/manifest.json")
"""What is the same for every visitor; every other answer may hold a picture or an answer."""


class ResponseHeadersMiddleware:
    """Says how long an answer may be kept, and takes away what opens it to every site: Gradio's own headers do.

    Args:
        app: whose answers these are.
        locked: whether there is a password.
    """

    def __init__(self, app: ASGIApp, locked: bool):
        self.app, self.locked = app, locked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers if name.lower().startswith("access-control-")]:
                    del headers[name]
                limit_caching(headers, scope["path"], message["status"], self.locked)
            await send(message)

        await self.app(scope, receive, dressed)


def security_headers(settings: Settings) -> secure.Secure:
    """What a browser is told to do with every answer.

    Gradio's page has inline scripts and builds functions from text, so that scripts cannot be held back more;
    but nothing is loaded from elsewhere and nothing is sent there.
    """
    policy = (
        secure.ContentSecurityPolicy()
        .default_src("'self'")
        .script_src("'self'", "'unsafe-inline'", "'unsafe-eval'", "blob:")
        .style_src("'self'", "'unsafe-inline'")
        .img_src("'self'", "data:", "blob:")
        .media_src("'self'", "data:", "blob:")
        .font_src("'self'", "data:")
        .connect_src("'self'", "data:", "blob:")
        .worker_src("'self'", "blob:")
        .object_src("'none'")
        .base_uri("'self'")
        .form_action("'self'")
        .frame_ancestors(*settings.frame_ancestors)
    )
    allowed = secure.PermissionsPolicy().camera("self").microphone().geolocation().payment().usb()
    return secure.Secure(
        csp=policy,
        permissions=allowed,
        referrer=secure.ReferrerPolicy().no_referrer(),
        xcto=secure.XContentTypeOptions().nosniff(),
        coop=secure.CrossOriginOpenerPolicy().same_origin(),
        corp=secure.CrossOriginResourcePolicy().same_origin(),
    )


def limit_caching(headers: MutableHeaders, path: str, status: int, locked: bool) -> None:
    """Say how long an answer may be kept: nowhere, unless it is a part of the page that all share."""
    if status >= 400 or not path.startswith(LASTING):
        headers["Cache-Control"] = "no-store"
    elif path.startswith("/assets/"):  # their names hold a hash of what they hold
        headers["Cache-Control"] = f"{'private' if locked else 'public'}, max-age=31536000, immutable"
