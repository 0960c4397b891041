"""Speed as ratios, against the limits of the design: `make bench`.

Medians after a warm-up; what is compared is run in turns, so that a busy machine slows both. A model
without shipped weights is measured with random ones, which takes as long.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).parents[1]
TURNS = 9


@dataclass(frozen=True)
class Row:
    """One line of the table: `measured` must be no more than `limit` (or no less, where `at_least`)."""

    what: str
    measured: float
    limit: float
    unit: str
    at_least: bool = False

    def __str__(self) -> str:
        good = self.measured >= self.limit if self.at_least else self.measured <= self.limit
        sign = "≥" if self.at_least else "≤"
        return f"| {self.what} | {self.measured:.2f} {self.unit} | {sign} {self.limit:g} | {'yes' if good else 'no'} |"


def seconds(*calls: Callable, turns: int = TURNS) -> list[float]:
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


def models() -> list:
    """The three emotion models."""
    from models import zoo
    from models.errors import WeightsError
    from tests.explain.conftest import random_model

    found = []
    for name in zoo.EMOTION_MODELS:
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


# ------------------------------------------------------------------- the rows


def methods(all_models: list) -> Iterator[Row]:
    """Each method against the passes that it cannot do without."""
    import shap

    from explain import background, registry
    from explain.base import Target

    crop = background.mean_face()[::-1].copy()
    regions = ((np.arange(48)[:, None] // 12) * 2 + (np.arange(48) >= 24)) == np.arange(8)[:, None, None]
    one, many, blends = (np.repeat(crop[None, ..., None], count, 0) for count in (1, 256, 64))
    target = Target(0)

    def call(model, name):
        method = registry.METHODS[name]
        return lambda: method.run(model, crop, target, method.Params(), regions=regions)

    for model in all_models:
        forward, gradient = bare(model.network)
        cam, bare_one = seconds(call(model, "gradcam"), lambda f=forward: f(one), turns=31)
        yield Row(f"{model.name}: Grad-CAM / forward pass", cam / bare_one, 2, "×")
        exact, bare_many = seconds(call(model, "shap_regions"), lambda f=forward: f(many), turns=7)
        yield Row(f"{model.name}: region Shapley / forward pass of 256", exact / bare_many, 1.3, "×")
        quick, bare_gradient = seconds(call(model, "shap_gradient"), lambda g=gradient: g(blends), turns=7)
        yield Row(f"{model.name}: SHAP, 64 samples / forward and backward of 64", quick / bare_gradient, 1.5, "×")
        started = time.perf_counter()
        documented = shap.GradientExplainer(model.network, background.faces()[..., None])
        documented.shap_values(one, nsamples=64)
        slow = time.perf_counter() - started
        yield Row(f"{model.name}: shap's documented call, 64 samples / ours", slow / quick, 10, "×", at_least=True)


def answers(all_models: list) -> Iterator[Row]:
    """From a photo to boxes, keypoints and predictions, against detection and the bare passes."""
    from models import detector, keypoints, zoo

    picture, face = example()
    passes = [bare(model.network)[0] for model in all_models]
    points = bare(zoo.keypoint_model().network)[0]
    crop, wide = face.crop[None, ..., None], face.wide_crop[None, ..., None]

    def whole():
        faces = keypoints.read(detector.find(picture), picture)
        return [model.predict(faces) for model in all_models]

    def parts():
        detector.find(picture)
        points(wide)
        for forward in passes:
            forward(crop)

    ours, needed = seconds(whole, parts, turns=15)
    yield Row("photo to three predictions / detection and bare passes", ours / needed, 1.5, "×")


def side_by_side(all_models: list) -> Iterator[Row]:
    """Grad-CAM and SHAP of three models for one face, as the Compare tab asks for them."""
    from explain import registry
    from explain.base import Target

    _, face = example()
    target, first, every = Target(3), [], []
    for turn in range(6):
        started = time.perf_counter()
        for name in ("gradcam", "shap_gradient"):
            for model in all_models:
                registry.explain(model, face, target, name)
            if turn and name == "gradcam":
                first.append(time.perf_counter() - started)
        if turn:
            every.append(time.perf_counter() - started)
    yield Row("three models: Grad-CAM of all", median(first), 0.5, "s")
    yield Row("three models: Grad-CAM and SHAP of all", median(every), 3, "s")


def page(all_models: list) -> Iterator[Row]:
    """From the command to the first answer of the page; models load behind it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.main"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None and time.perf_counter() - started < 120:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    answer.read()
                yield Row("first page after the command", time.perf_counter() - started, 15, "s")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the page did not open")
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Print the table, row by row."""
    all_models = models()
    print("| what | measured | limit | holds |\n|---|---|---|---|", flush=True)
    missing = []
    for part in (answers, methods, side_by_side, page):
        try:
            for row in part(all_models):
                print(row, flush=True)
        except Exception as error:
            missing.append(f"Not measured: {part.__doc__.splitlines()[0].rstrip('.')} ({error}).")
    print("", *missing, sep="\n")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
