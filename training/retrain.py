"""More training for weights that are trained: where they start from and with what recipe."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models import weight_store, zoo
from models.model import options
from training import config as configs
from training.config import Config
from training.run import RANDOM

EPOCHS = 5
GENTLER = 10
"""How many times lower the peak of the learning rate is than in the first training."""


@dataclass(frozen=True, eq=False)
class Start:
    """Trained weights to go on from.

    Attributes:
        config: the recipe of the model, with a low learning rate, few epochs and no teachers.
        arrays: layer name -> its arrays, as `training.train.train` takes them.
        source: which weights these are, such as "cnn 1.0.2", and what they began with where that was not chance.
    """

    config: Config
    arrays: dict[str, list[np.ndarray]]
    source: str


def start(name: str, shipped: str | Path = weight_store.SHIPPED) -> Start:
    """The weights that ship, as a start for more training.

    Args:
        name: of the weights.
        shipped: where the folder `<name>` of the weights is.

    Raises:
        UnknownNameError: there is no such model.
        WeightsError: the weights cannot be used.
    """
    recipe = configs.load(name)
    card = weight_store.verify(Path(shipped) / name)
    network = zoo.build(card.architecture, **options(card))
    weight_store.load_into(network, Path(shipped) / name / weight_store.FILE)
    recipe = replace(
        recipe,
        stages=((EPOCHS, card.input.side),),
        learning_rate=recipe.learning_rate / GENTLER,
        teachers=(),
        distillation=0.0,
        width=card.training.config.get("width", 1.0),
    )
    arrays = {layer.name: layer.get_weights() for layer in network.layers if layer.weights}
    source, before = f"{card.name} {card.version}", card.training.config.get("start", RANDOM)
    return Start(recipe, arrays, source if before == RANDOM else f"{source}, which began with {before}")
