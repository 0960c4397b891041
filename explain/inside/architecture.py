"""A network's stages, read from its layers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Stage:
    """Layers that work on the same grid.

    Attributes:
        layer: the last of them, whose maps are shown.
        grid: height and width of its maps in cells.
        channels: number of its maps.
        convolutions: convolutions of the stage.
        parameters: numbers that these layers learned.
    """

    layer: str
    grid: tuple[int, int]
    channels: int
    convolutions: int
    parameters: int


def stages(network: "keras.Model") -> list[Stage]:
    """The stages of a network from the picture on, finer grids first.

    A stage begins where the grid becomes coarser; its last layer is the last one with weights, or the last that joins
    or activates their outputs: what the next stage is given.
    """
    from keras import layers

    by_grid: dict[tuple[int, int], list[Any]] = {}
    for layer in network.layers:
        shape = layer.output.shape
        if len(shape) == 4 and not isinstance(layer, layers.InputLayer):
            by_grid.setdefault((int(shape[1]), int(shape[2])), []).append(layer)
    passing = (layers.MaxPooling2D, layers.AveragePooling2D, layers.Rescaling)
    found = []
    for grid, members in sorted(by_grid.items(), reverse=True):
        convolutions = [layer for layer in members if isinstance(layer, layers.Conv2D)]
        if not convolutions:
            continue
        last = next(layer for layer in reversed(members) if not isinstance(layer, passing))
        parameters = sum(layer.count_params() for layer in members)
        found.append(Stage(last.name, grid, int(last.output.shape[-1]), len(convolutions), parameters))
    return found


def sources(layer: Any) -> list[Any]:
    """The layers whose outputs a layer is given."""
    given = layer.input if isinstance(layer.input, list) else [layer.input]
    return [tensor._keras_history.operation for tensor in given]


def linear_head(network: "keras.Model", name: str) -> bool:
    """Whether the scores are a global average of a layer's maps and one dense layer, and nothing else.

    Then each cell's part in a score is a product, and the parts of all cells and the bias add up to the score.
    """
    from keras import activations, layers

    layer = network.get_layer("logits")
    if not isinstance(layer, layers.Dense) or layer.activation is not activations.linear:
        return False
    [layer] = sources(layer)
    while isinstance(layer, layers.Dropout):
        [layer] = sources(layer)
    return isinstance(layer, layers.GlobalAveragePooling2D) and [each.name for each in sources(layer)] == [name]
