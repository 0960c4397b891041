"""What a visitor sends stays here: nothing is asked of another host, and nothing of it is logged."""

import json
import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.app.api.conftest import EXAMPLES
from tests.app.api.hostile.visitor import META

ROOT = Path(__file__).parents[3]
NAME = "ann_on_holiday"
SCRIPT = """
import json, os, socket, sys, threading
sys.path.insert(0, {root!r})
asked = []

def hear(event, args):
    if event == "socket.connect":
        address = args[1]
        if not (isinstance(address, tuple) and str(address[0]).startswith(("127.", "::1", "localhost"))):
            asked.append(repr(address) if isinstance(address, tuple) else "local")
    elif event == "socket.getaddrinfo" and args[0] not in (None, "127.0.0.1", "localhost", "::1"):
        asked.append(repr(args[0]))

sys.addaudithook(hear)
import logging
from app import main
from tests.lean import lean
logging.basicConfig(level=logging.DEBUG)
lean().start()
server = main.launch(port=0).start()

def tell(word, said):  # in a file of its own: the log has lines of several threads
    with open({told!r}, "a") as file:
        file.write(word + " " + said + "\\n")

tell("READY", server.url)
sys.stdin.readline()
control = socket.socket()
control.setblocking(False)
control.connect_ex(("198.51.100.9", 9))
tell("ASKED", json.dumps([address for address in asked if address != "local"]))
os._exit(0)
"""


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """A server of its own that reports every host it asked: its address, and a function that ends it and tells."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FACEWHY_", "GRADIO_"))}
    folder = tmp_path_factory.mktemp("log")
    path, told = folder / "server.log", folder / "told"
    told.touch()
    with path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT.format(root=str(ROOT), told=str(told))],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment | {"FACEWHY_HUB_REPO": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
            cwd=ROOT,
        )

    def until(word: str) -> str:
        while not (found := re.search(rf"^{word} (.*)\n", told.read_text(), re.MULTILINE)):
            assert process.poll() is None, path.read_text(errors="replace")[-2000:]
            time.sleep(0.1)
        return found[1]

    def end() -> tuple[list[str], str]:
        process.stdin.close()
        return json.loads(until("ASKED")), path.read_text(errors="replace")

    yield until("READY"), end
    process.kill()
    process.wait()


def test_the_server_asks_no_other_host_and_logs_nothing_of_a_visitor(apart):
    url, end = apart
    face = (EXAMPLES / "astronaut.jpg").read_bytes()
    with httpx.Client(base_url=url, timeout=120) as http:
        sent = http.post("gradio_api/upload", files={"files": (f"{NAME}.jpg", face)}).json()[0]
        for given in (
            {"path": sent, **META},
            {"path": "http://169.254.169.254/a.png", **META},
            {"path": f"/{NAME}.png"},
        ):
            event = http.post("gradio_api/call/detect", json={"data": [given]}).json()["event_id"]
            assert "event:" in http.get(f"gradio_api/call/detect/{event}").text
        assert http.post("predict", files={"file": (f"{NAME}.jpg", face)}).json()["faces"]
        assert http.post("predict", files={"file": (f"{NAME}.png", b"broken")}).status_code == 415
        assert http.post("api/v1/explain", json={"image": f"http://169.254.169.254/{NAME}.png"}).status_code == 422
        http.get("gradio_api/file=https://198.51.100.1/a.png")
        http.get("gradio_api/proxy=https://198.51.100.1/a.png")
        call = {"name": "detect", "arguments": {"image": "https://198.51.100.1/a.png"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        for host in ("198.51.100.1", None):
            headers = {"Accept": "application/json, text/event-stream"} | ({"Host": host} if host else {})
            http.post("gradio_api/mcp/", json=body, headers=headers)
    asked, logged = end()
    assert asked == ["('198.51.100.9', 9)"], "only the connection that shows that this test hears any"
    assert NAME not in logged
    lines = [line for line in logged.splitlines() if re.search(r"127\.0\.0\.1[:'\", ]+\d+", line)]
    assert [line for line in lines if url.rstrip("/") not in line] == [], "a client's address"
    assert face[:40].hex() not in logged and repr(face[200:230])[2:-1] not in logged


def test_no_picture_is_logged_at_any_level(url, caplog, capfd):
    face = (EXAMPLES / "astronaut.jpg").read_bytes()
    with caplog.at_level(logging.DEBUG):
        for name in ("httpx", "httpcore"):  # those of the test itself
            logging.getLogger(name).setLevel(logging.CRITICAL)
        answer = httpx.post(f"{url}predict", files={"file": (f"{NAME}.jpg", face)}, timeout=60)
        assert answer.status_code == 200
        assert httpx.post(f"{url}predict", files={"file": (f"{NAME}.jpg", face[:900])}, timeout=60).status_code == 415
    written = capfd.readouterr()
    logged = caplog.text + written.out + written.err
    assert NAME not in logged and repr(face[200:230])[2:-1] not in logged


def test_answers_may_not_be_kept_and_the_page_stays_at_home(url):
    for path in ("", "config", "health", "emotions", "gradio_api/info"):
        answer = httpx.get(url + path, timeout=60)
        assert answer.headers["cache-control"] == "no-store", path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = httpx.get(url, timeout=60).text
    asset = re.search(r"assets/index-[\w-]+\.js", page)[0]
    kept = httpx.get(url + asset, timeout=60)
    assert kept.status_code == 200 and "immutable" in kept.headers["cache-control"]


def test_another_visitors_upload_is_found_by_nobody_who_does_not_know_it(url):
    theirs = httpx.post(f"{url}gradio_api/upload", files={"files": ("theirs.png", b"x" * 99)}, timeout=60).json()[0]
    folder = Path(theirs).parents[1]
    for guess in (folder, folder / "..", Path(theirs).parent, folder / ("0" * 64) / "theirs.png"):
        assert httpx.get(f"{url}gradio_api/file={guess}", timeout=60).status_code == 403
