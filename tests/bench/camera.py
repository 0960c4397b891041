"""The live camera: frames a second, against bare passes, and what a visitor beside it waits."""

import itertools
import threading
import time
from collections.abc import Iterator
from statistics import median

import cv2
import numpy as np

from tests.bench.timing import Row, bare, example, seconds

FRAMES = 24
"""Three looks of the detector, and seven frames after each."""
EVERY_S = 0.1
"""Seconds between two frames that the page sends."""


def rows(models: list, turns: int) -> Iterator[Row]:
    """Frames of 640 x 480 with one face that moves, from JPEG to HTML, on the server alone; see also `delay`."""
    from app import live
    from app.ui.render import live_view
    from models import detector, photo, zoo
    from models.types import Photo

    films = jpegs()
    shape = example()[1]
    inputs = shape.crop[None, ..., None], shape.wide_crop[None, ..., None]
    points = bare(zoo.keypoint_model().network)[0]
    for model, (heat, least) in itertools.product(models, ((False, 8), (True, 5))):
        forward = bare(model.network)[0]

        def frames(model=model, heat=heat):
            stream = live.Stream()
            for index, data in enumerate(films):
                moment = stream.read(photo.read(data), model.name, 0.4, heat, index * EVERY_S)
                live_view.marks(moment)
                live_view.numbers(moment)

        def passes(forward=forward, heat=heat):
            for index, data in enumerate(films):
                pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
                if index % 8 == 0:
                    detector.find(Photo(pixels))
                points(inputs[1])
                for _ in range(1 + heat):
                    forward(inputs[0])

        ours, needed = seconds(frames, passes, turns=min(turns, 3))
        name = f"{model.name}: live camera{' with Grad-CAM' if heat else ''}"
        yield Row(f"{name}, frames a second", FRAMES / ours, least, "", at_least=True)
        yield Row(f"{name} / detection of every eighth and bare passes", ours / needed, 2, "×")
    yield Row("a prediction beside a live camera / alone", beside(films, models[0].name, turns), 1.5, "×")


def beside(films: list[bytes], name: str, turns: int) -> float:
    """By how much a live camera slows another visitor's prediction."""
    from app import live, pipeline
    from app.serving import seats
    from models import photo

    picture, _ = example()
    over = threading.Event()

    def watch():
        stream = live.Stream()
        while not over.is_set():
            for data in films:
                began = time.perf_counter()
                with seats.FRAMES:
                    stream.read(photo.read(data), name, 0.4, False, began)
                if over.wait(max(0.0, EVERY_S - (time.perf_counter() - began))):
                    return

    def visit() -> float:
        began = time.perf_counter()
        pipeline.predictions_for(pipeline.detections(picture).faces)
        return time.perf_counter() - began

    alone = median([visit() for _ in range(turns + 2)][2:])
    camera = threading.Thread(target=watch)
    camera.start()
    try:
        return median([visit() for _ in range(2 * turns + 2)][2:]) / alone
    finally:
        over.set()
        camera.join()


def jpegs() -> list[bytes]:
    """A portrait that moves and turns a little, frame by frame."""
    pixels = example()[0].pixels
    found = []
    for index in range(FRAMES):
        move = cv2.getRotationMatrix2D((224, 100), 5 * np.sin(index / 4), 1.15 + 0.05 * np.sin(index / 5))
        move[:, 2] += [60 + 30 * np.sin(index / 5), 40]
        frame = cv2.warpAffine(pixels, move, (640, 480), borderMode=cv2.BORDER_REPLICATE)
        found.append(cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    return found
