"""The endpoints as tools of the MCP server that Gradio opens at /gradio_api/mcp/.

Gradio itself would write a tool's picture to the disk, download one from an address that a client names, ask
itself over HTTP and answer a dict as Python prints it. Here a tool is called like a REST route: the picture comes
in base64, waits in the same queues, and the answer is JSON, with its pictures beside it.
"""

import json
from typing import Any, cast

from mcp import types
from mcp.server import Server
from starlette.requests import Request

from app.api import rest, validation
from app.api.endpoints import ENDPOINTS, Endpoint
from app.error_messages import message
from app.serving import admission
from app.serving.admission import WorkQueue
from models.errors import UnknownNameError

MAPS = "none"
"""Tools leave maps out unless they are asked for: a language model reads no thousands of numbers."""


def attach(server: Server, queues: dict[str, WorkQueue]) -> None:
    """Let a page's MCP server offer our tools in place of Gradio's.

    Args:
        server: that Gradio made.
        queues: where calls wait, see `app.serving.admission`.
    """

    @server.list_tools()
    async def tools() -> list[types.Tool]:
        return [described(endpoint) for endpoint in ENDPOINTS.values()]

    @server.call_tool(validate_input=False)
    async def call(
        name: str, arguments: dict[str, Any]
    ) -> tuple[list[types.TextContent | types.ImageContent], dict[str, Any]]:
        try:
            if name not in ENDPOINTS:
                raise UnknownNameError(
                    "The name of the tool is unknown", repr(name)[:40], f"Use one of {', '.join(ENDPOINTS)}"
                )
            endpoint = ENDPOINTS[name]
            given = {"maps": MAPS, **arguments} if "maps" in endpoint.request.model_fields else arguments
            request = validation.read(endpoint.request, given)
            client = admission.client_of(cast(Request, server.request_context.request).scope)
            found = await rest.run(queues[endpoint.queue], client, rest.answer_json, endpoint, request)
        except Exception as error:
            raise ValueError(message(error)) from None
        pictures = _taken_out(found)
        return [types.TextContent(type="text", text=json.dumps(found, allow_nan=False)), *pictures], found


def described(endpoint: Endpoint) -> types.Tool:
    """An endpoint as a tool: its name, its description, and what it takes and answers as JSON schemas."""
    takes = endpoint.request_schema()
    if "maps" in takes["properties"]:
        takes["properties"]["maps"]["default"] = MAPS
    return types.Tool(
        name=endpoint.name,
        description=endpoint.description,
        inputSchema=takes,
        outputSchema=endpoint.response_schema(),
        annotations=types.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
    )


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
