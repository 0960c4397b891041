"""What a client sends in place of what the page's scripts send."""

from types import SimpleNamespace

import httpx
import pytest

from app.ui.gradio_overrides import events
from tests import server
from tests.app.test_server import Visit

MALFORMED = [
    "x",
    7,
    [1],
    {"index": 1.0},
    {"index": "0"},
    {"index": [0]},
    {"index": {"a": 1}},
    {"index": True},
    {"x": 1},
]


@pytest.mark.parametrize("given", MALFORMED, ids=str)
def test_an_index_that_is_none_is_left_out(given):
    assert events.data(SimpleNamespace(_data=given)).get("index") is None


def test_what_the_page_sends_is_taken_as_it_is():
    for given in ({"index": 3}, {"stroke": [[1, 2]], "width": 2.5}, {"index": None}):
        assert events.data(SimpleNamespace(_data=given)) == given
    assert events.data(SimpleNamespace(_data=None)) == {}


def test_no_malformed_event_leaves_a_traceback(caplog):
    visit = Visit(server.start().url, {})
    config = httpx.get(f"{visit.url}config", timeout=600).json()
    told = [
        event for event in config["dependencies"] if event["api_name"] in ("choose", "touch", "swap_part", "follow")
    ]
    assert told
    for event in told:
        for given in MALFORMED:
            visit.session = f"malformed{event['id']}"
            body = {"data": [None] * len(event["inputs"]), "fn_index": event["id"], "session_hash": visit.session}
            asked = httpx.post(f"{visit.url}gradio_api/queue/join", json=body | {"event_data": given}, timeout=600)
            assert asked.status_code == 200
            with httpx.stream(
                "GET", f"{visit.url}gradio_api/queue/data?session_hash={visit.session}", timeout=600
            ) as heard:
                heard.read()
    assert "Traceback" not in caplog.text and not [each for each in caplog.records if each.levelname == "ERROR"]


def test_an_unknown_session_hears_so_and_leaves_no_traceback(caplog):
    address = f"{server.start().url}gradio_api/queue/data?session_hash=unknown"
    with httpx.stream("GET", address, timeout=600) as heard:
        assert "session_not_found" in heard.read().decode()
    assert not [each for each in caplog.records if each.levelname in ("ERROR", "WARNING")]
