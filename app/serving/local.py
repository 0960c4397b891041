"""An engine that computes in this process."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import cv2

from app.serving import memory
from app.serving.batching import Batcher
from explain import registry
from models import detector, keypoints, zoo
from models.types import Face, Photo, Prediction

PHOTOS, FACES = 16, 64
"""The most photos and faces that are computed together."""
EXPLANATIONS = 2
"""Explanations that are computed at once; each uses all processors, and predictions go between them."""


class LocalEngine:
    """This process. Callers may come from any thread; those of the same moment share their batches."""

    def __init__(self):
        memory.share()
        cv2.setNumThreads(1)  # a second thread makes a photo 10 % quicker and takes twice the processor's time
        self._finding = Batcher(self._find_all, PHOTOS)
        self._pointing = Batcher(lambda pairs: keypoints.read_all(pairs), FACES)
        self._answering: dict[tuple[str, str], Batcher] = {}
        self._explaining = threading.BoundedSemaphore(EXPLANATIONS)
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="detector")
        self._lock = threading.Lock()
        self._present = 0

    def find(self, photo: Photo) -> list[Face]:
        """The faces in a photo, see `models.detector.find`."""
        with self._guest():
            return self._finding([photo], self._expected)[0]

    def keypoints(self, faces: list[Face], photo: Photo) -> list[Face]:
        """Faces with their keypoints, see `models.keypoints.read`."""
        with self._guest():
            return self._pointing([(face, photo) for face in faces], self._expected) if faces else []

    def predict(self, name: str, faces: list[Face], version: str = "") -> list[Prediction]:
        """One Prediction a face.

        Raises:
            UnknownNameError, WeightsError: see `models.zoo.load`.
        """
        if not faces:
            return []
        if (name, version) not in self._answering:
            zoo.load(name, version)  # what does not exist leaves nothing behind
        with self._lock:
            if (name, version) not in self._answering:
                self._answering[name, version] = Batcher(self._answer(name, version), FACES)
            batcher = self._answering[name, version]
        with self._guest():
            return batcher(faces, self._expected)

    def available(self) -> list[str]:
        """The models that can be used, see `models.zoo.available`."""
        return zoo.available()

    def status(self) -> dict[str, zoo.Status]:
        """How far each model is, see `models.zoo.loaded`."""
        return zoo.loaded()

    def warm(self) -> None:
        """Load the models and run every method once, so that the first visitor waits for neither."""
        zoo.warm().join()
        for name, status in zoo.loaded().items():
            if name in zoo.EMOTION_MODELS and status.state == "ready":
                registry.warm(zoo.load(name))
        memory.give_back()

    def run(self, function: Callable, *args, **kwargs) -> Any:
        """The answer of a function of `app.serving.jobs`; no more than `EXPLANATIONS` run at once."""
        with self._explaining:
            return function(*args, **kwargs)

    @property
    def batches(self) -> dict[str, Batcher]:
        """What is computed in batches, by name."""
        models = {f"{name} {version}".strip(): batcher for (name, version), batcher in self._answering.items()}
        return {"faces": self._finding, "keypoints": self._pointing, **models}

    def _answer(self, name: str, version: str) -> Callable[[list[Face]], list[Prediction]]:
        return lambda faces: zoo.load(name, version).predict(faces)

    def _find_all(self, photos: list[Photo]) -> list[list[Face]]:
        return [detector.find(photos[0])] if len(photos) == 1 else list(self._threads.map(detector.find, photos))

    @contextmanager
    def _guest(self) -> Iterator[None]:
        with self._lock:
            self._present += 1
        try:
            yield
        finally:
            with self._lock:
                self._present -= 1

    def _expected(self) -> int:
        return self._present
