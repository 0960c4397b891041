"""The functions of `app.api.endpoints` as tools of the MCP server that Gradio opens at /gradio_api/mcp/.

Gradio itself would write a tool's picture to the disk, download one from an address that a client names, ask
itself over HTTP and answer a dict as Python prints it. Here a tool is called like a REST route: the picture comes
in base64, waits in the same queues, and the answer is JSON, with its pictures beside it.
"""

import inspect
from typing import Any

from mcp import types
from mcp.server import Server
from pydantic import ValidationError

from app.api import endpoints, rest, schemas
from app.error_messages import message
from app.serving import admission
from app.serving.admission import WorkQueue
from models.errors import ParameterError

TAKES = {
    endpoints.detect: schemas.ImageRequest,
    endpoints.predict: schemas.EmotionRequest,
    endpoints.keypoints: schemas.KeypointsRequest,
    endpoints.explain: schemas.ExplanationRequest,
    endpoints.trust: schemas.ExplanationRequest,
    endpoints.compare: schemas.ComparisonRequest,
    endpoints.lab: schemas.LabRequest,
}
"""What each tool takes."""
MAPS = "none"
"""Tools leave maps out unless they are asked for: a language model reads no thousands of numbers."""


def attach(server: Server, queues: dict[str, WorkQueue]) -> None:
    """Let a page's MCP server offer our tools in place of Gradio's.

    Args:
        server: that Gradio made.
        queues: where calls wait, see `app.serving.admission`.
    """
    functions = {function.__name__: function for function in endpoints.ENDPOINTS}

    @server.list_tools()
    async def tools() -> list[types.Tool]:
        return [described(function) for function in functions.values()]

    @server.call_tool()
    async def call(name: str, arguments: dict[str, Any]) -> tuple[list, dict]:
        if name not in functions:
            raise ParameterError("A tool has a name", repr(name)[:40], f"Use one of {', '.join(functions)}")
        function = functions[name]
        queue = queues[endpoints.ENDPOINTS[function]["concurrency_id"]]
        client = admission.client_of(server.request_context.request.scope)
        try:
            found = await rest.run(queue, client, rest.read_json, _request(function, arguments), function)
        except Exception as error:
            raise ValueError(message(error)) from None
        pictures = _taken_out(found)
        return [types.TextContent(type="text", text=rest.written(found)), *pictures], found


def described(function) -> types.Tool:
    """A function of `app.api.endpoints` as a tool: its name, its docstring, and what it takes as a JSON schema."""
    schema = TAKES[function].model_json_schema()
    for field in schema["properties"].values():
        field.pop("title", None)
    if "maps" in schema["properties"]:
        schema["properties"]["maps"]["default"] = MAPS
    return types.Tool(
        name=function.__name__,
        description=inspect.getdoc(function),
        inputSchema={key: schema[key] for key in ("type", "properties", "required", "additionalProperties")},
        annotations=types.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
    )


def _request(function, arguments: dict[str, Any]) -> schemas.ImageRequest:
    takes = TAKES[function]
    unless = {"maps": MAPS} if "maps" in takes.model_fields else {}
    try:
        return takes(**unless | arguments)
    except ValidationError as error:
        rules = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()[:3])
        raise ParameterError(f"A tool is given what its description says. {rules}") from None


def _taken_out(found: Any) -> list[types.ImageContent]:
    """The PNG pictures in an answer, which stay out of its text."""
    pictures = []
    if isinstance(found, dict):
        if found.get("png"):
            data = found["png"].partition(",")[2]
            pictures.append(types.ImageContent(type="image", data=data, mimeType="image/png"))
            found["png"] = None
        found = list(found.values())
    if isinstance(found, list):
        for part in found:
            pictures += _taken_out(part)
    return pictures
