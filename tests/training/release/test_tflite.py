import os

import numpy as np
import pytest

from models import weight_store, zoo
from models.errors import UnknownNameError
from models.model import restore
from training.release import savedmodel, tflite
from training.release.formats import example_faces, keras_probabilities


@pytest.fixture(scope="module")
def faces():
    return example_faces()


@pytest.fixture(scope="module")
def made(faces, tmp_path_factory):
    """The small network's answers, and its files by kind."""
    model = restore("cnn", weight_store.Located(weight_store.SHIPPED / "cnn", "folder"), zoo.build)
    with savedmodel.exact():
        saved = savedmodel.write(model, tmp_path_factory.mktemp("saved") / "1")
        return keras_probabilities(model, faces), {k: tflite.convert(saved, k, faces) for k in tflite.KINDS}


def types(content: bytes) -> list:
    from ai_edge_litert.interpreter import Interpreter

    return [tensor["dtype"] for tensor in Interpreter(model_content=content).get_tensor_details() if tensor["name"]]


def test_float16_halves_the_size_and_keeps_the_answer(made, faces):
    expected, files = made
    parameters = 1_174_439  # of the card, less the batch norms that are folded away
    assert 2 * parameters < len(files["float16"]) < 2.1 * parameters
    np.testing.assert_allclose(tflite.load(files["float16"])(faces), expected, atol=5e-3)
    assert types(files["float16"]).count(np.float16) >= 9


def test_int8_computes_with_whole_numbers_between_float_ends(made, faces):
    expected, files = made
    assert len(files["int8"]) < 0.55 * len(files["float16"])
    kinds = types(files["int8"])
    assert kinds.count(np.float32) == 2 and np.float16 not in kinds
    found = tflite.load(files["int8"])(faces)
    assert np.abs(found - expected).max() < 0.15
    np.testing.assert_allclose(found * 256, np.round(found * 256), atol=1e-3)


def test_a_batch_is_its_faces(made, faces):
    run = tflite.load(made[1]["int8"])
    many = np.concatenate([faces] * 3)[: tflite.BATCH + 3]
    np.testing.assert_array_equal(run(many)[-1:], run(many[-1:]))
    assert len(run(many)) == len(many)


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="float16, int8"):
        tflite.convert(tmp_path, "int4")


def test_the_converter_is_heard_only_when_it_fails(capfd):
    with tflite._quiet():
        os.write(2, b"chatter")
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError), tflite._quiet():
        os.write(2, b"the reason")
        raise RuntimeError
    os.write(2, b" afterwards")
    assert capfd.readouterr().err == "the reason afterwards"
