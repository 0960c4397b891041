"""All numbers of a report as JSON, by the names that the API gives them."""

import json
from dataclasses import asdict
from typing import Any, cast

import numpy as np

from app import VERSION
from app.reporting.report import Report
from explain import evidence
from models.types import EMOTIONS, KEYPOINTS


def to_json(report: Report) -> str:
    """The text of `numbers`."""
    return json.dumps(numbers(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def numbers(report: Report) -> dict[str, Any]:
    """Everything but pixels of the photo: box, score, keypoints, prediction, explanation and trust as the API answers
    them, and what is known about the weights."""
    face, said, made = report.face, report.prediction, report.explanation
    target, items, card = made.target, report.evidence, report.card
    sides = zip(("left", "top", "right", "bottom"), face.box, strict=True)
    return {
        "facewhy": VERSION,
        "made": report.made.isoformat(),
        "title": report.title,
        "turned": report.turned,
        "box": {side: round(float(value), 2) for side, value in sides},
        "score": None if face.guessed else round(float(face.score), 4),
        "quality": None if report.quality is None else {**report.quality.to_json(), "note": report.doubts},
        "keypoints": [
            {"name": name, "x": round(float(x), 2), "y": round(float(y), 2)}
            for name, (x, y) in zip(KEYPOINTS, cast(np.ndarray, face.keypoints), strict=True)
        ],
        "prediction": {
            "model": said.model,
            "version": said.version,
            "emotion": said.emotion,
            "confidence": said.confidence,
            "probabilities": dict(zip(EMOTIONS, map(float, said.probabilities), strict=True)),
        },
        "explanation": {
            "model": made.model,
            "method": made.method,
            "emotion": EMOTIONS[target.emotion],
            "against": "" if target.against is None else EMOTIONS[target.against],
            "signed": made.signed,
            "limit": report.scale.limit,
            "values": made.values.astype(float).tolist(),
            "regions": [asdict(item) for item in items],
            "words": evidence.message(made, items),
            "params": made.params.to_json(),
            "seconds": made.seconds,
        },
        "trust": None if report.trust is None else report.trust.to_json(),
        "verdict": report.verdict,
        "unfinished": report.unfinished,
        "weights": {
            "architecture": card.architecture,
            "version": card.version,
            "date": card.date,
            "data": list(card.data),
            "licence": card.licence,
            "limits": list(card.limits),
            "sha256": card.sha256,
        },
    }
