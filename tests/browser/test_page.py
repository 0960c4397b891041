"""The page in a real browser: a photo and a snapshot go through all tabs."""

import io
import re
import threading

import numpy as np
import pytest
from PIL import Image

from app import pipeline, text
from app.ui import glossary
from app.ui.render import pictures
from models import geometry
from models.types import KEYPOINTS
from tests.browser.conftest import EXAMPLES

pytestmark = pytest.mark.browser

PICTURE = EXAMPLES / "astronaut.jpg"
WIDTHS = (390, 1280)
"""In pixels: a phone's, and a small screen's."""


def seen(locator) -> np.ndarray:
    """What the browser draws of an element, float (H, W, 3)."""
    locator.scroll_into_view_if_needed()
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"), float)


def give(page, path=PICTURE) -> None:
    """Upload a photo and wait for the models' answer."""
    page.locator("#source input[type=file]").set_input_files(str(path))
    page.locator("#notice .fw-verdict").wait_for()


def assert_read(page, faces: int) -> None:
    """Faces, 15 keypoints and three predictions are on the tab Predict."""
    assert page.locator("#photo .fw-box").count() == faces
    assert page.locator("#photo .fw-point").count() == 15
    listed = page.locator("#keypoints ol li").all_text_contents()
    assert [re.sub(r" -?\d+, -?\d+$", "", item.strip()) for item in listed] == [
        pictures.label(name) for name in KEYPOINTS
    ]
    assert seen(page.locator("#photo svg")).std() > 20
    page.locator("#probabilities .js-plotly-plot .bars").first.wait_for()
    names = page.locator("#probabilities .legendtext").all_text_contents()
    assert names == list(text.ALL.values())
    shares = [float(cell.replace("over ", "").replace("under ", "").split()[0]) for cell in numbers(page)]
    assert len(shares) == 28
    for model in range(4):
        assert abs(sum(shares[model::4]) - 100) <= 8


def numbers(page) -> list[str]:
    return [cell.replace("\u00a0", " ") for cell in page.locator("#numbers tbody td").all_text_contents()]


def strength(overlay) -> float:
    """How much a heatmap marks some places more than others, in grey levels, over a face."""
    heat = overlay.locator(".fw-heat")
    covered = seen(overlay)
    heat.evaluate("image => image.style.visibility = 'hidden'")
    bare = seen(overlay)
    heat.evaluate("image => image.style.visibility = ''")
    assert bare.std() > 20, "no face"
    return float(np.abs(covered - bare).mean(-1).std())


def open_tab(page, title: str) -> None:
    page.get_by_role("tab", name=title, exact=True).click()


def assert_explained(page) -> None:
    """A heatmap and its evidence are on the tab Explain."""
    open_tab(page, "Explain")
    page.locator("#heatmap .fw-heat").wait_for()
    assert strength(page.locator("#heatmap .fw-overlay")) > 3
    assert len(page.locator("#evidence").inner_text()) > 80
    assert page.locator("#evidence-parts tbody tr").count() == 8


def assert_compared(page) -> None:
    """Three methods of three networks are on the tab Compare."""
    open_tab(page, "Compare")
    page.locator("#compare-notice .fw-verdict").wait_for()
    rows = page.locator("#compare-grid .fw-method")
    assert rows.count() == 3
    for row, least in zip(rows.all(), (3, 1, 3), strict=True):
        overlays = row.locator(".fw-overlay")
        assert overlays.count() == 4
        assert max(strength(overlays.nth(index)) for index in range(3)) > least, "one scale, and not all blank"
    page.locator("#compare-parts .js-plotly-plot .bars").first.wait_for()


def assert_glass_box(page) -> None:
    """All its terms add up on the tab Compare, its reasons stand on Predict, and both fit a narrow page."""
    column = page.locator("#compare-glass .fw-glass")
    column.locator("summary").click()
    terms = column.locator(".fw-terms li")
    assert terms.count() == len(geometry.MEASURES)
    amounts = [points(amount) for amount in terms.locator("b").all_inner_texts()]
    start, score = map(points, re.search(r"the start, (\S+), they .* score, (\S+)\.", column.inner_text()).groups())
    assert abs(score - start) > 1 and start + sum(amounts) == pytest.approx(score, abs=0.6), "twenty rounded numbers"
    assert_fits(page, column)
    open_tab(page, "Predict")
    panel = page.locator("#glass-box .fw-glass")
    answer = panel.locator("h2 b").inner_text()
    reasons = panel.locator("li").all_inner_texts()
    assert len(reasons) == 3 and len({reason.rpartition(" for ")[2] for reason in reasons}) == 1
    assert text.ADJECTIVES[reasons[0].rpartition(" for ")[2]] in answer
    assert_fits(page, panel)


def resize(page, width: int) -> None:
    """Make the page so wide in pixels, and see that nothing scrolls sideways, once charts are drawn anew."""
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width, timeout=20_000)


def assert_fits(page, part) -> None:
    """A part of the page lies within it at 390 pixels, as at 1280, and nothing scrolls sideways."""
    for width in WIDTHS:
        resize(page, width)
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert part.evaluate(
            "part => [...part.querySelectorAll('*')].every(one => one.scrollWidth <= part.scrollWidth)"
        )


def assert_words_explained(page, title: str, *words: str) -> None:
    """Words of the open tab carry their meaning where they are first read, and only there."""
    for word in words:
        page.locator(f".fw-gloss[data-term='{word}']:visible").wait_for()
    told = page.locator(".fw-gloss:visible").evaluate_all("all => all.map(each => [each.dataset.term, each.title])")
    assert sorted(map(tuple, told)) == sorted(set(glossary.of(title)) & set(map(tuple, told)))


def points(told: str) -> float:
    """A number of the page."""
    return float(told.replace("\N{MINUS SIGN}", "-"))


def test_an_uploaded_photo_is_read_explained_and_compared(visit):
    page = visit()
    give(page)
    assert_read(page, faces=1)
    assert_words_explained(page, "Predict", "Glass box", "Keypoints")
    assert_explained(page)
    assert_words_explained(page, "Explain", "Heatmap", "Method")
    assert_compared(page)
    assert_words_explained(page, "Compare", "SHAP", "Shapley value")
    assert_glass_box(page)


def test_small_maps_lead_to_explain_and_nothing_stands_apart(visit):
    page = visit()
    give(page)
    peeks = page.locator("#glance .fw-peek[role=button]")
    peeks.nth(2).wait_for()
    boxes = [page.locator(name).bounding_box() for name in ("#photo", "#turn", "#source")]
    for above, below in zip(boxes, boxes[1:], strict=False):
        assert below["y"] - above["y"] - above["height"] < 40, "no hole"
    assert page.locator("#notice").bounding_box()["y"] - boxes[0]["y"] < 40
    assert "VGG16" in peeks.nth(2).inner_text()
    peeks.nth(2).focus()
    page.keyboard.press("Enter")
    page.locator("#heatmap .fw-heat[alt^='Heatmap of VGG16 for happy']").wait_for()
    assert page.locator("#explain-model input[value=vgg16]").is_checked()


def test_a_snapshot_from_the_webcam_is_read_and_explained(visit):
    page = visit()
    page.get_by_label("Capture from camera").click()
    page.wait_for_timeout(800)
    assert page.locator(".error:visible").count() == 0
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('#source video')?.currentTime > 0")  # it films
    page.locator("#source button[aria-label='capture photo']").click()
    page.locator("#notice .fw-verdict").wait_for()
    assert_read(page, faces=1)
    assert_explained(page)


def test_another_face_is_chosen_by_a_click_in_the_photo_and_from_the_strip(visit):
    page = visit()
    page.locator("#examples button", has_text="group").click()
    page.locator("#notice .fw-verdict").wait_for()
    faces = page.locator("#photo .fw-box")
    assert faces.count() >= 2
    before = page.locator("#keypoints svg image").get_attribute("href")
    faces.nth(1).click()
    page.locator("#photo .fw-box.chosen[data-index='1']").wait_for()
    assert page.locator("#keypoints svg image").get_attribute("href") != before
    page.locator("#faces button").nth(0).click()
    page.locator("#photo .fw-box.chosen[data-index='0']").wait_for()
    assert page.locator("#keypoints svg image").get_attribute("href") == before
    faces.nth(1).focus()
    page.keyboard.press("Enter")
    page.locator("#photo .fw-box.chosen[data-index='1']").wait_for()


def test_a_broken_picture_is_answered_by_a_sentence_that_stays_and_the_page_goes_on(visit, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n not a picture")
    page = visit()
    give(page)
    page.locator("#source input[type=file]").set_input_files(str(broken))
    error = page.locator("#notice .fw-error")
    error.wait_for()
    assert "of the photo before" in error.inner_text()
    page.wait_for_timeout(500)
    assert page.locator(".toast-body, .error:visible").count() == 0 and page.locator("#notice .fw-verdict").count() == 1
    page.locator("#examples button").first.click()
    error.wait_for(state="hidden")
    page.locator("#notice .fw-verdict").wait_for()


def test_the_photo_that_was_given_last_is_shown(visit, monkeypatch):
    """The first is still looked at when the second is given, and comes after it."""
    page, held, find = visit(), threading.Event(), pipeline.find

    def slow(photo):
        if photo.size[0] > 500:
            held.wait(60)
        return find(photo)

    monkeypatch.setattr(pipeline, "find", slow)
    page.locator("#source input[type=file]").set_input_files(str(PICTURE))
    page.get_by_text("Reading the photo").wait_for()
    page.locator("#examples button", has_text="average happy").click()
    page.locator("#notice .fw-verdict").wait_for()
    size = page.locator("#photo svg").get_attribute("viewBox")
    held.set()
    page.wait_for_timeout(1500)
    assert page.locator("#photo svg").get_attribute("viewBox") == size


def test_without_a_face_the_whole_picture_can_be_used(visit, tmp_path):
    plain = tmp_path / "plain.png"
    Image.new("RGB", (200, 200), "grey").save(plain)
    page = visit()
    page.locator("#source input[type=file]").set_input_files(str(plain))
    page.get_by_text("No face was found").wait_for()
    page.get_by_role("button", name="Use the whole picture").click()
    page.locator("#notice .fw-verdict").wait_for()
    assert page.locator("#photo .fw-box").count() == 1


def test_a_photo_that_lies_is_put_upright_and_can_be_turned_from_the_keyboard(visit, tmp_path):
    lying = tmp_path / "lying.png"
    picture = Image.open(EXAMPLES / "grace_hopper.jpg")
    picture.rotate(-90, expand=True).save(lying)
    page = visit()
    assert not page.locator("#turn").is_visible(), "there is nothing to turn"
    give(page, lying)
    width, height = picture.size
    photo = page.locator("#photo svg")
    assert photo.get_attribute("viewBox") == f"0 0 {width} {height}"
    page.get_by_text("This photo was turned by 90° to the left").wait_for()
    assert page.locator("#turn").bounding_box()["height"] >= 24
    page.locator("#turn").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('#photo svg').getAttribute('viewBox') === '0 0 {height} {width}'")
    page.locator("#notice .fw-verdict").wait_for()
    assert page.get_by_text("This photo was turned").count() == 0
