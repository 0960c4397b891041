import io
import json
import shutil

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from models import card as cards
from models import weight_store
from training.measures import metrics, report
from training.measures.robustness import DISTURBANCES

LOG = [
    {
        "epoch": epoch,
        "seconds": 1.0,
        "loss": 2.0 - epoch / 4,
        "accuracy": 0.2 + epoch / 10,
        "val_loss": 2.1,
        "val_accuracy": 0.3,
    }
    for epoch in range(4)
]
RNG = np.random.default_rng(0)
LABELS = np.repeat(np.arange(7), 12)
LOGITS = np.eye(7)[LABELS] * 2 + RNG.normal(0, 1, (84, 7))
ROBUSTNESS = {
    "faces": 84,
    "accuracy": 0.7,
    "curves": {
        name: {"strength": sorted((d.none, *d.strengths)), "accuracy": [0.5, 0.6, 0.7, 0.6, 0.5]}
        for name, d in DISTURBANCES.items()
    },
}


def card(name: str, **found) -> cards.Card:
    """The card that ships, with made-up figures."""
    values = json.loads(cards.read(weight_store.SHIPPED / name).to_json())
    values["training"]["config"]["stages"] = [[2, 32], [2, 48]]
    return cards.from_json(json.dumps(values | {"metrics": found}))


@pytest.fixture
def emotions() -> dict[str, go.Figure]:
    figures = metrics.emotions(LOGITS, LOGITS, LABELS, LABELS, 1.5)
    return report.figures(card("cnn", PrivateTest=figures, robustness=ROBUSTNESS), LOG)


@pytest.fixture
def points() -> dict[str, go.Figure]:
    true = RNG.random((9, 15, 2))
    figures = metrics.keypoints(true + RNG.normal(0, 0.02, true.shape), true)
    return report.figures(card("keypoints", test=figures))


def test_each_kind_of_network_has_its_charts(emotions, points):
    assert list(emotions) == ["confusion", "reliability", "robustness", "training"]
    assert list(points) == ["points", "cumulative"]
    assert report.figures(card("cnn")) == {}


def test_the_confusion_is_in_percent_of_each_label(emotions):
    heat = emotions["confusion"].data[0]
    assert [sum(row) for row in heat.z] == pytest.approx([100] * 7)
    answers = LOGITS.argmax(1)
    assert heat.z[2][5] == pytest.approx(100 * ((LABELS == 2) & (answers == 5)).sum() / 12)
    assert report.confusion([[0, 0], [1, 3]]).data[0].z[0] == [0, 0]  # a label without a face


def test_the_reliability_leaves_out_bins_of_few_faces():
    bins = {"confidence": [0.1, 0.2, 0.5, 0.9], "accuracy": [1.0, 1.0, 0.4, 0.8], "faces": [0, 9, 10, 50]}
    lines = {line.name: line for line in report.reliability({"reliability": bins, "reliability_unscaled": bins}).data}
    for name in ("as trained", "as shown here"):
        assert list(lines[name].customdata) == [10, 50]
        assert lines[name].x == pytest.approx((50, 90)) and lines[name].y == pytest.approx((40, 80))


def test_every_disturbance_has_a_curve_with_its_moderate_strength_ringed(emotions):
    curves = [trace for trace in emotions["robustness"].data if trace.mode == "lines+markers"]
    assert len(curves) == len(DISTURBANCES)
    for curve, disturbance in zip(curves, DISTURBANCES.values(), strict=True):
        ringed = {x for x, symbol in zip(curve.x, curve.marker.symbol, strict=True) if symbol == "circle-open"}
        assert ringed == set(disturbance.moderate)
        assert max(curve.y) == pytest.approx(70)
    layout = emotions["robustness"].layout
    assert layout.xaxis.tickvals == (0, 1.0, 2.0) and layout.xaxis3.tickvals == (-0.4, 0, 0.4)


def test_training_has_accuracy_and_loss_and_marks_another_size(emotions):
    lines = emotions["training"].data
    assert list(lines[0].y) == pytest.approx([20, 30, 40, 50]) and list(lines[2].y) == [2.0, 1.75, 1.5, 1.25]
    assert {note.text for note in emotions["training"].layout.annotations} == {"32 px", "48 px"}
    assert {line.x0 for line in emotions["training"].layout.shapes} == {2.5}
    only_loss = [{"epoch": 0, "loss": 1.0, "val_loss": 2.0}]
    assert len(report.training(only_loss).data) == 2


def test_the_cumulative_curve_and_the_points_are_those_of_the_figures(points):
    assert list(points["cumulative"].data[0].y) == sorted(points["cumulative"].data[0].y)
    errors = list(points["points"].data[0].x)
    assert len(errors) == 15 and errors == sorted(errors, reverse=True)


def test_a_report_is_json_and_small_pictures(emotions, tmp_path):
    if not shutil.which("chromium") and not shutil.which("google-chrome"):
        pytest.skip("no Chromium on the path")
    assert report.write(tmp_path, emotions) == ""
    for name, figure in emotions.items():
        assert go.Figure(json.loads((tmp_path / "report" / f"{name}.json").read_text())) == figure
        picture = (tmp_path / "report" / f"{name}.png").read_bytes()
        assert len(picture) < 40_000
        assert Image.open(io.BytesIO(picture)).size == (report.WIDTH, figure.layout.height)
    assert len(list((tmp_path / "report").iterdir())) == 2 * len(emotions)


def test_without_a_browser_a_sentence_says_so_and_old_pictures_go(emotions, tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", "")
    (tmp_path / "report").mkdir()
    for old in ("confusion.png", "forgotten.json"):
        (tmp_path / "report" / old).write_text("old")
    sentence = report.write(tmp_path, emotions)
    assert sentence.startswith("No pictures were drawn") and "\n" not in sentence
    assert {path.name for path in (tmp_path / "report").iterdir()} == {f"{name}.json" for name in emotions}


def test_epochs_are_read_from_beside_the_card(tmp_path):
    assert report.read_epochs(tmp_path) == []
    (tmp_path / "training.json").write_text(json.dumps(LOG))
    assert report.read_epochs(tmp_path) == LOG
