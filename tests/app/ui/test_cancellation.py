import copy

from app.ui.cancellation import Cancellation


def test_a_later_run_ends_the_one_before():
    cancellation = Cancellation()
    first = cancellation.begin()
    assert not cancellation.over(first)
    second = cancellation.begin()
    assert cancellation.over(first) and not cancellation.over(second)


def test_a_new_run_reads_no_photo_yet_and_says_where_it_began():
    cancellation = Cancellation()
    cancellation.photo = object()
    cancellation.begin(1.0, "Live")
    assert cancellation.photo is None and cancellation.place == "Live"


def test_every_visitor_has_their_own():
    """Gradio copies a state's first value for each visitor."""
    cancellation = Cancellation()
    first = cancellation.begin()
    copy.deepcopy(cancellation).begin()
    assert not cancellation.over(first)


def test_what_was_asked_for_earlier_is_over_however_late_its_turn_comes():
    cancellation = Cancellation()
    second = cancellation.begin(2000.0)
    first = cancellation.begin(1000.0)
    assert cancellation.over(first) and not cancellation.over(second)
    third = cancellation.begin(3000.0)
    assert cancellation.over(second) and not cancellation.over(third)
