"""Training with the data, the disturbance and every step of an epoch on an accelerator (Keras on JAX).

`training.train` feeds a network batch by batch from the host, which keeps two cores busy and an accelerator
idle. Here the faces lie in the accelerator's memory, an epoch is one compiled loop, and several networks may
learn side by side from the same disturbed faces and the same teachers, who answer to each disturbed face anew
(Beyer et al. 2022, arXiv 2106.05237). The disturbance is that of `training.data.augmentation`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

import jax
import jax.numpy as jnp
import keras
import numpy as np

from training import optimizers
from training.config import Augmentation, Config

State = dict[str, list[jax.Array]]
"""What changes while a network learns, see `Student.state`."""
Answers = Callable[[list[jax.Array], list[jax.Array], jax.Array], jax.Array]
"""See `answers_of`."""
MOMENTUM = 0.9
BLUR_RADIUS = 3
"""Pixels; twice the largest standard deviation of blur that a recipe has."""
SMALLEST_BLUR = 0.2
"""Below this standard deviation a blur changes nothing, as in `training.data.augmentation`."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """What may change from run to run without compiling anew; arrays on the accelerator.

    Attributes:
        targets: float32 (N, 7), what each face should be answered.
        chances: float32 (N,), how likely each face is drawn; sum 1.
        strength: the fields of `Augmentation` as float32.
        peak, warmup, weight_decay, mixup, distillation, ema: see `Config`.
        steps: of the whole run.
    """

    targets: jax.Array
    chances: jax.Array
    strength: dict[str, jax.Array]
    peak: jax.Array
    warmup: jax.Array
    weight_decay: jax.Array
    mixup: jax.Array
    distillation: jax.Array
    ema: jax.Array
    steps: jax.Array


jax.tree_util.register_dataclass(Recipe, [each.name for each in fields(Recipe)], [])


def recipe(config: Config, targets: np.ndarray, chances: np.ndarray, steps: int) -> Recipe:
    """The numbers of a configuration.

    Args:
        config: of the run.
        targets: float (N, 7).
        chances: float (N,), sum 1.
        steps: of the whole run, which the schedule is stretched over.
    """
    number = partial(jnp.asarray, dtype=jnp.float32)
    return Recipe(
        targets=number(targets),
        chances=number(chances),
        strength={each.name: number(getattr(config.augmentation, each.name)) for each in fields(Augmentation)},
        peak=number(config.learning_rate),
        warmup=number(config.warmup),
        weight_decay=number(config.weight_decay),
        mixup=number(config.mixup),
        distillation=number(config.distillation),
        ema=number(config.ema),
        steps=number(steps),
    )


# ------------------------------------------------------------------ disturbance


def warp(images: jax.Array, matrices: jax.Array, side: int) -> jax.Array:
    """Squares seen through affine maps, bilinearly, mirrored beyond their edges.

    Args:
        images: float (B, S, S).
        matrices: float (B, 2, 3), from pixels of the result to pixels of the source.
        side: of the result.

    Returns:
        float32 (B, side, side); as `cv2.warpAffine` with `BORDER_REFLECT_101` and the inverse maps gives.
    """
    source = images.shape[1]
    y, x = jnp.meshgrid(jnp.arange(side, dtype=jnp.float32), jnp.arange(side, dtype=jnp.float32), indexing="ij")
    grid = jnp.stack([x.ravel(), y.ravel(), jnp.ones(side * side, jnp.float32)])
    places = jnp.einsum("bij,jk->bik", matrices, grid, precision="highest")
    low = jnp.floor(places)
    share_x, share_y = (places - low)[:, 0], (places - low)[:, 1]

    def mirrored(index: jax.Array) -> jax.Array:
        index = jnp.abs(index.astype(jnp.int32)) % (2 * source - 2)
        return jnp.minimum(index, 2 * source - 2 - index)

    left, right = mirrored(low[:, 0]), mirrored(low[:, 0] + 1)
    top, bottom = mirrored(low[:, 1]), mirrored(low[:, 1] + 1)
    flat = images.astype(jnp.float32).reshape(len(images), -1)

    def at(row: jax.Array, column: jax.Array) -> jax.Array:
        return jnp.take_along_axis(flat, row * source + column, axis=1)

    upper = at(top, left) * (1 - share_x) + at(top, right) * share_x
    lower = at(bottom, left) * (1 - share_x) + at(bottom, right) * share_x
    return (upper * (1 - share_y) + lower * share_y).reshape(-1, side, side)


def _between(key: jax.Array, shape: tuple[int, ...], far: jax.Array) -> jax.Array:
    return jax.random.uniform(key, shape, minval=-1.0, maxval=1.0) * far


def _matrices(key: jax.Array, count: int, strength: dict[str, jax.Array], source: int, side: int) -> jax.Array:
    """The inverse of `training.data.augmentation.affine`, drawn for so many faces: float32 (count, 2, 3)."""
    keys = jax.random.split(key, 4)
    angle = jnp.deg2rad(_between(keys[0], (count,), strength["rotation"]))
    zoom = side / source * (1 + _between(keys[1], (count,), strength["scale"]))
    shift = _between(keys[2], (count, 2), strength["shift"]) * side
    mirror = jnp.where((jax.random.uniform(keys[3], (count,)) < 0.5) & (strength["flip"] > 0), -1.0, 1.0)
    cos, sin = jnp.cos(angle) / zoom, jnp.sin(angle) / zoom
    turn = jnp.stack([jnp.stack([mirror * cos, mirror * sin], 1), jnp.stack([-sin, cos], 1)], 1)
    middle = (side - 1) / 2 + shift
    offset = (source - 1) / 2 - jnp.einsum("bij,bj->bi", turn, middle, precision="highest")
    return jnp.concatenate([turn, offset[:, :, None]], 2)


def _blurred(faces: jax.Array, sigma: jax.Array) -> jax.Array:
    """Each face blurred with its own standard deviation, mirrored beyond the edges."""
    reach = jnp.arange(-BLUR_RADIUS, BLUR_RADIUS + 1, dtype=jnp.float32)
    kernel = jnp.exp(-0.5 * (reach[None] / jnp.maximum(sigma, 1e-3)[:, None]) ** 2)
    kernel = kernel / kernel.sum(1, keepdims=True)
    side = faces.shape[1]

    def along(values: jax.Array, axis: int) -> jax.Array:
        padding = [(0, 0)] * 3
        padding[axis] = (BLUR_RADIUS, BLUR_RADIUS)
        wide = jnp.pad(values, padding, mode="reflect")
        parts = [jax.lax.slice_in_dim(wide, i, i + side, axis=axis) for i in range(2 * BLUR_RADIUS + 1)]
        shares = [part * kernel[:, i, None, None] for i, part in enumerate(parts)]
        return sum(shares[1:], shares[0])

    return jnp.where((sigma > SMALLEST_BLUR)[:, None, None], along(along(faces, 1), 2), faces)


def disturbed(key: jax.Array, images: jax.Array, strength: dict[str, jax.Array], side: int) -> jax.Array:
    """Faces as a visitor's camera might have seen them, each disturbed by its own chance.

    Args:
        key: where the randomness comes from.
        images: uint8 (B, S, S).
        strength: the fields of `Augmentation`.
        side: of the result in pixels.

    Returns:
        float32 (B, side, side) in 0..1.
    """
    count = len(images)
    keys = jax.random.split(key, 9)
    faces = warp(images, _matrices(keys[0], count, strength, images.shape[1], side), side) / 255
    faces = _blurred(faces, jax.random.uniform(keys[1], (count,)) * strength["blur"])
    mean = faces.mean((1, 2), keepdims=True)
    gain = 1 + _between(keys[2], (count, 1, 1), strength["contrast"])
    faces = (faces - mean) * gain + mean + _between(keys[3], (count, 1, 1), strength["brightness"])
    sigma = jax.random.uniform(keys[4], (count, 1, 1)) * strength["noise"]
    faces = faces + jax.random.normal(keys[5], faces.shape) * sigma
    size = jnp.floor(jax.random.uniform(keys[6], (count, 2), minval=0.1, maxval=0.4) * side)
    first = jnp.floor(jax.random.uniform(keys[7], (count, 2)) * (side - size))
    steps = jnp.arange(side)
    inside = (steps >= first[..., None]) & (steps < (first + size)[..., None])  # (B, 2, side)
    hidden = jax.random.uniform(keys[8], (count,)) < strength["erase"]
    box = inside[:, 0, :, None] & inside[:, 1, None, :] & hidden[:, None, None]
    return jnp.clip(jnp.where(box, mean, faces), 0, 1)


# ------------------------------------------------------------------------ steps


@dataclass(frozen=True, eq=False)
class Student:
    """A network that learns, and how its variables are treated.

    Attributes:
        network: Keras model that ends in logits.
        pace: factor on the learning rate of each trainable variable.
        decays: whether weight decay applies to each trainable variable.
    """

    network: keras.Model
    pace: tuple[float, ...]
    decays: tuple[bool, ...]

    @classmethod
    def of(cls, network: keras.Model, layer_decay: float = 1.0) -> "Student":
        """A network whose blocks learn the slower, by this factor a block, the farther they lie from the logits."""
        return cls(
            network,
            optimizers.pace(network, layer_decay),
            tuple(len(variable.shape) > 1 for variable in network.trainable_variables),
        )

    def state(self) -> State:
        """What changes while it learns: weights, statistics, momentum and averaged weights."""
        # copies, because an epoch gives the memory of what it is given away
        trained = [jnp.copy(variable.value) for variable in self.network.trainable_variables]
        other = [jnp.copy(variable.value) for variable in self.network.non_trainable_variables]
        return {
            "trained": trained,
            "other": other,
            "momentum": [jnp.zeros_like(value) for value in trained],
            "mean_trained": [jnp.copy(value) for value in trained],
            "mean_other": [jnp.copy(value) for value in other],
        }

    @property
    def variables(self) -> dict[str, list[keras.Variable]]:
        """The variables that each part of a state, and `put`, hold values of."""
        trained, other = self.network.trainable_variables, self.network.non_trainable_variables
        return {
            "trained": trained,
            "other": other,
            "momentum": trained,
            "mean_trained": trained,
            "mean_other": other,
            "best": [*trained, *other],
        }

    def put(self, values: list[jax.Array]) -> None:
        """Give the network values for all of its variables, the trained ones first."""
        for variable, value in zip(self.variables["best"], values, strict=True):
            variable.assign(value)


def rate(step: jax.Array, plan: Recipe) -> jax.Array:
    """The learning rate of a step: `training.train.OneCycle`."""
    rise = jnp.maximum(1.0, plan.warmup * plan.steps)
    progress = jnp.clip((step - rise) / jnp.maximum(1.0, plan.steps - rise), 0.0, 1.0)
    fall = 0.5 * plan.peak * (1.0 + jnp.cos(math.pi * progress))
    return jnp.where(step < rise, plan.peak * (step + 1) / (rise + 1), fall)


def _learn(
    student: Student,
    state: State,
    faces: jax.Array,
    targets: jax.Array,
    speed: jax.Array,
    plan: Recipe,
    step: jax.Array,
) -> tuple[State, jax.Array]:
    """One step of SGD with Nesterov momentum and decoupled weight decay, as Keras' SGD does it."""

    def loss(trained: list[jax.Array]) -> tuple[jax.Array, tuple[list[jax.Array], jax.Array]]:
        logits, other = student.network.stateless_call(trained, state["other"], faces, training=True)
        return -(targets * jax.nn.log_softmax(logits.astype(jnp.float32))).sum(1).mean(), (other, logits)

    (value, (other, logits)), slopes = jax.value_and_grad(loss, has_aux=True)(state["trained"])
    trained, momentum = [], []
    for weight, slope, speedy, pace, decays in zip(
        state["trained"], slopes, state["momentum"], student.pace, student.decays, strict=True
    ):
        if decays:
            weight = weight - weight * plan.weight_decay * speed
        slope = slope.astype(weight.dtype)
        change = MOMENTUM * speedy - speed * pace * slope
        trained.append(weight + MOMENTUM * change - speed * pace * slope)
        momentum.append(change)
    keep = optimizers.kept(plan.ema, step)

    def mean(old: list[jax.Array], new: list[jax.Array]) -> list[jax.Array]:
        return [
            a * keep + b * (1 - keep) if jnp.issubdtype(a.dtype, jnp.floating) else b
            for a, b in zip(old, new, strict=True)
        ]

    state = {
        "trained": trained,
        "other": other,
        "momentum": momentum,
        "mean_trained": mean(state["mean_trained"], trained),
        "mean_other": mean(state["mean_other"], other),
    }
    right = (logits.argmax(1) == targets.argmax(1)).mean()
    return state, jnp.stack([value, right.astype(jnp.float32)])


Epoch = Callable[[list[State], list[Recipe], jax.Array, jax.Array, jax.Array], tuple[list[State], jax.Array]]
"""See `epoch_of`."""
Values = tuple[list[jax.Array], list[jax.Array]]
"""Of a teacher's variables: the trained ones, and the others."""


def epoch_of(students: list[Student], teachers: list[keras.Model], batch: int, side: int) -> Epoch:
    """A compiled epoch: (states, recipes, images, key, first step) -> (states, loss and accuracy of each student).

    Args:
        students: that learn, all from the same disturbed faces.
        teachers: networks whose mean answer to the disturbed face is part of the target.
        batch: faces a step.
        side: of the faces in pixels.

    Returns:
        A function. `images` are uint8 (N, S, S); an epoch is N // batch steps. The first recipe says how faces are
        drawn, disturbed and mixed.
    """
    taught = [
        ([v.value for v in teacher.trainable_variables], [v.value for v in teacher.non_trainable_variables])
        for teacher in teachers
    ]

    def run(
        states: list[State],
        plans: list[Recipe],
        taught: list[Values],
        images: jax.Array,
        key: jax.Array,
        first: jax.Array,
    ) -> tuple[list[State], jax.Array]:
        plan = plans[0]
        count = len(images)
        steps = count // batch
        draw, key = jax.random.split(key)
        # as in training.data.batches: every face once, or drawn again and again by its chance
        even = jax.random.permutation(draw, count)
        uneven = jax.random.choice(draw, count, (count,), p=plan.chances)
        order = jnp.where(jnp.allclose(plan.chances, 1 / count, rtol=1e-3, atol=0), even, uneven)

        def step(states: list[State], index: jax.Array) -> tuple[list[State], jax.Array]:
            rows = jax.lax.dynamic_slice_in_dim(order, index * batch, batch)
            own = jax.random.split(jax.random.fold_in(key, index), 4)
            faces = disturbed(own[0], images[rows], plan.strength, side)[..., None]
            mixes = plan.mixup > 0
            alpha = jnp.maximum(plan.mixup, 1e-3)
            share = jnp.where(mixes, jax.random.beta(own[1], alpha, alpha, (batch,)), 1.0)
            share = jnp.maximum(share, 1 - share)
            other = jax.random.permutation(own[2], batch)
            faces = faces * share[:, None, None, None] + faces[other] * (1 - share)[:, None, None, None]
            answers = None
            if teachers:
                answers = sum(
                    jax.nn.softmax(teacher.stateless_call(*values, faces, training=False)[0].astype(jnp.float32))
                    for teacher, values in zip(teachers, taught, strict=True)
                ) / len(teachers)
            results, figures = [], []
            for student, state, own_plan in zip(students, states, plans, strict=True):
                targets = own_plan.targets[rows]
                targets = targets * share[:, None] + targets[other] * (1 - share)[:, None]
                if answers is not None:
                    targets = (1 - own_plan.distillation) * targets + own_plan.distillation * answers
                speed = rate(first + index, own_plan)
                state, figure = _learn(student, state, faces, targets, speed, own_plan, first + index)
                results.append(state)
                figures.append(figure)
            return results, jnp.stack(figures)

        states, figures = jax.lax.scan(step, states, jnp.arange(steps))
        return states, figures.mean(0)

    compiled = jax.jit(run, donate_argnums=0)
    return lambda states, plans, images, key, first: compiled(states, plans, taught, images, key, first)


def answers_of(network: keras.Model) -> Answers:
    """A compiled function: (trained, other, uint8 faces (N, S, S)) -> float32 logits (N, 7)."""

    @jax.jit
    def run(trained: list[jax.Array], other: list[jax.Array], images: jax.Array) -> jax.Array:
        faces = images.astype(jnp.float32)[..., None] / 255
        return network.stateless_call(trained, other, faces, training=False)[0].astype(jnp.float32)

    return run
