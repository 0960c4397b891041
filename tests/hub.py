"""A small Hugging Face Hub on loopback, for tests with the real client."""

import hashlib
import socket
import threading
import time
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serves files of one commit, whatever the repository is called.

    Attributes:
        files: path in the repository -> bytes.
        delay: seconds before every answer.
        requests: (method, path) of every request so far.
        url: set while it runs.
    """

    def __init__(self, files: dict[str, bytes]):
        self.files, self.delay, self.requests, self.url = files, 0.0, [], ""

    def answer(self, request) -> Response:
        self.requests.append((request.method, request.url.path))
        time.sleep(self.delay)
        path, revision = request.path_params["path"], request.path_params["revision"]
        if revision != REVISION:
            return PlainTextResponse("", 404, {"X-Error-Code": "RevisionNotFound"})
        if path not in self.files:
            return PlainTextResponse("", 404, {"X-Error-Code": "EntryNotFound"})
        data = self.files[path]
        headers = {
            "X-Repo-Commit": REVISION,
            "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
            "Content-Length": str(len(data)),
        }
        return Response(b"" if request.method == "HEAD" else data, headers=headers)


@contextmanager
def serving(files: dict[str, bytes]):
    """A running `Hub` on a free port of 127.0.0.1."""
    hub = Hub(files)
    route = Route("/{owner}/{repository}/resolve/{revision}/{path:path}", hub.answer, methods=["GET", "HEAD"])
    config = uvicorn.Config(Starlette(routes=[route]), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    hub.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield hub
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def closed_port() -> str:
    """The address of a port of 127.0.0.1 on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
