"""One description an endpoint: whatever interface a program uses, it finds the same arguments, answers and refusals."""

import asyncio
import base64
import json
import re

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from pydantic import TypeAdapter

from app.api import mcp
from app.api.endpoints import ENDPOINTS
from models import photo
from tests.app.api.conftest import EXAMPLES
from tests.app.api.test_interfaces import TOLERANCE
from tests.app.test_clips import film

PICTURE = (EXAMPLES / "astronaut.jpg").read_bytes()
QUICK = {
    "explain": {"model": "resnet", "emotion": "sad", "against": "happy", "method": "gradcam"},
    "trust": {"method": "gradcam", "emotion": "happy"},
    "report": {"method": "gradcam", "output": "evidence"},
    "compare": {"emotion": "angry", "against": "happy"},
    "lab": {"experiment": {"steps": [{"do": "hide", "region": "mouth"}]}, "emotion": "happy", "method": "gradcam"},
    "dataset": {
        "label": "fear",
        "ranges": {"brightness": [0.2, None]},
        "bins": 3,
        "examples": 2,
        "points": 20,
        "terms": "sad",
    },
}
"""What is asked of the endpoints that take long, or answer much."""
pytestmark = pytest.mark.usefixtures("computed_once")
every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=list(ENDPOINTS))


@pytest.fixture(scope="module")
def info(url) -> dict:
    return httpx.get(f"{url}gradio_api/info").json()["named_endpoints"]


@pytest.fixture(scope="module")
def openapi(url) -> dict:
    return httpx.get(f"{url}openapi.json").json()


@pytest.fixture(scope="module")
def tools(url):
    """tools(calls) -> the results of MCP tools, called in one session; and the tools themselves without calls."""

    def run(calls: list[tuple[str, dict]] | None = None):
        async def talk():
            async with streamablehttp_client(f"{url}gradio_api/mcp/") as (read, write, _):
                async with ClientSession(read, write) as client:
                    await client.initialize()
                    if calls is None:
                        return {tool.name: tool for tool in (await client.list_tools()).tools}
                    return [await client.call_tool(name, arguments) for name, arguments in calls]

        return asyncio.run(talk())

    return run


@pytest.fixture(scope="module")
def media(tmp_path_factory) -> dict[str, bytes]:
    """What endpoints are about, by the name of the field."""
    path = tmp_path_factory.mktemp("clip") / "film.mp4"
    return {"image": PICTURE, "video": film(path, photo.read(PICTURE).pixels, count=3)}


@pytest.fixture
def ask(url, http, call, upload, tools, media):
    """ask(endpoint, arguments, ...) -> for each, by interface, the answer, or the sentences of the refusal."""

    def send(endpoint, *asked: dict) -> list[dict]:
        data, name = media.get(endpoint.media), endpoint.media
        body = {name: base64.b64encode(data).decode()} if name else {}
        maps = {"maps": "arrays"} if "maps" in endpoint.request.model_fields else {}
        of_mcp = tools([(endpoint.name, {**maps, **body, **arguments}) for arguments in asked])
        return [
            {
                "Gradio": of_gradio(endpoint, data, arguments),
                "REST": of_rest(endpoint, {**body, **arguments}),
                "MCP": tool.content[0].text if tool.isError else tool.structuredContent,
            }
            for arguments, tool in zip(asked, of_mcp, strict=True)
        ]

    def of_gradio(endpoint, data, arguments):
        name = endpoint.media
        image = [{"path": upload(data, f"{name}.mp4"), "meta": {"_type": "gradio.FileData"}}] if name else []
        defaults = {key: field.default for key, field in endpoint.request.model_fields.items() if key != name}
        try:
            [answer] = call(endpoint.name, *image, *(defaults | arguments).values())
        except PermissionError as refused:
            return str(refused)
        return answer

    def of_rest(endpoint, body):
        answer = http.post(f"{url}api/v1/{endpoint.route}", json=body).json()
        error = answer.get("error")
        return f"{error['message']} {error['advice']}" if error else answer

    return send


def described(schema: dict) -> dict:
    """What a JSON schema says of each field, less what one interface adds; OpenAPI leaves out defaults of null."""
    extra = ("title", "additional_description")
    return {
        name: {key: value for key, value in field.items() if key not in extra and value is not None}
        for name, field in schema["properties"].items()
    }


@every_endpoint
def test_every_interface_describes_the_same_arguments(endpoint, info, openapi, tools):
    expected = endpoint.request_schema()
    fields = described(expected)
    assert all(field["description"].endswith(".") for field in fields.values())
    others = info[f"/{endpoint.name}"]["parameters"]
    if endpoint.media:
        image, *others = others
        assert image["parameter_name"] == endpoint.media and not image["parameter_has_default"]
    assert [one["parameter_name"] for one in others] == [name for name in fields if name != endpoint.media]
    for one in others:
        field = fields[one["parameter_name"]]
        assert one["parameter_has_default"] and one["parameter_default"] == field.get("default")
        assert one["python_type"]["description"] == field["description"]
        assert described({"properties": {"it": one["type"]}})["it"] == field
    route = openapi["paths"][f"/api/v1/{endpoint.route}"]["post"]
    reference = route["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert described(openapi["components"]["schemas"][reference.rpartition("/")[2]]) == fields
    if "maps" in fields:
        fields["maps"] |= {"default": mcp.MAPS}
    tool = tools()[endpoint.name]
    assert described(tool.inputSchema) == fields and tool.inputSchema.get("required", []) == [endpoint.media] * bool(
        endpoint.media
    )
    assert {tool.description, route["description"], info[f"/{endpoint.name}"]["description"]} == {endpoint.description}


@every_endpoint
def test_every_interface_describes_and_gives_the_same_answer(endpoint, info, openapi, tools, ask):
    expected = endpoint.response_schema()
    [returned] = info[f"/{endpoint.name}"]["returns"]
    assert returned["type"] == tools()[endpoint.name].outputSchema == expected
    route = openapi["paths"][f"/api/v1/{endpoint.route}"]["post"]
    reference = route["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    named = openapi["components"]["schemas"][reference.rpartition("/")[2]]
    assert set(named["properties"]) == set(expected["properties"])
    [answers] = ask(endpoint, QUICK.get(endpoint.name, {}))
    for interface, answer in answers.items():
        assert TypeAdapter(endpoint.response).validate_python(answer, strict=True) == answer, interface
        assert numbers(answer) == pytest.approx(numbers(answers["REST"]), abs=TOLERANCE), interface


@every_endpoint
def test_every_interface_refuses_the_same_values_with_the_same_words(endpoint, ask):
    fields = endpoint.request_schema()["properties"]
    asked = [(name, value) for name in fields if name != endpoint.media for value in wrong(fields[name])]
    for (name, _), said in zip(asked, ask(endpoint, *({name: value} for name, value in asked)), strict=True):
        assert len(set(said.values())) == 1, said
        sentences = said["REST"]
        assert name in sentences and sentences.endswith(".") and "Received: " in sentences, sentences
        assert re.search(r"(Use|Send|Choose) [^.]+\.$", sentences), sentences


@every_endpoint
def test_names_are_understood_in_capitals(endpoint):
    fields = endpoint.request_schema()["properties"]
    names = {name: field["enum"][-1] for name, field in fields.items() if "enum" in field}
    image = {endpoint.media: ""} if endpoint.media else {}
    read = endpoint.request(**image, **{name: f" {value.upper()}" for name, value in names.items()})
    assert {name: getattr(read, name) for name in names} == names


def wrong(field: dict) -> list:
    """Values that a field does not take."""
    if "enum" in field:
        return [5, None, ["cnn"]] + ["nonsense"] * (field["enum"][-1] != "vgg16")  # a model is looked for by its name
    types = {field.get("type"), *(one.get("type") for one in field.get("anyOf", ()))}
    if "boolean" in types:
        return ["yes", 1, None]
    if "integer" in types:
        over = [field["maximum"] + 1] if "maximum" in field else []
        return [field.get("minimum", 0) - 1, "first", True, 0.5, *over]
    if "object" in types:
        return ["fast", [1], True]
    return [5, ["x"]]


def numbers(answer) -> dict[str, float | str]:
    """Every value of an answer by its place, but how long it took and what is worded after rounded numbers."""
    flat: dict[str, float] = {}

    def walk(value, place):
        if isinstance(value, dict | list):
            for key, part in value.items() if isinstance(value, dict) else enumerate(value):
                if key not in ("seconds", "milliseconds", "words", "sentence", "content"):
                    walk(part, f"{place}/{key}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[place] = float(value)
        else:
            flat[f"{place}={json.dumps(value)}"] = 0.0

    walk(answer, "")
    return flat
