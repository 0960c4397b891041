"""What is answered and logged where something fails."""

import asyncio
import logging

import pytest

from app.security import middleware
from app.security.settings import Settings
from tests.app.security.small_app import APP, ask, refused


@pytest.mark.parametrize("path", ["/api/fail", "/api/late"])
def test_a_failure_is_one_neutral_sentence_and_its_message_is_not_logged(path, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = ask("GET", path + "?name=ann_on_holiday.png")
    refused(answer, 500, "Unexpected")
    logged = "".join(record.getMessage() for record in caplog.records if record.name != "httpx")
    assert "holiday" not in answer.text + logged
    assert ("ValueError" in logged) == (path == "/api/fail")


def test_what_gradio_does_not_understand_is_a_bad_request_and_no_error_of_ours(caplog):
    answer = ask("GET", "/gradio_api/run/x?name=ann_on_holiday.png")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    refused(answer, 400, "BadRequest")
    assert "holiday" not in answer.text


def test_a_websocket_is_closed():
    heard = []

    async def connect():
        async def receive():
            return {"type": "websocket.connect"}

        async def say(message):
            heard.append(message)

        await middleware.protect(APP, Settings())({"type": "websocket", "path": "/", "headers": []}, receive, say)

    asyncio.run(connect())
    assert heard == [{"type": "websocket.close", "code": 1008}]
