import dataclasses
import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from models import card as cards
from models import weight_store
from models.errors import (
    ParameterError,
    UnknownNameError,
    WeightsError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from tests.models.test_card import CARD
from training.release import versions as module
from training.release.versions import active, find, following, order, promote, rollback, validation, versions


def put(folder, number, accuracy=None, run="cnn", seed=None):
    """A folder of weights of "cnn" with files of its own; the weights differ by seed, or by number."""
    folder.mkdir(parents=True)
    value = np.float16(sum(map(int, number.split("."))) if seed is None else seed)
    save_file({"a/kernel": np.full(4, value)}, folder / weight_store.FILE)
    card = dataclasses.replace(
        CARD,
        name="cnn",
        version=number,
        metrics={} if accuracy is None else {"PublicTest": {"accuracy": accuracy}, "data_sha256": "0" * 64},
        training=dataclasses.replace(CARD.training, run=run),
        sha256=weight_store._sha256(folder / weight_store.FILE),
    )
    cards.write(card, folder)
    (folder / "report").mkdir()
    (folder / "report" / "curve.json").write_text(f"{number} {seed}")


@pytest.fixture
def places(tmp_path):
    """1.0.0 ships; 1.0.1 is better, 1.0.2 worse, 1.0.10 was not measured."""
    archive, shipped = tmp_path / "archive", tmp_path / "weights"
    put(shipped / "cnn", "1.0.0", 0.60)
    put(archive / "1.0.1" / "cnn", "1.0.1", 0.65)
    put(archive / "1.0.2" / "cnn", "1.0.2", 0.55, run="long")
    put(archive / "1.0.10" / "cnn", "1.0.10", run="long")
    return archive, shipped


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ------------------------------------------------------------------------------------------ list


def test_numbers_are_sorted_as_numbers_and_the_shipped_one_is_active(places):
    found = versions("cnn", *places)
    assert [(version.number, version.active) for version in found] == [
        ("1.0.0", True),
        ("1.0.1", False),
        ("1.0.2", False),
        ("1.0.10", False),
    ]
    assert found[0].folder == places[1] / "cnn" and found[1].folder == places[0] / "1.0.1" / "cnn"
    assert str(found[1]) == "cnn 1.0.1"
    assert versions("resnet", *places) == []


def test_a_version_that_ships_and_is_in_the_archive_counts_once(places):
    shutil.copytree(places[1] / "cnn", places[0] / "1.0.0" / "cnn")
    found = versions("cnn", *places)
    assert [version.number for version in found] == ["1.0.0", "1.0.1", "1.0.2", "1.0.10"] and found[0].active


def test_a_folder_of_a_version_number_can_be_shown_in_the_app(places, monkeypatch):
    monkeypatch.setenv("FACEWHY_WEIGHTS_DIR", str(places[0] / "1.0.2"))
    assert weight_store.locate("cnn") == weight_store.Located(places[0] / "1.0.2" / "cnn", "folder")


def test_a_version_is_found_by_number_by_run_and_by_being_the_latest(places):
    assert find("cnn", "1.0.1", *places).number == "1.0.1"
    assert find("cnn", "long", *places).number == "1.0.10"
    assert find("cnn", "", *places).number == "1.0.10"
    with pytest.raises(UnknownNameError, match="'1.0.3'.*1.0.0, 1.0.1, 1.0.2, 1.0.10"):
        find("cnn", "1.0.3", *places)
    with pytest.raises(UnknownNameError, match="export resnet"):
        find("resnet", "", *places)


def test_the_next_number_follows_the_latest(places, tmp_path):
    assert following("cnn", *places) == "1.0.11"
    assert following("resnet", *places) == "1.0.0"


def test_a_folder_that_is_not_what_its_place_says_is_named(places):
    (places[0] / "1.0.1").rename(places[0] / "1.0.3")
    with pytest.raises(WeightsMismatchError, match="does not hold the version 1.0.3 of cnn. Received: cnn 1.0.1"):
        versions("cnn", *places)


def test_order_refuses_what_is_no_version():
    assert order("1.0.10") > order("1.0.9") and order("2.0.0") > order("1.99.99")
    with pytest.raises(ParameterError):
        order("1.0.0-beta")


def test_what_versions_are_compared_by():
    emotions = dataclasses.replace(CARD, metrics={"PublicTest": {"accuracy": 0.7}, "PrivateTest": {"accuracy": 0.9}})
    assert validation(emotions) == ("accuracy on PublicTest", 0.7)
    assert validation(dataclasses.replace(CARD, metrics={"PrivateTest": {"accuracy": 0.9}}))[1] is None
    keypoints = dataclasses.replace(CARD, cam_layer=None, metrics={"validation": {"nme": 0.04}, "test": {"nme": 0.01}})
    assert validation(keypoints) == ("mean error on the validation people", -0.04)
    assert validation(dataclasses.replace(keypoints, metrics={"test": {"nme": 0.01}}))[1] is None


# --------------------------------------------------------------------------------------- promote


def test_a_promotion_changes_all_files_and_keeps_those_it_replaces(places):
    archive, shipped = places
    old, new = content(shipped / "cnn"), content(archive / "1.0.1" / "cnn")
    version = promote("cnn", "1.0.1", False, *places)
    assert version.active and version.number == "1.0.1" and version.folder == shipped / "cnn"
    assert content(shipped / "cnn") == new == content(archive / "1.0.1" / "cnn")
    assert content(archive / "1.0.0" / "cnn") == old
    assert [path.name for path in shipped.iterdir()] == ["cnn"]
    assert active("cnn", shipped).number == "1.0.1"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("1.0.2", "the accuracy on PublicTest would be worse. Received: 55.00% for cnn 1.0.2, and 60.00%"),
        ("1.0.10", "was not measured before its promotion. Received: cnn 1.0.10 without accuracy on PublicTest"),
    ],
)
def test_a_worse_or_unmeasured_version_is_refused_unless_forced(places, number, sentence):
    before = content(places[1]), content(places[0])
    with pytest.raises(WeightsError, match=sentence):
        promote("cnn", number, False, *places)
    assert (content(places[1]), content(places[0])) == before
    assert promote("cnn", number, True, *places).number == number
    assert active("cnn", places[1]).number == number


def test_an_equal_version_is_no_worse(places):
    put(places[0] / "1.0.3" / "cnn", "1.0.3", 0.60)
    assert promote("cnn", "1.0.3", False, *places).number == "1.0.3"


def test_figures_of_different_data_are_not_compared(places):
    folder = places[0] / "1.0.1" / "cnn"
    card = cards.read(folder)
    cards.write(dataclasses.replace(card, metrics=card.metrics | {"data_sha256": "1" * 64}), folder)
    with pytest.raises(WeightsError, match="not measured on the same data. Received: cnn 1.0.1 and the active 1.0.0"):
        promote("cnn", "1.0.1", False, *places)
    assert promote("cnn", "1.0.1", True, *places).number == "1.0.1"


@pytest.mark.parametrize(("lacks", "named"), [("new", "for cnn 1.0.1"), ("active", "for the active cnn 1.0.0")])
def test_figures_of_unknown_data_are_not_compared(places, lacks, named):
    archive, shipped = places
    folder = archive / "1.0.1" / "cnn" if lacks == "new" else shipped / "cnn"
    card = cards.read(folder)
    figures = {name: figure for name, figure in card.metrics.items() if name != "data_sha256"}
    cards.write(dataclasses.replace(card, metrics=figures), folder)
    before = content(shipped), content(archive)
    with pytest.raises(WeightsError, match=f"not known whether.* no sha256 of the data {named}. Measure it again"):
        promote("cnn", "1.0.1", False, *places)
    assert (content(shipped), content(archive)) == before
    assert promote("cnn", "1.0.1", True, *places).number == "1.0.1"


def test_keypoints_with_a_larger_error_are_refused(tmp_path):
    for folder, number, error in (("shipped", "1.0.0", 0.04), ("archive/1.0.1", "1.0.1", 0.05)):
        put(tmp_path / folder / "cnn", number)
        card = cards.read(tmp_path / folder / "cnn")
        card = dataclasses.replace(
            card, cam_layer=None, metrics={"validation": {"nme": error}, "data_sha256": "0" * 64}
        )
        cards.write(card, tmp_path / folder / "cnn")
    with pytest.raises(
        WeightsError, match="mean error on the validation people would be worse. Received: 5.00% .* 4.00%"
    ):
        promote("cnn", "1.0.1", False, tmp_path / "archive", tmp_path / "shipped")


def test_an_active_version_without_a_figure_cannot_be_compared_with(places):
    archive, shipped = places
    cards.write(dataclasses.replace(cards.read(shipped / "cnn"), metrics={}), shipped / "cnn")
    with pytest.raises(WeightsError, match="evaluate cnn --version 1.0.0"):
        promote("cnn", "1.0.1", False, *places)
    assert promote("cnn", "1.0.1", True, *places).number == "1.0.1"


def test_the_first_version_of_a_model_needs_no_comparison(places, tmp_path):
    assert promote("cnn", "1.0.2", False, places[0], tmp_path / "empty").number == "1.0.2"
    with pytest.raises(WeightsNotFoundError, match="none was promoted"):
        rollback("cnn", places[0], tmp_path / "empty")


def test_promoting_the_active_version_changes_nothing(places):
    before = content(places[1]), content(places[0])
    assert promote("cnn", "1.0.0", False, *places).active
    assert (content(places[1]), content(places[0])) == before


def test_a_damaged_version_is_not_promoted_even_by_force(places):
    path = places[0] / "1.0.1" / "cnn" / weight_store.FILE
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    before = content(places[1])
    with pytest.raises(WeightsMismatchError, match="sha256"):
        promote("cnn", "1.0.1", True, *places)
    assert content(places[1]) == before


def test_another_set_of_weights_under_the_active_number_is_not_overwritten(places):
    put(places[0] / "1.0.0" / "cnn", "1.0.0", 0.5, seed=77)
    before = content(places[1]), content(places[0])
    with pytest.raises(WeightsMismatchError, match="already in the archive"):
        promote("cnn", "1.0.1", False, *places)
    assert (content(places[1]), content(places[0])) == before


def test_the_archive_gets_the_figures_that_the_active_card_has_got_since(places):
    promote("cnn", "1.0.1", False, *places)
    folder = places[1] / "cnn"
    cards.write(dataclasses.replace(cards.read(folder), temperature=2.5), folder)
    promote("cnn", "1.0.0", True, *places)
    assert cards.read(places[0] / "1.0.1" / "cnn").temperature == 2.5


# -------------------------------------------------------------------------------------- rollback


def test_rollback_restores_byte_for_byte_and_goes_a_step_further_each_time(places):
    archive, shipped = places
    states = [content(shipped / "cnn")]
    for number in ("1.0.1", "1.0.2", "1.0.10"):
        promote("cnn", number, True, *places)
        states.append(content(shipped / "cnn"))
    assert len({str(state) for state in states}) == 4
    for number, state in zip(("1.0.2", "1.0.1", "1.0.0"), states[2::-1], strict=True):
        assert rollback("cnn", *places).number == number
        assert content(shipped / "cnn") == state
    with pytest.raises(WeightsNotFoundError, match="none was promoted"):
        rollback("cnn", *places)
    assert content(shipped / "cnn") == states[0] and find("cnn", "1.0.10", *places).number == "1.0.10"


def test_models_have_histories_of_their_own(places):
    promote("cnn", "1.0.1", False, *places)
    with pytest.raises(WeightsNotFoundError):
        rollback("resnet", *places)
    assert rollback("cnn", *places).number == "1.0.0"


def test_a_version_that_is_gone_from_the_archive_cannot_be_restored(places):
    promote("cnn", "1.0.1", False, *places)
    shutil.rmtree(places[0] / "1.0.0")
    before = content(places[1])
    with pytest.raises(WeightsNotFoundError, match="1.0.0"):
        rollback("cnn", *places)
    assert content(places[1]) == before


def test_a_history_that_is_not_json_is_named(places):
    promote("cnn", "1.0.1", False, *places)
    (places[0] / module.HISTORY).write_text("[")
    with pytest.raises(WeightsMismatchError, match=module.HISTORY):
        rollback("cnn", *places)


# ----------------------------------------------------------------------------------- half way


class Killed(BaseException):
    """What a kill looks like to code that must not clean up."""


@pytest.mark.parametrize("renames", range(5))
def test_a_stop_at_any_rename_leaves_one_whole_version(places, monkeypatch, renames):
    """A promotion renames four times: the kept copy, the history, the active folder away and the new one in."""
    old, new = content(places[1] / "cnn"), content(places[0] / "1.0.1" / "cnn")
    path = type(places[0])
    done = []

    def until(method):
        def call(self, target):
            if len(done) == renames:
                raise Killed
            done.append(target)
            return method(self, target)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(path, "rename", until(path.rename))
        patch.setattr(path, "replace", until(path.replace))
        try:
            promote("cnn", "1.0.1", False, *places)
        except Killed:
            pass
        else:
            assert len(done) == renames == 4
    module._recover(places[1] / "cnn")
    assert content(places[1] / "cnn") in (old, new)
    assert promote("cnn", "1.0.1", False, *places).number == "1.0.1"
    assert content(places[1] / "cnn") == new
    assert rollback("cnn", *places).number == "1.0.0"
    assert content(places[1] / "cnn") == old
    assert [path.name for path in places[1].iterdir()] == ["cnn"]


def test_a_full_disk_leaves_the_active_version(places, monkeypatch):
    before = content(places[1])

    def full(source, target):
        target.mkdir()
        (target / "half").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(OSError, match="No space"):
        promote("cnn", "1.0.1", False, *places)
    monkeypatch.undo()
    assert {path: data for path, data in content(places[1]).items() if ".new" not in str(path)} == before
    assert promote("cnn", "1.0.1", False, *places).number == "1.0.1"


def test_the_history_is_plain(places):
    promote("cnn", "1.0.1", False, *places)
    assert json.loads((places[0] / module.HISTORY).read_text()) == {"cnn": ["1.0.0"]}
