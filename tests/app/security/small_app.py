"""A small app behind the whole protection, and who asks it."""

import asyncio
import base64

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from app.security import middleware
from app.security.settings import Settings

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


LOCK = {"user": "ann", "password": "pä:ss"}


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()
