import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from models.errors import DataError, ParameterError
from training import cli, data
from training.data import sheets


def run(*arguments):
    return CliRunner().invoke(cli.app, ["data", *map(str, arguments)])


def test_check_tells_counts_and_the_hash_of_the_file(parquet):
    import hashlib

    result = run("check", "--data", parquet)
    assert result.exit_code == 0, result.exception
    assert "Training 14, PublicTest 14, PrivateTest 14 faces" in result.output
    assert hashlib.sha256(parquet.read_bytes()).hexdigest() in result.output


def test_check_lists_what_cannot_be_read_and_fails(folders):
    (folders / "train" / "sad" / "3.png").write_bytes(b"no picture")
    (folders / "test" / "fear" / "1.png").write_bytes(b"")
    result = run("check", "--data", folders)
    assert result.exit_code == 1
    assert "train/sad/3.png" in result.output and "test/fear/1.png" in result.output and "2 pictures" in result.output


def test_check_names_a_folder_of_no_emotion_and_fails(folders):
    (folders / "test" / "hapy").mkdir()
    result = run("check", "--data", folders)
    assert result.exit_code == 1
    assert "left out: test/hapy, a folder that is not named after an emotion\n" in result.output


def test_check_fails_on_an_empty_class_and_a_wrong_file(folders):
    for file in (folders / "test" / "fear").iterdir():
        file.unlink()
    assert isinstance(run("check", "--data", folders).exception, DataError)
    assert isinstance(run("check", "--data", folders / "nothing.parquet").exception, DataError)


def test_summary_counts_and_finds_the_photos_in_two_splits(parquet, tmp_path):
    result = run("summary", "--data", parquet, "--out", tmp_path / "sheets", "--show", 3)
    assert result.exit_code == 0, result.exception
    # conftest's faces are the same in all three splits
    lines = [line.split() for line in result.output.splitlines()]
    assert ["all", "14", "14", "14"] in lines and ["happy", "2", "2", "2"] in lines
    assert sum(" and PublicTest " in line or " and PrivateTest " in line for line in result.output.splitlines()) == 3
    for name in (*data.SPLITS, "duplicates"):
        assert cv2.imread(str(tmp_path / "sheets" / f"{name}.png")).any()


@pytest.mark.parametrize(
    "arguments",
    [
        ["summary", "--kind", "keypoints", "--show", 3],
        ["fetch", "someone/fer2013", "--from", "kaggle", "--revision", "v2"],
    ],
)
def test_an_option_without_effect_is_refused(arguments, parquet, tmp_path):
    where = ["--out", tmp_path / "out", *(["--data", parquet] if arguments[0] == "summary" else [])]
    refused = run(*arguments, *where).exception
    assert isinstance(refused, ParameterError) and arguments[-2] in refused.happened
    assert not (tmp_path / "out").exists()


def test_a_contact_sheet_shows_the_faces_of_each_emotion(parquet):
    split = data.load_emotions(parquet)["Training"]
    sheet = sheets.emotions(split)
    assert sheet.shape == (7 * 48 * 2, (72 + sheets.COLUMNS * 48) * 2)
    tile = sheet[3 * 96 : 4 * 96 : 2, 144 : 144 + 96 : 2]  # the first face of the fourth emotion
    assert any((tile == image).all() for image in split.images[split.labels == 3])


def test_check_of_keypoints_hashes_their_file_where_a_folder_holds_both(published, parquet):
    import hashlib

    for kind, path in (("keypoints", published / "keypoints68.parquet"), ("emotions", parquet)):
        result = run("check", "--kind", kind, "--data", published)
        assert result.exit_code == 0, result.exception
        assert hashlib.sha256(path.read_bytes()).hexdigest() in result.output
    file = published / "keypoints68.parquet"
    assert data.fingerprint(published, keypoints=True) == data.fingerprint(file, keypoints=True)


def test_summary_of_keypoints(published, tmp_path):
    result = run("summary", "--kind", "keypoints", "--data", published, "--out", tmp_path / "sheets")
    assert result.exit_code == 0, result.exception
    assert ["train", "32", "16"] in [line.split() for line in result.output.splitlines()]
    assert np.asarray(cv2.imread(str(tmp_path / "sheets" / "train.png"))).max() == 255


def test_contact_sheets_never_enter_the_repository():
    with pytest.raises(ParameterError, match="outside the repository"):
        sheets.output_folder(sheets.ROOT / "runs" / "sheets")


def test_fingerprint_is_that_of_sha256sum(folders):
    import hashlib

    files = sorted(path for part in ("train", "test") for path in (folders / part).glob("*/*"))
    files.sort(key=lambda path: path.relative_to(folders).parts[0] != "train")
    lines = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(folders).as_posix()}\n" for f in files]
    before = data.fingerprint(folders)
    assert before == hashlib.sha256("".join(sorted(lines, key=lambda line: line[66:])).encode()).hexdigest()
    files[0].write_bytes(b"changed")
    assert data.fingerprint(folders) != before
