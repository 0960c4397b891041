"""The Data tab in a real browser."""

import shutil

import pytest

from app.data import reading
from tests.browser.conftest import EXAMPLES
from tests.browser.test_page import WIDTHS, open_tab, resize
from training.dataset.annotate import annotate
from training.dataset.annotator import Options

pytestmark = pytest.mark.browser


def test_the_dataset_that_ships_is_shown_and_filtered(visit):
    page = visit()
    open_tab(page, "Data")
    lead = page.locator("#data-notice .fw-verdict")
    lead.get_by_text("7,153 faces.").wait_for()
    page.locator("#data-map .js-plotly-plot").wait_for()
    assert page.locator("#data-geometry tbody tr").count() == 20
    page.locator("#data-explained").get_by_text("surprise").click()
    page.locator("#data-terms-charts .gtitle", has_text="Added to surprise, face by face").wait_for()
    assert page.locator("#data-terms-charts .scatterlayer .points path").count() == 4000
    page.locator("#data-colour").get_by_text("right or wrong").click()
    page.locator("#data-map .legendtext", has_text="wrong").wait_for()
    page.locator("#data-agreement input").click()
    page.get_by_role("option", name="they differ").click()
    lead.get_by_text("of 7,153 faces.").wait_for()
    assert "same emotion on 0\u00a0%" in lead.inner_text()
    for width in WIDTHS:
        resize(page, width)


@pytest.fixture(scope="module")
def pictured(tmp_path_factory):
    """The photos that ship, annotated with `--crops`; the groups' faces are labelled fear by their folder."""
    folder = tmp_path_factory.mktemp("pictured")
    photos = folder / "photos" / "test" / "fear"
    photos.mkdir(parents=True)
    for name in ("astronaut.jpg", "group.jpg", "grace_hopper.jpg"):
        shutil.copyfile(EXAMPLES / name, photos / name)
    annotate([str(folder / "photos")], folder / "dataset", Options(crops=True))
    return folder / "dataset"


def test_faces_to_look_at_have_their_pictures(visit, pictured, monkeypatch):
    monkeypatch.setenv(reading.VARIABLE, str(pictured))
    page = visit()
    open_tab(page, "Data")
    for part in ("#data-uncertain", "#data-wrong"):
        pictures = page.locator(f"{part} img")
        pictures.first.wait_for()
        for place in range(pictures.count()):
            drawn = pictures.nth(place)
            assert drawn.evaluate("image => image.complete && image.naturalWidth") == 48
            assert drawn.get_attribute("src").startswith("data:image/png;base64,"), "inside the answer, at no address"
        for width in WIDTHS:
            resize(page, width)
            box, row = pictures.first.bounding_box(), page.locator(f"{part} tbody tr").first.bounding_box()
            assert box["x"] >= row["x"] and box["width"] == box["height"] == 64
    assert str(pictured) not in page.content()
    file = next(pictured.glob("faces/*.parquet"))
    for address in (f"gradio_api/file={file}", f"file={file}", f"static/{file}", f"gradio_api/file=../..{file}"):
        assert page.request.get(page.url.partition("#")[0] + address).status in (403, 404), address
