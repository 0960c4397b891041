"""What every part of the bench uses: a row, a clock, bare passes, models and a face."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Row:
    """One line of the table: `measured` must be no more than `limit` (or no less, where `at_least`)."""

    what: str
    measured: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def __str__(self) -> str:
        sign, verdict = "≥" if self.at_least else "≤", "yes" if self.holds else "no"
        measured = f"{self.measured:.0f}" if isinstance(self.measured, int) else f"{self.measured:.2f}"
        return f"| {self.what} | {f'{measured} {self.unit}'.strip()} | {sign} {self.limit:g} | {verdict} |"


def seconds(*calls: Callable, turns: int) -> list[float]:
    """The median time of each call, run in turns after two rounds of warm-up."""
    times = [[] for _ in calls]
    for turn in range(turns + 2):
        for call, kept in zip(calls, times, strict=True):
            started = time.perf_counter()
            call()
            if turn > 1:
                kept.append(time.perf_counter() - started)
    return [median(kept) for kept in times]


def bare(network) -> tuple[Callable, Callable]:
    """The compiled forward pass of a network, and forward with the gradient of one logit."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)]

    @tf.function(input_signature=signature)
    def forward(inputs):
        return network(inputs, training=False)

    @tf.function(input_signature=signature)
    def gradient(inputs):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            score = network(inputs, training=False)[:, 0]
        return tape.gradient(score, inputs)

    return lambda x: forward(x).numpy(), lambda x: gradient(x).numpy()


def models(names: list[str]) -> list:
    """Emotion models by name."""
    from models import zoo
    from models.errors import WeightsError
    from tests.explain.conftest import random_model

    found = []
    for name in names:
        try:
            found.append(zoo.load(name))
        except WeightsError as error:
            print(f"{name} is measured with random weights: {error}\n")
            found.append(random_model(name))
    return found


def example():
    """A real portrait, its largest face with keypoints, read from a file that ships."""
    from models import detector, keypoints, photo

    picture = photo.read(ROOT / "examples" / "astronaut.jpg")
    return picture, keypoints.read(detector.find(picture, limit=1), picture)[0]
