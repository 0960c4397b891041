"""Places for live cameras, by a clock that the tests wind."""

import pytest

from app.serving import seats
from app.serving.seats import GONE_S, TURN_S, Seats
from models.errors import ParameterError


def test_places_are_taken_in_order_and_one_too_many_is_told_where_it_stands():
    places = Seats(2)
    assert [places.ask(name, name, 0.0) for name in "abcd"] == [0, 0, 1, 2]
    assert places.ask("a", "a", 1.0) == 0, "who has a place keeps it"


def test_who_sends_nothing_is_gone_and_the_next_comes_in():
    places = Seats(1)
    assert [places.ask(name, name, 0.0) for name in "ab"] == [0, 1]
    assert places.ask("b", "b", GONE_S - 0.1) == 1
    assert places.ask("b", "b", GONE_S + 0.1) == 0
    assert places.ask("a", "a", GONE_S + 0.2) == 1, "who comes back waits"


def test_a_turn_ends_only_while_others_wait():
    places = Seats(1)
    for second in range(0, int(TURN_S) + 9, 2):
        assert places.ask("a", "a", float(second)) == 0
    assert places.ask("b", "b", TURN_S + 9) == 0
    assert places.ask("a", "a", TURN_S + 9) == 1


def test_no_client_keeps_more_than_its_share_while_others_wait():
    places = Seats(4)
    assert [places.ask(f"a{index}", "a", float(index)) for index in range(4)] == [0] * 4
    assert [places.ask(f"b{index}", "b", 3.5) for index in range(3)] == [0, 0, 3]
    assert [places.ask(f"a{index}", "a", 3.6) for index in range(4)] == [1, 2, 0, 0], "the longest gave way"


def test_no_place_at_all_is_a_choice():
    assert Seats(0).ask("a", "a", 0.0) == 1


def test_the_setting(monkeypatch):
    assert seats.asked() == seats.PLACES
    monkeypatch.setenv("FACEWHY_LIVE", "7")
    assert seats.asked() == 7
    for wrong in ("-1", "65", "many", "²"):
        monkeypatch.setenv("FACEWHY_LIVE", wrong)
        with pytest.raises(ParameterError, match="FACEWHY_LIVE"):
            seats.asked()
