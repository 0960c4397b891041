"""What an answer lets a browser do, and how long it may be kept.

Source: the OWASP Secure Headers Project, in the words of https://secure.readthedocs.io/.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator

import secure
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security.routes import path_of

LASTING = re.compile(r"/(assets|static)/.+|/(favicon\.ico|manifest\.json)|(/gradio_api)?/theme\.css/?")
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
                limit_caching(headers, path_of(scope), message["status"], self.locked)
            await send(message)

        await self.app(scope, receive, dressed)


class ContentPolicyMiddleware:
    """Tells a browser what a page may load and run: the scripts that are written in it and no other.

    The scripts in a page of Gradio differ from request to request, so each is named by its hash.
    Source: W3C, Content Security Policy Level 3, "hash-source".

    Args:
        app: whose answers these are.
        frame_ancestors: see `app.security.settings.Settings`.
    """

    def __init__(self, app: ASGIApp, frame_ancestors: tuple[str, ...]):
        self.app, self.frame_ancestors = app, frame_ancestors
        self._without_scripts = content_policy(frame_ancestors).header_value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        parts: list[bytes] = []

        async def dressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                if MutableHeaders(scope=message).get("content-type", "").startswith("text/html"):
                    start = message
                    return
                self.dress(message)
            elif start and message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                page = b"".join(parts)
                self.dress(start, page)
                await send(start)
                message = {"type": "http.response.body", "body": page}
            await send(message)

        await self.app(scope, receive, dressed)

    def dress(self, start: Message, page: bytes = b"") -> None:
        """Put the policy for a page into the head of an answer."""
        scripts = [hash_of(script) for script in inline_scripts(page)]
        policy = content_policy(self.frame_ancestors, scripts).header_value if scripts else self._without_scripts
        MutableHeaders(scope=start)["Content-Security-Policy"] = policy


FROM_ELSEWHERE = re.compile(rb"\ssrc\s*=")


def inline_scripts(page: bytes) -> Iterator[bytes]:
    """The scripts that are written in a page, as they stand there.

    One regular expression over a page of 1 MiB would keep the event loop for 16 ms, this does for 1.4.
    """
    plain, end = page.lower(), 0
    while (start := plain.find(b"<script", end)) >= 0:
        inside = plain.find(b">", start) + 1
        end = plain.find(b"</script>", inside)
        if not inside or end < 0:
            return
        if not FROM_ELSEWHERE.search(plain, start, inside):
            yield page[inside:end]


def hash_of(script: bytes) -> str:
    """How a policy names a script."""
    text = script.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"


def content_policy(frame_ancestors: tuple[str, ...], scripts: Iterable[str] = ()) -> secure.ContentSecurityPolicy:
    """What a page may load: what is served here, and the scripts that are written in it.

    Gradio builds functions from text ('unsafe-eval'), and components set styles of their own ('unsafe-inline').
    """
    return (
        secure.ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'", "'unsafe-eval'", *dict.fromkeys(scripts))
        .custom_directive("script-src-attr", "'none'")
        .style_src("'self'", "'unsafe-inline'")
        .img_src("'self'", "data:", "blob:")
        .media_src("'self'", "data:", "blob:")
        .font_src("'self'", "data:")
        .connect_src("'self'", "data:", "blob:")
        .worker_src("'self'", "blob:")
        .manifest_src("'self'")
        .object_src("'none'")
        .base_uri("'self'")
        .form_action("'self'")
        .frame_ancestors(*frame_ancestors)
    )


def security_headers() -> secure.Secure:
    """What a browser is told to do with every answer, beside its `content_policy`."""
    allowed = secure.PermissionsPolicy().camera("self").microphone().geolocation().payment().usb()
    return secure.Secure(
        permissions=allowed,
        referrer=secure.ReferrerPolicy().no_referrer(),
        xcto=secure.XContentTypeOptions().nosniff(),
        coop=secure.CrossOriginOpenerPolicy().same_origin(),
        corp=secure.CrossOriginResourcePolicy().same_origin(),
    )


def limit_caching(headers: MutableHeaders, path: str, status: int, locked: bool) -> None:
    """Say how long an answer may be kept: nowhere, unless it is a part of the page that all share."""
    if status >= 400 or not LASTING.fullmatch(path):
        headers["Cache-Control"] = "no-store"
    elif path.startswith("/assets/"):  # their names hold a hash of what they hold
        headers["Cache-Control"] = f"{'private' if locked else 'public'}, max-age=31536000, immutable"
