"""Maps by other libraries beside ours: one contract for all of them. What each agrees in, its method's test says."""

from dataclasses import replace

import numpy as np
import pytest

from explain import reference, registry
from explain.base import Target
from explain.methods import background
from models.errors import UnsuitableMethodError
from tests.explain.methods.test_methods import assert_same_state, quick, state_of

LEAST = {
    "gradcam": 0.97,
    "gradcam_plus_plus": 0.97,
    "scorecam": -1,  # differs on purpose; see its own test
    "saliency": 0.8,
    "smoothgrad": 0.6,
    "integrated_gradients": 0.9,
    "shap_gradient": 0.95,
    "shap_partition": 0.9,
    "shap_regions": 0.99,
}
"""The rank correlation with ours, at the least."""


@pytest.fixture(autouse=True)
def fixed_regions(monkeypatch, regions):
    monkeypatch.setattr("models.regions.masks", lambda keypoints, side=48: regions)


@pytest.mark.parametrize("method", reference.CALLS)
def test_another_library_makes_the_same_map(method, cnn, face, monkeypatch):
    monkeypatch.setattr(reference, "INTEGRAL_SAMPLES", 40)
    grain = np.random.default_rng(0).normal(0, 0.03, (48, 48))  # in areas of one grey a gradient has no one value
    face = replace(face, crop=np.clip(background.faces()[3] + grain, 0, 1).astype(np.float32))
    before, random = state_of(cnn.network), np.random.get_state()[1].copy()
    target = Target(0, 3)
    ours = registry.explain(cnn, face, target, method, quick(registry.METHODS[method]))
    found = reference.read(cnn, face, ours)
    assert found.values.shape == face.crop.shape and np.isfinite(found.values).all() and found.values.any()
    assert found.library.split()[0] in (reference.VIS, reference.SHAP) and found.library.split()[1][0].isdigit()
    assert found.rank_correlation >= LEAST[method] and found.seconds > 0
    assert_same_state(before, state_of(cnn.network))
    np.testing.assert_array_equal(np.random.get_state()[1], random)


def test_what_no_other_library_has_is_said(cnn, face):
    assert set(registry.METHODS) - set(reference.CALLS) == {"occlusion", "rise"} and set(LEAST) == set(reference.CALLS)
    for method, params, word in (
        ("occlusion", {"step": 6}, "Occlusion"),
        ("gradcam", {"detail": "fused"}, "fused"),
        ("saliency", {"shows": "change times brightness"}, "brightness"),
    ):
        ours = registry.explain(cnn, face, Target(0), method, params)
        assert word in reference.why_not(method, ours.params)
        with pytest.raises(UnsuitableMethodError, match="No other library"):
            reference.read(cnn, face, ours)
    assert reference.why_not("gradcam", registry.METHODS["gradcam"].Params()) == ""
