"""Requests as their models describe them, and one sentence for those that are not."""

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from models.errors import ParameterError

Request = TypeVar("Request", bound=BaseModel)

PICTURES = ("image", "video", "file", "files")
"""Fields whose values are repeated to nobody."""
TYPES = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "int_type": "a whole number",
    "string_type": "text",
}
"""By the kind of problem, what is sent instead."""


def read(model: type[Request], values: Mapping[str, Any]) -> Request:
    """A request out of plain JSON values.

    Raises:
        ParameterError: they are not what the model describes.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise refusal(error.errors(), model.model_fields) from None


def refusal(problems: Sequence[Mapping[str, Any]], fields: Iterable[str]) -> ParameterError:
    """What is said of the first problem that pydantic found.

    Args:
        problems: as pydantic lists them.
        fields: the names that the request may have.
    """
    problem = problems[0]
    place = [str(part)[:40] for part in problem["loc"] if part not in ("body", "query")]
    name, kind = " ".join(place), problem["type"]
    if not name:
        return ParameterError(
            "The request is no object of names and values", "", f"Send an object with {', '.join(fields)}"
        )
    if kind == "missing":
        return ParameterError(f"The field {name!r} is missing", "", "Add it; the fields are described at /docs")
    if kind == "extra_forbidden":
        return ParameterError("The name of a field is unknown", repr(name), f"Use one of {', '.join(fields)}")
    received = "" if name.startswith(PICTURES) else reprlib.repr(problem["input"])[:60]
    context = problem.get("ctx", {})
    if kind == "literal_error":
        names = context["expected"].replace("'", "").replace(" or ", ", ").lstrip(", ")
        return ParameterError(f"The value of {name!r} is unknown", received, f"Use one of {names}")
    if kind == "greater_than_equal":
        return ParameterError(f"The value of {name!r} is too small", received, f"Use {context['ge']} or more")
    if kind == "less_than_equal":
        return ParameterError(f"The value of {name!r} is too large", received, f"Use {context['le']} or less")
    advice = f"Send {TYPES[kind]}" if kind in TYPES else "The fields are described at /docs"
    return ParameterError(f"The value of {name!r} is of the wrong type", received, advice)
