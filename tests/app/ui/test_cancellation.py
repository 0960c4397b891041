import copy

from app.ui.cancellation import Cancellation


def test_a_later_run_ends_the_one_before():
    cancellation = Cancellation()
    first = cancellation.begin()
    assert not cancellation.over(first)
    second = cancellation.begin()
    assert cancellation.over(first) and not cancellation.over(second)


def test_every_visitor_has_their_own():
    """Gradio copies a state's first value for each visitor."""
    cancellation = Cancellation()
    first = cancellation.begin()
    copy.deepcopy(cancellation).begin()
    assert not cancellation.over(first)
