"""Requests that a browser sends on behalf of another site's page."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers


def is_foreign(headers: Headers, origins: tuple[str, ...]) -> bool:
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
