import dataclasses
import json
import shutil

import numpy as np
import pytest
from scipy.special import softmax
from typer.testing import CliRunner

from models import card as cards
from models import weight_store, zoo
from models.card import Input, Training
from models.errors import DataError
from models.types import EMOTIONS
from tests.training.conftest import made_up_rows, write_table
from training import cli, data
from training.measures import report
from training.measures.conformal import write
from training.measures.evaluate import ensemble, evaluate
from training.measures.robustness import DISTURBANCES

pytestmark = pytest.mark.usefixtures("short_cnn", "eager")


@pytest.fixture(scope="module")
def untrained(short_cnn, eager, tmp_path_factory):
    """A folder with the three emotion networks, as they are before any training: three small ones."""
    shipped = tmp_path_factory.mktemp("weights")
    for name in zoo.EMOTION_MODELS:
        network = zoo.build("cnn")
        rng = np.random.default_rng(zoo.EMOTION_MODELS.index(name))
        layer = network.get_layer("logits")
        layer.set_weights([rng.normal(0, 0.5, layer.kernel.shape), rng.normal(0, 0.5, layer.units)])
        weight_store.save(
            network,
            shipped / name,
            name=name,
            architecture="cnn",
            version="1.0.0",
            date="2026-01-01",
            input=Input(48, 1, (0.0, 1.0)),
            labels=EMOTIONS,
            cam_layer="block4_2_relu",
            temperature=1.0,
            metrics={},
            data=("nothing",),
            training=Training({"stages": [[1, 48]]}, 0, 0.0),
            licence="MIT",
            limits=("It has learned nothing.",),
        )
    return shipped


@pytest.fixture(scope="module")
def evaluated(untrained, tmp_path_factory):
    """The same with the figures of the made-up faces."""
    path = write_table(tmp_path_factory.mktemp("faces"), made_up_rows())
    for name in zoo.EMOTION_MODELS:
        evaluate(name, path, untrained)
    return untrained


@pytest.fixture
def measured(evaluated, tmp_path):
    """A copy of them for one test."""
    return shutil.copytree(evaluated, tmp_path / "weights")


def test_a_measured_card_has_its_temperature_and_the_figures_of_both_splits(measured, parquet):
    card = cards.read(measured / "cnn")
    assert set(card.metrics) == {"PublicTest", "PrivateTest", "conformal", "data_sha256"} and card.temperature != 1
    assert card.metrics["data_sha256"] == data.fingerprint(parquet)
    split = data.load_emotions(parquet)["PrivateTest"]
    model = zoo.build("cnn")
    weight_store.load_into(model, measured / "cnn" / weight_store.FILE)
    logits = model.predict(split.images[..., None] / 255, verbose=0)
    found = card.metrics["PrivateTest"]
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == split.labels).mean(), abs=0.08)
    assert found["faces"] == 14 and sum(found["reliability"]["faces"]) == 14
    assert found["reliability"] != found["reliability_unscaled"]


def test_disturbed_faces_are_measured_when_asked_for_and_then_kept(measured, parquet):
    said = []
    card = evaluate("cnn", parquet, measured, disturb=True, say=said.append)
    found = card.metrics["robustness"]
    assert found["split"] == "PrivateTest" and found["faces"] == 14
    assert found["accuracy"] == card.metrics["PrivateTest"]["accuracy"]
    assert set(found["curves"]) == set(DISTURBANCES) and len(said) == 32
    assert evaluate("cnn", parquet, measured).metrics["robustness"] == found


def test_exports_of_another_temperature_leave_the_card(measured, parquet):
    card = dataclasses.replace(cards.read(measured / "cnn"), exports={"float16": {"bytes": 1}})
    cards.write(card, measured / "cnn")
    assert evaluate("cnn", parquet, measured).exports == card.exports
    cards.write(dataclasses.replace(card, temperature=card.temperature + 0.1), measured / "cnn")
    assert evaluate("cnn", parquet, measured).exports == {}


def test_an_ensemble_averages_calibrated_probabilities(measured, parquet):
    found = ensemble(parquet, measured)
    assert json.loads((measured / "ensemble.json").read_text()) == found
    assert found["weights"] == {name: cards.read(measured / name).sha256 for name in zoo.EMOTION_MODELS}
    split, total = data.load_emotions(parquet)["PrivateTest"], 0
    for name in zoo.EMOTION_MODELS:
        network = zoo.build("cnn")
        weight_store.load_into(network, measured / name / weight_store.FILE)
        logits = network.predict(split.images[..., None] / 255, verbose=0)
        total = total + softmax(logits / cards.read(measured / name).temperature, axis=1)
    assert found["PrivateTest"]["accuracy"] == pytest.approx((total.argmax(1) == split.labels).mean(), abs=0.08)
    assert found["temperature"] != 1 and found["data_sha256"] == data.fingerprint(parquet)
    assert found["PrivateTest"]["reliability"] != found["PrivateTest"]["reliability_unscaled"]
    assert 0 <= found["PrivateTest"]["accuracy_ten_crops"] <= 1


def test_networks_without_figures_are_not_measured_together(measured, parquet, tmp_path):
    card = cards.read(measured / "cnn")
    (tmp_path / "cnn").mkdir()
    (tmp_path / "cnn" / weight_store.FILE).write_bytes((measured / "cnn" / weight_store.FILE).read_bytes())
    cards.write(cards.from_json(card.to_json().replace('"PublicTest"', '"Elsewhere"')), tmp_path / "cnn")
    with pytest.raises(DataError, match="evaluate cnn"):
        ensemble(parquet, tmp_path)


def test_the_command_measures_and_draws(measured, parquet, monkeypatch, tmp_path):
    monkeypatch.setattr("training.commands.evaluate.SHIPPED", measured)
    monkeypatch.setattr(report, "_pictures", lambda drawn: dict.fromkeys(drawn, b"picture"))
    options = ["--data", str(parquet), "--archive", str(tmp_path), "--no-robustness"]
    done = CliRunner().invoke(cli.app, ["evaluate", "resnet", *options])
    assert done.exit_code == 0, done.output
    accuracy = cards.read(measured / "resnet").metrics["PrivateTest"]["accuracy"]
    assert f"{accuracy}\n" in done.output and "Charts are in" in done.output
    names = {path.name for path in (measured / "resnet" / "report").iterdir()}
    assert names == {"confusion.json", "confusion.png", "reliability.json", "reliability.png"}
    together = CliRunner().invoke(cli.app, ["evaluate", "ensemble", "--data", str(parquet)])
    assert together.exit_code == 0 and "PublicTest" in together.output


def test_sets_can_be_calibrated_alone_and_change_nothing_else(measured, parquet, monkeypatch):
    monkeypatch.setattr("training.commands.conformal.SHIPPED", measured)
    before = cards.read(measured / "cnn")
    bare = dataclasses.replace(before, metrics={k: v for k, v in before.metrics.items() if k != "conformal"})
    cards.write(bare, measured / "cnn")
    done = CliRunner().invoke(cli.app, ["conformal", "cnn", "--data", str(parquet)])
    assert done.exit_code == 0 and "labels on average" in done.output
    after = cards.read(measured / "cnn")
    assert after.metrics == before.metrics and dataclasses.replace(after, metrics={}) == dataclasses.replace(
        before, metrics={}
    )
    whole = ensemble(parquet, measured)
    (measured / "ensemble.json").write_text(json.dumps({k: v for k, v in whole.items() if k != "conformal"}))
    assert write("ensemble", parquet, measured) == whole["conformal"]
    assert json.loads((measured / "ensemble.json").read_text()) == whole
    (measured / "ensemble.json").unlink()
    with pytest.raises(DataError, match="evaluate ensemble"):
        write("ensemble", parquet, measured)
