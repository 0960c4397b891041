import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from models import weight_store, zoo
from models.card import Input, Training
from models.errors import ParameterError
from models.model import restore
from models.types import EMOTIONS
from training import cli
from training.measures import calibrate
from training.measures.calibrate import Correction
from training.release.versions import Version, find


@pytest.fixture(scope="module")
def drawn():
    """Labels drawn from honest logits, and these logits as a network would give them that leans off."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (30_000, 3)) + np.array([0.5, -1.0, 0.5])
    shares = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    labels = (shares.cumsum(1) > rng.random((len(shares), 1))).argmax(1)
    return honest, labels


def test_offsets_and_the_scale_that_were_taken_away_are_found(drawn):
    honest, labels = drawn
    taken = np.array([0.7, -0.9, 0.2])
    found = calibrate.fit((honest - taken) / 1.6, labels, balance=0)
    assert found.scale == pytest.approx([1.6] * 3, rel=0.05)
    assert found.bias - found.bias.mean() == pytest.approx(taken - taken.mean(), abs=0.06)


def test_each_logit_may_have_a_scale_of_its_own(drawn):
    honest, labels = drawn
    scales = np.array([0.5, 1.0, 2.0])
    found = calibrate.fit(honest / scales, labels, balance=0, own_scale=True)
    assert found.scale == pytest.approx(scales, rel=0.1)


def test_a_full_balance_undoes_how_often_labels_occur():
    """Without any information in the logits, only the labels' frequencies are left, and then nothing."""
    labels = np.repeat([0, 1], [900, 100])
    plain, fair = (calibrate.fit(np.zeros((1000, 2)), labels, balance).bias for balance in (0, 1))
    assert plain[0] - plain[1] == pytest.approx(np.log(9), abs=1e-3)
    assert fair[0] - fair[1] == pytest.approx(0, abs=1e-6)


def test_cross_validation_measures_faces_that_the_fit_did_not_see(drawn):
    honest, labels = drawn
    bent = honest[:3000] + np.array([3.0, 0.0, -3.0])
    before = calibrate.cross_validated(bent, labels[:3000], balance=None)
    assert before["accuracy"] == pytest.approx((bent.argmax(1) == labels[:3000]).mean())
    after = calibrate.cross_validated(bent, labels[:3000], balance=0)
    assert after["accuracy"] > before["accuracy"] + 0.1 and after["lowest_recall"] > before["lowest_recall"]
    fair = calibrate.cross_validated(bent, labels[:3000], balance=1)
    assert fair["lowest_recall"] > after["lowest_recall"]
    noise = np.random.default_rng(0).normal(size=(60, 2))
    toss = np.random.default_rng(1).permutation(np.repeat([0, 1], 30))
    guessed = [calibrate.cross_validated(noise, toss, 0, own_scale=True, seed=seed)["accuracy"] for seed in range(20)]
    assert np.mean(guessed) < 0.56  # a fit to the same faces would seem to know more


def test_a_folded_network_gives_the_corrected_logits():
    network = zoo.build("cnn")
    rng = np.random.default_rng(0)
    faces = rng.random((4, 48, 48, 1), np.float32)
    before = keras.ops.convert_to_numpy(network(faces))
    correction = Correction(rng.uniform(0.5, 2, 7), rng.normal(0, 1, 7))
    calibrate.fold(network, correction)
    assert keras.ops.convert_to_numpy(network(faces)) == pytest.approx(correction(before), rel=1e-4, abs=1e-5)


def test_what_cannot_be_fitted_or_folded_is_refused():
    with pytest.raises(ParameterError, match="label 1"):
        calibrate.fit(np.zeros((3, 3)), np.array([0, 2, 2]))
    with pytest.raises(ParameterError, match="0 to 1"):
        calibrate.fit(np.zeros((2, 2)), np.array([0, 1]), balance=2)
    with pytest.raises(ParameterError, match="7 outputs"):
        calibrate.fold(zoo.build("cnn"), Correction(np.ones(3), np.zeros(3)))


@pytest.fixture
def active(tmp_path) -> Version:
    """An untrained network as the active version."""
    network = zoo.build("cnn")
    layer = network.get_layer("logits")
    layer.set_weights([np.random.default_rng(0).normal(0, 0.5, layer.kernel.shape), np.zeros(7)])
    weight_store.save(
        network,
        tmp_path / "weights" / "cnn",
        name="cnn",
        architecture="cnn",
        version="1.0.3",
        date="2026-01-01",
        input=Input(48, 1, (0.0, 1.0)),
        labels=EMOTIONS,
        cam_layer="block4_2_relu",
        temperature=1.3,
        metrics={"PublicTest": {"accuracy": 0.5}},
        data=("nothing",),
        training=Training({"stages": [[1, 48]]}, 1, 0.5),
        licence="MIT",
        limits=("It has learned nothing.",),
    )
    (tmp_path / "weights" / "cnn" / "training.json").write_text("[]")
    return find("cnn", "", tmp_path / "archive", tmp_path / "weights")


def test_a_corrected_version_answers_with_the_corrected_logits(active, parquet, tmp_path):
    before = (active.folder / weight_store.FILE).read_bytes()
    made = calibrate.apply(active, parquet, 0.5, tmp_path / "archive", tmp_path / "weights")
    assert made.number == "1.0.4" and made.card.metrics == {} and made.card.temperature == 1
    assert (made.folder / "training.json").is_file() and (active.folder / weight_store.FILE).read_bytes() == before
    faces = np.random.default_rng(1).random((5, 48, 48), np.float32)
    one, other = (
        restore("cnn", weight_store.Located(v.folder, "folder"), zoo.build).logits(faces) for v in (active, made)
    )
    told = made.card.training.config["correction"]
    assert told["of"] == "1.0.3" and told["balance"] == 0.5 and np.ptp(told["bias"]) > 0.01
    expected = Correction(np.array(told["scale"]), np.array(told["bias"]))(one)
    assert other == pytest.approx(expected, abs=0.05)  # both are computed in half precision
    assert weight_store.verify(made.folder) == made.card


def test_the_command_tries_and_makes(active, parquet, tmp_path, monkeypatch):
    monkeypatch.setattr("training.commands.calibrate.SHIPPED", tmp_path / "weights")
    # two faces a label are too few for five folds: what is tried is tested above
    monkeypatch.setattr(calibrate, "cross_validated", lambda logits, labels, balance: {"accuracy": balance or 0.125})
    options = ["calibrate", "cnn", "--data", str(parquet), "--archive", str(tmp_path / "archive")]
    done = CliRunner().invoke(cli.app, options)
    assert done.exit_code == 0 and "as it is" in done.output and "12.50%" in done.output and "75.00%" in done.output
    assert not (tmp_path / "archive").exists()
    done = CliRunner().invoke(cli.app, [*options, "--balance", "0.5"])
    assert done.exit_code == 0 and (tmp_path / "archive" / "1.0.4" / "cnn" / "card.json").is_file()


def test_only_emotion_networks_are_corrected(parquet):
    with pytest.raises(ParameterError, match="keypoints"):
        calibrate.apply(find("keypoints", "", "nowhere"), parquet)
