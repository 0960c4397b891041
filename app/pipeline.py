"""What the page and the API both do with a photo, from its faces to the trust in an explanation."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from app import text
from app.serving import canary, engines, jobs, metrics, reports
from app.serving.engine import Engine
from explain import part_ranges, registry
from explain.base import Explanation, Parameters, Target
from explain.inside.opened import Opened
from explain.interactions import Interactions
from explain.metrics.randomisation import Shaken
from explain.reference import Reference
from explain.trust import TrustResult
from models import detector, geometry, glass_box, moved_crops, regions, upright, zoo
from models.card import Card
from models.ensemble import Ensemble
from models.errors import NoFaceError, ParameterError, UnknownModelError, UnknownNameError, WeightsError
from models.moved_crops import CropSensitivity
from models.types import Face, Photo, Prediction

log = logging.getLogger(__name__)

TINY = np.finfo(np.float32).tiny
MEAN = "mean"
"""The name of the models' mean among the models."""
LARGEST_MEASURE = 100
"""In distances between the eyes; no face has one."""
COMPARED = ("gradcam", "shap_gradient", "shap_regions")
"""The methods that the comparison shows, the fastest first."""


def find(photo: Photo) -> list[Face]:
    """The faces of a photo without keypoints, largest first; none is an empty list."""
    with metrics.stage("detect"):
        return engines.current().detect(photo)


def with_keypoints(faces: list[Face], photo: Photo) -> list[Face]:
    """The same faces with their keypoints."""
    with metrics.stage("keypoints"):
        return engines.current().keypoints(faces, photo)


@dataclass(frozen=True, eq=False)
class Detections:
    """A photo and its faces.

    Attributes:
        photo: as it was turned; coordinates are pixels of it.
        faces: with their keypoints, largest first.
    """

    photo: Photo
    faces: list[Face]

    def pick(self, index: int) -> "Detections":
        """The photo and one face by its place in the list, 0 for the largest.

        Raises:
            ParameterError: there is no such face.
        """
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(self.faces):
            raise ParameterError(
                "No face has this number",
                repr(index)[:40],
                f"Give one from 0, the largest face, to {len(self.faces) - 1}",
            )
        return Detections(self.photo, [self.faces[index]])


def detections(photo: Photo, turn: int | None = None, whole_picture: bool = False) -> Detections:
    """The faces of a photo, which is turned first where it lies on its side or stands on its head.

    A photo whose faces are upright costs no more than the detector and the keypoint network; the other three turns are
    looked at only where nothing is found, or most of the largest faces lie or fit badly.

    Args:
        photo: what to look at.
        turn: degrees clockwise by which it is turned, whatever its faces say; None to look which turn fits.
        whole_picture: take the whole picture as the face where none is found.
    """
    photo = upright.turned(photo, turn or 0)
    faces = _looked(photo)
    if turn is None:
        photo, faces = upright.search(photo, faces, _looked)
    if whole_picture and not faces:
        faces = with_keypoints([detector.whole_picture(photo)], photo)
    return Detections(photo, faces)


def faces_in(photo: Photo, whole_picture: bool = False) -> list[Face]:
    """The faces of a photo as it lies, with their keypoints, largest first.

    Args:
        photo: what to look at.
        whole_picture: take the whole picture as the face where none is found.

    Raises:
        NoFaceError: there is none and `whole_picture` is off.
    """
    return some(detections(photo, 0, whole_picture)).faces


def some(found: Detections) -> Detections:
    """Detections with a face.

    Raises:
        NoFaceError: there is none.
    """
    if not found.faces:
        width, height = found.photo.size
        odd = text.odd(found.photo)
        raise NoFaceError(
            "No face was found in the picture",
            f"0 faces in {width} x {height} pixels",
            f"{odd} Or take the whole picture as the face"
            if odd
            else "Try a photo with a larger face that nothing covers, or take the whole picture as the face",
        )
    return found


def _looked(photo: Photo) -> list[Face]:
    return with_keypoints(find(photo), photo)


def predict(name: str, faces: list[Face], version: str = "") -> tuple[Prediction, ...]:
    """What one model says about each face; without a version, the one whose turn it is, see `app.serving.canary`.

    Raises:
        UnknownNameError, WeightsError: see `models.zoo.load`.
    """
    with metrics.stage("predict"):
        if version or not faces:
            return tuple(engines.current().predict(name, faces, version))
        return tuple(canary.predict(engines.current(), name, faces))


def predictions_for(faces: list[Face], version: str = "") -> dict[str, tuple[Prediction, ...]]:
    """What each model says about each face, one batch a model.

    Args:
        faces: with their keypoints.
        version: only of the models that have it, see `latest`, and by it; "" for all that can be used.

    Raises:
        UnknownModelError: no model has this version.
        WeightsError: none can be used.
    """
    found, failed = {}, None
    for name in engines.current().available():
        try:
            found[name] = predict(name, faces, latest(name, version))
        except UnknownModelError:
            continue
        except WeightsError as error:
            log.error("the model %r, version %r, is not available: %s", name, version, error)
            failed = error
    if not found:
        raise failed or UnknownModelError(
            "No model has this version", repr(version)[:40], "Use one of those that GET /models lists"
        )
    if not version:
        metrics.agreement(found)
    return found


def mean(predictions: Mapping[str, tuple[Prediction, ...]]) -> tuple[Prediction, ...]:
    """What several models say together about each face: the mean of their probabilities, calibrated where measured.

    Args:
        predictions: by model, one a face.
    """
    known: dict[tuple[tuple[str, str], ...], Ensemble] = {}
    found = []
    for of_face in zip(*predictions.values(), strict=True):
        versions = tuple((prediction.model, prediction.version) for prediction in of_face)
        if versions not in known:
            known[versions] = _together(versions)
        probabilities = known[versions].probabilities([prediction.probabilities for prediction in of_face])
        version = ", ".join(dict.fromkeys(prediction.version for prediction in of_face))
        logits = np.log(np.maximum(probabilities, TINY))
        found.append(Prediction(MEAN, logits, probabilities, version, known[versions].likely(probabilities)))
    return tuple(found)


def crop_sensitivity(photo: Photo, face: Face, answers: Mapping[str, Prediction]) -> dict[str, CropSensitivity]:
    """What becomes of each model's answer about a face in crops a little off, and of their mean's.

    Args:
        photo: as it was when the face was found.
        face: of this photo.
        answers: by model, what it says about the face.

    Raises:
        UnknownModelError, WeightsError: a model is gone.
    """
    faces = moved_crops.moved(face, photo)
    found = {name: predict(name, faces, answer.version) for name, answer in answers.items()}
    told = {name: moved_crops.sensitivity(answer, found[name]) for name, answer in answers.items()}
    if len(answers) > 1:
        [together] = mean({name: (answer,) for name, answer in answers.items()})
        told[MEAN] = moved_crops.sensitivity(together, mean(found))
    return told


def _together(versions: tuple[tuple[str, str], ...]) -> Ensemble:
    try:
        return _measured(engines.current(), versions)
    except (UnknownModelError, WeightsError):  # a version that only the server that predicts has
        return Ensemble()


@lru_cache(maxsize=32)
def _measured(engine: Engine, versions: tuple[tuple[str, str], ...]) -> Ensemble:
    """Asked once, for the engine answers it only between explanations."""
    return engine.explain(jobs.together, versions)


def latest(name: str, line: str) -> str:
    """The latest version of a model of a line, see `models.zoo.latest`; "" for the active one stays "".

    Raises:
        UnknownModelError, WeightsError: see `models.zoo.latest`.
    """
    return engines.current().explain(zoo.latest, name, line) if line else ""


def card(name: str, version: str = "") -> Card:
    """The card of a version of a model; of the active one where none is named.

    Raises:
        UnknownModelError, WeightsError: see `models.zoo.load`.
    """
    return engines.current().explain(jobs.card, name, version)


def trust_table(name: str) -> dict[str, Any] | None:
    """How often each method's maps of an emotion model hold up; of what ships while its weights are loaded.

    None where that was not measured for these weights.
    """
    current = engines.current()
    ready = current.health()[name].state == "ready"
    return current.card(name).trust if ready else reports.shipped_trust(name)


def recommended(name: str) -> str:
    """The method to begin with on an emotion model."""
    return reports.recommended(trust_table(name))


def recommended_for_all() -> str:
    """The method to begin with on several models: what most of them recommend, the first one's of equals."""
    methods = [recommended(name) for name in zoo.EMOTION_MODELS]
    return max(methods, key=methods.count)


def unsuitable(name: str, method: str, version: str = "") -> str:
    """Why a method cannot explain a model; "" where it can."""
    return engines.current().explain(jobs.unsuitable, name, method, version)


def explain(
    name: str,
    face: Face,
    target: Target,
    method: str,
    params: Parameters | Mapping[str, Any] | None = None,
    version: str = "",
) -> Explanation:
    """Why a model answers as it does, see `explain.registry.explain`."""
    with metrics.stage("explain"):
        return engines.current().explain(jobs.explain, name, face, target, method, params, version)


@dataclass(frozen=True, eq=False)
class Explained:
    """What a model says about a face, and why.

    Attributes:
        face: with its keypoints.
        prediction: by the version that answered.
        explanation: of this prediction; its target is what was asked for.
    """

    face: Face
    prediction: Prediction
    explanation: Explanation

    def tested(self) -> TrustResult | None:
        """Which tests the explanation survives, see `trusted`; None where the face is a guess."""
        return None if self.face.guessed else trusted(self.face, self.explanation, self.prediction.version)


def explained(
    face: Face,
    name: str,
    version: str = "",
    emotion: str = "",
    against: str = "",
    method: str = "",
    params: Parameters | Mapping[str, Any] | None = None,
) -> Explained:
    """What a model says about a face, and why.

    Args:
        face: with its keypoints.
        name, version: the model and the line of its versions, see `latest`.
        emotion, against: see `target`.
        method: by name; "" for the recommended one.
        params: of the method.

    Raises:
        what `latest`, `predict`, `target` and `explain` raise.
    """
    [prediction] = predict(name, [face], latest(name, version))
    wanted = target(emotion, against, prediction)
    made = explain(name, face, wanted, method or recommended(name), params, prediction.version)
    return Explained(face, prediction, made)


def opened(name: str, face: Face, target: Target, version: str = "") -> Opened:
    """A model opened on a face: its stages, how Grad-CAM is made, and the path from the average face.

    Raises:
        UnknownNameError, WeightsError: see `models.zoo.load`.
    """
    with metrics.stage("explain"):
        return engines.current().explain(jobs.opened, name, face, target, version)


def read_glass_box(face: Face, measures: Mapping[str, Any] | None = None) -> glass_box.Reading:
    """What the readable model says of a face, and why; it takes no network and next to no time.

    Args:
        face: with its keypoints.
        measures: those of `geometry.MEASURES` that have another value than the face's, by name.

    Raises:
        WeightsError: the model cannot be used.
        UnknownNameError, ParameterError: no such measure, or no finite number; or the eyes lie in one place.
    """
    box = glass_box.shipped()
    values = geometry.measure(np.asarray(face.keypoints))
    for name, value in (measures or {}).items():
        if name not in geometry.NAMES:
            raise UnknownNameError(
                "The name of the measure is unknown", repr(name)[:40], f"Use one of {', '.join(geometry.NAMES)}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST_MEASURE:
            raise ParameterError(
                f"The measure {name!r} is no number of eye distances",
                repr(value)[:40],
                f"Give one between -{LARGEST_MEASURE} and {LARGEST_MEASURE}",
            )
        values[geometry.NAMES.index(name)] = value
    return box.read(values)


def trust_steps(face: Face, explanation: Explanation, version: str = "") -> Iterator[TrustResult]:
    """Which tests an explanation survives: its own tests first, then the same with its agreement with other maps.

    Where the method hides parts, or draws by chance, the map is then made with other fills and other seeds. After each
    of these but the last, the result that was there comes again, so that who asks may stop; the last holds the ranges.

    Args:
        face, explanation, version: see `app.serving.jobs.tested`.
    """
    with metrics.stage("trust"):
        result = engines.current().explain(jobs.tested, face, explanation, version)
    yield result
    with metrics.stage("trust"):
        result = engines.current().explain(jobs.beside, face, explanation, result, version)
    yield result
    made, wanted = [explanation], part_ranges.others(explanation)
    for params in wanted:
        with metrics.stage("trust"):
            name, method = explanation.model, explanation.method
            made.append(
                engines.current().explain(jobs.explain, name, face, explanation.target, method, params, version)
            )
        if len(made) <= len(wanted):
            yield result
    if wanted:
        masks = regions.masks(face.crop_keypoints, face.crop.shape[0])
        yield replace(result, part_ranges=part_ranges.over(made, masks))


def trusted(face: Face, explanation: Explanation, version: str = "") -> TrustResult:
    """The last of `trust_steps`, which holds everything."""
    return list(trust_steps(face, explanation, version))[-1]


def average_shares(explanation: Explanation, version: str = "") -> dict[str, dict[str, float]] | None:
    """What each part of the face holds on average in the same method's maps of other faces.

    Args:
        explanation: with the method's default parameters, else there is nothing to compare with.
        version: of the model that was explained; "" for the active one.

    Returns:
        "supporting" and "opposing", each by region, 0..1; None where that was not measured.
    """
    method = registry.find(explanation.method)
    if explanation.params != method.Params():
        return None
    return engines.current().explain(jobs.average_shares, explanation.model, method.name, version)


def by_other_library(face: Face, explanation: Explanation, version: str = "") -> Reference:
    """The map of an explanation made by another library.

    Args:
        face, explanation, version: see `app.serving.jobs.tested`.

    Raises:
        UnsuitableMethodError: no other library has it, see `explain.reference.why_not`.
    """
    return engines.current().explain(jobs.by_other_library, face, explanation, version)


def interactions(face: Face, explanation: Explanation, version: str = "") -> Interactions:
    """What the parts of a face are worth alone and together for what was explained; hidden as its method hides.

    Args:
        face, explanation, version: see `app.serving.jobs.tested`.
    """
    with metrics.stage("explain"):
        return engines.current().explain(jobs.interacting, face, explanation, version)


def shaken(face: Face, explanation: Explanation, version: str = "") -> Iterator[Shaken]:
    """The map of an explanation while the network forgets, stage after stage, from the logits down.

    Args:
        face, explanation, version: see `app.serving.jobs.tested`.
    """
    count, stages = 0, 1
    while count < stages:
        count += 1
        found = engines.current().explain(jobs.shaken, face, explanation, count, version)
        stages = found.of
        yield found


def target(emotion: str, against: str, prediction: Prediction) -> Target:
    """What is explained.

    Args:
        emotion: by name; "" for the one that the model names.
        against: the emotion it is set against; "" for none.
        prediction: the model's answer.

    Raises:
        UnknownNameError, ParameterError: no such emotion, or an emotion against itself.
    """
    return Target.named(emotion or prediction.emotion, against or None)
