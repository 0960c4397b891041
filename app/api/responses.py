"""Results as what the API responds.

Coordinates are pixels of the upright photo, from its left and top edge; a photo whose longer side
exceeds 2048 pixels is reduced to that first.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import cv2
import numpy as np

from app import clips, glass_text, lab_text, text
from app.api import answers
from app.data.accuracy import Rate
from app.data.faces import emotion
from app.data.terms import Terms
from app.data.view import Example, Plane, Summary
from app.pipeline import Detections
from explain import evidence, figures, interactions
from explain.base import Explanation
from explain.interactions import Interactions
from explain.lab.counterfactual import Counterfactual
from explain.lab.trial import Outcome
from explain.scale import Scale
from models import glass_box as readable
from models import quality, regions
from models.geometry import MEASURES
from models.moved_crops import CropSensitivity
from models.types import EMOTIONS, KEYPOINTS, Face, Photo, Prediction

BOX = ("left", "top", "right", "bottom")


def size(photo: Photo) -> dict[str, Any]:
    """Width and height of the upright photo, and by how much it was turned."""
    width, height = photo.size
    return {"width": width, "height": height, "turned": photo.turned}


def detected(face: Face, photo: Photo) -> dict[str, Any]:
    """A face's box, the detector's score, and how far an answer about it can be relied on."""
    measured = quality.measure(face, photo.size, photo.reduced)
    numbers = measured.to_json()
    sides = (round(float(value), 2) for value in face.box)
    return {
        "box": dict(zip(BOX, sides, strict=True)),
        "score": numbers["score"],
        "quality": {**numbers, "note": text.doubts(measured)},
    }


def note(faces: Sequence[Face], more: str = "") -> str:
    """What is to be said of a whole answer: that it is a guess, and what else there is, such as who was not asked."""
    guess = " ".join(text.GUESS) if any(face.guessed for face in faces) else ""
    return " ".join(filter(None, [guess, more]))


def chosen(found: Detections) -> dict[str, Any]:
    """The one face that an answer is about, and by how much its photo was turned."""
    [face] = found.faces
    return {"turned": found.photo.turned, **detected(face, found.photo)}


def keypoints(face: Face, photo: Photo) -> list[answers.Keypoint]:
    """A face's keypoints by name, in pixels of the photo, and whether each lies inside it."""
    points = cast(np.ndarray, face.keypoints)
    return [
        {"name": name, "x": round(float(x), 2), "y": round(float(y), 2), "inside": bool(inside)}
        for name, (x, y), inside in zip(KEYPOINTS, points, quality.within(points, photo.size), strict=True)
    ]


def prediction(of_model: Prediction) -> answers.ModelPrediction:
    """What one model says."""
    return {
        "model": of_model.model,
        "version": of_model.version,
        "emotion": of_model.emotion,
        "confidence": of_model.confidence,
        "probabilities": cast(answers.Probabilities, dict(zip(EMOTIONS, of_model.probabilities.tolist(), strict=True))),
    }


def predicted(of_model: Prediction, moved: CropSensitivity | None = None) -> answers.PredictedModel:
    """What one model says, which labels stay possible, and what becomes of the answer in crops a little off."""
    crops = None
    if moved is not None:
        numbers = asdict(moved)
        crops = cast(answers.CropSensitivity, {key: numbers[key] for key in answers.CropSensitivity.__annotations__})
    return {**prediction(of_model), "likely": list(of_model.likely), "crops": crops}


def explanation(
    made: Explanation,
    face: Face,
    answer: Prediction,
    shared: Scale,
    maps: str = "arrays",
    usual: Mapping[str, Mapping[str, float]] | None = None,
) -> answers.ExplanationResult:
    """A map with its evidence by part of the face.

    Args:
        made: the explanation.
        face: the face that was explained, with its keypoints.
        answer: what the model says of it; a coloured map is pale where the face hardly looks so to it.
        shared: what full strength means; its limit is answered.
        maps: one of `fields.MAPS`; `values` is the raw map, `png` the coloured one over the face's crop.
        usual: the mean shares of each part in maps of other faces; None where not measured.
    """
    told = evidence.by_region(made.values, regions.masks(face.crop_keypoints, face.crop.shape[0]), usual)
    target = made.target
    opacity = figures.OPACITY * text.strength(answer, target)
    return {
        "model": made.model,
        "method": made.method,
        "emotion": EMOTIONS[target.emotion],
        "against": "" if target.against is None else EMOTIONS[target.against],
        "signed": made.signed,
        "limit": shared.limit,
        "values": made.values.astype(float).tolist() if maps == "arrays" else None,
        "png": picture(figures.overlay(face.crop, made.values, shared, opacity)) if maps == "png" else None,
        "regions": [cast(answers.Region, asdict(item)) for item in told],
        "words": evidence.message(made, told),
        "params": made.params.to_json(),
        "seconds": made.seconds,
    }


def interactions_of(found: Interactions) -> answers.InteractionsResult:
    """What the parts of a face are worth, alone and together, as JSON."""

    def by_fill(name: str, *place: int) -> dict[str, float]:
        return {fill: float(getattr(game, name)[place]) for fill, game in found.games.items()}

    places = {region: index for index, region in enumerate(found.regions)}
    return {
        "fill": found.fill,
        "parts": [
            {
                "region": region,
                "label": regions.LABELS[region],
                "shapley": by_fill("shapley", index),
                "alone": by_fill("alone", index),
                "left_out": by_fill("left_out", index),
            }
            for region, index in places.items()
        ],
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "interaction": by_fill("interaction", places[pair.first], places[pair.second]),
                "relation": pair.relation,
            }
            for pair in found.pairs()
        ],
        "words": " ".join(interactions.sentences(found)),
    }


def glass_box(reading: readable.Reading, emotion: int | None = None) -> dict[str, Any]:
    """What the readable model says of a face, and all that its scores are sums of.

    Args:
        reading: what it says.
        emotion: whose reasons are told in words; None for the one that it names.
    """
    box = readable.shipped()
    return {
        "emotion": reading.emotion,
        "confidence": reading.confidence,
        "probabilities": _by_emotion(reading.probabilities),
        "version": box.version,
        "temperature": float(box.card["temperature"]),
        "intercept": _by_emotion(box.intercept),
        "terms": [
            {
                "measure": measure.name,
                "label": measure.label,
                "value": float(value),
                "typical": float(typical),
                "contributions": _by_emotion(of),
            }
            for measure, value, typical, of in zip(
                MEASURES, reading.values, box.typical, reading.contributions, strict=True
            )
        ],
        "scores": _by_emotion(reading.scores),
        "words": glass_text.reasons(box, reading, emotion),
    }


def _by_emotion(numbers: np.ndarray) -> dict[str, float]:
    return dict(zip(EMOTIONS, numbers.tolist(), strict=True))


def picture(pixels: np.ndarray) -> str:
    """Pixels uint8 (H, W, 3), RGB, or (H, W), grey, as an address that holds a PNG: "data:image/png;base64,…"."""
    data = cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[..., ::-1])[1]
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()


def dataset(told: Summary, drawn: Plane | None, pictures: bool, terms_of: str = "") -> dict[str, Any]:
    """What is counted of the dataset, without how long it took.

    Args:
        told: the counts.
        drawn: its map; None where it was not asked for or cannot be drawn.
        pictures: whether faces come with their pictures.
        terms_of: the emotion whose terms are told step by step; "" for none.
    """
    about, agreement = told.about, told.agreement
    return {
        "dataset": {
            **asdict(about),
            "networks": dict(about.networks),
            "splits": list(about.splits),
            "measures": {name: list(ends) for name, ends in about.measures.items()},
            "projections": list(about.projections),
        },
        "model": told.filters.network,
        "faces": told.faces,
        "emotions": [
            {"emotion": name, "answered": answered, "labelled": labelled}
            for name, answered, labelled in zip(EMOTIONS, told.answered, told.labelled, strict=True)
        ],
        "accuracy": [{"model": name, **rate(found)} for name, found in told.rates.items()],
        "agreement": None
        if agreement is None
        else {
            "all_same": agreement.all_same,
            "pairs": [cast(answers.NetworkPair, asdict(pair)) for pair in agreement.pairs],
            "disagreement": agreement.disagreement.tolist(),
            "right_same": agreement.right_same and rate(agreement.right_same),
            "right_differ": agreement.right_differ and rate(agreement.right_differ),
        },
        "confusion": None if told.confusion is None else told.confusion.tolist(),
        "by_measure": [
            {"measure": name, "bins": [{"least": one.least, "most": one.most, **rate(one.rate)} for one in bins]}
            for name, bins in told.by_measure.items()
        ],
        "uncertain": [_face(example, pictures) for example in told.uncertain],
        "wrong": [_face(example, pictures) for example in told.wrong],
        "geometry": [
            {
                "measure": name,
                "correlations": {
                    of: None if np.isnan(value) else float(value) for of, value in zip(EMOTIONS, row, strict=True)
                },
            }
            for name, row in zip(told.geometry.measures, told.geometry.correlations, strict=True)
        ]
        if told.geometry
        else [],
        "glass_box": told.terms and _terms(told.terms, terms_of),
        "map": drawn and _map(drawn),
    }


def rate(found: Rate) -> answers.Rate:
    """How many faces were named right, with the interval of their share."""
    return {
        "faces": found.faces,
        "right": found.right,
        "accuracy": found.share,
        "low": found.low,
        "high": found.high,
    }


def _face(example: Example, pictures: bool) -> answers.DatasetFace:
    png = base64.b64encode(example.crop).decode() if pictures and example.crop else None
    return {
        "photo": example.photo,
        "face": example.number,
        "label": example.label,
        "undecided": example.undecided,
        "answers": [
            {"model": name, "emotion": named, "confidence": confidence}
            for name, (named, confidence) in example.answers.items()
        ],
        "measures": dict(example.measures),
        "png": png and f"data:image/png;base64,{png}",
    }


def _terms(found: Terms, emotion: str) -> answers.GlassBoxTerms:
    steps = [found.steps(measure, EMOTIONS.index(emotion)) if emotion else [] for measure in range(len(MEASURES))]
    return {
        "version": found.box.version,
        "faces": found.faces,
        "background": found.background,
        "terms": [
            {
                "measure": measure.name,
                "label": measure.label,
                "strength": dict(zip(EMOTIONS, strength, strict=True)),
                "steps": [
                    {"least": least, "below": below, "faces": faces, "shap": value}
                    for least, below, faces, value in rows
                ],
            }
            for measure, strength, rows in zip(MEASURES, found.strengths.tolist(), steps, strict=True)
        ],
    }


def _map(drawn: Plane) -> answers.DatasetMap:
    columns = (drawn.places.tolist(), drawn.answers, drawn.labels, drawn.confidences.tolist())
    return {
        "method": drawn.method,
        "explained": list(drawn.explained),
        "faces": drawn.faces,
        "points": [
            {"x": x, "y": y, "answer": emotion(answer), "label": emotion(label), "confidence": confidence}
            for (x, y), answer, label, confidence in zip(*columns, strict=True)
        ],
    }


def lab(outcome: Outcome, found: Mapping[str, Counterfactual | None] | None = None) -> answers.LabResult:
    """An outcome as JSON.

    Args:
        outcome: what `experiments.run` returned.
        found: what `experiments.smallest` returned; None where it was not asked for.
    """
    return {
        "emotion": EMOTIONS[outcome.target.emotion],
        "method": next(iter(outcome.maps.values())).method,
        "experiment": outcome.experiment.to_json(),
        "link": f"?lab={outcome.experiment.code}",
        "hidden": float(outcome.changed.touched.mean()),
        "crop": outcome.changed.crop.astype(float).round(4).tolist(),
        "models": [_tried(name, outcome, found) for name in outcome.models],
        "seconds": outcome.seconds,
    }


def _tried(name: str, outcome: Outcome, found: Mapping[str, Counterfactual | None] | None) -> answers.LabModel:
    tried = outcome.models[name]
    forecast = tried.forecast
    return {
        "before": prediction(tried.before),
        "after": prediction(tried.after),
        "without_hiding": prediction(tried.alone),
        "predicted": {
            "share": forecast.share,
            "opposing": forecast.opposing,
            "area": forecast.area,
            "exceeds": forecast.exceeds,
            "expects": "" if forecast.expects is None or tried.swapped else forecast.expects,
        },
        "random": {
            "mean": float(tried.random.mean()) if len(tried.random) else None,
            "exceeded": tried.costs_more(outcome.target),
            "probabilities": tried.random.astype(float).tolist(),
        },
        "verdict": tried.verdict,
        "words": lab_text.message(outcome.maps[name], tried),
        "smallest_change": None if found is None else _smallest(found[name]),
    }


def _smallest(found: Counterfactual | None) -> answers.SmallestChange:
    if found is None:
        return {
            "found": False,
            "regions": [],
            "emotion": "",
            "drop": 0.0,
            "ties": 0,
            "area": 0.0,
            "least_regions": [],
            "least_area": 0.0,
        }
    return {
        "found": True,
        "regions": list(found.regions),
        "emotion": EMOTIONS[found.after],
        "drop": found.drop,
        "ties": found.ties,
        "area": found.area,
        "least_regions": list(found.least_regions),
        "least_area": found.least_area,
    }


def video(found: clips.Clip) -> dict[str, Any]:
    """A clip as JSON."""
    last = found.moments[-1]
    return {
        "width": last.size[0],
        "height": last.size[1],
        "frames": len(found.moments),
        "seconds": round(last.at, 3),
        "model": found.asked,
        "persons": [{"person": place, "moments": _moments(found, one)} for place, one in enumerate(found.persons, 1)],
    }


def _moments(found: clips.Clip, person: int) -> list[answers.PersonMoment]:
    _, _, smooth = found.timeline(person)
    return [
        {
            "seconds": round(moment.at, 3),
            "box": cast(answers.Box, dict(zip(BOX, (round(float(side), 2) for side in sighting.box), strict=True))),
            "emotion": sighting.prediction.emotion,
            "confidence": sighting.prediction.confidence,
            "probabilities": _named(sighting.prediction.probabilities),
            "smoothed": _named(values),
        }
        for (moment, sighting), values in zip(found.of(person), smooth, strict=True)
    ]


def _named(probabilities: np.ndarray) -> answers.Probabilities:
    return cast(answers.Probabilities, dict(zip(EMOTIONS, map(float, probabilities), strict=True)))
