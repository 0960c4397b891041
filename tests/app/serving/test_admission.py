"""Who is computed for and in which order: events decide how long a call takes, never a clock."""

import asyncio
import gc
import threading
import weakref
from types import SimpleNamespace

import pytest
from anyio import to_thread

from app.serving import admission
from app.serving.admission import WorkQueue
from models import pauses
from models.errors import BusyError, UnreadablePhotoError


def queue(at_once: int = 2, waiting: int = 16) -> WorkQueue:
    return WorkQueue("test", at_once, waiting, usual=4.0)


def in_a_loop(test):
    """Run an asynchronous test."""

    def run():
        asyncio.run(test())

    run.__name__ = test.__name__
    return run


def order(work: WorkQueue, places: list) -> list[str]:
    """Whose calls run, one after the other, when each ends as soon as it has begun."""
    ran, left = [], list(places)
    while left:
        place = next(place for place in left if place.granted)
        left.remove(place)
        ran.append(place.client)
        place.leave()
    return ran


@in_a_loop
async def test_a_full_queue_answers_at_once_and_says_when_to_come_back():
    work, go = queue(1, 2), threading.Event()
    inside = [asyncio.create_task(work.run(go.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError) as refused:
        await work.run(go.wait)
    assert not any(task.done() for task in inside)
    go.set()
    assert await asyncio.gather(*inside) == [True] * 3
    assert refused.value.seconds == 6 and "6 s" in str(refused.value)
    assert work.running == work.waiting == 0


@in_a_loop
async def test_no_more_run_at_once_than_may():
    work, running, most, lock = queue(2, 20), set(), [], threading.Lock()

    def compute(number):
        with lock:
            running.add(number)
            most.append(len(running))
        threading.Event().wait(0.002)
        with lock:
            running.remove(number)
        return number

    assert await asyncio.gather(*(work.run(compute, number) for number in range(12))) == list(range(12))
    assert max(most) <= 2


@in_a_loop
async def test_a_call_that_fails_frees_its_place_and_the_usual_time_is_learned():
    work = queue(1, 0)

    def fail():
        raise ValueError("no")

    for _ in range(30):
        with pytest.raises(ValueError):
            await work.run(fail)
    assert work.running == work.waiting == 0
    work.enter()
    assert work.seconds == 1, "it was 2 before"


@in_a_loop
async def test_a_call_that_fails_keeps_nothing_of_its_picture():
    class Picture:
        pass

    pictures = []

    def decode(picture):
        raise ValueError("damaged")

    def read():
        picture = Picture()
        pictures.append(weakref.ref(picture))
        try:
            decode(picture)
        except ValueError as error:
            raise UnreadablePhotoError("The photo could not be decoded", "a picture", "Save it again") from error

    gc.disable()
    try:
        with pytest.raises(UnreadablePhotoError) as refused:
            await queue().run(read)
        assert pictures[0]() is None, "though the error is held, and no garbage was collected"
    finally:
        gc.enable()
    assert "could not be decoded" in str(refused.value)


def test_a_refusal_is_told_late_while_others_are_there_and_at_once_else(monkeypatch):
    @in_a_loop
    async def test():
        slept = []

        async def sleep(seconds):
            slept.append((seconds, work.running))

        monkeypatch.setattr(admission.anyio, "sleep", sleep)
        work = queue(1, 2)

        def refuse():
            raise UnreadablePhotoError("The photo could not be decoded", "a picture", "Save it again")

        with pytest.raises(UnreadablePhotoError):
            await work.run(refuse, client="greedy")
        assert slept == []
        assert await work.run(lambda: 1, client="guest") == 1
        with pytest.raises(UnreadablePhotoError):
            await work.run(refuse, client="greedy")
        assert slept == [(admission.REFUSED_S, 0)], "with its place left to others"
        for name in ("guest", "other", "third"):
            work.enter(name)
        with pytest.raises(BusyError):
            await work.run(refuse, client="greedy")
        assert slept == [(admission.REFUSED_S, 0), (admission.REFUSED_S, 1)], "nor is there a place"

    test()


@in_a_loop
async def test_a_client_may_take_every_place_while_nobody_else_waits():
    work = queue()
    places = [work.enter("school") for _ in range(18)]
    assert [place.granted for place in places] == [True] * 2 + [False] * 16
    with pytest.raises(BusyError):
        work.enter("school")


@in_a_loop
async def test_others_find_a_place_where_one_client_has_taken_all():
    """24 connections of one client to /api/v1/trust: everyone else got 503, 36 of 36 times."""
    work = queue()
    places = [work.enter("greedy") for _ in range(18)]
    guests = [work.enter(f"guest {number}") for number in range(6)]
    assert [place.displaced for place in places] == [False] * 12 + [True] * 6, "the latest that wait give way"
    with pytest.raises(BusyError):
        await places[-1].wait()
    with pytest.raises(BusyError):
        work.enter("greedy")
    assert not any(place.displaced for place in guests)
    assert [place.granted for place in guests] == [True] + [False] * 5, "one begins beside those of the greedy client"
    places[0].leave()
    assert not any(place.granted for place in guests[1:]), "two are at work again"
    places[1].leave()
    assert guests[1].granted and not places[2].granted, "and the guests are next"


@in_a_loop
async def test_one_more_begins_beside_a_client_that_runs_all_and_no_second():
    work = queue()
    greedy = [work.enter("greedy") for _ in range(3)]
    guest, other = work.enter("guest"), work.enter("other")
    assert (greedy[2].granted, guest.granted, other.granted) == (False, True, False)
    guest.leave()
    assert other.granted and not greedy[2].granted and work.running == 3
    other.leave()
    greedy[0].leave()
    assert not greedy[2].granted, "one place is left to those who were there a moment ago"
    greedy[1].leave()
    assert greedy[2].granted and work.running == 1
    alone = queue(1)
    assert alone.enter("greedy").granted and not alone.enter("guest").granted, "where one runs at a time, one does"


def test_a_client_leaves_one_place_to_others_until_they_have_been_gone_for_a_while(monkeypatch):
    @in_a_loop
    async def test():
        clock = [100.0]
        monkeypatch.setattr(admission, "time", SimpleNamespace(monotonic=lambda: clock[0]))
        work = queue()
        guest = work.enter("guest")
        greedy = [work.enter("greedy") for _ in range(3)]
        assert [place.granted for place in greedy] == [True, False, False]
        guest.leave()
        assert not greedy[1].granted
        clock[0] += admission.RECENT_S / 2
        greedy[0].leave()
        assert greedy[1].granted and not greedy[2].granted, "the guest may come back"
        clock[0] += admission.RECENT_S
        again = work.enter("greedy")
        assert greedy[2].granted and not again.granted, "the guest is gone"
        assert [work.enter("first").granted, work.enter("second").granted] == [True, False]

    test()


@in_a_loop
async def test_while_others_wait_no_client_gets_more_than_a_third_of_the_places():
    work = queue()
    held = {name: [work.enter(name)] for name in ("other", "first", "second")}
    for name in ("first", "second"):
        with pytest.raises(BusyError):
            for _ in range(18):
                held[name].append(work.enter(name))
    assert len(held["first"]) == len(held["second"]) == 6
    assert work.enter("third") is not None


@in_a_loop
async def test_those_who_hold_their_share_do_not_displace_each_other():
    work = queue()
    places = [work.enter(name) for name in ("a", "b", "c") for _ in range(6)]
    with pytest.raises(BusyError):
        work.enter("d")
    assert not any(place.displaced for place in places)


@in_a_loop
async def test_clients_take_turns_and_each_keeps_its_order():
    work = queue(1)
    places = [work.enter(client) for client in ("a", "a", "a", "a", "b", "b", "c")]
    assert order(work, places) == ["a", "b", "c", "a", "b", "a", "a"]


@in_a_loop
async def test_visitors_of_the_page_come_first_but_not_alone():
    work = queue(1)
    places = [work.enter("program"), work.enter("program"), work.enter("other"), work.enter("guest", visitor=True)]
    assert order(work, places) == ["program", "guest", "other", "program"]
    work = queue(3, 15)
    for _ in range(3):
        work.enter("page", visitor=True)
    other = work.enter("other")
    late = [work.enter("page", visitor=True), work.enter("program")]
    assert other.granted and not late[1].granted
    other.leave()
    assert late[1].granted and not late[0].granted, "who runs its share waits for who runs less"


@in_a_loop
async def test_a_place_is_left_once_and_a_call_that_gave_up_waiting_runs_no_more():
    work = queue(1)
    runs, waits, last = (work.enter() for _ in range(3))
    waits.leave()
    waits.leave()
    assert (work.running, work.waiting) == (1, 1)
    runs.leave()
    runs.leave()
    assert last.granted and not waits.granted
    last.leave()
    assert (work.running, work.waiting) == (0, 0)


def test_who_holds_much_pauses_between_steps_while_who_holds_little_is_computed_for(monkeypatch):
    began, step, looked, done = threading.Event(), threading.Event(), threading.Event(), []
    looks = WorkQueue._lighter_runs

    def look(work, client):
        found = looks(work, client)
        if found:
            looked.set()
        return found

    def heavy():
        began.set()
        step.wait()
        pauses.here()
        done.append("heavy")

    def light():
        step.set()
        pauses.here()
        done.append("light" if looked.wait(60) else "nobody waits")

    @in_a_loop
    async def test():
        queues = admission.create()
        work = asyncio.create_task(queues[admission.EXPLAIN].run(heavy, client="greedy"))
        await to_thread.run_sync(began.wait)
        for name in (admission.EXPLAIN, admission.PREVIEW):
            queues[name].enter("greedy")
        await queues[admission.PREDICT].run(light, client="guest")
        await work

    monkeypatch.setattr(WorkQueue, "_lighter_runs", look)
    monkeypatch.setattr(admission, "GIVE_WAY_S", 300.0)
    test()
    assert done == ["light", "heavy"]


@in_a_loop
async def test_only_who_holds_three_times_as_much_gives_way():
    queues = admission.create()
    work = queues[admission.EXPLAIN]
    places = [work.enter("greedy") for _ in range(2)]
    guest = queues[admission.PREDICT].enter("guest")
    assert not work._lighter_runs("greedy")
    places.append(work.enter("greedy"))
    assert work._lighter_runs("greedy") and not work._lighter_runs("guest")
    guest.leave()
    assert not work._lighter_runs("greedy"), "nobody else is computed for"


def test_who_gives_way_goes_on_after_a_while_in_any_case(monkeypatch):
    clock = [100.0]

    def sleep(seconds):
        clock[0] += seconds

    @in_a_loop
    async def test():
        work = queue()
        for client in ("guest", "greedy", "greedy", "greedy"):
            work.enter(client)
        work.give_way("greedy")
        assert clock[0] == pytest.approx(100 + admission.GIVE_WAY_S, abs=2 * admission.LOOK_S)
        work.give_way("guest")
        assert clock[0] < 100 + 2 * admission.GIVE_WAY_S

    monkeypatch.setattr(admission, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    test()


@in_a_loop
async def test_a_queue_that_is_closed_finishes_what_runs_and_begins_nothing():
    work, go = queue(1), threading.Event()
    inside = [asyncio.create_task(work.run(go.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    work.close()
    for task in inside[1:]:
        with pytest.raises(BusyError):
            await task
    with pytest.raises(BusyError):
        work.enter()
    go.set()
    assert await inside[0] is True


def test_the_client_is_whom_the_middleware_named():
    assert admission.client_of({"state": {"client": "203.0.113.7"}}) == "203.0.113.7"
    assert admission.client_of({}) == admission.client_of({"state": None}) == ""
