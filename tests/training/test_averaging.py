from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.training.conftest import made_up_rows, write_table
from training import averaging, data, run, train
from training.config import Augmentation, Config
from training.data.batches import EmotionBatches

pytestmark = pytest.mark.usefixtures("short_cnn", "eager")
TINY = Config("cnn", stages=((2, 24),), batch=7, ema=0.9, width=0.25, augmentation=Augmentation())


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("faces"), made_up_rows())


@pytest.fixture(scope="module")
def folder(short_cnn, eager, parquet, tmp_path_factory):
    """A run's."""
    return train.train(TINY, parquet, tmp_path_factory.mktemp("runs"))


@pytest.fixture
def trained(folder):
    """A run's folder, and its network with the whole state after its last epoch."""
    model = train.network(TINY)
    model.compile(train.optimizer(TINY, 4), loss="mse")
    model.optimizer.build(model.trainable_variables)
    model.load_weights(folder / run.state(2))
    return folder, model


def test_what_is_measured_and_kept_are_the_averaged_weights(trained, parquet):
    folder, model = trained
    splits = data.load_emotions(parquet)
    training, held_out = splits["Training"], splits["PublicTest"]
    log = run.read_log(folder)
    best = max(log, key=lambda row: row["val_accuracy"])["epoch"]
    faces = held_out.images[..., None].astype(np.float32) / 255
    batches = EmotionBatches(training, training.targets(TINY.fer2013_share), TINY, 1)
    before = [keras.ops.convert_to_numpy(variable) for variable in model.weights]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    last = float(loss(held_out.targets(1.0), model.predict(faces, verbose=0)))
    with averaging.averaged(model, batches):
        value = float(loss(held_out.targets(1.0), model.predict(faces, verbose=0)))
        if best == 1:
            kept = train.network(TINY)
            kept.load_weights(folder / run.BEST)
            for one, two in zip(model.trainable_variables, kept.trainable_variables, strict=True):
                assert np.allclose(one, two, rtol=1e-5, atol=1e-6)
    assert value == pytest.approx(log[1]["val_loss"], abs=2e-4)
    assert last != pytest.approx(value, abs=1e-3)
    for variable, array in zip(model.weights, before, strict=True):  # as it was found
        assert (keras.ops.convert_to_numpy(variable) == array).all()


def test_batch_norms_get_the_mean_and_variance_of_the_faces(trained, parquet):
    _, model = trained
    training = data.load_emotions(parquet)["Training"]
    batches = EmotionBatches(training, training.targets(1.0), replace(TINY, batch=14), 0)  # one batch has all faces
    averaging.renew(model, batches)
    maps = keras.Model(model.input, model.get_layer("block1_1_conv").output).predict(batches[0][0], verbose=0)
    norm = model.get_layer("block1_1_bn")
    assert norm.moving_mean.numpy() == pytest.approx(maps.mean((0, 1, 2)), abs=1e-5)
    # TensorFlow's fused kernel keeps the unbiased variance
    assert norm.moving_variance.numpy() == pytest.approx(maps.var((0, 1, 2)), rel=1e-3)
    assert norm.momentum == 0.9


def test_two_batches_count_the_same(trained, parquet):
    _, model = trained
    training = data.load_emotions(parquet)["Training"]
    batches = EmotionBatches(training, training.targets(1.0), TINY, 0)
    averaging.renew(model, batches)
    part = keras.Model(model.input, model.get_layer("block1_1_conv").output)
    means = [part.predict(batches[index][0], verbose=0).mean((0, 1, 2)) for index in range(2)]
    assert model.get_layer("block1_1_bn").moving_mean.numpy() == pytest.approx(np.mean(means, 0), abs=1e-5)


def test_weights_come_back_after_a_failure(trained):
    _, model = trained
    before = [keras.ops.convert_to_numpy(variable) for variable in model.weights]
    with pytest.raises(KeyError), averaging.averaged(model, []):
        raise KeyError
    for variable, array in zip(model.weights, before, strict=True):
        assert (keras.ops.convert_to_numpy(variable) == array).all()
