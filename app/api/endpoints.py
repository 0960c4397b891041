"""What programs can ask for: functions of a photo and a request, or of a request, the same behind every interface.

`app.api.gradio` opens them as Gradio's endpoints, `app.api.rest` as REST routes, `app.api.mcp` as tools.
Coordinates are pixels of the upright photo, from its left and top edge; a photo whose longer side exceeds
2048 pixels is reduced to that first. `turned` says by how much it was turned to be upright.
"""

import base64
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from app import clips, experiments, pipeline, reporting, text
from app.api import answers, encoding, fields, requests, responses
from app.data import view
from app.data.filters import Filters
from app.serving import admission
from explain import scale
from explain.base import common_target
from explain.lab.steps import Experiment
from models import clip, upright
from models import photo as photos
from models.errors import ParameterError, WeightsError
from models.moved_crops import CropSensitivity
from models.types import EMOTIONS, Photo, Prediction

MOST_IN_CROPS = 8
"""Faces that are asked about in crops a little off; each costs as much as 44 others."""

# -------------------------------------------------------------------- functions


def detect(photo: Photo, request: requests.DetectRequest) -> dict[str, Any]:
    """The faces in a picture, largest first; none is an empty list."""
    try:
        found = pipeline.detections(photo, request.turn)
    except WeightsError:  # without the keypoint network nobody knows whether the photo is upright
        photo = upright.turned(photo, request.turn or 0)
        found = pipeline.Detections(photo, pipeline.find(photo))
    return {**responses.size(found.photo), "faces": [responses.detected(face, found.photo) for face in found.faces]}


def predict(photo: Photo, request: requests.PredictRequest) -> dict[str, Any]:
    """What the three models, their mean or the one that is named sees in every face, or in one.

    `emotion`, `confidence` and `probabilities` are those of the largest face that is answered: the named model's,
    else the mean's. `note` says which models could not be asked, if any.
    """
    found = _faces(photo, request)
    faces = found.faces
    if request.crops and len(faces) > MOST_IN_CROPS:
        raise ParameterError("Crops were asked for of too many faces", f"{len(faces)} faces", "Name one by `face`")
    name, version, note = request.model, request.model_version, ""
    if name and name != pipeline.MEAN:
        predictions = {name: pipeline.predict(name, faces, pipeline.latest(name, version))}
    else:
        predictions = pipeline.predictions_for(faces, version)
        note = text.missing(predictions, version)
    together = pipeline.mean(predictions) if len(predictions) > 1 else next(iter(predictions.values()))
    asked = predictions
    if name == pipeline.MEAN:
        predictions = {name: together}
    moved = _in_moved_crops(found, asked) if request.crops else [{}] * len(faces)
    largest = responses.prediction(together[0])
    return {
        **responses.size(found.photo),
        "faces": [
            {
                **responses.detected(face, found.photo),
                "keypoints": responses.keypoints(face, found.photo),
                "predictions": [
                    responses.predicted(of_model[index], moved[index].get(model))
                    for model, of_model in predictions.items()
                ],
            }
            for index, face in enumerate(faces)
        ],
        **{key: largest[key] for key in ("emotion", "confidence", "probabilities")},
        "note": responses.note(faces, note),
    }


def keypoints(photo: Photo, request: requests.KeypointsRequest) -> dict[str, Any]:
    """Fifteen named keypoints for every face, or for one; left and right are the person's own.

    `keypoints`, of which there are `num_keypoints`, are those of the largest face that is answered.
    """
    found = _faces(photo, request)
    faces = [
        {**responses.detected(face, found.photo), "keypoints": responses.keypoints(face, found.photo)}
        for face in found.faces
    ]
    largest = faces[0]["keypoints"]
    return {
        **responses.size(found.photo),
        "faces": faces,
        "num_keypoints": len(largest),
        "keypoints": largest,
        "note": responses.note(found.faces),
    }


def explain(photo: Photo, request: requests.ExplainRequest) -> dict[str, Any]:
    """Why one model says what it says about one face.

    `values` is the raw map on the 48x48 crop, and `limit` the size that counts as full strength; with
    `maps` "png" there is a coloured picture instead, with "none" neither. `interactions` is null unless asked for.
    """
    found = _chosen(photo, request)
    return _explanation(found, request, _explained(found, request))


def trust(photo: Photo, request: requests.TrustRequest) -> dict[str, Any]:
    """An explanation, see /explain, and which tests it survives.

    `verdict` is "high", "some" or "none"; none means that the map is not shown to hold up, and `reason` says against
    what: "chance" (random maps), "centre" (a blob in the middle), "average" (of the same method's maps of other faces),
    "other faces" (these maps one by one), "blind" or "flat". `curves` hold how the score, in log-odds and as a
    probability, falls (deletion) and rises (insertion) as the marked places are hidden and shown, beside these
    controls; `comparison` sums them up.
    `part_ranges` says between which ends the shares of each part of the face lie with other fills and other seeds.
    `trust` is null, and `note` says why, where the whole picture was taken as the face.
    """
    found = _chosen(photo, request)
    made = _explained(found, request)
    answer = _explanation(found, request, made)
    result = made.tested()
    if result is None:
        return {**answer, "trust": None, "note": f"{answer['note']} {text.NO_FACE_TO_TEST}"}
    return {**answer, "trust": result.to_json()}


def report(photo: Photo, request: requests.ReportRequest) -> dict[str, Any]:
    """A file to keep about an explanation and which tests it survives: a page, a picture, a table or all numbers.

    `content` is the file's text, `png` its picture; `name` and `type` say what to call it and what it holds. Nothing is
    kept here.
    """
    found = _chosen(photo, request)
    made = _explained(found, request)
    whole = reporting.report(found.photo, made.face, made.prediction, made.explanation, made.tested())
    name = fields.REPORT_FILES[request.output]
    content = reporting.content(whole.without_photo() if request.without_photo else whole, name)
    kind = reporting.FILES[name]
    picture = f"data:{kind};base64,{base64.b64encode(content).decode()}" if kind.startswith("image/") else None
    return {
        **responses.chosen(found),
        "name": name,
        "type": kind,
        "content": None if picture else content.decode(),
        "png": picture,
        "note": responses.note(found.faces),
    }


def compare(photo: Photo, request: requests.CompareRequest) -> dict[str, Any]:
    """The models side by side on one face: probabilities, Grad-CAM, SHAP and exact Shapley values of its parts.

    All explain the same emotion; with `against`, why not that one. The same method has the same `limit` for all
    three, so that their maps can be set side by side. `maps`: see /explain.
    """
    found = _chosen(photo, request)
    [face] = found.faces
    predictions = {name: of_model[0] for name, of_model in pipeline.predictions_for([face]).items()}
    target = common_target(request.emotion, request.against, predictions)
    made = {
        method: {
            name: pipeline.explain(name, face, target, method, version=prediction.version)
            for name, prediction in predictions.items()
        }
        for method in pipeline.COMPARED
    }
    scales = {method: scale.shared(of_method.values()) for method, of_method in made.items()}
    return {
        **responses.chosen(found),
        "emotion": EMOTIONS[target.emotion],
        "models": [
            {
                "prediction": responses.prediction(prediction),
                "explanations": [
                    responses.explanation(
                        of_method[name],
                        face,
                        prediction,
                        scales[method],
                        request.maps,
                        pipeline.average_shares(of_method[name], prediction.version),
                    )
                    for method, of_method in made.items()
                ],
            }
            for name, prediction in predictions.items()
        ],
        "note": responses.note(found.faces, text.missing(predictions)),
    }


def lab(photo: Photo, request: requests.LabRequest) -> dict[str, Any]:
    """What an experiment on a face does to the three models' answers, and what their heatmaps had said.

    `crop` is the changed face, 48x48; with `maps` "png" it is a picture instead, with "none" left out.
    """
    found = _chosen(photo, request)
    [face] = found.faces
    steps = Experiment.from_json({"steps": []} if request.experiment is None else request.experiment)
    method = request.method or pipeline.recommended_for_all()
    tried = responses.lab(
        *experiments.run_with_smallest(face, steps, method, request.emotion, request.params, request.smallest_change)
    )
    crop = np.array(tried["crop"])
    return {
        **responses.chosen(found),
        **tried,
        "crop": tried["crop"] if request.maps == "arrays" else None,
        "png": responses.picture(np.round(255 * crop).astype(np.uint8)) if request.maps == "png" else None,
        "note": responses.note(found.faces, text.missing([model["before"]["model"] for model in tried["models"]])),
    }


def dataset(request: requests.DatasetRequest) -> dict[str, Any]:
    """What the networks say about the faces of the server's dataset: counts, agreement, accuracy, and faces to look at.

    Rows of `confusion` are labels, its columns what the model names; `disagreement` counts, over all pairs of networks,
    how often one names the row's and another the column's emotion. `by_measure` cuts each measure at its quantiles.
    `undecided` is the entropy of the model's probabilities as a share of the greatest there is. `glass_box` sums up the
    terms of the readable model, whatever `model` is: each face's SHAP values, without an estimate.
    """
    filters = Filters(
        request.model, request.emotion, request.label, request.split, request.agreement, request.ranges or {}
    )
    told = view.summary(filters, request.bins, request.examples)
    drawn = None
    if request.points and told.about.projections:
        drawn = view.plane(filters, request.projection, request.points)
    return responses.dataset(told, drawn, request.pictures, request.terms)


def glass_box(photo: Photo, request: requests.GlassBoxRequest) -> dict[str, Any]:
    """What a readable model sees in twenty measures of a face's keypoints, and exactly why.

    It stands beside the three networks, is less often right, and is no part of their mean. Each emotion's score is its
    `intercept` plus its `contributions` of all `terms`; `probabilities` are the softmax of the scores over the
    `temperature`. A value counts in distances between the eyes. With `measures` some are moved by hand.
    """
    found = _chosen(photo, request)
    reading = pipeline.read_glass_box(found.faces[0], request.measures)
    emotion = EMOTIONS.index(request.emotion) if request.emotion else None
    return {
        **responses.chosen(found),
        **responses.glass_box(reading, emotion),
        "note": responses.note(found.faces),
    }


def video(data: bytes, request: requests.VideoRequest) -> dict[str, Any]:
    """Who is seen in a clip, and what a model or the mean of all reads in each person over time.

    Four frames a second are read, `frames` in all; `seconds` is when the last one is, and in each moment when it is.
    Persons are followed and not recognised, whoever is seen most first. `smoothed` is averaged over half a second to
    both sides. Boxes are pixels of the upright frame, whose longer side is reduced to 720.
    """
    return responses.video(clips.whole(data, request.model))


# -------------------------------------------------------------------- endpoints


@dataclass(frozen=True)
class Endpoint:
    """A function with all that its interfaces tell of it.

    Attributes:
        function: of a photo or the bytes of a clip and a request, or of a request alone where that has neither; its
            name is the endpoint's, its docstring the description.
        request: what it takes.
        response: what it answers, a TypedDict.
        route: of the REST API, under /api/v1/.
        queue: in which its calls wait, see `app.serving.admission`.
    """

    function: Callable[..., dict[str, Any]]
    request: type[requests.Request]
    response: type
    route: str
    queue: str

    @property
    def name(self) -> str:
        """What every interface calls it."""
        return self.function.__name__

    @property
    def description(self) -> str:
        """What every interface says of it."""
        return inspect.getdoc(self.function) or ""

    @property
    def media(self) -> str:
        """The field that holds what it is asked about: "image", "video", or "" where there is none."""
        if issubclass(self.request, requests.VideoRequest):
            return "video"
        return "image" if issubclass(self.request, requests.ImageRequest) else ""

    def decode(self, body: requests.Request) -> Photo | bytes | None:
        """The photo, or the bytes of the clip, that a request holds; None where it takes neither.

        Raises:
            PhotoError, ClipError: it holds none.
        """
        if isinstance(body, requests.VideoRequest):
            data = encoding.decode(body.video, "clip")
            clip.check(data)
            return data
        return photos.read(encoding.decode(body.image)) if isinstance(body, requests.ImageRequest) else None

    def request_schema(self) -> dict[str, Any]:
        """What it takes as a JSON schema, without the titles that only repeat the names."""
        schema = self.request.model_json_schema()
        for field in schema["properties"].values():
            field.pop("title", None)
        keys = ("type", "properties", "required", "additionalProperties")
        return {key: schema[key] for key in keys if key in schema}

    def response_schema(self) -> dict[str, Any]:
        """What it answers as a JSON schema."""
        return TypeAdapter(self.response).json_schema()

    def answer(
        self, given: Photo | bytes | None, request: requests.Request, started: float | None = None
    ) -> dict[str, Any]:
        """The function's answer, with how long it took.

        Args:
            given: the photo or clip that the request is about; None where it takes neither.
            request: one of `self.request`.
            started: when work on it began, by `perf_counter`; None for now.

        Raises:
            what the function raises.
        """
        began = perf_counter() if started is None else started
        answer = self.function(given, request) if self.media else self.function(request)
        return {**answer, "milliseconds": round(1000 * (perf_counter() - began), 1)}


PREDICT, EXPLAIN = admission.PREDICT, admission.EXPLAIN
ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint(detect, requests.DetectRequest, answers.DetectResponse, "detect", PREDICT),
        Endpoint(predict, requests.PredictRequest, answers.PredictResponse, "predict/emotion", PREDICT),
        Endpoint(keypoints, requests.KeypointsRequest, answers.KeypointsResponse, "predict/keypoints", PREDICT),
        Endpoint(explain, requests.ExplainRequest, answers.ExplainResponse, "explain", EXPLAIN),
        Endpoint(trust, requests.TrustRequest, answers.TrustResponse, "trust", EXPLAIN),
        Endpoint(report, requests.ReportRequest, answers.ReportResponse, "report", EXPLAIN),
        Endpoint(compare, requests.CompareRequest, answers.CompareResponse, "compare", EXPLAIN),
        Endpoint(lab, requests.LabRequest, answers.LabResponse, "lab", EXPLAIN),
        Endpoint(dataset, requests.DatasetRequest, answers.DatasetResponse, "dataset/summary", PREDICT),
        Endpoint(glass_box, requests.GlassBoxRequest, answers.GlassBoxResponse, "glass-box", PREDICT),
        Endpoint(video, requests.VideoRequest, answers.VideoResponse, "video", EXPLAIN),
    )
}
"""What programs can ask for, by name."""


# ------------------------------------------------------------------------ parts


def _faces(photo: Photo, request: requests.KeypointsRequest | requests.PredictRequest) -> pipeline.Detections:
    found = pipeline.some(pipeline.detections(photo, request.turn, request.whole_picture))
    return found if request.face is None else found.pick(request.face)


def _in_moved_crops(
    found: pipeline.Detections, predictions: dict[str, tuple[Prediction, ...]]
) -> list[dict[str, CropSensitivity]]:
    """What becomes of each answer, a face after the other."""
    return [
        pipeline.crop_sensitivity(found.photo, face, {name: each[index] for name, each in predictions.items()})
        for index, face in enumerate(found.faces)
    ]


def _chosen(
    photo: Photo,
    request: requests.ExplainRequest
    | requests.ReportRequest
    | requests.CompareRequest
    | requests.LabRequest
    | requests.GlassBoxRequest,
) -> pipeline.Detections:
    return pipeline.some(pipeline.detections(photo, request.turn, request.whole_picture)).pick(request.face)


def _explained(found: pipeline.Detections, request: requests.MapRequest) -> pipeline.Explained:
    [face] = found.faces
    return pipeline.explained(
        face,
        request.model,
        request.model_version,
        request.emotion,
        request.against,
        request.method,
        request.params,
    )


def _explanation(
    found: pipeline.Detections, request: requests.ExplainRequest, made: pipeline.Explained
) -> dict[str, Any]:
    face, prediction, explanation = made.face, made.prediction, made.explanation
    parts = pipeline.interactions(face, explanation, prediction.version) if request.interactions else None
    return {
        **responses.chosen(found),
        "prediction": responses.prediction(prediction),
        "explanation": responses.explanation(
            explanation,
            face,
            prediction,
            scale.shared([explanation]),
            request.maps,
            pipeline.average_shares(explanation, prediction.version),
        ),
        "interactions": None if parts is None else responses.interactions_of(parts),
        "note": responses.note(found.faces, text.weak(prediction, explanation.target)),
    }
