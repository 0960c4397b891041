import sys
from types import ModuleType

import cv2
import numpy as np
import pytest

from models import dataset
from models.errors import DatasetError, UnknownNameError
from tests.training.dataset.quick import Quick
from training.dataset import annotate as annotation
from training.dataset.annotate import annotate
from training.dataset.annotator import Options
from training.dataset.foreign import SIDE, Foreign

EMOTIONS = {"angry": 1.0, "disgust": 2.0, "fear": 3.0, "happy": 80.0, "sad": 4.0, "surprise": 6.0, "neutral": 4.0}


@pytest.fixture
def deepface(monkeypatch):
    """A stand-in for the package, which keeps what it was asked; it answers as DeepFace 0.0.9x does."""
    asked = []

    def analyze(img_path, actions, detector_backend, enforce_detection, silent):
        asked.append((img_path, actions, detector_backend, enforce_detection, silent))
        gender = {"Woman": 25.0, "Man": 75.0}
        said = {"emotion": EMOTIONS, "dominant_emotion": "happy", "age": 31, "gender": gender}
        return [said | {"dominant_gender": "Man", "region": {}, "face_confidence": 0}]

    package, module = ModuleType("deepface"), ModuleType("deepface.DeepFace")
    package.__version__, module.analyze = "0.0.93", analyze
    monkeypatch.setitem(sys.modules, "deepface", package)
    monkeypatch.setitem(sys.modules, "deepface.DeepFace", module)
    monkeypatch.setattr(annotation, "Annotator", Quick)
    return asked


def test_its_columns_stand_beside_ours(deepface, tmp_path):
    red = np.zeros((400, 400, 3), np.uint8)
    red[..., 2] = 255  # as OpenCV has it, blue first
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos/red.png"), red)
    annotate([str(tmp_path / "photos")], tmp_path / "out", Options(foreign="deepface"))
    [row] = dataset.read(tmp_path / "out").read("faces").to_pylist()
    shares = {name: row[f"deepface_{name}"] for name in EMOTIONS}
    assert shares == pytest.approx({name: value / 100 for name, value in EMOTIONS.items()})
    assert row["deepface_age"] == 31 and row["deepface_man"] == 0.75 and row["deepface_gender"] == "Man"
    assert row["deepface_version"] == "0.0.93" and row["mean_happy"] is not None
    [(picture, actions, detector, enforce, silent)] = deepface
    assert picture.shape == (SIDE, SIDE, 3) and np.array_equal(picture, red[:SIDE, :SIDE]), "blue first"
    assert (actions, detector, enforce, silent) == (("emotion", "age", "gender"), "skip", False, True)
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "FaceWhy estimates neither age nor gender" in card and "| `deepface_age` | float | years |" in card


def test_one_that_is_not_installed_or_unknown_is_named(deepface, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "deepface", None)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((60, 60, 3), np.uint8))
    with pytest.raises(DatasetError, match="DeepFace is not installed.*pip install deepface"):
        annotate([str(tmp_path / "a.png")], tmp_path / "out", Options(foreign="deepface"))
    with pytest.raises(UnknownNameError, match="'somebody'. Use deepface"):
        Foreign("somebody")
