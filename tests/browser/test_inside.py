"""The tab Inside in a real browser: a stage, a cell by pointer and keyboard, and the path."""

import pytest

from tests.browser.test_page import give, open_tab

pytestmark = pytest.mark.browser


def test_stages_cells_and_the_path_follow_pointer_and_keyboard(visit):
    page = visit()
    give(page)
    open_tab(page, "Inside")
    page.locator("#inside-path .fw-curve").wait_for()
    page.locator("#inside-network button").nth(1).click()
    page.locator("#inside-cells h2", has_text="stage 2").wait_for()
    cells = page.locator("#inside-cells svg.fw-cells")
    box = cells.bounding_box()
    cells.click(position={"x": box["width"] * (2.5 / 24), "y": box["height"] * (4.5 / 24)})
    page.get_by_text("Row 5, column 3").wait_for()
    cells.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_text("Row 6, column 3").wait_for()
    page.wait_for_function("document.activeElement.matches('svg.fw-cells')")
    score, slider = page.locator("#inside-path .fw-score"), page.locator("#inside-share")
    last = score.inner_text()
    slider.focus()
    page.keyboard.press("Home")
    assert score.inner_text() != last and page.locator("#inside-path output").inner_text() == "0 %"
    assert page.evaluate("getComputedStyle(document.querySelector('.fw-goal')).opacity") == "0"
    page.keyboard.press("End")
    assert score.inner_text() == last
