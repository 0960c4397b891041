"""One server, three interfaces: the page, Gradio's client API with MCP beside it, and the REST API.

The REST routes come first and the page is mounted at "/" behind them; `app.security.middleware` stands in front of all.
"""

import errno
import os
import signal
import socket
import threading
from functools import partial
from typing import Any, cast

import gradio as gr
import uvicorn
from fastapi import FastAPI

from app.api import mcp, rest
from app.security import middleware
from app.security.settings import Settings
from app.ui.gradio_overrides import graceful_server, http_protocol, mounting, queue
from models.errors import ParameterError

FILES = 2**16
"""Open files that are enough."""
FIRST_PORT, PORTS = 7860, 100
"""Where no port is asked for, the first free one of these is taken."""


def create(page: gr.Blocks) -> FastAPI:
    """The REST API with a page mounted behind it."""
    queues = queue.work_queues(page)
    application = rest.create(queues)
    mounting.mount(application, page)
    mcp.attach(mounting.mcp_server(page), queues)
    return application


class Server:
    """A page on its port.

    Args:
        page: what is served.
        host: the address to listen on; GRADIO_SERVER_NAME, or this machine only, where it is None.
        port: GRADIO_SERVER_PORT, or the first free one from 7860, where it is None.

    Attributes:
        url: where a browser on this machine finds it.
        page: the page it serves.

    Raises:
        ParameterError: a variable has a wrong value, or the port is taken.
    """

    def __init__(self, page: gr.Blocks, host: str | None = None, port: int | None = None):
        host = host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
        settings = Settings.from_env({**os.environ, "GRADIO_SERVER_NAME": host})
        listening = listen(host, asked_port() if port is None else port)
        host, port = listening.getsockname()[:2]
        self.url = f"http://{'localhost' if host in ('0.0.0.0', '::') else host}:{port}/"
        self.page, self.application = page, create(page)
        mounting.set_address(page, self.url)
        self._socket = listening
        most = None if settings.trusted_proxies else http_protocol.CONNECTIONS
        self._server = graceful_server.GracefulServer(
            uvicorn.Config(
                middleware.protect(self.application, settings),
                http=cast(Any, partial(http_protocol.HeaderTimeoutProtocol, most=most)),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=graceful_server.GRACE,
            ),
            mounting.mounted_on(self.application),
        )
        self._thread = threading.Thread(target=self.run, name="server", daemon=True)

    def start(self) -> "Server":
        """Serve in the background and return once it answers."""
        self._thread.start()
        self.wait()
        return self

    def wait(self) -> None:
        """Return once it answers."""
        self._server.ready.wait()

    def close(self) -> None:
        """Stop what `start` began."""
        self._server.handle_exit(signal.SIGTERM, None)
        self._thread.join()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; running requests are finished first, see `graceful_server.GRACE`."""
        self._server.run(sockets=[self._socket])


def raise_file_limit() -> None:
    """Let this process open as many files as it may, each connection being one; where it may not, nothing changes."""
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ImportError, OSError, ValueError):  # Windows, or a limit that may not be raised
        return


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that is bound to an address.

    Args:
        host: the address.
        port: None for the first free one of `PORTS` from `FIRST_PORT`, 0 for any.

    Raises:
        ParameterError: the address is not this machine's, or no such port is free.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS):
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, candidate))
            return bound
        except OSError as error:
            bound.close()
            if error.errno != errno.EADDRINUSE:
                raise ParameterError(
                    "GRADIO_SERVER_NAME is not an address of this machine",
                    f"{host}: {error.strerror}",
                    "Correct it or leave it out",
                ) from error
    raise ParameterError(
        "No free port was found",
        f"{port if port is not None else f'{FIRST_PORT} to {FIRST_PORT + PORTS - 1}'}, in use",
        "Stop what listens there, or set GRADIO_SERVER_PORT to another one",
    )


def asked_port() -> int | None:
    """GRADIO_SERVER_PORT, or None where it is not set.

    Raises:
        ParameterError: it is no port.
    """
    asked = os.environ.get("GRADIO_SERVER_PORT", "").strip()
    if not asked:
        return None
    if not asked.isascii() or not asked.isdigit() or not 0 < int(asked) < 65536:
        raise ParameterError(
            "GRADIO_SERVER_PORT is not a number from 1 to 65535", repr(asked), "Correct it or leave it out"
        )
    return int(asked)
