"""Bodies that are too large, compressed, or too many at once."""

import asyncio

import httpx
import pytest

from app.security import body_budget, middleware, timeouts
from app.security.settings import Settings
from tests.app.security.on_socket import HEAD, exchange, serving
from tests.app.security.small_app import APP, ask, refused, shielded


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


def test_a_sender_of_too_much_hears_why(monkeypatch):
    monkeypatch.setattr(timeouts, "LINGER_S", 0.5)
    with serving(max_body=100_000) as port:
        answer = httpx.post(f"http://127.0.0.1:{port}/predict", content=b"x" * 5_000_000, timeout=600)
        refused(answer, 413, "RequestTooLarge")
        heard = exchange(port, HEAD % 10**9)
        assert heard.startswith(b"HTTP/1.1 413")
