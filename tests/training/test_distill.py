import hashlib
import shutil

import numpy as np
import pytest
from scipy.special import softmax

from models import weight_store, zoo
from models.errors import DataError, WeightsMismatchError, WeightsNotFoundError
from training import distill, run, train
from training.config import Augmentation, Config

pytestmark = pytest.mark.usefixtures("eager")
FACES = np.random.default_rng(0).integers(0, 255, (3, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def shipped():
    return weight_store.SHIPPED


def by_hand(network) -> np.ndarray:
    """A network's answer, averaged over a face, its mirror image, and both moved by two pixels to each side."""
    wide = np.pad(FACES, ((0, 0), (2, 2), (2, 2)), "edge")[..., None].astype(np.float32) / 255
    moved = [wide[:, top : top + 48, left : left + 48] for top, left in ((2, 2), (0, 2), (4, 2), (2, 0), (2, 4))]
    views = [view for crops in moved for view in (crops, crops[:, :, ::-1])]
    return np.mean([softmax(np.asarray(network(view)), axis=1) for view in views], axis=0)


def of_shipped(name: str, shipped) -> np.ndarray:
    """The same of unfolded shipped weights."""
    network = zoo.build(name)
    weight_store.load_into(network, shipped / name / weight_store.FILE)
    return by_hand(network)


def test_one_teacher_answers_for_a_face_its_mirror_image_and_both_moved(shipped, tmp_path):
    answers = distill.answers(("cnn",), FACES, shipped, tmp_path)
    assert answers.shape == (3, 7) and answers.dtype == np.float32
    assert answers == pytest.approx(of_shipped("cnn", shipped), abs=1e-4)
    assert answers.sum(1) == pytest.approx(1, abs=1e-5)
    assert distill.answers(("cnn",), FACES[:, :, ::-1], shipped, tmp_path) == pytest.approx(answers, abs=1e-4)


def test_two_teachers_are_averaged(shipped, tmp_path):
    mean = (of_shipped("cnn", shipped) + of_shipped("resnet", shipped)) / 2
    assert distill.answers(("cnn", "resnet"), FACES, shipped, tmp_path) == pytest.approx(mean, abs=1e-4)


def test_a_teacher_is_asked_once_about_the_same_faces(shipped, tmp_path, monkeypatch):
    asked, answer = [], distill._answer
    monkeypatch.setattr(distill, "_answer", lambda *args: asked.append(args[1]) or answer(*args))
    first = distill.answers(("cnn",), FACES, shipped, tmp_path)
    assert np.array_equal(distill.answers(("cnn",), FACES, shipped, tmp_path), first) and len(asked) == 1
    distill.answers(("cnn",), FACES[:2], shipped, tmp_path)
    assert len(asked) == 2, "other faces"
    for path in (tmp_path / distill.ANSWERS).iterdir():
        path.write_bytes(b"half a file")
    assert np.array_equal(distill.answers(("cnn",), FACES, shipped, tmp_path), first) and len(asked) == 3


def test_a_teacher_that_is_missing_or_damaged_is_refused(tmp_path, shipped):
    with pytest.raises(WeightsNotFoundError):
        distill.answers(("cnn",), FACES, tmp_path, tmp_path)
    shutil.copytree(shipped / "cnn", tmp_path / "cnn")
    (tmp_path / "cnn" / weight_store.FILE).write_bytes(b"other weights")
    with pytest.raises(WeightsMismatchError):
        distill.answers(("cnn",), FACES, tmp_path, tmp_path)


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
    expected = by_hand(network)
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
