"""What Ray's test runs in its replicas, where it is found by its name."""

import time
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np

from app.serving.local import LocalEngine
from app.serving.ray_cluster import Replica
from models import detector, zoo
from models.types import Photo


class LeanReplica(Replica):
    """One that loads a network when it is asked for it: of three that start in the test, two are asked for boxes."""

    def __init__(self) -> None:
        with ExitStack() as lean:
            lean.enter_context(patch.object(LocalEngine, "warm", lambda engine: None))
            lean.enter_context(patch.object(LocalEngine, "available", lambda engine: []))
            lean.enter_context(patch.object(zoo, "keypoint_model", lambda: None))
            super().__init__()

    def check_health(self) -> None:
        """Fine: to find out whether a network can be used would load it."""


def slowly(photo: Photo) -> np.ndarray:
    """The box of the largest face, after a while in which the processor is free for another replica to start."""
    time.sleep(0.3)
    return detector.find(photo)[0].box
