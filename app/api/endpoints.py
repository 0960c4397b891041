"""What programs can ask for: seven functions of a photo with typed answers, the same behind every interface.

`app.api.gradio` opens them as Gradio's endpoints, `app.api.rest` as REST routes, `app.api.mcp` as tools.
Coordinates are pixels of the upright photo, from its left and top edge; a photo whose longer side exceeds
2048 pixels is reduced to that first.
"""

from typing import Any

import numpy as np

from app import experiments, pipeline, text
from app.api import responses
from app.api.schemas import Comparison, Detection, ExplainedFace, KeypointResult, LabFace, PredictionResult, TrustedFace
from app.serving import admission
from explain import scale
from explain.base import Explanation
from explain.lab.steps import Experiment
from models.errors import ParameterError
from models.types import EMOTIONS, Face, Photo

# -------------------------------------------------------------------- endpoints


def detect(image: Photo) -> Detection:
    """The faces in a picture, largest first; none is an empty list."""
    return {**responses.size(image), "faces": [responses.detected(face) for face in pipeline.find(image)]}


def keypoints(image: Photo, whole_picture: bool = False, face: int | None = None) -> KeypointResult:
    """Fifteen named keypoints for every face, or for one; left and right are the person's own.

    `face` counts from the largest, which is 0. `whole_picture` takes the whole picture as the face where
    none is found.
    """
    faces = _faces(image, whole_picture, face)
    return {
        **responses.size(image),
        "faces": [{**responses.detected(face), "keypoints": responses.keypoints(face)} for face in faces],
    }


def predict(
    image: Photo,
    whole_picture: bool = False,
    model: str = "",
    model_version: str = "",
    face: int | None = None,
) -> PredictionResult:
    """What each of the three models, or the one that is named, says about every face, or about one.

    `face` counts from the largest, which is 0. `whole_picture` takes the whole picture as the face where
    none is found. `model_version` is a version of the named model, by default the active one. `note` says
    which models could not be asked, if any.
    """
    _text(model=model, model_version=model_version)
    if model_version and not model:
        raise ParameterError("model_version is a version of one model", "no model", "Name the model as well")
    faces = _faces(image, whole_picture, face)
    if model:
        predictions = {model: pipeline.predict(model, faces, model_version)}
    else:
        predictions = pipeline.predictions_for(faces)
    return {
        **responses.size(image),
        "faces": [
            {
                **responses.detected(face),
                "keypoints": responses.keypoints(face),
                "predictions": [responses.prediction(of_model[index]) for of_model in predictions.values()],
            }
            for index, face in enumerate(faces)
        ],
        "note": "" if model else text.missing(predictions),
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
    maps: str = "arrays",
) -> ExplainedFace:
    """Why one model says what it says about one face.

    `emotion` is what is explained, by default the one that the model names; `against` sets another
    emotion against it. `params` are the method's own; `face` counts from the largest, which is 0.
    `values` is the raw map on the 48x48 crop, and `limit` the size that counts as full strength; with
    `maps` "png" there is a coloured picture instead, with "none" neither.
    """
    chosen = _chosen(image, whole_picture, face, maps)
    _text(model=model, emotion=emotion, method=method, against=against, model_version=model_version)
    return _explained(chosen, model, emotion, against, method, params, model_version, maps)[0]


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
    maps: str = "arrays",
) -> TrustedFace:
    """An explanation, see /explain, and how far it can be trusted.

    `verdict` is "high", "some" or "none"; none means that hiding what the map marks does not change the
    answer more than hiding random places does. `curves` hold how the probability falls (deletion) and
    rises (insertion) as the marked places are hidden and shown, beside random maps and a plain blob.
    """
    chosen = _chosen(image, whole_picture, face, maps)
    _text(model=model, emotion=emotion, method=method, against=against, model_version=model_version)
    answer, explanation = _explained(chosen, model, emotion, against, method, params, model_version, maps)
    return {**answer, "trust": pipeline.trusted(chosen, explanation, answer["prediction"]["version"]).to_json()}


def lab(
    image: Photo,
    experiment: dict | None = None,
    method: str = "gradcam",
    emotion: str = "",
    params: dict | None = None,
    smallest_change: bool = False,
    face: int = 0,
    whole_picture: bool = False,
    maps: str = "arrays",
) -> LabFace:
    """What an experiment on a face does to the three models' answers, and what their heatmaps had said.

    `experiment` holds the steps as the page's Lab shows them, such as
    `{"steps": [{"do": "hide", "region": "mouth"}]}`. `smallest_change` also looks for the smallest
    set of face parts that, hidden, changes each model's answer. `crop` is the changed face, 48x48; with
    `maps` "png" it is a picture instead, with "none" left out.
    """
    chosen = _chosen(image, whole_picture, face, maps)
    _text(method=method, emotion=emotion)
    steps = Experiment.from_json({"steps": []} if experiment is None else experiment)
    search = _switch(smallest_change, "smallest_change")
    tried = responses.lab(*experiments.run_with_smallest(chosen, steps, method, emotion, params, search))
    crop = np.array(tried["crop"])
    tried["crop"] = tried["crop"] if maps == "arrays" else None
    tried["png"] = responses.picture(np.uint8(np.round(255 * crop))) if maps == "png" else None
    return {
        **responses.detected(chosen),
        **tried,
        "note": text.missing([model["before"]["model"] for model in tried["models"]]),
    }


def compare(
    image: Photo,
    emotion: str = "",
    against: str = "",
    face: int = 0,
    whole_picture: bool = False,
    maps: str = "arrays",
) -> Comparison:
    """The three models on one face: probabilities, Grad-CAM, SHAP and exact Shapley values of the face's parts.

    All explain the same emotion, by default the one with the highest mean probability; with `against`, why not
    that one. The same method has the same `limit` for all three, so that their maps can be set side by side.
    `maps`: see /explain.
    """
    chosen = _chosen(image, whole_picture, face, maps)
    _text(emotion=emotion, against=against)
    predictions = {name: of_model[0] for name, of_model in pipeline.predictions_for([chosen]).items()}
    target = pipeline.common_target(emotion, against, predictions)
    made = {
        method: {
            name: pipeline.explain(name, chosen, target, method, version=said.version)
            for name, said in predictions.items()
        }
        for method in pipeline.COMPARED
    }
    scales = {method: scale.shared(of_method.values()) for method, of_method in made.items()}
    return {
        **responses.detected(chosen),
        "emotion": EMOTIONS[target.emotion],
        "models": [
            {
                "prediction": responses.prediction(prediction),
                "explanations": [
                    responses.explanation(of_method[name], chosen, scales[method], maps)
                    for method, of_method in made.items()
                ],
            }
            for name, prediction in predictions.items()
        ],
        "note": text.missing(predictions),
    }


ENDPOINTS = {
    detect: admission.PREDICTS,
    predict: admission.PREDICTS,
    keypoints: admission.PREDICTS,
    explain: admission.EXPLAINS,
    trust: admission.EXPLAINS,
    compare: admission.EXPLAINS,
    lab: admission.EXPLAINS,
}
"""What programs can ask for, and in which queue they wait."""


# ------------------------------------------------------------------------ parts


def _faces(image: Photo, whole_picture: bool, face: int | None) -> list[Face]:
    faces = pipeline.faces_in(image, _switch(whole_picture))
    return faces if face is None else [pipeline.pick(faces, face)]


def _chosen(image: Photo, whole_picture: bool, face: int, maps: str) -> Face:
    responses.check_maps(maps)
    return pipeline.pick(pipeline.faces_in(image, _switch(whole_picture)), face)


def _explained(
    face: Face, model: str, emotion: str, against: str, method: str, params: dict | None, version: str, maps: str
) -> tuple[ExplainedFace, Explanation]:
    prediction = pipeline.predict(model, [face], version)[0]
    target = pipeline.target(emotion, against, prediction)
    made = pipeline.explain(model, face, target, method, params, prediction.version)
    answer = {
        **responses.detected(face),
        "prediction": responses.prediction(prediction),
        "explanation": responses.explanation(made, face, scale.shared([made]), maps),
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
