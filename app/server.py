"""One server, three doors: the page, Gradio's client API with MCP beside it, and the REST API.

The REST routes come first and the page is mounted at "/" behind them; `app.shield` stands in front of all.
"""

import errno
import os
import signal
import socket
import threading
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI

from app import api, shield, theme, tools, visitors
from models import photo
from models.errors import ParameterError

FIRST_PORT, PORTS = 7860, 100
"""Where no port is asked for, the first free one of these is taken."""
GRACE = 8
"""Seconds that running requests have to finish after SIGTERM."""
LAST_RESORT = 9.5
"""Seconds after which the process ends whatever still runs."""
PAGE = {
    "css_paths": Path(__file__).with_name("page.css"),
    "max_file_size": photo.MAX_BYTES,
    "allowed_paths": [],
    "show_error": True,
    "enable_monitoring": False,
    "run_history": False,
    "ssr_mode": False,
    "mcp_server": True,
    "footer_links": ["api"],
}


def create(page: gr.Blocks) -> FastAPI:
    """The REST API with a page mounted behind it."""
    application = api.create()
    page.state_session_capacity = visitors.SESSIONS
    gr.mount_gradio_app(
        application, page, path="/", theme=theme.build(), root_path=os.environ.get("GRADIO_ROOT_PATH"), **PAGE
    )
    mounted = application.routes[-1].app
    mounted.state_holder = visitors.Visitors()
    mounted.state_holder.set_blocks(page)
    page._queue.set_server_app(mounted)  # as launch() does: without it no call is ever forgotten
    tools.attach(page, application.state.lanes)
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
        settings = shield.Settings.from_env()
        host = host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
        listening = listen(host, asked_port() if port is None else port)
        host, port = listening.getsockname()[:2]
        self.url = f"http://{'localhost' if host in ('0.0.0.0', '::') else host}:{port}/"
        self.page, self.application = page, create(page)
        page.local_url = self.url
        self._socket = listening
        self._server = Polite(
            uvicorn.Config(
                shield.protect(self.application, settings),
                http=shield.Impatient,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
            ),
            self.application.routes[-1].app,
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
        """Serve until SIGTERM or SIGINT; running requests are finished first, see `GRACE`."""
        self._server.run(sockets=[self._socket])


class Polite(uvicorn.Server):
    """A server that ends what idle visitors hold open when it is told to stop, so that only work keeps it waiting.

    Args:
        config: see uvicorn.
        page: the mounted page, whose heartbeats and streams do not end by themselves.

    Attributes:
        ready: set once it answers.
    """

    def __init__(self, config: uvicorn.Config, page: gr.routes.App):
        super().__init__(config)
        self.ready = threading.Event()
        self._page = page

    async def startup(self, sockets=None) -> None:
        """As uvicorn's."""
        await super().startup(sockets)
        self.ready.set()

    def handle_exit(self, sig: int, frame) -> None:
        """As uvicorn's, and it does not raise the signal again once all is done."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()

    async def shutdown(self, sockets=None) -> None:
        """As uvicorn's; what does not end is left behind after `LAST_RESORT` seconds."""
        if threading.current_thread() is threading.main_thread():
            last = threading.Timer(LAST_RESORT, os._exit, [0])
            last.daemon = True
            last.start()
        self._page.stop_event.set()
        self._page.get_blocks()._queue.let_all_go()
        await super().shutdown(sockets)


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
                    "GRADIO_SERVER_NAME is an address of this machine", f"{host}: {error.strerror}", "Correct it"
                ) from error
    raise ParameterError(
        "GRADIO_SERVER_PORT is a free port",
        f"{port if port is not None else f'{FIRST_PORT} to {FIRST_PORT + PORTS - 1}'}, in use",
        "Stop what listens there, or choose another one",
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
        raise ParameterError("GRADIO_SERVER_PORT is a number from 1 to 65535", repr(asked), "Correct it")
    return int(asked)
