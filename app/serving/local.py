"""An engine that computes in this process."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import final

import cv2

from app.serving import memory, reports
from app.serving.admission import AT_ONCE, EXPLAIN, PREVIEW
from app.serving.batching import BatchCount, Batchers
from app.serving.engine import Answer, Engine, P
from app.serving.reports import ModelReport
from explain import registry
from models import detector, keypoints, pauses, zoo
from models.types import Face, Photo, Prediction

PHOTOS, FACES = 16, 64
"""The most photos and faces that are computed together."""
EXPLANATIONS = AT_ONCE[EXPLAIN] + 1 + AT_ONCE[PREVIEW]
"""Explanations that are computed at once, all that the queues let in; each uses all processors."""
DETECT, KEYPOINTS = "faces", "keypoints"


@final
class LocalEngine(Engine):
    """This process. Requests of the same moment share their batches.

    Args:
        batchers: those of an engine that holds this one, so that their requests wait for each other; None for its own.
    """

    def __init__(self, batchers: Batchers | None = None):
        memory.share()
        cv2.setNumThreads(1)  # a second thread makes a photo 10 % quicker and takes twice the processor's time
        self._batchers = Batchers() if batchers is None else batchers
        self._batchers.add(DETECT, self._look_at_all, PHOTOS)
        self._batchers.add(KEYPOINTS, keypoints.read_all, FACES)
        self._explaining = threading.BoundedSemaphore(EXPLANATIONS)
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="detector")

    def detect(self, photo: Photo) -> list[Face]:
        """See `Engine.detect`; what takes more than a first look keeps only its own caller waiting."""
        pauses.here()
        return detector.find(photo, first=self._batchers(DETECT, [photo])[0])

    def keypoints(self, faces: list[Face], photo: Photo) -> list[Face]:
        return self._batchers(KEYPOINTS, [(face, photo) for face in faces]) if faces else []

    def predict(self, name: str, faces: list[Face], version: str = "") -> list[Prediction]:
        if not faces:
            return []
        key = f"{name} {version}".strip()
        if key not in self._batchers:
            zoo.load(name, version)  # what does not exist leaves nothing behind
            self._batchers.add(key, lambda batch: zoo.load(name, version).predict(batch), FACES)
        return self._batchers(key, faces)

    def explain(self, job: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """See `Engine.explain`; no more than `EXPLANATIONS` run at once."""
        with self._explaining:
            return job(*args, **kwargs)

    def card(self, name: str) -> ModelReport:
        return reports.report(name)

    def health(self) -> dict[str, zoo.Status]:
        return zoo.loaded()

    def available(self) -> list[str]:
        return zoo.available()

    def warm(self) -> None:
        zoo.warm().join()
        for name, status in zoo.loaded().items():
            if name in zoo.EMOTION_MODELS and status.state == "ready":
                registry.warm(zoo.load(name))
        memory.give_back()

    def batches(self) -> dict[str, BatchCount]:
        return self._batchers.counts()

    def _look_at_all(self, photos: list[Photo]) -> list[detector.Look]:
        one = len(photos) == 1
        return [detector.first_look(photos[0])] if one else list(self._threads.map(detector.first_look, photos))
