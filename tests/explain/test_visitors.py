"""Ten visitors at once keep their own results, whatever they ask for."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from explain import registry
from explain.base import Target
from models.types import EMOTIONS

VISITORS = 10


def questions(visitor: int, face, cnn) -> list[np.ndarray]:
    """Two maps of a visitor's own face: any method, and one of the two that draw from numpy's one generator."""
    noise = np.random.default_rng(visitor).normal(0, 0.05, face.crop.shape).astype(np.float32)
    own = replace(face, crop=np.clip(np.roll(face.crop, visitor - 5, 1) + noise, 0, 1))
    target = Target(visitor % len(EMOTIONS), None if visitor % 2 else (visitor + 3) % len(EMOTIONS))
    names = [list(registry.METHODS)[visitor % len(registry.METHODS)], ("shap_gradient", "shap_partition")[visitor % 2]]
    maps = []
    for name in names:
        method = registry.METHODS[name]
        params = dict(method.quick) | ({"seed": visitor} if "seed" in method.Params.controls() else {})
        maps.append(registry.explain(cnn, own, target, name, params).values)
    return maps


@pytest.fixture(scope="module")
def alone(face, cnn):
    """What each visitor gets with nobody else there."""
    return [questions(visitor, face, cnn) for visitor in range(VISITORS)]


def test_ten_at_once_get_what_each_gets_alone(face, cnn, alone):
    together = threading.Barrier(VISITORS, timeout=60)

    def visit(visitor):
        together.wait()
        return questions(visitor, face, cnn)

    with ThreadPoolExecutor(VISITORS) as pool:
        found = list(pool.map(visit, range(VISITORS)))
    for expected, maps in zip(alone, found, strict=True):
        for one, other in zip(expected, maps, strict=True):
            np.testing.assert_allclose(other, one, atol=1e-3 * np.abs(one).max())


def test_no_two_of_them_ask_for_the_same(alone):
    """Else the test above could not tell them apart."""
    for i, first in enumerate(alone):
        for second in alone[:i]:
            for one in first:
                assert all(np.abs(one - other).max() > 0.01 * np.abs(one).max() for other in second)


def test_numpys_generator_is_as_before_after_all_of_them(face, cnn):
    np.random.seed(5)
    expected = np.random.RandomState(5).random(3)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda visitor: questions(visitor, face, cnn), range(4)))
    np.testing.assert_array_equal(np.random.random(3), expected)
