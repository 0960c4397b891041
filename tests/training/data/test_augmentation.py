from dataclasses import fields, replace

import numpy as np
import pytest

from training.config import Augmentation
from training.data import augmentation

STILL = Augmentation(rotation=0, scale=0, shift=0, contrast=0, brightness=0, flip=False)
FACE = np.random.default_rng(3).integers(0, 255, (48, 48), dtype=np.uint8)


def test_without_strength_the_face_stays():
    out = augmentation.face(np.random.default_rng(0), STILL, FACE, 48)
    assert out == pytest.approx(FACE / 255, abs=1 / 255)


STRONG = dict(rotation=20, scale=0.3, shift=0.2, contrast=0.5, brightness=0.3, noise=0.1, blur=2, erase=1, flip=True)


@pytest.mark.parametrize("name", [f.name for f in fields(Augmentation)])
def test_every_strength_changes_the_face(name):
    strength = replace(STILL, **{name: STRONG[name]})
    faces = [augmentation.face(np.random.default_rng(seed), strength, FACE, 48) for seed in range(8)]
    assert any(np.abs(face - FACE / 255).max() > 0.02 for face in faces)
    assert all(face.dtype == np.float32 and 0 <= face.min() and face.max() <= 1 for face in faces)


def test_affine_maps_the_centre_and_mirrors():
    matrix = augmentation.affine(np.random.default_rng(0), STILL, 48, 32)
    assert matrix @ [23.5, 23.5, 1] == pytest.approx([15.5, 15.5])
    flips = [
        np.linalg.det(augmentation.affine(np.random.default_rng(seed), replace(STILL, flip=True), 48, 48)[:, :2])
        for seed in range(40)
    ]
    assert {round(value, 6) for value in flips} == {1.0, -1.0}


def test_the_same_seed_gives_the_same_face():
    one, two = (augmentation.face(np.random.default_rng(5), Augmentation(noise=0.1), FACE, 40) for _ in range(2))
    assert (one == two).all()
