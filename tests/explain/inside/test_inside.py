"""The inside of a network against Keras, against perturbation, and by hand."""

import keras
import numpy as np
import pytest
from keras import layers

from explain import registry
from explain.base import Target
from explain.inside.architecture import linear_head, stages
from explain.inside.gradcam_steps import gradcam_steps
from explain.inside.opened import opened
from explain.inside.path import path
from explain.inside.receptive_field import Reach, receptive_field
from explain.methods import background
from models.errors import ParameterError
from tests.explain.conftest import wrap

HAPPY = Target.named("happy")


@pytest.fixture(scope="module")
def inside(model, crop):
    """Every network, opened on a face."""
    return opened(model, crop, HAPPY)


def test_the_stages_are_those_of_the_network(model):
    """Each grid once, all convolutions, and the last stage ends where Grad-CAM looks."""
    found = stages(model.network)
    grids = {layer.output.shape[1:3] for layer in model.network.layers if isinstance(layer, layers.Conv2D)}
    assert [stage.grid for stage in found] == sorted(grids, reverse=True) and len(found) == 4
    assert sum(stage.convolutions for stage in found) == sum(
        isinstance(layer, layers.Conv2D) for layer in model.network.layers
    )
    assert found[-1].layer == model.cam_layer and linear_head(model.network, model.cam_layer)
    assert not linear_head(model.network, found[0].layer)
    head = model.network.get_layer("logits").count_params()
    assert sum(stage.parameters for stage in found) == model.network.count_params() - head


def test_the_receptive_field_by_hand():
    """3x3, 3x3, pool 2, 3x3 with stride 2 on 12 pixels: two, four, five, then nine before the stride."""
    face = keras.Input((12, 12, 1))
    x = layers.Conv2D(1, 3, padding="same", name="first")(face)
    x = layers.Conv2D(1, 3, padding="same", name="second")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Conv2D(1, 3, strides=2, padding="same", name="last")(x)
    network = keras.Model(face, layers.Flatten(name="flat")(x))
    fields = {name: receptive_field(network, name).rows for name in ("first", "second", "pool", "last")}
    assert fields == {
        "first": Reach(1, -1, 1),
        "second": Reach(1, -2, 2),
        "pool": Reach(2, -2, 3),
        "last": Reach(4, -2, 7),  # 6 cells, stride 2: one pixel of padding, behind
    }
    assert receptive_field(network, "last").box(0, 2, 12) == (0, 6, 8, 12)
    with pytest.raises(ParameterError, match="reach"):
        receptive_field(network, "flat")


def test_what_lies_outside_a_receptive_field_never_changes_the_cell_and_what_lies_inside_may(model, crop, inside):
    """Against Keras: a model to that layer, without compilation and in float32."""
    rng = np.random.default_rng(0)
    for stage in inside.stages:
        until = keras.Model(model.network.inputs, model.network.get_layer(stage.stage.layer).output)
        height, width = stage.stage.grid
        for row, column in ((0, 0), (height // 2, width // 2), (height - 1, width // 3)):
            top, left, bottom, right = stage.field.box(row, column, 48)
            noise = rng.uniform(0, 1, (48, 48)).astype(np.float32)
            outside, edge = noise.copy(), crop.copy()
            outside[top:bottom, left:right] = crop[top:bottom, left:right]
            edge[top:bottom, left:right] = noise[top:bottom, left:right]
            batch = np.stack([crop, outside, edge])[..., None]
            plain, around, within = np.asarray(until(batch, training=False))[:, row, column]
            np.testing.assert_allclose(around, plain, atol=1e-4 * (1 + np.abs(plain).max()))
            assert np.abs(within - plain).max() > 1e-3 * (1 + np.abs(plain).max())


def test_a_receptive_field_is_no_larger_than_it_must_be(cnn, crop):
    """The outermost row that a cell sees can change it."""
    stage = stages(cnn.network)[1]
    until = keras.Model(cnn.network.inputs, cnn.network.get_layer(stage.layer).output)
    row = stage.grid[0] // 2
    top, left, bottom, right = receptive_field(cnn.network, stage.layer).box(row, row, 48)
    changed = np.stack([crop] * 5)
    changed[1, top], changed[2, bottom - 1], changed[3, :, left], changed[4, :, right - 1] = 1, 1, 1, 1
    plain, *edges = np.asarray(until(changed[..., None], training=False))[:, row, row]
    assert all(np.abs(edge - plain).max() > 0 for edge in edges)


def test_the_maps_are_those_of_keras_and_the_strongest_come_first(model, crop, inside):
    for stage in inside.stages:
        until = keras.Model(model.network.inputs, model.network.get_layer(stage.stage.layer).output)
        maps = np.asarray(until(crop[None, ..., None], training=False))[0]
        assert maps.shape == (*stage.stage.grid, stage.stage.channels)
        expected = np.moveaxis(maps[..., stage.strongest], -1, 0)
        np.testing.assert_allclose(stage.maps, expected, atol=0.02 * maps.max())
        means = maps.mean((0, 1))
        assert means[stage.strongest[0]] >= 0.97 * means.max()


def test_the_cells_of_the_last_stage_and_the_bias_add_up_to_the_score(model, crop, inside):
    *earlier, last = inside.stages
    assert last.exact and not any(stage.exact for stage in earlier)
    score = model.logits(crop[None])[0] @ HAPPY.weights
    assert inside.score == pytest.approx(score, rel=0.01, abs=0.01)
    assert last.parts.sum() + inside.bias == pytest.approx(score, rel=0.02, abs=0.02)


def test_the_steps_of_gradcam_by_hand():
    activations = np.array([[[1, 2], [3, 0]], [[0, 1], [2, 2]]], np.float32)
    gradient = np.array([[[1, -4], [1, 0]], [[1, 0], [5, 0]]], np.float32)  # means 2 and -1
    steps = gradcam_steps(activations, gradient, 2, count=1)
    assert steps.shown.tolist() == [0] and steps.weights.tolist() == [2] and steps.channels == 2
    assert steps.total.tolist() == [[0, 6], [-1, 2]] and steps.positive.tolist() == [[0, 6], [0, 2]]
    assert steps.maps.tolist() == [[[1, 3], [0, 2]]] and steps.enlarged.tolist() == steps.positive.tolist()


def test_the_last_step_of_gradcam_is_the_map_that_explain_shows(model, face, inside):
    values = registry.explain(model, face, HAPPY, "gradcam").values
    np.testing.assert_allclose(inside.gradcam.enlarged, values, atol=0.02 * max(np.abs(values).max(), 1e-6))


def test_the_path_runs_from_the_average_face_to_this_one_and_its_sum_is_the_difference(model, crop):
    way = path(model, crop, HAPPY, steps=64)
    ends = model.logits(np.stack([background.mean_face(), crop])) @ HAPPY.weights
    np.testing.assert_allclose(way.scores[[0, -1]], ends, rtol=0.01, atol=0.02)
    assert way.shares[0] == 0 and way.shares[-1] == 1 and len(way.shares) == len(way.scores)
    largest = float(np.abs(way.scores - way.scores[0]).max())
    assert way.values.sum() == pytest.approx(
        ends[1] - ends[0], abs=0.04 + 0.05 * largest
    )  # the network may compute in bfloat16
    assert (way.values[crop == way.start] == 0).all()


def test_on_a_linear_network_the_path_gives_each_pixel_its_weight_times_its_step(crop):
    face = keras.Input((48, 48, 1))
    network = keras.Model(face, layers.Dense(7, name="logits")(layers.Flatten()(face)))
    weights = network.get_layer("logits").kernel.numpy()[:, HAPPY.emotion].reshape(48, 48)
    way = path(wrap(network, "linear", "logits"), crop, HAPPY, steps=4)
    np.testing.assert_allclose(way.values, (crop - background.mean_face()) * weights, atol=1e-3)
    np.testing.assert_allclose(np.diff(way.scores), (way.scores[-1] - way.scores[0]) / 4, atol=0.02)
