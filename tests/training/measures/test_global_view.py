import json
import shutil

import cv2
import numpy as np
import pytest
from scipy.stats import entropy, spearmanr
from typer.testing import CliRunner

from app.serving import reports
from app.ui.render import global_view as page
from explain.methods.background import mean_face
from models import card as cards
from models import framing, regions, weight_store, zoo
from models.errors import ParameterError, UnknownNameError
from models.keypoints import FIVE
from models.types import EMOTIONS
from models.weight_store import SHIPPED, Located
from training import cli
from training.measures import global_view
from training.measures.trust import as_face


def made_up(count: int):
    """Maps that are 1 and 3 by turns, parts that are 0 to 7 and twice that, and grey faces."""
    turn = 1 + 2.0 * (np.arange(count) % 2)
    parts = np.arange(8) * np.where(np.arange(count) % 2, 2.0, 1.0)[:, None]
    return np.ones((count, 48, 48), np.float32) * turn[:, None, None], parts, np.full((count, 48, 48), 0.5)


def test_cells_are_averages_by_hand():
    maps, parts, crops = made_up(80)
    found = global_view.cells(maps, parts, crops, np.arange(80) % 2 == 1)
    assert [found[kind]["faces"] for kind in global_view.KINDS] == [80, 40, 40]
    for kind, mean, times in (("all", 2, 1.5), ("right", 3, 2), ("wrong", 1, 1)):
        cell = found[kind]
        assert np.array(cell["map"]) * cell["unit"] == pytest.approx(np.full((24, 24), mean))
        means = [cell["parts"][region]["mean"] for region in regions.REGIONS]
        assert means == pytest.approx(np.arange(8) * times)
    mouth = found["all"]["parts"]["mouth"]
    assert mouth["low"] < mouth["mean"] < mouth["high"]
    assert found["right"]["parts"]["mouth"]["low"] == found["right"]["parts"]["mouth"]["high"] == 10
    assert np.array(found["all"]["face"]) == pytest.approx(np.full((48, 48), 128))
    assert "face" not in found["right"]


@pytest.mark.parametrize(("count", "wrong", "kept"), [(29, 10, 0), (70, 29, 1), (70, 1, 1), (70, 30, 3)])
def test_no_average_of_few_faces_is_told_nor_can_be_had_by_subtraction(count, wrong, kept):
    found = global_view.cells(*made_up(count), np.arange(count) >= wrong)
    assert ["map" in found[kind] for kind in global_view.KINDS] == [kept > 0, kept > 1, kept > 1]
    assert [found[kind]["faces"] for kind in global_view.KINDS] == [count, count - wrong, wrong]


def test_people_stand_beside_the_network_by_hand():
    votes = np.zeros((61, 7), int)
    votes[:30, 3] = 10
    votes[30:60, 5], votes[30:60, 4] = 6, 2
    said = np.full((61, 7), 0.05)
    said[:30, 3], said[30:, 5] = 0.7, 0.7
    said[30:60, 4], said[30:60, 5] = 0.35, 0.4
    labels = np.array([3] * 30 + [5] * 31)
    found = global_view.ambiguity(said, votes, labels)
    assert found["faces"] == 60 and set(found["by_label"]) == {"happy", "sad"}, "a face without votes is not counted"
    assert found["by_label"]["sad"]["people"] == [0, 0, 0, 0, 0.25, 0.75, 0]
    assert found["by_label"]["sad"]["network"][4:6] == [0.35, 0.4]
    expected = spearmanr(entropy(votes[:60], axis=1), entropy(said[:60], axis=1)).statistic
    assert found["entropy_correlation"] == pytest.approx(expected, abs=1e-4) and expected > 0.99
    assert global_view.ambiguity(said[:30], votes[:30], labels[:30])["entropy_correlation"] is None
    assert global_view.ambiguity(said, np.zeros_like(votes), labels)["by_label"] == {}


def test_a_map_comes_into_the_app_s_frame():
    """A face 4 pixels too far right and down: what lies at its points lies where the app's crops have theirs."""
    moved = cv2.warpAffine(mean_face(), np.array([[1.0, 0, 4], [0, 1, 4]]), (48, 48), borderMode=cv2.BORDER_REPLICATE)
    face = as_face(np.round(255 * moved).astype(np.uint8))
    points = face.crop_keypoints[list(FIVE)]
    middle = (points[:2].mean(0) + points[3:].mean(0)) / 2
    blob = np.zeros((48, 48), np.float32)
    blob[tuple(np.round(middle[::-1]).astype(int))] = 1
    down, across = np.unravel_index(global_view.framed(cv2.GaussianBlur(blob, (7, 7), 1.5), face).argmax(), (48, 48))
    assert (across, down) == pytest.approx(framing.CENTRE, abs=1.6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    shipped = tmp_path_factory.mktemp("global")
    shutil.copytree(SHIPPED / "cnn", shipped / "cnn", ignore=shutil.ignore_patterns(global_view.FILE))
    return shipped


def test_the_command_writes_what_the_models_tab_shows(folder, parquet, monkeypatch):
    monkeypatch.setattr("training.commands.global_view.SHIPPED", folder)
    monkeypatch.setattr(global_view, "LEAST", 2)
    with pytest.raises(UnknownNameError):
        global_view.measure("keypoints", parquet, folder)
    done = CliRunner().invoke(cli.app, ["global", "cnn", "--data", str(parquet), "--faces", "30"])
    assert done.exit_code == 0, done.output
    card = weight_store.verify(folder / "cnn")
    found = reports.global_view(Located(folder / "cnn", "folder"), card.sha256)
    assert found == json.loads((folder / "cnn" / "global.json").read_text())
    assert found["faces"] == 14 and sum(found["emotions"][each]["all"]["faces"] for each in EMOTIONS) == 14
    assert reports.global_view(Located(folder / "cnn", "folder"), "0" * 64) is None
    said = page.shown("CNN", found)
    named = [emotion for emotion in EMOTIONS if found["emotions"][emotion]["all"]["faces"] >= 2]
    assert said.count("<figure>") == len(named) and all(f"<b>{emotion}</b>" in said for emotion in named)


def test_a_face_s_parts_sum_to_its_map():
    model = zoo.load("cnn")
    face = np.round(255 * mean_face()).astype(np.uint8)
    maps, parts, answers, crops = global_view.looked(model, [face, face], 16, 0)
    assert answers[0] == model.logits((face[None] / 255).astype(np.float32)).argmax()
    assert maps.shape == crops.shape == (2, 48, 48) and parts.shape == (2, 8)
    assert parts[0].sum() == pytest.approx(maps[0].sum(), rel=0.2) and (maps[0] != maps[1]).any(), "blends differ"


def test_few_faces_are_refused(parquet):
    with pytest.raises(ParameterError, match="30 faces or more"):
        global_view.measure("cnn", parquet, faces=29)


@pytest.mark.parametrize("name", zoo.EMOTION_MODELS)
def test_what_ships_is_of_the_weights_that_ship_and_shows_nobody(name):
    found = reports.global_view(Located(SHIPPED / name, "shipped"), cards.read(SHIPPED / name).sha256)
    assert found is not None and found["faces"] >= 500 and found["least"] == 30
    for cell in (found["emotions"][emotion][kind] for emotion in EMOTIONS for kind in global_view.KINDS):
        assert cell["faces"] >= 30 or "map" not in cell
