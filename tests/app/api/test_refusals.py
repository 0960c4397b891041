"""Bad input: every refusal is a sentence, no file is read, and the page stays up."""

import base64
import io
import logging
import os
import struct
import tempfile
import zlib
from pathlib import Path

import httpx
import pytest
from PIL import Image

from app import error_messages
from app.ui import uploads
from app.ui.gradio_overrides import blocks
from tests.app.api.conftest import EXAMPLES, NAMES

META = {"meta": {"_type": "gradio.FileData"}}
PICTURE = str(EXAMPLES / "astronaut.jpg")


@pytest.fixture(scope="module")
def outside():
    """A good picture on the server that nobody uploaded, in the folder for temporary files."""
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.effect_noise((64, 64), 90).save(file, "png")
        file.flush()
        yield file.name


def assert_sentence(message: str) -> None:
    """Words for people: no trace, no type, no path of the server."""
    assert message.count(" ") > 2 and message.endswith("."), message
    for jargon in ("Traceback", "Error", "None", str(Path.cwd()), tempfile.gettempdir(), "object at 0x"):
        assert jargon not in message, message


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "given",
    [
        {"path": "OUTSIDE"},
        {"path": "OUTSIDE", **META},
        {"path": PICTURE},
        {"path": PICTURE, **META},
        {"path": "examples/astronaut.jpg"},
        {"path": "../../../../../../etc/passwd"},
        {"path": "/etc/passwd", "orig_name": "a.svg"},
        {"path": "http://127.0.0.1:1/a.png"},
        {"path": "http://127.0.0.1:1/a.png", **META},
        {"path": "https://example.com/a.png", "url": "https://example.com/a.png", **META},
        {"url": "http://127.0.0.1:1/a.png"},
        {"url": "file:///etc/passwd", **META},
        {"url": "data:image/png;base64,iVBORw0KGgo="},
        {"path": None, **META},
        {"path": ["OUTSIDE"]},
        {"path": "OUTSIDE\0.png"},
    ],
    ids=lambda given: str(sorted(given.items()))[:60],
)
def test_no_file_or_address_is_read(call, outside, name, given):
    path = given.get("path")
    if isinstance(path, str):
        given = given | {"path": path.replace("OUTSIDE", outside)}
    with pytest.raises(PermissionError) as refused:
        call(name, given)
    assert_sentence(str(refused.value))


@pytest.mark.parametrize("given", [None, "", PICTURE, 5, [], [PICTURE], {}, {"image": {"path": PICTURE, **META}}])
def test_what_is_no_upload_is_refused(call, given):
    with pytest.raises(PermissionError) as refused:
        call("detect", given)
    assert_sentence(str(refused.value))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (PICTURE, "a path or base64"),
        ("face.jpg", "a path or base64"),
        (base64.b64encode(b"picture" * 50).decode(), "a path or base64"),
        ("data:image/png;base64,iVBORw0KGgo=", "a data address"),
        ("https://example.com/a.png", "an address"),
    ],
)
def test_a_picture_as_text_is_told_of_handle_file(client, given, kind):
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as refused:
        client.predict(given, api_name="/detect")
    assert kind in str(refused.value) and "handle_file(" in str(refused.value)


def test_a_mistake_of_a_caller_is_no_error_in_the_log(call, url, caplog):
    for given in (None, "", PICTURE, 5, [], {}, {"url": "http://127.0.0.1:1/a.png"}, {"path": None, **META}):
        with pytest.raises(PermissionError):
            call("detect", given)
    for arguments in ([], [None], [{"path": "x", **META}, False, "alexnet"]):
        with pytest.raises(PermissionError):
            call("explain", *arguments)
    httpx.post(f"{url}api/v1/explain", json={"image": "x", "model": 5})
    httpx.post(f"{url}gradio_api/queue/join", json={"fn_index": "x"})
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def picture(format: str = "PNG", size=(200, 200)) -> bytes:
    data = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(data, format)
    return data.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that claims 50,000 x 50,000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return b"\x89PNG\r\n\x1a\n" + chunk


@pytest.mark.parametrize(
    "data",
    [b"not a picture", picture()[:200], picture("JPEG")[:300], bomb(), picture(size=(8, 8)), b"<svg/>", b"\0" * 5000],
    ids=["text", "cut PNG", "cut JPEG", "bomb", "tiny", "svg", "zeros"],
)
@pytest.mark.parametrize("name", ["detect", "predict"])
def test_damaged_pictures_are_refused(call, upload, name, data):
    with pytest.raises(PermissionError) as refused:
        call(name, {"path": upload(data, "bad.png"), **META})
    assert_sentence(str(refused.value))


def test_a_huge_upload_is_refused(url):
    answer = httpx.post(f"{url}gradio_api/upload", files={"files": ("big.png", b"\0" * (21 * 2**20))}, timeout=60)
    assert answer.status_code == 413
    assert "size" in answer.text


@pytest.mark.parametrize("name", ["predict", "keypoints", "explain", "compare"])
def test_no_face_is_a_sentence_and_the_whole_picture_a_choice(client, computed_once, tmp_path, name):
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    path = tmp_path / "plain.png"
    Image.new("RGB", (120, 120), "grey").save(path)
    with pytest.raises(AppError) as refused:
        client.predict(image=handle_file(str(path)), api_name=f"/{name}")
    assert "take the whole picture" in str(refused.value)
    assert client.predict(image=handle_file(str(path)), whole_picture=True, api_name=f"/{name}")
    assert client.predict(image=handle_file(str(path)), api_name="/detect")["faces"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": "alexnet"},
        {"model": 5},
        {"model": ["cnn"]},
        {"emotion": "joy"},
        {"emotion": 3},
        {"method": "lime"},
        {"method": {}},
        {"emotion": "sad", "against": "sad"},
        {"params": {"samples": 1}},
        {"params": "fast"},
        {"params": {"detail": "finest"}},
        {"face": 9},
        {"face": -1},
        {"face": "first"},
        {"whole_picture": "yes"},
        {"model_version": "9.9.9"},
        {"model_version": 1},
        {"maps": "svg"},
        {"maps": ["png"]},
    ],
    ids=str,
)
def test_wrong_arguments_are_refused_with_a_sentence(call, upload, arguments):
    defaults = {"model": "cnn", "emotion": "", "method": "gradcam", "against": "", "params": None, "face": 0}
    values = defaults | {"whole_picture": False, "model_version": "", "maps": "arrays"} | arguments
    image = {"path": upload(Path(PICTURE).read_bytes()), **META}
    with pytest.raises(PermissionError) as refused:
        call("explain", image, *values.values())
    assert_sentence(str(refused.value))
    assert str(refused.value) not in (error_messages.UNEXPECTED, blocks.MISFIT)


@pytest.mark.parametrize(
    "arguments",
    [
        {"experiment": "hide the mouth"},
        {"experiment": []},
        {"experiment": {"steps": "hide"}},
        {"experiment": {"steps": [{"do": "melt"}]}},
        {"experiment": {"steps": [{"do": "hide", "region": "ear"}]}},
        {"experiment": {"steps": [{"do": "swap", "donor": "../../etc/passwd"}]}},
        {"experiment": {"steps": [{"do": "swap", "donor": "nobody"}]}},
        {"experiment": {"steps": [{"do": "blur", "sigma": 1e9}]}},
        {"experiment": {"steps": [{"do": "blur"}] * 999}},
        {"experiment": {"steps": [{"do": "paint", "pixels": "A" * 100}]}},
        {"method": "lime"},
        {"smallest_change": 1},
    ],
    ids=lambda arguments: str(arguments)[:60],
)
def test_wrong_experiments_are_refused_with_a_sentence(call, upload, arguments):
    defaults = {"experiment": None, "method": "gradcam", "emotion": "", "params": None, "smallest_change": False}
    values = defaults | {"face": 0, "whole_picture": False, "maps": "arrays"} | arguments
    image = {"path": upload(Path(PICTURE).read_bytes()), **META}
    with pytest.raises(PermissionError) as refused:
        call("lab", image, *values.values())
    assert_sentence(str(refused.value))
    assert str(refused.value) not in (error_messages.UNEXPECTED, blocks.MISFIT)


def test_private_events_of_the_page_read_no_file_either(url, http, outside):
    config = http.get(f"{url}config").json()
    for event in config["dependencies"]:
        for given in ({"path": outside}, {"path": PICTURE, **META}, {"path": "http://127.0.0.1:1/a.png", **META}):
            asked = http.post(
                f"{url}gradio_api/run/predict",
                json={"fn_index": event["id"], "data": [given] * len(event["inputs"]), "session_hash": "x"},
            )
            if asked.status_code == 200 and event["inputs"]:
                states = [c["type"] for c in config["components"] if c["id"] in event["inputs"]]
                assert set(states) == {"state"}, event["api_name"]


def test_the_page_stays_up_and_keeps_nothing_but_fresh_uploads(client, call, upload, monkeypatch):
    from gradio_client import handle_file

    assert client.predict(image=handle_file(PICTURE), api_name="/detect")["faces"]
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    path = Path(upload(Path(PICTURE).read_bytes(), "mine.jpg"))
    assert path.is_relative_to(folder)
    assert call("detect", {"path": str(path), **META})
    uploads.forget(path, path.stat().st_mtime)
    assert not path.exists()


def test_no_file_name_of_a_visitor_is_logged(call, upload, caplog, capfd):
    for data in (b"broken", picture()):
        try:
            call("detect", {"path": upload(data, "ann_on_holiday.png"), **META})
        except PermissionError:
            pass
    written = capfd.readouterr()
    assert "holiday" not in caplog.text + written.out + written.err
