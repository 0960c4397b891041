"""Small random networks in the three architectures' own layouts, and a face."""

from pathlib import Path

import numpy as np
import pytest

from explain.base import Target
from explain.methods import masking
from models import zoo
from models.card import Card, Input, Training
from models.model import Model
from models.types import EMOTIONS, Face
from models.weight_store import Located


def card(name: str, cam_layer: str) -> Card:
    return Card(
        name=name,
        architecture=name,
        version="0.0.1",
        date="2026-01-01",
        input=Input(48, 1, (0.0, 1.0)),
        labels=EMOTIONS,
        cam_layer=cam_layer,
        temperature=1.0,
        metrics={},
        data=("none",),
        training=Training({}, 0, 0.0),
        licence="MIT",
        limits=(),
        parameters=1,
        sha256="0" * 64,
    )


def wrap(network, name: str, cam_layer: str) -> Model:
    """A Model around a network that comes from no folder."""
    return Model(name, card(name, cam_layer), network, Located(Path("."), "folder", None, ""))


def gained(model: Model, crop: np.ndarray, baseline: str, target: Target) -> float:
    """What an answer gains from a baseline to a face, in logits: the sum of values that are complete."""
    low, high = model.logits(np.stack([masking.baseline_picture(crop, baseline), crop])) @ target.weights
    return float(high - low)


def random_model(name: str) -> Model:
    """An architecture with random weights, batch norm folded; its biases are not zero."""
    import keras

    from models.fold import fold

    keras.utils.set_random_seed(7)
    network = zoo.build(name)
    rng = np.random.default_rng(7)
    for layer in network.layers:
        if "bn" in layer.name:
            layer.set_weights(
                [value + rng.normal(0, 0.1, value.shape) for value in layer.get_weights()[:3]] + layer.get_weights()[3:]
            )
    from importlib import import_module

    return wrap(fold(network), name, import_module(zoo.ARCHITECTURES[name]).CAM_LAYER)


@pytest.fixture(scope="session", params=zoo.EMOTION_MODELS)
def model(request) -> Model:
    """Every emotion model: the shipped one where its weights are there, else one with random weights."""
    shipped = Path(zoo.__file__).parent / "weights" / request.param / "model.safetensors"
    return zoo.load(request.param) if shipped.is_file() else random_model(request.param)


@pytest.fixture(scope="session")
def cnn() -> Model:
    """The small network with random weights."""
    return random_model("cnn")


@pytest.fixture(scope="session")
def crop() -> np.ndarray:
    """Something with eyes, brows and a mouth, float32 (48, 48) in 0..1."""
    y, x = np.mgrid[:48, :48].astype(np.float32)
    picture = 0.75 - 0.3 * (((x - 24) / 20) ** 2 + ((y - 24) / 26) ** 2 > 1)
    for left, top, wide, high, dark in (
        (14, 19, 4, 2, 0.5),
        (34, 19, 4, 2, 0.5),
        (24, 37, 8, 3, 0.4),
        (24, 28, 2, 4, 0.1),
    ):
        picture -= dark * np.exp(-(((x - left) / wide) ** 2 + ((y - top) / high) ** 2))
    return np.clip(picture, 0, 1).astype(np.float32)


@pytest.fixture(scope="session")
def crop_keypoints() -> np.ndarray:
    """15 keypoints that fit `crop`, float32 (15, 2) in pixels."""
    points = [(34, 19), (14, 19), (30, 19), (38, 19), (18, 19), (10, 19), (28, 13), (40, 13), (20, 13), (8, 13)]
    return np.array([*points, (24, 29), (32, 37), (16, 37), (24, 34), (24, 41)], np.float32)


@pytest.fixture(scope="session")
def face(crop, crop_keypoints) -> Face:
    """The crop as a Face of a 48x48 photo."""
    to_crop = np.eye(2, 3, dtype=np.float32)
    box = np.array([0, 0, 48, 48], np.float32)
    return Face(box, 1.0, None, to_crop, crop, np.zeros((96, 96), np.float32), crop_keypoints)


@pytest.fixture(scope="session")
def regions() -> np.ndarray:
    """Eight bands and blocks that cover the crop, bool (8, 48, 48)."""
    y, x = np.mgrid[:48, :48]
    number = (y // 12) * 2 + (x >= 20)
    return number == np.arange(8)[:, None, None]


@pytest.fixture
def happy() -> Target:
    return Target.named("happy")
