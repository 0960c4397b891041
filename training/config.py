"""What a training run is made of: one frozen dataclass, one instance a file in `configs/`."""

from dataclasses import dataclass, field
from importlib import import_module

from models.errors import UnknownNameError

NAMES = ("cnn", "resnet", "vgg16", "keypoints")


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


@dataclass(frozen=True)
class Config:
    """One training run.

    Attributes:
        name: the model that is trained, one of `NAMES`.
        stages: (epochs, side in pixels) in the order they run; small sides first are cheap.
        batch: faces a step.
        optimizer: "sgd" with Nesterov momentum, or "adamw" (Loshchilov and Hutter, arXiv 1711.05101).
        learning_rate: the peak of the one-cycle schedule.
        warmup: share of all steps until the peak; a cosine to zero follows.
        weight_decay: decoupled decay of kernels.
        fer2013_share: weight of the original label; the rest goes to the FER+ votes.
        label_smoothing: share of the target spread evenly over the classes.
        balance: how far rare emotions are shown more often: an epoch draws a face with a chance that
            goes with (faces of its label) ** -balance; 0 shows every face once, 1 every label as often.
        teachers: run folders or shipped weights whose averaged answers are part of the target.
        distillation: weight of the teachers' answers; the labels keep the rest.
        augmentation: see `Augmentation`.
        seed: of the first weights, the order of the faces and their disturbance.
    """

    name: str
    stages: tuple[tuple[int, int], ...]
    batch: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 0.05
    warmup: float = 0.2
    weight_decay: float = 5e-4
    fer2013_share: float = 0.5
    label_smoothing: float = 0.0
    balance: float = 0.0
    teachers: tuple[str, ...] = ()
    distillation: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

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


def load(name: str) -> Config:
    """The shipped configuration of a model, by name.

    Raises:
        UnknownNameError: there is no such model.
    """
    if name not in NAMES:
        raise UnknownNameError(
            "A training configuration is named after its model", repr(name), f"Use one of {', '.join(NAMES)}"
        )
    return import_module(f"training.configs.{name}").CONFIG
