"""Keras' optimisers, with a pace for every block of a network and averaged weights that do not lag behind at first."""

from typing import Any

import keras
from keras import ops

Tensor = Any
"""Of the backend that Keras runs on."""


def depths(network: keras.Model) -> list[int]:
    """How many blocks each trainable variable's block lies below the logits, in the variables' order.

    A block is what the layers' names begin with, up to the first underscore.
    """
    blocks = [layer.name.split("_")[0] for layer in network.layers if layer.trainable_variables]
    order = list(dict.fromkeys(blocks))
    of = {
        variable.path: order.index(layer.name.split("_")[0])
        for layer in network.layers
        for variable in layer.trainable_variables
    }
    return [len(order) - 1 - of[variable.path] for variable in network.trainable_variables]


def pace(network: keras.Model, layer_decay: float) -> tuple[float, ...]:
    """A factor on the learning rate for each trainable variable: `layer_decay` to the power of its depth.

    Source: layer-wise decay as in Howard and Ruder 2018, arXiv 1801.06146, section 3.2.
    """
    return tuple(layer_decay**depth for depth in depths(network))


def kept(ema: Tensor, step: Tensor) -> Tensor:
    """How much of the averaged weights a step keeps, counted from 0: less at first, so that they soon leave the start.

    Source: the `num_updates` of TensorFlow's ExponentialMovingAverage.
    """
    step = ops.cast(step, "float32")
    return ops.minimum(ema, (1.0 + step) / (10.0 + step))


class _Paced(keras.optimizers.Optimizer):
    """What is added to an optimiser of Keras.

    Args:
        pace: see `pace`; empty for 1 everywhere.
        ema: see `training.config.Config`.
    """

    def __init__(self, *arguments: Any, pace: tuple[float, ...] = (), ema: float = 0.0, **options: Any):
        super().__init__(*arguments, use_ema=ema > 0, ema_momentum=ema, **options)
        self.pace = pace

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        if self.pace:
            learning_rate = learning_rate * self.pace[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate)

    def _update_model_variables_moving_average(self, trainable_variables: list[keras.Variable]) -> None:
        share = kept(self.ema_momentum, self.iterations) * ops.cast(self.iterations > 0, "float32")
        for variable, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            average.assign(share * average + (1.0 - share) * variable)

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Nothing: Keras calls this after every `fit`, which is an epoch here, and would go on from the average."""

    def average(self) -> None:
        """Give the network its averaged weights."""
        for variable, average in zip(self._trainable_variables, self._model_variables_moving_average, strict=True):
            variable.assign(ops.copy(average))  # on JAX both would else share memory that `fit` gives away


class SGD(_Paced, keras.optimizers.SGD):
    """Stochastic gradient descent with decoupled weight decay."""


class AdamW(_Paced, keras.optimizers.AdamW):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101)."""


class Adam(_Paced, keras.optimizers.Adam):
    """Adam (Kingma and Ba 2014, arXiv 1412.6980), whose gradient has the weight decay in it: an L2 penalty.

    Args:
        penalty: factor on each weight that is added to its gradient; biases and batch norms have none.
    """

    def __init__(self, *arguments: Any, penalty: float = 0.0, **options: Any):
        super().__init__(*arguments, **options)
        self.penalty = penalty

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        if len(variable.shape) > 1:
            gradient = gradient + self.penalty * variable
        super().update_step(gradient, variable, learning_rate)
