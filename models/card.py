"""The card of a set of weights: all that is known about it, as `card.json` beside the file."""

import dataclasses
import json
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date as calendar
from pathlib import Path
from typing import Any

from models.errors import WeightsMismatchError, WeightsNotFoundError

FILE = "card.json"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Input:
    """What a network takes.

    Attributes:
        side: height and width in pixels.
        channels: 1 for grey.
        range: the values of black and white.
    """

    side: int
    channels: int
    range: tuple[float, float]


@dataclass(frozen=True)
class Training:
    """How a set of weights came about.

    Attributes:
        config: the training configuration, as plain JSON.
        epochs: epochs done.
        hours: wall time.
        run: the name of the run's folder.
        data_sha256: of the data file, 64 hexadecimal digits.
        git_commit: what the code was when the run began.
        backend: what Keras computed with.

    The last four are "unknown" where the run did not write them down.
    """

    config: dict[str, Any]
    epochs: int
    hours: float
    run: str = UNKNOWN
    data_sha256: str = UNKNOWN
    git_commit: str = UNKNOWN
    backend: str = UNKNOWN


@dataclass(frozen=True)
class Card:
    """All facts about one set of weights.

    Attributes:
        name: of the set, which is also its folder's.
        architecture: a key of `zoo.ARCHITECTURES`.
        version: counts up, such as "1.0.0".
        date: of the export, as YYYY-MM-DD.
        input: see `Input`.
        labels: one per output, in order.
        cam_layer: the layer whose maps Grad-CAM weighs; None where there is none.
        temperature: what logits are divided by before the softmax (Guo et al. 2017, arXiv 1706.04599).
        metrics: measured results by name, plain JSON.
        data: what it was trained on, one line a source.
        training: see `Training`.
        licence: of the weights.
        limits: known weaknesses and biases, one sentence each.
        parameters: how many numbers the file holds.
        sha256: of `model.safetensors`, 64 hexadecimal digits.
        exports: what was measured of each format that the weights were exported to, see `training.release.formats`.
    """

    name: str
    architecture: str
    version: str
    date: str
    input: Input
    labels: tuple[str, ...]
    cam_layer: str | None
    temperature: float
    metrics: dict[str, Any]
    data: tuple[str, ...]
    training: Training
    licence: str
    limits: tuple[str, ...]
    parameters: int
    sha256: str
    exports: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_fields(self, f"The card of {self.name!r}")

    def to_json(self) -> str:
        """The text of `card.json`."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str, source: str = FILE) -> Card:
    """A card from the text of a `card.json`.

    Every field of `Card` without a default must be there. A field that `Card` does not know is
    ignored, so that a newer card can be read; a misspelt one is noticed because the right one is then
    missing.

    Args:
        text: JSON.
        source: how messages name the text.

    Raises:
        WeightsMismatchError: not JSON, or a field is missing or wrong; the message names it.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise WeightsMismatchError(f"{source} is not valid JSON", str(error), "Export the weights again") from error
    values = _known(values, Card, source)
    values["input"] = Input(**_known(values["input"], Input, f"{source}, field 'input'"))
    values["training"] = Training(**_known(values["training"], Training, f"{source}, field 'training'"))
    for field in ("labels", "data", "limits"):
        if isinstance(values[field], list):
            values[field] = tuple(values[field])
    if isinstance(values["input"].range, list):
        values["input"] = dataclasses.replace(values["input"], range=tuple(values["input"].range))
    try:
        return Card(**values)
    except WeightsMismatchError as error:
        raise WeightsMismatchError(f"{source}: {error.happened}", error.received, error.advice) from error


def read(folder: str | Path) -> Card:
    """The card in a folder.

    Raises:
        WeightsNotFoundError: no card there.
        WeightsMismatchError: see `from_json`.
    """
    path = Path(folder) / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise WeightsNotFoundError(
            f"The file {FILE} of a set of weights could not be read",
            f"{path} ({error.strerror})",
            "Export the weights again",
        ) from error
    except UnicodeDecodeError as error:
        raise WeightsMismatchError(f"{path} is not UTF-8 text", str(error), "Export the weights again") from error
    return from_json(text, str(path))


def write(card: Card, folder: str | Path) -> Path:
    """Write a card into a folder, in one step; its path."""
    path = Path(folder) / FILE
    partial = path.with_name(f"{FILE}.{os.getpid()}.partial")
    partial.write_text(card.to_json(), encoding="utf-8")
    partial.replace(path)
    return path


def _known(values: Any, kind: type, source: str) -> dict[str, Any]:
    fields = {field.name: _required(field) for field in dataclasses.fields(kind)}
    if not isinstance(values, dict):
        raise WeightsMismatchError(f"{source} is not a JSON object", type(values).__name__, "Export the weights again")
    missing = [field for field, required in fields.items() if required and field not in values]
    if missing:
        raise WeightsMismatchError(
            f"{source} lacks fields of a card", f"no {', '.join(map(repr, missing))}", "Export the weights again"
        )
    return {field: values[field] for field in fields if field in values}


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _word(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _words(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(_word, value))


def _sha256(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9a-f]{64}", value))


def _day(value: Any) -> bool:
    try:
        return calendar.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        return False


RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("text of letters, digits, '-' and '_'", lambda x: _word(x) and bool(re.fullmatch(r"[A-Za-z0-9_-]+", x))),
    "architecture": ("text", _word),
    "version": ("text", _word),
    "date": ("a date as YYYY-MM-DD", _day),
    "input.side": ("a positive whole number", _count),
    "input.channels": ("a positive whole number", _count),
    "input.range": (
        "two numbers, the lower first",
        lambda x: isinstance(x, tuple) and len(x) == 2 and all(map(_number, x)) and x[0] < x[1],
    ),
    "labels": ("a list of different names", lambda x: _words(x) and len(set(x)) == len(x) > 0),
    "cam_layer": ("a layer's name or null", lambda x: x is None or _word(x)),
    "temperature": ("a finite number above 0", lambda x: _number(x) and x > 0),
    "metrics": ("an object", lambda x: isinstance(x, dict)),
    "data": ("a list of lines", _words),
    "training.config": ("an object", lambda x: isinstance(x, dict)),
    "training.epochs": ("a whole number", lambda x: _number(x) and isinstance(x, int) and x >= 0),
    "training.hours": ("a number of hours", lambda x: _number(x) and x >= 0),
    "licence": ("text", _word),
    "limits": ("a list of lines", _words),
    "parameters": ("a positive whole number", _count),
    "training.run": ("text", _word),
    "training.data_sha256": ("64 hexadecimal digits in lower case or 'unknown'", lambda x: _sha256(x) or x == UNKNOWN),
    "training.git_commit": ("text", _word),
    "training.backend": ("text", _word),
    "sha256": ("64 hexadecimal digits in lower case", _sha256),
    "exports": ("an object", lambda x: isinstance(x, dict)),
}


def _check_fields(card: Card, source: str) -> None:
    for field, (kind, holds) in RULES.items():
        value: Any = card
        for part in field.split("."):
            value = getattr(value, part)
        if not holds(value):
            raise WeightsMismatchError(
                f"{source}: the field {field!r} is not {kind}", repr(value)[:200], "Export the weights again"
            )
