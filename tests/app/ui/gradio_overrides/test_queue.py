"""Calls of the page wait where those of REST and MCP do, and each keeps to the place it has there."""

import asyncio
from types import SimpleNamespace

import pytest
from anyio import to_thread
from gradio.data_classes import PredictBodyInternal

from app import main
from app.serving import admission
from app.ui.gradio_overrides import queue
from models import pauses


@pytest.fixture
def page():
    return main.build()


def call(page, client: str, session: str = "", browser: bool = False):
    """Send a call that explains: a name of it, or why it was refused."""
    index = next(key for key, event in page.fns.items() if event.concurrency_id == admission.EXPLAIN)
    body = PredictBodyInternal(data=[], fn_index=index, session_hash=session or client)
    headers = {"sec-fetch-site": "same-origin"} if browser else {}
    return page._queue.push(body, SimpleNamespace(headers=headers, scope={"state": {"client": client}}), None)


def in_a_loop(test):
    def run(page):
        asyncio.run(test(page, page._queue))

    run.__name__ = test.__name__
    return run


def picked(calls) -> list[str]:
    """Which calls run next, until none may."""
    found = []
    while events := calls.get_events():
        found.append(events[0][0].session_hash)
    return found


@in_a_loop
async def test_rest_and_the_page_share_their_places(page, calls):
    work = queue.work_queues(page)[admission.EXPLAIN]
    rest = [work.enter(client) for client in ("rest", "other")]
    await call(page, "gradio")
    await call(page, "visitor", browser=True)
    assert picked(calls) == [], "all places are taken by REST"
    rest[0].leave()
    assert picked(calls) == ["visitor"], "the page's visitors first"
    rest[1].leave()
    assert picked(calls) == ["gradio"]


@in_a_loop
async def test_a_call_that_gives_way_is_told(page, calls):
    work = queue.work_queues(page)[admission.EXPLAIN]
    for _ in range(work.most):
        assert (await call(page, "greedy"))[0]
    pushed, said, state = await call(page, "greedy")
    assert not pushed and state == "queue_full" and "busy" in said
    work.enter("rest")
    assert len(picked(calls)) == work.at_once
    told = calls.pending_messages_per_session["greedy"]
    last = [told.get_nowait() for _ in range(told.qsize())][-1]
    assert not last.success and "busy" in last.output["error"]


@in_a_loop
async def test_a_page_that_is_closed_leaves_its_places(page, calls):
    work = queue.work_queues(page)[admission.EXPLAIN]
    for _ in range(4):
        await call(page, "gone")
    assert len(picked(calls)) == work.running == 2
    assert work.waiting == 2
    await calls.clean_events(session_hash="gone")
    assert work.waiting == 0


@in_a_loop
async def test_who_waits_is_told_at_which_place_with_those_of_other_interfaces(page, calls):
    work = queue.work_queues(page)[admission.EXPLAIN]
    for client in ("rest", "other", "rest"):
        work.enter(client)
    await call(page, "program")
    await call(page, "visitor", browser=True)
    told = {name: calls.pending_messages_per_session[name] for name in ("program", "visitor")}
    last = {name: [one.get_nowait() for _ in range(one.qsize())][-1] for name, one in told.items()}
    usual = admission.USUAL[admission.EXPLAIN] / work.at_once
    assert {name: (message.rank, message.queue_size, message.rank_eta) for name, message in last.items()} == {
        "program": (1, 3, 2 * usual),
        "visitor": (0, 3, usual),
    }


def test_a_call_of_the_page_gives_way_as_its_place_does(page, monkeypatch):
    asked = []

    async def process(calls, events):
        await to_thread.run_sync(pauses.here)

    async def test():
        await call(page, "greedy")
        [events, *_] = page._queue.get_events()
        await page._queue.process_events(events)

    monkeypatch.setattr(queue.Queue, "process_events", process)
    monkeypatch.setattr(admission.WorkQueue, "give_way", lambda work, client: asked.append((work.name, client)))
    asyncio.run(test())
    assert asked == [(admission.EXPLAIN, "greedy")] and not queue.work_queues(page)[admission.EXPLAIN].running
