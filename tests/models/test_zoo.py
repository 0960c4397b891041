import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from models import precision, weight_store, zoo
from models.errors import (
    ParameterError,
    UnknownModelError,
    UnknownNameError,
    WeightsError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from models.model import CHUNK, restore
from models.types import EMOTIONS, KEYPOINTS, Face
from tests.models.test_card import FIELDS
from tests.models.test_fold import with_random_norms

ROOT = Path(__file__).parents[2]
CAM_LAYERS = {"cnn": "block4_2_relu", "resnet": "stage4_2_out", "vgg16": "block5_conv3_relu"}


def fields(name: str) -> dict:
    changes = {"name": name, "architecture": name, "cam_layer": CAM_LAYERS.get(name)}
    if name == "keypoints":
        changes |= {"labels": KEYPOINTS, "input": weight_store.cards.Input(96, 1, (0.0, 1.0))}
    return FIELDS | changes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Random weights of all four models."""
    made = tmp_path_factory.mktemp("weights")
    for seed, name in enumerate(zoo.ARCHITECTURES):
        keras.utils.set_random_seed(seed)
        weight_store.save(with_random_norms(zoo.build(name), seed), made / name, **fields(name))
    return made


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    """Nothing loaded and no settings, and everything put back afterwards."""
    monkeypatch.setattr(zoo, "_models", {})
    monkeypatch.setattr(zoo, "_status", dict.fromkeys(zoo._status, zoo.Status()))
    monkeypatch.setattr(zoo, "_warming", [])
    monkeypatch.setattr(zoo, "_failed", {})
    monkeypatch.delenv("FACEWHY_VERSIONS_DIR", raising=False)
    monkeypatch.setenv("FACEWHY_HUB_REPO", "")
    monkeypatch.delenv("FACEWHY_WEIGHTS_DIR", raising=False)


@pytest.fixture
def ready(folder, monkeypatch):
    monkeypatch.setenv("FACEWHY_WEIGHTS_DIR", str(folder))


@pytest.fixture(scope="module")
def models(folder):
    """The emotion models with random weights, loaded once."""
    found = {name: weight_store.Located(folder / name, "folder") for name in zoo.EMOTION_MODELS}
    return {name: restore(name, located, zoo.build) for name, located in found.items()}


def faces(count, side=48, seed=0):
    return np.random.default_rng(seed).random((count, side, side), np.float32)


@pytest.fixture(scope="module")
def saved(folder):
    """Logits of `faces(4)` by the networks as they were saved, not folded and not compiled."""
    found = {}
    for name in zoo.EMOTION_MODELS:
        network = zoo.build(name)
        weight_store.load_into(network, folder / name / "model.safetensors")
        found[name] = np.asarray(network(faces(4)[..., None], training=False))
    return found


@pytest.fixture
def single_precision():
    """What is compiled in this test computes in float32, on any processor."""
    import tensorflow as tf

    option = "auto_mixed_precision_onednn_bfloat16"
    before = tf.config.optimizer.get_experimental_options().get(option, False)
    tf.config.optimizer.set_experimental_options({option: False})
    yield
    tf.config.optimizer.set_experimental_options({option: before})


@pytest.mark.parametrize("name", zoo.EMOTION_MODELS)
class TestEmotionModel:
    def test_logits_are_those_of_the_network_that_was_saved(self, saved, models, single_precision, name):
        model = replace(models[name])  # compiled anew, in float32
        got = model.logits(faces(4))
        assert got.shape == (4, 7) and got.dtype == np.float32
        np.testing.assert_allclose(got, saved[name], atol=1e-4 * np.abs(saved[name]).max())
        assert np.ptp(saved[name], axis=0).max() > 4 * np.abs(got - saved[name]).max()  # the faces differ by more

    def test_bfloat16_changes_logits_by_no_more_than_its_rounding(self, saved, models, name):
        """A bfloat16 has 8 significant bits, and the errors of the convolutions add up like a random walk.

        They follow the size of the logits, not their spread over faces, which is small with random weights.
        """
        convolutions = sum("conv" in layer.name and bool(layer.weights) for layer in models[name].network.layers)
        tolerance = 2**-8 * convolutions**0.5 if precision.prepare() else 1e-4
        np.testing.assert_allclose(
            models[name].logits(faces(4)), saved[name], atol=tolerance * np.abs(saved[name]).max()
        )

    def test_a_batch_gives_what_its_faces_give_alone(self, models, name):
        crops = faces(9)
        together = models[name].logits(crops)
        alone = np.concatenate([models[name].logits(crop[None]) for crop in crops])
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4 * np.abs(alone).max())

    def test_it_is_compiled_once_for_every_number_of_faces(self, models, name):
        for count in (1, 2, 5):
            models[name].logits(faces(count))
        assert models[name]._forward.experimental_get_tracing_count() == 1

    def test_its_facts_match_the_network(self, models, name):
        model = models[name]
        assert model.network.layers[-1].name == "logits"
        assert model.network.input_shape == (None, 48, 48, 1)
        _, height, width, _ = model.network.get_layer(model.cam_layer).output.shape
        assert height >= 6 and width >= 6
        assert {layer.compute_dtype for layer in model.network.layers} == {"float32"}


def test_more_faces_than_a_chunk_and_none(models):
    crops = np.repeat(faces(3), CHUNK // 3 + 10, axis=0)
    logits = models["cnn"].logits(crops)
    assert len(logits) == len(crops) > CHUNK
    np.testing.assert_allclose(logits[-1], models["cnn"].logits(crops[-1:])[0], rtol=1e-4, atol=1e-4)
    assert models["cnn"].logits(np.zeros((0, 48, 48), np.float32)).shape == (0, 7)
    assert models["cnn"].predict([]) == []


@pytest.mark.parametrize("shape", [(48, 48), (1, 47, 48), (1, 48, 48, 1)])
def test_a_wrong_shape_is_refused(models, shape):
    with pytest.raises(ParameterError, match="48, 48"):
        models["cnn"].logits(np.zeros(shape, np.float32))


def test_probabilities_follow_the_temperature(models):
    logits = np.array([[0.0, 1.25 * np.log(3.0), -1e4, -1e4, -1e4, -1e4, -1e4], [900.0] * 7])
    probabilities = models["cnn"].probabilities(logits)
    assert models["cnn"].card.temperature == 1.25
    np.testing.assert_allclose(probabilities[0], [0.25, 0.75, 0, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(probabilities[1], [1 / 7] * 7, rtol=1e-6)
    assert probabilities.dtype == np.float32


def test_predictions_keep_the_order_of_the_faces(models):
    crops = faces(3)
    turn = np.eye(2, 3, dtype=np.float32)
    given = [Face(np.zeros(4, np.float32), 1.0, None, turn, crop, np.zeros((96, 96), np.float32)) for crop in crops]
    predictions = models["resnet"].predict(given)
    assert [prediction.model for prediction in predictions] == ["resnet"] * 3
    expected = models["resnet"].logits(crops)
    np.testing.assert_array_equal([prediction.logits for prediction in predictions], expected)
    for prediction, row in zip(predictions, expected, strict=True):
        assert prediction.emotion == EMOTIONS[row.argmax()]
        np.testing.assert_allclose(prediction.probabilities.sum(), 1, rtol=1e-6)


def test_a_model_is_loaded_once_by_many_threads(ready, monkeypatch):
    loads = []
    real = zoo._restore
    monkeypatch.setattr(zoo, "_restore", lambda name: loads.append(name) or real(name))
    found = []
    threads = [threading.Thread(target=lambda: found.append(zoo.load("cnn"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["cnn"] and len(found) == 6 and len(set(map(id, found))) == 1
    assert zoo.loaded()["cnn"].state == "ready" and zoo.loaded()["cnn"].source == "folder"
    assert zoo.loaded()["vgg16"].state == "waiting"


def test_names_that_do_not_exist_are_refused():
    for name in ("vgg", "keypoints", "", "../cnn"):
        with pytest.raises(UnknownNameError, match="cnn, resnet, vgg16"):
            zoo.load(name)


def test_the_keypoint_model(ready):
    model = zoo.keypoint_model()
    points = model.points(faces(2, side=96))
    assert points.shape == (2, 15, 2) and points.dtype == np.float32
    assert (points >= 0).all() and (points <= 1).all()
    expected = np.asarray(model.network(faces(2, side=96)[..., None]))
    np.testing.assert_allclose(points, expected, atol=0.02)


def test_a_model_that_fails_takes_only_itself_away_and_is_tried_again(folder, tmp_path, monkeypatch):
    for name in ("keypoints", "cnn", "resnet"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "vgg16").mkdir()
    monkeypatch.setenv("FACEWHY_WEIGHTS_DIR", str(tmp_path))
    zoo.warm().join(120)
    states = {name: status.state for name, status in zoo.loaded().items()}
    assert states == {"keypoints": "ready", "cnn": "ready", "resnet": "ready", "vgg16": "failed"}
    assert "card.json" in zoo.loaded()["vgg16"].note
    with pytest.raises(WeightsNotFoundError):
        zoo.load("vgg16")
    (tmp_path / "vgg16").rmdir()
    (tmp_path / "vgg16").symlink_to(folder / "vgg16")
    assert zoo.load("vgg16").name == "vgg16"
    assert zoo.loaded()["vgg16"].state == "ready"
    assert zoo.load("cnn")._forward.experimental_get_tracing_count() == 1  # warm() ran it


def test_a_model_that_failed_is_left_alone_for_a_while_by_those_who_ask_for_all(ready, monkeypatch):
    tries, real, clock = [], zoo._restore, [1000.0]

    def restore(name):
        tries.append(name)
        if name == "vgg16" and len(tries) < 5:
            raise WeightsError("A rule")
        return real(name)

    monkeypatch.setattr(zoo, "_restore", restore)
    monkeypatch.setattr(zoo.time, "monotonic", lambda: clock[0])
    assert zoo.available() == zoo.available() == ["cnn", "resnet"]
    assert tries == ["cnn", "resnet", "vgg16"] and zoo.loaded()["vgg16"].state == "failed"
    clock[0] += zoo.RETRY + 1
    assert zoo.available() == ["cnn", "resnet"] and tries[3:] == ["vgg16"]
    clock[0] += zoo.RETRY + 1
    assert zoo.available() == list(zoo.EMOTION_MODELS)


def test_those_who_wait_while_a_model_fails_do_not_try_it_one_after_the_other(ready, monkeypatch):
    tries, begun, fail = [], threading.Event(), threading.Event()
    real = zoo._restore

    def restore(name):
        if name != "cnn":
            return real(name)
        tries.append(name)
        begun.set()
        fail.wait(30)
        raise WeightsError("A rule")

    monkeypatch.setattr(zoo, "_restore", restore)
    found = []
    threads = [threading.Thread(target=lambda: found.append(zoo.available())) for _ in range(5)]
    for thread in threads:
        thread.start()
    begun.wait(30)
    threading.Timer(0.3, fail.set).start()
    for thread in threads:
        thread.join()
    assert tries == ["cnn"] and found == [["resnet", "vgg16"]] * 5


def test_where_no_model_can_be_used_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("FACEWHY_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setattr(zoo, "_restore", lambda name: 1 / 0)
    with pytest.raises(WeightsError, match="No model can be used"):
        zoo.available()
    assert not zoo.ready(zoo.loaded())


@pytest.fixture
def archive(folder, ready, tmp_path, monkeypatch):
    """Another version of the CNN with weights of its own, 1.10.0, and one beside it that is older, 1.9.0."""
    for seed, number in ((7, "1.10.0"), (8, "1.9.0")):
        keras.utils.set_random_seed(seed)
        weight_store.save(
            with_random_norms(zoo.build("cnn"), seed), tmp_path / number / "cnn", **fields("cnn") | {"version": number}
        )
    for stray in ("1.0/cnn", "x/cnn", "2.0.0/vgg16", "2.0.0/cnn"):
        (tmp_path / stray).mkdir(parents=True)
    monkeypatch.setenv("FACEWHY_VERSIONS_DIR", str(tmp_path))
    return tmp_path


def test_versions_are_listed_with_the_active_one_first_and_the_latest_next(archive):
    active = zoo.load("cnn").card.version
    assert zoo.versions("cnn") == [active, "1.10.0", "1.9.0"]
    assert zoo.versions("vgg16") == [active]
    assert zoo.latest("cnn", "1") == zoo.latest("cnn", "1.10") == zoo.latest("cnn", "1.10.0") == "1.10.0"
    assert zoo.latest("cnn", "1.9") == "1.9.0" and zoo.latest("cnn", active) == active
    for line in ("1.1", "2", "../..", "", "1.10.0.0", "x"):
        with pytest.raises(UnknownModelError, match="is not present"):
            zoo.latest("cnn", line)
    with pytest.raises(UnknownModelError, match="cnn"):
        zoo.versions("lenet")


def test_a_version_is_loaded_beside_the_active_one_and_kept(archive):
    active, other = zoo.load("cnn"), zoo.load("cnn", "1.10.0")
    assert (other.card.version, other.located.folder) == ("1.10.0", archive / "1.10.0" / "cnn")
    assert zoo.load("cnn", "1.10.0") is other and zoo.load("cnn", active.card.version) is active is zoo.load("cnn")
    assert np.abs(other.logits(faces(3)) - active.logits(faces(3))).max() > 0.01
    assert [answer.version for answer in other.predictions(other.logits(faces(1)))] == ["1.10.0"]
    assert zoo.loaded()["cnn"].version == active.card.version


@pytest.mark.parametrize("version", ["9.9.9", "2.0.0", "1.0", "../1.10.0", "1.10.0/../1.10.0", "x"])
def test_a_version_that_is_not_there_is_refused_and_those_that_are_named(archive, version):
    with pytest.raises(UnknownModelError, match="1.10.0"):
        zoo.load("cnn", version)


def test_a_version_whose_files_are_damaged_or_of_another_number_is_refused(archive):
    file = archive / "1.10.0" / "cnn" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4] + b"oops")
    with pytest.raises(WeightsMismatchError, match="sha256"):
        zoo.load("cnn", "1.10.0")
    (archive / "1.9.0").rename(archive / "1.8.0")
    with pytest.raises(WeightsMismatchError, match="1.8.0"):
        zoo.load("cnn", "1.8.0")
    assert zoo.load("cnn").name == "cnn"


def test_what_no_one_foresaw_is_a_weights_error_too(ready, monkeypatch):
    monkeypatch.setattr(zoo, "_restore", lambda name: 1 / 0)
    with pytest.raises(WeightsError, match="ZeroDivisionError"):
        zoo.load("cnn")
    assert zoo.loaded()["cnn"].state == "failed"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "other"}, "'name'"),
        ({"architecture": "transformer"}, "'architecture'"),
        ({"architecture": "vgg16"}, "missing block1_conv1_conv/kernel"),
        ({"labels": EMOTIONS[:6]}, "'labels'"),
        ({"cam_layer": "block9"}, "'cam_layer'"),
        ({"cam_layer": None}, "'cam_layer'"),
        ({"input": weight_store.cards.Input(64, 1, (0.0, 1.0))}, "'input'"),
    ],
)
def test_a_card_that_does_not_fit_its_network_is_refused_and_the_field_named(folder, tmp_path, change, named):
    values = json.loads((folder / "cnn" / "card.json").read_text())
    values |= json.loads(json.dumps(change, default=lambda given: given.__dict__))
    (tmp_path / "card.json").write_text(json.dumps(values))
    (tmp_path / "model.safetensors").symlink_to(folder / "cnn" / "model.safetensors")
    with pytest.raises(WeightsMismatchError) as caught:
        restore("cnn", weight_store.Located(tmp_path, "folder"), zoo.build)
    assert named in str(caught.value) and str(tmp_path) in str(caught.value)


def test_weights_of_the_hub_that_do_not_fit_are_replaced_by_the_shipped_ones(folder, tmp_path, monkeypatch):
    weight_store.save(zoo.build("resnet"), tmp_path / "cnn", **fields("cnn"))
    monkeypatch.setattr(weight_store, "SHIPPED", folder)
    monkeypatch.setattr(weight_store, "locate", lambda name: weight_store.Located(tmp_path / name, "cache", "a" * 40))
    model = zoo.load("cnn")
    assert model.located.source == "shipped" and model.located.folder == folder / "cnn"
    assert "missing block1_1_conv/kernel" in zoo.loaded()["cnn"].note


def test_importing_the_zoo_does_not_import_tensorflow():
    loaded = "sorted({'tensorflow', 'keras', 'gradio'} & set(sys.modules))"
    script = f"import sys, models.zoo, models.weight_store; print({loaded})"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


class TestPrecision:
    @pytest.mark.parametrize(
        ("vendor", "flags", "expected"),
        [
            ("AuthenticAMD", "fpu avx512f avx512_bf16", True),
            ("AuthenticAMD", "fpu avx2 avx512f", False),
            ("GenuineIntel", "fpu avx512_bf16 amx_bf16", True),
            ("GenuineIntel", "fpu avx512_bf16 avx512_fp16", False),
        ],
    )
    def test_auto_follows_the_processor(self, tmp_path, monkeypatch, vendor, flags, expected):
        core = f"vendor_id\t: {vendor}\npower management:\nflags\t\t: {flags}\nbugs\t: amx_bf16_not\n\n"
        (tmp_path / "cpuinfo").write_text("".join(f"processor\t: {number}\n{core}" for number in range(2)))
        monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
        monkeypatch.delenv("FACEWHY_BF16", raising=False)
        assert precision.bfloat16() is expected
        monkeypatch.setenv("FACEWHY_BF16", "off")
        assert precision.bfloat16() is False
        monkeypatch.setenv("FACEWHY_BF16", "ON")
        assert precision.bfloat16() is True

    def test_without_cpuinfo_it_is_off(self, tmp_path, monkeypatch):
        monkeypatch.setattr(precision, "CPUINFO", tmp_path / "none")
        monkeypatch.setenv("FACEWHY_BF16", "auto")
        assert precision.bfloat16() is False

    def test_a_wrong_value_is_refused(self, monkeypatch):
        monkeypatch.setenv("FACEWHY_BF16", "yes")
        with pytest.raises(ParameterError, match="FACEWHY_BF16"):
            precision.bfloat16()
