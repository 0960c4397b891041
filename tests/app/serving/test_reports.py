import json

import plotly.graph_objects as go
import pytest

from app import pipeline
from app.serving import reports
from app.ui.render import report_charts
from explain import trust
from models import hub, zoo
from models.weight_store import SHIPPED, Located
from tests import hub as loopback

CHART = go.Figure(go.Bar(x=[1], y=[2])).to_json()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cnn" / "report").mkdir(parents=True)
    return tmp_path / "cnn"


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(reports, "_downloads", {})


def test_charts_come_in_their_order_without_a_background(folder):
    for name in ("training", "confusion", "unheard"):
        (folder / "report" / f"{name}.json").write_text(CHART)
    found = report_charts.charts(reports.charts(Located(folder, "folder")))
    assert list(found) == ["confusion", "training"]
    assert found["confusion"].layout.paper_bgcolor == "rgba(0,0,0,0)" and found["confusion"].data[0].y is not None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"data": [{"type": "unheard of"}]}', '{"data": 3}', "\xff" * 9, "[" * 99_999]
)
def test_a_damaged_chart_takes_only_itself_away(folder, text):
    (folder / "report" / "confusion.json").write_text(text, encoding="latin-1")
    (folder / "report" / "robustness.json").write_text(CHART)
    assert list(report_charts.charts(reports.charts(Located(folder, "folder")))) == ["robustness"]


def test_a_file_that_is_far_too_large_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(reports, "LARGEST", 10)
    (folder / "report" / "confusion.json").write_text(CHART)
    assert report_charts.charts(reports.charts(Located(folder, "folder"))) == {}


def test_trust_counts_only_for_the_weights_it_was_measured_on(folder):
    located = Located(folder, "shipped")
    assert reports.trust(located, "ab") is None
    table = {"sha256": "ab", "test": trust.TEST, "methods": {}}
    (folder / "trust.json").write_text(json.dumps(table))
    assert reports.trust(located, "ab") == table and reports.trust(located, "cd") is None
    for other in (table | {"test": trust.TEST - 1}, {"sha256": "ab", "methods": {}}, {"sha256": "ab"}):
        (folder / "trust.json").write_text(json.dumps(other))
        assert reports.trust(located, "ab") is None, "an older test, or no table"


def test_a_model_begins_with_the_method_of_its_table(folder, monkeypatch):
    monkeypatch.setattr(reports.weight_store, "SHIPPED", folder.parent)
    monkeypatch.setitem(zoo._status, "cnn", zoo.Status("loading"))
    card = reports.cards.read(SHIPPED / "cnn")
    assert pipeline.trust_table("cnn") is None  # no weights at all
    (folder / "card.json").write_bytes((SHIPPED / "cnn" / "card.json").read_bytes())
    assert pipeline.trust_table("cnn") is None and pipeline.recommended("cnn") == reports.FIRST
    for default, method in (("scorecam", "scorecam"), ("unheard", reports.FIRST), ([], reports.FIRST)):
        table = {"sha256": card.sha256, "test": trust.TEST, "default": default, "methods": {}}
        (folder / "trust.json").write_text(json.dumps(table))
        assert pipeline.trust_table("cnn") == table and pipeline.recommended("cnn") == method


def test_a_method_is_blind_where_it_was_measured_to_fail_the_randomisation_test():
    def table(low, high, shared=0.1):
        return {"methods": {"gradcam": {"sanity": {"low": low, "high": high, "shared": shared}}}}

    assert not reports.blind(table(-0.1, 0.2), "gradcam") and not reports.blind(table(None, None), "gradcam")
    assert reports.blind(table(-0.8, -0.6), "gradcam") and reports.blind(table(0.4, 0.6), "gradcam")
    assert reports.blind(table(-0.1, 0.1, 0.6), "gradcam")
    assert not reports.blind(None, "gradcam") and not reports.blind(table(0.6, 0.8), "saliency")


def test_a_loaded_model_has_the_table_beside_its_own_weights(monkeypatch):
    loaded = zoo.load("cnn")
    monkeypatch.setattr(reports, "trust", lambda located, sha256: {"default": "saliency", "of": (located, sha256)})
    assert pipeline.trust_table("cnn")["of"] == (loaded.located, loaded.card.sha256)
    assert pipeline.recommended("cnn") == "saliency"


def test_weights_from_elsewhere_ask_no_hub(folder, monkeypatch):
    monkeypatch.setattr(hub, "Download", lambda *_: pytest.fail("asked"))
    assert not reports.fetch(Located(folder, "shipped"))
    monkeypatch.setattr(hub, "pinned", lambda: None)
    assert not reports.fetch(Located(folder, "hub", loopback.REVISION))


def test_a_report_is_fetched_from_the_hub_once_and_behind_the_page(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    pin = hub.Pin("someone/facewhy", loopback.REVISION)
    monkeypatch.setattr(hub, "pinned", lambda: pin)
    table = json.dumps({"sha256": "ab", "test": trust.TEST, "methods": {}}).encode()
    files = {"cnn/card.json": b"{}", "cnn/report/confusion.json": CHART.encode(), "cnn/trust.json": table}
    with loopback.serving(files) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        first = hub.Download(pin, "cnn", ("card.json",))
        assert first.wait(60) and not first.error
        located = Located(hub.cached(pin, "cnn", ("card.json",)), "hub", pin.revision)
        served.open.clear()
        assert reports.fetch(located) and report_charts.charts(reports.charts(located)) == {}
        served.open.set()
        for download in reports._downloads["cnn", pin.revision]:
            assert download.wait(60)
        asked = len(served.requests)
        assert not reports.fetch(located) and len(served.requests) == asked
    assert (
        list(report_charts.charts(reports.charts(located))) == ["confusion"]
        and reports.trust(located, "ab") is not None
    )
