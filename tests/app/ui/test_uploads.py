"""Uploads: what may be read, and that they are gone in time, whatever happens to the server."""

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

from app.ui import uploads
from models import photo
from models.errors import EmptyPhotoError, ParameterError, PhotoError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def upload(tmp_path):
    path = tmp_path / "cache" / "0123" / "face.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"picture")
    return path


def test_an_upload_is_read(upload):
    assert uploads.take(str(upload), upload.parents[1]) == b"picture"


@pytest.mark.parametrize("path", [None, ""])
def test_nothing_is_refused(path, tmp_path):
    with pytest.raises(EmptyPhotoError):
        uploads.take(path, tmp_path)


@pytest.mark.parametrize(
    "path", ["http://localhost/a.png", "https://x/a.png", "file:///etc/hostname", "data:image/png;base64,AA"]
)
def test_addresses_are_refused(path, tmp_path):
    with pytest.raises(PhotoError, match="an address"):
        uploads.take(path, tmp_path)


@pytest.mark.parametrize(
    "path", ["/etc/hostname", "/etc", "/dev/zero", "cache/../../secret.jpg", "examples/astronaut.jpg", ".", "a\0.png"]
)
def test_paths_elsewhere_are_refused_without_naming_a_folder(path, upload):
    with pytest.raises(PhotoError) as caught:
        uploads.take(path, upload.parents[1])
    assert str(upload.parents[1]) not in str(caught.value) and os.getcwd() not in str(caught.value)


def test_a_way_out_of_the_folder_is_refused(upload, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    link = upload.parent / "link.jpg"
    link.symlink_to(secret)
    for path in (link, upload.parent / ".." / ".." / "secret.jpg"):
        with pytest.raises(PhotoError, match="a path on the server"):
            uploads.take(str(path), upload.parents[1])


def test_an_upload_that_is_gone_asks_for_it_again(upload):
    upload.unlink()
    with pytest.raises(EmptyPhotoError, match="Upload the picture again"):
        uploads.take(str(upload), upload.parents[1])


def test_an_upload_is_deleted_soon_after_it_was_read(upload):
    folder, now = upload.parents[1], time.time()
    uploads.take(str(upload), folder)
    uploads.sweep(folder, now + uploads.GRACE - 1)
    assert upload.exists()
    uploads.sweep(folder, now + uploads.GRACE + 2)
    assert not upload.parent.exists() and folder.exists()


def test_an_upload_that_nobody_read_is_deleted_after_some_minutes(upload):
    folder, now = upload.parents[1], time.time()
    begun = folder / "tmpq1w2e3"
    begun.write_bytes(b"what came before the line broke")
    (folder / "empty").mkdir()
    uploads.sweep(folder, now + uploads.GRACE + 2)
    assert upload.exists() and begun.exists()
    uploads.sweep(folder, now + uploads.UNREAD + 2)
    assert list(folder.iterdir()) == []
    assert uploads.UNREAD <= 600


def test_a_flood_of_uploads_pushes_the_oldest_out(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST", 5 * uploads.BLOCK)
    for index in range(5):
        (tmp_path / f"{index}").mkdir()
        (tmp_path / f"{index}" / "face.jpg").write_bytes(b"x" * 100)
        os.utime(tmp_path / f"{index}" / "face.jpg", (1000 + 10 * index,) * 2)
    uploads.sweep(tmp_path, 1100)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3", "4"]


def test_what_counts_is_what_files_take_on_the_disk(tmp_path, monkeypatch):
    """12,000 files of a byte counted as 12 KB and filled a disk of 48 MB."""
    monkeypatch.setattr(uploads, "MOST", 2 * 2 * uploads.BLOCK)
    tiny(tmp_path, 5)
    uploads.sweep(tmp_path, 1100)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3", "4"]


def test_what_counts_is_the_number_of_files_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_FILES", 3)
    tiny(tmp_path, 5)
    uploads.sweep(tmp_path, 1100)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3", "4"]


@pytest.mark.parametrize("limit", ["bytes", "files"])
def test_a_client_has_its_share_and_pushes_out_its_own_alone(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(uploads, "_arrived", {})
    monkeypatch.setattr(uploads, "MOST_FILES" if limit == "files" else "MOST", 8 * (limit == "files" or 2 * 4096))
    paths = tiny(tmp_path, 5)
    uploads.arrived("visitor", paths[:1])
    for path in paths[1:]:
        uploads.arrived("greedy", [path])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "3", "4"]
    assert uploads.known() == {str(paths[at]) for at in (0, 3, 4)}
    paths[4].unlink()
    uploads.sweep(tmp_path, 1100)
    assert uploads.known() == {str(paths[at]) for at in (0, 3)}


def tiny(folder: Path, count: int) -> list[Path]:
    """Uploads of a byte, the oldest first."""
    paths = [folder / f"{index}" / "face.jpg" for index in range(count)]
    for index, path in enumerate(paths):
        path.parent.mkdir()
        path.write_bytes(b"x")
        os.utime(path, (1000 + 10 * index,) * 2)
    return paths


def test_a_sweep_follows_no_link(upload, tmp_path):
    outside = tmp_path / "mine.txt"
    outside.write_text("keep")
    (upload.parent / "link").symlink_to(outside)
    uploads.sweep(upload.parents[1], time.time() + 10_000)
    assert outside.exists() and not upload.parent.exists()


def test_an_upload_that_was_used_again_stays(upload):
    used = time.time()
    os.utime(upload, (used + 5, used + 5))
    uploads.forget(upload, used)
    assert upload.exists()
    uploads.forget(upload, used + 5)
    assert not upload.parent.exists()


# ------------------------------------------------------------------- the folder

SERVER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
sys.path.insert(0, {root!r})
from app.ui import uploads
folder = uploads.private_folder()
(folder / "0123").mkdir()
(folder / "0123" / "face.jpg").write_bytes(b"picture")
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
    assert folder.parent == tmp_path.resolve()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "0123" / "face.jpg").exists()
    assert (tmp_path / "theirs.jpg").exists()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None], ids=str)
def test_uploads_are_gone_however_the_server_ends(server, tmp_path, end):
    (tmp_path / "theirs.jpg").write_bytes(b"of the operator")
    process, folder = server()
    assert (folder / "0123" / "face.jpg").exists()
    if end is None:
        process.stdin.close()
    else:
        process.send_signal(end)
    process.wait(10)
    assert gone(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.jpg"]


@pytest.mark.skipif(uploads.fcntl is None, reason="folders are not locked here")
def test_a_start_deletes_what_dead_servers_left_and_nothing_else(server, tmp_path):
    _, alive = server()
    dead = tmp_path / f"{uploads.PREFIX}dead"
    beside = tmp_path / "facewhy-notes"
    linked = tmp_path / f"{uploads.PREFIX}link"
    fresh = tmp_path / f"{uploads.PREFIX}fresh"
    for folder in (dead, beside, fresh):
        folder.mkdir()
        (folder / "face.jpg").write_bytes(b"picture")
    linked.symlink_to(beside)
    for folder in (dead, alive, beside):
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
        uploads.private_folder()


@pytest.mark.skipif(uploads.fcntl is None, reason="nobody owns a file here")
def test_a_start_clears_the_code_that_a_killed_server_left(server, tmp_path):
    left, fresh, other = (tmp_path / f"__autograph_generated_file{name}.py" for name in ("left", "fresh", "other"))
    mine = tmp_path / "autograph.py"
    for path in (left, fresh, mine):
        path.write_text("x = 1")
    other.symlink_to(mine)
    for path in (left, mine):
        os.utime(path, (1000, 1000))
    _, folder = server(TMPDIR=str(tmp_path))
    assert folder.exists() and not left.exists()
    assert fresh.exists() and mine.exists() and other.is_symlink()


def test_the_folder_is_made_once(monkeypatch):
    folder = uploads.private_folder()
    assert uploads.private_folder() == folder == Path(os.environ["GRADIO_TEMP_DIR"])


def test_pictures_sent_to_the_rest_api_never_become_a_file():
    """Starlette's own limit, beyond which it writes one, is a megabyte."""
    folder, rolled = uploads.private_folder(), []
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
