"""What every engine promises: whatever computes for the page and the API looks like this to them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from app.serving.batching import BatchCount
from app.serving.reports import ModelReport
from models.types import Face, Photo, Prediction
from models.zoo import Status

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Engine(ABC):
    """Computes for the page and the API, in this process or by asking others; any thread may call.

    Implementations are final, and one that leaves a part to another holds it: `app.serving.local` computes
    here, `app.serving.tf_serving` lets a server predict, `app.serving.ray_cluster` asks replicas.
    """

    @abstractmethod
    def detect(self, photo: Photo) -> list[Face]:
        """The faces in a photo without keypoints, largest first, see `models.detector.find`."""

    @abstractmethod
    def keypoints(self, faces: list[Face], photo: Photo) -> list[Face]:
        """The same faces with their keypoints, see `models.keypoints.read`."""

    @abstractmethod
    def predict(self, name: str, faces: list[Face], version: str = "") -> list[Prediction]:
        """One Prediction a face, by a version of a model; "" is the active one.

        Raises:
            UnknownNameError, WeightsError: see `models.zoo.load`.
        """

    @abstractmethod
    def explain(self, job: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """What a job answers that looks into the networks.

        Args:
            job: a function that can be pickled, such as those of `app.serving.jobs`.
            args, kwargs: what it takes; these and its answer can be pickled too.

        Raises:
            what the job raises.
        """

    @abstractmethod
    def card(self, name: str) -> ModelReport:
        """The card of a model's active version and what was measured; waits while its weights are being loaded.

        Raises:
            UnknownNameError, WeightsError: see `models.zoo.load`.
        """

    @abstractmethod
    def health(self) -> dict[str, Status]:
        """How far each model is, the keypoint model first; loads nothing."""

    @abstractmethod
    def available(self) -> list[str]:
        """The emotion models that can be used, see `models.zoo.available`."""

    @abstractmethod
    def warm(self) -> None:
        """Load the models and run every method once, so that the first visitor waits for neither."""

    @abstractmethod
    def batches(self) -> dict[str, BatchCount]:
        """How much was computed in batches since the start, by what was computed."""
