import hashlib

import numpy as np
import pytest

from models.errors import DataError
from models.types import EMOTIONS, KEYPOINTS
from tests.training.conftest import made_up_face
from training import data
from training.data import landmarks, reading

HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")


def test_parquet(parquet):
    splits = data.load_emotions(parquet)
    assert {name: len(split) for name, split in splits.items()} == dict.fromkeys(data.SPLITS, 14)
    training = splits["Training"]
    assert (training.images[2 * HAPPY] == made_up_face(HAPPY, 0)).all()
    assert training.labels.tolist() == [label for label in range(7) for _ in range(2)]
    assert training.majority[2 * HAPPY] == HAPPY and training.majority[2 * HAPPY + 1] == SAD


def test_a_folder_that_holds_the_file_will_do(parquet):
    assert len(data.load_emotions(parquet.parent)["PublicTest"]) == 14


def write_csv(folder, faces, usage):
    lines = ["emotion,pixels,Usage"]
    for label, face, part in zip(range(len(faces)), faces, usage, strict=True):
        lines.append(f"{label % 7},{' '.join(map(str, face.ravel()))},{part}")
    (folder / "fer2013.csv").write_text("\n".join(lines))


def test_csv_in_the_order_of_the_challenge_with_ferplus_votes(tmp_path):
    faces = [made_up_face(i % 7, i) for i in range(21)]
    write_csv(tmp_path, faces, [name for name in data.SPLITS for _ in range(7)])
    columns = ["Usage", "Image name", "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"]
    votes = [f"{name},x.png,0,0,0,9,1,0,0" for name in data.SPLITS for _ in range(7)]
    (tmp_path / "fer2013new.csv").write_text("\n".join([",".join(columns), *votes]))
    training = data.load_emotions(tmp_path / "fer2013.csv")["Training"]
    # the csv counts angry, disgust, fear, happy, sad, surprise, neutral
    assert [EMOTIONS[label] for label in training.labels] == list(reading.FER2013_ORDER)
    assert (training.images[5] == faces[5]).all()
    assert training.votes[0, SAD] == 9 and training.votes[0, EMOTIONS.index("angry")] == 1
    (tmp_path / "fer2013new.csv").write_text("\n".join([",".join(columns), *reversed(votes)]))
    with pytest.raises(DataError, match="not in the order of fer2013.csv"):
        data.load_emotions(tmp_path / "fer2013.csv")


def test_csv_names_the_line_that_is_wrong(tmp_path):
    faces = [made_up_face(i % 7, i) for i in range(21)]
    faces[4] = faces[4][:10]
    write_csv(tmp_path, faces, [name for name in data.SPLITS for _ in range(7)])
    with pytest.raises(DataError, match="fer2013.csv.*line 6:"):
        data.load_emotions(tmp_path)
    faces[4] = np.full((48, 48), 300)
    write_csv(tmp_path, faces, [name for name in data.SPLITS for _ in range(7)])
    with pytest.raises(DataError, match="fer2013.csv.*line 6:"):
        data.load_emotions(tmp_path)
    faces[4] = faces[5]
    write_csv(tmp_path, faces, ["Training"] * 20 + ["training"])
    with pytest.raises(DataError, match="usage.*'training' in line 22"):
        data.load_emotions(tmp_path)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("", "A label is missing in fer2013.csv. Received: nothing in line 6."),
        (" ", "A label is missing in fer2013.csv. Received: nothing in line 6."),
        ("happy", "The label of a face in fer2013.csv is unknown. Received: 'happy' in line 6."),
        ("7", "The label of a face in fer2013.csv is unknown. Received: '7' in line 6."),
        ("-1", "The label of a face in fer2013.csv is unknown. Received: '-1' in line 6."),
        ("2.5", "The label of a face in fer2013.csv is unknown. Received: '2.5' in line 6."),
        ("nan", "A label is missing in fer2013.csv. Received: nothing in line 6."),
        ("9" * 30, "The label of a face in fer2013.csv is unknown."),
    ],
)
def test_a_label_that_names_no_emotion_is_told_with_its_line(tmp_path, label, said):
    write_csv(tmp_path, [made_up_face(i % 7, i) for i in range(21)], [name for name in data.SPLITS for _ in range(7)])
    lines = (tmp_path / "fer2013.csv").read_text().splitlines()
    lines[5] = f"{label},{lines[5].split(',', 1)[1]}"
    (tmp_path / "fer2013.csv").write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        data.load_emotions(tmp_path)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_are_counted_as_an_editor_counts_them(tmp_path, ending):
    write_csv(tmp_path, [made_up_face(i % 7, i) for i in range(21)], [name for name in data.SPLITS for _ in range(7)])
    head, *lines = (tmp_path / "fer2013.csv").read_text().splitlines()
    lines[4] = f",{lines[4].split(',', 1)[1]}"
    lines = [head, *lines[:2], "", "", *lines[2:]]
    (tmp_path / "fer2013.csv").write_bytes(ending.join(lines).encode())
    assert lines.index(next(line for line in lines if line.startswith(","))) + 1 == 8
    with pytest.raises(DataError, match="nothing in line 8"):
        data.load_emotions(tmp_path)


def test_the_competitions_own_file_is_read_by_its_name(tmp_path):
    """Its header has spaces after the commas, and its columns another order."""
    faces = [made_up_face(i % 7, i) for i in range(21)]
    lines = ["emotion, Usage, pixels"]
    for index, face in enumerate(faces):
        lines.append(f"{index % 7},{data.SPLITS[index // 7]},{' '.join(map(str, face.ravel()))}")
    (tmp_path / "icml_face_data.csv").write_text("\n".join(lines))
    training = data.load_emotions(tmp_path)["Training"]
    assert [EMOTIONS[label] for label in training.labels] == list(reading.FER2013_ORDER)
    assert (training.images[5] == faces[5]).all() and not training.votes.any()
    assert data.fingerprint(tmp_path) == hashlib.sha256((tmp_path / "icml_face_data.csv").read_bytes()).hexdigest()


def test_what_a_file_manager_leaves_among_pictures_is_not_read(folders, capsys):
    before, counts = (
        data.fingerprint(folders),
        {name: len(split) for name, split in data.load_emotions(folders).items()},
    )
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._3.png"):
        (folders / "train" / "sad" / name).write_bytes(b"no picture")
        (folders / "train" / name).write_bytes(b"no picture")
    (folders / "train" / ".ipynb_checkpoints").mkdir()
    assert {name: len(split) for name, split in data.load_emotions(folders).items()} == counts
    assert capsys.readouterr().out == "" and data.fingerprint(folders) == before


def test_a_folder_of_no_emotion_is_named(folders, capsys):
    before = data.fingerprint(folders)
    (folders / "train" / "contempt").mkdir()
    (folders / "train" / "contempt" / "0.png").write_bytes((folders / "train" / "sad" / "0.png").read_bytes())
    assert len(data.load_emotions(folders)["Training"]) == 63 and data.fingerprint(folders) == before
    assert capsys.readouterr().out == "skipped: train/contempt, a folder that is not named after an emotion\n"


def test_folders_hold_a_tenth_out_for_validation(folders):
    splits = data.load_emotions(folders)
    assert {name: len(split) for name, split in splits.items()} == {
        "Training": 63,
        "PublicTest": 7,
        "PrivateTest": 14,
    }
    assert splits["Training"].images.shape == (63, 48, 48)


def test_an_empty_class_folder_is_named(folders):
    for file in (folders / "test" / "fear").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="test/fear"):
        data.load_emotions(folders)


def test_one_unreadable_picture_is_named_and_skipped(folders, capsys):
    (folders / "train" / "sad" / "3.png").write_bytes(b"no picture")
    assert len(data.load_emotions(folders)["Training"]) == 62
    assert "train/sad/3.png" in capsys.readouterr().out


def test_too_many_unreadable_pictures_stop(folders):
    for file in list((folders / "train").glob("*/*.png"))[: reading.UNREADABLE_LIMIT + 1]:
        file.write_bytes(b"")
    with pytest.raises(DataError, match="unreadable"):
        data.load_emotions(folders)


@pytest.mark.parametrize("column", ["label", "png", "votes_fear"])
def test_a_missing_column_is_named(tmp_path, rows, column):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "fer2013.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows).drop_columns([column]), path)
    with pytest.raises(DataError, match=f"no {column}"):
        data.load_emotions(path)


def test_parquet_without_votes_is_read_as_csv_without_votes_is(tmp_path, rows):
    bare = [{key: row[key] for key in ("usage", "label", "png")} for row in rows]
    training = data.load_emotions(write_parquet(tmp_path, bare))["Training"]
    assert len(training) == 14 and not training.votes.any() and (training.majority == -1).all()
    assert training.targets(0.5)[2 * HAPPY, HAPPY] == 1


def test_an_empty_label_in_parquet_is_told_with_its_row(tmp_path, rows):
    rows[5]["label"] = None
    with pytest.raises(DataError, match=r"A label is missing in fer2013.parquet\. Received: nothing in row 5\."):
        data.load_emotions(write_parquet(tmp_path, rows))


def test_an_empty_vote_counts_as_none(tmp_path, rows):
    rows[0]["votes_sadness"] = None
    training = data.load_emotions(write_parquet(tmp_path, rows))["Training"]
    assert training.votes[0].tolist() == [10] + [0] * 6


def test_a_vote_that_is_no_number_is_told(tmp_path, rows):
    for row in rows:
        row["votes_fear"] = "many"
    with pytest.raises(DataError, match=r"A vote in fer2013.parquet could not be read as a number.*many"):
        data.load_emotions(write_parquet(tmp_path, rows))


def test_labels_may_be_written_as_whole_floats(tmp_path, rows):
    for row in rows:
        row["label"] = float(row["label"])
    training = data.load_emotions(write_parquet(tmp_path, rows))["Training"]
    assert training.labels.tolist() == [label for label in range(7) for _ in range(2)]


def write_parquet(folder, rows):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "fer2013.parquet")
    return folder / "fer2013.parquet"


def test_wrong_label_missing_class_and_no_file_are_refused(tmp_path, rows):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "fer2013.parquet"
    rows[5]["label"] = 9
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    with pytest.raises(DataError, match="'9' in row 5"):
        data.load_emotions(path)
    rows[5]["label"] = 2
    kept = [row for row in rows if row["usage"] != "PublicTest" or row["label"] != 0]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(kept), path)
    with pytest.raises(DataError, match="angry"):
        data.load_emotions(path)
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="readable Parquet"):
        data.load_emotions(path)
    with pytest.raises(DataError, match="--data"):
        data.load_emotions(tmp_path / "nowhere.csv")


def test_targets_mix_label_votes_and_smoothing_by_hand():
    votes = np.zeros((2, 7), np.float32)
    votes[0, SAD] = 3
    votes[0, HAPPY] = 1
    split = data.EmotionSplit(np.zeros((2, 48, 48), np.uint8), np.array([HAPPY, 0]), votes)
    mixed = split.targets(0.6)
    assert mixed[0, HAPPY] == pytest.approx(0.6 + 0.4 * 0.25)
    assert mixed[0, SAD] == pytest.approx(0.4 * 0.75)
    assert mixed[1, 0] == 1  # no votes: the label alone
    smooth = split.targets(1.0, smoothing=0.07)
    assert smooth[1] == pytest.approx([0.94] + [0.01] * 6)
    assert split.majority.tolist() == [SAD, -1]


def test_keypoints_share_no_person_between_splits(published):
    splits = data.load_keypoints(published)
    people = [set(split.people.tolist()) for split in splits.values()]
    assert [len(names) for names in people] == [16, 2, 2]
    assert not people[0] & people[1] and not people[0] & people[2] and not people[1] & people[2]


def test_keypoints_follow_from_the_landmarks_by_hand(published):
    points = dict(zip(KEYPOINTS, data.load_keypoints(published)["test"].keypoints[0], strict=True))
    # landmark i lies at (2 i, 2 i + 1); all move left by a share of the distance between 36 and 45
    left = landmarks.SHIFT * np.hypot(18, 18)
    assert points["nose_tip"] == pytest.approx([60 - left, 61])
    assert points["left_eye_center"] == pytest.approx([89 - left, 90])  # the mean of 42 to 47
    assert points["mouth_right_corner"] == pytest.approx([96 - left, 97])


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("person", None, "person or the landmarks of a face in keypoints68.parquet are missing.*row 7"),
        ("landmarks68", None, "person or the landmarks of a face in keypoints68.parquet are missing.*row 7"),
        ("landmarks68", [1.0] * 135, "person or the landmarks of a face in keypoints68.parquet are missing.*row 7"),
        ("landmarks68", [None] * 136, "person or the landmarks of a face in keypoints68.parquet are missing.*row 7"),
        ("jpeg", None, "picture of a row of keypoints68.parquet could not be read.*row 7"),
        ("jpeg", b"", "picture of a row of keypoints68.parquet could not be read.*row 7"),
    ],
)
def test_what_is_missing_of_a_face_with_landmarks_is_told_with_its_row(published, column, value, said):
    import pyarrow
    import pyarrow.parquet

    path = published / "keypoints68.parquet"
    rows = pyarrow.parquet.read_table(path).to_pylist()
    rows[7][column] = value
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    with pytest.raises(DataError, match=said):
        data.load_keypoints(path)
