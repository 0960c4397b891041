"""The REST interface of TensorFlow Serving on loopback, as its documentation tells it, over real SavedModels.

Statuses and sentences of errors are those of tensorflow_serving/model_servers/http_rest_api_handler.cc and
what it calls; the server itself is not installable here.
"""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

PREDICT = re.compile(r"(?P<name>[^/:]+)(?:/versions/(?P<version>\d+))?:predict")
STATUS = re.compile(r"(?P<name>[^/:]+)(?:/versions/(?P<version>\d+))?")


class TensorFlowServing:
    """Models by name and version.

    Attributes:
        models: name -> version -> the SavedModel's signature, float32 (N, 48, 48, 1) -> float32 (N, 7).
        states: of versions that are not AVAILABLE.
        answers: what the next requests get instead of an answer: a Response, or None to break the connection.
        rows: the number of instances of each predict request.
        delay: seconds before every answer.
        url: set while it runs.
    """

    def __init__(self, models: dict[str, dict[int, Callable]]):
        self.models, self.states, self.answers, self.rows = models, {}, [], []
        self.delay, self.url = 0.0, ""

    async def answer(self, request) -> Response:
        """One request."""
        body = await request.body()
        await asyncio.sleep(self.delay)
        if self.answers:
            instead = self.answers.pop(0)
            return Broken() if instead is None else instead
        path = request.path_params["path"]
        if request.method == "POST" and (match := PREDICT.fullmatch(path)):
            return self.predict(match["name"], match["version"], body)
        if request.method == "GET" and (match := STATUS.fullmatch(path)):
            return self.status(match["name"], match["version"])
        return error(400, f"Malformed request: {request.method} {request.url.path}")

    def predict(self, name: str, version: str | None, body: bytes) -> Response:
        """Row format: instances in, predictions out; a single output has no name."""
        versions = self.models.get(name, {})
        number = int(version or max(versions, default=0))
        if number not in versions or (name, number) in self.states:
            wanted = f"Specific({name}, {number})" if version else f"Latest({name})"
            return error(404, f"Servable not found for request: {wanted}")
        try:
            instances = np.array(json.loads(body)["instances"], np.float32)
        except (ValueError, KeyError, TypeError) as wrong:
            return error(400, f"JSON Parse error: {wrong}")
        if instances.shape[1:] != (48, 48, 1):
            return error(400, f"Input to reshape is a tensor of {instances.shape}, but the model takes (-1,48,48,1)")
        self.rows.append(len(instances))
        return answered({"predictions": versions[number](instances).tolist()})

    def status(self, name: str, version: str | None) -> Response:
        """GetModelStatusResponse as JSON: a version is a string."""
        if name not in self.models:
            return error(404, f"Could not find any versions of model {name}")
        found = [
            {
                "version": str(number),
                "state": self.states.get((name, number), "AVAILABLE"),
                "status": {"error_code": "OK", "error_message": ""},
            }
            for number in sorted(self.models[name], reverse=True)
            if version in (None, str(number))
        ]
        if not found:
            return error(404, f"Could not find version {version} of model {name}")
        return answered({"model_version_status": found})


class Broken(Response):
    """Ends the connection before the answer."""

    async def __call__(self, scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})


def answered(body: dict, status: int = 200) -> Response:
    """JSON as the server writes it: NaN and infinity as such."""
    return Response(json.dumps(body, indent=4), status, media_type="application/json")


def error(status: int, message: str) -> Response:
    """An error in the server's own shape."""
    return answered({"error": message}, status)


@contextmanager
def serving(models: dict[str, dict[int, Callable]]):
    """A running `TensorFlowServing` on a free port of 127.0.0.1."""
    server = TensorFlowServing(models)
    route = Route("/v1/models/{path:path}", server.answer, methods=["GET", "POST"])
    running = uvicorn.Server(uvicorn.Config(Starlette(routes=[route]), log_level="critical"))
    listener = socket.create_server(("127.0.0.1", 0))
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield server
    finally:
        running.should_exit = True
        thread.join(10)
        listener.close()
