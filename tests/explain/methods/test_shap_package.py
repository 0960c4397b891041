"""shap without numba's compiler: in a process of its own, where nobody has imported it before."""

import logging
import subprocess
import sys

import numpy as np

SCRIPT = """
import numba, numpy as np
from explain.methods import shap_package
shap = shap_package.load()
assert not isinstance(shap.links.identity, numba.core.dispatcher.Dispatcher)
assert shap_package.load() is shap
assert isinstance(numba.njit(lambda number: number + 1), numba.core.dispatcher.Dispatcher), "others compile as before"
with numba.core.event.install_recorder("numba:compile") as recorded:
    from explain.methods import shap_partition, shap_regions
    values = shap_partition.owen(lambda crops: crops.sum((1, 2)), np.ones((6, 6)), np.zeros((6, 6)), 128)
    shares = shap_regions.shapley(lambda shown: shown.sum(1), 8)
assert not recorded.buffer
np.testing.assert_allclose(values, 1)
np.testing.assert_allclose(shares, 1)
"""


def test_its_maps_need_no_compiler_and_others_keep_theirs():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)


def test_an_explainer_for_each_target_is_no_warning_and_other_warnings_are(cnn, caplog):
    from explain.base import Target
    from explain.methods import shap_gradient

    for emotion in range(7):
        shap_gradient.run(cnn, np.zeros((48, 48), np.float32), Target(emotion), shap_gradient.Params(16))
    logging.getLogger("tensorflow").warning("something else")
    assert [record.getMessage() for record in caplog.records if record.name == "tensorflow"] == ["something else"]
