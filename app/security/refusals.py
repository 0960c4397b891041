"""Requests that are not let through, and how they are answered."""

import json
from dataclasses import dataclass

from models import photo


@dataclass(frozen=True)
class Refusal:
    """Why a request is not let through.

    Attributes:
        status: of HTTP.
        code: a stable name for programs.
        happened: what is wrong, one sentence without the full stop.
        advice: what to do, likewise.
        headers: of the answer.
    """

    status: int
    code: str
    happened: str
    advice: str
    headers: tuple[tuple[str, str], ...] = ()

    def body(self, path: str) -> bytes:
        """The answer as JSON for a path as routes match it; under /gradio_api/, clients look for `detail`."""
        message, advice = f"{self.happened}.", f"{self.advice}."
        detail = {"detail": f"{message} {advice}"} if path.startswith("/gradio_api/") else {}
        return json.dumps({"error": {"code": self.code, "message": message, "advice": advice}, **detail}).encode()


class Refused(Exception):
    """Ends a request that is not let through.

    It is made anew for each one: an exception that is raised twice keeps the frames of the first time too, and in them
    the request.

    Attributes:
        refusal: why.
    """

    def __init__(self, refusal: Refusal):
        super().__init__(refusal)
        self.refusal = refusal


UNEXPECTED = Refusal(500, "Unexpected", "Something went wrong on our side", "Please try again")
NOTHING_HERE = Refusal(
    404, "NotFound", "Nothing was found at this address", "The endpoints are described at /docs and /gradio_api/info"
)
PACKED = Refusal(
    415, "UnsupportedEncoding", "The request came compressed, which cannot be read here", "Leave out Content-Encoding"
)
MALFORMED = Refusal(400, "BadRequest", "The request could not be read", "The endpoints are described at /docs")
SLOW = Refusal(408, "TooSlow", "The request came too slowly", "Send a smaller picture, or try a faster connection")
BUSY = Refusal(
    503, "Busy", "Too many pictures are on their way to us", "Wait a moment and try again", (("Retry-After", "5"),)
)
UNKNOWN_HOST = Refusal(
    421,
    "UnknownHost",
    "The request was sent to a name that is not known here",
    "Use the server's own name, or have its owner list this one in FACEWHY_HOSTS",
)
METRICS = Refusal(
    403,
    "NotAllowed",
    "The metrics were refused to your address",
    "Have the server's owner list it in FACEWHY_METRICS",
)
LOCKED = Refusal(
    401,
    "NotAuthorized",
    "The name and password of this server are missing or wrong",
    "Send them as HTTP Basic",
    (("WWW-Authenticate", 'Basic realm="FaceWhy", charset="UTF-8"'),),
)


def foreign(headers: tuple[tuple[str, str], ...]) -> Refusal:
    """What a page of another site is told; `headers` let its script read it."""
    return Refusal(
        403,
        "NotAllowed",
        "The request came from a page of another site and was refused",
        "Open FaceWhy itself, or have its owner list your site in FACEWHY_ORIGINS",
        headers,
    )


def too_large(limit: int) -> Refusal:
    """What is said of a body, or a photo, above `limit` bytes."""
    return Refusal(
        413,
        "RequestTooLarge",
        f"The request is too large: over {limit / 2**20:.0f} MiB, or a photo of over {photo.MAX_BYTES // 2**20} MiB",
        "Save the picture smaller and try again",
    )


def too_often(seconds: float) -> Refusal:
    """What a client is told that has to wait so long."""
    wait = max(1, round(seconds + 0.5))
    return Refusal(
        429,
        "RateLimited",
        "Too many requests came from your address",
        f"Try again in {wait} s",
        (("Retry-After", str(wait)),),
    )
