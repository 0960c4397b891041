"""The public API: five endpoints with typed answers, listed at /gradio_api/info.

Every endpoint takes the picture as an uploaded file. Coordinates are pixels of the upright photo,
from its left and top edge; a photo whose longer side exceeds 2048 pixels is reduced to that first.
"""

import inspect
from dataclasses import asdict
from typing import Any, TypedDict

from gradio.components.api_component import Api
from gradio.context import get_blocks_context
from gradio_client.utils import python_type_to_json_schema

from app import reading
from app.inputs import PhotoInput
from explain import evidence, registry, scale
from explain.base import Explanation
from models import detector, regions, zoo
from models.errors import ParameterError
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


# -------------------------------------------------------------------- endpoints


def detect(image: Photo) -> Detection:
    """The faces in a picture, largest first; none is an empty list."""
    return {**_size(image), "faces": [_found(face) for face in detector.find(image)]}


def keypoints(image: Photo, whole_picture: bool = False) -> KeypointReading:
    """Fifteen named keypoints for every face; left and right are the person's own."""
    faces = reading.faces_in(image, _switch(whole_picture))
    return {**_size(image), "faces": [{**_found(face), "keypoints": _keypoints(face)} for face in faces]}


def predict(image: Photo, whole_picture: bool = False) -> PredictionReading:
    """What each of the three models says about every face."""
    faces = reading.faces_in(image, _switch(whole_picture))
    answers = reading.predictions_for(faces)
    return {
        **_size(image),
        "faces": [
            {**_found(face), "predictions": [_answer(of_model[index]) for of_model in answers.values()]}
            for index, face in enumerate(faces)
        ],
    }


def explain(
    image: Photo,
    model: str = "cnn",
    emotion: str = "",
    method: str = "gradcam",
    against: str = "",
    params: dict | None = None,
    face: int = 0,
    whole_picture: bool = False,
) -> ExplainedFace:
    """Why one model says what it says about one face.

    `emotion` is what is explained, by default the one that the model names; `against` sets another
    emotion against it. `params` are the method's own; `face` counts from the largest, which is 0.
    `values` is the raw map on the 48x48 crop, and `limit` the size that counts as full strength.
    """
    _text(model=model, emotion=emotion, method=method, against=against)
    chosen = reading.pick(reading.faces_in(image, _switch(whole_picture)), face)
    network = zoo.load(model)
    prediction = network.predict([chosen])[0]
    target = reading.target(emotion, against, prediction)
    explanation = registry.explain(network, chosen, target, method, params)
    limit = scale.shared([explanation]).limit
    return {
        **_found(chosen),
        "prediction": _answer(prediction),
        "explanation": _explanation(explanation, chosen, limit),
    }


def compare(image: Photo, emotion: str = "", face: int = 0, whole_picture: bool = False) -> Comparison:
    """The three models on one face: probabilities, Grad-CAM, SHAP and exact Shapley values of the face's parts.

    All explain the same emotion, by default the one with the highest mean probability. The same
    method has the same `limit` for all three, so that their maps can be set side by side.
    """
    _text(emotion=emotion)
    chosen = reading.pick(reading.faces_in(image, _switch(whole_picture)), face)
    answers = {name: of_model[0] for name, of_model in reading.predictions_for([chosen]).items()}
    target = reading.common_target(emotion, answers)
    maps = {
        method: {name: registry.explain(zoo.load(name), chosen, target, method) for name in answers}
        for method in reading.COMPARED
    }
    limits = {method: scale.shared(of_method.values()).limit for method, of_method in maps.items()}
    return {
        **_found(chosen),
        "emotion": EMOTIONS[target.emotion],
        "models": [
            {
                "prediction": _answer(answer),
                "explanations": [
                    _explanation(of_method[name], chosen, limits[method]) for method, of_method in maps.items()
                ],
            }
            for name, answer in answers.items()
        ],
    }


ENDPOINTS = (detect, predict, keypoints, explain, compare)


def add() -> None:
    """Open the endpoints on the page that is being built, each under its function's name.

    `gr.api` does the same for functions whose arguments are all plain JSON.
    """
    image = PhotoInput(label="image", visible=False)
    for function in ENDPOINTS:
        arguments = [
            Api(parameter.default, python_type_to_json_schema(parameter.annotation), name)
            for name, parameter in inspect.signature(function).parameters.items()
            if name != "image"
        ]
        returned = Api(None, python_type_to_json_schema(inspect.signature(function).return_annotation), "answer")
        get_blocks_context().set_event_trigger(
            [],
            function,
            [image, *arguments],
            [returned],
            api_name=function.__name__,
            api_description=inspect.getdoc(function),
            show_progress="hidden",
            concurrency_limit=2,
            concurrency_id="api",
        )


# ------------------------------------------------------------------------ parts


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ParameterError("whole_picture is true or false", repr(value)[:40])
    return value


def _text(**values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, str):
            raise ParameterError(f"{name} is text", repr(value)[:40])


def _size(photo: Photo) -> dict:
    width, height = photo.size
    return {"width": width, "height": height}


def _found(face: Face) -> dict:
    sides = (round(float(value), 2) for value in face.box)
    return {
        "box": dict(zip(("left", "top", "right", "bottom"), sides, strict=True)),
        "score": round(float(face.score), 4),
    }


def _keypoints(face: Face) -> list[Keypoint]:
    return [
        {"name": name, "x": round(float(x), 2), "y": round(float(y), 2)}
        for name, (x, y) in zip(KEYPOINTS, face.keypoints, strict=True)
    ]


def _answer(prediction: Prediction) -> Answer:
    return {
        "model": prediction.model,
        "emotion": prediction.emotion,
        "confidence": prediction.confidence,
        "probabilities": dict(zip(EMOTIONS, map(float, prediction.probabilities), strict=True)),
    }


def _explanation(explanation: Explanation, face: Face, limit: float) -> ExplanationReading:
    told = evidence.by_region(explanation.values, regions.masks(face.crop_keypoints, face.crop.shape[0]))
    target = explanation.target
    return {
        "model": explanation.model,
        "method": explanation.method,
        "emotion": EMOTIONS[target.emotion],
        "against": "" if target.against is None else EMOTIONS[target.against],
        "signed": explanation.signed,
        "limit": limit,
        "values": explanation.values.astype(float).tolist(),
        "regions": [asdict(item) for item in told],
        "words": evidence.words(explanation, told),
        "params": explanation.params.to_json(),
        "seconds": explanation.seconds,
    }
