"""The shape of a refusal, and what stays of it."""

import gc

import limits
import pytest

from app.security.exchange import Exchange
from tests.app.security.small_app import LOCK, ask


@pytest.mark.parametrize("root", ["", "/fw"])
def test_the_page_of_gradio_finds_its_sentence(root):
    assert "detail" in ask(path=root + "/gradio_api/proxy=x", settings={"root_path": root}).json()
    assert "detail" not in ask(path=root + "/predict", headers={"Origin": "null"}, settings={"root_path": root}).json()


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (400, {"headers": {"Content-Length": "many"}}),
        (401, {"settings": LOCK}),
        (403, {"headers": {"Origin": "null"}}),
        (404, {"path": "/gradio_api/proxy=x"}),
        (413, {"path": "/gradio_api/call/x", "json": "x" * 2**17}),
        (415, {"headers": {"Content-Encoding": "gzip"}}),
        (421, {"settings": {"hosts": ("other.example",)}}),
        (429, {"settings": {"rates": (limits.parse("1/minute"),)}}),
    ],
)
def test_no_refused_request_is_kept(status, asked):
    """An exception that is raised again and again would keep the frames of each time, and in them the request."""
    ask(**asked)
    gc.collect()
    before = kept()
    assert ask(times=20, **asked).status_code == status
    gc.collect()
    assert kept() <= before


def kept() -> int:
    """How many requests are in memory."""
    return sum(isinstance(thing, Exchange) for thing in gc.get_objects())
