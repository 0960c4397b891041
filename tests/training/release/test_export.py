import dataclasses
import json

import pytest

from models import card as cards
from models import weight_store, zoo
from models.errors import DataError, ParameterError, RunError
from models.model import restore
from training import train
from training.config import Augmentation, Config, load
from training.measures.evaluate import evaluate
from training.release.export import KNOWN_DATA, UNNAMED, export

pytestmark = pytest.mark.usefixtures("short_cnn", "eager")
TINY = Config("cnn", stages=((1, 32),), batch=7, augmentation=Augmentation())
LOG = [
    {"epoch": 0, "seconds": 1800.0, "loss": 2.0, "accuracy": 0.2, "val_loss": 1.9, "val_accuracy": 0.3},
    {"epoch": 1, "seconds": 1800.0, "loss": 1.5, "accuracy": 0.4, "val_loss": 1.6, "val_accuracy": 0.5},
    {"epoch": 2, "seconds": 3600.0, "loss": 1.4, "accuracy": 0.5, "val_loss": 1.5, "val_accuracy": 0.4},
]
FACTS = {
    "config": {"name": "cnn", "stages": [[3, 32]], "batch": 9, "width": 0.5, "augmentation": {"blur": 2.0}},
    "data_sha256": "ab" * 32,
    "git_commit": "cd" * 20,
    "backend": "jax",
    "start": "cnn 1.0.2",
    "precision": "float32",
}


@pytest.fixture(scope="module")
def network():
    return train.network(TINY)


@pytest.fixture
def runs(network, tmp_path):
    """A run of three epochs, as `train` leaves it."""
    (tmp_path / "runs" / "cnn").mkdir(parents=True)
    network.save_weights(tmp_path / "runs" / "cnn" / "best.weights.h5")
    (tmp_path / "runs" / "cnn" / "log.json").write_text(json.dumps(LOG))
    return tmp_path / "runs"


@pytest.fixture
def make(runs, tmp_path):
    return lambda version="", **more: export("cnn", runs, version, tmp_path / "archive", tmp_path / "weights", **more)


def test_a_run_becomes_a_version_that_can_be_loaded_and_measured(parquet, tmp_path):
    train.train(TINY, parquet, tmp_path / "runs")
    made = export("cnn", tmp_path / "runs", "", tmp_path / "archive", tmp_path / "weights")
    assert made.number == "1.0.0" and made.folder == tmp_path / "archive" / "1.0.0" / "cnn" and not made.active
    assert made.card.training.config["stages"] == [[1, 32]] and made.card.training.epochs == 1
    assert len(made.card.training.data_sha256) == 64 and made.card.training.backend == "tensorflow"
    card = evaluate("cnn", parquet, made.folder.parent)
    assert set(card.metrics) == {"PublicTest", "PrivateTest", "conformal", "data_sha256"} and card.data == UNNAMED
    assert card.metrics["PrivateTest"]["faces"] == 14
    assert sum(map(sum, card.metrics["PrivateTest"]["confusion"])) == 14
    assert cards.read(made.folder).metrics == json.loads(json.dumps(card.metrics))


def test_the_card_names_data_that_is_known(runs, make):
    for digest, lines in KNOWN_DATA.items():
        (runs / "cnn" / "run.json").write_text(
            json.dumps(FACTS | {"config": {"name": "cnn", "stages": [[1, 32]]}, "data_sha256": digest})
        )
        assert make().card.data == lines
    assert cards.read(weight_store.SHIPPED / "keypoints").data == lines


def test_the_card_tells_what_the_run_wrote_down(runs, make):
    folder = runs / "cnn-more"
    (runs / "cnn").rename(folder)
    (folder / "run.json").write_text(json.dumps(FACTS))
    narrow = train.network(dataclasses.replace(TINY, width=0.5))
    narrow.save_weights(folder / "best.weights.h5")
    made = make(run="cnn-more", sources=("Faces of our own", "FER2013"))
    training = made.card.training
    assert made.card.data == ("Faces of our own", "FER2013") and made.card.parameters == narrow.count_params()
    assert (training.run, training.epochs, training.hours) == ("cnn-more", 3, 2.0)
    assert (training.data_sha256, training.git_commit, training.backend) == ("ab" * 32, "cd" * 20, "jax")
    config = training.config
    assert (config["batch"], config["width"], config["augmentation"]["blur"]) == (9, 0.5, 2.0)
    assert (config["start"], config["precision"], config["best_epoch"]) == ("cnn 1.0.2", "float32", 1)
    restore("cnn", weight_store.Located(made.folder, "folder"), zoo.build)


@pytest.mark.parametrize("before", ["", "vgg16 1.1.1, which began with "])
def test_the_card_credits_imagenet_where_the_run_began_with_it(tmp_path, before):
    folder = tmp_path / "runs" / "vgg16"
    folder.mkdir(parents=True)
    config = {"name": "vgg16", "stages": [[1, 32]], "width": 0.25}
    start = f"{before}ImageNet, sha256 {'ef' * 32}"
    (folder / "run.json").write_text(json.dumps(FACTS | {"config": config, "start": start}))
    (folder / "log.json").write_text(json.dumps(LOG))
    train.network(Config("vgg16", stages=((1, 32),), width=0.25)).save_weights(folder / "best.weights.h5")
    card = export("vgg16", tmp_path / "runs", "", tmp_path / "archive", tmp_path / "weights").card
    assert card.data[:-1] == UNNAMED and card.training.config["start"] == start
    for credit in ("Simonyan and Zisserman 2014", "arXiv 1409.1556", "CC BY 4.0"):
        assert credit in card.data[-1]


def test_the_card_of_a_run_that_wrote_nothing_down_says_unknown(make):
    training = make().card.training
    assert training.config["stages"] == [list(stage) for stage in load("cnn").stages]
    assert training.config["best_epoch"] == 1
    assert {training.data_sha256, training.git_commit, training.backend} == {"unknown"}


def test_a_run_of_another_model_is_refused(runs, make, tmp_path):
    (runs / "cnn" / "run.json").write_text(json.dumps(FACTS | {"config": FACTS["config"] | {"name": "resnet"}}))
    with pytest.raises(DataError, match="is not a run of cnn. Received: one of resnet"):
        make()


def test_the_epochs_lie_beside_the_weights_and_everybody_may_read(make):
    folder = make().folder
    assert json.loads((folder / "training.json").read_text()) == LOG
    assert {file.name: file.stat().st_mode & 0o444 for file in folder.iterdir()} == dict.fromkeys(
        ("card.json", "model.safetensors", "training.json"), 0o444
    )


def test_what_is_loaded_is_what_the_run_saved(make, network):
    folder = make().folder
    weight_store.verify(folder)
    loaded = restore("cnn", weight_store.Located(folder, "folder"), zoo.build).network.get_layer("logits").kernel
    assert (loaded.numpy() == network.get_layer("logits").kernel.numpy().astype("float16")).all()


def test_the_next_export_counts_the_version_up(make):
    assert [make().number, make().number, make("1.2.9").number, make().number] == ["1.0.0", "1.0.1", "1.2.9", "1.2.10"]


@pytest.mark.parametrize("version", ["2", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "../1.0.0"])
def test_a_version_that_is_no_number_is_refused(make, version, tmp_path):
    with pytest.raises(ParameterError, match="three whole numbers"):
        make(version)
    assert not (tmp_path / "archive").exists()


def test_a_number_is_used_once(make):
    before = make("1.0.0").card
    with pytest.raises(ParameterError, match="exists already"):
        make("1.0.0")
    assert make().number == "1.0.1" and before.version == "1.0.0"


def test_an_export_that_stops_half_way_leaves_nothing(make, monkeypatch, tmp_path):
    def stop(card, folder):
        raise OSError("No space left on device")

    monkeypatch.setattr(cards, "write", stop)
    with pytest.raises(OSError, match="No space"):
        make()
    assert [path for path in (tmp_path / "archive").rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    assert make().number == "1.0.0"


def test_a_run_without_an_epoch_cannot_be_exported(tmp_path):
    with pytest.raises(DataError, match="Train cnn first"):
        export("cnn", tmp_path, archive=tmp_path / "archive")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("best.weights.h5", "half"),
        ("best.weights.h5", None),
        ("run.json", "{"),
        ("run.json", '{"config": {"name": "cnn"}}'),
        ("log.json", "["),
    ],
)
def test_a_damaged_run_is_named(runs, make, file, text, tmp_path):
    (runs / "cnn" / file).unlink(missing_ok=True)
    if text is not None:
        (runs / "cnn" / file).write_text(text)
    with pytest.raises((DataError, RunError), match=file):
        make()
    assert not (tmp_path / "archive").exists()
