"""What programs get: the same numbers as the page, typed, for all endpoints."""

import csv
import io
import json

import httpx
import numpy as np
import pytest
from gradio_client import handle_file

from app import pipeline, reporting, text
from app.api import endpoints, requests, responses, validation
from app.api.endpoints import ENDPOINTS
from explain import evidence, figures, registry, scale
from explain.base import Target
from explain.lab.apply import apply
from explain.lab.steps import Experiment, Hide
from models import geometry, photo, regions, zoo
from models.errors import ParameterError
from models.types import EMOTIONS, KEYPOINTS
from tests.app.api.conftest import EXAMPLES, NAMES, WITHOUT_PICTURE

PICTURE = EXAMPLES / "astronaut.jpg"


@pytest.fixture(scope="module")
def face():
    return pipeline.faces_in(photo.read(PICTURE))[0]


def ask(client, name: str, **arguments):
    return client.predict(image=handle_file(str(PICTURE)), api_name=f"/{name}", **arguments)


def test_the_endpoints_are_listed_with_their_types(url):
    info = httpx.get(f"{url}gradio_api/info").json()
    assert set(info["named_endpoints"]) == {f"/{name}" for name in (*NAMES, *WITHOUT_PICTURE)}
    assert info["unnamed_endpoints"] == {}
    for name in NAMES:
        endpoint = info["named_endpoints"][f"/{name}"]
        first, *others = endpoint["parameters"]
        assert first["parameter_name"] == "image" and first["python_type"]["type"] == "filepath"
        assert all(other["parameter_has_default"] and other["type"] for other in others)
        (answer,) = endpoint["returns"]
        assert set(answer["type"]["properties"]) == set(ENDPOINTS[name].response.__annotations__)
        assert endpoint["description"]


def test_detect(client, face):
    answer = ask(client, "detect")
    assert (answer["width"], answer["height"]) == photo.read(PICTURE).size
    (found,) = answer["faces"]
    assert np.allclose(list(found["box"].values()), face.box, atol=0.01)
    assert 0 < found["score"] <= 1


def test_keypoints(client, face):
    (found,) = ask(client, "keypoints")["faces"]
    assert [point["name"] for point in found["keypoints"]] == list(KEYPOINTS)
    assert np.allclose([[point["x"], point["y"]] for point in found["keypoints"]], face.keypoints, atol=0.01)


def test_predict(client, face):
    (found,) = ask(client, "predict")["faces"]
    assert [answer["model"] for answer in found["predictions"]] == list(zoo.EMOTION_MODELS)
    for answer in found["predictions"]:
        expected = zoo.load(answer["model"]).predict([face])[0]
        assert np.allclose(list(answer["probabilities"].values()), expected.probabilities, atol=1e-4)
        assert tuple(answer["probabilities"]) == EMOTIONS
        assert answer["emotion"] == expected.emotion and answer["confidence"] == max(answer["probabilities"].values())


@pytest.mark.parametrize("method", registry.METHODS)
def test_explain(client, face, method):
    answer = ask(client, "explain", model="cnn", emotion="angry", method=method)["explanation"]
    expected = registry.explain(zoo.load("cnn"), face, Target(0), method)
    assert np.allclose(answer["values"], expected.values, rtol=1e-3, atol=1e-5)
    assert answer["emotion"] == "angry" and answer["params"] == expected.params.to_json()
    told = evidence.by_region(expected.values, regions.masks(face.crop_keypoints))
    assert [part["region"] for part in answer["regions"]] == list(regions.REGIONS)
    assert np.allclose(
        [part["supporting"] for part in answer["regions"]], [part.supporting for part in told], rtol=1e-3
    )
    assert np.std(answer["values"]) > 0


def test_explain_takes_the_predicted_emotion_unless_told_otherwise(client):
    answer = ask(client, "explain")
    assert answer["explanation"]["emotion"] == answer["prediction"]["emotion"]


@pytest.mark.parametrize("model", zoo.EMOTION_MODELS)
def test_explain_takes_the_recommended_method_unless_told_otherwise(client, monkeypatch, model):
    assert ask(client, "explain", model=model, maps="none")["explanation"]["method"] == pipeline.recommended(model)
    monkeypatch.setattr(pipeline, "recommended", {"cnn": "saliency", "resnet": "gradcam", "vgg16": "saliency"}.get)
    assert ask(client, "explain", model=model, maps="none")["explanation"]["method"] == pipeline.recommended(model)
    assert ask(client, "lab", maps="none")["method"] == "saliency", "what most of the models recommend"


def test_explain_hands_parameters_and_the_other_emotion_on(client):
    asked = {"emotion": "sad", "method": "gradcam", "params": {"positive_only": False}}
    alone = ask(client, "explain", **asked)["explanation"]
    against = ask(client, "explain", against="angry", **asked)["explanation"]
    assert alone["signed"] and alone["params"]["positive_only"] is False
    assert against["against"] == "angry" and not np.allclose(alone["values"], against["values"])


def test_compare(client, computed_once):
    answer = ask(client, "compare")
    assert [model["prediction"]["model"] for model in answer["models"]] == list(zoo.EMOTION_MODELS)
    for place, method in enumerate(pipeline.COMPARED):
        of_method = [model["explanations"][place] for model in answer["models"]]
        assert {one["method"] for one in of_method} == {method}
        assert {one["emotion"] for one in of_method} == {answer["emotion"]}
        assert len({one["limit"] for one in of_method}) == 1
        assert all(one["seconds"] > 0 and np.std(one["values"]) > 0 for one in of_method)


def test_trust(client, face):
    answer = ask(client, "trust", model="resnet", emotion="happy", against="surprise", method="saliency")
    explanation = registry.explain(zoo.load("resnet"), face, Target.named("happy", "surprise"), "saliency")
    expected = pipeline.trusted(face, explanation)
    found = answer["trust"]
    assert (found["verdict"], found["sentence"]) == (expected.verdict, expected.sentence)
    assert [curve["fill"] for curve in found["curves"]] == ["blur", "mean face", "surroundings"] * 2
    assert found["curves"][0]["deletion"] == pytest.approx(expected.curves[0].deletion, abs=1e-3)
    assert set(found["between_methods"]) == {"gradcam", "shap_regions"}
    assert set(found["between_models"]) == {"cnn", "vgg16"}
    assert answer["explanation"]["against"] == "surprise" and found["part_ranges"] is None


def test_trust_says_how_far_the_parts_move(client):
    answer = ask(client, "trust", model="cnn", method="smoothgrad", params={"samples": 8, "seed": 9998})
    found = answer["trust"]["part_ranges"]
    assert found["seeds"] == [9998, 9999, 0, 1] and found["fills"] == []
    for item, ends in zip(answer["explanation"]["regions"], found["parts"], strict=True):
        low, high = ends["share_supporting"]
        assert ends["region"] == item["region"] and low <= item["share_supporting"] <= high
    assert any(ends["share_supporting"][0] < ends["share_supporting"][1] for ends in found["parts"])


def test_lab(client, face):
    experiment = {"steps": [{"do": "hide", "region": "mouth"}]}
    answer = ask(client, "lab", experiment=experiment, emotion="happy", smallest_change=True)
    changed = apply(Experiment((Hide(region="mouth"),)), face.crop, face.crop_keypoints, {})
    assert np.allclose(answer["crop"], changed.crop, atol=1e-3)
    for tried in answer["models"]:
        network = zoo.load(tried["after"]["model"])
        expected = network.probabilities(network.logits(changed.crop[None]))[0]
        assert np.allclose(list(tried["after"]["probabilities"].values()), expected, atol=0.01)
        assert tried["before"]["probabilities"] != tried["after"]["probabilities"]
        assert tried["smallest_change"]["found"] in (True, False)
    assert answer["experiment"]["steps"][0]["region"] == "mouth" and answer["link"].startswith("?lab=")


def test_lab_without_an_experiment_leaves_the_face(client, face):
    answer = ask(client, "lab")
    assert np.allclose(answer["crop"], face.crop, atol=1e-3) and answer["hidden"] == 0
    assert all(tried["before"] == tried["after"] for tried in answer["models"])


def test_how_sure_a_prediction_is_is_answered_and_crops_only_when_asked_for(astronaut, monkeypatch):
    request = requests.PredictRequest(image="")
    bare = endpoints.predict(astronaut, request)["faces"][0]["predictions"]
    assert [each["crops"] for each in bare] == [None] * 3
    for each in bare:
        assert each["likely"][0] == each["emotion"] and set(each["likely"]) <= set(EMOTIONS)
    [mean] = endpoints.predict(astronaut, requests.PredictRequest(image="", model="mean", crops=True))["faces"][0][
        "predictions"
    ]
    face = pipeline.faces_in(astronaut)[0]
    answers = {name: each[0] for name, each in pipeline.predictions_for([face]).items()}
    expected = pipeline.crop_sensitivity(astronaut, face, answers)
    assert mean["crops"]["same"] == expected["mean"].same and mean["crops"]["crops"] == 44
    assert mean["crops"]["lowest"] == pytest.approx(expected["mean"].lowest, abs=1e-4)
    assert mean["crops"]["lowest"] < mean["confidence"] and mean["crops"]["others"] == {}
    monkeypatch.setattr(endpoints, "MOST_IN_CROPS", 0)
    with pytest.raises(ParameterError, match="Name one by"):
        endpoints.predict(astronaut, requests.PredictRequest(image="", crops=True))


def test_report_answers_one_file_a_call_without_the_photo_where_that_is_asked():
    """Asked without a server: the contract test goes over the interfaces."""
    picture = photo.read(PICTURE)

    def made(**fields):
        request = requests.ReportRequest(image="", method="gradcam", emotion="sad", **fields)
        return ENDPOINTS["report"].answer(picture, request)

    answers = {name: made(output=name.split(".")[0], without_photo=True) for name in reporting.FILES}
    assert {name: (answer["name"], answer["type"]) for name, answer in answers.items()} == {
        name: (name, kind) for name, kind in reporting.FILES.items()
    }
    rows = list(csv.DictReader(io.StringIO(answers["evidence.csv"]["content"])))
    assert len(rows) == 8 and {row["emotion"] for row in rows} == {"sad"}
    numbers = json.loads(answers["explanation.json"]["content"])
    assert numbers["explanation"]["method"] == "gradcam" and numbers["trust"]["verdict"]
    assert answers["map.png"]["png"].startswith("data:image/png;base64,") and answers["map.png"]["content"] is None
    assert "data:image/jpeg" not in answers["report.html"]["content"]
    assert "data:image/jpeg" in made()["content"], "with the photo unless it is to be left out"


def test_glass_box(client, face):
    answer = ask(client, "glass_box")
    assert [term["value"] for term in answer["terms"]] == pytest.approx(geometry.measure(face.keypoints), abs=1e-3)
    for emotion in EMOTIONS:
        summed = answer["intercept"][emotion] + sum(term["contributions"][emotion] for term in answer["terms"])
        assert answer["scores"][emotion] == pytest.approx(summed)
    powers = {emotion: np.exp(score / answer["temperature"]) for emotion, score in answer["scores"].items()}
    shares = {emotion: power / sum(powers.values()) for emotion, power in powers.items()}
    assert answer["probabilities"] == pytest.approx(shares, abs=1e-5)
    assert answer["emotion"] == max(shares, key=shares.get) and answer["confidence"] == max(
        answer["probabilities"].values()
    )
    assert len(answer["words"]) == 3 and all(words.endswith(f" for {answer['emotion']}") for words in answer["words"])


def test_measures_of_the_glass_box_are_moved_one_by_one(client):
    before = ask(client, "glass_box", emotion="angry")
    after = ask(client, "glass_box", measures={"mouth_openness": 0.9})
    changed = [a["measure"] for a, b in zip(after["terms"], before["terms"], strict=True) if a != b]
    assert changed == ["mouth_openness"] and after["probabilities"] != before["probabilities"]
    assert all(words.endswith(" for angry") for words in before["words"])


def test_a_whole_number_may_be_written_with_a_point():
    asked = requests.DatasetRequest(bins=5.0, examples=2.0, points=0.0)
    assert (asked.bins, asked.examples, asked.points) == (5, 2, 0) and isinstance(asked.bins, int)
    for wrong in (5.5, True, "5", float("inf")):
        with pytest.raises(ValueError, match="bins"):
            requests.DatasetRequest(bins=wrong)


def test_more_than_is_told_is_refused_and_not_cut():
    for name, most in (("bins", 20), ("examples", 50), ("points", 5000)):
        assert getattr(validation.read(requests.DatasetRequest, {name: most}), name) == most
        with pytest.raises(ParameterError, match=f"'{name}' is too large. Received: {most + 1}. Use {most} or less"):
            validation.read(requests.DatasetRequest, {name: most + 1})


def test_a_picture_of_a_map_is_pale_where_the_face_hardly_looks_so(face):
    prediction = pipeline.predict("cnn", [face])[0]
    weak = EMOTIONS[int(prediction.probabilities.argmin())]
    for emotion, strength in ((weak, text.PALEST), (prediction.emotion, 1.0)):
        request = requests.ExplainRequest(image="", emotion=emotion, method="saliency", maps="png")
        answer = endpoints.explain(photo.read(PICTURE), request)
        made = pipeline.explain("cnn", face, Target.named(emotion), "saliency")
        drawn = figures.overlay(face.crop, made.values, scale.shared([made]), figures.OPACITY * strength)
        assert answer["explanation"]["png"] == responses.picture(drawn)
        assert answer["note"] == text.weak(prediction, made.target) and bool(answer["note"]) == (emotion == weak)
