"""The names under which the server may be asked for."""

import pytest

from tests.app.security.small_app import ask, refused

HOSTS = {"hosts": ("face.example", ".school.example", "127.0.0.1", "::1")}


@pytest.mark.parametrize(
    "host", ["face.example", "FACE.example:8080", "face.example.", "a.school.example", "127.0.0.1:7860", "[::1]:7860"]
)
def test_a_known_name_is_let_through(host):
    assert ask("GET", "/health", headers={"Host": host}, settings=HOSTS).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "face.example.evil.example", "xface.example", "school.example", "", "[::1", "a@face.example:x"],
)
def test_a_name_that_a_stranger_led_here_is_refused(host):
    """DNS rebinding: his page is of the same site then, whatever Origin and Sec-Fetch-Site say."""
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    refused(ask("GET", headers=headers, settings=HOSTS), 421, "UnknownHost")
    trusted = {"X-Forwarded-Host": host, "Host": "face.example"}
    assert ask(headers=trusted, settings=HOSTS | {"trusted_proxies": 1}).status_code == 421
    assert ask(headers=trusted, settings=HOSTS).status_code == 200, "what he writes himself says nothing"
