"""Predictions computed by a TensorFlow Serving server instead of this process; explanations stay here.

`python -m training export NAME --to savedmodel` writes what the server loads. Its signature answers
calibrated probabilities only, because a second output would change the row format of the REST interface.
Logits are got back from them: with p = softmax(z / T), T log p is z up to one constant a face, which
neither the softmax nor a difference of two logits sees.

Source: the RESTful API of TensorFlow Serving, https://www.tensorflow.org/tfx/serving/api_rest
"""

import threading
from collections.abc import Callable
from typing import Any, final

import httpx
import numpy as np

from app.serving.batching import BatchCount, Batchers
from app.serving.engine import Answer, Engine, P
from app.serving.local import LocalEngine
from app.serving.reports import ModelReport
from models import zoo
from models.card import Card
from models.errors import ParameterError, UnknownNameError, WeightsError, WeightsMismatchError, WeightsNotFoundError
from models.model import answers
from models.types import Face, Photo, Prediction
from models.zoo import EMOTION_MODELS

CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 2.0, 10.0
"""Seconds that the server has to accept a connection, and to answer a request."""
CHUNK = 64
"""The most crops in one request; `max_batch_size` of the server is no smaller."""
AGAIN = (502, 503, 504)
"""HTTP statuses after which the same request is sent a second time."""
SUM = 1e-3
"""How far the probabilities of a face may be from 1 in sum."""


def version_number(version: str) -> int:
    """A card's version as the whole number that TensorFlow Serving knows it by: "1.2.3" is 1002003."""
    major, minor, patch = map(int, version.split("."))
    return (major * 1000 + minor) * 1000 + patch


def logits(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The logits that give these probabilities, up to a constant a face.

    Args:
        probabilities: float (N, 7), softmax(z / temperature) of logits z; 0 counts as the least normal float32.
        temperature: the card's.

    Returns:
        float32 (N, 7), temperature * log(probabilities).
    """
    least = np.finfo(np.float32).tiny
    return (temperature * np.log(np.maximum(probabilities, least).astype(np.float64))).astype(np.float32)


class ServingPredictor:
    """A server's predictions, by the very version of the weights that this process explains.

    Any thread may call. A request that fails on its way is sent once more; one that the server took and
    did not answer in time is not.

    Args:
        url: where the server's REST interface is, such as "http://host:8501"; in no message, as visitors see those.
        card: a model's name -> the card of the weights that explain it.

    Raises:
        ParameterError: `url` is no http or https address.
    """

    def __init__(self, url: str, card: Callable[[str], Card]):
        try:
            address = httpx.URL(url.strip())
        except httpx.InvalidURL as error:
            raise _no_address(str(error)) from error
        if address.scheme not in ("http", "https") or not address.host or address.query or address.fragment:
            raise _no_address("an address of another kind")
        self._url = str(address).rstrip("/")
        self._client = httpx.Client(timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S))
        self._read_card, self._lock = card, threading.Lock()
        self._cards: dict[str, Card] = {}

    def predict(self, name: str, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits and probabilities of crops.

        Args:
            name: of an emotion model.
            crops: float (N, 48, 48) in 0..1, any N.

        Returns:
            float32 (N, 7) logits, known up to a constant a face, and float32 (N, 7) probabilities; both in
            the order of `EMOTIONS`.

        Raises:
            UnknownNameError: there is no such emotion model.
            ParameterError: the crops have another shape, or a value is no finite number.
            WeightsNotFoundError: the server does not have this version of the model.
            WeightsMismatchError: its answer is not what this model answers.
            WeightsError: it cannot be reached, does not answer in time, or fails.
        """
        card = self._card(name)
        side = card.input.side
        crops = np.asarray(crops, np.float32)
        if crops.shape[1:] != (side, side) or crops.ndim != 3:
            raise ParameterError(
                f"The crops do not fit the model {name!r}",
                f"shape {crops.shape}",
                f"Give crops of shape (N, {side}, {side})",
            )
        if not np.isfinite(crops).all():
            raise ParameterError(
                "The crops hold numbers that are not finite", "NaN or infinity", "Cut them out of the photo again"
            )
        parts = [self._probabilities(card, crops[i : i + CHUNK]) for i in range(0, len(crops), CHUNK)]
        probabilities = np.concatenate([np.zeros((0, len(card.labels)), np.float32), *parts])
        return logits(probabilities, card.temperature), probabilities

    def _card(self, name: str) -> Card:
        if name not in EMOTION_MODELS:
            raise UnknownNameError(
                "The name of the model is unknown", repr(name), f"Use one of {', '.join(EMOTION_MODELS)}"
            )
        with self._lock:
            if name not in self._cards:
                self._cards[name] = self._read_card(name)
            return self._cards[name]

    def _probabilities(self, card: Card, crops: np.ndarray) -> np.ndarray:
        path = f"/v1/models/{card.name}/versions/{version_number(card.version)}:predict"
        found = self._request(path, {"instances": crops[..., None].tolist()})
        try:
            rows = np.array(found["predictions"], np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise _odd("TensorFlow Serving did not answer rows of numbers", repr(error)) from error
        expected = (len(crops), len(card.labels))
        if rows.shape != expected:
            raise _odd(f"TensorFlow Serving did not answer probabilities of shape {expected}", f"{rows.shape}")
        if not np.isfinite(rows).all():
            raise _odd("TensorFlow Serving did not answer finite numbers", "NaN or infinity")
        if rows.min() < 0 or np.abs(rows.sum(1) - 1).max() > SUM:
            raise _odd(
                "TensorFlow Serving did not answer probabilities whose sum is 1",
                f"a row that begins {rows[0, :3].tolist()}",
            )
        return rows

    def _request(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._send(path, body, again=True)
        try:
            found = answer.json()
        except ValueError:
            found = None
        message = found.get("error") if isinstance(found, dict) and "error" in found else answer.text
        message = f"HTTP status {answer.status_code}, {_line(message)!r}"
        if answer.status_code == 404:
            raise WeightsNotFoundError(
                f"TensorFlow Serving does not have {path}, the version that the app explains",
                message,
                "Export this version and put it into the server's folder, or unset FACEWHY_PREDICT_URL",
            )
        if answer.status_code >= 500:
            raise _failed(message)
        if answer.status_code != 200:
            raise _odd("TensorFlow Serving refused the crops of faces", message)
        if found is None:
            raise _odd("TensorFlow Serving did not answer JSON", message)
        return found

    def _send(self, path: str, body: dict[str, Any], again: bool) -> httpx.Response:
        try:
            answer = self._client.post(self._url + path, json=body)
        except httpx.TransportError as error:
            if again and not isinstance(error, httpx.ReadTimeout):
                return self._send(path, body, again=False)
            raise _failed(f"{type(error).__name__}: {_line(error)}") from error
        if again and answer.status_code in AGAIN:
            return self._send(path, body, again=False)
        return answer


@final
class TFServingEngine(Engine):
    """A TensorFlow Serving server predicts with the active versions; everything else is computed in this process.

    Args:
        url: see `ServingPredictor`.
    """

    def __init__(self, url: str):
        self._server = ServingPredictor(url, lambda name: zoo.load(name).card)
        self._batchers = Batchers()
        self._local = LocalEngine(self._batchers)

    def detect(self, photo: Photo) -> list[Face]:
        return self._local.detect(photo)

    def keypoints(self, faces: list[Face], photo: Photo) -> list[Face]:
        return self._local.keypoints(faces, photo)

    def predict(self, name: str, faces: list[Face], version: str = "") -> list[Prediction]:
        """See `Engine.predict`; a version that is not the active one predicts in this process."""
        if not faces:
            return []
        if version not in ("", zoo.load(name).card.version):
            return self._local.predict(name, faces, version)
        self._batchers.add(f"{name} served", lambda batch: self._predict(name, batch), CHUNK)
        return self._batchers(f"{name} served", faces)

    def explain(self, job: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        return self._local.explain(job, *args, **kwargs)

    def card(self, name: str) -> ModelReport:
        return self._local.card(name)

    def health(self) -> dict[str, zoo.Status]:
        return self._local.health()

    def available(self) -> list[str]:
        return self._local.available()

    def warm(self) -> None:
        self._local.warm()

    def batches(self) -> dict[str, BatchCount]:
        return self._local.batches()

    def _predict(self, name: str, faces: list[Face]) -> list[Prediction]:
        return answers(zoo.load(name).card, *self._server.predict(name, np.stack([face.crop for face in faces])))


def _no_address(received: str) -> ParameterError:
    return ParameterError(
        "FACEWHY_PREDICT_URL is not the address of a TensorFlow Serving server",
        received,
        "Write it like http://host:8501",
    )


def _failed(received: str) -> WeightsError:
    advice = "Start it, wait until it has loaded its models, or unset FACEWHY_PREDICT_URL"
    return WeightsError("TensorFlow Serving failed", received, advice)


def _odd(happened: str, received: str) -> WeightsMismatchError:
    advice = "Serve what `.venv/bin/python -m training export NAME --to savedmodel` writes"
    return WeightsMismatchError(happened, received, advice)


def _line(message: object) -> str:
    """One short line of what somebody else said."""
    return " ".join(str(message).split())[:200]
