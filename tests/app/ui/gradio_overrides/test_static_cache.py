"""A file of the page is read and compressed once, and answered as the first time."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.security.routes import RoutePathMiddleware
from app.ui.gradio_overrides.static_cache import StaticCacheMiddleware

ROOM = 60


@pytest.fixture
def asked():
    """The files that were read."""
    return []


@pytest.fixture
def client(asked):
    async def file(request):
        name = request.path_params["name"]
        asked.append(name)
        if name == "gone.js":
            return PlainTextResponse("not here", 404)
        codings = request.headers.get("accept-encoding", "")
        kept = {"cache-control": "immutable", "x-coding": codings}

        async def parts():
            yield f"{name} {request.url.query} ".encode()
            yield b"." * (100 if name == "long.js" else 10)

        return StreamingResponse(parts(), media_type="text/javascript", headers=kept)

    routes = [Route(f"/{folder}/{{name:path}}", file, methods=["GET", "POST"]) for folder in ("assets", "files")]
    application = Starlette(routes=routes)
    application.add_middleware(StaticCacheMiddleware, room=ROOM)
    return TestClient(RoutePathMiddleware(application, "/fw"))


def test_a_file_is_read_once_and_the_answer_is_the_same(client, asked):
    first, *others = [client.get("/assets/a.js") for _ in range(3)]
    assert asked == ["a.js"] and first.text == "a.js  .........." and first.headers["cache-control"] == "immutable"
    for other in others:
        assert (other.text, other.status_code, other.headers) == (first.text, 200, first.headers)


def test_it_is_the_same_file_behind_a_root_path(client, asked):
    assert client.get("/fw/assets/a.js").text == client.get("/assets/a.js").text and asked == ["a.js"]


def test_each_coding_has_an_answer_of_its_own(client, asked):
    for _ in range(2):
        for coding in ("br, gzip", "gzip", "identity"):
            assert client.get("/assets/a.js", headers={"accept-encoding": coding}).headers["x-coding"] == coding
    assert asked == 3 * ["a.js"]


@pytest.mark.parametrize(
    "request_",
    [
        {"url": "/assets/gone.js"},
        {"url": "/files/a.js"},
        {"url": "/assets/a.js?b"},
        {"url": "/assets//a.js"},
        {"url": "/assets/a.js", "method": "POST"},
        {"url": "/assets/a.js", "headers": {"range": "bytes=0-3"}},
        {"url": "/assets/a.js", "headers": {"if-none-match": '"1"'}},
    ],
    ids=str,
)
def test_what_another_answer_could_follow_from_is_asked_each_time(client, asked, request_):
    client.get("/assets/a.js")
    asked.clear()
    for _ in range(2):
        client.request(**{"method": "GET"} | request_)
    assert len(asked) == 2


def test_what_finds_no_room_is_read_each_time(client, asked):
    for name in ("a.js", "long.js", "b.js", "c.js", "d.js") * 2:
        assert client.get(f"/assets/{name}").text.startswith(name)
    assert asked == ["a.js", "long.js", "b.js", "c.js", "d.js", "long.js", "d.js"]


def test_who_asks_at_once_takes_no_room_twice(asked):
    together = asyncio.Barrier(5)

    async def slow(scope, receive, send):
        asked.append(scope["path"])
        if scope["path"] == "/assets/a.js":
            await together.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"." * 20})

    async def visit():
        cache = RoutePathMiddleware(StaticCacheMiddleware(slow, room=40), "")
        get = {"type": "http", "method": "GET", "query_string": b"", "headers": []}

        async def ask(name):
            await cache({**get, "path": f"/assets/{name}.js"}, None, ignored)

        await asyncio.gather(*[ask("a") for _ in range(5)])
        await ask("b")
        await ask("b")

    async def ignored(message):
        pass

    asyncio.run(visit())
    assert asked == 5 * ["/assets/a.js"] + ["/assets/b.js"]


def test_an_answer_that_breaks_off_is_not_kept(asked):
    async def broken(scope, receive, send):
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    client = TestClient(RoutePathMiddleware(StaticCacheMiddleware(broken), ""))
    for _ in range(2):
        client.get("/assets/a.js")
    assert len(asked) == 2
