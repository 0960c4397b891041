"""How the server is protected, from the environment."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import limits

from models import photo
from models.errors import ParameterError

MAX_BODY = photo.MAX_BYTES * 4 // 3 + 2**20
"""Bytes: the largest photo in base64, and room for the rest of a JSON or multipart body."""
SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change and compute nothing."""
RATE = "600/minute"
"""Room for a class behind one address: what one of thirty pupils does in a minute is some twenty requests."""

ORIGIN = re.compile(r"https?://[\w.-]+(:\d{1,5})?|https?://\[[\da-f:]+\](:\d{1,5})?", re.ASCII)
"""The origin of a page, in lower case."""
OWN_NAMES = ("localhost", ".localhost", "127.0.0.1", "::1")
"""Names of a server that only its own machine reaches."""
OWN_NETWORKS = "127.0.0.0/8 ::1"
PRIVATE_NETWORKS = f"{OWN_NETWORKS} 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Settings:
    """How the server is protected; `from_env` says which variable each comes from.

    Attributes:
        rates: computing requests of one client; none is no limit.
        trusted_proxies: how many proxies in front append to X-Forwarded-For.
        origins: other origins whose pages may send requests.
        frame_ancestors: who may show the page in a frame, as Content-Security-Policy names them.
        user: with `password`, needed for everything but GET /health and what `metrics` opens; empty is no password.
        password: see `user`.
        max_body: bytes.
        root_path: under which a proxy serves the page; empty for none.
        hosts: names under which the server may be asked for, in lower case; none is any.
        metrics: networks whose addresses may read /metrics, without a password as well.
    """

    rates: tuple[limits.RateLimitItem, ...] = (limits.parse(RATE),)
    trusted_proxies: int = 0
    origins: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ("'self'",)
    user: str = ""
    password: str = ""
    max_body: int = MAX_BODY
    root_path: str = ""
    hosts: tuple[str, ...] = ()
    metrics: tuple[Network, ...] = tuple(map(ipaddress.ip_network, OWN_NETWORKS.split()))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """The settings in a process's environment.

        Raises:
            ParameterError: a variable has a value that cannot be meant.
        """

        def given(name: str, unless: str = "") -> str:
            return environ.get(name, "").strip() or unless

        hosted = bool(environ.get("SPACE_ID"))
        proxies = _count(given("FACEWHY_TRUSTED_PROXIES", "1" if hosted else "0"))
        own = given("GRADIO_SERVER_NAME", "127.0.0.1") in OWN_NAMES and not proxies
        user, password = given("FACEWHY_USER"), environ.get("FACEWHY_PASSWORD", "")
        if bool(user) != bool(password):
            raise ParameterError(
                "FACEWHY_USER or FACEWHY_PASSWORD is missing",
                f"only {'FACEWHY_USER' if user else 'FACEWHY_PASSWORD'}",
                "Set both, or neither for a server that is open to all",
            )
        if ":" in user:
            raise ParameterError("FACEWHY_USER was refused", "a name with a colon", "Choose a name without one")
        return cls(
            _rates(given("FACEWHY_RATE", RATE)),
            proxies,
            tuple(map(_origin, _words(given("FACEWHY_ORIGINS")))),
            tuple(
                map(
                    _ancestor,
                    _words(given("FACEWHY_FRAME_ANCESTORS", "self https://huggingface.co" * hosted or "self")),
                )
            ),
            user,
            password,
            root_path=urlsplit(given("GRADIO_ROOT_PATH")).path.rstrip("/"),
            hosts=tuple(map(_name, _words(given("FACEWHY_HOSTS", " ".join(OWN_NAMES) * own)))),
            metrics=tuple(map(_network, _words(_networks(given("FACEWHY_METRICS", OWN_NETWORKS))))),
        )


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
        raise ParameterError("FACEWHY_RATE could not be read", repr(text)[:40], f"Write {RATE}, 2000/hour or off")
    return rates


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 9:
        raise ParameterError(
            "FACEWHY_TRUSTED_PROXIES is not a number from 0 to 9", repr(text)[:40], "Count the proxies in front"
        )
    return int(text)


def _origin(text: str) -> str:
    if not ORIGIN.fullmatch(text.lower()):
        raise ParameterError(
            "FACEWHY_ORIGINS could not be read", repr(text)[:60], "Write each origin as https://example.org"
        )
    return text.lower()


def _name(text: str) -> str:
    text = text.lower().strip("[]")
    if not re.fullmatch(r"\.?[\w-]+(\.[\w-]+)*|[\da-f:]+", text, re.ASCII):
        raise ParameterError(
            "FACEWHY_HOSTS could not be read", repr(text)[:60], "Write each name as face.example, without a port"
        )
    return text


def _networks(text: str) -> str:
    return PRIVATE_NETWORKS if text == "private" else text


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ParameterError(
            "FACEWHY_METRICS could not be read", repr(text)[:60], "Write private, or each network as 10.0.0.0/8"
        ) from None


def _ancestor(text: str) -> str:
    text = text.lower().strip("'")
    if text in ("self", "none"):
        return f"'{text}'"
    if not re.fullmatch(r"\*|https?://(\*\.)?[\w.-]+(:\d{1,5})?", text):
        raise ParameterError(
            "FACEWHY_FRAME_ANCESTORS could not be read",
            repr(text)[:60],
            "Write self, none, or each as https://example.org",
        )
    return text
