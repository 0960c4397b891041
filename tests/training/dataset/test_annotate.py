import fcntl
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models import dataset, detector, ensemble, keypoints, photo, pose, quality, weight_store, zoo
from models.errors import DataError, DatasetError, ParameterError, RunError
from models.types import EMOTIONS, KEYPOINTS
from tests.training.dataset.quick import Quick
from training.commands import annotate as command
from training.data import duplicates
from training.dataset import annotate as annotation
from training.dataset import annotator
from training.dataset.annotate import annotate
from training.dataset.annotator import Options

ROOT = Path(__file__).parents[3]


def picture(shade: int, side: int = 40) -> bytes:
    return cv2.imencode(".png", np.full((side, side + 2, 3), shade, np.uint8))[1].tobytes()


@pytest.fixture
def photos(tmp_path):
    """Twelve pictures; the fifth is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(12):
        data = b"no picture" if index == 4 else picture(20 * index)
        (folder / f"{index:02}.png").write_bytes(data)
    return folder


@pytest.fixture
def quick(monkeypatch):
    """No networks, four photos a part, two a batch."""
    monkeypatch.setattr(annotation, "Annotator", Quick)
    monkeypatch.setattr(annotation, "PART", 4)
    monkeypatch.setattr(annotator, "BATCH", 2)


def names(folder, table: str = "photos") -> list[str]:
    return [Path(source).name for source in dataset.read(folder).read(table, ["source"])["source"].to_pylist()]


# ------------------------------------------------------------------------------------ the networks


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Photos with several faces, lying on its side, without a face, and one that is broken, read by the networks."""
    folder = tmp_path_factory.mktemp("natural")
    for name in ("group.jpg", "astronaut.jpg"):
        pixels = cv2.imread(str(ROOT / "examples" / name))
        zoom = 400 / max(pixels.shape)
        pixels = cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / name.replace("jpg", "png")), pixels)
    cv2.imwrite(str(folder / "lying.png"), cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE))
    (folder / "flat.png").write_bytes(picture(128, 200))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff and no more")
    progress = annotate([str(folder)], folder / "out", Options(crops=True))
    return folder, dataset.read(folder / "out"), progress


def test_rows_are_what_detector_keypoints_and_networks_say(whole):
    folder, made, _ = whole
    picture = photo.read(folder / "group.png")
    faces = keypoints.read(detector.find(picture), picture)
    assert len(faces) > 2
    rows = [row for row in made.read("faces").to_pylist() if row["source"].endswith("group.png")]
    assert [row["face"] for row in rows] == list(range(len(faces)))
    for row, face in zip(rows, faces, strict=True):
        box = [row[f"box_{side}"] for side in ("left", "top", "right", "bottom")]
        assert np.allclose(box, face.box, atol=0.1) and row["score"] == pytest.approx(face.score, abs=1e-3)
        given = np.array([[row[x], row[y]] for x, y in dataset.xy("keypoint_", KEYPOINTS)])
        assert np.allclose(given, face.keypoints, atol=1)
        given = np.array([[row[x], row[y]] for x, y in dataset.xy("point_", dataset.POINTS)])
        assert np.allclose(given, face.points, atol=0.1)
        assert row["yaw"] == pytest.approx(pose.yaw(face.keypoints), abs=3)
        expected = quality.measure(face, picture.size)
        assert row["sharpness"] == pytest.approx(expected.sharpness, abs=0.02) and row["size"] == pytest.approx(
            expected.size, abs=0.2
        )
        crop = cv2.imdecode(np.frombuffer(row["crop"], np.uint8), cv2.IMREAD_UNCHANGED)
        assert np.abs(crop / 255 - face.crop).max() < 0.02
    for name in zoo.EMOTION_MODELS:
        for row, said in zip(rows, zoo.load(name).predict(faces), strict=True):
            given = [row[column] for column in dataset.probabilities(name)]
            assert np.allclose(given, said.probabilities, atol=0.03)
            assert row[f"{name}_version"] == said.version


def test_a_face_is_known_again_after_compression_and_another_cut(whole, tmp_path):
    folder, made, _ = whole
    [row] = [row for row in made.read("faces").to_pylist() if row["source"].endswith("astronaut.png")]
    crop = cv2.imdecode(np.frombuffer(row["crop"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert row["face_hash"] == duplicates.hashes(crop[None])[0]
    pixels = cv2.imread(str(folder / "astronaut.png"))
    cv2.imwrite(str(tmp_path / "again.jpg"), pixels[6:, 9:], [cv2.IMWRITE_JPEG_QUALITY, 60])
    annotate([str(tmp_path / "again.jpg")], tmp_path / "out")
    [again] = dataset.read(tmp_path / "out").read("faces", ["face_hash", "photo_sha256"]).to_pylist()
    assert again["photo_sha256"] != row["photo_sha256"]
    assert (again["face_hash"] ^ row["face_hash"]).bit_count() <= duplicates.BITS


def test_the_mean_decides_and_agreement_counts_the_networks_with_it(whole):
    networks = [zoo.load(name) for name in zoo.EMOTION_MODELS]
    together = ensemble.read(weight_store.SHIPPED, [network.card for network in networks])
    for row in whole[1].read("faces").to_pylist():
        mean = [row[column] for column in dataset.probabilities("mean")]
        assert row["emotion"] == row["mean_emotion"] == EMOTIONS[int(np.argmax(mean))]
        assert row["confidence"] == max(mean) and sum(mean) == pytest.approx(1, abs=1e-5)
        tops = [row[f"{name}_emotion"] for name in zoo.EMOTION_MODELS]
        assert row["agreement"] == pytest.approx(tops.count(row["emotion"]) / 3)
        likely = together.likely(np.array(mean, np.float32))
        assert tuple(row["conformal_set"] or ()) == likely and (not likely or likely[0] == row["emotion"])


def test_a_photo_has_a_row_with_or_without_faces_and_is_turned_where_its_faces_lie(whole):
    _, made, progress = whole
    photos = {Path(row["source"]).name: row for row in made.read("photos").to_pylist()}
    assert (photos["flat.png"]["faces"], photos["flat.png"]["emotion"]) == (0, None)
    lying, upright = photos["lying.png"], photos["astronaut.png"]
    assert (lying["photo_turned"], upright["photo_turned"]) == (270, 0)
    assert (lying["photo_width"], lying["photo_height"]) == (upright["photo_width"], upright["photo_height"])
    assert lying["emotion"] == upright["emotion"] and lying["faces"] == 1
    [error] = made.read("errors").to_pylist()
    assert Path(error["source"]).name == "broken.jpg" and error["error"] == "UnreadablePhoto"
    assert (progress.photos, progress.errors, progress.total) == (4, 1, 5)
    assert progress.faces == sum(row["faces"] for row in photos.values()) == made.rows["faces"]


def test_faces_that_are_cut_already_are_taken_whole(tmp_path):
    face = cv2.resize(cv2.imread(str(ROOT / "examples" / "composite_happy.png"), 0), (48, 48))
    rows = [{"png": cv2.imencode(".png", face)[1].tobytes(), "label": 3, "usage": "PrivateTest"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "fer2013.parquet")
    annotate([str(tmp_path / "fer2013.parquet")], tmp_path / "out", Options(aligned=True, crops=True))
    [row] = dataset.read(tmp_path / "out").read("faces").to_pylist()
    assert (row["label"], row["split"], row["emotion"]) == ("happy", "PrivateTest", "happy")
    assert row["score"] is None and row["point_nose_tip_x"] is None and row["keypoint_nose_tip_x"] is not None
    kept = cv2.imdecode(np.frombuffer(row["crop"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(kept, face), "the picture itself is the crop"


# ------------------------------------------------------------------------------ stops, and going on


@pytest.mark.parametrize(("moment", "kept"), [("batch", 8), ("half", 4), ("faces", 4)])
def test_a_killed_run_goes_on_and_reads_nothing_twice(photos, tmp_path, quick, moment, kept):
    command = [sys.executable, "-m", "tests.training.dataset.killed", str(photos), str(tmp_path / "out"), moment]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170)
    assert done.returncode == -9, done.stderr
    rows = dataset.read(tmp_path / "out").rows
    assert rows["photos"] + rows["errors"] == kept and rows["faces"] == rows["photos"]
    progress = annotate([str(photos)], tmp_path / "out")
    assert (progress.before, progress.done, progress.total) == (kept, 12 - kept, 12 - kept)
    expected = [f"{index:02}.png" for index in range(12) if index != 4]
    assert sorted(names(tmp_path / "out")) == sorted(names(tmp_path / "out", "faces")) == expected
    assert names(tmp_path / "out", "errors") == ["04.png"]
    assert not list((tmp_path / "out").glob("*/*.partial"))


def test_a_second_run_does_nothing_and_more_photos_are_added(photos, tmp_path, quick, monkeypatch):
    annotate([str(photos)], tmp_path / "out")
    before = sorted((tmp_path / "out" / "photos").iterdir())
    progress = annotate([str(photos)], tmp_path / "out")
    assert (progress.done, progress.before) == (0, 12)
    assert sorted((tmp_path / "out" / "photos").iterdir()) == before
    (photos / "12.png").write_bytes(picture(99))
    assert annotate([str(photos)], tmp_path / "out").done == 1
    assert len(names(tmp_path / "out")) == len(set(names(tmp_path / "out"))) == 12


def test_bytes_that_do_not_come_are_asked_for_again(photos, tmp_path, quick, monkeypatch):
    load = annotation.read

    def failing(portion):
        for each in load(portion):
            if each.source.endswith("07.png"):
                os.rename(photos / "07.png", photos / "07.gone")
            yield each

    monkeypatch.setattr(annotation, "read", failing)
    assert annotate([str(photos)], tmp_path / "out").errors == 2
    [_, row] = dataset.read(tmp_path / "out").read("errors").to_pylist()
    assert row["error"] == "Unreachable" and row["photo_sha256"] is None and "07.png" in row["reason"]
    os.rename(photos / "07.gone", photos / "07.png")
    monkeypatch.setattr(annotation, "read", load)
    assert annotate([str(photos)], tmp_path / "out").photos == 1
    assert names(tmp_path / "out", "errors") == ["04.png"] and len(names(tmp_path / "out")) == 11


def test_too_many_unreadable_photos_stop_the_run_and_what_was_read_stays(photos, tmp_path, quick):
    for index in (5, 6, 7):
        (photos / f"{index:02}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"More than 1 photos could not be read.*04.png: .*larger --max-errors"):
        annotate([str(photos)], tmp_path / "out", max_errors=1)
    rows = dataset.read(tmp_path / "out").rows
    assert rows["photos"] == 4 and rows["errors"] == 2
    assert annotate([str(photos)], tmp_path / "out", max_errors=2).errors == 2
    assert dataset.read(tmp_path / "out").rows["photos"] == 8


def test_a_full_disk_stops_the_run_and_what_was_written_stays(photos, tmp_path, quick, monkeypatch):
    write = pq.write_table

    def full(table, path, **options):
        if "part-00001" in str(path):
            raise OSError(28, "No space left on device")
        write(table, path, **options)

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        annotate([str(photos)], tmp_path / "out")
    monkeypatch.setattr(pq, "write_table", write)
    assert dataset.read(tmp_path / "out").rows["photos"] == 4
    assert annotate([str(photos)], tmp_path / "out").done == 8


def test_another_run_is_kept_out(photos, tmp_path, quick):
    annotate([str(photos)], tmp_path / "out")
    with open(tmp_path / "out" / ".lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="Another run is still writing"):
            annotate([str(photos)], tmp_path / "out")


def test_what_a_dataset_was_begun_with_stays(photos, tmp_path, quick, monkeypatch):
    annotate([str(photos)], tmp_path / "out")
    with pytest.raises(DatasetError, match="other options or models. Received: crops was False and is True"):
        annotate([str(photos)], tmp_path / "out", Options(crops=True))
    monkeypatch.setattr(annotation, "models", lambda: {"cnn": "2.0.0 0123"})
    with pytest.raises(DatasetError, match="cnn was '1.1.1 .*' and is '2.0.0 0123'"):
        annotate([str(photos)], tmp_path / "out")


def test_a_folder_with_other_things_is_refused(photos, tmp_path, quick):
    with pytest.raises(DatasetError, match="not empty. Received: .*photos"):
        annotate([str(photos)], photos)
    assert len(list(photos.iterdir())) == 12
    with pytest.raises(ParameterError, match="-1 workers"):
        annotate([str(photos)], tmp_path / "out", workers=-1)


# ------------------------------------------------------------------------------------ what is told


def test_the_card_says_what_is_in_the_dataset(photos, tmp_path, quick):
    (photos / "happy").mkdir()
    (photos / "happy" / "12.png").write_bytes(picture(250))
    annotate([str(photos)], tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "12 photos with 12 faces. Not read: 1 photos" in card and f"- `{photos}`" in card
    assert "| surprise | 6 | 0 |" in card and "| happy | 0 | 1 |" in card
    assert "No picture and no part of one is kept" in card and "Faces were looked for by the detector" in card
    for table, columns in dataset.COLUMNS.items():
        assert f"### {table}" in card
        assert all(f"| `{column.name}` |" in card for column in columns if not column.optional)


def test_captions_from_a_file_are_kept_with_the_photos(photos, tmp_path, quick):
    (tmp_path / "results.token").write_text("03.png#0\tA grey square .\n03.png#1\tGrey\n", encoding="utf-8")
    annotate([str(photos)], tmp_path / "out", captions=str(tmp_path / "results.token"))
    told = dataset.read(tmp_path / "out").read("photos", ["source", "captions"]).to_pylist()
    assert {Path(row["source"]).name: row["captions"] for row in told if row["captions"]} == {
        "03.png": ["A grey square .", "Grey"]
    }


def test_progress_is_told_after_every_batch(photos, tmp_path, quick):
    told = []
    annotate([str(photos)], tmp_path / "out", watch=lambda progress: told.append((progress.done, progress.total)))
    assert told == [(done, 12) for done in range(2, 13, 2)]


def test_the_command_says_what_was_read_and_what_is_wrong_in_one_sentence(photos, tmp_path, quick, capsys, monkeypatch):
    from training import cli

    def run(*arguments) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["training", "annotate", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return stopped.value.code, said.out + said.err

    code, said = run(photos, "--out", tmp_path / "out")
    assert code == 0 and "11 photos with 11 faces, 1 unreadable: " in said and "photos a second" in said
    code, said = run(photos, "--out", tmp_path / "out")
    assert code == 0 and "0 photos with 0 faces, 0 unreadable (12 were there before)" in said
    code, said = run(tmp_path / "gone", "--out", tmp_path / "other")
    assert code == 1 and said.startswith("Nothing was found at the source. Received: ") and said.count("\n") == 1
    assert not (tmp_path / "other").exists()


def test_the_time_left_follows_from_the_rate():
    progress = annotation.Progress(total=4000, before=7, photos=900, errors=100)
    progress.started -= 1200
    assert command.remaining(progress) == "1:00:00" and command.rate(progress) == "0.8 photos a second"
