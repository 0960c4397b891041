"""Gradio's route for uploads, which takes a few files a request and leaves nothing behind of one that fails."""

import errno
import logging
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from gradio import route_utils, routes
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.security import exchange
from app.security.refusals import Refusal
from app.serving import admission
from app.ui import uploads

log = logging.getLogger(__name__)

FILES = 16
"""Files of one request, as in a batch of the REST API."""
NO_SPACE = Refusal(
    503,
    "NoSpace",
    "The picture could not be stored: the server's disk is full or cannot be written",
    "Try again in a minute, or send the picture to POST /predict, which stores none",
    (("Retry-After", "60"),),
)

_parts: ContextVar[list[Any]] = ContextVar("parts")
_original = route_utils.upload_fn


class FewFilesParser(route_utils.GradioMultiPartParser):
    """Gradio's, with our number of files; what it writes is noted for `receive`."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs | {"max_files": FILES, "max_fields": FILES})
        self._files_to_close_on_error = _parts.get([])


async def receive(request: Request, *args: Any, **kwargs: Any) -> tuple[list[Any], list[str], list[str]]:
    """Gradio's `upload_fn`; a part that did not become an upload is deleted, whatever went wrong.

    Raises:
        HTTPException: the disk is full; the request is then refused with `NO_SPACE`.
        what Gradio's raises.
    """
    parts: list[Any] = []
    noted = _parts.set(parts)
    try:
        stored, unmoved, _ = await _original(request, *args, **kwargs)
        if unmoved:
            raise OSError(errno.ENOSPC, "a file could not be renamed")
    except OSError as error:
        log.error("an upload could not be stored: %s", error.strerror)
        if exchange.KEY in request.scope:
            exchange.of(request.scope).refuse(NO_SPACE)
        raise HTTPException(NO_SPACE.status, f"{NO_SPACE.happened}. {NO_SPACE.advice}.") from None
    finally:
        _parts.reset(noted)
        for part in parts:
            with suppress(OSError):
                part.close()
            with suppress(OSError):
                Path(part.name).unlink()  # an upload has another name by now
    uploads.ALL.arrived(admission.client_of(request.scope), [Path(path) for path in stored])
    return stored, [], []


def limit() -> None:
    """Let Gradio's routes use it."""
    vars(routes)["upload_fn"] = receive
    vars(route_utils)["GradioMultiPartParser"] = FewFilesParser
