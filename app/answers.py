"""What the API answers: the types that clients see, and how our words become them.

Coordinates are pixels of the upright photo, from its left and top edge; a photo whose longer side
exceeds 2048 pixels is reduced to that first.
"""

from dataclasses import asdict
from typing import TypedDict

from explain import evidence
from explain.base import Explanation
from models import regions
from models.types import EMOTIONS, KEYPOINTS, Face, Photo, Prediction

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
    predictions: list[Answer]


class PredictionReading(TypedDict):
    width: int
    height: int
    faces: list[PredictedFace]


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
    values: list[list[float]]
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


def explanation(made: Explanation, face: Face, limit: float) -> ExplanationReading:
    """A map with its evidence by part of the face; `limit` is the size that counts as full strength."""
    told = evidence.by_region(made.values, regions.masks(face.crop_keypoints, face.crop.shape[0]))
    target = made.target
    return {
        "model": made.model,
        "method": made.method,
        "emotion": EMOTIONS[target.emotion],
        "against": "" if target.against is None else EMOTIONS[target.against],
        "signed": made.signed,
        "limit": limit,
        "values": made.values.astype(float).tolist(),
        "regions": [asdict(item) for item in told],
        "words": evidence.words(made, told),
        "params": made.params.to_json(),
        "seconds": made.seconds,
    }
