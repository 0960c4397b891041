"""The table of hostile input against the running server: refused, nothing told, nothing left, and still up."""

import gc
import json
import os
import secrets
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.ui import uploads
from models import detector, photo
from models.errors import FaceWhyError
from tests.app.api import hostile
from tests.app.api.conftest import EXAMPLES
from tests.app.api.hostile.clips import good_clip
from tests.app.api.hostile.pictures import FORMATS, encoded
from tests.app.api.hostile.visitor import Case, Heard, Visitor

ROOT = Path(__file__).parents[3]
CANARY = secrets.token_hex(12)
GROWTH = 300 * 2**20
"""Bytes by which a second round may make the process grow; the first one fills caches."""
SLOW = 60
"""Seconds; what waits for nothing is answered much sooner, even on a busy machine."""
LIBRARIES = "__autograph_generated_file"
"""TensorFlow writes functions that it compiles, and nothing of a visitor, beside other temporary files."""


@pytest.fixture(scope="module")
def table() -> list[Case]:
    return hostile.table()


@pytest.fixture(scope="module", autouse=True)
def small_looks():
    """The detector looks at a ninth of its usual pixels: whatever it finds in this table, it answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detector, "SIDES", tuple(side // 3 for side in detector.SIDES))
        yield


@pytest.fixture(scope="module")
def visitor(url, tmp_path_factory):
    """Who sends all this; a secret lies in a file and in a variable, and temporary files are counted."""
    apart = tmp_path_factory.mktemp("elsewhere")
    secret = apart / "secret.png"
    Image.effect_noise((64, 64), 90).save(secret)
    with secret.open("ab") as file:
        file.write(CANARY.encode())
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    link = folder / "0123" / "link.png"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(secret)
    os.environ["CANARY_SECRET"] = CANARY
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("temporary"))
    with httpx.Client(timeout=60) as http:
        sent = http.post(f"{url}gradio_api/upload", files={"files": ("theirs.png", encoded("PNG"))})
        yield Visitor(url.rstrip("/"), str(secret), str(link), sent.json()[0], str(folder), http)
    tempfile.tempdir = before
    del os.environ["CANARY_SECRET"]


def leaks(heard: Heard, sent: str, folder: str) -> list[str]:
    """What an answer tells that it must not; what the visitor said first is no secret."""
    said = (heard.text + heard.head).replace(folder, "")
    home = str(Path.home())
    words = [CANARY, "Traceback (", "site-packages", str(ROOT), "root:x:0", "PATH=", "daemon:", tempfile.gettempdir()]
    words += [home + "/"] if len(home) > 1 else []
    return [word for word in words if word in said and word not in sent]


def resident() -> int:
    """Bytes of memory that this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_the_table_is_long_and_covers_every_door(table):
    assert len(table) >= 200
    interfaces = {case.interface for case in table}
    assert {"page", "call", "join", "run", "file=", "proxy=", "mcp", "static", "socket", "closed"} <= interfaces
    assert {"/predict", "/predict/batch", "/api/v1", "/api/v1/explain", "/gradio_api/upload"} <= interfaces
    assert {"the tab Clips", "/api/v1/video"} <= interfaces


def faults(visitor: Visitor, case: Case) -> list[str]:
    """What is wrong with the answer to a case: its status, what it tells, how long it took."""
    visitor.sent.clear()
    began = time.perf_counter()
    heard = case.send(visitor)
    took = time.perf_counter() - began
    found = []
    if heard.status not in case.allowed:
        found.append(f"{case.interface} {case.name}: {heard.status} {heard.text[:200]}")
    if told := leaks(heard, " ".join(visitor.sent), visitor.folder):
        found.append(f"{case.interface} {case.name} tells {told}: {heard.text[:300]}")
    if took > SLOW:
        found.append(f"{case.interface} {case.name} took {took:.1f} s")
    return found


@pytest.mark.timeout(600)
def test_no_hostile_input_gets_through(visitor, client, table):
    from gradio_client import handle_file

    picture = handle_file(str(EXAMPLES / "astronaut.jpg"))
    threads = threading.active_count()
    assert [fault for case in table for fault in faults(visitor, case)] == []
    assert client.predict(image=picture, api_name="/detect")["faces"], "the server no longer answers"
    held = resident()
    assert [fault for case in table[::9] for fault in faults(visitor, case)] == []
    assert resident() - held < GROWTH
    assert threading.active_count() < threads + 60
    folder = Path(visitor.folder)
    uploads.ALL.sweep(folder, time.time() + uploads.UNREAD + 5)
    assert [path for path in folder.rglob("*") if path.is_file() or path.is_symlink()] == []
    left = [path.name for path in Path(tempfile.gettempdir()).iterdir() if not path.name.startswith(LIBRARIES)]
    assert left == [], "a file was left outside the folder for uploads"


# ----------------------------------------------------------------- chance's turn

GOOD = {format: encoded(format, (64, 64)) for format in FORMATS}


@st.composite
def spoiled(draw, good: tuple[bytes, ...] = tuple(GOOD.values())) -> bytes:
    """A good picture of any format, or a clip, with bytes changed, lost, doubled or moved."""
    data = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(1, 64))
        match draw(st.sampled_from(["bytes", "lost", "doubled", "cut", "number"])):
            case "bytes":
                data[at : at + length] = draw(st.binary(min_size=1, max_size=length))
            case "lost":
                del data[at : at + length]
            case "doubled":
                data[at:at] = data[at : at + length]
            case "cut":
                del data[max(1, at) :]
            case "number":
                data[at : at + 4] = draw(st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\1\0"]))
    return bytes(data)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoiled())
def test_no_spoiled_picture_raises_anything_but_our_errors(data):
    try:
        read = photo.read(data)
    except FaceWhyError as error:
        assert str(error).endswith(".") and str(ROOT) not in str(error)
    else:
        assert read.pixels.ndim == 3 and max(read.pixels.shape) <= photo.WORKING_SIDE


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoiled())
def test_no_spoiled_picture_breaks_an_endpoint(visitor, data):
    heard = visitor.file(data)
    assert heard.status in (200, 400, 413, 415, 422), heard.text
    if heard.status != 200:
        assert json.loads(heard.text)["error"]["message"].endswith(".")


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoiled((good_clip(),)))
def test_no_spoiled_clip_breaks_the_endpoint_or_the_tab(visitor, data):
    for heard in (visitor.coded_clip(data), visitor.clip(data)):
        assert heard.status in (200, 400, 413, 415, 422), heard.text
        assert leaks(heard, "", visitor.folder) == []
