import hashlib
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.decomposition import PCA

from models import dataset, zoo
from models.errors import DataError
from models.types import EMOTIONS, KEYPOINTS
from training.release import test_faces as release

FACE = Path(__file__).parents[3] / "examples" / "composite_happy.png"


def png(shift: int) -> bytes:
    grey = cv2.resize(cv2.imread(str(FACE), cv2.IMREAD_GRAYSCALE), (48, 48), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", np.roll(grey, shift, 1))[1].tobytes()


def parquet(folder, usage: list[str], pictures: list[bytes]):
    table = pa.table({"usage": usage, "label": pa.array(range(len(usage)), pa.int8()), "png": pictures})
    pq.write_table(table, folder / release.FILE)
    return folder


def test_test_faces_become_a_dataset_without_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "restore", lambda name, *rest: zoo.load(name))
    monkeypatch.setattr(zoo, "EMOTION_MODELS", ("cnn",))  # one is enough, and it is the smallest
    monkeypatch.setattr(release, "EMBEDDED", "cnn")
    pictures = [png(shift) for shift in (0, 3, -3, 5)]
    data = parquet(tmp_path, ["Training", "PublicTest", "PrivateTest", "PrivateTest"], pictures)
    found = release.write(data, tmp_path / "out", say=lambda line: None)
    table = dataset.read(found.folder).read("faces")
    assert not {"crop", "embedding"} & set(table.column_names), "no picture, nor what one could be made out of"
    assert table["source"].to_pylist() == [f"{release.FILE}#{row}" for row in (1, 2, 3)]
    assert table["photo_sha256"][0].as_py() == hashlib.sha256(pictures[1]).hexdigest()
    assert table["label"].to_pylist() == list(EMOTIONS[1:4])
    assert table["split"].to_pylist() == ["PublicTest", "PrivateTest", "PrivateTest"]
    crops = np.stack([cv2.imdecode(np.frombuffer(each, np.uint8), 0) for each in pictures[1:]]).astype(np.float32) / 255
    model = zoo.load("cnn")
    read = np.stack([table[name].to_numpy() for name in dataset.probabilities("cnn")], 1)
    assert read == pytest.approx(model.probabilities(model.logits(crops)), abs=1e-3)
    assert table["vgg16_happy"].null_count == 3
    points = [table[name].to_numpy() for pair in dataset.xy(dataset.KEYPOINT, KEYPOINTS) for name in pair]
    assert np.isfinite(points).all() and (np.array(points) * 32 % 1 == 0).all()
    assert "weights" in found.facts and (found.folder / dataset.CARD_FILE).read_text().startswith("# FER2013")
    again = release.write(data, tmp_path / "out", say=lambda line: None)
    assert again.rows["faces"] == 3, "a dataset that is there is written anew"


def test_what_is_no_data_is_said(tmp_path):
    with pytest.raises(DataError, match=r"is no fer2013.parquet"):
        release.write(tmp_path, tmp_path / "out")
    with pytest.raises(DataError, match="No test face"):
        release.write(parquet(tmp_path, ["Training"], [png(0)]), tmp_path / "out")
    with pytest.raises(DataError, match="row 1 is no face"):
        release.write(parquet(tmp_path, ["Training", "PublicTest"], [png(0), b"no"]), tmp_path / "out")


def test_numbers_keep_so_many_bits_and_answers_stay():
    values = np.float32([0.1, -3.7, 1e-6, 1, 0, np.nan])
    kept = release.rounded(values, 10)
    assert kept[:5] == pytest.approx(values[:5], rel=2**-11) and np.isnan(kept[5])
    assert (kept[:5].view(np.uint32) & 0x1FFF == 0).all()
    close = np.float32([[0.50001, 0.49999, 0, 0, 0, 0, 0], [0.49999, 0.50001, 0, 0, 0, 0, 0]])
    assert release.unchanged(close).argmax(1).tolist() == [0, 1]


def test_the_plane_is_that_of_the_principal_components():
    values = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32) * [5, 4, 1, 1, 1, 1]
    places, explained = release.plane(values)
    reference = PCA(2).fit(values)
    assert np.abs(places) == pytest.approx(np.abs(reference.transform(values)), abs=1e-4)
    assert explained == pytest.approx(reference.explained_variance_ratio_, abs=1e-4)
