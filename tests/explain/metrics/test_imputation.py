"""Hidden pixels are the weighted means of their neighbours, as scipy solves it."""

import cv2
import numpy as np
import pytest
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from explain.metrics import faithfulness, imputation

WEIGHTS = [[1, 2, 1], [2, 0, 2], [1, 2, 1]]


@pytest.fixture(autouse=True)
def without_noise(monkeypatch):
    monkeypatch.setattr(imputation, "NOISE", 0)


def exact(crop, hidden):
    """The same equations pixel by pixel, and scipy's direct solver."""
    height, width = crop.shape
    pixels = [tuple(pixel) for pixel in np.argwhere(hidden)]
    matrix, right = lil_matrix((len(pixels),) * 2), np.zeros(len(pixels))
    for row, (y, x) in enumerate(pixels):
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                weight, other = WEIGHTS[down + 1][across + 1], (y + down, x + across)
                if weight and 0 <= other[0] < height and 0 <= other[1] < width:
                    matrix[row, row] += weight
                    if hidden[other]:
                        matrix[row, pixels.index(other)] -= weight
                    else:
                        right[row] += weight * crop[other]
    found = crop.astype(np.float64)
    found[tuple(np.transpose(pixels))] = spsolve(matrix.tocsr(), right)
    return found


@pytest.mark.parametrize("share", [1 / 24, 1 / 3, 7 / 8])
@pytest.mark.parametrize("sigma", [1, 4])
def test_a_direct_solver_finds_the_same(face, share, sigma):
    values = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(48, 48)), (0, 0), sigma)
    hidden = faithfulness.order(values) < share * values.size
    (found,) = imputation.impute(face.crop, hidden[None])
    np.testing.assert_array_equal(found[~hidden], face.crop[~hidden])
    assert np.sqrt(np.mean((found - exact(face.crop, hidden)) ** 2)) < 0.02


def test_one_hidden_pixel_by_hand():
    """Direct neighbours 1, diagonal ones 0: 8 of 12."""
    crop = np.zeros((4, 6), np.float32)
    crop[[0, 1, 1, 2], [2, 1, 3, 2]] = 1
    hidden = np.zeros((1, 4, 6), bool)
    hidden[0, 1, 2] = True
    assert imputation.impute(crop, hidden)[0, 1, 2] == pytest.approx(8 / 12, abs=1e-5)


def test_a_plane_is_continued_between_known_pixels():
    ramp = np.tile(np.linspace(0, 1, 24, dtype=np.float32), (24, 1))
    hidden = np.zeros((1, 24, 24), bool)
    hidden[0, 6:18, 6:18] = True
    np.testing.assert_allclose(imputation.impute(ramp, hidden)[0], ramp, atol=0.02)


def test_pictures_do_not_touch_each_other_and_a_hidden_one_is_grey(face):
    hidden = np.random.default_rng(0).random((3, 48, 48)) < 0.5
    hidden[1] = True
    together = imputation.impute(face.crop, hidden)
    for one, alone in zip(together, hidden, strict=True):
        np.testing.assert_allclose(one, imputation.impute(face.crop, alone[None])[0], atol=1e-6)
    np.testing.assert_allclose(together[1], face.crop.mean(), atol=1e-6)


def test_the_noise_is_small_follows_the_seed_and_leaves_what_is_shown(face, monkeypatch):
    hidden = np.zeros((1, 48, 48), bool)
    hidden[0, :24] = True
    still = imputation.impute(face.crop, hidden)
    monkeypatch.setattr(imputation, "NOISE", 0.01)
    noisy, again, other = (imputation.impute(face.crop, hidden, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(noisy, again)
    assert (noisy != other).any() and (noisy[0, 24:] == face.crop[24:]).all()
    assert (noisy - still)[0, :24].std() == pytest.approx(0.01, rel=0.15)
