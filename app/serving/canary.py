"""Which version of a model answers: the active one, or for a fixed share of faces its challenger.

FACEWHY_CHALLENGER names challengers and their shares, such as "cnn=1.1.0:10%". The same face always
goes the same way. A face that a challenger answers is also shown to the active version, so that the
two can be compared: `tallies`.
"""

import hashlib
import logging
import os
import re
import threading
from dataclasses import dataclass, replace
from functools import cache

from models import zoo
from models.errors import FaceWhyError, ParameterError
from models.types import Face, Prediction

log = logging.getLogger(__name__)

ENTRY = re.compile(rf"(?P<model>\w+)=(?P<version>{zoo.VERSION.pattern}):(?P<share>\d+(\.\d+)?)%")


@dataclass(frozen=True)
class Challenger:
    """A version that takes a share of the traffic.

    Attributes:
        version: its number.
        share: of all faces, 0..1.
    """

    version: str
    share: float


@dataclass
class Tally:
    """How a challenger has done so far.

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


_tallies: dict[tuple[str, Challenger], Tally] = {}
_lock = threading.Lock()


def challengers() -> dict[str, Challenger]:
    """Challengers by model's name, from FACEWHY_CHALLENGER.

    Raises:
        ParameterError: it is not written as it should be.
    """
    return _parse(os.environ.get("FACEWHY_CHALLENGER", "").strip())


def tallies() -> dict[str, Tally]:
    """How each challenger has done so far, by model's name."""
    with _lock:
        return {
            name: replace(_tallies.get((name, challenger), Tally(challenger.version, challenger.share)))
            for name, challenger in challengers().items()
        }


def predict(engine, name: str, faces: list[Face]) -> list[Prediction]:
    """One Prediction a face, by the version whose turn it is; by the active one where a challenger cannot be used.

    Args:
        engine: who computes, see `app.serving.engine`.
        name: of the model.
        faces: at least one.
    """
    challenger = challengers().get(name)
    if challenger is None:
        return engine.predict(name, faces)
    predictions = engine.predict(name, faces)
    chosen = [index for index, face in enumerate(faces) if _falls_within(face, challenger.share)]
    if chosen:
        try:
            answers = engine.predict(name, [faces[index] for index in chosen], challenger.version)
        except FaceWhyError as error:
            log.error("the challenger %s of %r cannot be used: %s", challenger.version, name, error)
            return predictions
        agreed = sum(answer.top == predictions[index].top for index, answer in zip(chosen, answers, strict=True))
        with _lock:
            tally = _tallies.setdefault((name, challenger), Tally(challenger.version, challenger.share))
            tally.faces, tally.agreed = tally.faces + len(chosen), tally.agreed + agreed
        for index, answer in zip(chosen, answers, strict=True):
            predictions[index] = answer
    return predictions


def _falls_within(face: Face, share: float) -> bool:
    digest = hashlib.sha256(face.crop.tobytes()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


@cache
def _parse(text: str) -> dict[str, Challenger]:
    found = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        match = ENTRY.fullmatch(entry)
        if not match or match["model"] not in zoo.EMOTION_MODELS or not float(match["share"]) <= 100:
            raise ParameterError(
                "FACEWHY_CHALLENGER names a model, a version and its share of the faces",
                repr(entry)[:60],
                'Write it like "cnn=1.1.0:10%", several with commas between them',
            )
        found[match["model"]] = Challenger(match["version"], float(match["share"]) / 100)
    return found
