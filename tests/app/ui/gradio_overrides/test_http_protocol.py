"""Connections that are held for nothing, on a real socket."""

import contextlib
import socket
import time

import pytest

from app.security import timeouts
from tests.app.security.on_socket import exchange, serving


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
