"""What stands in front of the server, around a small app, and on a real socket where a socket matters."""

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import socket
import threading
import time
from functools import partial

import httpx
import limits
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from app.security import body_budget, headers, json_limits, middleware, rate_limit, routes, timeouts
from app.security.settings import ORIGIN, Settings
from app.ui.gradio_overrides import http_protocol
from models import photo
from models.errors import ParameterError

OWN = "http://face.example"
PAGE = (
    """<html><script>let a = 1</script><SCRIPT type="module">\nb()\r\n</SCRIPT><script src="/a.js"></script></html>"""
)

LONG = "<p>a face</p>" * 1000


async def echo(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())}, headers={"Access-Control-Allow-Origin": "*"})


async def fail(request: Request) -> Response:
    raise ValueError(f"secret of {request.query_params['name']}")


async def puzzled(request: Request) -> Response:
    raise KeyError(f"secret of {request.query_params['name']}")


async def late(request: Request) -> Response:
    return PlainTextResponse("Internal Server Error", status_code=500)


async def heard(request: Request) -> Response:
    return JSONResponse(list(request.headers))


async def page(request: Request) -> Response:
    return HTMLResponse(PAGE)


async def long_page(request: Request) -> Response:
    return HTMLResponse(PAGE + LONG)


async def endless(request: Request) -> Response:
    async def parts():
        while True:
            yield b"x" * 2**16
            await asyncio.sleep(0.001)  # else the server would see nothing else, and no end

    return StreamingResponse(parts())


async def script(request: Request) -> Response:
    return PlainTextResponse("1")


PATHS = (
    "/predict",
    "/api/v1/explain",
    "/gradio_api/mcp/",
    "/gradio_api/call/{name}",
    "/health",
    "/metrics",
    "/gradio_api/upload",
    "/gradio_api/queue/join",
    "/{rest:path}",
)
APP = Starlette(
    routes=[
        Route("/api/fail", fail, methods=["GET", "POST"]),
        Route("/api/late", late),
        Route("/api/endless", endless),
        Route("/api/heard", heard),
        Route("/api/page", page),
        Route("/config", long_page),
        Route("/api/long", long_page),
        Mount("/gradio_api/run", Starlette(routes=[Route("/x", puzzled)])),
        Route("/assets/index-0a1b2c3d.js", script),
        *(Route(path, echo, methods=["GET", "POST", "PUT", "DELETE", "HEAD"]) for path in PATHS),
    ]
)


def shielded(app=APP, **settings) -> httpx.AsyncClient:
    """A client of an app behind its protection, which no address can tell from a socket's."""
    front = middleware.protect(app, Settings(**settings))
    return httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url=OWN)


def ask(method: str = "POST", path: str = "/predict", times: int = 1, settings: dict | None = None, **request):
    """The last answer to a request that is sent some times."""

    async def send():
        async with shielded(**settings or {}) as client:
            for _ in range(times):
                answer = await client.request(method, path, **request)
            return answer

    return asyncio.run(send())


def refused(answer: httpx.Response, status: int, code: str) -> dict:
    """The error in an answer. One shape for all: a name for programs, a sentence, and what to do."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()["error"]
    assert set(said) == {"code", "message", "advice"} and said["code"] == code
    assert said["message"].endswith(".") and said["advice"].endswith(".")
    return said


# --------------------------------------------------------------------- settings


def test_the_settings_are_safe_unless_set():
    settings = Settings.from_env({})
    assert settings == Settings(hosts=("localhost", ".localhost", "127.0.0.1", "::1"))
    assert settings.origins == () and settings.frame_ancestors == ("'self'",) and settings.trusted_proxies == 0
    assert str(settings.rates[0]) == "600 per 1 minute"
    assert settings.max_body > photo.MAX_BYTES * 4 / 3


def test_a_space_may_be_shown_where_spaces_are_and_has_one_proxy():
    settings = Settings.from_env({"SPACE_ID": "someone/facewhy"})
    assert settings.frame_ancestors == ("'self'", "https://huggingface.co")
    assert settings.trusted_proxies == 1


def test_every_variable_is_read():
    settings = Settings.from_env(
        {
            "FACEWHY_RATE": "5/second;100/hour",
            "FACEWHY_TRUSTED_PROXIES": "2",
            "FACEWHY_ORIGINS": "https://School.example, http://localhost:3000",
            "FACEWHY_FRAME_ANCESTORS": "self https://*.school.example",
            "FACEWHY_USER": "ann",
            "FACEWHY_PASSWORD": "a:b c",
            "FACEWHY_HOSTS": "Face.example .school.example [2001:db8::1]",
            "FACEWHY_METRICS": "10.1.2.3/8",
        }
    )
    assert settings.hosts == ("face.example", ".school.example", "2001:db8::1")
    assert [str(network) for network in settings.metrics] == ["10.0.0.0/8"]
    assert [str(rate) for rate in settings.rates] == ["5 per 1 second", "100 per 1 hour"]
    assert settings.trusted_proxies == 2
    assert settings.origins == ("https://school.example", "http://localhost:3000")
    assert settings.frame_ancestors == ("'self'", "https://*.school.example")
    assert (settings.user, settings.password) == ("ann", "a:b c")
    assert Settings.from_env({"FACEWHY_RATE": "off"}).rates == ()


@pytest.mark.parametrize(
    "name, value",
    [
        *(("FACEWHY_RATE", value) for value in ("fast", "0/minute", "-1/minute", "5", "5/fortnight")),
        *(("FACEWHY_TRUSTED_PROXIES", value) for value in ("-1", "one", "1.5", "99", "²")),
        *(("FACEWHY_ORIGINS", value) for value in ("*", "school.example", "https://a.example/page", "file://", "null")),
        *(("FACEWHY_FRAME_ANCESTORS", value) for value in ("a.example; script-src *", "javascript:", "https://")),
        *(("FACEWHY_HOSTS", value) for value in ("https://face.example", "face.example:80", "*", "a/b", "..")),
        *(("FACEWHY_METRICS", value) for value in ("10.0.0.0/99", "home", "*")),
        ("FACEWHY_USER", "ann"),
        ("FACEWHY_PASSWORD", "secret"),
    ],
)
def test_a_wrong_value_says_which_variable_and_what_to_do(name, value):
    with pytest.raises(ParameterError, match=name) as caught:
        Settings.from_env({name: value})
    assert caught.value.advice
    assert "secret" not in str(caught.value)


def test_a_name_with_a_colon_cannot_be_sent_and_is_refused():
    with pytest.raises(ParameterError, match="FACEWHY_USER was refused. Received: a name with a colon"):
        Settings.from_env({"FACEWHY_USER": "a:b", "FACEWHY_PASSWORD": "c"})


# ----------------------------------------------------------------------- bodies


def test_a_body_within_the_limit_comes_whole():
    assert ask(content=b"x" * 1000, settings={"max_body": 1000}).json() == {"bytes": 1000}


def test_a_body_that_says_it_is_too_large_is_refused():
    refused(ask(content=b"x" * 1001, settings={"max_body": 1000}), 413, "RequestTooLarge")


def test_a_body_that_turns_out_too_large_is_refused():
    async def parts():
        for _ in range(11):
            yield b"x" * 100

    refused(ask(content=parts(), settings={"max_body": 1000}), 413, "RequestTooLarge")


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "", "9" * 5000])
def test_a_length_that_is_none_is_refused(length):
    async def send():
        heard = []
        scope = {"type": "http", "method": "POST", "path": "/predict", "client": None, "query_string": b""}
        scope["headers"] = [(b"content-length", length.encode())]

        async def receive():
            return {"type": "http.request", "body": b""}

        async def say(message):
            heard.append(message)

        await middleware.protect(APP, Settings())(scope, receive, say)
        return heard[0]["status"]

    assert asyncio.run(send()) in (400, 413)


def test_a_packed_body_is_refused():
    refused(ask(content=b"x", headers={"Content-Encoding": "gzip"}), 415, "UnsupportedEncoding")


def test_what_all_bodies_hold_together_is_bounded_and_given_back(monkeypatch):
    """One client's together, too: a quarter of it."""
    monkeypatch.setattr(body_budget, "HELD", 2000)

    async def send():
        async with shielded() as client:
            return [await client.post("/predict", content=b"x" * size) for size in (400, 600, 400)]

    first, second, third = asyncio.run(send())
    assert (first.status_code, third.status_code) == (200, 200)
    refused(second, 503, "Busy")
    assert second.headers["retry-after"]


# ------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("path", ["/gradio_api/call/explain", "/gradio_api/queue/join", "/config"])
@pytest.mark.parametrize("said", [True, False], ids=["said", "found out"])
def test_where_no_picture_belongs_a_body_is_short(path, said):
    async def parts():
        for _ in range(66):
            yield b"x" * 1024

    content = b"x" * (64 * 1024 + 1) if said else parts()
    refused(ask(path=path, content=content), 413, "RequestTooLarge")
    assert ask(path=path, content=b"x" * 64 * 1024).status_code in (200, 405, 404)


@pytest.mark.parametrize("path", ["/api/v1/explain", "/gradio_api/mcp/", "/gradio_api/call/v2/explain"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[' + b"[]," * 20_000 + b"[]]}",
        b'{"image":"","params":{"a":[' + b"1," * 30_000 + b"1]}}",
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 60_000,
        b'"' + b'\\"' * 30_000 + b'"',
        b'["",' + b'"",' * 20_000 + b'""]',
        b'{"a":"' + b"\\\\" * 12_000 + b'",' + b'"b":[' + b"0," * 11_000 + b"0]}",
    ],
    ids=["lists", "numbers", "deep", "open", "escaped", "texts", "behind backslashes"],
)
def test_small_json_of_many_values_is_refused_before_it_is_parsed(path, body):
    """1 MiB of it took 2 s of the event loop, 25 MiB 21 s and 2 GiB."""
    refused(ask(path=path, content=body), 413, "RequestTooLarge")


def test_a_large_picture_in_json_is_let_through():
    body = json.dumps({"image": "data:image/png;base64," + "iVBOR/+" * 2_000_000, "params": {"a": [1, 2, {"b": "\\"}]}})
    assert ask(path="/api/v1/explain", content=body.encode()).json() == {"bytes": len(body)}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\[]{},:\n'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='k"\\,['), inner, max_size=4),
    max_leaves=40,
)


@given(values)
def test_values_are_counted_as_a_parser_would_find_them(value):
    """Never fewer than there are, so that nothing hides behind quotes and backslashes."""

    def count(found) -> int:
        if isinstance(found, dict):
            return 1 + sum(1 + count(inner) for inner in found.values())
        return 1 + sum(map(count, found)) if isinstance(found, list) else 1

    def depth(found) -> int:
        inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    body = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_limits, "DEPTH", max(1, depth(value)))
        assert json_limits.within_limits(body)
        patch.setattr(json_limits, "DEPTH", depth(value) - 1)
        assert not depth(value) or not json_limits.within_limits(body)
        patch.setattr(json_limits, "DEPTH", 100)
        patch.setattr(json_limits, "NODES", count(value) // 4)
        assert count(value) < 8 or not json_limits.within_limits(body)


def test_json_is_bounded_where_files_are_read_as_well():
    body = b"[" * 20_000
    refused(ask(content=body, headers={"Content-Type": "application/json; x=y"}), 413, "RequestTooLarge")
    assert ask(content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}).status_code == 200
    assert ask(content=b'{"image": "' + b"A" * 100_000 + b'"}', headers={"Content-Type": "application/json"}).is_success


# ------------------------------------------------------------------------ rates


def test_computing_is_limited_and_says_when_to_come_back():
    limit = {"rates": (limits.parse("3/minute"),)}
    assert ask(times=3, settings=limit).status_code == 200
    answer = ask(times=4, settings=limit)
    refused(answer, 429, "RateLimited")
    assert 1 <= int(answer.headers["retry-after"]) <= 61


def test_reading_is_limited_far_less_and_what_is_small_not_at_all():
    limit = {"rates": (limits.parse("1/minute"),)}
    assert ask("GET", times=rate_limit.READING, settings=limit).status_code == 200
    assert ask("GET", times=rate_limit.READING + 1, settings=limit).status_code == 429
    for path in ("/health", "/metrics", "/assets/index-0a1b2c3d.js"):
        assert ask("GET", path, times=50, settings=limit).status_code == 200


def test_off_is_no_limit():
    assert ask(times=300, settings={"rates": ()}).status_code == 200


def whom(address: str, forwarded: str = "", proxies: int = 0) -> str:
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    return rate_limit.client_of({"client": (address, 5000)}, Headers(headers), proxies)


def test_the_client_is_the_socket_unless_a_proxy_is_trusted():
    assert whom("203.0.113.7") == "203.0.113.7"
    assert whom("203.0.113.7", "198.51.100.1") == "203.0.113.7"
    assert whom("10.0.0.1", "198.51.100.1", 1) == "198.51.100.1"


def test_what_a_client_writes_in_front_of_the_proxies_is_not_believed():
    assert whom("10.0.0.1", "1.1.1.1, 2.2.2.2, 198.51.100.1", 1) == "198.51.100.1"
    assert whom("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", 2) == "198.51.100.1"
    assert whom("10.0.0.1", "198.51.100.1:443", 1) == "198.51.100.1"
    assert whom("10.0.0.1", "nonsense", 1) == "10.0.0.1"


def test_a_household_has_one_limit_however_many_addresses_it_has():
    assert whom("2001:db8:1:2::3") == whom("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert whom("10.0.0.1", "[2001:db8:1:2::3]:443", 1) == "2001:db8:1:2::/64"
    assert whom("::ffff:203.0.113.7") == whom("203.0.113.7")


# ---------------------------------------------------------------------- origins


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


# ------------------------------------------------------------------------ hosts

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


@pytest.mark.parametrize(
    "environ, hosts",
    [
        ({}, True),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, False),
        ({"FACEWHY_TRUSTED_PROXIES": "1"}, False),
        ({"SPACE_ID": "a/b"}, False),
        ({"GRADIO_SERVER_NAME": "0.0.0.0", "FACEWHY_HOSTS": "face.example"}, True),
    ],
)
def test_a_server_of_this_machine_alone_is_asked_for_by_its_own_names(environ, hosts):
    assert bool(Settings.from_env(environ).hosts) == hosts


# ---------------------------------------------------------------------- metrics


def metrics(address: str, settings: dict, headers: dict | None = None) -> int:
    """The status of /metrics for an address."""
    front = middleware.protect(APP, Settings(**settings))

    async def send():
        transport = httpx.ASGITransport(front, client=(address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
            return {(await client.get(path, headers=headers)).status_code for path in ("/metrics", "/fw/metrics")}

    (status,) = asyncio.run(send())
    return status


def test_the_metrics_are_for_trusted_addresses_or_with_the_password():
    mine = {"root_path": "/fw"}
    theirs = mine | {"metrics": Settings.from_env({"FACEWHY_METRICS": "private"}).metrics}
    assert [metrics(address, mine) for address in ("127.0.0.1", "::1", "10.1.1.1", "203.0.113.7")] == [
        200,
        200,
        403,
        403,
    ]
    assert [metrics(address, theirs) for address in ("127.0.0.1", "::1", "10.1.1.1", "203.0.113.7")] == [200] * 3 + [
        403
    ]
    assert [metrics(address, theirs | LOCK) for address in ("10.1.1.1", "203.0.113.7")] == [200, 401]
    assert metrics("203.0.113.7", mine | LOCK, {"Authorization": basic("ann:pä:ss")}) == 200


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


@pytest.mark.parametrize("origins", [(), ("https://school.example",)])
def test_the_script_of_another_site_may_ask_first_so_that_it_can_read_the_refusal(origins):
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = ask(
        "OPTIONS", headers=asking | {"Access-Control-Request-Headers": "content-type"}, settings={"origins": origins}
    )
    assert answer.status_code == 204 and answer.headers["access-control-allow-origin"] == "https://evil.example"
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert "access-control-allow-credentials" not in answer.headers
    for origin in ("null", "http://face.example@evil.example"):
        assert "access-control-allow-origin" not in ask("OPTIONS", headers=asking | {"Origin": origin}).headers


# --------------------------------------------------------------------- password

LOCK = {"user": "ann", "password": "pä:ss"}


@pytest.mark.parametrize("path", ["/", "/predict", "/metrics/x", "/assets/index-0a1b2c3d.js", "/gradio_api/upload"])
def test_everything_is_locked(path):
    answer = ask("GET", path, settings=LOCK)
    refused(answer, 401, "NotAuthorized")
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_health_is_open_to_look_at():
    assert ask("GET", "/health", settings=LOCK).status_code == 200
    assert ask("HEAD", "/health", settings=LOCK).status_code == 200
    assert ask("POST", "/health", settings=LOCK).status_code == 401
    assert ask("GET", "/health/", settings=LOCK).status_code == 401


def test_the_right_password_opens():
    answer = ask(headers={"Authorization": basic("ann:pä:ss")}, settings=LOCK)
    assert answer.status_code == 200


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "given",
    [
        basic("ann:pass"),
        basic("bob:pä:ss"),
        basic("ann"),
        basic(""),
        "Basic",
        "Basic !",
        "Bearer x",
        basic("ann:pä:ss")[6:],
    ],
)
def test_a_wrong_password_does_not(given):
    refused(ask(headers={"Authorization": given}, settings=LOCK), 401, "NotAuthorized")


def test_guessing_ends_soon():
    refused(ask(headers={"Authorization": basic("ann:x")}, times=11, settings=LOCK), 429, "RateLimited")


# ---------------------------------------------------------------------- headers


def test_every_answer_tells_the_browser_to_stay_here():
    limit = {"rates": (limits.parse("1/minute"),)}
    for answer in (
        ask("GET", "/"),
        ask(),
        ask("GET", "/api/fail"),
        ask(times=2, settings=limit),
        ask("OPTIONS", "/predict"),
    ):
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'self'"
        assert policy["default-src"] == policy["object-src"] == policy["script-src-attr"] == "'none'"
        assert policy["script-src"] == "'self' 'unsafe-eval'"
        assert not any("http" in sources or "*" in sources for sources in policy.values())
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in answer.headers["permissions-policy"]
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_the_scripts_in_a_page_run_and_no_others():
    """Hashes by sha256sum and base64 of what stands between the tags; a browser reads \\r\\n as \\n."""
    answer = ask("GET", "/api/page")
    assert answer.text == PAGE
    policy = answer.headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src ")).split()[1:]
    expected = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (b"let a = 1", b"\nb()\n")]
    assert scripts == ["'self'", "'unsafe-eval'", *(f"'sha256-{each}'" for each in expected)]


def test_scripts_are_found_whatever_stands_around_them():
    """As an HTML parser finds them."""
    written = (
        b'<script>a</script><script data-src="b">c</script><script async\nSRC = "d"></script><SCRIPT\n>e<\r</SCRIPT>'
    )
    assert list(headers.inline_scripts(written)) == [b"a", b"c", b"e<\r"]
    for broken in (b"", b"<script", b"<script>", b"<script>a</scrip"):
        assert list(headers.inline_scripts(broken)) == []


def test_what_is_long_and_no_secret_is_compressed_for_who_accepts_it():
    plain, packed = (ask("GET", "/config", headers={"Accept-Encoding": each}) for each in ("identity", "gzip, br"))
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.text == plain.text == PAGE + LONG
    assert int(packed.headers["content-length"]) * 10 < int(plain.headers["content-length"])
    assert packed.headers["content-security-policy"] == plain.headers["content-security-policy"]
    assert "sha256-" in packed.headers["content-security-policy"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Origin, Accept-Encoding"
    assert "content-encoding" not in ask("GET", "/api/long", headers={"Accept-Encoding": "gzip"}).headers


def test_only_shared_parts_of_the_page_are_kept():
    for path in ("/", "/predict", "/gradio_api/file=a.png", "/gradio_api/info"):
        assert ask("GET", path).headers["cache-control"] == "no-store"
    assert "immutable" in ask("GET", "/assets/index-0a1b2c3d.js").headers["cache-control"]
    assert "cache-control" not in ask("GET", "/static/logo.svg").headers


# ------------------------------------------------------------------ closed doors


CLOSED = (
    "/gradio_api/process_recording",
    "/gradio_api/proxy=https://a.example/",
    "/gradio_api/component_server",
    "/gradio_api/custom_component/1/client/component/index.js",
    "/gradio_api/deep_link",
    "/gradio_api/dev/reload",
    "/gradio_api/runs",
    "/gradio_api/run-history/records",
    "/gradio_api/stream/a/b/1/playlist.m3u8",
    "/gradio_api/vibe-edit/",
    "/gradio_api/file=http://169.254.169.254/latest/meta-data",
    "/gradio_api/file=HTTPS://a.example/a.png",
    "/gradio_api/file=%2568ttp:%252f%252fa.example",
    "/gradio_api/file=%5C%5Cserver%5Cshare",
    "/gradio_api/file=a%00.png",
    "/gradio_api/file/etc/passwd",
    "/monitoring/summary",
    "/login",
    "/a-new-route",
)
OPEN = ("/", "/config", "/health", "/predict", "/gradio_api/queue/join", "/gradio_api/file=a.png", "/assets/a.js")


@pytest.mark.parametrize("root", ["", "/fw", "/a/b"])
@pytest.mark.parametrize("path", CLOSED)
def test_routes_that_nobody_needs_are_not_there(path, root):
    """Behind a root path too, however the slash is written: /fw/gradio_api/proxy= reached Gradio."""
    settings = {"root_path": root}
    sent = {path, root + path, path.replace("/", "//", 1), root + path.replace("/", "//", 1)}
    sent |= {path.replace("/gradio_api/", "/gradio_api//"), root + path.replace("gradio_api", "%67radio_api")}
    for each in sent:
        for method in ("GET", "POST"):
            refused(ask(method, OWN + each, settings=settings), 404, "NotFound")


@pytest.mark.parametrize("root", ["", "/fw"])
@pytest.mark.parametrize("path", OPEN)
def test_what_page_clients_and_programs_need_is_open(path, root):
    for each in (path, root + path):
        assert ask("GET", each, settings={"root_path": root}).status_code == 200


def test_the_root_path_is_what_gradio_takes_it_for():
    for value in ("/fw", "/fw/", "https://a.example/fw"):
        assert Settings.from_env({"GRADIO_ROOT_PATH": value}).root_path == "/fw"
    assert routes.seen_by_routes("/fwx/config", "/fw") == "/fwx/config"
    assert routes.seen_by_routes("/fw", "/fw") == "/fw"


def test_the_page_of_gradio_finds_its_sentence():
    assert "detail" in ask(path="/gradio_api/proxy=x").json()
    assert "detail" not in ask(headers={"Origin": "null"}).json()


# -------------------------------------------------------------------- the unseen


@pytest.mark.parametrize("path", ["/api/fail", "/api/late"])
def test_a_failure_is_one_neutral_sentence_and_its_message_is_not_logged(path, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = ask("GET", path + "?name=ann_on_holiday.png")
    refused(answer, 500, "Unexpected")
    logged = "".join(record.getMessage() for record in caplog.records if record.name != "httpx")
    assert "holiday" not in answer.text + logged
    assert ("ValueError" in logged) == (path == "/api/fail")


def test_what_gradio_does_not_understand_is_a_bad_request_and_no_error_of_ours(caplog):
    answer = ask("GET", "/gradio_api/run/x?name=ann_on_holiday.png")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    refused(answer, 400, "BadRequest")
    assert "holiday" not in answer.text


def test_a_websocket_is_closed():
    heard = []

    async def connect():
        async def receive():
            return {"type": "websocket.connect"}

        async def say(message):
            heard.append(message)

        await middleware.protect(APP, Settings())({"type": "websocket", "path": "/", "headers": []}, receive, say)

    asyncio.run(connect())
    assert heard == [{"type": "websocket.close", "code": 1008}]


# ------------------------------------------------------------------- on a socket


@contextlib.contextmanager
def serving(most: int | None = None, **settings):
    """The port of a real server, which takes so many connections of one address."""
    config = uvicorn.Config(
        middleware.protect(APP, Settings(**settings)),
        port=0,
        log_config=None,
        http=partial(http_protocol.HeaderTimeoutProtocol, most=most),
        ws="none",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def exchange(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What the server says to what is sent in parts, until it hangs up."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=600) as line:
        with contextlib.suppress(OSError):
            for part in parts:
                line.sendall(part)
                time.sleep(pause)
        with contextlib.suppress(OSError):
            while more := line.recv(65536):
                heard += more
    return heard


HEAD = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"


def test_a_sender_of_too_much_hears_why(monkeypatch):
    monkeypatch.setattr(timeouts, "LINGER_S", 0.5)
    with serving(max_body=100_000) as port:
        answer = httpx.post(f"http://127.0.0.1:{port}/predict", content=b"x" * 5_000_000, timeout=600)
        refused(answer, 413, "RequestTooLarge")
        heard = exchange(port, HEAD % 10**9)
        assert heard.startswith(b"HTTP/1.1 413")


def test_a_body_that_stalls_or_drips_is_given_up(monkeypatch, caplog):
    monkeypatch.setattr(timeouts, "IDLE_TIMEOUT_S", 0.4)
    monkeypatch.setattr(timeouts, "LINGER_S", 0.1)
    with serving() as port:
        heard = exchange(port, HEAD % 1000, b"x")
        assert heard.startswith(b"HTTP/1.1 408")
        assert json.loads(heard.partition(b"\r\n\r\n")[2])["error"]["code"] == "TooSlow"
        monkeypatch.setattr(timeouts, "IDLE_TIMEOUT_S", 600)
        monkeypatch.setattr(timeouts, "BODY_TIMEOUT_S", 0.4)
        heard = exchange(port, HEAD % 1000, *[b"x"] * 12, pause=0.05)
        assert heard.startswith(b"HTTP/1.1 408")
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    assert "127.0.0.1" not in caplog.text


def test_a_head_that_stalls_or_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(timeouts, "IDLE_TIMEOUT_S", 0.4)
    with serving() as port:
        whole = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
        for parts in ([], [b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "], [whole, b"GET"]):
            assert b"HTTP/1.1 200" in exchange(port, *parts, pause=0.1) or whole not in parts, "and hangs up"
        heard = exchange(port, b"GET / HTTP/1.1\r\n", *[b"X-Long: " + b"x" * 10_000 + b"\r\n"] * 10)
        assert heard.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431")) or not heard


@pytest.mark.parametrize("start", [b"GET /health", b"POST /emotions", b"POST /predict"])
def test_an_answered_connection_whose_body_never_ends_is_closed(monkeypatch, start):
    """Headers promise a body, one byte comes, the answer is read, nothing or a byte now and then follows."""
    monkeypatch.setattr(timeouts, "LINGER_S", 0.1)
    monkeypatch.setattr(timeouts, "IDLE_TIMEOUT_S", 0.3)
    head = start + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
    with serving() as port:
        assert exchange(port, head + b"x").startswith(b"HTTP/1.1 ")
        assert exchange(port, head + b"x", *[b"x"] * 8, pause=0.05).startswith(b"HTTP/1.1 ")


def test_a_client_that_does_not_read_its_answer_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(timeouts, "UNREAD_TIMEOUT_S", 0.1)
    with serving() as port, socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(600)
        line.connect(("127.0.0.1", port))
        line.sendall(b"GET /api/endless HTTP/1.1\r\nHost: a\r\n\r\n")
        while True:  # what is sent to a line that was cut comes back as an error
            time.sleep(0.05)
            try:
                line.sendall(b"x")
            except OSError:
                break


def test_a_connection_stays_for_a_body_that_ends_and_for_the_next_request(monkeypatch):
    whole = b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx"
    last = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with serving() as port:
        assert exchange(port, whole[:-1], whole[-1:], whole, last).count(b"HTTP/1.1 200") == 3


def test_one_address_holds_so_many_connections():
    request = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with serving(most=3) as port, contextlib.ExitStack() as held:
        for _ in range(3):
            line = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=600))
            line.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert line.recv(65536).startswith(b"HTTP/1.1 200")
        assert exchange(port, request) == b""
        line.close()
        while not (heard := exchange(port, request)):
            time.sleep(0.01)
        assert heard.startswith(b"HTTP/1.1 200")


def test_a_client_of_gradio_can_sign_in_with_its_own_options():
    """`Client(url, httpx_kwargs={"auth": ...})` sends the header with every request."""
    with serving(**LOCK) as port:
        with httpx.Client(auth=httpx.BasicAuth("ann", "pä:ss")) as client:
            assert client.get(f"http://127.0.0.1:{port}/config").status_code == 200
