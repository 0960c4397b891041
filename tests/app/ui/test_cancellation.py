import copy

from app.ui.cancellation import Cancellation


def test_a_later_run_ends_the_one_before():
    turns = Cancellation()
    first = turns.begin()
    assert not turns.over(first)
    second = turns.begin()
    assert turns.over(first) and not turns.over(second)


def test_every_visitor_has_their_own():
    """Gradio copies a state's first value for each visitor."""
    turns = Cancellation()
    first = turns.begin()
    copy.deepcopy(turns).begin()
    assert not turns.over(first)
