"""The one shape in which the REST API says that something is wrong."""

import json
import logging
import traceback

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import TypedDict

from app.api import validation
from app.error_messages import UNAVAILABLE, UNEXPECTED
from models.errors import (
    BusyError,
    ClipError,
    ClipTooLargeError,
    DatasetError,
    FaceWhyError,
    NoFaceError,
    ParameterError,
    PhotoError,
    PhotoTooLargeError,
    UnknownModelError,
    UnknownNameError,
    UnreadableClipError,
    UnreadablePhotoError,
    UnsuitableMethodError,
    WeightsError,
)

log = logging.getLogger(__name__)

STATUS: dict[type[FaceWhyError], int] = {
    PhotoTooLargeError: 413,
    UnreadablePhotoError: 415,
    PhotoError: 422,
    ClipTooLargeError: 413,
    UnreadableClipError: 415,
    ClipError: 422,
    NoFaceError: 422,
    UnknownModelError: 404,
    UnknownNameError: 422,
    ParameterError: 422,
    UnsuitableMethodError: 422,
    WeightsError: 503,
    DatasetError: 503,
    BusyError: 503,
}
"""The status of each error, an error's own before that of those that it is one of."""
LATER = 60
"""Seconds after which a model that could not be loaded is worth another try."""
DESCRIBED = "The requests are described at /docs"
OF_HTTP = {
    400: ("BadRequest", "The request cannot be read", DESCRIBED),
    404: ("NotFound", "There is nothing here", DESCRIBED),
    405: ("MethodNotAllowed", "The method does not fit the address", "Use one that the header Allow names"),
    413: ("RequestTooLarge", "The request is too large", "Send a smaller picture, or fewer at once"),
    415: ("UnsupportedMediaType", "The type of the body does not fit the route", DESCRIBED),
}
"""Code, message and advice of what is wrong before our own functions are asked."""


class Problem(TypedDict):
    code: str
    message: str
    advice: str


class ErrorResponse(TypedDict):
    """What every answer with a status of 400 or more holds."""

    error: Problem


def add(application: FastAPI) -> None:
    """Answer every error of an application in our shape."""
    application.exception_handler(RequestValidationError)(_misfit)
    application.exception_handler(HTTPException)(_of_http)
    application.exception_handler(FaceWhyError)(lambda request, error: response_to(error))
    application.exception_handler(Exception)(_accident)


def _accident(request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, HTTPException):  # in the middle of an answer, which is its client's doing
        return _of_http(request, error.__cause__)
    if isinstance(error, ClientDisconnect):  # nobody is left to read an answer, and nothing went wrong here
        return respond(400, of_http(400))
    return response_to(error)


def status_of(error: Exception) -> int:
    """The status of HTTP for anything that was raised."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def body_of(error: Exception) -> ErrorResponse:
    """What a client is told of anything that was raised.

    What is not meant for clients, an accident or the reason why weights are refused, goes to the log, without
    the message of an accident, which could name a visitor's file.
    """
    if isinstance(error, WeightsError):
        log.error("%s", error)
        return _plain(error.code, UNAVAILABLE)
    if isinstance(error, FaceWhyError):
        received = f". Received: {error.received.rstrip('. ')}" if error.received else ""
        return _said(error.code, f"{error.happened.rstrip('. ')}{received}", (error.advice or DESCRIBED).rstrip(". "))
    log.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return _plain("Unexpected", UNEXPECTED)


def response_to(error: Exception) -> Response:
    """The answer to a request that raised something."""
    headers = {}
    if isinstance(error, BusyError):
        headers["Retry-After"] = str(error.seconds)
    elif isinstance(error, WeightsError):
        headers["Retry-After"] = str(LATER)
    return respond(status_of(error), body_of(error), headers)


def respond(status: int, body: ErrorResponse, headers: dict[str, str] | None = None) -> Response:
    """A response with a body in our shape, in ASCII, for what clients wrote may hold what UTF-8 cannot."""
    return Response(json.dumps(body), status, headers, "application/json")


def of_http(status: int, message: str = "") -> ErrorResponse:
    """The body for a status of HTTP, with our usual message or another one."""
    code, usual, advice = OF_HTTP.get(status, ("BadRequest" if status < 500 else "Unexpected", "", DESCRIBED))
    return _said(code, message or usual or "The request cannot be answered", advice)


class FixedStatus:
    """An ASGI app that answers every request with a status of HTTP.

    Args:
        status: 404 or 405.
        methods: those that would be right, for 405.
    """

    def __init__(self, status: int, methods: str = ""):
        self.status, self.headers = status, {"Allow": methods} if methods else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = respond(self.status, of_http(self.status), self.headers)
        await response(scope, receive, send)


def _said(code: str, message: str, advice: str) -> ErrorResponse:
    return {"error": {"code": code, "message": f"{message}.", "advice": f"{advice}."}}


def _plain(code: str, sentences: str) -> ErrorResponse:
    """The same for sentences of the page, the last of which says what to do."""
    message, _, advice = sentences.removesuffix(".").rpartition(". ")
    return _said(code, message, advice)


def media_type(request: Request) -> str:
    """The type of a request's body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _of_http(request: Request, error: HTTPException) -> Response:
    return respond(error.status_code, of_http(error.status_code), dict(error.headers or {}))


def _misfit(request: Request, error: RequestValidationError) -> Response:
    """What is said of a request that is not as its route describes it."""
    problems = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return respond(400, of_http(400, "The body is no JSON"))
    body = getattr(request.scope.get("route"), "body_field", None)
    model = body.field_info.annotation if body else None
    if body and media_type(request) != body.field_info.media_type:
        return respond(415, of_http(415))
    fields = getattr(model, "model_fields", None) or {problem["loc"][-1]: None for problem in problems}
    return response_to(validation.refusal(problems, fields))
