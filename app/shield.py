"""What stands in front of the whole server: who may ask, how much, how often, and what an answer lets a browser do.

Pure ASGI, so that it holds for the REST routes, the page, its API and the MCP server alike. Nothing of a
request is logged, and the addresses of clients stay in memory for as long as their limit counts.
"""

import asyncio
import base64
import binascii
import hmac
import ipaddress
import json
import logging
import os
import re
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11
import limits
import secure
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from secure.middleware import SecureASGIMiddleware
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from models import photo
from models.errors import ParameterError

log = logging.getLogger(__name__)

MAX_BODY = photo.MAX_BYTES * 4 // 3 + 2**20
"""Bytes: the largest photo in base64, and room for the rest of a JSON or multipart body."""
HELD = 16 * MAX_BODY
"""Bytes of bodies that all requests in progress may hold together; those of one client, a quarter of it."""
SILENCE = 20.0
"""Seconds without a byte of a body after which it is given up."""
START = 30.0
SLOWEST = 16 * 1024
"""A body may take `START` seconds and one more for each `SLOWEST` bytes of it that came."""
LINGER = 2.0
"""Seconds in which the rest of a refused body is read, so that its sender sees the answer and no broken connection."""
RATE = "600/minute"
"""Room for a class behind one address: what one of thirty pupils does in a minute is some twenty requests."""
READING = 20
"""Requests that only read may come this many times as often as those that compute."""
GUESSES = limits.parse("10/minute")
"""Wrong passwords of one client."""

NONSENSE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What Gradio's routes raise for a request that its page never sends; what our functions raise ends in `app.guard`."""
GRADIO = re.compile(r"/($|config|gradio_api/)")
TALKATIVE = ("mcp", "python_multipart", "sse_starlette")
"""Libraries that log what a request held."""

SAFE = ("GET", "HEAD", "OPTIONS")
UNCOUNTED = ("/health", "/metrics", "/assets/", "/static/", "/favicon.ico")
LASTING = ("/assets/", "/static/", "/favicon.ico", "/theme.css", "/gradio_api/theme.css", "/manifest.json")
"""What is the same for every visitor; every other answer may hold a picture or an answer."""
CLOSED = tuple(
    f"/gradio_api/{door}"
    for door in (
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
"""Doors of Gradio that the page does not use: they write files, fetch addresses or call functions of components."""
FETCHING = re.compile(r"/gradio_api/file=(.*(://|%|\0)|data:|[/\\]{2})", re.DOTALL)
"""Gradio would fetch an address that is named as a file; no upload's path looks like these."""


@dataclass(frozen=True)
class Settings:
    """How the server is protected; `from_env` says which variable each comes from.

    Attributes:
        rates: computing requests of one client; none is no limit.
        trusted_proxies: how many proxies in front append to X-Forwarded-For.
        origins: other origins whose pages may send requests.
        frame_ancestors: who may show the page in a frame, as Content-Security-Policy names them.
        user: with `password`, needed for everything but GET /health; empty is no password.
        password: see `user`.
        max_body: bytes.
    """

    rates: tuple[limits.RateLimitItem, ...] = (limits.parse(RATE),)
    trusted_proxies: int = 0
    origins: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ("'self'",)
    user: str = ""
    password: str = ""
    max_body: int = MAX_BODY

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """The settings in a process's environment.

        Raises:
            ParameterError: a variable has a value that cannot be meant.
        """

        def given(name: str, unless: str = "") -> str:
            return environ.get(name, "").strip() or unless

        hosted = bool(environ.get("SPACE_ID"))
        user, password = given("FACEWHY_USER"), environ.get("FACEWHY_PASSWORD", "")
        if bool(user) != bool(password):
            raise ParameterError(
                "FACEWHY_USER and FACEWHY_PASSWORD are set together",
                f"only {'FACEWHY_USER' if user else 'FACEWHY_PASSWORD'}",
                "Set both, or neither for a server that is open to all",
            )
        if ":" in user:
            raise ParameterError("FACEWHY_USER has no colon", "one with a colon", "Choose another name")
        return cls(
            _rates(given("FACEWHY_RATE", RATE)),
            _count(given("FACEWHY_TRUSTED_PROXIES", "1" if hosted else "0")),
            tuple(map(_origin, _words(given("FACEWHY_ORIGINS")))),
            tuple(
                map(
                    _ancestor,
                    _words(given("FACEWHY_FRAME_ANCESTORS", "self https://huggingface.co" * hosted or "self")),
                )
            ),
            user,
            password,
        )


def protect(app: ASGIApp, settings: Settings) -> ASGIApp:
    """A server behind its protection.

    Args:
        app: everything that is served.
        settings: see `Settings.from_env`.
    """
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    shared = CORSMiddleware(
        _Gate(app, settings),
        allow_origins=settings.origins,
        allow_methods=("GET", "POST"),
        allow_headers=("*",),
        allow_credentials=True,
        expose_headers=("Retry-After",),
    )
    return SecureASGIMiddleware(shared, secure=_headers(settings))


@dataclass(frozen=True)
class Refusal(Exception):
    """A request that is not let through.

    Attributes:
        status: of HTTP.
        code: a stable name for programs.
        message: what is wrong, one sentence without the full stop.
        advice: what to do, likewise.
        headers: of the answer.
    """

    status: int
    code: str
    message: str
    advice: str
    headers: tuple[tuple[str, str], ...] = ()

    def body(self, path: str) -> bytes:
        """The answer as JSON; Gradio's page and clients look for their sentence under `detail`."""
        said = {"error": {"code": self.code, "message": f"{self.message}.", "advice": f"{self.advice}."}}
        if path.startswith("/gradio_api/"):
            said["detail"] = f"{self.message}. {self.advice}."
        return json.dumps(said).encode()


UNEXPECTED = Refusal(500, "Unexpected", "Something went wrong on our side", "Please try again")
FOREIGN = Refusal(
    403,
    "NotAllowed",
    "Pages of other sites may not send requests here",
    "Open FaceWhy itself, or have its owner list your site",
)
NOTHING_HERE = Refusal(
    404, "NotFound", "There is nothing here", "The endpoints are described at /docs and /gradio_api/info"
)
PACKED = Refusal(415, "UnsupportedEncoding", "A request comes as it is, not compressed", "Leave out Content-Encoding")
MALFORMED = Refusal(400, "BadRequest", "The request cannot be read", "The endpoints are described at /docs")
SLOW = Refusal(408, "TooSlow", "The request came too slowly", "Send a smaller picture, or try a faster connection")
BUSY = Refusal(
    503, "Busy", "Too many pictures are on their way to us", "Wait a moment and try again", (("Retry-After", "5"),)
)
LOCKED = Refusal(
    401,
    "NotAuthorized",
    "This server asks for a name and a password",
    "Send them as HTTP Basic",
    (("WWW-Authenticate", 'Basic realm="FaceWhy", charset="UTF-8"'),),
)


def _too_large(limit: int) -> Refusal:
    return Refusal(
        413,
        "RequestTooLarge",
        f"A request must be no larger than {limit / 2**20:.0f} MiB, and a photo than {photo.MAX_BYTES // 2**20} MiB",
        "Save the picture smaller and try again",
    )


def _too_often(seconds: float) -> Refusal:
    wait = max(1, round(seconds + 0.5))
    return Refusal(
        429,
        "RateLimited",
        "Too many requests came from your address",
        f"Try again in {wait} s",
        (("Retry-After", str(wait)),),
    )


class _Gate:
    """Lets a request through to the app, or answers it."""

    def __init__(self, app: ASGIApp, settings: Settings):
        self.app, self.settings = app, settings
        self.limiter = FixedWindowRateLimiter(MemoryStorage())
        self.reading = tuple(type(rate)(rate.amount * READING, rate.multiples) for rate in settings.rates)
        self.held = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":  # Gradio has no websocket
            return await send({"type": "websocket.close", "code": 1008})
        exchange = _Exchange(self, scope, receive, send)
        try:
            exchange.client = await self.admit(scope, Headers(scope=scope))
            await self.app(scope, exchange.receive, exchange.send)
        except Refusal as refusal:
            exchange.refusal = refusal
        except Exception as error:
            if exchange.refusal in (None, UNEXPECTED) and not isinstance(error, ClientDisconnect):
                puzzled = isinstance(error, NONSENSE) and GRADIO.match(scope["path"])
                exchange.refusal = MALFORMED if puzzled else UNEXPECTED
                frames = "".join(traceback.format_tb(error.__traceback__))
                log.error("%s\n%s", type(error).__name__, frames)  # its message could name a visitor's file
        finally:
            exchange.give_back()
        await exchange.close()

    async def admit(self, scope: Scope, headers: Headers) -> str:
        """Everything that is known before the body comes.

        Returns:
            Who asks, as far as is known.

        Raises:
            Refusal: the request goes no further.
        """
        path, safe = scope["path"], scope["method"] in SAFE
        if not safe and _foreign(headers, self.settings.origins):
            raise FOREIGN
        client = _client(scope, headers, self.settings.trusted_proxies)
        if not path.startswith(UNCOUNTED):
            await self.count(self.reading if safe else self.settings.rates, "reading" if safe else "computing", client)
        if self.settings.user and not (path == "/health" and safe):
            await self.unlock(headers, client)
        if path.startswith(CLOSED) or FETCHING.match(path):
            raise NOTHING_HERE
        if headers.get("content-encoding", "identity") != "identity":
            raise PACKED
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise MALFORMED
        if len(length) > 18 or int(length) > self.settings.max_body:
            raise _too_large(self.settings.max_body)
        return client

    async def count(self, rates: tuple[limits.RateLimitItem, ...], kind: str, client: str) -> None:
        for rate in rates:
            if not await self.limiter.hit(rate, kind, client):
                raise _too_often((await self.limiter.get_window_stats(rate, kind, client)).reset_time - time.time())

    async def unlock(self, headers: Headers, client: str) -> None:
        given = headers.get("authorization")
        if given is None:
            raise LOCKED
        if not await self.limiter.test(GUESSES, "guesses", client):
            raise _too_often((await self.limiter.get_window_stats(GUESSES, "guesses", client)).reset_time - time.time())
        if not _same(given, self.settings.user, self.settings.password):
            await self.limiter.hit(GUESSES, "guesses", client)
            raise LOCKED


class _Exchange:
    """One request and its answer, as the app sees them.

    Attributes:
        refusal: what is answered instead of what the app says; from then on the app hears that the client is gone.
        size: bytes of the body that have come.
    """

    def __init__(self, gate: _Gate, scope: Scope, receive: Receive, send: Send):
        self._gate, self._scope, self._receive, self._send = gate, scope, receive, send
        self._began, self._complete, self._answered = time.monotonic(), False, False
        self.refusal: Refusal | None = None
        self.client, self.size = "", 0

    async def receive(self) -> Message:
        """The next part of the body; one that is too large or too slow ends here."""
        if self.refusal:
            return {"type": "http.disconnect"}
        if self._complete:
            return await self._receive()
        left = self._began + START + self.size / SLOWEST - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, min(SILENCE, left)))
        except TimeoutError:
            return self._give_up(SLOW)
        self._complete = message["type"] != "http.request" or not message.get("more_body")
        more = len(message.get("body", b""))
        self.size += more
        held = self._gate.held
        held[self.client] += more
        if self.size > self._gate.settings.max_body:
            return self._give_up(_too_large(self._gate.settings.max_body))
        if held.total() > HELD or held[self.client] > HELD // 4:
            return self._give_up(BUSY)
        return message

    def give_back(self) -> None:
        """Hold nothing of the body any longer."""
        self._gate.held[self.client] -= self.size
        if not self._gate.held[self.client]:
            del self._gate.held[self.client]

    def _give_up(self, refusal: Refusal) -> Message:
        self.refusal = refusal
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The app's answer, unless the request was refused meanwhile."""
        if message["type"] == "http.response.start" and not self.refusal:
            headers = MutableHeaders(scope=message)
            if message["status"] == 500 and not headers.get("content-type", "").startswith("application/json"):
                self.refusal = UNEXPECTED
            for name in [name for name in headers if name.lower().startswith("access-control-")]:
                del headers[name]  # Gradio gives them to any site
            _keep(headers, self._scope["path"], message["status"], bool(self._gate.settings.user))
            self._answered = not self.refusal
        if self._answered:
            await self._send(message)

    async def close(self) -> None:
        """Answer a refused request; what is still coming of its body is read and dropped for a while."""
        if self.refusal is None or self._answered:
            return
        body = self.refusal.body(self._scope["path"])
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        unread = not self._complete and self._scope["method"] not in SAFE
        headers += [*self.refusal.headers, *([("Connection", "close")] if unread else [])]
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        await self._send({"type": "http.response.start", "status": self.refusal.status, "headers": raw})
        said = b"" if self._scope["method"] == "HEAD" else body
        await self._send({"type": "http.response.body", "body": said, "more_body": unread})
        if unread:
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER):
                    while (await self._receive()).get("more_body"):
                        pass
            await self._send({"type": "http.response.body", "body": b""})


class Impatient(H11Protocol):
    """uvicorn's HTTP/1.1, which waits `SILENCE` seconds for the head of a request and then hangs up.

    A head has 64 KiB at most; given to uvicorn as `http=`, so that another parser that happens to be installed
    changes neither.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._timer:
            self._timer.cancel()

    def _watch(self) -> None:
        waiting = self.conn.their_state is h11.IDLE
        if waiting and not self._timer:
            self._timer = self.loop.call_later(SILENCE, self.transport.close)
        elif not waiting and self._timer:
            self._timer.cancel()
            self._timer = None


def _headers(settings: Settings) -> secure.Secure:
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


def _keep(headers: MutableHeaders, path: str, status: int, locked: bool) -> None:
    """Say how long an answer may be kept: nowhere, unless it is a part of the page that all share."""
    if status >= 400 or not path.startswith(LASTING):
        headers["Cache-Control"] = "no-store"
    elif path.startswith("/assets/"):  # their names hold a hash of what they hold
        headers["Cache-Control"] = f"{'private' if locked else 'public'}, max-age=31536000, immutable"


def _client(scope: Scope, headers: Headers, proxies: int) -> str:
    """Whom a limit counts for: an IPv4 address, or the network of an IPv6 one, which a household has to itself."""
    found = (scope.get("client") or ("local",))[0]
    if proxies:
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        found = hops[-min(proxies, len(hops))] if hops else found
    found = re.sub(r"^\[(.*)\](:\d+)?$|^([\d.]+):\d+$", r"\1\3", found)
    try:
        address = ipaddress.ip_address(found.partition("%")[0])
    except ValueError:
        return "local" if found == "local" else (scope.get("client") or ("local",))[0]
    if address.version == 6 and not address.ipv4_mapped:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(getattr(address, "ipv4_mapped", None) or address)


def _foreign(headers: Headers, origins: tuple[str, ...]) -> bool:
    """Whether a browser sends this on behalf of another site's page.

    A page cannot write Sec-Fetch-Site or Origin itself, nor X-Forwarded-Host without being allowed to first.
    The scheme is not compared: behind a proxy that ends TLS it differs.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin is None:
        return site in ("cross-site", "same-site")
    if site == "same-origin" or origin.lower() in origins:
        return False
    own = {_host(f"//{headers.get(name, '').split(',')[0].strip()}") for name in ("host", "x-forwarded-host")}
    return _host(origin) not in own - {""}


def _host(address: str) -> str:
    """Host and port of an address, without the ports that are not shown; empty where it has none."""
    try:
        parts = urlsplit(address.lower())
        port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
        return f"{parts.hostname}{port}" if parts.hostname else ""
    except ValueError:
        return ""


def _same(given: str, user: str, password: str) -> bool:
    """Whether an Authorization header holds this name and password; takes equally long whichever is wrong."""
    scheme, _, coded = given.partition(" ")
    try:
        received = base64.b64decode(coded.strip(), validate=True)
    except (binascii.Error, ValueError):
        received = b""
    name, _, secret = received.partition(b":")
    right = hmac.compare_digest(name, user.encode()) & hmac.compare_digest(secret, password.encode())
    return scheme.lower() == "basic" and right


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _rates(text: str) -> tuple[limits.RateLimitItem, ...]:
    if text.lower() == "off":
        return ()
    try:
        rates = tuple(limits.parse_many(text))
    except ValueError:
        rates = ()
    if not rates or any(rate.amount < 1 or rate.get_expiry() < 1 for rate in rates):
        raise ParameterError(
            "FACEWHY_RATE is a number of requests in a time", repr(text)[:40], f"Write {RATE}, 2000/hour or off"
        )
    return rates


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 9:
        raise ParameterError(
            "FACEWHY_TRUSTED_PROXIES is a number from 0 to 9", repr(text)[:40], "Count the proxies in front"
        )
    return int(text)


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?|https?://\[[\da-f:]+\](:\d{1,5})?", text.lower()):
        raise ParameterError(
            "FACEWHY_ORIGINS lists the origins of other sites", repr(text)[:60], "Write each as https://example.org"
        )
    return text.lower()


def _ancestor(text: str) -> str:
    text = text.lower().strip("'")
    if text in ("self", "none"):
        return f"'{text}'"
    if not re.fullmatch(r"\*|https?://(\*\.)?[\w.-]+(:\d{1,5})?", text):
        raise ParameterError(
            "FACEWHY_FRAME_ANCESTORS lists who may show the page in a frame",
            repr(text)[:60],
            "Write self, none, or each as https://example.org",
        )
    return text
