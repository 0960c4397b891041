"""What nobody reads is forgotten: answers, calls, and how far an upload is."""

import asyncio
import time

import httpx
import pytest
from gradio.server_messages import EstimationMessage, ProcessCompletedMessage

from app.ui.gradio_overrides import pending, queue, sessions, upload_progress
from tests import server
from tests.app.test_server import Visit, until


def answer(size: int = 100, event: str = "call") -> ProcessCompletedMessage:
    return ProcessCompletedMessage(event_id=event, output={"data": ["x" * size]}, success=True)


@pytest.fixture
def answers():
    """answers(name, size, ago, read): those of a session, which were touched so many seconds ago."""
    held = pending.PendingAnswers()

    def add(name: str, size: int = 100, ago: float = 0.0, read: bool = False):
        held[name] = asyncio.Queue()
        held[name].put_nowait(answer(size))
        held[name].touched -= ago
        held[name].readers = int(read)
        return held

    return add


def test_answers_that_nobody_reads_are_forgotten_after_a_while(answers):
    answers("left", ago=61)
    answers("reads", ago=61, read=True)
    answers("computes", ago=61)
    assert answers("fresh", ago=59).abandoned(["computes"], time.monotonic()) == ["left"]


def test_beyond_what_all_may_hold_those_go_first_that_nobody_reads(answers, monkeypatch):
    monkeypatch.setattr(pending, "OF_ALL", 2500)
    answers("reads", 1000, ago=50, read=True)
    answers("older", 1000, ago=40)
    assert answers("newer", 1000, ago=30).abandoned([], time.monotonic()) == ["older"]
    monkeypatch.setattr(pending, "OF_ALL", 2**20)
    monkeypatch.setattr(pending, "SESSIONS", 1)
    assert answers("newest", 10).abandoned([], time.monotonic()) == ["older", "newer", "newest"]


def test_a_session_holds_so_many_bytes_and_no_more(answers, monkeypatch):
    monkeypatch.setattr(pending, "OF_SESSION", 3000)
    held = answers("greedy", 1000)
    held["greedy"].put_nowait(EstimationMessage(queue_size=3))
    held["greedy"].put_nowait(answer(1000))
    assert held["greedy"].qsize() == 3 and held.abandoned(["greedy"], time.monotonic()) == []
    held["greedy"].put_nowait(answer(1000))
    held["greedy"].put_nowait(answer(10))
    assert held["greedy"].qsize() == held["greedy"].held == 0
    assert held.abandoned(["greedy"], time.monotonic()) == ["greedy"]


def test_what_is_read_is_no_longer_held(answers):
    held = answers("reads", 1000)
    assert 1000 < held["reads"].held < 1500
    assert asyncio.run(held["reads"].get()).output == {"data": ["x" * 1000]}
    assert held["reads"].held == held["reads"].readers == 0


def test_calls_that_nobody_listens_to_leave_nothing_behind(monkeypatch):
    page = server.start().page
    calls = page._queue
    visits = [Visit(server.start().url, {}) for _ in range(5)]
    asked = [visit.ask() for visit in visits]
    until(lambda: not set(asked) & set(calls.event_ids_to_events))
    names = {visit.session for visit in visits}
    assert names <= set(calls.pending_messages_per_session)
    monkeypatch.setattr(pending, "ABANDONED_S", 0.0)
    until(lambda: not names & set(calls.pending_messages_per_session))
    until(lambda: not names & set(calls.pending_event_ids_session))
    assert len(calls.event_analytics) <= 1


def test_the_name_of_a_session_is_short():
    visit = Visit(server.start().url, {})
    visit.session = "x" * (queue.NAME_LENGTH + 1)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        visit.ask()


def test_a_session_that_is_forgotten_takes_its_calls_along():
    async def forget():
        from app import main
        from app.serving import admission
        from tests.app.ui.gradio_overrides.test_queue import call, picked

        page = main.build()
        work = queue.work_queues(page)[admission.EXPLAIN]
        for _ in range(4):
            await call(page, "gone")
        assert len(picked(page._queue)) == 2 and work.waiting == 2
        page._queue.pending_messages_per_session["gone"].lost = True
        page._queue.forget_abandoned()
        assert work.waiting == 0 and "gone" not in page._queue.pending_messages_per_session
        assert page._queue.pending_event_ids_session == {}

    asyncio.run(forget())


# --------------------------------------------------------------------- upload_progress


def test_asking_for_uploads_that_never_were_leaves_nothing():
    async def ask():
        progress = upload_progress.BoundedProgress()
        for name in ("a", "b", "x" * 70):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(progress.is_tracked(name), 0.01)
        return progress

    progress = asyncio.run(ask())
    assert not progress._signals and not progress._statuses


def test_uploads_are_followed_and_forgotten(monkeypatch):
    progress = upload_progress.BoundedProgress()
    monkeypatch.setattr(upload_progress, "MOST", 3)
    for name in ("first", "second", "third"):
        progress.track(name)
    progress.append("first", "face.jpg", b"x" * 10)
    progress.set_done("second")
    assert progress.pop("first").chunk_size == 10 and progress.is_done("second")
    progress.track("fourth")
    progress.forget(time.monotonic())
    assert set(progress._statuses) == set(progress._signals) == {"first", "third", "fourth"}
    progress.stop_tracking("first")
    asyncio.run(asyncio.wait_for(progress.is_tracked("first"), 600))  # the page asks again after the end
    assert "first" not in progress._statuses
    progress.track("x" * (upload_progress.LONGEST + 1))
    progress.append("unknown", "face.jpg", b"x")
    progress.set_done("unknown")
    progress.forget(time.monotonic() + upload_progress.KEPT_S + 1)
    assert not progress._statuses and not progress._signals and not progress._touched


def test_what_is_left_of_uploads_goes_with_the_sessions(monkeypatch):
    progress = upload_progress.bound()
    progress.track("left")
    progress._touched["left"] -= upload_progress.KEPT_S + 1
    server.start().application.routes[-1].app.state_holder.delete_all_expired_state()
    assert "left" not in progress._statuses and sessions.KEPT > 0
