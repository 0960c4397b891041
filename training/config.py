"""What a training run is made of: one frozen dataclass, one instance a file in `configs/`."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import Any

from models import framing
from models.errors import ParameterError, UnknownNameError

NAMES = ("cnn", "resnet", "vgg16", "keypoints")
OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("one-cycle", "plateau")
EMOTIONS_ONLY = ("fer2013_share", "label_smoothing", "balance", "mixup", "teachers", "distillation", "dropout", "width")
"""Settings that the keypoint network does not have."""


@dataclass(frozen=True)
class Augmentation:
    """How strongly a training face is disturbed; each value is the far end of a uniform range.

    Attributes:
        rotation: degrees to either side.
        scale: relative size to either side of 1.
        shift: share of the side, horizontally and vertically.
        contrast: relative gain to either side of 1.
        brightness: offset in units of the grey range.
        noise: standard deviation of pixel noise in units of the grey range.
        blur: standard deviation of a Gaussian blur in pixels of the crop.
        erase: chance that one random rectangle is filled with the picture's mean.
        flip: whether half of the faces are mirrored.
    """

    rotation: float = 12.0
    scale: float = 0.12
    shift: float = 0.06
    contrast: float = 0.3
    brightness: float = 0.15
    noise: float = 0.0
    blur: float = 0.0
    erase: float = 0.0
    flip: bool = True

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type is float and value < 0:
                raise ParameterError(
                    "The strength of a disturbance is outside its range", f"{each.name} {value}", "Give 0 or more"
                )
        for name in ("scale", "erase"):
            if getattr(self, name) > 1:
                raise ParameterError(
                    f"The share of the disturbance {name} is outside its range",
                    f"{getattr(self, name)}",
                    "Give a share from 0 to 1",
                )

    def scaled(self, factor: float) -> "Augmentation":
        """The same disturbance so many times as strong, shares cut off at 1; flip stays."""
        strengths = {each.name: getattr(self, each.name) * factor for each in fields(self) if each.type is float}
        return replace(self, **strengths | {name: min(1.0, strengths[name]) for name in ("scale", "erase")})


@dataclass(frozen=True)
class Config:
    """One training run.

    Attributes:
        name: the model that is trained, one of `NAMES`.
        stages: (epochs, side in pixels) in the order they run; small sides first are cheap.
        batch: faces a step.
        optimizer: "sgd" with Nesterov momentum, "adam" (Kingma and Ba, arXiv 1412.6980), or "adamw" (Loshchilov and
            Hutter, arXiv 1711.05101).
        schedule: of the learning rate: "one-cycle" falls along a cosine to zero after its peak, "plateau" stays
            there and is halved whenever validation has not become better for five epochs.
        learning_rate: the peak of the schedule.
        warmup: share of the run until the peak.
        patience: stop after so many epochs without a better validation figure; 0 runs all epochs.
        weight_decay: decay of kernels; decoupled, but for "adam", whose gradient has it in it.
        fer2013_share: weight of the original label; the rest goes to the FER+ votes.
        label_smoothing: share of the target spread evenly over the classes.
        balance: how far rare emotions are shown more often: an epoch draws a face with a chance that
            goes with (faces of its label) ** -balance; 0 shows every face once, 1 every label as often.
        mixup: both parameters of the beta distribution that says how far two faces and their targets are
            mixed (Zhang et al. 2017, arXiv 1710.09412); 0 mixes none.
        ema: how much of the averaged weights a step keeps; the average is what is measured and kept
            (Polyak and Juditsky 1992). 0 keeps the weights of the last step.
        layer_decay: factor on the learning rate for each block that lies farther from the logits.
        teachers: weights that ship, or runs, whose averaged answers are part of the target; see
            `training.distill.teacher`.
        distillation: weight of the teachers' answers; the labels keep the rest.
        dropout: share of the pooled features that is dropped; None for the network's own.
        width: factor on the number of filters of every convolution.
        augmentation: see `Augmentation`.
        seed: of the first weights, the order of the faces and their disturbance.
    """

    name: str
    stages: tuple[tuple[int, int], ...]
    batch: int = 64
    optimizer: str = "sgd"
    schedule: str = "one-cycle"
    learning_rate: float = 0.05
    warmup: float = 0.2
    patience: int = 0
    weight_decay: float = 5e-4
    fer2013_share: float = 0.5
    label_smoothing: float = 0.0
    balance: float = 0.0
    mixup: float = 0.0
    ema: float = 0.0
    layer_decay: float = 1.0
    teachers: tuple[str, ...] = ()
    distillation: float = 0.0
    dropout: float | None = None
    width: float = 1.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)

    @property
    def epochs(self) -> int:
        """The epochs of all stages together."""
        return sum(epochs for epochs, _ in self.stages)

    def side(self, epoch: int) -> int:
        """The side in pixels that an epoch, counted from 0, trains on."""
        for epochs, side in self.stages:
            if epoch < epochs:
                return side
            epoch -= epochs
        return self.stages[-1][1]


Rule = tuple[str, Callable[[Any], bool]]


def _check(config: Config) -> None:
    share: Rule = ("from 0 to 1", lambda x: 0 <= x <= 1)
    above: Rule = ("above 0", lambda x: x > 0)
    rules: dict[str, Rule] = {
        "batch": ("1 or more", lambda x: x >= 1),
        "optimizer": (" or ".join(OPTIMIZERS), lambda x: x in OPTIMIZERS),
        "schedule": (" or ".join(SCHEDULES), lambda x: x in SCHEDULES),
        "learning_rate": above,
        "warmup": share,
        "patience": ("0 or more", lambda x: x >= 0),
        "weight_decay": ("0 or more", lambda x: x >= 0),
        "fer2013_share": share,
        "label_smoothing": share,
        "balance": share,
        "mixup": ("0 or more", lambda x: x >= 0),
        "ema": ("from 0 to below 1", lambda x: 0 <= x < 1),
        "layer_decay": ("above 0 and at most 1", lambda x: 0 < x <= 1),
        "distillation": share,
        "dropout": ("from 0 to below 1", lambda x: x is None or 0 <= x < 1),
        "width": above,
    }
    for name, (what, holds) in rules.items():
        if not holds(value := getattr(config, name)):
            raise ParameterError(
                f"The value of the setting {name} is outside its range", repr(value), f"Give a value that is {what}"
            )
    if not config.stages or any(epochs < 1 or side < 16 for epochs, side in config.stages):
        raise ParameterError(
            "A stage was given without an epoch or with too few pixels",
            repr(config.stages),
            "Give at least 1 epoch and 16 pixels to each",
        )
    if bool(config.teachers) != (config.distillation > 0):
        raise ParameterError(
            "Teachers were given without a distillation, or a distillation without teachers",
            f"teachers {', '.join(config.teachers) or 'none'}, distillation {config.distillation}",
        )
    if config.name == "keypoints":
        if any(side != framing.WIDE_SIDE for _, side in config.stages):
            raise ParameterError(
                "The keypoint network cannot learn at this side", repr(config.stages), f"Use {framing.WIDE_SIDE} pixels"
            )
        for each in fields(config):
            if each.name in EMOTIONS_ONLY and getattr(config, each.name) != each.default:
                raise ParameterError("The keypoint network does not have this setting", each.name, "Leave it out")


def load(name: str, teacher: bool = False) -> Config:
    """The shipped configuration of a model, by name.

    Args:
        name: of the model.
        teacher: the configuration of a teacher of its architecture instead.

    Raises:
        UnknownNameError: there is no such model, or no such teacher.
    """
    if name not in NAMES:
        raise UnknownNameError(
            "There is no training configuration of this name", repr(name), f"Use one of {', '.join(NAMES)}"
        )
    module = import_module(f"training.configs.{name}")
    if not teacher:
        return module.CONFIG
    if not hasattr(module, "TEACHER"):
        having = [each for each in NAMES if hasattr(import_module(f"training.configs.{each}"), "TEACHER")]
        raise UnknownNameError(
            "There is no recipe for a teacher of this model", repr(name), f"Use {' or '.join(having)}"
        )
    return module.TEACHER
