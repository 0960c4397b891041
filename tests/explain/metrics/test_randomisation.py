"""A method that looks at the weights forgets with them; one that does not is found out."""

import json

import numpy as np
import pytest

from explain import registry
from explain.base import Method, Parameters, Target
from explain.metrics import randomisation
from explain.metrics.agreement import rank_correlation
from models import regions


@pytest.fixture
def edges(monkeypatch):
    """A method that never looks at the network."""

    def run(model, crop, target, params):
        return np.abs(np.gradient(crop)[0])

    monkeypatch.setitem(registry.METHODS, "edges", Method("edges", "Edges", "Edges.", Parameters, run, lambda p: False))


def test_stages_go_from_the_logits_to_the_picture(model):
    found = randomisation.stages(model.network)
    assert list(found) == ["logits", "6x6", "12x12", "24x24", "48x48"]
    with_weights = {layer.name for layer in model.network.layers if layer.weights}
    named = [layer.name for layers in found.values() for layer in layers]
    assert set(named) == with_weights and len(named) == len(with_weights)


def test_randomised_layers_keep_their_numbers_and_lose_their_order(cnn):
    import keras

    network = keras.models.clone_model(cnn.network)
    network.set_weights(cnn.network.get_weights())
    chosen = randomisation.stages(network)["6x6"]
    randomisation.randomise(chosen, np.random.default_rng(0))
    changed = {layer.name for layer in chosen}
    for layer, old in zip(network.layers, cnn.network.layers, strict=True):
        for now, before in zip(layer.get_weights(), old.get_weights(), strict=True):
            assert np.array_equal(now, before) == (layer.name not in changed)
            np.testing.assert_array_equal(np.sort(now, axis=None), np.sort(before, axis=None))


@pytest.mark.parametrize("method", ["gradcam", "saliency", "shap_gradient"])
def test_a_method_that_uses_the_weights_forgets_with_them(cnn, face, method):
    before = [weight.numpy() for weight in cnn.network.weights]
    params = registry.METHODS[method].quick
    found = randomisation.cascade(cnn, [face], [Target(0)], method, params)
    assert found.layers == ("logits", "6x6", "12x12", "24x24", "48x48")
    assert found.correlation.shape == found.absolute.shape == (5,)
    assert found.correlation[-1] < randomisation.LIKE_BEFORE and np.abs(found.correlation).max() < 0.999
    for weight, old in zip(cnn.network.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)
    json.dumps(found.to_json(), allow_nan=False)


def test_a_method_that_ignores_the_weights_fails(cnn, face, edges):
    found = randomisation.cascade(cnn, [face, face], [Target(0), Target(3)], "edges")
    np.testing.assert_allclose(found.correlation, 1)
    np.testing.assert_allclose(found.absolute, 1)
    assert not found.correlation[-1] < randomisation.LIKE_BEFORE


@pytest.mark.parametrize(
    ("of_faces", "passed"),
    [
        ([0.1, -0.1, 0.2, 0.0], True),
        ([0.7, 0.8, 0.6, 0.7], False),  # stays
        ([-0.7, -0.8, -0.6, -0.7], False),  # turns into its opposite
        ([0.8, -0.8, 0.8, -0.8], False),  # now the one, now the other: 0 on average, .64 of the order in common
        ([0.6, -0.6, 0.5, -0.5], True),  # .31 in common
    ],
)
def test_the_rule(of_faces, passed):
    mean, shared = float(np.mean(of_faces)), float(np.mean(np.square(of_faces)))
    assert randomisation.passes(mean, mean, shared) is passed
    measured = {"low": mean, "high": mean, "shared": shared}
    assert randomisation.passed(measured) is passed
    for name in measured:
        assert randomisation.passed(measured | {name: None}) is None
    assert randomisation.passed({}) is None


def test_two_maps_of_eight_parts_share_little_of_their_order_by_chance(face):
    """About a fifth, and more where two parts are most of the face: half is far from that."""
    masks = regions.masks(face.crop_keypoints, 48)
    rng = np.random.default_rng(0)
    squares = [
        rank_correlation(*(np.tensordot(rng.normal(size=8) / masks.sum((1, 2)), masks, 1) for _ in range(2))) ** 2
        for _ in range(300)
    ]
    assert 0.1 < np.mean(squares) < 0.3 < randomisation.SHARED


def test_the_seed_chooses_the_order(cnn, face):
    first, again, other = (
        randomisation.cascade(cnn, [face], [Target(2)], "gradcam", {"positive_only": False}, seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.correlation, again.correlation)
    assert not np.array_equal(first.correlation, other.correlation)


def test_flat_maps(cnn, face, monkeypatch):
    """Flat after randomising counts as 0, flat before does not count."""
    calls = []

    def run(model, crop, target, params):
        calls.append(target)
        return crop if len(calls) == 1 else np.zeros_like(crop)

    monkeypatch.setitem(registry.METHODS, "fading", Method("fading", "F", "F.", Parameters, run, lambda p: False))
    found = randomisation.cascade(cnn, [face, face], [Target(0), Target(1)], "fading")
    np.testing.assert_array_equal(found.correlation, 0)
    empty = randomisation.cascade(cnn, [face], [Target(1)], "fading")
    assert empty.to_json()["correlation"] == [None] * 5


def test_a_map_is_followed_while_the_network_forgets(cnn, face):
    """The stages are those of `stages`; each comes on top of those before it, and the model stays as it is."""
    before = [weight.copy() for weight in cnn.network.get_weights()]
    explanation = registry.explain(cnn, face, Target(0), "saliency")
    found = [randomisation.shaken(cnn, face, explanation, count) for count in (1, 2, 5)]
    names = tuple(randomisation.stages(cnn.network))
    assert [one.layers for one in found] == [names[:1], names[:2], names] and {one.of for one in found} == {5}
    for one in found:
        assert one.rank_correlation == rank_correlation(explanation.values, one.values)
    copy = randomisation.gradients.kept(cnn, "shaken", lambda: None).network
    randomisation.shaken(cnn, face, explanation, 1)
    for layer in copy.layers:
        same = all(map(np.array_equal, layer.get_weights(), cnn.network.get_layer(layer.name).get_weights()))
        assert same == (layer.name != "logits" or not layer.weights), layer.name
    again = randomisation.shaken(cnn, face, explanation, 5)
    np.testing.assert_array_equal(again.values, found[-1].values)
    assert np.abs(randomisation.shaken(cnn, face, explanation, 5, seed=1).values - again.values).max() > 0
    for one, other in zip(before, cnn.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
