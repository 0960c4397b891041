"""A client of the running page, and calls below it."""

import json
from pathlib import Path

import httpx
import pytest
from gradio_client import Client

from tests import server

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("detect", "predict", "keypoints", "explain", "trust", "report", "compare", "lab", "glass_box")
"""The endpoints that take a picture."""
WITHOUT_PICTURE = ("dataset", "video")


@pytest.fixture(scope="session")
def url() -> str:
    """Where the page runs, with a slash at the end."""
    return server.start().url


@pytest.fixture(scope="session")
def client(url) -> Client:
    return Client(url, verbose=False)


@pytest.fixture(scope="session")
def call(url):
    """call(name, *arguments) -> the answer's data, or the message of the refusal as an exception."""

    def send(name: str, *arguments):
        asked = httpx.post(f"{url}gradio_api/call/{name}", json={"data": arguments}, timeout=60)
        asked.raise_for_status()
        path = f"{url}gradio_api/call/{name}/{asked.json()['event_id']}"
        lines = httpx.get(path, timeout=120).text.splitlines()
        data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")][-1]
        if "event: error" in lines:
            raise PermissionError(data["error"] if isinstance(data, dict) else data)
        return data

    return send


@pytest.fixture(scope="session")
def upload(url):
    """upload(bytes, name) -> the path that the server answers."""

    def send(data: bytes, name: str = "photo.jpg") -> str:
        answer = httpx.post(f"{url}gradio_api/upload", files={"files": (name, data)}, timeout=60)
        answer.raise_for_status()
        return answer.json()[0]

    return send
