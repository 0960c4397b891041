"""Every test sees the checkout alone: no settings of whoever runs it, and no versions that lie in runs/.

FACEWHY_BF16 alone stays, so that the suite can be run as on a processor without bfloat16.
"""

import gc
import os
from pathlib import Path

import pytest

for name in [name for name in os.environ if name.startswith("FACEWHY_") and name != "FACEWHY_BF16"]:
    del os.environ[name]
os.environ["FACEWHY_VERSIONS_DIR"] = str(Path(__file__).with_name("no-versions"))


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keep what is imported and collected, a million objects, out of every search for garbage, then and later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


LONG = ("browser/", "app/serving/test_ray_cluster.py", "app/api/test_hostile.py", "training/test_on_device.py")
"""What takes longest: it begins first, so that no worker is left alone with it in the end."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(LONG))
