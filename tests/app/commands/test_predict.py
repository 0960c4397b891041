"""`python -m app predict`: the API's answers as a table, csv or JSON, and a sentence for each file that has none."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from app import cli, pipeline, text
from app.api import requests
from app.api.endpoints import ENDPOINTS
from app.commands import predict
from models import photo, zoo
from models.errors import UnreadablePhotoError
from models.types import EMOTIONS

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


def run(*arguments):
    return CliRunner().invoke(cli.app, ["predict", *map(str, arguments)])


def answered(path, **values):
    """What POST /predict answers, but for the time it took."""
    request = requests.PredictRequest(image="", **values)
    answer = ENDPOINTS["predict"].answer(photo.read(path), request)
    return {key: value for key, value in answer.items() if key != "milliseconds"}


@pytest.fixture
def folder(tmp_path, pair):
    """A picture of two faces, one without any, a file that is no picture, and clutter."""
    Image.fromarray(pair.pixels).save(tmp_path / "[pair].png")
    Image.fromarray(np.full((240, 320, 3), 128, np.uint8)).save(tmp_path / "wall.JPG")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    for name in (".DS_Store", "._pair.png", "Thumbs.db", "labels.csv"):
        (tmp_path / name).write_bytes(b"clutter")
    return tmp_path


def test_json_is_what_the_api_answers(folder):
    done = run(folder, "--json", "--model", "cnn")
    assert done.exit_code == 1
    told = {Path(answer["file"]).name: answer for answer in json.loads(done.stdout)["results"]}
    pair, broken, wall = told.pop("[pair].png"), told.pop("broken.jpg"), told.pop("wall.JPG")
    assert told == {}
    assert pair.pop("milliseconds") > 0 and pair.pop("file")
    assert pair == answered(folder / "[pair].png", model="cnn")
    assert broken["error"]["code"] == UnreadablePhotoError("").code and wall["error"]["code"] == "NoFace"


def test_every_face_is_a_line_of_the_csv(folder):
    done = run(folder / "[pair].png", folder / "broken.jpg", "--csv")
    assert done.exit_code == 1
    lines = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(Path(line["file"]).name, line["face"]) for line in lines] == [
        ("[pair].png", "0"),
        ("[pair].png", "1"),
        ("broken.jpg", ""),
    ]
    for line, face in zip(lines, answered(folder / "[pair].png", model="mean")["faces"], strict=False):
        expected = face["predictions"][0]
        assert (line["model"], line["version"], line["emotion"]) == ("mean", expected["version"], expected["emotion"])
        assert [float(line[emotion]) for emotion in EMOTIONS] == [expected["probabilities"][each] for each in EMOTIONS]
        assert [float(line[side]) for side in face["box"]] == list(face["box"].values()) and line["error"] == ""
        assert line["likely"].split() == expected["likely"] and line["emotion"] in expected["likely"]
        assert line["turned"] == "0" and line["warnings"].split() == face["quality"]["warnings"]
    assert lines[2]["emotion"] == "" and lines[2]["error"].startswith("The file is not a picture")


def test_the_table_has_a_line_a_face_and_what_failed_is_told_beside_it(folder):
    done = run(folder, EXAMPLES / "astronaut.jpg")
    assert done.exit_code == 1
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["File", "Face", "Emotion", "Sure", "Or", "Possible"]
    assert [line.split()[0] for line in lines] == [str(folder / "[pair].png")] * 2 + [str(EXAMPLES / "astronaut.jpg")]
    assert [line.split()[1:3] for line in lines] == [["0", "happy"], ["1", "happy"], ["0", "happy"]]
    assert f"{folder / 'broken.jpg'}: The file is not a picture" in done.stderr
    assert f"{folder / 'wall.JPG'}: No face was found in the picture. Received: 0 faces" in done.stderr
    assert "Thumbs" not in done.output and "labels" not in done.output


def test_the_whole_picture_stands_for_a_face_where_that_is_asked(folder):
    assert run(folder / "wall.JPG").exit_code == 1
    done = run(folder / "wall.JPG", "--whole-picture")
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 2
    assert done.stderr == f"{folder / 'wall.JPG'}: {' '.join(text.GUESS)}\n"


def test_what_makes_an_answer_unreliable_is_said(tmp_path, pair):
    Image.fromarray(pair.pixels // 12).save(tmp_path / "dark.png")
    told = run(tmp_path).stderr.splitlines()
    begins = [f"{tmp_path / 'dark.png'}, face {index}: Be careful with this answer: the face" for index in (0, 1)]
    assert len(told) == 2 and all(line.startswith(begin) for line, begin in zip(told, begins, strict=True))


def test_a_turn_reaches_the_answer(tmp_path, astronaut):
    Image.fromarray(np.rot90(astronaut.pixels)).save(tmp_path / "lying.png")
    for options, turned in (([], 90), (["--turn", "90"], 90), (["--turn", "180"], 180)):
        done = run(tmp_path / "lying.png", "--json", "--whole-picture", *options)
        assert json.loads(done.stdout)["results"][0]["turned"] == turned
    for options, said in (([], "turned by 90° to the right"), (["--turn", "90"], "")):
        done = run(tmp_path / "lying.png", *options)
        assert done.exit_code == 0 and (said in done.stderr if said else done.stderr == "")
    assert next(csv.DictReader(io.StringIO(run(tmp_path / "lying.png", "--csv").stdout)))["turned"] == "90"


def test_each_model_answers_for_itself(folder):
    told = {
        name: json.loads(run(EXAMPLES / "astronaut.jpg", "--json", "--model", name.upper()).stdout)["results"][0]
        for name in predict.Model
    }
    assert list(predict.Model) == [pipeline.MEAN, *zoo.EMOTION_MODELS]
    assert {name: answer["faces"][0]["predictions"][0]["model"] for name, answer in told.items()} == {
        name: name for name in predict.Model
    }
    assert len({answer["confidence"] for answer in told.values()}) == len(told)


def test_a_folder_without_pictures_and_a_missing_file_are_told(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    done = run(tmp_path, tmp_path / "missing.jpg")
    assert done.exit_code == 1 and done.stdout == ""
    assert f"{tmp_path}: No picture was found in the folder." in done.stderr
    assert f"{tmp_path / 'missing.jpg'}: The photo's file was not found." in done.stderr


def test_a_model_that_cannot_be_asked_is_told_once(monkeypatch, folder):
    monkeypatch.setattr("app.serving.local.LocalEngine.available", lambda self: ["cnn", "resnet"])
    shutil.copy(EXAMPLES / "astronaut.jpg", folder / "a.jpg")
    done = run(EXAMPLES / "astronaut.jpg", folder / "a.jpg")
    assert done.exit_code == 0 and done.stderr.count("VGG16 cannot be used at the moment.") == 1


def test_a_shell_reads_nothing_but_the_answer():
    unset = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "app", "predict", "examples/astronaut.jpg", "--csv"]
    done = subprocess.run(command, cwd=ROOT, env=unset, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == ["file", "examples/astronaut.jpg"]
