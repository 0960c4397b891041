"""What a visitor waits for, and what the page holds."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from tests.bench.timing import ROOT, Row, bare, example, seconds

WARM = """
from pathlib import Path
from app import main
main.build()
main.warm()
print(Path("/proc/self/status").read_text())
"""


def answers(models: list, turns: int) -> Iterator[Row]:
    """From a photo to boxes, keypoints and predictions, against detection and the bare passes."""
    from models import detector, keypoints, zoo

    picture, face = example()
    passes = [bare(model.network)[0] for model in models]
    points = bare(zoo.keypoint_model().network)[0]
    crop, wide = face.crop[None, ..., None], face.wide_crop[None, ..., None]

    def whole():
        faces = keypoints.read(detector.find(picture), picture)
        return [model.predict(faces) for model in models]

    def parts():
        detector.find(picture)
        points(wide)
        for forward in passes:
            forward(crop)

    ours, needed = seconds(whole, parts, turns=2 * turns)
    yield Row("photo to three predictions / detection and bare passes", ours / needed, 1.5, "×")


def side_by_side(models: list, turns: int) -> Iterator[Row]:
    """Grad-CAM and SHAP of three models for one face, as the Compare tab asks for them."""
    from explain import registry
    from explain.base import Target

    _, face = example()
    target, first, every = Target(3), [], []
    for turn in range(turns + 1):
        started = time.perf_counter()
        for name in ("gradcam", "shap_gradient"):
            for model in models:
                registry.explain(model, face, target, name)
            if turn and name == "gradcam":
                first.append(time.perf_counter() - started)
        if turn:
            every.append(time.perf_counter() - started)
    yield Row("three models: Grad-CAM of all", median(first), 0.5, "s")
    yield Row("three models: Grad-CAM and SHAP of all", median(every), 3, "s")


def page(models: list, turns: int) -> Iterator[Row]:
    """From the command to the first answer of the page; models load behind it."""
    started = time.perf_counter()
    with serving():
        yield Row("first page after the command", time.perf_counter() - started, 15, "s")


@contextmanager
def serving() -> Iterator[str]:
    """The address of the page in a process of its own, once it answers.

    Raises:
        RuntimeError: it does not within two minutes.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "app.main"], cwd=ROOT, env=environment, **quiet)
    try:
        while not answers_at(url):
            if process.poll() is not None or time.perf_counter() - started > 120:
                raise RuntimeError("the page did not open")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def answers_at(url: str) -> bool:
    """Whether a server answers there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            answer.read()
    except OSError:
        return False
    return True


def trust(models: list, turns: int) -> Iterator[Row]:
    """The trust reading of a Grad-CAM map, beside the maps of other faces that ship."""
    from explain import control_maps, registry
    from explain import trust as reading
    from explain.base import Target

    face = example()[1]
    for model in models:
        target = Target(int(model.logits(face.crop[None])[0].argmax()))
        explanation = registry.explain(model, face, target, "gradcam")
        others = control_maps.compared(control_maps.read(model.located.folder, model.card.sha256)["gradcam"], face)
        results = [reading.read(model, face, explanation, other_faces=others, seed=turn) for turn in range(turns + 2)]
        taken = [result.seconds for result in results[2:]]
        yield Row(f"{model.name}: trust reading of Grad-CAM", median(taken), 1, "s")


def memory(models: list, turns: int) -> Iterator[Row]:
    """The memory that a fresh page holds after its start and warm-up."""
    done = subprocess.run([sys.executable, "-c", WARM], cwd=ROOT, capture_output=True, text=True, check=True)
    kilobytes = int(re.search(r"^VmRSS:\s+(\d+) kB", done.stdout, re.MULTILINE)[1])
    yield Row("memory held after start and warm-up", kilobytes / 2**20, 4, "GiB")
