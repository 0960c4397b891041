"""What Ray's test runs in its replicas, where it is found by its name."""

import time

import numpy as np

from app.serving.ray_cluster import Replica
from models import detector
from models.types import Photo
from tests.lean import lean


class LeanReplica(Replica):
    """One whose engine is lean."""

    def __init__(self) -> None:
        with lean():
            super().__init__()


def slowly(photo: Photo) -> np.ndarray:
    """The box of the largest face, after a while in which the processor is free for another replica to start."""
    time.sleep(0.3)
    return detector.find(photo)[0].box
