from dataclasses import replace

import pytest

from models.errors import ParameterError
from training.config import NAMES, Augmentation, Config, load

PLAIN = Config("cnn", stages=((2, 32), (1, 48)))


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 0},
        {"optimizer": "lion"},
        {"schedule": "cosine"},
        {"patience": -1},
        {"mixup": -0.1},
        {"ema": 1.0},
        {"layer_decay": 0.0},
        {"layer_decay": 1.1},
        {"learning_rate": 0.0},
        {"warmup": 1.5},
        {"weight_decay": -1e-4},
        {"fer2013_share": 1.1},
        {"balance": -0.5},
        {"dropout": 1.0},
        {"width": 0.0},
        {"stages": ()},
        {"stages": ((0, 48),)},
        {"teachers": ("cnn",)},
        {"distillation": 0.3},
    ],
)
def test_a_setting_outside_its_range_is_refused(change):
    with pytest.raises(ParameterError, match=next(iter(change)) if "stages" not in change else "stage"):
        replace(PLAIN, **change)


@pytest.mark.parametrize(
    "change", [{"balance": 0.5}, {"mixup": 0.2}, {"teachers": ("cnn",), "distillation": 0.5}, {"width": 0.5}]
)
def test_the_keypoint_network_refuses_what_it_would_ignore(change):
    with pytest.raises(ParameterError, match="keypoint network"):
        replace(load("keypoints"), **change)


def test_the_keypoint_network_refuses_a_side_that_it_does_not_have():
    with pytest.raises(ParameterError, match="96 pixels"):
        replace(load("keypoints"), stages=((1, 48), (1, 96)))


def test_epochs_and_sides_by_hand():
    assert PLAIN.epochs == 3 and [PLAIN.side(epoch) for epoch in range(4)] == [32, 32, 48, 48]


def test_a_strength_scales_every_disturbance_and_shares_stay_shares():
    twice = Augmentation(rotation=10, scale=0.6, shift=0.1, erase=0.4, flip=False).scaled(2)
    assert (twice.rotation, twice.scale, twice.shift, twice.erase, twice.flip) == (20, 1.0, 0.2, 0.8, False)
    assert Augmentation(erase=0.5).scaled(0) == Augmentation(0, 0, 0, 0, 0, 0, 0, 0, True)


def test_a_disturbance_outside_its_range_is_refused():
    with pytest.raises(ParameterError, match="rotation -1"):
        Augmentation(rotation=-1)
    with pytest.raises(ParameterError, match="erase"):
        Augmentation(erase=1.5)


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_configurations_hold(name):
    assert load(name).name == name
