import dataclasses
import hashlib
import json
import shutil

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from models import card as cards
from models import weight_store
from models.errors import DataError, ParameterError, UnknownNameError, WeightsMismatchError
from models.types import EMOTIONS
from training import cli
from training.data.reading import FERPLUS_COLUMNS
from training.release import formats, tflite
from training.release.versions import Version


@pytest.fixture
def version(tmp_path, monkeypatch):
    """A copy of the small network, as a version of an archive."""
    folder = tmp_path / "archive" / "1.0.0" / "cnn"
    shutil.copytree(weight_store.SHIPPED / "cnn", folder)
    monkeypatch.setattr("training.commands.export.SHIPPED", tmp_path / "weights")
    card = dataclasses.replace(cards.read(folder), version="1.0.0", exports={})
    cards.write(card, folder)
    return Version(card, folder, active=False)


@pytest.fixture(scope="module")
def faces():
    return formats.example_faces()


@pytest.fixture
def data(faces, tmp_path):
    """The example faces as training data; every face has every label, so that one in seven is right."""
    import pyarrow
    import pyarrow.parquet

    votes = {f"votes_{column}": 0 for column in FERPLUS_COLUMNS.values()}
    rows = [
        {"usage": usage, "label": label, "png": cv2.imencode(".png", (face * 255).astype(np.uint8))[1].tobytes()}
        | votes
        for usage in ("Training", "PublicTest", "PrivateTest")
        for label in range(len(EMOTIONS))
        for face in faces
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "fer2013.parquet")
    return tmp_path / "fer2013.parquet"


def test_all_formats_are_written_compared_measured_and_noted(version, data, faces, tmp_path):
    out = tmp_path / "out"
    arguments = ["cnn", "--version", "1.0.0", "--archive", version.folder.parents[1], "--to", "all"]
    before = cards.read(version.folder)
    result = CliRunner().invoke(cli.app, ["export", *map(str, arguments), "--out", str(out), "--data", str(data)])
    assert result.exit_code == 0, result.exception

    card = cards.read(version.folder)
    assert dataclasses.replace(card, exports={}) == before
    assert set(card.exports) == {"savedmodel", "float16", "int8"}
    assert sorted(path.name for path in (out / "cnn").iterdir()) == [
        "1000000",
        "cnn-1.0.0-float16.tflite",
        "cnn-1.0.0-int8.tflite",
        "exports.json",
    ]
    for kind, found in card.exports.items():
        assert found["accuracy"] == pytest.approx({"PublicTest": 1 / 7, "PrivateTest": 1 / 7}, abs=1e-4), kind
        assert found["faces"] == len(faces) >= 14
        assert f"{found['bytes'] / 1e6:.2f} MB" in result.output
    assert card.exports["savedmodel"]["same_answer"] == card.exports["float16"]["same_answer"] == 1
    assert card.exports["savedmodel"]["max_difference"] < card.exports["int8"]["max_difference"]
    content = (out / "cnn" / "cnn-1.0.0-int8.tflite").read_bytes()
    assert card.exports["int8"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert card.exports["int8"]["bytes"] == len(content)

    facts = json.loads((out / "cnn" / "exports.json").read_text())
    assert facts["weights_sha256"] == card.sha256 and facts["labels"] == list(EMOTIONS)
    assert facts["formats"] == card.exports


def test_another_format_keeps_the_figures_of_the_others(version, tmp_path):
    card = dataclasses.replace(version.card, exports={"int8": {"bytes": 7, "file": "gone.tflite"}})
    cards.write(card, version.folder)
    for _ in range(2):
        formats.export(version, "savedmodel", tmp_path / "out")
    assert set(cards.read(version.folder).exports) == {"int8", "savedmodel"}
    assert "accuracy" not in cards.read(version.folder).exports["savedmodel"]
    assert set(json.loads((tmp_path / "out" / "cnn" / "exports.json").read_text())["formats"]) == {"savedmodel"}
    assert sorted(path.name for path in (tmp_path / "out" / "cnn").iterdir()) == ["1000000", "exports.json"]


def test_an_export_that_does_not_agree_is_not_written(version, tmp_path, monkeypatch):
    card = version.card
    monkeypatch.setattr(
        "training.release.savedmodel.load", lambda folder: lambda faces: np.full((len(faces), 7), 1 / 7)
    )
    with pytest.raises(WeightsMismatchError, match="savedmodel export differs too much.*limit of 0.0001"):
        formats.export(version, "savedmodel", tmp_path / "out")
    assert list((tmp_path / "out" / "cnn").iterdir()) == []
    assert cards.read(version.folder).exports == card.exports == {}


def test_compared_by_hand():
    expected = np.array([[0.5, 0.4, 0.1], [0.2, 0.2, 0.6]])
    found = np.array([[0.45, 0.46, 0.09], [0.2, 0.2, 0.6]])
    assert formats.compared("int8", found, expected) == {"max_difference": 0.06, "same_answer": 0.5, "faces": 2}
    with pytest.raises(WeightsMismatchError, match="0.0600 off"):
        formats.compared("float16", found, expected)
    with pytest.raises(WeightsMismatchError, match="nan off"):
        formats.compared("int8", found * np.nan, expected)


def test_bad_input_is_refused_before_anything_is_written(version, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with pytest.raises(UnknownNameError, match="savedmodel, tflite, all, float16, int8"):
        formats.export(version, "onnx", out)
    for to in ("tflite", "int8"):
        with pytest.raises(ParameterError, match="Give --data"):
            formats.export(version, to, out)
    keypoints = Version(dataclasses.replace(version.card, name="keypoints"), version.folder, active=False)
    with pytest.raises(UnknownNameError, match="cnn, resnet, vgg16"):
        formats.export(keypoints, "savedmodel", out)
    with pytest.raises(DataError, match="No faces were found"):
        formats.export(version, "savedmodel", out, examples=tmp_path / "none")
    (version.folder / weight_store.FILE).write_bytes(b"x")
    with pytest.raises(WeightsMismatchError, match="sha256"):
        formats.export(version, "savedmodel", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "advice"),
    [(["--to", "savedmodel"], "Add --out"), (["--data", "x"], "Add --to"), (["--out", "x"], "Add --to")],
)
def test_options_that_belong_together(options, advice):
    assert advice in str(CliRunner().invoke(cli.app, ["export", "cnn", *options]).exception)


def test_every_kind_has_a_limit():
    assert set(formats.LIMITS) == {"savedmodel", *tflite.KINDS} == set(formats.FORMATS["all"])
