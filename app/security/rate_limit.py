"""How often one client may ask, and whom a limit counts for."""

import ipaddress
import re

import limits
from starlette.datastructures import Headers
from starlette.types import Scope

READING = 20
"""Requests that only read may come this many times as often as those that compute."""
GUESSES = limits.parse("10/minute")
"""Wrong passwords of one client."""
UNCOUNTED = ("/health", "/metrics", "/assets/", "/static/", "/favicon.ico")


def client_of(scope: Scope, headers: Headers, proxies: int) -> str:
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
