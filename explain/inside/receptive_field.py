"""Which pixels a cell of a map can see."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explain.inside.architecture import sources
from models.errors import ParameterError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Reach:
    """What cell i of a map sees along one axis: pixels `step` * i + `low` to `step` * i + `high`, both included.

    Pixels outside the picture are padding.
    """

    step: int
    low: int
    high: int

    @property
    def size(self) -> int:
        """Pixels that a cell sees, padding included."""
        return self.high - self.low + 1

    def pixels(self, cell: int, side: int) -> tuple[int, int]:
        """The first pixel of the picture that a cell sees, and the one after the last."""
        return max(0, self.step * cell + self.low), min(side, self.step * cell + self.high + 1)


PIXEL = Reach(1, 0, 0)


@dataclass(frozen=True)
class ReceptiveField:
    """What every cell of a layer's map sees, down and across."""

    rows: Reach
    columns: Reach

    def box(self, row: int, column: int, side: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of what a cell sees of a picture; bottom and right are one beyond."""
        top, bottom = self.rows.pixels(row, side)
        left, right = self.columns.pixels(column, side)
        return top, left, bottom, right


def receptive_field(network: "keras.Model", name: str) -> ReceptiveField:
    """The receptive field of a layer's cells, computed from kernels, strides and paddings of all layers below.

    A window of k pixels with stride s and p pixels of padding in front turns (step, low, high) into
    (step * s, low - step * p, high + step * (k - 1 - p)); where branches join, the widest counts.

    Args:
        network: a functional model.
        name: of a layer with maps (N, h, w, K).

    Raises:
        ParameterError: a layer on the way is of a kind whose reach is not known.

    Source: Araujo et al. 2019, "Computing receptive fields of convolutional neural networks",
    doi 10.23915/distill.00021.
    """
    known: dict[str, ReceptiveField] = {}

    def of(layer: Any) -> ReceptiveField:
        if layer.name not in known:
            below = [of(each) for each in _below(layer)]
            joined = ReceptiveField(
                *(_widest([getattr(field, axis) for field in below]) for axis in ("rows", "columns"))
            )
            axes = zip((joined.rows, joined.columns), _windows(layer), strict=True)
            known[layer.name] = ReceptiveField(*(_through(reach, *window) for reach, window in axes))
        return known[layer.name]

    return of(network.get_layer(name))


def _below(layer: Any) -> list[Any]:
    from keras import layers

    return [] if isinstance(layer, layers.InputLayer) else sources(layer)


def _widest(reaches: list[Reach]) -> Reach:
    if not reaches:
        return PIXEL
    return Reach(reaches[0].step, min(reach.low for reach in reaches), max(reach.high for reach in reaches))


def _through(reach: Reach, kernel: int, stride: int, padding: int) -> Reach:
    low = reach.low - reach.step * padding
    return Reach(reach.step * stride, low, reach.high + reach.step * (kernel - 1 - padding))


def _windows(layer: Any) -> list[tuple[int, int, int]]:
    """Kernel, stride and padding in front of a layer, down and across."""
    from keras import layers

    if isinstance(layer, layers.Conv2D | layers.MaxPooling2D | layers.AveragePooling2D):
        convolves = isinstance(layer, layers.Conv2D)
        kernels = layer.kernel_size if convolves else layer.pool_size
        dilations = layer.dilation_rate if convolves else (1, 1)
        sides = layer.input.shape[1:3]
        wide = [(kernel - 1) * dilation + 1 for kernel, dilation in zip(kernels, dilations, strict=True)]
        return [
            (kernel, stride, _padding(layer.padding, side, kernel, stride))
            for kernel, stride, side in zip(wide, layer.strides, sides, strict=True)
        ]
    same = layers.InputLayer | layers.Rescaling | layers.ReLU | layers.Add | layers.Dropout | layers.BatchNormalization
    if isinstance(layer, same):
        return [(1, 1, 0)] * 2
    raise ParameterError(
        "The reach of a layer is not known", type(layer).__name__, "Use a network of convolutions and poolings"
    )


def _padding(kind: str, side: int, kernel: int, stride: int) -> int:
    """Pixels of padding in front, as TensorFlow shares them out."""
    if kind != "same":
        return 0
    return max((-(-side // stride) - 1) * stride + kernel - side, 0) // 2
