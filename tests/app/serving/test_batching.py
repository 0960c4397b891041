import threading
import time
from concurrent.futures import ThreadPoolExecutor

from app.serving.batching import Batcher
from models import pauses
from models.errors import WeightsError


class Doubling:
    """Doubles numbers, refuses negative ones, and waits in every round until it is told to go on."""

    def __init__(self):
        self.batches, self.go = [], threading.Event()
        self.go.set()

    def __call__(self, items):
        self.batches.append(list(items))
        assert self.go.wait(60)
        if any(item < 0 for item in items):
            raise ValueError(f"{min(items)} is negative")
        return [2 * item for item in items]


def together(function, batcher, callers):
    """Calls that all wait while a first round is held up: their results, or errors, in order."""
    function.go.clear()
    with ThreadPoolExecutor(len(callers) + 1) as pool:
        first = pool.submit(batcher, [1000])
        while not function.batches:
            time.sleep(0.001)
        waiting = []
        for items in callers:
            waiting.append(pool.submit(batcher, items))
            while len(batcher._queue) < len(waiting):
                time.sleep(0.001)
        function.go.set()
        assert first.result(60) == [2000]
        return [each.exception(60) or each.result() for each in waiting]


def test_one_caller_is_answered_at_once():
    function = Doubling()
    assert Batcher(function, 4)([1, 2, 3]) == [2, 4, 6]
    assert function.batches == [[1, 2, 3]]


def test_callers_who_wait_are_computed_together_and_get_their_own_answers():
    function = Doubling()
    batcher = Batcher(function, 8)
    assert together(function, batcher, [[1, 2], [3], [4, 5, 6]]) == [[2, 4], [6], [8, 10, 12]]
    assert function.batches == [[1000], [1, 2, 3, 4, 5, 6]]
    assert (batcher.batches, batcher.items) == (2, 7)


def test_a_round_is_no_larger_than_it_may_be():
    function = Doubling()
    together(function, Batcher(function, 3), [[1, 2], [3, 4], [5], [6, 7, 8, 9, 10], [11]])
    assert function.batches == [[1000], [1, 2], [3, 4, 5], [6, 7, 8, 9, 10], [11]]


def test_an_error_reaches_only_the_caller_whose_items_raise_it():
    function = Doubling()
    batcher = Batcher(function, 8)
    found = together(function, batcher, [[1], [-7], [3]])
    assert found[0] == [2] and found[2] == [6]
    assert isinstance(found[1], ValueError) and "-7" in str(found[1])
    assert batcher([5]) == [10], "it goes on after an error"


def test_a_model_that_cannot_be_asked_is_asked_once_for_all():
    function = Doubling()
    batcher = Batcher(function, 8)

    def gone(items):
        if items != [1000]:
            function.batches.append(list(items))
            raise WeightsError("The server answers")
        return function(items)

    batcher.function = gone
    assert all(isinstance(error, WeightsError) for error in together(function, batcher, [[1], [2], [3]]))
    assert function.batches == [[1000], [1, 2, 3]]


def test_a_round_waits_for_callers_who_are_on_their_way():
    function = Doubling()
    batcher = Batcher(function, 8)
    present = 2
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(batcher, [1], lambda: present)
        while not batcher._queue:
            time.sleep(0.0001)
        second = pool.submit(batcher, [2], lambda: present)
        assert (first.result(60), second.result(60)) == ([2], [4])
    assert sorted(map(len, function.batches)) in ([2], [1, 1])  # a busy machine may be later than the wait
    assert batcher([3], lambda: 99) == [6], "it waits a moment, not for ever"


def test_many_callers_of_many_threads_lose_and_mix_up_nothing():
    function = Doubling()
    batcher = Batcher(function, 5)

    def ask(number):
        return batcher([number, number + 0.5]) == [2 * number, 2 * number + 1]

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(2000)))
    assert batcher.items == 4000
    assert not batcher._busy and not batcher._queue


def test_a_batch_does_not_pause_as_the_call_would_that_computes_it():
    """Those that come first may be in it: they would wait for the pause that lets them go first."""
    paused = []

    def compute(items):
        pauses.here()
        return items

    with pauses.waiting_for(lambda: paused.append(1)):
        assert Batcher(compute, 8)([1]) == [1]
        assert paused == []
        pauses.here()
    assert paused == [1]
