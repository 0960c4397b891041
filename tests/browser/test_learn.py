"""A lesson in a real browser: the guess stays in the page, a step opens its tab with its example."""

import pytest

from app import lessons
from tests.browser.test_page import open_tab

pytestmark = pytest.mark.browser


def test_a_lesson_leads_through_the_tabs_and_keeps_the_guess(visit):
    page = visit(390)
    sent = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    open_tab(page, "Learn")
    lesson = lessons.load("smile")
    place = page.locator("#learn-steps")
    place.get_by_label("the eyebrows").check()
    place.locator("button").nth(1).click()
    page.locator("#lab-steps").get_by_text("mouth").first.wait_for()
    page.locator("#lab-answers").get_by_text("CNN").first.wait_for()
    assert page.locator("[role=tab][aria-selected=true]:visible").inner_text() == "Lab"
    open_tab(page, "Learn")
    assert place.get_by_label("the eyebrows").is_checked()
    page.locator("#learn-ask").click()
    guessed = page.locator("#learn-outcome .fw-guessed")
    guessed.get_by_text("You guessed: the eyebrows.").wait_for()
    assert page.locator("#learn-outcome tbody tr").count() == len(lesson.options)
    assert not any("eyebrows" in body for body in sent), "the guess does not leave the page"
    with page.expect_download() as download:
        page.locator("#learn-end a").click()
    assert lesson.discuss.split("?")[0] in download.value.path().read_text(encoding="utf-8")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
