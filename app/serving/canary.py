"""Which version of a model answers: the active one, or for a fixed share of faces its canary.

FACEWHY_CHALLENGER names canaries and their shares, such as "cnn=1.1.0:10%". The same face always
goes the same way. A face that a canary answers is also shown to the active version, so that the
two can be compared: `agreement_counters`.
"""

import hashlib
import logging
import os
import re
import threading
from dataclasses import dataclass, replace
from functools import cache

from app.serving.engine import Engine
from models import zoo
from models.errors import FaceWhyError, ParameterError
from models.types import Face, Prediction

log = logging.getLogger(__name__)

ENTRY = re.compile(rf"(?P<model>\w+)=(?P<version>{zoo.VERSION.pattern}):(?P<share>\d+(\.\d+)?)%")


@dataclass(frozen=True)
class Canary:
    """A version that takes a share of the faces.

    Attributes:
        version: its number.
        share: of all faces, 0..1.
    """

    version: str
    share: float


@dataclass
class AgreementCounter:
    """How a canary has done so far.

    Attributes:
        version: its number.
        share: of the faces that it is to answer, 0..1.
        faces: that it answered.
        agreed: faces for which the active version names the same emotion.
    """

    version: str
    share: float
    faces: int = 0
    agreed: int = 0


_counters: dict[tuple[str, Canary], AgreementCounter] = {}
_lock = threading.Lock()


def canaries() -> dict[str, Canary]:
    """Canaries by model's name, from FACEWHY_CHALLENGER.

    Raises:
        ParameterError: it is not written as it should be.
    """
    return _parse(os.environ.get("FACEWHY_CHALLENGER", "").strip())


def agreement_counters() -> dict[str, AgreementCounter]:
    """How each canary has done so far, by model's name."""
    with _lock:
        return {
            name: replace(_counters.get((name, canary), AgreementCounter(canary.version, canary.share)))
            for name, canary in canaries().items()
        }


def predict(engine: Engine, name: str, faces: list[Face]) -> list[Prediction]:
    """One Prediction a face, by the version whose turn it is; by the active one where a canary cannot be used.

    Args:
        engine: who computes, see `app.serving.engine.Engine`.
        name: of the model.
        faces: at least one.
    """
    canary = canaries().get(name)
    if canary is None:
        return engine.predict(name, faces)
    predictions = engine.predict(name, faces)
    chosen = [index for index, face in enumerate(faces) if _falls_within(face, canary.share)]
    if chosen:
        try:
            answers = engine.predict(name, [faces[index] for index in chosen], canary.version)
        except FaceWhyError as error:
            log.error("the challenger %s of %r cannot be used: %s", canary.version, name, error)
            return predictions
        agreed = sum(answer.top == predictions[index].top for index, answer in zip(chosen, answers, strict=True))
        with _lock:
            counter = _counters.setdefault((name, canary), AgreementCounter(canary.version, canary.share))
            counter.faces, counter.agreed = counter.faces + len(chosen), counter.agreed + agreed
        for index, answer in zip(chosen, answers, strict=True):
            predictions[index] = answer
    return predictions


def _falls_within(face: Face, share: float) -> bool:
    digest = hashlib.sha256(face.crop.tobytes()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


@cache
def _parse(text: str) -> dict[str, Canary]:
    found = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        match = ENTRY.fullmatch(entry)
        if not match or match["model"] not in zoo.EMOTION_MODELS or not float(match["share"]) <= 100:
            raise ParameterError(
                "FACEWHY_CHALLENGER could not be read",
                repr(entry)[:60],
                'Write it like "cnn=1.1.0:10%", several with commas between them',
            )
        found[match["model"]] = Canary(match["version"], float(match["share"]) / 100)
    return found
