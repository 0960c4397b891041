"""The Lab in a real browser: hide, undo, paint, swap, and a link that brings it all back."""

import re

import pytest

from app import experiments
from tests.browser.conftest import visitors
from tests.browser.test_page import give, open_tab

pytestmark = pytest.mark.browser


def open_lab(page) -> None:
    give(page)
    open_tab(page, "Lab")
    page.locator("#lab-answers .fw-card").first.wait_for()


@pytest.fixture(scope="module")
def opened(chromium):
    """One visitor's Lab, which several tests use."""
    with visitors(chromium) as open_page:
        page = open_page()
        open_lab(page)
        yield page


@pytest.fixture
def begun(opened):
    """The same with no step done."""
    if opened.locator("#lab-reset").is_enabled():
        opened.locator("#lab-reset").click()
    steps(opened, 0)
    return opened


def shares(page) -> list[str]:
    """What the three cards say of every emotion."""
    return page.locator("#lab-answers dd > span:last-child").all_text_contents()


def steps(page, count: int) -> list[str]:
    """The steps as the page names them, once there are so many."""
    page.wait_for_function("count => document.querySelectorAll('#lab-steps li').length === count", arg=count)
    return [step.strip(" ×") for step in page.locator("#lab-steps li").all_text_contents()]


def test_hiding_the_mouth_changes_the_answers_undo_and_a_link_bring_them_back(visit):
    page = visit()
    open_lab(page)
    start = shares(page)
    assert len(start) == 21 and not any("→" in share for share in start)
    page.locator("#lab-face path[aria-label='Hide the mouth']").click()
    assert steps(page, 1) == ["mouth hidden"]
    hidden = shares(page)
    assert sum("→" in share for share in hidden) >= 3
    assert page.locator("#lab-answers .fw-told", has_text="random patches of the same size").count() == 3

    page.locator("#lab-undo button, button#lab-undo").first.click()
    steps(page, 0)
    assert shares(page) == start

    page.locator("#lab-parts button", has_text="mouth").click()
    steps(page, 1)
    page.get_by_role("button", name="Share or keep this experiment").click()
    link = page.locator("#lab-link a").get_attribute("href")
    picture = page.locator("#lab-face image").get_attribute("href")
    page.goto(page.url.split("#")[0].split("?")[0] + link)
    page.locator("[data-testid=toast-body]").wait_for()
    open_lab(page)
    assert steps(page, 1) == ["mouth hidden"]
    assert page.locator("#lab-face image").get_attribute("href") == picture and shares(page) == hidden


def test_who_waits_for_the_networks_is_told_the_place_and_the_seconds(begun, held, monkeypatch):
    page = begun
    run = experiments.run

    def slow(*given, **named):
        held.wait(60)
        return run(*given, **named)

    monkeypatch.setattr(experiments, "run", slow)
    for part in ("mouth", "nose", "left eye", "right eye"):
        page.locator("#lab-parts button").get_by_text(part, exact=True).click()
    told = page.locator(".fw-place:visible .fw-note")
    told.wait_for()
    assert re.fullmatch(r".* Your place in the queue: \d of 2, in about \d+ seconds?\.", told.inner_text())
    held.set()
    told.wait_for(state="detached")
    assert len(steps(page, 4)) == 4


def test_quick_clicks_all_count(begun):
    page = begun
    parts = page.locator("#lab-parts button")
    page.evaluate("""() => {
        const parts = [...document.querySelectorAll("#lab-parts button")];
        for (const name of ["mouth", "nose", "left eye"]) parts.find((part) => part.innerText.trim() === name).click();
    }""")
    hidden = ["left eye hidden", "mouth hidden", "nose hidden"]
    assert sorted(steps(page, 3)) == hidden, "in any order: clicks of one moment come on lines of their own"
    pressed = [part.inner_text().strip() for part in parts.all() if part.get_attribute("aria-pressed") == "true"]
    assert pressed == ["left eye", "nose", "mouth"]
    shown = shares(page)
    open_tab(page, "Predict")
    open_tab(page, "Lab")
    page.wait_for_timeout(1500)
    assert shares(page) == shown, "what is shown is of all three"


def test_a_patch_is_painted_by_dragging_and_a_mouth_is_swapped_by_a_tap(begun):
    page = begun
    page.locator("#lab-hand").get_by_text("Paint broad").click()
    face = page.locator("#lab-face svg")
    face.scroll_into_view_if_needed()
    box = face.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.4, steps=8)
    assert page.locator("#lab-face .fw-stroke").get_attribute("points")
    page.mouse.up()
    assert steps(page, 1) == ["patch painted"]
    page.locator("#lab-hand").get_by_text("Tap").click()
    page.locator("#lab-swap button", has_text="average surprise").click()
    assert steps(page, 2) == ["patch painted", "mouth of average surprise"]
    page.locator("#lab-steps button").first.click()
    assert steps(page, 1) == ["mouth of average surprise"]


def test_the_smallest_change_can_be_tried_on_a_phone(visit):
    page = visit(390, 844)
    open_lab(page)
    page.get_by_role("button", name="Fewest parts").click()
    button = page.locator("#lab-smallest button").first
    button.wait_for()
    button.click()
    page.locator("#lab-steps li").first.wait_for()
    assert "→" in page.locator("#lab-verdict").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_with_a_strangers_html_shows_it_as_text(visit):
    page = visit()
    page.goto(page.url.split("#")[0].split("?")[0] + "?lab=<a href=//evil.example>x</a><img src=x>")
    toast = page.locator("[data-testid=toast-body]")
    toast.wait_for()
    assert "evil.example" in toast.inner_text()
    assert toast.locator("a, img, form").count() == 0


def test_measures_are_moved_until_the_glass_box_says_something_else(begun):
    page = begun
    page.get_by_role("button", name="Glass box: move the measures").click()
    answer = page.locator("#measures-answer")
    answer.get_by_text("looks happy to it").wait_for()
    left, right = (page.locator(f"#measure-corner-raise-{side} input[type=range]") for side in ("left", "right"))
    slider = "document.querySelector('#measure-corner-raise-right input[type=range]')"
    page.wait_for_function(f"() => Math.abs({slider}.value * 2 - {slider}.min - {slider}.max) > .02")  # the face's own
    before = float(right.input_value())
    left.fill("-0.1")
    answer.get_by_text("looked happy, now looks").wait_for()
    page.wait_for_function(f"() => {slider}.value < {before}")  # both sides move together
    page.locator("#measures-back").click()
    answer.get_by_text("looks happy to it").wait_for()
    page.wait_for_function(f"() => {slider}.value == {before}")
