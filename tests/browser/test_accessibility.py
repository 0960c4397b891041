"""Every tab with axe-core, and what a visitor without a mouse, or with the browser's own buttons, expects."""

from importlib.resources import files
from pathlib import Path

import pytest

from tests.browser.test_page import WIDTHS, give, open_tab, resize

pytestmark = pytest.mark.browser

SMALL_TARGETS = Path(__file__).with_name("small_targets.js").read_text(encoding="utf-8")
AXE = """async contrast => {
    // what fades in has too little contrast
    const moving = document.getAnimations().filter(each => each.effect.getComputedTiming().endTime < Infinity);
    await Promise.all(moving.map(each => each.finished.catch(() => {})));
    const hidden = [...document.querySelectorAll("[role=tabpanel]")].filter(panel => !panel.checkVisibility());
    // thousands of dots in the tab Data, without text: to leave them out, axe would look at each
    for (const dots of document.querySelectorAll(".scatterlayer")) dots.replaceChildren();
    const options = {resultTypes: ["violations"], preload: false, rules: {"color-contrast": {enabled: contrast}}};
    return (await axe.run({exclude: hidden}, options)).violations;
}"""
READY = {
    "Predict": "#notice .fw-verdict",
    "Live": "#live-numbers .fw-welcome",
    "Clips": "#clip-notice .fw-welcome",
    "Explain": "#trust .fw-badge",
    "Compare": "#compare-notice .fw-verdict",
    "Inside": "#inside-path .fw-curve",
    "Lab": "#lab-answers .fw-card",
    "Learn": "#learn-steps .fw-path",
    "API": "#api-snippets code",
    "Models": "#models .fw-card",
    "Data": "#data-notice .fw-verdict",
}
"""What is there once a tab has all that it shows, by the tab's title.

Those whose elements take axe longest, hidden ones as well, come last.
"""


@pytest.mark.timeout(600)
def test_axe_finds_nothing_serious_and_no_small_target_on_any_tab_narrow_or_wide(visit):
    """Nor does any tab scroll sideways."""
    page = visit(390)
    resize(page, 390)
    give(page)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    for title, ready in READY.items():
        open_tab(page, title)
        page.locator(ready).first.wait_for()
        for width in WIDTHS:
            resize(page, width)
            assert grave(page, contrast=width == 390) == [], (title, width)
            assert page.evaluate(SMALL_TARGETS) == [], (title, width)
        resize(page, 390)
    assert page.evaluate("document.documentElement.lang") == "en"


def grave(page, contrast: bool) -> list[tuple[str, list[str]]]:
    """What axe-core finds serious or critical in all that is shown: the rule, and the elements that break it.

    The colours, which take longest to look at, are looked at where `contrast` is set: a width changes none.
    """
    found = page.evaluate(AXE, contrast)
    return [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def chosen(page) -> str:
    return page.locator("[role=tablist] [role=tab][aria-selected=true]:visible").inner_text()


def test_tabs_are_in_the_history_and_a_reload_keeps_the_tab(visit):
    page = visit()
    open_tab(page, "Lab")
    page.wait_for_url("**#tab=lab")
    open_tab(page, "Models")
    page.wait_for_url("**#tab=models")
    page.go_back()
    page.wait_for_function("document.querySelector('[role=tab][aria-selected=true]').textContent.trim() === 'Lab'")
    page.go_back()
    page.wait_for_function("document.querySelector('[role=tab][aria-selected=true]').textContent.trim() === 'Predict'")
    page.go_forward()
    page.wait_for_function("document.querySelector('[role=tab][aria-selected=true]').textContent.trim() === 'Lab'")
    page.reload()
    page.locator("#lab-face").wait_for()
    assert chosen(page) == "Lab"


def test_arrow_keys_move_between_tabs_and_between_faces(visit):
    page = visit()
    page.get_by_role("tab", name="Predict", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert chosen(page) == list(READY)[1]
    page.keyboard.press("ArrowLeft")
    assert chosen(page) == "Predict"
    page.locator("#examples button", has_text="group").click()
    page.locator("#notice .fw-verdict").wait_for()
    page.locator("#faces [role=radio][aria-checked=true]").focus()
    for face in ("2", "3"):
        page.keyboard.press("ArrowRight")
        page.locator(f"#notice b:has-text('Face {face} of')").wait_for()
        page.wait_for_function("document.activeElement.getAttribute('aria-checked') === 'true'")
