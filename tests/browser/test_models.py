"""The Models tab in a real browser."""

import json

import plotly.graph_objects as go
import pytest

from app.serving import reports
from explain.registry import METHODS
from models import weight_store
from tests.browser.test_page import WIDTHS, open_tab, resize
from training.measures import report

pytestmark = pytest.mark.browser

SHARES = {"confidence": [0.5, 0.9], "accuracy": [0.4, 0.9], "faces": [10, 20]}


@pytest.fixture
def charts(monkeypatch):
    """Two charts beside the small network's card, as `training.report` draws them, and its own table of trust."""
    found = {
        "confusion": report.confusion([[9 if row == column else 1 for column in range(7)] for row in range(7)]),
        "reliability": report.reliability({"reliability": SHARES, "reliability_unscaled": SHARES}),
    }
    plain = {name: json.loads(figure.to_json()) for name, figure in found.items()}
    folder = weight_store.SHIPPED / "cnn"
    read = {folder / "report" / f"{name}.json": values for name, values in plain.items()}
    read[folder / reports.TRUST] = reports.read(folder / reports.TRUST)
    monkeypatch.setattr("app.serving.reports.read", read.get)
    return {name: go.Figure(values) for name, values in plain.items()}


def test_each_model_shows_its_facts_and_its_charts(visit, charts):
    page = visit()
    open_tab(page, "Models")
    told = page.locator("#models")
    told.get_by_text("What it cannot").wait_for()
    assert told.locator("h2").first.inner_text() == "CNN"
    shown = page.locator("#models-charts .js-plotly-plot")
    shown.nth(1).wait_for()
    titles = page.locator("#models-charts .gtitle").all_text_contents()
    assert titles == [figure.layout.title.text for figure in charts.values()]
    assert page.locator("#models-charts .heatmap-label").count() == 49
    assert page.locator("#models-emotions tbody tr").count() == 7
    table = page.locator("#models-trust .fw-wide").first
    methods = table.locator("tbody th")
    assert methods.count() == len(METHODS)
    for width in WIDTHS:
        resize(page, width)
        assert methods.evaluate_all("all => all.every(th => th.scrollWidth <= th.clientWidth)")
        assert width < 1280 or table.evaluate("wide => wide.scrollWidth <= wide.clientWidth"), "no column is cut"
    page.locator("#models-model").get_by_text("Keypoints").click()
    told.get_by_role("heading", name="Keypoints").wait_for()
    page.get_by_text("No charts come with these weights").wait_for()
    assert page.locator("#models-charts .js-plotly-plot:visible").count() == 0
    assert page.locator("#models-emotions table").count() == 0
    for width in WIDTHS:
        resize(page, width)
