"""Requests of other sites' pages."""

import pytest

from app.security.settings import ORIGIN
from tests.app.security.small_app import ask, refused


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://face.example:8080"},
        {"Origin": "http://face.example.evil.example"},
        {"Origin": "http://evil.example/face.example"},
        {"Origin": "http://face.example@evil.example"},
        {"Origin": "http://[face.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Host": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_of_another_site_is_refused(method, headers):
    answer = ask(method, headers=headers)
    assert "FACEWHY_ORIGINS" in refused(answer, 403, "NotAllowed")["advice"]
    origin = headers.get("Origin", "")
    readable = origin if ORIGIN.fullmatch(origin) else None
    assert answer.headers.get("access-control-allow-origin") == readable, (
        "its script may read that, and no other answer"
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://face.example"},
        {"Origin": "https://face.example"},
        {"Origin": "https://FACE.example", "Host": "face.example:443"},
        {"Origin": "https://face.example", "Host": "upstream:7860", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://127.0.0.1:7860", "Host": "127.0.0.1:7860"},
        {"Origin": "http://[::1]:7860", "Host": "[::1]:7860"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_the_page_itself_and_programs_are_let_through(headers):
    assert ask(headers=headers).status_code == 200


@pytest.mark.parametrize("proxies", [0, 1])
def test_what_only_a_proxy_may_say_is_believed_where_one_is_trusted(proxies):
    headers = {"Origin": "https://face.example", "Host": "upstream:7860", "X-Forwarded-Host": "face.example"}
    assert ask(headers=headers, settings={"trusted_proxies": proxies}).status_code == (200 if proxies else 403)
    seen = ask("GET", "/api/heard", headers=headers, settings={"trusted_proxies": proxies}).json()
    assert ("x-forwarded-host" in seen) == bool(proxies)


def test_another_site_may_look_but_its_scripts_see_nothing():
    answer = ask("GET", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_a_listed_site_is_let_through_and_its_scripts_see_the_answer():
    settings = {"origins": ("https://school.example",)}
    answer = ask(headers={"Origin": "https://school.example"}, settings=settings)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://school.example"
    asking = {"Origin": "https://school.example", "Access-Control-Request-Method": "POST"}
    allowed = ask("OPTIONS", headers=asking | {"Access-Control-Request-Headers": "content-type"}, settings=settings)
    assert allowed.status_code == 200 and "POST" in allowed.headers["access-control-allow-methods"]
    refused(ask(headers={"Origin": "http://school.example"}, settings=settings), 403, "NotAllowed")
