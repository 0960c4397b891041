"""A client of the running page, and calls below it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client

from app import pipeline
from explain.base import Explanation
from models.types import Face
from tests import server

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("detect", "predict", "keypoints", "explain", "trust", "report", "compare", "lab", "glass_box")
"""The endpoints that take a picture."""
WITHOUT_PICTURE = ("dataset", "video")


@pytest.fixture(scope="session")
def url() -> str:
    """Where the page runs, with a slash at the end."""
    return server.start().url


_computed: dict[tuple[str, str, str], Any] = {}


@pytest.fixture
def computed_once() -> Iterator[None]:
    """What takes long is computed for one face, and answered to whoever asks the same of any other."""

    def once(compute):
        def answer(*args, **kwargs):
            key = compute.__name__, str([about(each) for each in args if not isinstance(each, Face)]), str(kwargs)
            if key not in _computed:
                _computed[key] = compute(*args, **kwargs)
            return _computed[key]

        return answer

    def about(given):
        if isinstance(given, Explanation):
            return given.model, given.method, given.target, given.params
        return given

    with pytest.MonkeyPatch.context() as patch:
        for name in ("explain", "trusted", "interactions"):
            patch.setattr(pipeline, name, once(getattr(pipeline, name)))
        yield


@pytest.fixture(scope="session")
def client(url) -> Client:
    return Client(url, verbose=False)


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """One client for many requests: each new one reads all of the system's certificates."""
    with httpx.Client(timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def call(url, http):
    """call(name, *arguments) -> the answer's data, or the message of the refusal as an exception."""

    def send(name: str, *arguments):
        asked = http.post(f"{url}gradio_api/call/{name}", json={"data": arguments})
        asked.raise_for_status()
        path = f"{url}gradio_api/call/{name}/{asked.json()['event_id']}"
        lines = http.get(path).text.splitlines()
        data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")][-1]
        if "event: error" in lines:
            raise PermissionError(data["error"] if isinstance(data, dict) else data)
        return data

    return send


@pytest.fixture(scope="session")
def upload(url, http):
    """upload(bytes, name) -> the path that the server answers."""

    def send(data: bytes, name: str = "photo.jpg") -> str:
        answer = http.post(f"{url}gradio_api/upload", files={"files": (name, data)})
        answer.raise_for_status()
        return answer.json()[0]

    return send
