"""What is answered and logged where something fails."""

import asyncio
import logging

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.security import middleware
from app.security.error_handling import Failure, classify
from app.security.exchange import Exchange
from app.security.refusals import SLOW, UNEXPECTED
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


@pytest.mark.parametrize("root", ["", "/fw"])
def test_what_gradio_does_not_understand_is_a_bad_request_and_no_error_of_ours(root, caplog):
    answer = ask("GET", root + "/gradio_api/run/x?name=ann_on_holiday.png", settings={"root_path": root})
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    refused(answer, 400, "BadRequest")
    assert "holiday" not in answer.text


@pytest.mark.parametrize(
    "error, refusal, path, failure",
    [
        (KeyError(), None, "/gradio_api/queue/join", Failure.UNREADABLE),
        (KeyError(), UNEXPECTED, "/", Failure.UNREADABLE),
        (KeyError(), None, "/predict", Failure.ACCIDENT),
        (KeyError(), SLOW, "/predict", Failure.KNOWN),
        (KeyError(), SLOW, "/gradio_api/queue/join", Failure.KNOWN),
        (OSError(), UNEXPECTED, "/gradio_api/queue/join", Failure.ACCIDENT),
        (ClientDisconnect(), None, "/predict", Failure.KNOWN),
    ],
    ids=str,
)
def test_what_an_exception_means(error, refusal, path, failure):
    under_way = Exchange(None, None)
    under_way.refusal = refusal
    assert classify(error, under_way, path) is failure


def test_a_refusal_of_gradio_in_the_middle_of_its_answer_is_no_accident():
    under_way, error = Exchange(None, None), RuntimeError("the answer has begun")
    error.__cause__ = HTTPException(404)
    assert classify(error, under_way, "/gradio_api/queue/data") is Failure.ACCIDENT
    under_way.answered = True
    assert classify(error, under_way, "/gradio_api/queue/data") is Failure.CUT_SHORT


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
