"""What holds for every method: one contract, every method, every architecture."""

import subprocess
import sys
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from explain import registry, scale
from explain.base import Method, Parameters, Target
from explain.methods import gradcam, saliency
from models.errors import ParameterError, UnknownNameError, UnsuitableMethodError
from tests.explain.conftest import wrap
from tests.remembered import remembering

ROOT = Path(__file__).parents[3]
NEED_MAPS = {"gradcam", "gradcam_plus_plus", "scorecam"}
SIZES = {"saliency", "smoothgrad"}
"""Methods whose map is the size of a change, whatever its direction."""
LINEAR = {
    "gradcam": {"positive_only": False},
    "scorecam": {"positive_only": False},
    "saliency": {"shows": saliency.TIMES_INPUT},
    "integrated_gradients": {},
    "shap_gradient": {},
    "shap_regions": {},
    "occlusion": {},
    "rise": {},
}
"""Methods, with parameters, that keep every sign: a difference of scores has the difference of maps."""
every_method = pytest.mark.parametrize("method", registry.METHODS.values(), ids=list(registry.METHODS))


@pytest.fixture(autouse=True)
def fixed_regions(monkeypatch, regions):
    """The parts of the face are those of the fixture; how keypoints cut them is tested elsewhere."""
    monkeypatch.setattr("models.regions.masks", lambda keypoints, side=48: regions)


def quick(method: Method, **changes) -> Parameters:
    return method.Params.from_json({**method.quick, **changes})


def state_of(network) -> list:
    """Weights, layers and how often each layer has been called on symbols."""
    weights = [weight.numpy() for weight in network.weights]
    return [weights, [(layer.name, len(layer._inbound_nodes), layer.trainable) for layer in network.layers]]


def assert_same_state(before: list, after: list) -> None:
    for one, other in zip(before[0], after[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert before[1] == after[1]


@every_method
def test_a_method_says_who_it_is(method):
    assert registry.METHODS[method.name] is method
    assert method.title and method.summary.endswith(".")
    for name, control in method.Params.controls().items():
        assert control.title and control.help.endswith("."), name
        default = getattr(method.Params(), name)
        assert control.accept(name, default) == default


@every_method
def test_an_explanation_of_every_model(method, model, face):
    """Shape, type, finite, and the model is left as it was."""
    before = state_of(model.network)
    target = Target(int(model.logits(face.crop[None])[0].argmax()))
    found = registry.explain(model, face, target, method.name, quick(method))
    assert found.values.shape == face.crop.shape and found.values.dtype == np.float32
    assert np.isfinite(found.values).all() and not scale.is_flat(found.values)
    assert found.signed or found.values.min() >= 0
    assert (found.method, found.model, found.target) == (method.name, model.name, target)
    assert found.params == quick(method) and found.seconds > 0
    assert_same_state(before, state_of(model.network))


@every_method
def test_a_map_is_the_same_twice(method, cnn, face):
    first, second = (registry.explain(cnn, face, Target(0), method.name, quick(method)).values for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.fixture
def remembered(cnn):
    """What the network gave for some pixels is not computed again: maps for several targets differ in what follows."""
    with remembering(cnn):
        yield


@every_method
@pytest.mark.usefixtures("remembered")
def test_every_target_gives_its_own_map(method, cnn, face):
    """Class 0 is a class like any other, and "why 0 and not 3" differs from both of them."""
    targets = Target(0), Target(3), Target(6), Target(0, 3), Target(3, 0)
    maps = [registry.explain(cnn, face, target, method.name, quick(method)).values for target in targets]
    size = max(np.abs(values).max() for values in maps)
    for i, one in enumerate(maps):
        for j, other in enumerate(maps[:i]):
            if method.name in SIZES and (i, j) == (4, 3):
                np.testing.assert_array_equal(one, other)  # a size is the same in both directions
            else:
                assert np.abs(one - other).max() > 1e-3 * size, (targets[i], targets[j])


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.usefixtures("remembered")
def test_one_emotion_against_another_is_the_difference_of_their_maps(name, cnn, face):
    params = quick(registry.METHODS[name], **LINEAR[name])
    first, second, both = (
        registry.explain(cnn, face, target, name, params).values for target in (Target(0), Target(3), Target(0, 3))
    )
    np.testing.assert_allclose(both, first - second, atol=0.05 * np.abs(both).max())
    opposite = registry.explain(cnn, face, Target(3, 0), name, params).values
    np.testing.assert_allclose(opposite, -both, atol=0.05 * np.abs(both).max())


def variants():
    """Every option of a choice, and a number one step of its slider away from the quick value."""
    for method in registry.METHODS.values():
        for name, control in method.Params.controls().items():
            usual = getattr(quick(method), name)
            if control.kind in (bool, str):
                values = (False, True) if control.kind is bool else control.options
                yield from ((method, name, value) for value in values if value != usual)
            else:
                further = usual + control.step
                yield method, name, further if further <= control.high else usual - control.step


@pytest.fixture(scope="module")
def usual(cnn, face):
    """usual(method) -> its map with the quick values."""
    return cache(lambda method: registry.explain(cnn, face, Target(0, 3), method.name, quick(method)))


@pytest.mark.parametrize(
    ("method", "name", "value"), [pytest.param(*v, id=f"{v[0].name}-{v[1]}-{v[2]}") for v in variants()]
)
def test_every_parameter_changes_the_map(method, name, value, cnn, face, usual):
    usual = usual(method)
    changed = registry.explain(cnn, face, Target(0, 3), method.name, quick(method, **{name: value}))
    assert np.abs(usual.values - changed.values).max() > 1e-3 * np.abs(usual.values).max()


@every_method
def test_a_model_that_sees_nothing_gets_a_flat_map(method, cnn, face):
    """Logits that do not depend on the face: every value is zero, and no place is marked."""
    import keras

    blind = keras.models.clone_model(cnn.network)
    blind.set_weights(cnn.network.get_weights())
    head = blind.get_layer("logits")
    head.set_weights([np.zeros_like(head.kernel), np.ones_like(head.bias)])
    explanation = registry.explain(wrap(blind, "cnn", cnn.cam_layer), face, Target(0), method.name, quick(method))
    assert np.abs(explanation.values).max() < 1e-6
    assert not scale.normalise(explanation.values, scale.shared([explanation])).any()


@every_method
@pytest.mark.parametrize("grey", [0.0, 0.6])
def test_a_picture_of_one_grey_is_explained_with_numbers(method, grey, cnn, face):
    """Such a map need not be flat: borders are padded with zeros, and it is compared with faces."""
    plain = replace(face, crop=np.full((48, 48), grey, np.float32))
    explanation = registry.explain(cnn, plain, Target(0), method.name, quick(method))
    shown = scale.normalise(explanation.values, scale.shared([explanation]))
    assert np.isfinite(explanation.values).all() and np.isfinite(shown).all()


@pytest.mark.parametrize("baseline", ["blur", "grey"])
def test_a_picture_of_one_grey_equals_its_own_blur_and_mean(baseline, cnn, face):
    plain = replace(face, crop=np.full((48, 48), 0.5, np.float32))
    explanation = registry.explain(cnn, plain, Target(0), "shap_regions", {"baseline": baseline})
    assert scale.is_flat(explanation.values)


@every_method
def test_after_an_error_the_model_is_as_before(method, cnn, face, crop, regions):
    """Asked again by another visitor's thread, for which a lock that the error kept would never open."""
    before, parts = state_of(cnn.network), [regions] * method.needs_regions
    expected = method.run(cnn, crop, Target(0), quick(method), *parts)
    random = np.random.get_state()[1].copy()
    with pytest.raises(Exception):  # noqa: B017 each library says it in its own way
        method.run(cnn, np.zeros((10, 10), np.float32), Target(0), quick(method), *parts)
    np.testing.assert_array_equal(np.random.get_state()[1], random)
    assert_same_state(before, state_of(cnn.network))
    again = []
    visitor = threading.Thread(
        target=lambda: again.append(method.run(cnn, crop, Target(0), quick(method), *parts)), daemon=True
    )
    visitor.start()
    visitor.join(timeout=60)
    np.testing.assert_array_equal(again, [expected])


def test_names_and_parameters_are_checked(cnn, face):
    with pytest.raises(UnknownNameError, match=f"Use one of {', '.join(registry.METHODS)}"):
        registry.explain(cnn, face, Target(0), "lime")
    with pytest.raises(UnknownNameError, match="detail, positive_only"):
        registry.explain(cnn, face, Target(0), "gradcam", {"seed": 1})
    with pytest.raises(UnknownNameError, match="samples"):
        registry.explain(cnn, face, Target(0), "gradcam", registry.METHODS["shap_gradient"].Params())
    with pytest.raises(ParameterError, match="16 to 256"):
        registry.explain(cnn, face, Target(0), "shap_gradient", {"samples": 1})
    with pytest.raises(ParameterError, match="keypoints"):
        registry.explain(cnn, replace(face, keypoints=None), Target(0), "shap_regions")


@pytest.fixture(scope="module")
def toy():
    """A network whose last map is 3x3, which no class activation map can be read from."""
    import keras
    from keras import layers

    inputs = keras.Input((48, 48, 1))
    maps = layers.Conv2D(4, 16, strides=16, activation="relu", name="maps")(inputs)
    outputs = layers.Dense(7, name="logits")(layers.GlobalAveragePooling2D()(maps))
    keras.utils.set_random_seed(3)
    return wrap(keras.Model(inputs, outputs), "toy", "maps")


@every_method
def test_a_method_that_does_not_suit_a_model_says_why(method, toy, cnn, face):
    assert set(registry.suitable(toy)) == set(registry.METHODS)
    assert not any(registry.suitable(cnn).values())
    reason = registry.suitable(toy)[method.name]
    assert bool(reason) == (method.name in NEED_MAPS)
    if not reason:
        values = registry.explain(toy, face, Target(0), method.name, quick(method)).values
        assert values.shape == face.crop.shape and np.isfinite(values).all()
        return
    assert reason.endswith(".") and "3 x 3" in reason
    with pytest.raises(UnsuitableMethodError, match="3 x 3.*Use one of.*shap_gradient") as caught:
        registry.explain(toy, face, Target(0), method.name)
    assert method.title in str(caught.value) and "'toy'" in str(caught.value)


@pytest.mark.parametrize("layer", ["gone", "pool"])
def test_maps_are_looked_for_where_the_card_says(layer, cnn):
    for name in NEED_MAPS & set(registry.METHODS):
        assert repr(layer) in registry.suitable(wrap(cnn.network, "cnn", layer))[name]


def test_warming_runs_every_method(cnn, monkeypatch):
    seen = []
    for name, method in registry.METHODS.items():

        def run(*arguments, name=name, method=method, **keywords):
            seen.append(name)
            return method.run(*arguments, **keywords)

        monkeypatch.setitem(
            registry.METHODS,
            name,
            replace(method, run=run),
        )
    registry.warm(cnn)
    assert seen == list(registry.METHODS)


def test_warming_leaves_out_what_does_not_suit(toy, monkeypatch):
    monkeypatch.setattr(registry, "METHODS", {"gradcam": replace(gradcam.METHOD, run=None)})
    registry.warm(toy)


def test_the_order_is_that_of_the_page():
    assert list(registry.METHODS) == [
        *("gradcam", "gradcam_plus_plus", "scorecam", "saliency", "smoothgrad", "integrated_gradients"),
        *("shap_gradient", "shap_partition", "shap_regions", "occlusion", "rise"),
    ]


def test_the_page_can_import_the_methods_before_tensorflow():
    script = (
        "import sys, explain.registry, explain.figures, explain.evidence;"
        "print(sorted({'tensorflow', 'keras', 'shap', 'plotly'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
