"""A server whose weights of one model are damaged: every interface answers with the other two, and says so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models import weight_store

ROOT = Path(__file__).parents[3]
PICTURE = ROOT / "examples" / "astronaut.jpg"
MISSING = "VGG16 cannot be used at the moment."
PROGRAM = """
import base64, json, sys
from contextlib import ExitStack
import httpx
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from app import text
from app.ui import session
from app.ui.tabs import compare, explain, predict
from app.ui.tabs.lab import state, views
from app.ui.cancellation import Cancellation
from models import photo
from tests import server
from tests.lean import quick_methods

lean = ExitStack()
lean.enter_context(quick_methods())
url, picture = server.start().url, sys.argv[1]
client = Client(url, verbose=False)
image = base64.b64encode(open(picture, "rb").read()).decode()

def rest(route, **fields):
    answer = httpx.post(f"{url}api/v1/{route}", json={"image": image, "maps": "none", **fields}, timeout=120)
    return [answer.status_code, answer.json(), answer.headers.get("retry-after")]

def refused(**arguments):
    try:
        return client.predict(handle_file(picture), **arguments)
    except AppError as error:
        return str(error)

*_, last = predict.read(Cancellation(), session.Session(), 1.0, lambda: photo.read(picture))
seen = last.session
found = {
    "health": httpx.get(f"{url}health").json(),
    "ready": httpx.get(f"{url}health?ready=1").status_code,
    "file": httpx.post(f"{url}predict", files={"file": open(picture, "rb")}, timeout=120).json(),
    "compare": rest("compare"),
    "lab": rest("lab"),
    "explain": rest("explain", model="vgg16"),
    "others": rest("explain", model="resnet")[0],
    "client": client.predict(handle_file(picture), api_name="/predict"),
    "client explains": refused(model="vgg16", api_name="/explain"),
    "page": str(last.notice),
    "page explains": str(list(explain.explain(Cancellation(), seen, "vgg16", "", "", "gradcam"))[-1]),
    "page compares": str(list(compare.compare(Cancellation(), seen, None, "", "", ["gradcam"]))[-1]),
    "page tries": str(views.show(seen, state.LabState())[1]),
}
print("FOUND", json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """What each interface answered."""
    folder = tmp_path_factory.mktemp("weights") / "weights"
    for name in ("keypoints", "cnn", "resnet"):
        (folder / name).mkdir(parents=True)
        for file in ("card.json", "model.safetensors"):
            (folder / name / file).symlink_to(weight_store.SHIPPED / name / file)
    (folder / "vgg16").mkdir()
    (folder / "vgg16" / "card.json").symlink_to(weight_store.SHIPPED / "vgg16" / "card.json")
    (folder / "vgg16" / "model.safetensors").write_bytes(b"damaged")
    environment = os.environ | {"FACEWHY_WEIGHTS_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(PICTURE)], env=environment, capture_output=True, text=True, timeout=170
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("FOUND ")), None)
    assert line, done.stderr[-3000:]
    answers = json.loads(line.removeprefix("FOUND "))
    assert str(folder) not in line and "sha256" not in line, "why weights are refused stays on the server"
    assert "vgg16" in done.stderr, "and stands in its log"
    return answers


def test_the_server_is_ready_without_the_model(found):
    assert found["ready"] == 200 and found["health"]["ready"] is True
    states = {name: model["state"] for name, model in found["health"]["models"].items()}
    assert states == {"keypoints": "ready", "cnn": "ready", "resnet": "ready", "vgg16": "failed"}


@pytest.mark.parametrize("interface", ["file", "client"])
def test_predictions_are_those_of_the_others_and_a_note_says_so(found, interface):
    assert found[interface]["note"] == MISSING
    assert [said["model"] for said in found[interface]["faces"][0]["predictions"]] == ["cnn", "resnet"]


@pytest.mark.parametrize("route", ["compare", "lab"])
def test_what_asks_all_asks_the_others(found, route):
    status, answer, _ = found[route]
    assert status == 200 and len(answer["models"]) == 2 and answer["note"] == MISSING


def test_what_asks_the_model_itself_is_told_to_come_back(found):
    status, answer, later = found["explain"]
    assert status == 503 and int(later) > 0 and answer["error"]["code"].startswith("Weights")
    assert "Choose another model" in answer["error"]["advice"] and found["others"] == 200
    assert "Choose another model" in found["client explains"]


def test_the_page_says_so_in_words(found):
    assert "The face looks happy to CNN and ResNet, and their mean is" in found["page"] and MISSING in found["page"]
    assert MISSING in found["page explains"] and "Choose another model" in found["page explains"]
    assert MISSING in found["page compares"] and "Both are asked" in found["page compares"]
    assert MISSING in found["page tries"]
