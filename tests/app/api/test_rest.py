"""The REST API: what it answers, and that every refusal has one shape."""

import asyncio
import base64
import io
import json
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Request
from PIL import Image
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from app import pipeline, text
from app.api import encoding, errors
from app.api import rest as rest_api
from app.api.endpoints import ENDPOINTS, Endpoint
from app.security import middleware
from app.security.settings import Settings
from app.serving import admission
from app.serving.admission import WorkQueue
from explain import registry
from models import card as cards
from models import detector, ensemble, keypoints, photo, upright, weight_store, zoo
from models.errors import BusyError, FaceWhyError, PhotoError, WeightsError
from models.types import EMOTIONS, KEYPOINTS
from tests.app.api.conftest import EXAMPLES

PICTURE = (EXAMPLES / "astronaut.jpg").read_bytes()
BASE64 = base64.b64encode(PICTURE).decode()
JSON_ROUTES = [
    f"/api/v1/{name}"
    for name in (
        "detect",
        "predict/emotion",
        "predict/keypoints",
        "explain",
        "compare",
        "trust",
        "report",
        "lab",
        "glass-box",
    )
]
VIDEO = "/api/v1/video"


@pytest.fixture(scope="module")
def rest(url) -> httpx.Client:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def ask(rest):
    """ask(route, **fields) -> the response of a JSON route to the example picture."""
    return lambda route, **fields: rest.post(f"/api/v1/{route}", json={"image": BASE64, **fields})


def blank(size=(120, 120), format: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "grey").save(data, format)
    return data.getvalue()


def refused(response: httpx.Response, status: int, code: str) -> dict:
    """The error in a response, which has our shape and sentences."""
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text
    assert set(response.json()) == {"error"}
    error = response.json()["error"]
    assert set(error) == {"code", "message", "advice"}
    for sentence in (error["message"], error["advice"]):
        assert sentence.endswith(".") and sentence.count(" ") > 1 and "Traceback" not in sentence
    return error


# ------------------------------------------------------------------ about the server


def test_health_tells_the_state_and_the_origin_of_every_model(rest):
    answer = rest.get("/health").json()
    assert answer["alive"] is True and answer["ready"] is True
    assert set(answer["models"]) == {zoo.KEYPOINT_MODEL, *zoo.EMOTION_MODELS}
    for name, found in answer["models"].items():
        assert found["state"] == "ready" and found["version"] == cards.read(weight_store.SHIPPED / name).version
        assert found["source"] and set(found) == {"state", "version", "source", "revision"}
    assert rest.get("/health?ready=1").status_code == 200


@pytest.mark.parametrize(
    ("states", "ready"),
    [
        ("ready ready ready ready", True),
        ("ready ready failed failed", True),
        ("ready ready loading failed", False),
        ("ready failed failed failed", False),
        ("waiting ready ready ready", False),
        ("failed ready ready ready", False),
    ],
)
def test_a_probe_waits_for_the_models_and_not_for_those_that_failed(rest, monkeypatch, states, ready):
    names = (zoo.KEYPOINT_MODEL, *zoo.EMOTION_MODELS)
    status = {name: zoo.Status(state) for name, state in zip(names, states.split(), strict=True)}
    monkeypatch.setattr(zoo, "loaded", lambda: status)
    assert rest.get("/health").json()["ready"] is ready and rest.get("/health").status_code == 200
    probed = rest.get("/health?ready=true")
    assert probed.status_code == (200 if ready else 503)
    if not ready:
        assert refused(probed, 503, "Busy")["message"] == "The models are still loading."
        assert int(probed.headers["retry-after"]) > 0


def test_health_waits_for_no_model_that_is_being_loaded(rest):
    with zoo._locks["cnn"]:
        assert rest.get("/health", timeout=30).status_code == 200


def test_emotions_are_in_their_order(rest):
    assert rest.get("/emotions").json() == {"emotions": list(EMOTIONS)}


def test_models_are_what_their_cards_say(rest):
    listed = {model["name"]: model for model in rest.get("/models").json()["models"]}
    assert list(listed) == [zoo.KEYPOINT_MODEL, *zoo.EMOTION_MODELS]
    for name in zoo.EMOTION_MODELS:
        card, found = zoo.load(name).card, listed[name]
        for field in ("architecture", "version", "parameters", "metrics", "licence", "sha256", "date"):
            assert found[field] == getattr(card, field)
        assert found["limits"] == list(card.limits) and found["versions"] == zoo.versions(name)
        assert found["recommended_method"] == pipeline.recommended(name)
        assert found["methods"] == [key for key, why in registry.suitable(zoo.load(name)).items() if not why]


def test_a_model_that_is_not_ready_is_listed_by_its_name_and_state(rest, monkeypatch):
    monkeypatch.setattr(zoo, "loaded", lambda: {"cnn": zoo.Status("failed", note="/secret/folder is damaged")})
    answer = rest.get("/models")
    assert answer.json()["models"][0] | {"name": "cnn", "state": "failed"} == answer.json()["models"][0]
    assert "secret" not in answer.text + rest.get("/health").text


def test_metrics_count_requests_stages_faces_and_queues(rest, ask):
    def value(line: str) -> float:
        found = re.search(rf"^{re.escape(line)} (\S+)$", rest.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    counted = 'facewhy_requests_total{method="POST",route="/api/v1/predict/emotion",status="200"}'
    refusals = 'facewhy_requests_total{method="POST",route="/api/v1/predict/emotion",status="404"}'
    stages = [f'facewhy_stage_seconds_count{{stage="{stage}"}}' for stage in ("wait", "decode", "detect", "predict")]
    names = [counted, refusals, *stages, "facewhy_faces_total", 'facewhy_batches_total{of="faces"}']
    before = [value(name) for name in names]
    ask("predict/emotion")
    ask("predict/emotion", model="alexnet")
    after = [value(name) for name in names]
    assert [late - early for late, early in zip(after, before, strict=True)] == [1, 1, 2, 2, 2, 4, 1, 2]
    assert value("facewhy_faces_agreed_total") <= value("facewhy_faces_total")
    for name, waiting in admission.WAITING.items():
        assert waiting and value(f'facewhy_queue_waiting{{queue="{name}"}}') == 0
    version = zoo.load("cnn").card.version
    assert value(f'facewhy_model_ready{{model="cnn",version="{version}"}}') == 1
    assert rest.get("/metrics").headers["content-type"].startswith("text/plain")


def test_requests_of_gradio_are_counted_and_what_clients_write_makes_no_new_name(rest, ask, client):
    from gradio_client import handle_file

    client.predict(image=handle_file(str(EXAMPLES / "astronaut.jpg")), api_name="/detect")
    rest.get("/secret-of-ann")
    ask("predict/emotion", model="secret-of-ann")
    ask("predict/emotion", model="cnn", model_version="secret-of-ann")
    rest.post("/gradio_api/call/secret-of-ann", json={"data": []})
    rest.post("/gradio_api/call/detect", json={"data": [None]})
    text = rest.get("/metrics").text
    for route in ("/gradio_api/queue/join", "/gradio_api/call/detect", "/gradio_api/call/{api_name}"):
        assert f'route="{route}"' in text
    assert "secret" not in text


# -------------------------------------------------------------------- pictures


def test_predict_takes_a_file(rest):
    answer = rest.post("/predict", files={"file": ("a.jpg", PICTURE)}).json()
    assert (answer["width"], answer["height"]) == photo.read(PICTURE).size and answer["note"] == ""
    (face,) = answer["faces"]
    assert [point["name"] for point in face["keypoints"]] == list(KEYPOINTS)
    assert [said["model"] for said in face["predictions"]] == list(zoo.EMOTION_MODELS)
    for said in face["predictions"]:
        assert tuple(said["probabilities"]) == EMOTIONS and sum(said["probabilities"].values()) == pytest.approx(1)
        assert said["confidence"] == said["probabilities"][said["emotion"]] == max(said["probabilities"].values())
        assert said["version"] == zoo.load(said["model"]).card.version
    assert answer["milliseconds"] > 0


@pytest.mark.parametrize("names", [("file", "file"), ("file", "photo"), ("photo", "file", "file")])
def test_of_several_files_none_is_read_in_silence(rest, names):
    answer = rest.post("/predict", files=[(name, (f"{at}.jpg", PICTURE)) for at, name in enumerate(names)])
    error = refused(answer, 422, "Parameter")
    assert f"{len(names)} files" in error["message"] and "/predict/batch" in error["advice"]


def test_predict_takes_json_as_well(rest, ask):
    answer = rest.post("/predict", json={"image": BASE64, "model": "cnn"})
    expected = ask("predict/emotion", model="cnn").json()
    assert answer.json() | {"milliseconds": 0} == expected | {"milliseconds": 0}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "BadRequest"),
        (b"[" * 100_000, 413, "RequestTooLarge"),
        (b"\xff", 400, "BadRequest"),
        (b"[]", 422, "Parameter"),
        (b"{}", 422, "Parameter"),
        (b'{"file": "a"}', 422, "Parameter"),
        (b'{"image": "/etc/passwd"}', 422, "Photo"),
    ],
)
def test_json_that_is_no_request_is_refused_by_predict(rest, body, status, code):
    refused(rest.post("/predict", content=body, headers={"content-type": "application/json"}), status, code)


def test_a_batch_keeps_its_order_and_an_error_its_place(rest):
    pictures = [PICTURE, b"no picture", blank(), (EXAMPLES / "group.jpg").read_bytes(), b""]
    answer = rest.post("/predict/batch", files=[("files", (f"{i}.jpg", data)) for i, data in enumerate(pictures)])
    assert answer.status_code == 200
    first, broken, faceless, last, empty = answer.json()["results"]
    assert len(first["faces"]) == 1 and len(last["faces"]) > 1
    codes = [result["error"]["code"] for result in (broken, faceless, empty)]
    assert codes == ["UnreadablePhoto", "NoFace", "EmptyPhoto"]


def test_a_batch_has_a_limit(rest):
    files = [("files", (f"{i}.png", blank((32, 32)))) for i in range(rest_api.MOST_FILES + 1)]
    refused(rest.post("/predict/batch", files=files), 422, "Parameter")


@pytest.mark.parametrize(
    "prefix", ["", "data:image/jpeg;base64,", "data:;base64,", " DATA:image/png;charset=x;base64,\n"]
)
def test_base64_may_stand_alone_or_in_an_address_that_holds_it(prefix):
    broken = "\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76))
    assert encoding.decode(prefix + BASE64) == encoding.decode(prefix + broken) == PICTURE


def test_base64_may_be_url_safe():
    data = bytes(range(256)) * 2 + b"!!"
    safe = base64.urlsafe_b64encode(data).decode()
    assert "-" in safe and "_" in safe and safe.endswith("=")
    assert encoding.decode(safe) == encoding.decode(safe.rstrip("=")) == encoding.decode(f"data:;base64,{safe}") == data


@pytest.mark.parametrize("image", ["++++/w", "++++/w==", "+w", "-_+/-w", BASE64.rstrip("="), f"{BASE64[:-4]}/w"])
def test_base64_may_leave_out_its_padding(image):
    usual = image.rstrip("=").translate(str.maketrans("-_", "+/"))
    assert encoding.decode(image) == base64.b64decode(usual + "=" * (-len(usual) % 4), validate=True)


@pytest.mark.parametrize("image", ["/etc/passwd", "photos/face", "a/b", "face.jpg", "AAAAA", "++ä/w"])
def test_what_may_be_a_path_is_no_base64(image):
    with pytest.raises(PhotoError, match="did not come in base64"):
        encoding.decode(image)


@pytest.mark.parametrize(
    "image",
    ["http://127.0.0.1:1/a.png", "FILE:///etc/passwd", "/etc/passwd", "../a.jpg", "data:image/png,abc", "\ud800"],
)
@pytest.mark.parametrize("route", JSON_ROUTES)
def test_addresses_and_paths_are_refused(rest, route, image):
    if image == "\ud800":
        answer = rest.post(route, content=b'{"image": "\\ud800"}', headers={"content-type": "application/json"})
    else:
        answer = rest.post(route, json={"image": image})
    assert "in base64" in refused(answer, 422, "Photo")["message"]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"no picture", 415, "UnreadablePhoto"),
        (PICTURE[:3000], 415, "UnreadablePhoto"),
        (b"", 422, "EmptyPhoto"),
        (blank((8, 8)), 422, "PhotoTooSmall"),
        (blank(), 422, "NoFace"),
        (b"\0" * (photo.MAX_BYTES + 1), 413, "PhotoTooLarge"),
    ],
    ids=["text", "cut", "empty", "tiny", "no face", "huge"],
)
def test_what_cannot_be_read_is_refused_the_same_way_by_both_doors(rest, data, status, code):
    refused(rest.post("/predict", files={"file": ("a.jpg", data)}), status, code)
    image = base64.b64encode(data).decode()
    refused(rest.post("/api/v1/predict/emotion", json={"image": image}), status, code)


def test_the_whole_picture_can_be_the_face(rest, computed_once):
    image = base64.b64encode(blank()).decode()
    guess = " ".join(text.GUESS)
    for route in ("predict/keypoints", "predict/emotion"):
        answer = rest.post(f"/api/v1/{route}", json={"image": image, "whole_picture": True}).json()
        assert answer["faces"][0]["score"] is None and answer["note"] == guess
    for route in ("explain", "trust", "compare", "lab"):
        asked = {"image": image, "whole_picture": True, "maps": "none"}
        answer = rest.post(f"/api/v1/{route}", json=asked).json()
        assert answer["score"] is answer["quality"]["score"] is None, route
        untested = f" {text.NO_FACE_TO_TEST}" if route == "trust" else ""
        assert answer["note"] == guess + untested and answer["quality"]["note"] == guess
        assert "guess" in answer["quality"]["warnings"]
        assert answer.get("trust") is None, "no map of no face is called tested"


def test_what_makes_an_answer_unreliable_is_told(rest):
    straight = photo.read(PICTURE)
    [found] = keypoints.read(detector.find(straight), straight)
    edge = round(float(found.keypoints[:, 0].mean()))
    spoilt = io.BytesIO()
    Image.fromarray(np.uint8(straight.pixels[:, edge:] * 0.15)).save(spoilt, "PNG")
    image = base64.b64encode(spoilt.getvalue()).decode()
    [face] = rest.post("/api/v1/predict/emotion", json={"image": image}).json()["faces"]
    assert {"dark", "cut"} <= set(face["quality"]["warnings"]) and "is very dark" in face["quality"]["note"]
    outside = [point for point in face["keypoints"] if not point["inside"]]
    assert len(outside) == face["quality"]["keypoints_outside"] > 0
    assert all(point["x"] < 0 for point in outside)
    [fine] = rest.post("/api/v1/predict/emotion", json={"image": BASE64}).json()["faces"]
    assert fine["quality"]["warnings"] == [] and fine["quality"]["note"] == ""
    assert all(point["inside"] for point in fine["keypoints"])


def test_a_picture_that_lies_is_turned_unless_the_caller_says_otherwise(rest):
    straight = photo.read(EXAMPLES / "grace_hopper.jpg")
    lying = io.BytesIO()
    Image.fromarray(upright.turned(straight, 90).pixels).save(lying, "PNG")
    image = base64.b64encode(lying.getvalue()).decode()
    wide, tall = straight.size[::-1], straight.size
    for asked, turned, size in (({}, 270, tall), ({"turn": 0}, 0, wide), ({"turn": 90}, 90, tall)):
        answer = rest.post("/api/v1/detect", json={"image": image, **asked}).json()
        assert (answer["turned"], (answer["width"], answer["height"])) == (turned, size)
    [expected] = detector.find(straight)
    for route in ("detect", "predict/keypoints", "predict/emotion"):
        answer = rest.post(f"/api/v1/{route}", json={"image": image}).json()
        assert list(answer["faces"][0]["box"].values()) == pytest.approx(expected.box, abs=0.01)
    answer = rest.post("/api/v1/explain", json={"image": image, "method": "gradcam", "maps": "none"}).json()
    assert answer["turned"] == 270 and list(answer["box"].values()) == pytest.approx(expected.box, abs=0.01)


def test_faces_are_found_without_the_keypoint_network(rest, monkeypatch):
    def missing(faces, picture):
        raise WeightsError("The model 'keypoints' could not be loaded")

    monkeypatch.setattr("app.pipeline.with_keypoints", missing)
    answer = rest.post("/api/v1/detect", json={"image": BASE64, "turn": 180})
    assert answer.status_code == 200 and answer.json()["turned"] == 180
    assert len(rest.post("/api/v1/detect", json={"image": BASE64}).json()["faces"]) == 1


# ------------------------------------------------------------------- arguments


def test_one_model_and_one_face_can_be_chosen(ask):
    version = cards.read(weight_store.SHIPPED / "resnet").version
    answer = ask("predict/emotion", model="resnet", model_version=version, face=0).json()
    (said,) = answer["faces"][0]["predictions"]
    assert (said["model"], said["version"]) == ("resnet", version) and answer["note"] == ""


def test_the_largest_face_stands_at_the_top(rest, ask):
    path = EXAMPLES / "group.jpg"
    answer = rest.post("/predict", files={"file": path.read_bytes()}).json()
    first = answer["faces"][0]["predictions"]
    found = ensemble.read(weight_store.SHIPPED, [zoo.load(name).card for name in zoo.EMOTION_MODELS])
    expected = found.probabilities([list(said["probabilities"].values()) for said in first])
    assert list(answer["probabilities"].values()) == pytest.approx(expected, abs=1e-5)
    assert answer["emotion"] == EMOTIONS[expected.argmax()]
    assert answer["confidence"] == max(answer["probabilities"].values()) == answer["probabilities"][answer["emotion"]]
    image = base64.b64encode(path.read_bytes()).decode()
    keypoints = rest.post("/api/v1/predict/keypoints", json={"image": image}).json()
    assert keypoints["num_keypoints"] == len(KEYPOINTS) and len(keypoints["faces"]) > 1
    assert keypoints["keypoints"] == keypoints["faces"][0]["keypoints"]


def test_one_model_or_the_mean_stands_at_the_top_where_it_is_named(ask):
    for name in ("vgg16", "mean"):
        answer = ask("predict/emotion", model=name).json()
        (said,) = answer["faces"][0]["predictions"]
        assert said["model"] == name and answer["note"] == ""
        assert [answer[key] for key in ("emotion", "confidence", "probabilities")] == [
            said[key] for key in ("emotion", "confidence", "probabilities")
        ]
    assert said["probabilities"] == ask("predict/emotion").json()["probabilities"]
    refused(ask("explain", model="mean"), 404, "UnknownModel")


@pytest.fixture
def second_cnn(tmp_path, monkeypatch) -> str:
    """The number of another version of the CNN, which is the same but for the number."""
    number = "1.99.0"
    folder = tmp_path / number / "cnn"
    shutil.copytree(weight_store.SHIPPED / "cnn", folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"version": number}))
    monkeypatch.setenv("FACEWHY_VERSIONS_DIR", str(tmp_path))
    yield number
    zoo._models.pop(("cnn", number), None)


def test_a_version_alone_is_that_of_every_model_that_has_it(ask, second_cnn):
    answer = ask("predict/emotion", model_version=second_cnn).json()
    assert [(said["model"], said["version"]) for said in answer["faces"][0]["predictions"]] == [("cnn", second_cnn)]
    assert answer["note"] == "There is no usable version 1.99.0 of ResNet and VGG16."


def test_the_beginning_of_a_version_is_the_latest_of_its_line(ask, second_cnn):
    answer = ask("predict/emotion", model_version="1").json()
    versions = {said["model"]: said["version"] for said in answer["faces"][0]["predictions"]}
    assert versions == {name: zoo.latest(name, "1") for name in zoo.EMOTION_MODELS} and answer["note"] == ""
    assert versions["cnn"] == second_cnn != zoo.load("cnn").card.version
    explained = ask("explain", model="cnn", model_version="1.99", method="gradcam", maps="none").json()
    assert explained["prediction"]["version"] == second_cnn


@pytest.mark.parametrize(
    ("route", "fields", "status", "code"),
    [
        ("predict/emotion", {"model": "alexnet"}, 404, "UnknownModel"),
        ("predict/emotion", {"model": "cnn", "model_version": "9.9.9"}, 404, "UnknownModel"),
        ("predict/emotion", {"model_version": "9"}, 404, "UnknownModel"),
        ("explain", {"model": "cnn", "model_version": "9"}, 404, "UnknownModel"),
        ("predict/emotion", {"face": 9}, 422, "Parameter"),
        ("predict/emotion", {"face": -1}, 422, "Parameter"),
        ("explain", {"model": "alexnet"}, 404, "UnknownModel"),
        ("explain", {"model": "../cnn"}, 404, "UnknownModel"),
        ("trust", {"model_version": "../.."}, 404, "UnknownModel"),
        ("explain", {"emotion": "joy"}, 422, "Parameter"),
        ("explain", {"method": "lime"}, 422, "Parameter"),
        ("explain", {"maps": "svg"}, 422, "Parameter"),
        ("explain", {"emotion": "sad", "against": "sad"}, 422, "Parameter"),
        ("explain", {"method": "gradcam", "params": {"samples": 1}}, 422, "UnknownName"),
        ("explain", {"method": "gradcam", "params": {"detail": "finest"}}, 422, "Parameter"),
        ("explain", {"params": "fast"}, 422, "Parameter"),
        ("explain", {"whole_picture": "yes"}, 422, "Parameter"),
        ("explain", {"path": "/etc/passwd"}, 422, "Parameter"),
        ("lab", {"experiment": {"steps": [{"do": "melt"}]}}, 422, "UnknownName"),
        ("lab", {"experiment": {"steps": [{"do": "blur", "sigma": 1e9}]}}, 422, "Parameter"),
        ("glass-box", {"measures": {"ear": 1.0}}, 422, "UnknownName"),
        ("glass-box", {"measures": {"mouth_width": 1e9}}, 422, "Parameter"),
        ("glass-box", {"measures": {"mouth_width": "wide"}}, 422, "Parameter"),
        ("glass-box", {"measures": {"mouth_width": True}}, 422, "Parameter"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(ask, route, fields, status, code):
    refused(ask(route, **fields), status, code)


def test_maps_come_as_arrays_as_pictures_or_not_at_all(ask):
    arrays, pictures, none = (ask("explain", maps=maps).json()["explanation"] for maps in ("arrays", "png", "none"))
    assert np.shape(arrays["values"]) == (48, 48) and arrays["png"] is None
    assert pictures["values"] is None and none["values"] is None and none["png"] is None
    kind, _, data = pictures["png"].partition(",")
    with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
        assert kind == "data:image/png;base64" and opened.size == (384, 384)
        red, _, blue = np.moveaxis(np.asarray(opened.convert("RGB"), float), -1, 0)
    strongest = np.unravel_index(np.argmax(arrays["values"]), (48, 48))
    row, column = (8 * place + 4 for place in strongest)
    assert red[row, column] > blue[row, column] + 20  # what supports is red
    assert none["limit"] == pictures["limit"] == arrays["limit"] > 0


def test_the_maps_of_a_comparison_share_one_scale(ask):
    answer = ask("compare", maps="none").json()
    assert [model["prediction"]["model"] for model in answer["models"]] == list(zoo.EMOTION_MODELS)
    limits = {tuple(told["limit"] for told in model["explanations"]) for model in answer["models"]}
    assert len(limits) == 1


def test_the_lab_answers_the_changed_face_as_a_picture(ask):
    steps = {"steps": [{"do": "hide", "region": "mouth"}]}
    arrays, picture = (ask("lab", experiment=steps, maps=maps).json() for maps in ("arrays", "png"))
    assert picture["crop"] is None and arrays["png"] is None
    with Image.open(io.BytesIO(base64.b64decode(picture["png"].partition(",")[2]))) as opened:
        assert np.allclose(np.asarray(opened) / 255, arrays["crop"], atol=0.003)


def test_trust_comes_with_its_verdict(ask):
    answer = ask("trust", method="saliency", maps="none").json()
    assert answer["trust"]["verdict"] in ("high", "some", "none") and answer["trust"]["curves"]


# --------------------------------------------------------------------- refusals


@pytest.mark.parametrize("route", ["/predict", "/predict/batch", *JSON_ROUTES])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(rest, method, route):
    answer = rest.request(method, route)
    refused(answer, 405, "MethodNotAllowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/predict", "/api/v2/explain", "/api/v1/explain/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_there_is_nothing_else_under_api(rest, method, path):
    refused(rest.request(method, path), 404, "NotFound")


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "BadRequest"),
        (b"\xff\xfe", "application/json", 400, "BadRequest"),
        (b"[" * 100_000, "application/json", 413, "RequestTooLarge"),
        (b"[]", "application/json", 422, "Parameter"),
        (b"", "application/json", 422, "Parameter"),
        (b"{}", "application/json", 422, "Parameter"),
        (b'{"image": ""}', "text/plain", 415, "UnsupportedMediaType"),
        (b"image=", "application/x-www-form-urlencoded", 415, "UnsupportedMediaType"),
    ],
)
@pytest.mark.parametrize("route", JSON_ROUTES[:3])
def test_bodies_that_are_no_requests_are_refused(rest, route, body, kind, status, code):
    refused(rest.post(route, content=body, headers={"content-type": kind}), status, code)


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"data": {"file": "a"}}, 415, "UnsupportedMediaType"),
        ({"files": {"photo": ("a.jpg", PICTURE)}}, 422, "Parameter"),
        ({"files": {"file": (None, "text")}}, 422, "Parameter"),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400, "BadRequest"),
        (
            {"content": b"--y\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}},
            400,
            "BadRequest",
        ),
    ],
    ids=["no parts", "another name", "no file", "no boundary", "broken"],
)
def test_forms_that_are_none_are_refused(rest, options, status, code):
    refused(rest.post("/predict", **options), status, code)


def test_an_accident_is_one_neutral_sentence_and_its_message_is_not_logged(rest, monkeypatch, caplog):
    file = "ann_on_holiday.jpg"

    def fail(photo, turn=None, whole_picture=False):
        raise RuntimeError(file)

    monkeypatch.setattr("app.pipeline.detections", fail)
    answer = rest.post("/predict", files={"file": (file, PICTURE)})
    refused(answer, 500, "Unexpected")
    assert "RuntimeError" in caplog.text and "endpoints.py" in caplog.text
    assert "holiday" not in caplog.text + answer.text


def test_why_weights_are_refused_stays_in_the_log(rest, monkeypatch, caplog):
    def fail(name, faces, version=""):
        raise WeightsError("/secret/folder has the sha256 of its card")

    monkeypatch.setattr("app.pipeline.predict", fail)
    answer = rest.post("/api/v1/explain", json={"image": BASE64})
    refused(answer, 503, "Weights")
    assert int(answer.headers["retry-after"]) > 0
    assert "secret" in caplog.text and "secret" not in answer.text


def test_every_error_of_ours_has_a_status_that_is_no_accident():
    def all_of(kind):
        return [kind, *(each for child in kind.__subclasses__() for each in all_of(child))]

    trained = ("DataError", "RunError", "DivergedError", "HubError", "FaceWhyError")
    ours = [
        kind for kind in all_of(FaceWhyError) if kind.__module__ == "models.errors" and kind.__name__ not in trained
    ]
    assert len(ours) > 10
    for kind in ours:
        assert errors.status_of(kind("A rule")) in rest_api.MEANINGS


# ------------------------------------------------------------------------ crowd


@pytest.mark.parametrize(("name", "path"), [(admission.PREDICT, "/predict"), (admission.EXPLAIN, "/api/v1/explain")])
def test_a_full_queue_answers_at_once_and_the_other_stays_open(monkeypatch, name, path):
    """One call runs, one waits, the third is told when to come back."""
    entered, leave = threading.Event(), threading.Event()

    def slow(endpoint, picture, request, started):
        entered.set()
        leave.wait(30)
        return {"faces": []}

    monkeypatch.setattr(Endpoint, "answer", slow)
    application = rest_api.create()
    application.state.queues[name] = WorkQueue(name, 1, 1, 8.0)

    async def ask(client, path):
        if path == "/predict":
            return await client.post(path, files={"file": ("a.png", blank())})
        return await client.post(path, json={"image": base64.b64encode(blank()).decode()})

    async def crowd():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=30) as client:
            inside = [asyncio.create_task(ask(client, path)) for _ in range(2)]
            await asyncio.to_thread(entered.wait, 10)
            late = await ask(client, path)
            health = await client.get("/health")
            counts = (await client.get("/metrics")).text
            leave.set()
            return late, health, counts, [answer.status_code for answer in await asyncio.gather(*inside)]

    late, health, counts, others = asyncio.run(crowd())
    error = refused(late, 503, "Busy")
    assert int(late.headers["retry-after"]) == 8 and "8 s" in error["advice"]
    assert health.status_code == 200 and others == [200, 200]
    assert f'facewhy_queue_running{{queue="{name}"}} 1.0' in counts
    assert f'facewhy_queue_waiting{{queue="{name}"}} 1.0' in counts


def test_a_batch_of_which_nothing_finds_a_place_is_busy(monkeypatch):
    async def full(*args, **kwargs):
        raise BusyError("All places are taken", "80 before you", "Try again in 3 s", seconds=3)

    monkeypatch.setattr(WorkQueue, "run", full)

    async def ask():
        transport = httpx.ASGITransport(rest_api.create())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post("/predict/batch", files=[("files", ("a.png", blank()))] * 2)

    answer = asyncio.run(ask())
    refused(answer, 503, "Busy")
    assert answer.headers["retry-after"] == "3"


def test_many_at_once_get_their_own_answers(rest):
    pictures = sorted(EXAMPLES.glob("*.[jp][pn]g"))[:6]
    alone = [rest.post("/predict", files={"file": path.read_bytes()}).json() for path in pictures]
    with ThreadPoolExecutor(12) as pool:
        together = list(
            pool.map(lambda path: rest.post("/predict", files={"file": path.read_bytes()}).json(), pictures * 2)
        )
    for one, other in zip(alone * 2, together, strict=True):
        assert [face["box"] for face in one["faces"]] == [face["box"] for face in other["faces"]]
        for face, same in zip(one["faces"], other["faces"], strict=True):
            for said, again in zip(face["predictions"], same["predictions"], strict=True):
                assert said["probabilities"] == pytest.approx(again["probabilities"], abs=0.01)


# ------------------------------------------------------------------ description


def test_every_route_is_described_with_its_answer_and_its_errors(rest):
    paths = rest.get("/openapi.json").json()["paths"]
    routes = {f"/api/v1/{endpoint.route}" for endpoint in ENDPOINTS.values()}
    assert routes - set(JSON_ROUTES) == {"/api/v1/dataset/summary", VIDEO}
    assert set(paths) == {"/health", "/metrics", "/emotions", "/models", "/predict", "/predict/batch", *routes}
    for path, operations in paths.items():
        for operation in operations.values():
            assert operation["summary"] and operation["description"].endswith(".")
            if path != "/metrics":
                assert operation["responses"]["200"]["content"]["application/json"]["schema"]
            if "requestBody" in operation:
                assert {"400", "404", "413", "415", "422", "429", "503"} <= set(operation["responses"])


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_of_the_description_load_nothing_from_elsewhere(rest, page):
    text = rest.get(page).text
    addresses = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", text)
    assert addresses and all(address.startswith("/") for address in addresses), addresses
    for address in addresses:
        asked = rest.get(address)
        assert asked.status_code == 200 and rest_api.LOGO not in asked.text, address


@pytest.mark.parametrize("sent", ["/fw", ""], ids=["passed on", "taken off"])
def test_a_proxy_may_pass_a_root_path_on_or_take_it_off(sent):
    """/fw/health was not there behind a proxy that passes /fw on."""
    application = middleware.protect(rest_api.create(admission.create()), Settings(root_path="/fw"))
    client = TestClient(application)
    assert client.get(f"{sent}/health").json()["models"]
    for page in ("/docs", "/redoc"):
        assert "/fw/openapi.json" in client.get(sent + page).text
    assert client.get(f"{sent}/nowhere").status_code == 404


@pytest.mark.parametrize(
    ("clip", "status", "code"),
    [
        (b"#EXTM3U\nfile:///etc/passwd\n", 415, "UnreadableClip"),
        (b"", 422, "EmptyClip"),
        (b"\0\0\0\x18ftypisom" + bytes(200), 415, "UnreadableClip"),
    ],
)
def test_what_is_no_clip_is_refused(rest, clip, status, code):
    refused(rest.post(VIDEO, json={"video": base64.b64encode(clip).decode()}), status, code)
    assert "in base64" in refused(rest.post(VIDEO, json={"video": "/etc/passwd"}), 422, "Photo")["message"]


def test_a_client_that_leaves_before_its_body_ends_is_no_error_in_the_log(caplog):
    application = FastAPI()
    errors.add(application)

    @application.post("/")
    async def read(request: Request):
        await request.body()

    async def gone():
        return {"type": "http.disconnect"}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    with pytest.raises(ClientDisconnect):  # for the server around it, which knows
        asyncio.run(application(scope, gone, send))
    assert sent[0]["status"] == 400 and not caplog.records
