"""The endpoints as Gradio's, listed at /gradio_api/info."""

import inspect
from collections.abc import Callable
from typing import Any, cast

from app.api import validation
from app.api.endpoints import ENDPOINTS, Endpoint
from models.types import Photo


def add_endpoints(open_endpoint: Callable[..., None]) -> None:
    """Open the endpoints on the page that is being built, each in its queue.

    Args:
        open_endpoint: opens one of them, see `app.ui.gradio_overrides.events`.
    """
    for endpoint in ENDPOINTS.values():
        schema = endpoint.response_schema()
        open_endpoint(function(endpoint), arguments(endpoint), schema, endpoint.media, endpoint.queue)


def arguments(endpoint: Endpoint) -> dict[str, dict[str, Any]]:
    """By name, the JSON schema of each argument beside the picture; Gradio shows `additional_description`."""
    properties = endpoint.request_schema()["properties"]
    return {
        name: {**schema, "additional_description": schema["description"]}
        for name, schema in properties.items()
        if name != endpoint.media
    }


def function(endpoint: Endpoint) -> Callable[..., dict[str, Any]]:
    """An endpoint as a function of a photo or clip, where it takes one, and one argument a field, with its defaults."""
    fields = {name: field for name, field in endpoint.request.model_fields.items() if name != endpoint.media}

    def with_media(about: Photo | bytes, *values: Any) -> dict[str, Any]:
        given = dict(zip(fields, values, strict=True))
        request = validation.read(endpoint.request, {endpoint.media: "", **given})  # that came as an upload
        return endpoint.answer(about, request)

    def without(*values: Any) -> dict[str, Any]:
        given = dict(zip(fields, values, strict=True))
        return endpoint.answer(None, validation.read(endpoint.request, given))

    call: Any = with_media if endpoint.media else without
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    first = [inspect.Parameter(endpoint.media, kind)] if endpoint.media else []
    parameters = [inspect.Parameter(name, kind, default=field.default) for name, field in fields.items()]
    call.__name__, call.__doc__ = endpoint.name, endpoint.description
    call.__signature__ = inspect.Signature([*first, *parameters])  # what `inspect` reads
    return cast(Callable[..., dict[str, Any]], call)
