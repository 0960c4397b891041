"""What the API answers: the types that clients see, and how our words become them.

Coordinates are pixels of the upright photo, from its left and top edge; a photo whose longer side
exceeds 2048 pixels is reduced to that first.
"""

import base64
from dataclasses import asdict

import cv2
import numpy as np
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from explain import evidence, figures
from explain.base import Explanation
from explain.scale import Scale
from models import regions
from models.errors import UnknownNameError
from models.types import EMOTIONS, KEYPOINTS, Face, Photo, Prediction

MAPS = ("arrays", "png", "none")
"""How maps are answered: as numbers, as a picture over the face, or not at all."""

# ---------------------------------------------------------------------- answers


class Box(TypedDict):
    left: float
    top: float
    right: float
    bottom: float


class FoundFace(TypedDict):
    box: Box
    score: float


class Detection(TypedDict):
    width: int
    height: int
    faces: list[FoundFace]


class Keypoint(TypedDict):
    name: str
    x: float
    y: float


class KeypointFace(TypedDict):
    box: Box
    score: float
    keypoints: list[Keypoint]


class KeypointReading(TypedDict):
    width: int
    height: int
    faces: list[KeypointFace]


class Probabilities(TypedDict):
    angry: float
    disgust: float
    fear: float
    happy: float
    neutral: float
    sad: float
    surprise: float


class Answer(TypedDict):
    model: str
    version: str
    emotion: str
    confidence: float
    probabilities: Probabilities


class PredictedFace(TypedDict):
    box: Box
    score: float
    keypoints: list[Keypoint]
    predictions: list[Answer]


class PredictionReading(TypedDict):
    width: int
    height: int
    faces: list[PredictedFace]
    note: str


class Region(TypedDict):
    region: str
    label: str
    pixels: int
    supporting: float
    opposing: float
    share_supporting: float
    share_opposing: float
    density: float


class ExplanationReading(TypedDict):
    model: str
    method: str
    emotion: str
    against: str
    signed: bool
    limit: float
    values: list[list[float]] | None
    png: str | None
    regions: list[Region]
    words: str
    params: dict
    seconds: float


class ExplainedFace(TypedDict):
    box: Box
    score: float
    prediction: Answer
    explanation: ExplanationReading


class ComparedModel(TypedDict):
    prediction: Answer
    explanations: list[ExplanationReading]


class Comparison(TypedDict):
    box: Box
    score: float
    emotion: str
    models: list[ComparedModel]
    note: str


class Agreement(TypedDict):
    rank_correlation: float | None
    overlap: float | None


class HidingCurves(TypedDict):
    fill: str
    shares: list[float]
    deletion: list[float]
    insertion: list[float]
    deletion_auc: float
    insertion_auc: float
    random_deletion: list[float]
    random_insertion: list[float]
    blob_deletion: float
    blob_insertion: float
    random_deletion_curve: list[float]
    random_insertion_curve: list[float]
    blob_deletion_curve: list[float]
    blob_insertion_curve: list[float]


class TrustAnswer(TypedDict):
    verdict: str
    sentence: str
    curves: list[HidingCurves]
    stability: float | None
    between_methods: dict[str, Agreement]
    between_models: dict[str, Agreement]
    seconds: float


class TrustedFace(TypedDict):
    box: Box
    score: float
    prediction: Answer
    explanation: ExplanationReading
    trust: TrustAnswer


# ------------------------------------------------------------------- conversion


def size(photo: Photo) -> dict:
    """Width and height of the upright photo."""
    width, height = photo.size
    return {"width": width, "height": height}


def found(face: Face) -> dict:
    """A face's box and the detector's score."""
    sides = (round(float(value), 2) for value in face.box)
    return {
        "box": dict(zip(("left", "top", "right", "bottom"), sides, strict=True)),
        "score": round(float(face.score), 4),
    }


def points(face: Face) -> list[Keypoint]:
    """A face's keypoints by name, in pixels of the photo."""
    return [
        {"name": name, "x": round(float(x), 2), "y": round(float(y), 2)}
        for name, (x, y) in zip(KEYPOINTS, face.keypoints, strict=True)
    ]


def answer(prediction: Prediction) -> Answer:
    """What one model says."""
    return {
        "model": prediction.model,
        "version": prediction.version,
        "emotion": prediction.emotion,
        "confidence": prediction.confidence,
        "probabilities": dict(zip(EMOTIONS, map(float, prediction.probabilities), strict=True)),
    }


def explanation(made: Explanation, face: Face, shared: Scale, maps: str = "arrays") -> ExplanationReading:
    """A map with its evidence by part of the face.

    Args:
        made: the explanation.
        face: the face that was explained, with its keypoints.
        shared: what full strength means; its limit is answered.
        maps: one of `MAPS`; `values` is the raw map, `png` the coloured one over the face's crop.
    """
    told = evidence.by_region(made.values, regions.masks(face.crop_keypoints, face.crop.shape[0]))
    target = made.target
    return {
        "model": made.model,
        "method": made.method,
        "emotion": EMOTIONS[target.emotion],
        "against": "" if target.against is None else EMOTIONS[target.against],
        "signed": made.signed,
        "limit": shared.limit,
        "values": made.values.astype(float).tolist() if maps == "arrays" else None,
        "png": picture(figures.overlay(face.crop, made.values, shared)) if maps == "png" else None,
        "regions": [asdict(item) for item in told],
        "words": evidence.words(made, told),
        "params": made.params.to_json(),
        "seconds": made.seconds,
    }


def picture(pixels: np.ndarray) -> str:
    """Pixels uint8 (H, W, 3), RGB, or (H, W), grey, as an address that holds a PNG: "data:image/png;base64,…"."""
    data = cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[..., ::-1])[1]
    return "data:image/png;base64," + base64.b64encode(data).decode()


def check_maps(maps: str) -> None:
    """Refuse what is none of `MAPS`.

    Raises:
        UnknownNameError: it is none.
    """
    if maps not in MAPS:
        raise UnknownNameError("Maps come in a form", repr(maps)[:40], f"Use one of {', '.join(MAPS)}")
