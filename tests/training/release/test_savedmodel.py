import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from models import weight_store, zoo
from models.errors import ParameterError
from models.model import restore
from training.release import savedmodel

ROOT = Path(__file__).parents[3]
SCRIPT = """
import json, sys
import numpy as np
import tensorflow as tf

loaded = tf.saved_model.load(sys.argv[1])
serve = loaded.signatures["serving_default"]
given, kept = serve.structured_input_signature[1], serve.structured_outputs
answer = serve(images=tf.constant(np.load(sys.argv[2])))["probabilities"].numpy()
print(json.dumps({
    "signatures": sorted(loaded.signatures),
    "in": {name: [spec.shape.as_list(), spec.dtype.name] for name, spec in given.items()},
    "out": {name: [spec.shape.as_list(), spec.dtype.name] for name, spec in kept.items()},
    "answer": answer.tolist(),
    "models": any(name.split(".")[0] in ("models", "training") for name in sys.modules),
}))
"""


@pytest.fixture(scope="module")
def model():
    return restore("cnn", weight_store.Located(weight_store.SHIPPED / "cnn", "folder"), zoo.build)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    return savedmodel.write(model, tmp_path_factory.mktemp("saved") / "1000000")


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).random((5, 48, 48, 1), np.float32)


def test_a_process_without_this_project_serves_the_same_probabilities(model, saved, faces, tmp_path):
    np.save(tmp_path / "faces.npy", faces)
    command = [sys.executable, "-c", SCRIPT, str(saved), str(tmp_path / "faces.npy")]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["signatures"] == ["serving_default"] and not found["models"]
    assert found["in"] == {"images": [[None, 48, 48, 1], "float32"]}
    assert found["out"] == {"probabilities": [[None, 7], "float32"]}
    logits = model.network(faces, training=False).numpy()
    np.testing.assert_allclose(found["answer"], softmax(logits / model.card.temperature, axis=1), atol=1e-5)
    np.testing.assert_allclose(np.sum(found["answer"], axis=1), 1, atol=1e-5)


def test_the_signature_takes_any_number_of_faces(saved, faces):
    run = savedmodel.load(saved)
    with savedmodel.exact():
        np.testing.assert_allclose(run(faces[:1]), run(faces)[:1], atol=1e-5)


def test_the_labels_travel_with_it(model, saved):
    assert (saved / savedmodel.LABELS).read_text().split() == list(model.card.labels)
    assert {"saved_model.pb", "variables", "assets.extra"} <= {path.name for path in saved.iterdir()}


def test_it_holds_every_weight_once(model, saved):
    size = sum(path.stat().st_size for path in saved.rglob("*") if path.is_file())
    assert 4 * model.network.count_params() < size < 4.2 * model.network.count_params()


def test_a_version_becomes_a_whole_number_that_keeps_the_order():
    assert savedmodel.number("1.2.3") == 1002003
    assert savedmodel.number("1.0.10") > savedmodel.number("1.0.9")
    with pytest.raises(ParameterError):
        savedmodel.number("latest")


def test_exact_puts_the_option_back_even_after_an_error():
    import tensorflow as tf

    def option():
        return tf.config.optimizer.get_experimental_options().get("auto_mixed_precision_onednn_bfloat16", False)

    before = option()
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": True})
    try:
        with pytest.raises(RuntimeError), savedmodel.exact():
            assert not option()
            raise RuntimeError
        assert option()
    finally:
        tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": before})
