"""A headless Chromium on the running page, with a webcam that films the astronaut."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import pytest

from tests import server
from tests.lean import quick_methods
from tests.remembered import remembering

EXAMPLES = Path(__file__).parents[2] / "examples"
FRAMES_A_SECOND = 10
"""Of the camera; the thirty of a motion JPEG keep a core busy."""
WAITS = 180_000
"""Milliseconds until something that never comes is given up: a busy machine may take a minute for three networks."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module", autouse=True)
def less_to_compute() -> Iterator[None]:
    """What was computed for a face before is not computed again, and methods take their quick numbers."""
    with remembering(), quick_methods():
        yield


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> Path:
    """A few frames of the astronaut, 640 x 480: raw video of `FRAMES_A_SECOND`, which costs the browser least."""
    photo = cv2.imread(str(EXAMPLES / "astronaut.jpg"))
    height, width = photo.shape[:2]
    rows = round(width * 0.75)
    frame = cv2.resize(photo[:rows], (640, 480), interpolation=cv2.INTER_AREA)
    path = tmp_path_factory.mktemp("film") / "astronaut.y4m"
    planes = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes()
    path.write_bytes(
        f"YUV4MPEG2 W640 H480 F{FRAMES_A_SECOND}:1 Ip A1:1 C420jpeg\n".encode() + 10 * (b"FRAME\n" + planes)
    )
    return path


def executable() -> str | None:
    """The browser on this machine, if there is one."""
    return next(
        filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))),
        None,
    )


def webcam(film: Path) -> list[str]:
    """The flags of a browser whose camera plays a film (y4m or mjpeg) over and over."""
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]


@pytest.fixture(scope="module")
def chromium(film) -> Iterator:
    """The browser; without one these tests fail where CI is set and are skipped elsewhere.

    Playwright's event loop stays in the thread while it runs, so it ends with the module: tests that come after need
    a loop of their own.
    """
    missing = "" if executable() else "no Chromium on the path: install the package chromium"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "playwright is not installed: make test installs it"
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS + webcam(film))
        yield browser
        browser.close()


class Watch:
    """What a page asked for and complained about.

    Gradio's webcam asks for the progress of an upload without a name; the 404 says nothing. Nor does the
    AbortError of a page that is left or loaded again: Gradio ends its own stream of answers there.
    """

    def __init__(self, page):
        self.hosts, self.complaints = set(), []
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)) if error.name != "AbortError" else None)
        page.on("response", lambda answer: self.complaints.append(answer.url) if self.failed(answer) else None)

    def hear(self, line) -> None:
        left = "AbortError" in line.text or "Connection errored out" in line.text
        if line.type == "error" and not left and "404" not in line.text and line.text != "Response":
            self.complaints.append(line.text)

    def failed(self, answer) -> bool:
        return answer.status >= 400 and not answer.url.endswith("upload_progress?upload_id=")


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Set by a test to let a method that waits for it go on; set at the end in any case."""
    event = threading.Event()
    yield event
    event.set()


@contextmanager
def visitors(chromium) -> Iterator[Callable]:
    """Opens fresh visitors' pages, watched and checked at the end; the script `first` runs before a page."""
    url = server.start().url
    opened = []

    def open_page(width: int = 1280, height: int = 900, first: str = ""):
        context = chromium.new_context(viewport={"width": width, "height": height}, permissions=["camera"])
        page = context.new_page()
        page.add_init_script(first)
        page.set_default_timeout(WAITS)
        watch = Watch(page)
        page.goto(url)
        page.locator("#examples button").first.wait_for()
        opened.append((context, watch))
        return page

    yield open_page
    for context, _ in opened:
        context.close()
    for _, watch in opened:
        assert watch.hosts <= {urlsplit(url).netloc, ""}, "the page asked another host"
        assert watch.complaints == []


@pytest.fixture
def visit(chromium) -> Iterator[Callable]:
    """visit(width) -> a page of a visitor of this test, see `visitors`."""
    with visitors(chromium) as open_page:
        yield open_page


@pytest.fixture
def tab(chromium) -> Iterator:
    """An empty tab of a visitor who may use the camera."""
    context = chromium.new_context(permissions=["camera"])
    page = context.new_page()
    page.set_default_timeout(WAITS)
    yield page
    context.close()
