"""The folder for uploads: ours alone, and gone whatever happens to the server."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.ui import upload_folder
from models import photo
from models.errors import ParameterError

ROOT = Path(__file__).parents[3]
SERVER = """
import signal, sys, tempfile
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
sys.path.insert(0, {root!r})
from app.ui import upload_folder
folder = upload_folder.private_folder()
(folder / "0123").mkdir()
(folder / "0123" / "face.jpg").write_bytes(b"picture")
tempfile.mkstemp(".py", "library")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server(tmp_path):
    """server() -> a process that holds an upload, and its folder; its parent folder is `tmp_path`."""
    started = []

    def start(**environ: str) -> tuple[subprocess.Popen, Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER.format(root=str(ROOT))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)} | environ,
        )
        started.append(process)
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def gone(folder: Path, within: float = 10.0) -> bool:
    """Whether a folder is deleted in time."""
    end = time.monotonic() + within
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return not folder.exists()


def test_the_folder_is_ours_alone_and_what_lies_beside_it_stays(server, tmp_path):
    (tmp_path / "theirs.jpg").write_bytes(b"of the operator")
    _, folder = server()
    assert folder.parent.parent == tmp_path.resolve()
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert (folder / "0123" / "face.jpg").exists()
    assert (tmp_path / "theirs.jpg").exists()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None], ids=str)
def test_uploads_and_what_libraries_wrote_are_gone_however_the_server_ends(server, tmp_path, end):
    (tmp_path / "theirs.jpg").write_bytes(b"of the operator")
    process, folder = server()
    assert (folder / "0123" / "face.jpg").exists() and len(list(folder.parent.glob("*/library*.py"))) == 1
    if end is None:
        process.stdin.close()
    else:
        process.send_signal(end)
    process.wait(10)
    assert gone(folder.parent)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.jpg"]


@pytest.mark.skipif(upload_folder.fcntl is None, reason="folders are not locked here")
def test_a_start_deletes_what_dead_servers_left_and_nothing_else(server, tmp_path):
    _, alive = server()
    dead = tmp_path / f"{upload_folder.PREFIX}dead"
    beside = tmp_path / "facewhy-notes"
    linked = tmp_path / f"{upload_folder.PREFIX}link"
    fresh = tmp_path / f"{upload_folder.PREFIX}fresh"
    for folder in (dead, beside, fresh):
        folder.mkdir()
        (folder / "face.jpg").write_bytes(b"picture")
    linked.symlink_to(beside)
    for folder in (dead, alive.parent, beside):
        os.utime(folder, (1000, 1000))
    _, other = server()
    assert not dead.exists()
    assert all((folder / "face.jpg").exists() for folder in (beside, linked, fresh))
    assert (alive / "0123" / "face.jpg").exists() and (other / "0123" / "face.jpg").exists()


@pytest.mark.parametrize("wrong", ["a file", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_told(wrong, tmp_path, monkeypatch):
    (tmp_path / "a file").write_bytes(b"")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / wrong))
    with pytest.raises(ParameterError, match="folder for uploads could not be made.*GRADIO_TEMP_DIR"):
        upload_folder.private_folder()


def test_the_folder_is_made_once(monkeypatch):
    folder = upload_folder.private_folder()
    assert upload_folder.private_folder() == folder == Path(os.environ["GRADIO_TEMP_DIR"])


def test_pictures_sent_to_the_rest_api_never_become_a_file():
    """Starlette's own limit, beyond which it writes one, is a megabyte."""
    folder, rolled = upload_folder.private_folder(), []
    before = set(folder.rglob("*.jpg"))

    async def receive(request: Request) -> JSONResponse:
        form = await request.form()
        rolled.append(form["image"].file._rolled)
        return JSONResponse({"bytes": len(await form["image"].read())})

    app = Starlette(routes=[Route("/predict", receive, methods=["POST"])])
    with TestClient(app) as client:
        answer = client.post("/predict", files={"image": ("face.jpg", b"x" * photo.MAX_BYTES)})
    assert answer.json() == {"bytes": photo.MAX_BYTES}
    assert rolled == [False] and not set(folder.rglob("*.jpg")) - before
