"""A network with its weights, its card, and a compiled forward pass."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import numpy as np
from scipy.special import softmax

from models import card as cards
from models import conformal, pauses, precision, weight_store
from models.card import Card
from models.errors import ParameterError, UnknownNameError, WeightsMismatchError
from models.types import Face, Prediction
from models.weight_store import Located

if TYPE_CHECKING:
    import keras

Kind = TypeVar("Kind", bound="Network")

CHUNK = 32
"""The largest batch that runs at once; more faces run in several.

Between two, others may go first, see `models.pauses`. On two cores with AVX2, batches of 64 and 128 are no faster."""


@dataclass(frozen=True, eq=False)
class Network:
    """What every model has.

    Attributes:
        name: of the model and its folder.
        card: its facts.
        network: a functional keras model, float32, batch norm folded into the convolutions.
        located: where the weights came from.
    """

    name: str
    card: Card
    network: "keras.Model"
    located: Located
    _forward: Callable[[np.ndarray], Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        import tensorflow as tf

        precision.prepare()
        given = self.card.input
        signature = tf.TensorSpec((None, given.side, given.side, given.channels), tf.float32)
        forward = tf.function(
            lambda crops: self.network(crops, training=False), input_signature=[signature], autograph=False
        )
        object.__setattr__(self, "_forward", forward)

    def run(self, crops: np.ndarray) -> np.ndarray:
        """The network's output, by a function that is compiled once for any number of crops.

        Args:
            crops: float (N, side, side) in the card's range, any N; single-precision inside.

        Returns:
            float32 (N, ...).

        Raises:
            ParameterError: the shape differs.
        """
        side = self.card.input.side
        crops = np.asarray(crops, np.float32)
        if crops.shape[1:] != (side, side):
            raise ParameterError(
                f"The crops do not fit the model {self.name!r}",
                f"shape {crops.shape}",
                f"Give crops of shape (N, {side}, {side})",
            )
        if not len(crops):
            return np.zeros((0, *self.network.output_shape[1:]), np.float32)
        parts = []
        for i in range(0, len(crops), CHUNK):
            pauses.here()
            parts.append(self._forward(crops[i : i + CHUNK, ..., None]).numpy())
        return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class Model(Network):
    """An emotion model: faces in, predictions out."""

    @property
    def cam_layer(self) -> str:
        """The name of the layer whose maps Grad-CAM weighs."""
        return cast(str, self.card.cam_layer)  # `restore` refuses a card without it

    def logits(self, crops: np.ndarray) -> np.ndarray:
        """Logits of crops, float32 (N, 48, 48) in 0..1 -> float32 (N, 7) in the order of `EMOTIONS`."""
        return self.run(crops)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """The softmax of logits (..., 7) over the card's temperature, float32 (..., 7).

        Source: Guo et al. 2017, arXiv 1706.04599, equation 9.
        """
        return softmax(np.asarray(logits, np.float64) / self.card.temperature, axis=-1).astype(np.float32)

    def predict(self, faces: list[Face]) -> list[Prediction]:
        """One Prediction a face, all faces in one batch."""
        return self.predictions(self.logits(np.stack([face.crop for face in faces]))) if faces else []

    def predictions(self, logits: np.ndarray) -> list[Prediction]:
        """One Prediction a row of logits (N, 7)."""
        return answers(self.card, logits, self.probabilities(logits))


@dataclass(frozen=True, eq=False)
class KeypointModel(Network):
    """The keypoint model."""

    def points(self, wide_crops: np.ndarray) -> np.ndarray:
        """Keypoints of wide crops, float32 (N, 96, 96) in 0..1 -> float32 (N, 15, 2).

        x and y are shares of the wide crop, 0 at the centre of its first pixel, 1 at that of its last.
        """
        return self.run(wide_crops)


def answers(card: Card, logits: np.ndarray, probabilities: np.ndarray) -> list[Prediction]:
    """One Prediction a row of logits (N, 7) and probabilities (N, 7), by the model of a card."""
    sets = conformal.read(card.metrics.get(conformal.KEY))
    return [
        Prediction(card.name, row, probable, card.version, sets.likely(probable) if sets else ())
        for row, probable in zip(logits, probabilities, strict=True)
    ]


@overload
def restore(name: str, located: Located, build: Callable[..., "keras.Model"]) -> Model: ...
@overload
def restore(name: str, located: Located, build: Callable[..., "keras.Model"], kind: type[Kind]) -> Kind: ...
def restore(name: str, located: Located, build: Callable[..., "keras.Model"], kind: type[Network] = Model) -> Network:
    """A model from a folder of weights.

    Args:
        name: of the model.
        located: its folder.
        build: architecture's name -> untrained keras model.
        kind: `Model` or `KeypointModel`.

    Raises:
        WeightsNotFoundError, WeightsMismatchError: the weights, the card and the architecture do not
            belong together.
    """
    from models import fold

    card = cards.read(located.folder)
    path = located.folder / cards.FILE
    if card.name != name:
        raise WeightsMismatchError(
            f"{path}: the field 'name' is not {name!r}", repr(card.name), "Use the model's own folder"
        )
    try:
        network = build(card.architecture, **options(card))
    except UnknownNameError as error:
        raise WeightsMismatchError(
            f"{path}: the field 'architecture' names no network", error.received, error.advice
        ) from error
    weight_store.load_into(network, located.folder / weight_store.FILE)
    network = fold.fold(network)
    expected = (None, card.input.side, card.input.side, card.input.channels)
    if network.input_shape != expected:
        raise WeightsMismatchError(
            f"{path}: the field 'input' does not fit {card.architecture!r}",
            f"{expected} where the network has {network.input_shape}",
            "Export the weights again",
        )
    if network.output_shape[1] != len(card.labels):
        raise WeightsMismatchError(
            f"{path}: the field 'labels' does not fit the outputs of the network",
            f"{len(card.labels)} names for {network.output_shape[1]} outputs",
            "Export the weights again",
        )
    if kind is Model and card.cam_layer not in [layer.name for layer in network.layers]:
        raise WeightsMismatchError(
            f"{path}: the field 'cam_layer' names no layer of the network",
            repr(card.cam_layer),
            "Export the weights again",
        )
    return kind(name, card, network, located)


def options(card: Card) -> dict[str, Any]:
    """What an architecture's `build` is given for the network of a card: its width where that is not 1.

    Raises:
        WeightsMismatchError: the width is no number from 0.1 to 4.
    """
    width = card.training.config.get("width", 1.0)
    if not isinstance(width, int | float) or not 0.1 <= width <= 4:
        raise WeightsMismatchError(
            f"The card of {card.name!r}: the field 'training.config.width' is not a number from 0.1 to 4",
            repr(width),
            "Export the weights again",
        )
    return {} if width == 1 else {"width": width}
