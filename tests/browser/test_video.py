"""The tabs Live and Clips in a real browser: a camera that films the astronaut, and a clip of her that moves."""

import re

import pytest

from models import photo
from tests import server
from tests.app.test_clips import film
from tests.browser.conftest import EXAMPLES, Watch
from tests.browser.test_page import open_tab

pytestmark = pytest.mark.browser

BOX_IN_VIDEO = """() => {
    const [video, box] = ["#live-camera video", "#live-marks rect.first"].map(name => document.querySelector(name));
    if (!video || !box) return false;
    const [around, inside] = [video, box].map(each => each.getBoundingClientRect());
    return around.left < inside.left && inside.left < inside.right && inside.right < around.right;
}"""


def test_the_camera_is_followed_its_neutral_face_held_and_a_frame_kept(visit):
    page = visit()
    open_tab(page, "Live")
    page.locator("#live-camera").get_by_text("Click to Access Webcam").click()
    page.locator("#live-camera .capture-button").click()
    page.locator("#live-numbers tbody tr").first.wait_for()
    assert page.locator("#live-marks circle").count() == 15 and page.locator("#live-marks rect.first").count() == 1
    assert "happy" in page.locator("#live-numbers .fw-verdict").inner_text()
    page.wait_for_function(BOX_IN_VIDEO)  # at one moment: the marks are drawn anew with each frame
    page.get_by_label("Heatmap (Grad-CAM) over the largest face").check()
    page.locator("#live-marks .fw-live-heat").wait_for(state="attached")
    page.locator("#live-hold").click()
    page.locator("#live-numbers").get_by_text("points against your neutral face").wait_for()
    page.locator("#live-keep").click()
    page.locator("#live-kept").get_by_text("Kept:").wait_for()
    open_tab(page, "Predict")
    page.locator("#photo .fw-box").wait_for()
    open_tab(page, "Live")
    page.locator("#live-camera [title='start recording']").wait_for()
    state = (
        "document.querySelector('#live-camera video').srcObject.getTracks().every(track => track.readyState === '{}')"
    )
    assert page.evaluate(state.format("ended")), "a camera out of sight is off"
    assert not page.locator("#live-marks svg").is_visible()
    page.locator("#live-camera .capture-button").click()
    page.wait_for_function(state.format("live"))
    page.locator("#live-camera [title='stop recording']").wait_for()
    page.locator("#live-camera .capture-button").click()


def test_a_clip_becomes_a_timeline_whose_moments_open_everywhere(visit, tmp_path):
    path = tmp_path / "film.mp4"
    film(path, photo.read(EXAMPLES / "astronaut.jpg").pixels, count=8, rate=4)
    page = visit()
    open_tab(page, "Clips")
    assert "30 seconds, 20 MiB" in page.locator("#clip-notice").inner_text()
    page.locator("#clip-source input[type=file]").set_input_files(str(path))
    page.locator("#clip-notice .fw-verdict").wait_for()
    assert re.search(r"8 moments.*Person 1", page.locator("#clip-notice").inner_text().replace("\n", " "))
    page.locator("#clip-strip button").nth(3).click()
    page.locator("#clip-opened").get_by_text("is now the photo").wait_for()
    assert "At 0.8" in page.locator("#clip-moment figcaption").inner_text().replace("\u00a0", " ")
    with page.expect_download() as saved:
        page.locator("#clip-downloads a", has_text="CSV").click()
    lines = open(saved.value.path(), encoding="utf-8").read().splitlines()
    assert lines[0].startswith("seconds,person,emotion") and len(lines) == 9
    dots = page.locator("#clip-timeline .scatterlayer .points path")
    dots.first.wait_for()
    place = page.locator("#clip-timeline .nsewdrag").first.bounding_box()
    page.mouse.move(place["x"] + place["width"] - 14, place["y"] + 12)
    page.wait_for_timeout(300)
    page.mouse.click(place["x"] + place["width"] - 14, place["y"] + 12)
    page.locator("#clip-moment figcaption", has_text=re.compile(r"At 1\.[58]")).wait_for()
    open_tab(page, "Explain")
    page.locator("#heatmap .fw-heat").wait_for()


NO_CAMERA = {
    "NotAllowedError": "does not let this page use the camera. Allow it in the address bar, or give a photo",
    "NotFoundError": "No camera was found. Connect one, or give a photo",
    "NotReadableError": "Another program uses the camera. Close that one, or give a photo",
    "AbortError": "The camera stopped answering. Connect it again, or give a photo",
}
"""What is said where getUserMedia fails, by the names of W3C's Media Capture and Streams, section 10.2."""
FAILS = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', window.failing); }"


def told(page) -> str:
    """What stands beside the camera once it was asked for."""
    page.locator("#live-camera").get_by_text("Click to Access Webcam").click()
    page.locator("#source-note").wait_for()
    note, stage = page.locator("#source-note").bounding_box(), page.locator("#live-stage").bounding_box()
    assert 0 <= stage["y"] - note["y"] - note["height"] < 40
    return page.locator("#source-note").inner_text()


def test_a_camera_that_fails_is_told_beside_it_with_what_to_do(visit):
    page = visit(first=FAILS)
    open_tab(page, "Live")
    for name, sentence in NO_CAMERA.items():
        page.evaluate("name => window.failing = name", name)
        assert sentence in told(page), name
        assert page.locator(".error, .toast-body").count() == 0, name


def test_a_page_without_https_says_that_browsers_keep_the_camera_from_it(visit):
    page = visit(first="delete Navigator.prototype.mediaDevices")  # as browsers do outside of a secure context
    open_tab(page, "Live")
    assert "to pages on https and localhost only. Open this page by https://, or give a photo" in told(page)


def test_a_frame_that_may_not_use_the_camera_says_so(tab):
    watch, url = Watch(tab), server.start().url
    framing = f"<iframe src='{url}' allow=\"camera 'none'\" width=1200 height=800></iframe>"
    tab.route(f"{url}framing", lambda route: route.fulfill(body=framing, content_type="text/html"))
    tab.goto(f"{url}framing")
    frame = tab.frames[1]
    open_tab(frame, "Live")
    assert "inside another one" in told(frame) and "Open it in a tab of its own, or give a photo" in told(frame)
    frame.evaluate("delete Document.prototype.featurePolicy")  # no other browser than Chromium has it
    frame.evaluate("document.getElementById('source-note').remove()")
    assert "inside another one" in told(frame)
    assert all("camera is not allowed in this document" in complaint for complaint in watch.complaints)
