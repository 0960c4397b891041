"""The public API: seven endpoints with typed answers, listed at /gradio_api/info.

Every endpoint takes the picture as an uploaded file. Coordinates are pixels of the upright photo,
from its left and top edge; a photo whose longer side exceeds 2048 pixels is reduced to that first.
"""

import inspect
from typing import Any

from gradio.components.api_component import Api
from gradio.context import get_blocks_context
from gradio_client.utils import python_type_to_json_schema

from app import answers, engine, experiments, reading
from app.answers import Box, Comparison, Detection, ExplainedFace, KeypointReading, PredictionReading, TrustedFace
from app.inputs import PhotoInput
from explain import scale
from explain.base import Explanation
from models.errors import ParameterError
from models.types import EMOTIONS, Face, Photo


class TriedFace(experiments.LabReading):
    box: Box
    score: float


# -------------------------------------------------------------------- endpoints


def detect(image: Photo) -> Detection:
    """The faces in a picture, largest first; none is an empty list."""
    return {**answers.size(image), "faces": [answers.found(face) for face in reading.find(image)]}


def keypoints(image: Photo, whole_picture: bool = False) -> KeypointReading:
    """Fifteen named keypoints for every face; left and right are the person's own."""
    faces = reading.faces_in(image, _switch(whole_picture))
    return {
        **answers.size(image),
        "faces": [{**answers.found(face), "keypoints": answers.points(face)} for face in faces],
    }


def predict(image: Photo, whole_picture: bool = False) -> PredictionReading:
    """What each of the three models says about every face."""
    faces = reading.faces_in(image, _switch(whole_picture))
    predictions = reading.predictions_for(faces)
    return {
        **answers.size(image),
        "faces": [
            {
                **answers.found(face),
                "predictions": [answers.answer(of_model[index]) for of_model in predictions.values()],
            }
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
    model_version: str = "",
) -> ExplainedFace:
    """Why one model says what it says about one face.

    `emotion` is what is explained, by default the one that the model names; `against` sets another
    emotion against it. `params` are the method's own; `face` counts from the largest, which is 0.
    `values` is the raw map on the 48x48 crop, and `limit` the size that counts as full strength.
    """
    _text(model=model, emotion=emotion, method=method, against=against, model_version=model_version)
    chosen = reading.pick(reading.faces_in(image, _switch(whole_picture)), face)
    return _explained(chosen, model, emotion, against, method, params, model_version)[0]


def trust(
    image: Photo,
    model: str = "cnn",
    emotion: str = "",
    method: str = "gradcam",
    against: str = "",
    params: dict | None = None,
    face: int = 0,
    whole_picture: bool = False,
    model_version: str = "",
) -> TrustedFace:
    """An explanation, see /explain, and how far it can be trusted.

    `verdict` is "high", "some" or "none"; none means that hiding what the map marks does not change the
    answer more than hiding random places does. `curves` hold how the probability falls (deletion) and
    rises (insertion) as the marked places are hidden and shown, beside random maps and a plain blob.
    """
    _text(model=model, emotion=emotion, method=method, against=against, model_version=model_version)
    chosen = reading.pick(reading.faces_in(image, _switch(whole_picture)), face)
    answer, explanation = _explained(chosen, model, emotion, against, method, params, model_version)
    return {**answer, "trust": reading.trusted(chosen, explanation, answer["prediction"]["version"]).to_json()}


def lab(
    image: Photo,
    experiment: dict | None = None,
    method: str = "gradcam",
    emotion: str = "",
    params: dict | None = None,
    smallest_change: bool = False,
    face: int = 0,
    whole_picture: bool = False,
) -> TriedFace:
    """What an experiment on a face does to the three models' answers, and what their heatmaps had said.

    `experiment` holds the steps as the page's Lab shows them, such as
    `{"steps": [{"do": "hide", "region": "mouth"}]}`. `smallest_change` also looks for the smallest
    set of face parts that, hidden, changes each model's answer.
    """
    _text(method=method, emotion=emotion)
    chosen = reading.pick(reading.faces_in(image, _switch(whole_picture)), face)
    steps = {"steps": []} if experiment is None else experiment
    search = _switch(smallest_change, "smallest_change")
    tried = engine.current().run(experiments.answer_for, chosen, steps, method, emotion, params, search)
    return {**answers.found(chosen), **tried}


def compare(image: Photo, emotion: str = "", face: int = 0, whole_picture: bool = False) -> Comparison:
    """The three models on one face: probabilities, Grad-CAM, SHAP and exact Shapley values of the face's parts.

    All explain the same emotion, by default the one with the highest mean probability. The same
    method has the same `limit` for all three, so that their maps can be set side by side.
    """
    _text(emotion=emotion)
    chosen = reading.pick(reading.faces_in(image, _switch(whole_picture)), face)
    predictions = {name: of_model[0] for name, of_model in reading.predictions_for([chosen]).items()}
    target = reading.common_target(emotion, predictions)
    maps = {
        method: {
            name: reading.explain(name, chosen, target, method, version=said.version)
            for name, said in predictions.items()
        }
        for method in reading.COMPARED
    }
    limits = {method: scale.shared(of_method.values()).limit for method, of_method in maps.items()}
    return {
        **answers.found(chosen),
        "emotion": EMOTIONS[target.emotion],
        "models": [
            {
                "prediction": answers.answer(prediction),
                "explanations": [
                    answers.explanation(of_method[name], chosen, limits[method]) for method, of_method in maps.items()
                ],
            }
            for name, prediction in predictions.items()
        ],
    }


ENDPOINTS = (detect, predict, keypoints, explain, trust, compare, lab)


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


def _explained(
    face: Face, model: str, emotion: str, against: str, method: str, params: dict | None, version: str
) -> tuple[ExplainedFace, Explanation]:
    prediction = reading.predict(model, [face], version)[0]
    target = reading.target(emotion, against, prediction)
    made = reading.explain(model, face, target, method, params, prediction.version)
    answer = {
        **answers.found(face),
        "prediction": answers.answer(prediction),
        "explanation": answers.explanation(made, face, scale.shared([made]).limit),
    }
    return answer, made


def _switch(value: Any, name: str = "whole_picture") -> bool:
    if not isinstance(value, bool):
        raise ParameterError(f"{name} is true or false", repr(value)[:40])
    return value


def _text(**values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, str):
            raise ParameterError(f"{name} is text", repr(value)[:40])
