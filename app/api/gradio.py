"""The endpoints as Gradio's, listed at /gradio_api/info."""

import inspect
from collections.abc import Callable
from typing import Any

from app.api import validation
from app.api.endpoints import ENDPOINTS, Endpoint
from app.serving import admission
from models.types import Photo


def add_endpoints(open_endpoint: Callable[..., None]) -> None:
    """Open the endpoints on the page that is being built, each in its queue.

    Args:
        open_endpoint: opens one of them, see `app.ui.gradio_overrides.events`.
    """
    for endpoint in ENDPOINTS.values():
        open_endpoint(
            function(endpoint),
            arguments(endpoint),
            endpoint.response_schema(),
            concurrency_id=endpoint.queue,
            concurrency_limit=admission.AT_ONCE[endpoint.queue],
        )


def arguments(endpoint: Endpoint) -> dict[str, dict[str, Any]]:
    """By name, the JSON schema of each argument beside the picture; Gradio shows `additional_description`."""
    properties = endpoint.request_schema()["properties"]
    return {
        name: {**schema, "additional_description": schema["description"]}
        for name, schema in properties.items()
        if name != "image"
    }


def function(endpoint: Endpoint) -> Callable[..., dict[str, Any]]:
    """An endpoint as a function of a photo and one argument a field, with the defaults of its request."""
    fields = {name: field for name, field in endpoint.request.model_fields.items() if name != "image"}

    def call(image: Photo, *values: Any) -> dict[str, Any]:
        given = dict(zip(fields, values, strict=True))
        request = validation.read(endpoint.request, {"image": "", **given})  # the picture came as an upload
        return endpoint.answer(image, request)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind, default=field.default) for name, field in fields.items()]
    call.__name__, call.__doc__ = endpoint.name, endpoint.description
    signature = inspect.Signature([inspect.Parameter("image", kind), *parameters])
    call.__signature__ = signature  # type: ignore[attr-defined]  # what `inspect` reads
    return call
