"""The Data tab in a real browser."""

import pytest

from tests.browser.test_page import open_tab

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
def test_the_dataset_that_ships_is_shown_and_filtered(visit, width):
    page = visit(width)
    open_tab(page, "Data")
    lead = page.locator("#data-notice .fw-verdict")
    lead.get_by_text("7,153 faces.").wait_for()
    page.locator("#data-map .js-plotly-plot").wait_for()
    assert page.locator("#data-geometry tbody tr").count() == 20
    page.locator("#data-colour").get_by_text("right or wrong").click()
    page.locator("#data-map .legendtext", has_text="wrong").wait_for()
    page.locator("#data-agreement input").click()
    page.get_by_role("option", name="they differ").click()
    lead.get_by_text("of 7,153 faces.").wait_for()
    assert "same emotion on 0\u00a0%" in lead.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
