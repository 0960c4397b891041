"""The tabs Explain and Compare in a real browser: parts of the face, targets, trust, stopping, pasting."""

import base64
import re
from dataclasses import replace

import numpy as np
import pytest

from app.ui import controls
from app.ui.render import evidence_table
from app.ui.tabs import compare
from explain import registry
from explain.registry import METHODS
from models import zoo
from tests.browser.conftest import visitors
from tests.browser.test_page import EXAMPLES, give, open_tab, seen

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def explained(chromium):
    """One visitor's page with a heatmap on it, which several tests use; whatever they leave chosen."""
    with visitors(chromium) as open_page:
        page = open_page()
        give(page)
        open_tab(page, "Explain")
        page.locator("#heatmap .fw-heat").wait_for()
        yield page


def choose(page, name: str, option: str) -> None:
    """An option of a dropdown."""
    page.locator(f"#{name} input").first.click()
    page.locator(f"#{name}").get_by_role("option", name=option, exact=True).click()


def lit(page) -> set[str]:
    return set(page.locator(".lit").evaluate_all("parts => parts.map(part => part.dataset.region)"))


def test_a_part_that_is_pointed_at_is_read_out_and_lit_in_picture_and_table(explained):
    page, readout = explained, explained.locator(".fw-readout")
    page.mouse.move(2, 2)
    assert readout.inner_text() == evidence_table.REST
    mouth = page.locator("#heatmap path[data-region=mouth]")
    mouth.hover()
    assert readout.inner_text().startswith("mouth: ") and lit(page) == {"mouth"}
    assert page.locator("#evidence-parts tr.lit").inner_text().startswith("mouth")
    page.locator("#evidence-parts tr[data-region=nose]").hover()
    assert readout.inner_text().startswith("nose: ") and lit(page) == {"nose"}
    page.mouse.move(2, 2)
    assert readout.inner_text() == evidence_table.REST and lit(page) == set()
    height = readout.bounding_box()["height"]
    mouth.focus()
    assert readout.inner_text().startswith("mouth: ")
    assert readout.bounding_box()["height"] == height, "what is below moves, and a click there is lost"
    page.keyboard.press("Tab")
    assert lit(page) and lit(page) != {"mouth"}


def test_the_outlines_can_be_hidden_and_the_parts_still_answer(explained):
    page, face = explained, explained.locator("#heatmap .fw-overlay")
    before = seen(face)
    page.locator("#outlined input").uncheck()
    page.wait_for_function("document.documentElement.style.getPropertyValue('--fw-outline') === '0'")
    assert abs(seen(face) - before).max() > 20
    page.locator("#heatmap path[data-region=left_eye]").hover()
    assert page.locator(".fw-readout").inner_text().startswith("left eye: ")
    page.locator("#outlined input").check()


def test_the_opacity_changes_the_picture_and_asks_the_server_nothing(explained):
    page = explained
    page.locator("#evidence-parts tbody small").first.wait_for()  # the last that is asked for by itself
    page.wait_for_timeout(500)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    before = seen(page.locator("#heatmap .fw-overlay"))
    page.locator("#opacity input[type=range]").fill("0")
    page.wait_for_function("getComputedStyle(document.querySelector('.fw-heat')).opacity === '0'")
    assert np.abs(seen(page.locator("#heatmap .fw-overlay")) - before).max() > 20
    page.locator("#opacity input[type=range]").fill("0.7")
    assert [url for url in asked if "queue" in url or "call" in url or "run" in url] == []


def test_the_map_is_tested_after_it_is_there(explained):
    page = explained
    page.locator("#trust .fw-badge").wait_for()
    assert "Tested:" in page.locator("#trust").inner_text()
    page.locator("#trust-numbers button").first.click()
    page.locator("#trust-curves .js-plotly-plot .scatterlayer").first.wait_for()
    assert page.locator("#trust-numbers .fw-numbers").count() == 2


def test_the_evidence_says_how_far_it_moves_once_the_map_is_tested(explained):
    page = explained
    choose(page, "explain-method", METHODS["shap_regions"].title)
    page.locator("#explain-summary").get_by_text("256 ways").wait_for()
    page.get_by_text("things that a hidden place may show").wait_for()  # the method before had draws of chance
    ends = page.locator("#evidence-parts tbody small").all_inner_texts()
    assert len(ends) == 16 and all(re.fullmatch(r"\[\d+–\d+\]", each) for each in ends)
    row = page.locator("#evidence-parts tr[data-region=mouth]")
    row.hover()
    assert lit(page) == {"mouth"}, "the new table lights up like the one before"


def test_an_emotion_against_another_and_against_itself(explained):
    page = explained
    choose(page, "explain-emotion", "angry")
    choose(page, "explain-against", "sad")
    page.get_by_text("Explained: why angry").and_(page.get_by_text("and not sad")).wait_for()
    choose(page, "explain-against", "angry")
    page.get_by_text("Why angry and not angry?").wait_for()
    assert page.locator("[data-testid=toast-body]").count() == 0
    choose(page, "explain-against", controls.ALONE[0])
    page.locator("#heatmap .fw-heat").wait_for()


def test_a_method_can_be_read_about(explained):
    page = explained
    page.locator("#about-method button").first.click()
    page.get_by_text("What it is known to get wrong").wait_for()
    assert page.locator("#about-method img").evaluate("picture => picture.naturalWidth") > 100


def stop(page, button):
    """Press a button until it took: Gradio may lose a click in the moment that the button appears."""
    from playwright.sync_api import TimeoutError

    stopped = page.get_by_text("Stopped.")
    for _ in range(12):
        page.locator(button).dispatch_event("click")
        try:
            return stopped.wait_for(timeout=5000)
        except TimeoutError:
            continue
    return stopped.wait_for()


def test_a_slow_map_can_be_stopped_and_the_one_before_stays(explained, held, monkeypatch):
    page = explained
    before = page.locator("#heatmap .fw-heat").get_attribute("src")
    method = METHODS["scorecam"]

    def wait(*given, **named):
        held.wait(60)
        return method.run(*given, **named)

    monkeypatch.setitem(registry.METHODS, "scorecam", replace(method, run=wait))
    choose(page, "explain-method", method.title)
    page.get_by_text(f"{method.title} is at work").wait_for()
    assert page.locator("#heatmap .fw-heat").get_attribute("src") == before
    stop(page, "#explain-stop")
    assert page.locator("#heatmap .fw-heat").get_attribute("src") == before
    held.set()
    choose(page, "explain-method", METHODS["saliency"].title)
    page.wait_for_function(f"![undefined, {before!r}].includes(document.querySelector('#heatmap .fw-heat')?.src)")
    page.get_by_text("Stopped.").wait_for(state="hidden")


def test_a_comparison_can_be_stopped_and_goes_on_where_it_was(visit, held, monkeypatch):
    page = visit()
    give(page)
    page.locator("#glance .fw-peek[role=button]").nth(2).wait_for()  # Predict has made its small maps
    asked, really = [], compare.pipeline.explain

    def slow(name, face, target, method, params=None, version=""):
        asked.append((method, name))
        if len(asked) == 3:
            held.wait(60)
        return really(name, face, target, method, params, version)

    monkeypatch.setattr(compare.pipeline, "explain", slow)
    open_tab(page, "Compare")
    page.get_by_text("(3 of 9)").wait_for()
    maps = page.locator("#compare-grid img[alt^='Heatmap of']")
    assert maps.count() == 2
    stop(page, "#compare-stop")
    assert maps.count() == 2 and page.locator("#compare-stop").is_disabled()
    held.set()
    page.locator("#compare-start").click()
    page.locator("#compare-notice .fw-verdict").wait_for()
    assert maps.count() == 9
    first = ("gradcam", zoo.EMOTION_MODELS[0])
    assert asked.count(first) == 1 and len(asked) == 3 + 7, "what was ready was kept"
    assert page.get_by_text("Where they differ").count() == 3


def test_a_picture_is_pasted(visit):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write", "camera"])
    page.bring_to_front()  # the clipboard is open only to the page that has the focus
    data = base64.b64encode((EXAMPLES / "composite_happy.png").read_bytes()).decode()
    page.evaluate(
        """async (data) => {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            const picture = new Blob([bytes], {type: 'image/png'});
            await navigator.clipboard.write([new ClipboardItem({'image/png': picture})]);
        }""",
        data,
    )
    open_tab(page, "API")  # wherever the visitor is
    page.keyboard.press("Control+V")
    page.locator("#notice .fw-verdict").wait_for()
    assert page.locator("#photo .fw-box").count() == 1


def test_text_beside_a_picture_is_pasted_where_one_writes_and_of_several_files_one_is_read(visit):
    page = visit()
    open_tab(page, "API")
    paste = """([data, field, text, count]) => {
        const carried = new DataTransfer(), bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        for (let at = 0; at < count; at++) carried.items.add(new File([bytes], `${at}.png`, {type: 'image/png'}));
        if (text) carried.setData('text/plain', text);
        const target = field ? document.body.appendChild(document.createElement(field)) : document.body;
        const event = new ClipboardEvent('paste', {clipboardData: carried, bubbles: true, cancelable: true});
        target.dispatchEvent(event);
        if (field) target.remove();
        return event.defaultPrevented;
    }"""
    data = base64.b64encode((EXAMPLES / "composite_happy.png").read_bytes()).decode()
    for field in ("textarea", "input"):
        assert not page.evaluate(paste, [data, field, "a cell of a table", 1])
    assert page.get_by_role("tab", name="API", exact=True).get_attribute("aria-selected") == "true"
    assert page.evaluate(paste, [data, "", "a picture's name", 2])
    page.locator("#source-note").get_by_text("One photo is read at a time: the first of the 2").wait_for()
    page.locator("#notice .fw-verdict").wait_for()
    assert page.evaluate(paste, [data, "textarea", "", 1]), "a picture alone is no text"
    open_tab(page, "Clips")
    page.locator("#clip-source").wait_for()
    page.evaluate(
        """() => {
            const carried = new DataTransfer();
            for (const name of ['a.mp4', 'b.mp4']) carried.items.add(new File(['film'], name, {type: 'video/mp4'}));
            const event = new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true});
            document.querySelector('#clip-source').dispatchEvent(event);
        }"""
    )
    page.locator("#source-note").get_by_text("One clip is read at a time: the first of the 2").wait_for()


PAPER = """element => {
  while (getComputedStyle(element).backgroundColor === 'rgba(0, 0, 0, 0)') element = element.parentElement;
  return getComputedStyle(element).backgroundColor;
}"""


def luminance(colour: str) -> float:
    """The relative luminance of rgb(...), 0..1 (WCAG 2.2)."""
    shares = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_text_of_charts_can_be_read_in_the_light_and_in_the_dark(visit):
    """At least 4.5:1, success criterion 1.4.3."""
    page = visit()
    give(page)
    chart, papers = page.locator("#probabilities"), set()
    chart.locator(".gtitle").wait_for()
    for theme in ("light", "dark"):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
        paper = chart.evaluate(PAPER)
        papers.add(paper)
        for kind in (".xtick text", ".legendtext", ".gtitle"):
            ink = chart.locator(kind).first.evaluate("text => getComputedStyle(text).fill")
            dark, light = sorted([luminance(ink), luminance(paper)])
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{kind} in the {theme}: {ink} on {paper}"
    assert len(papers) == 2
