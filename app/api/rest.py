"""The REST API: the endpoints as routes, and what a server tells of itself.

Pictures come as files (`/predict`) or in JSON as base64 (`/predict` and `/api/v1/...`). What computes waits in a
queue (`app.serving.admission`), whose threads also decode the pictures, so that the event loop only passes
things on.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, cast

import fastapi_offline
from fastapi import APIRouter, FastAPI, Query, Request, Response, UploadFile
from fastapi.openapi.docs import get_redoc_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.routing import Route

from app import VERSION
from app.api import answers, errors, requests, validation
from app.api.endpoints import ENDPOINTS, Endpoint
from app.api.request_counter import RequestCounter
from app.serving import admission, engines, metrics, reports
from app.serving.admission import Answer, Given, WorkQueue
from models import photo, zoo
from models.errors import BusyError, ParameterError
from models.types import EMOTIONS

MOST_FILES = 16
"""Pictures of a batch; their bytes together are limited as those of any request."""
WAIT = 5
"""Seconds after which a server that is loading its models is worth another look."""
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"

ABOUT = """
FaceWhy reads the emotion in a face with three networks and shows why they say so.
A network guesses how a face looks, not what a person feels.

Pictures are read in memory and forgotten. An error is always
`{"error": {"code": …, "message": …, "advice": …}}`.
"""
MEANINGS = {
    400: "The request cannot be read.",
    404: "There is no such model or version.",
    413: "The request or the picture is too large.",
    415: "No picture, or a body of another type.",
    422: "A value is wrong, or no face was found.",
    429: "Too many requests came from this address.",
    503: "Too many ask at once, or the model cannot be used; Retry-After says when to come back.",
}

router = APIRouter()


def create(queues: dict[str, WorkQueue] | None = None) -> FastAPI:
    """An application with the REST routes and their documentation at /docs, whose assets are our own.

    Args:
        queues: where calls wait, see `app.serving.admission`; None for new ones.
    """
    application = FastAPIOffline(
        title="FaceWhy",
        version=VERSION,
        description=ABOUT,
        generate_unique_id_function=lambda route: route.name,
        redoc_url=None,
    )
    application.add_api_route("/redoc", redoc, include_in_schema=False)
    application.add_api_route("/redoc.js", redoc_script, include_in_schema=False)
    application.state.queues = admission.create() if queues is None else queues
    application.add_middleware(RequestCounter, endpoints=frozenset(ENDPOINTS))
    application.include_router(router)
    errors.add(application)
    for route in (each for each in router.routes if isinstance(each, APIRoute)):
        methods = ", ".join(sorted(route.methods or ()))
        application.router.routes.append(Route(route.path, errors.FixedStatus(405, methods)))
    for path in ("/api", "/api/{rest:path}"):
        application.router.routes.append(Route(path, errors.FixedStatus(404)))
    return application


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": errors.ErrorResponse, "description": MEANINGS[status]} for status in statuses}


COMPUTING = _errors(*MEANINGS)


async def redoc(request: Request) -> HTMLResponse:
    """The description as Redoc draws it."""
    root = request.scope.get("root_path", "")
    return get_redoc_html(
        openapi_url=f"{root}/openapi.json",
        title="FaceWhy",
        redoc_js_url=f"{root}/redoc.js",
        redoc_favicon_url=f"{root}/favicon.ico",
        with_google_fonts=False,
    )


@cache
def redoc_script() -> Response:
    """Redoc itself, less the logo that it would fetch from its makers."""
    script = (Path(fastapi_offline.__file__).parent / "static" / "redoc.standalone.js").read_text(encoding="utf-8")
    return Response(script.replace(LOGO, "data:,"), media_type="text/javascript")


# --------------------------------------------------------------- about the server


@router.get("/health", tags=["server"], responses=_errors(422, 503))
async def health(
    response: Response,
    ready: Annotated[bool, Query(description="Answer 503 until faces can be read.")] = False,
) -> answers.Health:
    """Whether the server is alive, and which models are ready; never waits for a model."""
    status = await asyncio.to_thread(engines.current().health)  # a cluster's is asked for over the network
    able = zoo.ready(status)
    if ready and not able:
        raise BusyError("The models are still loading", "", f"Try again in {WAIT} s", seconds=WAIT)
    models: dict[str, answers.ModelHealth] = {
        name: {"state": found.state, "version": found.version, "source": found.source, "revision": found.revision}
        for name, found in status.items()
    }
    return {"alive": True, "ready": able, "models": models}


@router.get("/metrics", tags=["server"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def tell_metrics(request: Request) -> Response:
    """Counts and times of this server in Prometheus' text format."""
    return Response(metrics.text(request.app.state.queues), media_type=CONTENT_TYPE_LATEST)


@router.get("/emotions", tags=["server"])
async def emotions() -> answers.EmotionNames:
    """The emotions that the models tell apart, in their order everywhere."""
    return {"emotions": list(EMOTIONS)}


@router.get("/models", tags=["server"])
def models() -> answers.Models:
    """What is known about each model: where it came from, what it was measured to do, and what it cannot."""
    return {"models": [_facts(name, status) for name, status in engines.current().health().items()]}


# ------------------------------------------------------------------- pictures in JSON


def add_route(endpoint: Endpoint) -> None:
    """Open an endpoint as a route that takes JSON."""

    async def answer(request: Request, body: endpoint.request) -> Response:  # type: ignore[name-defined]
        return await _answer(request, endpoint, answer_json, body)

    router.add_api_route(
        f"/api/v1/{endpoint.route}",
        answer,
        methods=["POST"],
        name=endpoint.route.replace("/", "_"),
        description=endpoint.description,
        response_model=endpoint.response,
        responses=COMPUTING,
        tags=["v1"],
    )


for _endpoint in ENDPOINTS.values():
    add_route(_endpoint)


# ---------------------------------------------------------------- pictures as files

PREDICT = ENDPOINTS["predict"]


class FileOrJSON(APIRoute):
    """A route of files that takes JSON as well."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        with_file = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await (
                predict_json(request) if errors.media_type(request) == "application/json" else with_file(request)
            )

        return handle


async def predict(request: Request, file: UploadFile) -> Response:
    """What the three models see in every face of a picture, as a file or in JSON like /api/v1/predict/emotion."""
    parts = (await request.form()).multi_items()
    files = sum(not isinstance(value, str) for _, value in parts)
    if files > 1:
        raise ParameterError(
            "The form holds more than one file",
            f"{files} files",
            f"Send one as 'file', or up to {MOST_FILES} as 'files' to POST /predict/batch",
        )
    return await _answer(request, PREDICT, answer_file, file)


async def predict_json(request: Request) -> Response:
    """The same for a body in JSON."""
    try:
        values = await request.json()
    except (ValueError, RecursionError):
        return errors.respond(400, errors.of_http(400, "The body is no JSON"))
    return await _answer(request, PREDICT, answer_json, validation.read(PREDICT.request, values))


router.add_api_route(
    "/predict",
    predict,
    methods=["POST"],
    response_model=PREDICT.response,
    responses=COMPUTING,
    tags=["files"],
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{PREDICT.request.__name__}"}}}
        }
    },
    route_class_override=FileOrJSON,
)


@router.post("/predict/batch", tags=["files"], response_model=answers.BatchResponse, responses=COMPUTING)
async def predict_batch(request: Request, files: list[UploadFile]) -> Response:
    """What the three models see in every face of up to 16 pictures; an error of one is in its place."""
    if len(files) > MOST_FILES:
        raise ParameterError(
            "The batch has too many pictures",
            str(len(files)),
            f"Send {MOST_FILES} at most, and the rest in another batch",
        )
    started = perf_counter()
    queue = request.app.state.queues[PREDICT.queue]
    client = admission.client_of(request.scope)
    jobs = [run(queue, client, answer_file, PREDICT, file) for file in files]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    busy = [result for result in results if isinstance(result, BusyError)]
    if busy and len(busy) == len(results):
        raise busy[0]
    answers = [errors.body_of(result) if isinstance(result, Exception) else result for result in results]
    return JSONResponse({"results": answers, "milliseconds": _milliseconds(started)})


# ------------------------------------------------------------------------ parts


async def _answer(request: Request, endpoint: Endpoint, work: Callable[[Endpoint, Any], Any], given: Any) -> Response:
    queue, client = request.app.state.queues[endpoint.queue], admission.client_of(request.scope)
    try:
        return await run(queue, client, lambda: JSONResponse(work(endpoint, given)))
    except Exception as error:
        return errors.response_to(error)


async def run(queue: WorkQueue, client: str, work: Callable[[*Given], Answer], *args: *Given) -> Answer:
    """What a function returns that waits for its turn in a queue.

    Args:
        queue: of its kind of work.
        client: who asks, see `admission.client_of`.
        work: with args, what is called.

    Raises:
        BusyError: the queue has no place for this client.
        what the function raises.
    """
    queued = perf_counter()

    def timed() -> Answer:
        metrics.took("wait", perf_counter() - queued)
        return work(*args)

    return await queue.run(timed, client=client)


def answer_file(endpoint: Endpoint, file: UploadFile) -> dict[str, Any]:
    """An endpoint's answer to a file with all else at its default.

    Raises:
        FaceWhyError: as the endpoint, or the file is no picture.
    """
    started = perf_counter()
    with metrics.stage("decode"):
        picture = photo.read(file.file.read(photo.MAX_BYTES + 1))
    return endpoint.answer(picture, endpoint.request.model_validate({"image": ""}), started)


def answer_json(endpoint: Endpoint, body: requests.Request) -> dict[str, Any]:
    """An endpoint's answer to a request that holds its picture or clip, where it takes one.

    Raises:
        FaceWhyError: as the endpoint, or the picture is none.
    """
    started = perf_counter()
    if not endpoint.media:
        return endpoint.answer(None, body, started)
    with metrics.stage("decode"):
        given = endpoint.decode(body)
    return endpoint.answer(given, body, started)


def _milliseconds(started: float) -> float:
    return round(1000 * (perf_counter() - started), 1)


def _facts(name: str, status: zoo.Status) -> answers.ModelFacts:
    facts: dict[str, Any] = dict.fromkeys(answers.ModelFacts.__annotations__) | {"name": name, "state": status.state}
    if status.state == "ready":
        report = engines.current().card(name)
        of_card = ("architecture", "version", "date", "parameters", "metrics", "licence", "sha256")
        facts |= {field: getattr(report.card, field) for field in of_card} | {
            "versions": list(report.versions),
            "source": status.source,
            "revision": status.revision,
            "methods": report.methods,
            "recommended_method": reports.recommended(report.trust) if report.methods else None,
            "data": list(report.card.data),
            "limits": list(report.card.limits),
        }
    return cast(answers.ModelFacts, facts)
