from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from models.errors import DataError, ParameterError
from models.types import KEYPOINTS
from training import cli, data
from training.measures import keypoint_sheet

ROOT = Path(__file__).parents[3]
POINTS = np.array([[4.0 + 2.5 * index, 30.0] for index in range(15)])


def test_a_dot_of_its_part_s_colour_sits_on_each_keypoint():
    picture = keypoint_sheet.tile(np.full((48, 48), 0.5, np.float32), POINTS)
    assert picture.shape == (keypoint_sheet.TILE, keypoint_sheet.TILE, 3) and picture.dtype == np.uint8
    for name, (x, y) in zip(KEYPOINTS, POINTS, strict=True):
        zoom = keypoint_sheet.TILE / 48
        colour = picture[round((y + 0.5) * zoom - 0.5), round((x + 0.5) * zoom - 0.5)]
        part = next(part for part in ("eyebrow", "eye", "nose", "mouth") if part in name)
        assert np.abs(colour.astype(int) - keypoint_sheet.COLOURS[part]).max() < 40, name
    assert (picture[: keypoint_sheet.TILE // 2] == 127).all()


def test_labels_are_crosses_beside_the_dots():
    plain = keypoint_sheet.tile(np.zeros((48, 48), np.float32), POINTS)
    crossed = keypoint_sheet.tile(np.zeros((48, 48), np.float32), POINTS, POINTS - [0, 20])
    rows = np.flatnonzero((plain != crossed).any((1, 2)))
    assert rows.min() >= 16 and rows.max() <= 25  # label row 10, twice as large


def test_tiles_fill_rows():
    tiles = [np.full((keypoint_sheet.TILE, keypoint_sheet.TILE, 3), value, np.uint8) for value in (1, 2, 3)]
    made = keypoint_sheet.together(tiles, 2)
    assert made.shape == (2 * keypoint_sheet.TILE, 2 * keypoint_sheet.TILE, 3)
    assert made[0, 0, 0] == 1 and made[0, -1, 0] == 2 and made[-1, 0, 0] == 3 and made[-1, -1, 0] == 255


def test_faces_of_a_sheet_are_drawn_by_seed_and_a_column_shows_one_emotion(parquet):
    split = data.load_emotions(parquet)["PublicTest"]
    made = keypoint_sheet.of_emotions(split, 14)
    assert made.shape == (2 * keypoint_sheet.TILE, 7 * keypoint_sheet.TILE, 3)
    assert (made == keypoint_sheet.of_emotions(split, 14)).all()
    column = made[:, 3 * keypoint_sheet.TILE : 4 * keypoint_sheet.TILE].astype(float)
    bar = slice(2 * 18, 2 * 24)  # the fixture's bright bar of "happy"
    assert column[bar, 4:12].mean() > 200 > 150 > column[2 * 30 : 2 * 36, 4:12].mean()


def test_people_come_once_before_anybody_comes_twice(monkeypatch):
    people = np.array(["a", "a", "a", "b", "c"])
    split = data.KeypointSplit(
        [np.full((90, 90), 30 + 40 * i, np.uint8) for i in range(5)], np.stack([POINTS] * 5), people
    )
    seen = []
    monkeypatch.setattr(
        keypoint_sheet,
        "fixed_faces",
        lambda some: seen.extend(some.people) or (np.zeros((3, 96, 96, 1)), np.zeros((3, 15, 2))),
    )
    keypoint_sheet.of_people(split, 3)
    assert sorted(seen) == ["a", "b", "c"]


def test_the_examples_make_the_sheet_of_the_docs(tmp_path):
    done = CliRunner().invoke(cli.app, ["sheet", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    made, shown = (cv2.imread(str(folder / "keypoints.jpg")) for folder in (tmp_path, ROOT / "docs"))
    assert made.shape == shown.shape and made.shape[0] == len(keypoint_sheet.CONDITIONS) * keypoint_sheet.TILE
    assert (ROOT / "docs" / "keypoints.jpg").stat().st_size < 80_000


def test_sheets_of_people_never_enter_the_repository(tmp_path):
    done = CliRunner().invoke(cli.app, ["sheet", "--data", str(tmp_path), "--out", str(ROOT / "docs")])
    assert isinstance(done.exception, ParameterError) and "outside the repository" in str(done.exception)


def test_a_folder_without_faces_is_refused(tmp_path):
    with pytest.raises(DataError, match="No faces were found"):
        keypoint_sheet.of_examples(tmp_path)
