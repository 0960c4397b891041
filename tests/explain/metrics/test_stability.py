"""A disturbed face, and a map that moves with it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from explain import registry
from explain.base import Method, Parameters, Target
from explain.metrics import stability


@pytest.fixture
def fake(monkeypatch, face):
    """Registers a method that draws what it is given, and explains the face by it."""

    def register(run):
        method = Method("fake", "Fake", "Draws.", Parameters, run, lambda params: True)
        monkeypatch.setitem(registry.METHODS, "fake", method)
        model = type("Named", (), {"name": "cnn"})()
        return model, registry.explain(model, face, Target(0), "fake")

    return register


def test_points_move_with_the_pixels(face):
    """The darkest pixel of the nose lands where the moved keypoint says."""
    dot = np.ones((48, 48), np.float32)
    dot[29, 24] = 0
    kinds = stability.perturbed(replace(face, crop=dot), seed=3)
    assert len(kinds) == 3
    for other, matrix in kinds:
        nose = other.crop_keypoints[10]
        np.testing.assert_allclose(nose, matrix[:, :2] @ [24, 29] + matrix[:, 2], atol=1e-4)
        y, x = np.unravel_index(other.crop.argmin(), other.crop.shape)
        assert np.hypot(x - nose[0], y - nose[1]) < 0.75
    shift, scaled, noisy = (matrix for _, matrix in kinds)
    assert np.abs(shift[:, 2]).tolist() == [2, 2] and scaled[0, 0] != 1
    np.testing.assert_array_equal(noisy, np.eye(2, 3))
    assert 0 < np.abs(kinds[2][0].crop - dot).max() < 0.15


def test_the_disturbance_follows_the_seed(face):
    same = [stability.perturbed(face, 1)[2][0].crop for _ in range(2)]
    np.testing.assert_array_equal(*same)
    assert not np.array_equal(same[0], stability.perturbed(face, 2)[2][0].crop)


def test_maps_are_moved_back(face):
    smooth = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(48, 48)), (0, 0), 4).astype(np.float32)
    for _, matrix in stability.perturbed(face, 0):
        moved = cv2.warpAffine(smooth, matrix, (48, 48), borderMode=cv2.BORDER_REPLICATE)
        back = stability.moved_back(moved, matrix)[4:-4, 4:-4]
        assert np.corrcoef(back.ravel(), smooth[4:-4, 4:-4].ravel())[0, 1] > 0.99


def test_a_map_that_follows_the_face_is_stable(fake, face):
    model, explanation = fake(lambda model, crop, target, params: cv2.GaussianBlur(crop, (0, 0), 2))
    assert stability.stability(model, face, explanation) > 0.95


def test_a_map_of_noise_is_not(fake, face):
    def noise(model, crop, target, params):
        return np.random.default_rng(int(crop.sum(dtype=np.float64) * 1e4)).normal(size=crop.shape)

    model, explanation = fake(noise)
    assert abs(stability.stability(model, face, explanation)) < 0.1


def test_flat_maps(fake, face):
    model, explanation = fake(lambda model, crop, target, params: np.ones_like(crop))
    assert np.isnan(stability.stability(model, face, explanation))

    def flat_elsewhere(model, crop, target, params):
        return crop if np.array_equal(crop, face.crop) else np.ones_like(crop)

    model, explanation = fake(flat_elsewhere)
    assert stability.stability(model, face, explanation) == 0
