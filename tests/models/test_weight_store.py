import json
import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from huggingface_hub import constants
from keras import layers
from safetensors.numpy import load_file, save_file

from models import card as cards
from models import hub, weight_store
from models.errors import WeightsMismatchError, WeightsNotFoundError
from models.layers import BatchNorm
from tests.hub import REVISION, closed_port, serving
from tests.models.test_card import FIELDS

ROOT = Path(__file__).parents[2]
REPOSITORY = "facewhy/weights"


def network(filters=3, second="b_conv"):
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(filters, 3, use_bias=False, name="a_conv")(inputs)
    x = BatchNorm(name="a_bn")(x)
    x = layers.Conv2D(2, 1, name=second)(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(inputs, x, name="tiny")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder with a set of weights called "tiny", and its network."""
    keras.utils.set_random_seed(3)
    made = network()
    made.get_layer("a_bn").set_weights(
        [np.array(row, np.float32) for row in ([1, 2, 3], [0, 1, 0], [4, 5, 6], [7, 8, 9])]
    )
    folder = tmp_path_factory.mktemp("weights") / "tiny"
    weight_store.save(made, folder, **FIELDS)
    return made, folder


# ---------------------------------------------------------------------------------------- files


def test_names_are_layer_paths_and_numbers_are_float16(exported):
    made, folder = exported
    tensors = load_file(folder / "model.safetensors")
    assert set(tensors) == {
        "a_conv/kernel",
        "a_bn/gamma",
        "a_bn/beta",
        "a_bn/moving_mean",
        "a_bn/moving_variance",
        "b_conv/kernel",
        "b_conv/bias",
    }
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float16)}
    np.testing.assert_array_equal(tensors["a_bn/moving_variance"], [7, 8, 9])
    np.testing.assert_array_equal(tensors["a_conv/kernel"], np.asarray(made.get_layer("a_conv").kernel, np.float16))
    assert sorted(os.listdir(folder)) == ["card.json", "model.safetensors"]
    assert cards.read(folder).parameters == 3 * 9 + 4 * 3 + 2 * 3 + 2


def test_everybody_may_read_the_file(exported):
    assert (exported[1] / "model.safetensors").stat().st_mode & 0o777 == 0o644


def test_a_network_gives_the_same_output_after_save_and_load(exported):
    made, folder = exported
    fresh = network()
    weight_store.load_into(fresh, folder / "model.safetensors")
    x = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    np.testing.assert_allclose(fresh(x), made(x), atol=3e-3)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (lambda: network(filters=4), "a_conv/kernel is (3, 3, 1, 3), not (3, 3, 1, 4)"),
        (lambda: network(second="c_conv"), "missing c_conv/kernel"),
        (lambda: network(second="c_conv"), "unexpected b_conv/kernel"),
    ],
)
def test_weights_of_another_network_are_refused_and_named(exported, other, named):
    target = other()
    before = target.get_weights()
    with pytest.raises(WeightsMismatchError) as caught:
        weight_store.load_into(target, exported[1] / "model.safetensors")
    assert named in str(caught.value)
    for old, new in zip(before, target.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_file_that_is_not_safetensors_is_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04not weights")
    with pytest.raises(WeightsMismatchError, match="safetensors file"):
        weight_store.load_into(network(), tmp_path / "model.safetensors")
    with pytest.raises(WeightsNotFoundError):
        weight_store.load_into(network(), tmp_path / "none")


def test_a_number_beyond_float16_is_refused_before_a_file_changes(exported, tmp_path):
    made = network()
    made.get_layer("b_conv").bias.assign([1e5, 0.0])
    with pytest.raises(WeightsMismatchError, match="b_conv/bias"):
        weight_store.save(made, tmp_path / "tiny", **FIELDS)
    assert not (tmp_path / "tiny").exists()


def test_a_wrong_field_is_refused_before_a_file_changes(tmp_path):
    with pytest.raises(WeightsMismatchError, match="temperature"):
        weight_store.save(network(), tmp_path / "tiny", **FIELDS | {"temperature": -1})
    assert not (tmp_path / "tiny").exists()


def test_a_write_that_stops_half_way_leaves_the_old_file(exported, tmp_path, monkeypatch):
    made, _ = exported
    weight_store.save(made, tmp_path, **FIELDS)

    def stop(tensors, path):
        Path(path).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", stop)
    with pytest.raises(OSError, match="No space"):
        weight_store.save(network(), tmp_path, **FIELDS)
    assert weight_store.verify(tmp_path).name == "tiny"


def test_one_changed_byte_is_noticed(exported, tmp_path):
    copy(exported[1], tmp_path / "tiny")
    damage(tmp_path / "tiny")
    with pytest.raises(WeightsMismatchError) as caught:
        weight_store.verify(tmp_path / "tiny")
    assert "model.safetensors" in str(caught.value) and "'sha256'" in str(caught.value)


# --------------------------------------------------------------------------------------- search


def copy(folder, target):
    target.mkdir(parents=True)
    for file in ("card.json", "model.safetensors"):
        (target / file).write_bytes((folder / file).read_bytes())


def damage(folder):
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)


@pytest.fixture(autouse=True)
def place(exported, tmp_path_factory, monkeypatch):
    """A shipped copy, an empty Hub cache, no settings."""
    home = tmp_path_factory.mktemp("home")
    copy(exported[1], home / "shipped" / "tiny")
    for variable in ("FACEWHY_WEIGHTS_DIR", "FACEWHY_HUB_REPO", "FACEWHY_HUB_REVISION", "HF_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(weight_store, "SHIPPED", home / "shipped")
    monkeypatch.setattr(hub, "SPACEFILE", home / "Spacefile")
    monkeypatch.setattr(hub, "_downloads", {})
    monkeypatch.setattr(hub, "_asked", {})
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield home
    for download in hub._downloads.values():
        assert download.wait(30)


def use(monkeypatch, url, revision=REVISION):
    monkeypatch.setenv("HF_ENDPOINT", url)
    monkeypatch.setenv("FACEWHY_HUB_REPO", REPOSITORY)
    monkeypatch.setenv("FACEWHY_HUB_REVISION", revision)


@pytest.fixture
def running(exported, monkeypatch):
    """A Hub that serves "tiny", and the settings that name it."""
    files = {f"tiny/{file}": (exported[1] / file).read_bytes() for file in ("card.json", "model.safetensors")}
    with serving(files) as server:
        use(monkeypatch, server.url)
        yield server


def test_without_settings_the_shipped_copy_is_used_silently(place):
    assert weight_store.locate("tiny") == weight_store.Located(place / "shipped" / "tiny", "shipped")


def test_an_explicit_folder_comes_first(exported, running, monkeypatch):
    monkeypatch.setenv("FACEWHY_WEIGHTS_DIR", str(exported[1].parent))
    assert weight_store.locate("tiny") == weight_store.Located(exported[1], "folder")
    assert running.requests == []


def test_an_explicit_folder_without_the_model_is_passed_over_with_a_note(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEWHY_WEIGHTS_DIR", str(tmp_path))
    found = weight_store.locate("tiny")
    assert found.source == "shipped" and "FACEWHY_WEIGHTS_DIR" in found.note


def test_a_damaged_explicit_folder_is_refused(exported, tmp_path, monkeypatch):
    copy(exported[1], tmp_path / "tiny")
    damage(tmp_path / "tiny")
    monkeypatch.setenv("FACEWHY_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsMismatchError, match="sha256"):
        weight_store.locate("tiny")


def test_a_damaged_or_missing_shipped_copy_is_refused(place):
    damage(place / "shipped" / "tiny")
    with pytest.raises(WeightsMismatchError, match="sha256"):
        weight_store.locate("tiny")
    with pytest.raises(WeightsNotFoundError, match="none"):
        weight_store.locate("none")


def test_good_hub_then_its_cache_without_a_request(exported, running):
    found = weight_store.locate("tiny")
    assert (found.source, found.revision, found.note) == ("hub", REVISION, "")
    assert (found.folder / "model.safetensors").read_bytes() == (exported[1] / "model.safetensors").read_bytes()
    asked = len(running.requests)
    assert asked > 0
    again = weight_store.locate("tiny")
    assert (again.source, again.folder) == ("cache", found.folder)
    assert len(running.requests) == asked


def test_the_cache_works_offline(running, monkeypatch):
    folder = weight_store.locate("tiny").folder
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    assert weight_store.locate("tiny") == weight_store.Located(folder, "cache", REVISION)


def test_offline_without_a_cache_the_shipped_copy_is_used(running, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    found = weight_store.locate("tiny")
    assert found.source == "shipped" and "offline" in found.note.lower()
    assert running.requests == []


def test_a_damaged_cache_is_downloaded_again(running):
    folder = weight_store.locate("tiny").folder
    damage(folder)
    found = weight_store.locate("tiny")
    assert (found.source, found.folder) == ("hub", folder)
    assert weight_store.verify(folder)


def test_a_wrong_hash_on_the_hub_falls_back_to_the_shipped_copy(running, place, caplog):
    running.files["tiny/model.safetensors"] = running.files["tiny/model.safetensors"][:-1] + b"\x7f"
    found = weight_store.locate("tiny")
    assert (found.source, found.folder) == ("shipped", place / "shipped" / "tiny")
    assert "sha256" in found.note and "sha256" in caplog.text


@pytest.mark.parametrize("file", ["card.json", "model.safetensors"])
def test_a_file_that_is_missing_on_the_hub_falls_back(running, file):
    del running.files[f"tiny/{file}"]
    found = weight_store.locate("tiny")
    assert found.source == "shipped" and "404" in found.note and REPOSITORY in found.note


def test_a_broken_card_on_the_hub_falls_back(running):
    running.files["tiny/card.json"] = b'{"name": "tiny"}'
    found = weight_store.locate("tiny")
    assert found.source == "shipped" and "'architecture'" in found.note


def test_a_revision_that_is_not_on_the_hub_falls_back(running, monkeypatch):
    monkeypatch.setenv("FACEWHY_HUB_REVISION", "f" * 40)
    found = weight_store.locate("tiny")
    assert found.source == "shipped" and "ffffffffffff" in found.note


@pytest.mark.parametrize("revision", ["", "main", "0123456", "F" * 40])
def test_a_revision_that_is_not_a_full_commit_is_not_asked_for(running, monkeypatch, revision):
    monkeypatch.setenv("FACEWHY_HUB_REVISION", revision)
    found = weight_store.locate("tiny")
    assert found.source == "shipped" and "FACEWHY_HUB_REVISION" in found.note
    assert running.requests == []


def test_a_hub_that_is_down_is_not_waited_for(monkeypatch, caplog):
    monkeypatch.setattr(hub, "TIMEOUT_S", 60)
    use(monkeypatch, closed_port())
    started = time.perf_counter()
    found = weight_store.locate("tiny")
    assert time.perf_counter() - started < 20, "the client alone tries for 25 s"
    assert found.source == "shipped" and found.note
    assert found.note in caplog.text


def test_a_slow_hub_is_waited_for_once_and_goes_on_in_the_background(running, monkeypatch):
    waits, join = [], hub.Download.wait
    monkeypatch.setattr(hub.Download, "wait", lambda self, seconds: waits.append(seconds) or join(self, seconds))
    monkeypatch.setattr(hub, "TIMEOUT_S", 0.3)
    running.open.clear()
    for _ in range(2):
        found = weight_store.locate("tiny")
        assert found.source == "shipped" and "0.3 seconds" in found.note
    assert 0 < waits[0] <= 0.3 and max(waits[1:]) <= 0, "all callers together wait once"
    running.open.set()
    assert join(next(iter(hub._downloads.values())), 60)
    assert weight_store.locate("tiny").source == "cache"


def test_a_hub_that_never_answers_does_not_hold_the_start(running, monkeypatch):
    monkeypatch.setattr(hub, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(hub, "ANSWER", 0.6)
    running.open.clear()
    assert weight_store.locate("tiny").source == "shipped"
    attempt = next(iter(hub._downloads.values()))
    assert attempt.wait(60) and "Timeout" in attempt.error, "the client gives up though no answer came"


def test_settings_of_the_space_file(place):
    (place / "Spacefile").write_text(f"hub: {{repository: a/b, revision: {REVISION}}}\n")
    assert hub.pinned() == hub.Pin("a/b", REVISION)
    (place / "Spacefile").write_text("hub: {repository: '', revision: ''}\n")
    assert hub.pinned() is None
    (place / "Spacefile").write_text("title: FaceWhy\n")
    assert hub.pinned() is None


def test_the_environment_replaces_the_space_file(place, monkeypatch):
    (place / "Spacefile").write_text(f"hub: {{repository: a/b, revision: {REVISION}}}\n")
    monkeypatch.setenv("FACEWHY_HUB_REVISION", "a" * 40)
    assert hub.pinned() == hub.Pin("a/b", "a" * 40)
    monkeypatch.setenv("FACEWHY_HUB_REPO", "")
    assert hub.pinned() is None
    monkeypatch.setenv("FACEWHY_HUB_REPO", "c/d")
    monkeypatch.delenv("FACEWHY_HUB_REVISION")
    with pytest.raises(weight_store.WeightsError, match="c/d at ''"):
        hub.pinned()


@pytest.mark.parametrize("name", ["https://huggingface.co/a/b", "a/b/c", "facewhy", "a/b c"])
def test_a_repository_that_is_none_leaves_the_shipped_copy(place, monkeypatch, name):
    monkeypatch.setenv("FACEWHY_HUB_REPO", name)
    monkeypatch.setenv("FACEWHY_HUB_REVISION", REVISION)
    found = weight_store.locate("tiny")
    assert found.source == "shipped" and "like someone/facewhy" in found.note


@pytest.mark.parametrize("text", ["hub: [", "- a\n", "hub: 3\n"])
def test_a_broken_space_file_does_not_stop_the_start(place, text):
    (place / "Spacefile").write_text(text)
    found = weight_store.locate("tiny")
    assert found.source == "shipped" and "Spacefile" in found.note


def test_in_a_fresh_process_with_nothing_but_the_environment(running, place, exported):
    """The way a Space runs: HF_ENDPOINT and HF_HOME are read when the client is imported."""
    script = (
        "import json; from models import weight_store; found = weight_store.locate('tiny');"
        "print(json.dumps([found.source, found.revision, str(found.folder)]))"
    )
    environment = os.environ | {"HF_HOME": str(place / "hf"), "PYTHONPATH": str(ROOT)}
    environment.pop("HF_HUB_CACHE", None)
    answers = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        answers.append(json.loads(done.stdout))
    assert [answer[0] for answer in answers] == ["hub", "cache"]
    assert answers[0][2].startswith(str(place / "hf"))
    assert {path for _, path in running.requests} == {
        f"/{REPOSITORY}/resolve/{REVISION}/tiny/{file}" for file in ("card.json", "model.safetensors")
    }


def test_safetensors_of_another_dtype_are_read(exported, tmp_path):
    tensors = load_file(exported[1] / "model.safetensors")
    save_file({name: tensor.astype(np.float32) for name, tensor in tensors.items()}, tmp_path / "model.safetensors")
    fresh = network()
    weight_store.load_into(fresh, tmp_path / "model.safetensors")
    np.testing.assert_array_equal(fresh.get_layer("a_bn").beta, tensors["a_bn/beta"])
