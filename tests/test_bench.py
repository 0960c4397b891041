"""The bench tells the truth about its limits; what it measures is up to the machine."""

import inspect
import os
import subprocess
import sys

import pytest

from app.data import reading
from app.ui.tabs import data
from explain import registry
from models import dataset as shipped
from tests.bench import __main__ as bench
from tests.bench import annotation, costs, dataset, delay, generated, libraries, timing
from tests.bench.timing import Row


def test_a_row_says_whether_its_limit_holds():
    assert str(Row("a / b", 1.204, 1.2, "×")) == "| a / b | 1.20 × | ≤ 1.2 | no |"
    assert str(Row("a / b", 1.2, 1.2, "×")) == "| a / b | 1.20 × | ≤ 1.2 | yes |"
    assert str(Row("agree", 0.951, 0.95, "", at_least=True)) == "| agree | 0.95 | ≥ 0.95 | yes |"
    assert str(Row("samples", 48, 64, "")) == "| samples | 48 | ≤ 64 | yes |"
    assert not Row("agree", float("nan"), 0.95, "", at_least=True).holds


def test_calls_are_timed_in_turns_after_a_warm_up(monkeypatch):
    clock, order = [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])

    def call(name, costs):
        def run():
            order.append(name)
            clock[0] += costs.pop(0)

        return run

    first, second = timing.seconds(call("a", [99, 99, 1, 5, 2]), call("b", [99, 99, 4, 4, 4]), turns=3)
    assert (first, second) == (2, 4) and order == ["a", "b"] * 5


def test_the_fewest_samples_that_agree():
    asked = []

    def fidelity(number):
        asked.append(number)
        return number / 100

    assert libraries.fewest(range(90, 101), fidelity) == 95 and asked == list(range(90, 96))
    assert libraries.fewest([1, 2], fidelity) == 2


def test_every_method_has_a_row():
    assert set(registry.METHODS) <= set(costs.needed())


def test_a_part_that_is_not_there_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", "coffee"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "no such part: coffee" in capsys.readouterr().err
    assert all(list(inspect.signature(part).parameters) == ["models", "turns"] for part in bench.PARTS.values())


def test_a_delay_is_counted_from_a_jump_to_the_first_box_on_its_side():
    to = ["right", "left"] * 4
    jumps = [{"to": side, "at": 1000.0 * index} for index, side in enumerate(to)]
    sent = [{"to": turn["to"], "at": turn["at"] + 50} for turn in jumps]
    late = {5: 250, 6: 1100}  # what follows after the next jump counts as that jump
    drawn = [{"to": turn["to"], "at": turn["at"] + late.get(index, 0)} for index, turn in enumerate(jumps)]
    whole, server = delay.delays({"jumps": jumps, "sent": sent, "drawn": drawn})
    assert whole == [0.25, 1.0] and server == [0.2, 0.95]


def test_generated_photos_differ_and_are_the_same_each_time():
    first = [generated.photo(index) for index in range(6)]
    assert len(set(first)) == 6 and first == [generated.photo(index) for index in range(6)]
    assert first[0] != generated.photo(0, seed=1)


def test_real_photos_are_repeated_until_there_are_enough(tmp_path):
    real = tmp_path / "real" / "below"
    real.mkdir(parents=True)
    for name in ("b.JPG", "a.png"):
        (real / name).write_bytes(name.encode())
    (real / "notes.txt").write_text("no photo")
    folder = annotation.repeated(real.parent, tmp_path / "made", 5)
    assert [path.name for path in sorted(folder.iterdir())] == [
        "00000.png", "00001.jpg", "00002.png", "00003.jpg", "00004.png"
    ]  # fmt: skip
    assert (folder / "00003.jpg").read_bytes() == b"b.JPG"
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="No photo was found"):
        annotation.repeated(tmp_path / "empty", tmp_path / "none", 5)


def test_memory_counts_what_a_process_started():
    before = annotation.held()
    if not before:
        pytest.skip("no /proc here")
    holding = "import sys; kept = b'x' * (80 * 2**20); print('held', flush=True); sys.stdin.read()"
    of_shell = [f'{sys.executable} -c "{holding}"; true']  # the child of a child
    started = subprocess.Popen(of_shell, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert started.stdout.readline() == "held\n"
        assert len(annotation.family(started.pid)) == 2 and started.pid in annotation.family(os.getpid())
        assert annotation.held() - before > 80
    finally:
        started.communicate()


def test_a_large_dataset_is_one_that_the_tab_shows(tmp_path, monkeypatch):
    count = shipped.read(reading.SHIPPED).rows["faces"]
    made = shipped.read(dataset.write(tmp_path / "made", count + 2))
    assert made.rows == {"photos": count + 2, "faces": count + 2, "errors": 0}
    faces = made.read("faces", ["photo_sha256", "emotion", "keypoint_nose_tip_x"]).to_pylist()
    first, again = faces[0], faces[count]
    assert first["emotion"] == again["emotion"] and len({face["photo_sha256"] for face in faces}) == count + 2
    assert 0 < abs(first["keypoint_nose_tip_x"] - again["keypoint_nose_tip_x"]) < 4
    monkeypatch.setattr(dataset, "FACES", 100)
    monkeypatch.setattr(reading, "_opened", None)
    view, filtered = dataset.rows([], 1)
    assert view.measured > 0 and "first view of 100 faces" in str(view) and filtered.limit == 1
    monkeypatch.setenv(reading.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(RuntimeError, match="No dataset was found"):
        dataset.seconds_of(data, dataset.UNFILTERED)


def test_memory_is_told_at_the_start_at_every_thousand_and_at_the_end():
    told = [(done, 0.0, 100.0 + done) for done in (64, 640, 1024, 1900, 3100, 3200)]
    assert [done for done, _, _ in annotation.marks(told)] == [64, 1024, 3100, 3200]
    assert annotation.marks(told[:1]) == told[:1]
