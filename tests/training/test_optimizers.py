import keras
import numpy as np
import pytest

from models import zoo
from training import optimizers, train
from training.config import Config

SGD = Config("cnn", stages=((1, 24),), learning_rate=0.1, warmup=0.0, weight_decay=0.0)


def variables():
    kernel = keras.Variable(np.array([[1.0, -2.0]], "f"), name="kernel")
    bias = keras.Variable(np.array([3.0], "f"), name="bias")
    return [kernel, bias]


def stepped(optimizer, gradients, steps: int = 1):
    """Two variables after some steps along the same gradients."""
    made = variables()
    optimizer.build(made)
    for _ in range(steps):
        optimizer.apply([keras.ops.array(gradient) for gradient in gradients], made)
    return [keras.ops.convert_to_numpy(variable) for variable in made]


GRADIENTS = [np.array([[1.0, 0.5]], "f"), np.array([2.0], "f")]


@pytest.mark.parametrize("name", ["cnn", "resnet", "vgg16", "keypoints"])
def test_the_logits_have_depth_0_and_depth_grows_block_by_block_to_the_input(name):
    network = zoo.build(name)
    depths = optimizers.depths(network)
    assert depths == sorted(depths, reverse=True) and depths[-1] == 0
    assert sorted(set(depths)) == list(range(depths[0] + 1))


def test_the_blocks_of_vgg16_by_hand():
    network = zoo.build("vgg16", width=0.25)
    pace = dict(zip((v.path for v in network.trainable_variables), optimizers.pace(network, 0.5), strict=True))
    assert pace["logits/kernel"] == 1 and pace["block5_conv3_conv/kernel"] == 0.5
    assert pace["block1_conv1_conv/kernel"] == pace["block1_conv2_bn/gamma"] == 0.5**5


def test_a_pace_scales_the_step_of_its_variable_and_not_its_decay():
    plain = train.optimizer(SGD, 10**6)
    paced = train.optimizer(SGD, 10**6, (0.25, 1.0))
    for one, two, start, factor in zip(
        stepped(plain, GRADIENTS), stepped(paced, GRADIENTS), [[[1.0, -2.0]], [3.0]], [0.25, 1.0], strict=True
    ):
        assert two - start == pytest.approx(factor * (one - start), rel=1e-4)
    # without a gradient only the decay is left: 1 - 0.1 * 0.5
    config = Config("cnn", stages=((1, 24),), learning_rate=0.1, weight_decay=0.5, schedule="plateau")
    kernel, bias = stepped(train.optimizer(config, 1, (0.25, 1.0)), [np.zeros((1, 2), "f"), np.zeros(1, "f")])
    assert kernel == pytest.approx(np.array([[0.95, -1.9]])) and bias == pytest.approx(3.0)


def test_adam_has_the_decay_in_its_gradient_and_adamw_beside_it():
    config = Config("cnn", stages=((1, 24),), optimizer="adam", schedule="plateau", learning_rate=0.1, weight_decay=0.5)
    # the first step of Adam is the learning rate in the direction of the gradient's sign: 1 + .5, .5 - 1
    kernel, bias = stepped(train.optimizer(config, 1), GRADIENTS)
    assert kernel == pytest.approx(np.array([[0.9, -1.9]]), abs=1e-5) and bias == pytest.approx(2.9, abs=1e-5)
    config = Config(
        "cnn", stages=((1, 24),), optimizer="adamw", schedule="plateau", learning_rate=0.1, weight_decay=0.5
    )
    kernel, bias = stepped(train.optimizer(config, 1), GRADIENTS)
    assert kernel == pytest.approx(np.array([[0.95 - 0.1, -1.9 - 0.1]]), abs=1e-5)
    assert bias == pytest.approx(2.9, abs=1e-5)


def test_the_average_by_hand():
    config = Config("cnn", stages=((1, 24),), learning_rate=0.1, weight_decay=0.0, schedule="plateau", ema=0.15)
    optimizer = train.optimizer(config, 1)
    made = variables()
    optimizer.build(made)
    seen = []
    for _ in range(3):
        optimizer.apply([keras.ops.array(gradient) for gradient in GRADIENTS], made)
        seen.append(keras.ops.convert_to_numpy(made[1])[0])
    # keeps nothing at first, then 2/11 cut off at .15 in both steps that follow
    expected = 0.15 * (0.15 * seen[0] + 0.85 * seen[1]) + 0.85 * seen[2]
    optimizer.finalize_variable_values(made)
    assert keras.ops.convert_to_numpy(made[1])[0] == seen[2]
    optimizer.average()
    assert keras.ops.convert_to_numpy(made[1])[0] == pytest.approx(expected, rel=1e-6)
    assert expected != pytest.approx(seen[2], rel=1e-3)


def test_an_average_keeps_less_in_the_first_steps():
    assert float(optimizers.kept(0.9995, 0)) == pytest.approx(0.1)
    assert float(optimizers.kept(0.9995, 90)) == pytest.approx(0.91)
    assert float(optimizers.kept(0.9995, 10**6)) == pytest.approx(0.9995)
