import hashlib
import shutil

import numpy as np
import pytest
from scipy.special import softmax

from models import weight_store, zoo
from models.errors import DataError, WeightsMismatchError, WeightsNotFoundError
from training import distill, run, train
from training.config import Augmentation, Config

FACES = np.random.default_rng(0).integers(0, 255, (3, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def shipped():
    return weight_store.SHIPPED


def by_hand(name: str, shipped) -> np.ndarray:
    """The answer of unfolded shipped weights, averaged over a face and its mirror image."""
    network = zoo.build(name)
    weight_store.load_into(network, shipped / name / weight_store.FILE)
    crops = FACES[..., None].astype(np.float32) / 255
    answers = [softmax(np.asarray(network(view)), axis=1) for view in (crops, crops[:, :, ::-1])]
    return np.mean(answers, axis=0)


def test_one_teacher_answers_for_a_face_and_its_mirror_image(shipped):
    answers = distill.answers(("cnn",), FACES, shipped)
    assert answers.shape == (3, 7) and answers.dtype == np.float32
    assert answers == pytest.approx(by_hand("cnn", shipped), abs=1e-4)
    assert answers.sum(1) == pytest.approx(1, abs=1e-5)
    assert distill.answers(("cnn",), FACES[:, :, ::-1], shipped) == pytest.approx(answers, abs=1e-4)


def test_two_teachers_are_averaged(shipped):
    mean = (by_hand("cnn", shipped) + by_hand("resnet", shipped)) / 2
    assert distill.answers(("cnn", "resnet"), FACES, shipped) == pytest.approx(mean, abs=1e-4)


def test_a_teacher_that_is_missing_or_damaged_is_refused(tmp_path, shipped):
    with pytest.raises(WeightsNotFoundError):
        distill.answers(("cnn",), FACES, tmp_path)
    shutil.copytree(shipped / "cnn", tmp_path / "cnn")
    (tmp_path / "cnn" / weight_store.FILE).write_bytes(b"other weights")
    with pytest.raises(WeightsMismatchError):
        distill.answers(("cnn",), FACES, tmp_path)


@pytest.fixture
def runs(tmp_path):
    """A run with a best epoch in `tmp_path`, of a narrow network."""
    folder, config = tmp_path / "narrow", Config("cnn", stages=((1, 24),), width=0.25, augmentation=Augmentation())
    run.begin(folder, run.record(config, "ab" * 32))
    network = train.network(config)
    network.save_weights(folder / run.BEST)
    return tmp_path, network


def test_a_run_teaches_by_its_name_or_its_path(runs):
    folder, network = runs
    crops = FACES[..., None].astype(np.float32) / 255
    expected = np.mean([softmax(np.asarray(network(view)), axis=1) for view in (crops, crops[:, :, ::-1])], axis=0)
    for name in ("narrow", str(folder / "narrow")):
        assert distill.answers((name,), FACES, runs=folder) == pytest.approx(expected, abs=1e-4)
        assert distill.digest(name, folder) == hashlib.sha256((folder / "narrow" / run.BEST).read_bytes()).hexdigest()


def test_a_student_of_a_run_says_so_in_its_record(runs, parquet):
    config = Config(
        "cnn",
        stages=((1, 24),),
        batch=7,
        width=0.25,
        teachers=("narrow",),
        distillation=0.5,
        augmentation=Augmentation(),
    )
    folder = train.train(config, parquet, runs[0])
    assert run.read_record(folder)["teachers"] == {"narrow": distill.digest("narrow", runs[0])}


def test_a_run_that_is_not_there_or_damaged_is_refused(runs):
    folder, _ = runs
    with pytest.raises(DataError, match="'wide'. Train it first"):
        distill.teacher("wide", folder)
    (folder / "narrow" / run.BEST).write_bytes(b"half")
    with pytest.raises(DataError, match="could not be read from .*narrow/best.weights.h5"):
        distill.teacher("narrow", folder)
