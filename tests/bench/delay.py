"""The live camera from the browser's camera to the browser's screen: a face jumps, and its box follows."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tests.bench.page import serving
from tests.bench.timing import Row, example

SCRIPT = Path(__file__).with_suffix(".js")
FILM_RATE = 30
"""Frames a second at which Chromium plays a film of JPEGs as its camera."""
STAY_S = 1.7
"""Seconds between two jumps; no multiple of what the page sends in, so that jumps fall on any moment between two."""
WARM = 4
"""Jumps that are not counted."""
JUMPS = 8
"""Jumps a turn."""
LIMIT = 0.3


def rows(models: list, turns: int) -> Iterator[Row]:
    """Seconds from the frame in which the face has jumped to the painted box: browser and server on this machine.

    A jump is the slowest frame: the face is not where it was, so the detector looks for it.
    """
    with tempfile.TemporaryDirectory() as folder, serving() as url:
        film = Path(folder) / "jumps.mjpeg"
        film.write_bytes(b"".join(frames()))
        whole, server = delays(watched(url, film, WARM + JUMPS * turns))
    yield Row("live camera, from a jump to its drawn box: median", float(np.median(whole)), LIMIT, "s")
    yield Row("live camera, from a jump to its drawn box: 95 % within", float(np.quantile(whole, 0.95)), LIMIT, "s")
    yield Row("of it from the sending of the frame: median", float(np.median(server)), LIMIT, "s")


def frames() -> list[bytes]:
    """A face that jumps between two places, 640 x 480 as JPEGs, and a bar above that is white where it is right."""
    portrait = example()[0].pixels
    found = []
    for place, grey in ((-60, 0), (200, 255)):
        move = np.float32([[0.9, 0, place], [0, 0.9, 60]])
        shown = cv2.warpAffine(portrait, move, (640, 480), borderMode=cv2.BORDER_REPLICATE)
        shown[:40] = grey
        data = cv2.imencode(".jpg", shown[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        found += [data] * round(STAY_S * FILM_RATE)
    return found


def watched(url: str, film: Path, jumps: int) -> dict[str, list[dict]]:
    """What the page of a visitor with this camera noted, see `delay.js`: lists of {"to", "at"}, at in milliseconds."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import FLAGS, executable, webcam

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS + webcam(film))
        page = browser.new_context(permissions=["camera"]).new_page()
        page.add_init_script(path=SCRIPT)
        page.goto(url)
        page.get_by_role("tab", name="Live", exact=True).click()
        page.locator("#live-camera").get_by_text("Click to Access Webcam").click()
        page.locator("#live-camera .capture-button").click()
        page.locator("#live-marks rect.first").wait_for(timeout=120_000)
        page.evaluate("measure()")
        page.wait_for_timeout(1000 * STAY_S * (jumps + 2))
        noted = page.evaluate("delays")
        browser.close()
    return noted


def delays(noted: dict[str, list[dict]]) -> tuple[list[float], list[float]]:
    """Seconds from each jump, and from the sending of its first frame, to the drawn box.

    A box that has not followed when the face jumps again counts as if it had followed just then.

    Args:
        noted: see `watched`.
    """
    whole, server = [], []
    jumps = noted["jumps"][1 + WARM :]
    for jump, following in zip(jumps, jumps[1:], strict=False):
        began, over, to = jump["at"], following["at"], jump["to"]
        sent, drawn = (
            next((turn["at"] for turn in noted[name] if turn["to"] == to and began <= turn["at"] < over), over)
            for name in ("sent", "drawn")
        )
        whole.append((drawn - began) / 1000)
        server.append((drawn - sent) / 1000)
    return whole, server
