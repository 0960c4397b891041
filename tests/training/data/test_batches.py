import numpy as np
import pytest

from training.config import Config
from training.data import EmotionSplit, batches

PLAIN = Config("cnn", stages=((3, 24),), batch=5)


def split(labels: list[int]) -> EmotionSplit:
    images = np.broadcast_to(np.arange(len(labels), dtype=np.uint8)[:, None, None], (len(labels), 48, 48))
    return EmotionSplit(images, np.array(labels), np.zeros((len(labels), 7), np.float32))


def made(config: Config, faces: EmotionSplit, epoch: int = 0) -> batches.EmotionBatches:
    return batches.EmotionBatches(faces, faces.targets(1.0), config, epoch)


def test_chances_by_hand():
    labels = np.array([0, 0, 0, 0, 1])
    assert batches.chances(labels, 0.0) == pytest.approx([0.2] * 5)
    # full balance: half of the draws go to each label
    assert batches.chances(labels, 1.0) == pytest.approx([0.125] * 4 + [0.5])
    # 4 ** -0.5 = 1/2 and 1 ** -0.5 = 1, so 0.5 : 1, four times the first
    assert batches.chances(labels, 0.5) == pytest.approx([1 / 6] * 4 + [1 / 3])


def test_without_balance_an_epoch_shows_every_face_once():
    order = made(PLAIN, split([0] * 9 + [1])).order
    assert sorted(order) == list(range(10))


def test_with_balance_rare_labels_are_drawn_as_often_as_the_chances_say():
    faces = split([0] * 1800 + [1] * 200)
    balanced = Config("cnn", stages=((3, 24),), batch=5, balance=1.0)
    rare = np.mean([np.mean(faces.labels[made(balanced, faces, epoch).order] == 1) for epoch in range(5)])
    # 10,000 draws with chance 1/2: a standard deviation of 0.005
    assert rare == pytest.approx(0.5, abs=0.02)
    half = Config("cnn", stages=((3, 24),), batch=5, balance=0.5)
    rare = np.mean([np.mean(faces.labels[made(half, faces, epoch).order] == 1) for epoch in range(5)])
    assert rare == pytest.approx(np.sqrt(200) / (np.sqrt(200) + np.sqrt(1800)), abs=0.02)


def test_batches_carry_the_targets_of_their_faces():
    faces = split([label % 7 for label in range(23)])
    shown = made(PLAIN, faces)
    assert len(shown) == 4  # what is left over waits for another epoch
    for index in range(len(shown)):
        pictures, targets = shown[index]
        rows = shown.order[5 * index : 5 * index + 5]
        assert pictures.shape == (5, 24, 24, 1) and pictures.dtype == np.float32
        assert (targets.argmax(1) == faces.labels[rows]).all()


def test_seed_and_epoch_decide_the_batches():
    faces = split([label % 7 for label in range(21)])
    one, same, later = (made(PLAIN, faces, epoch)[0][0] for epoch in (0, 0, 1))
    assert (one == same).all() and (one != later).any()


def test_mixup_by_hand():
    faces = np.arange(4, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 2, 1), np.float32)
    targets = np.eye(7)[:4]
    mixed, answers = batches.mixed(np.random.default_rng(5), 0.4, faces, targets)
    share = np.random.default_rng(5).beta(0.4, 0.4, 4)
    share = np.maximum(share, 1 - share)
    # whoever the other is, a face is as much itself as its target says
    for index in range(4):
        assert answers[index, index] >= share[index] - 1e-6 and answers[index].sum() == pytest.approx(1)
        assert mixed[index] == pytest.approx(answers[index, :4] @ np.arange(4), abs=1e-5)
    assert ((answers > 0).sum(1) > 1).any()


def test_mixup_reaches_the_batches_and_none_changes_nothing():
    faces = split([label % 7 for label in range(21)])
    plain = made(PLAIN, faces)[1]
    mixing = Config("cnn", stages=((3, 24),), batch=5, mixup=0.4)
    one, two = (made(mixing, faces)[1] for _ in range(2))
    assert (one[0] == two[0]).all() and (one[1] == two[1]).all()
    assert (one[1] != plain[1]).any() and ((plain[1] == 1).sum(1) == 1).all()
