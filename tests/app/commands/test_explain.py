"""`python -m app explain`: a report on what was asked for, and nothing left behind where it fails."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from app import cli, pipeline, reporting
from app.api import requests
from app.api.endpoints import ENDPOINTS
from app.commands import Degrees
from app.commands.explain import Model, parameters
from models import photo, upright, zoo
from models.errors import NoFaceError, ParameterError, UnknownModelError, UnknownNameError

EXAMPLES = Path(__file__).parents[3] / "examples"
ASTRONAUT = EXAMPLES / "astronaut.jpg"


def run(*arguments):
    return CliRunner().invoke(cli.app, ["explain", *map(str, arguments)])


def numbers(folder):
    return json.loads((folder / "explanation.json").read_text(encoding="utf-8"))


@pytest.fixture
def untested(monkeypatch):
    """Without the tests of the map, which take most of the time."""
    monkeypatch.setattr(pipeline, "trusted", lambda *_: None)


def test_the_report_has_what_the_api_answers(tmp_path):
    out = tmp_path / "new"
    done = run(ASTRONAUT, "--out", out, "--method", "gradcam")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == sorted(reporting.FILES)
    request = requests.TrustRequest(image="", method="gradcam")
    expected = ENDPOINTS["trust"].answer(photo.read(ASTRONAUT), request)
    found = numbers(out)
    for key in ("box", "score", "turned", "prediction"):
        assert found[key] == expected[key], key
    for key in ("values", "regions", "words", "params", "emotion", "limit"):
        assert found["explanation"][key] == expected["explanation"][key], key
    assert found["trust"]["verdict"] == expected["trust"]["verdict"]
    assert found["verdict"] in done.stdout and str(out) in done.stdout and done.stderr == ""


def test_every_option_reaches_the_report(tmp_path, untested, pair):
    Image.fromarray(pair.pixels).save(tmp_path / "pair.png")
    options = ["--model", "ResNet", "--emotion", "fear", "--against", "SAD", "--method", "Occlusion", "--face", 1]
    more = ["--param", "patch=12", "--version", zoo.load("resnet").card.version]
    assert run(tmp_path / "pair.png", "--out", tmp_path / "out", *options, *more).exit_code == 0
    found = numbers(tmp_path / "out")
    made = found["explanation"]
    assert (made["model"], made["emotion"], made["against"], made["method"]) == ("resnet", "fear", "sad", "occlusion")
    assert made["params"]["patch"] == 12 and found["box"]["left"] > pair.pixels.shape[1] / 2
    assert list(Model) == list(zoo.EMOTION_MODELS)


def test_a_method_that_is_not_named_is_the_recommended_one(tmp_path, untested):
    assert run(ASTRONAUT, "--out", tmp_path).exit_code == 0
    assert numbers(tmp_path)["explanation"]["method"] == pipeline.recommended("cnn")


def test_a_report_is_replaced_only_where_that_is_asked(tmp_path, untested):
    assert run(ASTRONAUT, "--out", tmp_path, "--method", "saliency").exit_code == 0
    before = (tmp_path / "report.html").read_bytes()
    refused = run(ASTRONAUT, "--out", tmp_path, "--method", "gradcam")
    assert isinstance(refused.exception, ParameterError) and (tmp_path / "report.html").read_bytes() == before
    (tmp_path / "notes.txt").write_text("mine")
    assert run(ASTRONAUT, "--out", tmp_path, "--method", "gradcam", "--force").exit_code == 0
    assert (tmp_path / "report.html").read_bytes() != before and (tmp_path / "notes.txt").read_text() == "mine"


def test_without_the_photo_the_report_is_smaller_by_it(tmp_path, untested):
    for name, more in (("with", []), ("without", ["--without-photo"])):
        assert run(ASTRONAUT, "--out", tmp_path / name, "--method", "gradcam", *more).exit_code == 0
    pages = [(tmp_path / name / "report.html").read_text() for name in ("with", "without")]
    assert ["data:image/jpeg" in page for page in pages] == [True, False]


def test_the_whole_picture_is_a_guess_that_is_not_tested(tmp_path, plain):
    Image.fromarray(plain.pixels).save(tmp_path / "wall.png")
    out = tmp_path / "out"
    assert isinstance(run(tmp_path / "wall.png", "--out", out).exception, NoFaceError) and not out.exists()
    done = run(tmp_path / "wall.png", "--out", out, "--whole-picture", "--method", "gradcam")
    assert done.exit_code == 0 and "Not tested: no face was found" in done.stdout
    assert numbers(out)["trust"] is None


def test_a_photo_that_lies_is_turned_and_that_is_said(tmp_path, untested, astronaut):
    Image.fromarray(np.rot90(astronaut.pixels)).save(tmp_path / "lying.png")
    options = ["--method", "gradcam", "--force", "--out", tmp_path / "out"]
    done = run(tmp_path / "lying.png", *options)
    assert (
        done.exit_code == 0
        and "turned by 90° to the right" in done.stdout
        and numbers(tmp_path / "out")["turned"] == 90
    )
    done = run(tmp_path / "lying.png", *options, "--turn", 90)
    assert done.exit_code == 0 and "turned" not in done.stdout and numbers(tmp_path / "out")["turned"] == 90
    assert [int(value) for value in Degrees] == list(upright.TURNS)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--method", "lime"], UnknownNameError),
        (["--param", "patch"], ParameterError),
        (["--param", "patch=12"], UnknownNameError),
        (["--face", "3"], ParameterError),
        (["--emotion", "happy", "--against", "happy"], ParameterError),
        (["--version", "9"], UnknownModelError),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(tmp_path, options, error):
    done = run(ASTRONAUT, "--out", tmp_path / "out", *options)
    assert isinstance(done.exception, error) and not (tmp_path / "out").exists()


def test_parameters_are_read_as_json_or_else_as_text():
    assert parameters(["samples=32", "noise = 0.1", "absolute=true", "fill=mean face"]) == {
        "samples": 32,
        "noise": 0.1,
        "absolute": True,
        "fill": "mean face",
    }
