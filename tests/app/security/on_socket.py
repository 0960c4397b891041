"""The small app on a real socket, for tests where a socket matters."""

import contextlib
import socket
import threading
import time
from functools import partial

import uvicorn

from app.security import middleware
from app.security.settings import Settings
from app.ui.gradio_overrides import http_protocol
from tests.app.security.small_app import APP


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
