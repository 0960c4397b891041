"""What a visitor does to a face in the Lab: a list of steps that any program can write down and read back."""

import base64
import dataclasses
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from explain.base import Control, Parameters, choice, number
from models import framing
from models.errors import FaceWhyError, ParameterError, UnknownNameError
from models.regions import REGIONS

MOST_STEPS = 24
LONGEST = 20_000
"""Characters of an experiment as text, at most."""
SIDE = framing.CROP_SIDE
BASELINES = ("mean face", "blur", "grey")
PARTS = {"mouth": ("mouth",), "eyes": ("left_eye", "right_eye", "left_brow", "right_brow")}
"""What can be swapped with another face, and the regions that belong to it."""

# ------------------------------------------------------------------- parameters


@dataclass(frozen=True)
class Named(Control):
    """A control that holds one of `options`, or the name of an example face."""

    def accept(self, name: str, value: Any) -> str:
        if value in self.options or (isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,39}", value)):
            return value
        known = "".join(f"{option!r}, " for option in self.options)
        raise ParameterError(
            f"The value of {name} is unknown",
            repr(value)[:60],
            f"Use {known}{'or ' if known else ''}the name of an example face",
        )


@dataclass(frozen=True)
class Pixels(Control):
    """A control that holds a mask of the crop as text, see `pack`."""

    def accept(self, name: str, value: Any) -> str:
        return pack(unpack(value))


def _field(control: Control, default: str) -> Any:
    return dataclasses.field(default=default, metadata={"control": control})


def _baseline_field() -> Any:
    help = "What stands in for the pixels: the average of many faces, the face out of focus, its mean grey, "
    return _field(Named("It shows", help + "or an example face.", str, options=BASELINES), BASELINES[0])


def pack(mask: np.ndarray) -> str:
    """A mask, bool (48, 48), as text: its bits row by row, deflated, in base64 for addresses."""
    return _encode(zlib.compress(np.packbits(mask).tobytes(), 9))


def unpack(text: str) -> np.ndarray:
    """The mask, bool (48, 48), that `pack` wrote.

    Raises:
        ParameterError: not such a text.
    """
    size = SIDE * SIDE // 8
    try:
        data = _inflate(text, size)
    except (ValueError, zlib.error):
        data = b""
    if len(data) != size:
        raise ParameterError(
            f"The painted mask does not hold {SIDE} x {SIDE} bits, deflated, as base64",
            repr(text)[:60],
            "Paint it on the page, or give a rectangle",
        )
    return np.unpackbits(np.frombuffer(data, np.uint8)).astype(bool).reshape(SIDE, SIDE)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _inflate(text: str, most: int) -> bytes:
    """What was deflated and encoded; no more than a byte over `most` of it.

    Raises:
        ValueError, zlib.error: damaged or cut off.
    """
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64")
    inflate = zlib.decompressobj()
    data = inflate.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), most + 1)
    if len(data) <= most and not inflate.eof:
        raise ValueError("cut off")
    return data


# ------------------------------------------------------------------------ steps


@dataclass(frozen=True)
class Step(Parameters):
    """One change of a face. Fields are validated when it is made.

    Raises:
        ParameterError: a value has the wrong type or lies outside its range.
    """

    DO: ClassVar[str]
    """Its name in JSON."""

    @property
    def slot(self) -> tuple[Any, ...]:
        """Steps of the same slot replace each other when the visitor moves a control."""
        return (self.DO,)

    @property
    def covers(self) -> bool:
        """Whether it replaces pixels by others, so that a heatmap has something to say about it."""
        return False

    @property
    def shows_another_face(self) -> bool:
        """Whether it shows a part of another face, which brings evidence of its own."""
        return False

    def to_json(self) -> dict[str, Any]:
        return {"do": self.DO, **super().to_json()}


class Cover(Step):
    """A step that puts other pixels in the place of some."""

    @property
    def covers(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        """One of `BASELINES`, or the name of the example face that it shows."""
        raise NotImplementedError

    @property
    def shows_another_face(self) -> bool:
        return self.shown not in BASELINES


class Patch(Cover):
    """A cover that chooses what it shows."""

    fill: str

    @property
    def shown(self) -> str:
        return self.fill


@dataclass(frozen=True)
class Hide(Patch):
    """Hide a part of the face, where it lies after the steps before."""

    DO: ClassVar[str] = "hide"
    region: str = choice("mouth", REGIONS, "Part", "The part of the face that is hidden.")
    fill: str = _baseline_field()

    @property
    def slot(self) -> tuple[Any, ...]:
        return self.DO, self.region


@dataclass(frozen=True)
class Rectangle(Patch):
    """Cover a rectangle of the 48x48 crop; left and top are inside, right and bottom are not."""

    DO: ClassVar[str] = "rectangle"
    left: int = number(16, 0, SIDE, 1, "Left", "In pixels of the crop.")
    top: int = number(30, 0, SIDE, 1, "Top", "In pixels of the crop.")
    right: int = number(32, 0, SIDE, 1, "Right", "In pixels of the crop.")
    bottom: int = number(42, 0, SIDE, 1, "Bottom", "In pixels of the crop.")
    fill: str = _baseline_field()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.left >= self.right or self.top >= self.bottom:
            received = f"{self.left}, {self.top}, {self.right}, {self.bottom}"
            raise ParameterError("The rectangle is empty", received, "Give left < right and top < bottom")

    @property
    def slot(self) -> tuple[Any, ...]:
        return self.DO, self.left, self.top, self.right, self.bottom

    @property
    def mask(self) -> np.ndarray:
        """bool (48, 48)."""
        mask = np.zeros((SIDE, SIDE), bool)
        mask[self.top : self.bottom, self.left : self.right] = True
        return mask


@dataclass(frozen=True)
class Paint(Patch):
    """Cover a free patch of the 48x48 crop."""

    DO: ClassVar[str] = "paint"
    pixels: str = _field(Pixels("Pixels", "The patch, as `pack` writes it.", str), pack(np.zeros((SIDE, SIDE), bool)))
    fill: str = _baseline_field()

    @property
    def slot(self) -> tuple[Any, ...]:
        return self.DO, self.pixels

    @property
    def mask(self) -> np.ndarray:
        """bool (48, 48)."""
        return unpack(self.pixels)


@dataclass(frozen=True)
class Swap(Cover):
    """Put the mouth or the eyes of an example face in the place of the face's own."""

    DO: ClassVar[str] = "swap"
    part: str = choice("mouth", tuple(PARTS), "Part", "What is swapped; the brows go with the eyes.")
    donor: str = _field(Named("From", "The example face that it comes from.", str), "composite_happy")

    @property
    def slot(self) -> tuple[Any, ...]:
        return self.DO, self.part

    @property
    def shown(self) -> str:
        return self.donor


@dataclass(frozen=True)
class Blur(Step):
    """Put the face out of focus."""

    DO: ClassVar[str] = "blur"
    sigma: float = number(1.0, 0.0, 6.0, 0.25, "Blur", "Standard deviation in pixels of the 48x48 crop.")


@dataclass(frozen=True)
class Brightness(Step):
    """Make the face lighter or darker."""

    DO: ClassVar[str] = "brightness"
    by: float = number(-0.2, -0.8, 0.8, 0.05, "Brightness", "What is added to every pixel; black is 0, white is 1.")


@dataclass(frozen=True)
class Contrast(Step):
    """Spread the greys around their mean, or draw them together."""

    DO: ClassVar[str] = "contrast"
    times: float = number(0.5, 0.0, 3.0, 0.1, "Contrast", "How many times as far from the mean every pixel lies.")


@dataclass(frozen=True)
class Rotate(Step):
    """Tilt the crop about the middle of the face; the corners are filled by reflection."""

    DO: ClassVar[str] = "rotate"
    degrees: float = number(15.0, -90.0, 90.0, 1.0, "Tilt", "In degrees, clockwise.")


@dataclass(frozen=True)
class Shift(Step):
    """Move the face inside its crop; what comes into view is a reflection."""

    DO: ClassVar[str] = "shift"
    x: float = number(0.0, -16.0, 16.0, 1.0, "Move sideways", "In pixels of the crop, to the right.")
    y: float = number(0.0, -16.0, 16.0, 1.0, "Move up or down", "In pixels of the crop, downwards.")


@dataclass(frozen=True)
class Noise(Step):
    """Add grain."""

    DO: ClassVar[str] = "noise"
    sigma: float = number(0.1, 0.0, 0.5, 0.02, "Noise", "Standard deviation of what is added; black is 0, white is 1.")
    seed: int = number(0, 0, 1_000_000, 1, "Seed", "Another number gives other grain of the same strength.")


STEPS: dict[str, type[Step]] = {
    kind.DO: kind for kind in (Hide, Rectangle, Paint, Swap, Blur, Brightness, Contrast, Rotate, Shift, Noise)
}

# ------------------------------------------------------------------- experiment


@dataclass(frozen=True)
class Experiment:
    """Steps, done one after the other.

    Attributes:
        steps: at most `MOST_STEPS`.

    Raises:
        ParameterError: too many.
    """

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if len(self.steps) > MOST_STEPS:
            raise ParameterError(
                "The experiment has too many steps", str(len(self.steps)), f"Keep {MOST_STEPS} at most"
            )

    def put(self, step: Step) -> "Experiment":
        """With a step at the end, or in the place of the one that it replaces."""
        slots = [own.slot for own in self.steps]
        if step.slot not in slots:
            return Experiment((*self.steps, step))
        return Experiment(tuple(step if own.slot == step.slot else own for own in self.steps))

    def without(self, slot: tuple[Any, ...]) -> "Experiment":
        """Without the steps of a slot."""
        return Experiment(tuple(step for step in self.steps if step.slot != slot))

    def find(self, slot: tuple[Any, ...]) -> Step | None:
        """The step of a slot."""
        return next((step for step in self.steps if step.slot == slot), None)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON: `{"steps": [{"do": "hide", "region": "mouth", ...}, ...]}`."""
        return {"steps": [step.to_json() for step in self.steps]}

    @classmethod
    def from_json(cls, given: str | Mapping[str, Any]) -> "Experiment":
        """An experiment from what `to_json` writes, as text or read already; what a step leaves out has its default.

        Raises:
            ParameterError: not such JSON, too long, too many steps, or a value out of its range.
            UnknownNameError: a step or a value that does not exist.
        """
        if isinstance(given, str):
            given = _parse(given)
        if not isinstance(given, Mapping) or set(given) != {"steps"} or not isinstance(given["steps"], list):
            raise ParameterError(
                'The experiment is not an object with a list of "steps"',
                repr(given)[:60],
                'Write {"steps": []} with your steps between the brackets',
            )
        _count(given["steps"])
        return cls(tuple(_step(place, values) for place, values in enumerate(given["steps"], 1)))

    @property
    def code(self) -> str:
        """The steps as text for an address."""
        text = json.dumps(self.to_json()["steps"], separators=(",", ":"))
        return _encode(zlib.compress(text.encode(), 9))

    @classmethod
    def from_code(cls, code: str) -> "Experiment":
        """The experiment of a `code`.

        Raises:
            ParameterError, UnknownNameError: a code that is damaged, or names what does not exist.
        """
        try:
            text = _inflate(code, LONGEST).decode()
        except (ValueError, zlib.error) as error:
            raise ParameterError(
                "The code at the end of the link could not be read", repr(code)[:60], "Copy the whole link"
            ) from error
        return cls.from_json({"steps": _parse(text)})


def _count(steps: Sequence[Any]) -> None:
    if len(steps) > MOST_STEPS:
        raise ParameterError("The experiment has too many steps", str(len(steps)), f"Keep {MOST_STEPS} at most")


def _parse(text: str) -> Any:
    if len(text) > LONGEST:
        raise ParameterError("The experiment is too long", f"more than {LONGEST} characters", "Leave some steps out")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "too deep"
        raise ParameterError("The experiment is not valid JSON", f"a mistake at {where}", "Copy it again") from error


def _step(place: int, values: Any) -> Step:
    try:
        if not isinstance(values, Mapping) or not isinstance(values.get("do"), str):
            raise ParameterError('It does not say what to "do"', repr(values)[:60], 'Write for example {"do": "blur"}')
        if values["do"] not in STEPS:
            raise UnknownNameError(
                "The name of the step is unknown", repr(values["do"])[:60], f"Use one of {', '.join(STEPS)}"
            )
        return STEPS[values["do"]].from_json({key: value for key, value in values.items() if key != "do"})
    except FaceWhyError as error:
        raise type(error)(f"Step {place} of the experiment: {error.happened}", error.received, error.advice) from error
