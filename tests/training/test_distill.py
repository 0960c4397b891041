import shutil

import numpy as np
import pytest
from scipy.special import softmax

from models import weight_store, zoo
from models.errors import WeightsMismatchError, WeightsNotFoundError
from training import distill

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
