"""The functions as tools of an MCP client: the real client over streamable HTTP."""

import asyncio
import base64
import io
import json

import numpy as np
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from PIL import Image

from app.api.endpoints import ENDPOINTS
from models import photo
from models.types import EMOTIONS
from tests.app.api.conftest import EXAMPLES, NAMES, WITHOUT_PICTURE

PICTURE = (EXAMPLES / "astronaut.jpg").read_bytes()
BASE64 = base64.b64encode(PICTURE).decode()


@pytest.fixture(scope="module")
def session(url):
    """session(function) -> what `await function(client)` returns for a connected client."""

    def connect(function):
        async def talk():
            async with streamablehttp_client(f"{url}gradio_api/mcp/") as (read, write, _):
                async with ClientSession(read, write) as client:
                    await client.initialize()
                    return await function(client)

        return asyncio.run(talk())

    return connect


@pytest.fixture(scope="module")
def call(session):
    """call(name, **arguments) -> the result of a tool."""
    return lambda name, **arguments: session(lambda client: client.call_tool(name, arguments))


def words(result) -> str:
    return result.content[0].text


def test_the_tools_are_the_endpoints_and_say_what_they_do(session):
    tools = session(lambda client: client.list_tools()).tools
    assert [tool.name for tool in tools] == list(ENDPOINTS) and set(ENDPOINTS) == {*NAMES, *WITHOUT_PICTURE}
    for tool in tools:
        assert len(tool.description) > 40
        if tool.name in NAMES:
            assert "base64" in tool.inputSchema["properties"]["image"]["description"]


@pytest.mark.parametrize("image", [BASE64, f"data:image/jpeg;base64,{BASE64}"], ids=["bare", "data address"])
def test_a_picture_in_base64_is_read(call, image):
    result = call("predict", image=image)
    assert not result.isError
    assert json.loads(words(result)) == result.structuredContent
    endpoint = ENDPOINTS["predict"]
    expected = endpoint.answer(photo.read(PICTURE), endpoint.request(image=""))
    (face,), (same,) = result.structuredContent["faces"], expected["faces"]
    assert face["box"] == same["box"]
    for answer, other in zip(face["predictions"], same["predictions"], strict=True):
        assert answer["emotion"] == other["emotion"]
        assert np.allclose(
            [answer["probabilities"][e] for e in EMOTIONS], list(other["probabilities"].values()), atol=0.01
        )


def test_maps_are_left_out_unless_asked_for_and_pictures_come_as_pictures(call):
    bare = call("explain", image=BASE64)
    assert len(bare.content) == 1 and bare.structuredContent["explanation"]["values"] is None
    text, picture = call("explain", image=BASE64, maps="png").content
    assert picture.mimeType == "image/png" and "base64" not in text.text
    with Image.open(io.BytesIO(base64.b64decode(picture.data))) as opened:
        assert opened.format == "PNG" and opened.size == (384, 384)


@pytest.mark.parametrize(
    "image",
    [
        "http://127.0.0.1:1/a.png",
        "https://example.com/a.png",
        "file:///etc/passwd",
        "/etc/passwd",
        str(EXAMPLES / "astronaut.jpg"),
    ],
)
def test_neither_addresses_nor_paths_are_read(call, image):
    result = call("predict", image=image)
    assert result.isError and "in base64" in words(result) and words(result).endswith(".")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("explain", {"model": "alexnet"}, "alexnet"),
        ("explain", {"emotion": "joy"}, "joy"),
        ("explain", {"face": 3}, "No face has this number"),
        ("explain", {"params": {"speed": 1}}, "speed"),
        ("predict", {"paths": 1}, "paths"),
        ("predict", {"model": "cnn", "model_version": "9.9.9"}, "9.9.9"),
        ("read", {}, "'read'"),
        ("show", {}, "'show'"),
    ],
)
def test_wrong_arguments_and_private_functions_are_refused_with_a_sentence(call, name, arguments, said):
    result = call(name, image=BASE64, **arguments)
    assert result.isError and said in words(result)
    assert "Traceback" not in words(result) and "Error(" not in words(result)
