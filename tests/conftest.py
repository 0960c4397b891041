"""Every test sees the checkout alone: no settings of whoever runs it, and no versions that lie in runs/.

FACEWHY_BF16 alone stays, so that the suite can be run as on a processor without bfloat16.
"""

import gc
import os
from functools import cache
from pathlib import Path

import httpx
import pytest

from app.ui.gradio_overrides import start

for name in [name for name in os.environ if name.startswith("FACEWHY_") and name != "FACEWHY_BF16"]:
    del os.environ[name]
start.prepare()  # before a test imports Gradio by itself
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


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once():
    """Each call of httpx would read all of the system's certificates anew, to talk to a server on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


LONG = ("browser/", "app/serving/test_ray_cluster.py", "app/api/test_hostile.py", "training/test_on_device.py")
"""What takes longest: it begins first, so that no worker is left alone with it in the end."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(LONG))
