"""The untrained network of a configuration."""

import keras

from models import zoo
from training.config import Config


def network(config: Config) -> keras.Model:
    """The untrained network of a configuration, for faces of any side where it allows that."""
    keras.utils.set_random_seed(config.seed)
    if config.name == "keypoints":
        return zoo.build(config.name)
    options = {} if config.dropout is None else {"dropout": config.dropout}
    return zoo.build(config.name, side=None, width=config.width, **options)
