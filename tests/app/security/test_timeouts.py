"""Clients that take long, on a real socket."""

import json

import httpx

from app.security import timeouts
from tests.app.security.on_socket import HEAD, exchange, serving


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
