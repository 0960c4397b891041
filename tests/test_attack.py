"""`make attack` tells the truth about its aim; what it measures is up to the machine."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from math import inf

import pytest

from tests.load import attack
from tests.load.attack import Beside


def test_a_row_says_of_median_and_slowest_whether_they_hold():
    beside = Beside({"predict": [1.0, 2.0, 4.5], "explain": [1.0, 3.0, 3.0]}, 0)
    assert beside.medians == {"predict": 2.0, "explain": 3.0} and beside.median_holds
    assert str(beside) == "6 | 0 | 2.0 × | 3.0 × | yes | 4.5 × | no"
    assert str(Beside({"predict": [2.0], "explain": [3.1]}, 1)) == "3 | 1 | 2.0 × | 3.1 × | no | 3.1 × | no"
    assert str(Beside({"predict": [2.0], "explain": [3.0]}, 0)).endswith("yes | 3.0 × | yes")


def test_where_nothing_is_answered_nothing_holds():
    beside = Beside({"predict": [1.0], "explain": []}, 2)
    assert not beside.median_holds and beside.medians["explain"] == inf
    assert Beside({"predict": [], "explain": []}, 0).slowest == inf


@pytest.mark.parametrize("ratio, lost, reached, wrong", [(3, 0, 0, 0), (4, 0, 0, 1), (1, 1, 0, 1), (1, 0, 1, 1)])
def test_what_is_wrong_is_a_median_a_lost_request_or_an_open_door(ratio, lost, reached, wrong, monkeypatch, tmp_path):
    def stay(url, seconds, fewest):
        visitor = attack.Visitor(url)
        beside_an_attack = seconds > 0
        visitor.seconds = {"predict": [ratio if beside_an_attack else 1.0], "explain": [1.0]}
        visitor.lost = ["predict: lost"] * lost * beside_an_attack
        return visitor

    async def nobody(url):
        pass

    monkeypatch.setattr(attack, "stay", stay)
    monkeypatch.setattr(attack, "attacked", lambda *args: (10, reached))
    monkeypatch.setattr(attack, "many_clients", nobody)
    monkeypatch.setattr(attack, "costly", list)
    for name in ("settle", "resident", "peak", "forget_peak", "calm"):
        monkeypatch.setattr(attack, name, lambda *args: 0)
    (tmp_path / "log").touch()
    found: list[str] = []
    with ThreadPoolExecutor(1) as visitors, ThreadPoolExecutor(1) as attackers:
        lines = list(attack.rows("", 0, visitors, attackers, tmp_path, tmp_path / "log", 20, found))
    assert len(found) == wrong * len(attack.ATTACKS)
    assert any(line.endswith("0 MiB, at most 400: yes") for line in lines)
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1, "every row has all columns"


@pytest.mark.parametrize("wrong", [[], ["tiny uploads: a median over 3 ×"]])
def test_the_status_tells_whether_something_was_wrong(wrong, monkeypatch, capsys):
    def rows(*args):
        args[-1].extend(wrong)
        yield "a row"

    monkeypatch.setattr("sys.argv", ["attack"])
    monkeypatch.setattr(attack.resource, "setrlimit", lambda *args: None)
    monkeypatch.setattr(attack, "server", lambda *args: nullcontext(("", 0)))
    monkeypatch.setattr(attack, "limited", nullcontext)
    monkeypatch.setattr(attack, "rows", rows)
    assert attack.main() == len(wrong)
    assert "a row" in capsys.readouterr().out


def test_an_attack_goes_on_until_its_time_is_up_and_counts():
    async def one(attacker, worker):
        attacker.sent += 1
        attacker.reached += worker
        await asyncio.sleep(0)

    sent, reached = attack.attacked("http://localhost:9", one, 2, 0.05, [])
    assert sent >= 2 and 0 < reached < sent


def test_an_attack_that_ends_early_is_an_error():
    async def broken(attacker, worker):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        attack.attacked("http://localhost:9", broken, 2, 60, [])


def test_many_clients_send_pictures_that_are_damaged_and_the_same_each_time():
    def sent() -> list:
        return [options["files"]["file"] for _, options in itertools.islice(attack.requests(), 3)]

    assert sent() == sent() and len({*sent(), attack.PHOTO}) == 4
