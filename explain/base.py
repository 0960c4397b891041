"""The words of an explanation as types, and how a method declares its parameters."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from models.errors import ParameterError, UnknownNameError
from models.types import EMOTIONS, Prediction

if TYPE_CHECKING:
    from models.model import Model

# --------------------------------------------------------------------- target


@dataclass(frozen=True)
class Target:
    """What is explained: the logit of an emotion, or how far it lies above that of another.

    Attributes:
        emotion: index into `EMOTIONS`; 0 is a class like any other.
        against: index of the emotion it is set against; None for the emotion alone.

    Raises:
        ParameterError: no such index, or an emotion against itself.
    """

    emotion: int
    against: int | None = None

    def __post_init__(self) -> None:
        for index in (self.emotion,) if self.against is None else (self.emotion, self.against):
            if isinstance(index, bool) or not isinstance(index, int | np.integer) or not 0 <= index < len(EMOTIONS):
                raise ParameterError(
                    "The index of the emotion is unknown",
                    repr(index)[:60],
                    f"Give a whole number from 0 to {len(EMOTIONS) - 1}",
                )
        if self.against is not None and self.emotion == self.against:
            raise ParameterError(
                "The emotion was set against itself", f"{EMOTIONS[self.emotion]} twice", "Choose two emotions"
            )

    @classmethod
    def named(cls, emotion: str, against: str | None = None) -> "Target":
        """A target from names of emotions.

        Raises:
            UnknownNameError: no such emotion.
            ParameterError: an emotion against itself.
        """
        return cls(_emotion(emotion), None if against is None else _emotion(against))

    @property
    def name(self) -> str:
        """In words: "happy", or "happy rather than sad"."""
        alone = EMOTIONS[self.emotion]
        return alone if self.against is None else f"{alone} rather than {EMOTIONS[self.against]}"

    @property
    def weights(self) -> np.ndarray:
        """float32 (7,): the target's score is the sum of the logits times these."""
        weights = np.zeros(len(EMOTIONS), np.float32)
        weights[self.emotion] = 1
        if self.against is not None:
            weights[self.against] = -1
        return weights


def common_target(emotion: str, against: str, answers: Mapping[str, Prediction]) -> Target:
    """What is explained for several models.

    Args:
        emotion: by name; "" for the one with the highest mean probability.
        against: the emotion it is set against; "" for none.
        answers: the models' own.

    Raises:
        UnknownNameError, ParameterError: no such emotion, or an emotion against itself.
    """
    mean = np.mean([answer.probabilities for answer in answers.values()], axis=0)
    return Target.named(emotion or EMOTIONS[int(mean.argmax())], against or None)


def _emotion(name: str) -> int:
    if name not in EMOTIONS:
        raise UnknownNameError("The name of the emotion is unknown", repr(name), f"Use one of {', '.join(EMOTIONS)}")
    return EMOTIONS.index(name)


# ----------------------------------------------------------------- parameters


@dataclass(frozen=True)
class Control:
    """One parameter as a page or an API shows it.

    Attributes:
        title: a short name for people.
        help: what it does, one sentence.
        kind: int, float, bool or str.
        low, high: the range of a number, both ends included.
        step: how far a slider moves at a time; values between the steps are allowed.
        options: the values of a choice.
    """

    title: str
    help: str
    kind: type
    low: float | None = None
    high: float | None = None
    step: float | None = None
    options: tuple[str, ...] = ()

    @property
    def range(self) -> tuple[float, float, float]:
        """The lowest and the highest value of a number, and the step of its slider."""
        return cast(float, self.low), cast(float, self.high), cast(float, self.step)

    def accept(self, name: str, value: Any) -> Any:
        """The value in the parameter's own type.

        Raises:
            ParameterError: wrong type, or outside the range or the options.
        """
        if self.kind is bool:
            if not isinstance(value, bool | np.bool_):
                raise ParameterError(
                    f"The value of {name} is neither true nor false", repr(value)[:60], "Give true or false"
                )
            return bool(value)
        if self.kind is str:
            if value not in self.options:
                raise ParameterError(
                    f"The value of {name} is unknown",
                    repr(value)[:60],
                    f"Use one of {', '.join(map(repr, self.options))}",
                )
            return value
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        finite = number and (isinstance(value, int) or math.isfinite(value))  # isfinite refuses a huge whole number
        within = f"Give one from {self.low} to {self.high}"
        if not finite or (self.kind is int and value != int(value)):
            raise ParameterError(
                f"The value of {name} is not a {'whole ' if self.kind is int else ''}number", repr(value)[:60], within
            )
        if not self.low <= value <= self.high:
            raise ParameterError(f"The value of {name} is outside its range", repr(value)[:60], within)
        return self.kind(value)


def number(default: int | float, low: float, high: float, step: float, title: str, help: str) -> Any:
    """A field of `Parameters` that holds a number of the default's type."""
    control = Control(title, help, type(default), low, high, step)
    return dataclasses.field(default=default, metadata={"control": control})


def choice(default: str, options: tuple[str, ...], title: str, help: str) -> Any:
    """A field of `Parameters` that holds one of several words."""
    return dataclasses.field(default=default, metadata={"control": Control(title, help, str, options=options)})


def switch(default: bool, title: str, help: str) -> Any:
    """A field of `Parameters` that is on or off."""
    return dataclasses.field(default=default, metadata={"control": Control(title, help, bool)})


@dataclass(frozen=True)
class Parameters:
    """The base of every method's `Params`: fields made by `number`, `choice` and `switch`.

    Raises:
        ParameterError: a value has the wrong type or lies outside its range.
    """

    def __post_init__(self) -> None:
        for name, control in self.controls().items():
            object.__setattr__(self, name, control.accept(name, getattr(self, name)))

    @classmethod
    def controls(cls) -> dict[str, Control]:
        """Parameter name -> how it is shown, in order."""
        return {field.name: field.metadata["control"] for field in dataclasses.fields(cls)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> Self:
        """Parameters from plain JSON values; what is not given keeps its default.

        Raises:
            UnknownNameError: no such parameter.
            ParameterError: not an object, or a value is wrong.
        """
        if values is None:
            return cls()
        if not isinstance(values, Mapping):
            raise ParameterError(
                "The parameters are not an object of names and values",
                repr(values)[:60],
                "Give an object, {} for the defaults",
            )
        for name in values:
            if name not in cls.controls():
                known = ", ".join(cls.controls())
                advice = f"Use one of {known}" if known else "Leave it out; nothing can be set here"
                raise UnknownNameError("The name of the parameter is unknown", repr(name)[:60], advice)
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The values by name, all plain JSON."""
        return dataclasses.asdict(self)


# -------------------------------------------------------- method, explanation


Run = Callable[["Model", np.ndarray, Target, Any], np.ndarray]
"""(model, crop, target, params) -> a map, see `Method.run`."""
RunOnParts = Callable[["Model", np.ndarray, Target, Any, np.ndarray], np.ndarray]
"""The same, of a method that needs the face's parts, bool (8, H, W)."""


def suits_every(model: "Model") -> str:
    """No reason against any model."""
    return ""


@dataclass(frozen=True, eq=False)
class Method:
    """A way to explain a model's answer.

    Attributes:
        name: its key in the registry.
        title: for people.
        summary: what its map shows, one sentence for people.
        Params: its parameters, a frozen dataclass.
        run: `run(model, crop, target, params) -> float32 (h, w)`, raw values on the method's own
            grid; crop is float32 (H, W) in 0..1, and params are of `Params`.
        signed: whether negative values, which speak against the target, can occur with the given
            parameters.
        needs_regions: whether `run` takes the masks of the face's parts, bool (8, H, W), as one more
            argument.
        suits: `suits(model)` is a sentence for people on why the method cannot explain the model,
            or "" where it can; it is cheap and runs nothing.
        quick: values of parameters with which the method compiles the same functions and takes the
            least time, for warming up and for tests.
    """

    name: str
    title: str
    summary: str
    Params: type[Parameters]
    run: Run | RunOnParts
    signed: Callable[[Any], bool]
    needs_regions: bool = False
    suits: Callable[["Model"], str] = suits_every
    quick: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Explanation:
    """A method's answer for one face, one model and one target.

    Attributes:
        method: the method's name.
        model: the model's name.
        target: what is explained.
        values: float32 (H, W) on the crop's grid, raw: neither normalised nor clipped.
        signed: whether values below zero, which speak against the target, can occur.
        params: the parameters that were used.
        seconds: how long the method took.
    """

    method: str
    model: str
    target: Target
    values: np.ndarray
    signed: bool
    params: Parameters
    seconds: float
