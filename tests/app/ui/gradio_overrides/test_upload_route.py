"""Uploads through Gradio's route: how many, and what is left where one fails."""

import errno
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from gradio import route_utils

from app.ui import upload_folder, uploads
from app.ui.gradio_overrides import upload_route
from tests import server
from tests.app.test_server import until


@pytest.fixture
def url() -> str:
    return f"{server.start().url}gradio_api/upload"


def lying() -> set[Path]:
    """What lies in the folder for uploads."""
    return {path for path in upload_folder.private_folder().rglob("*") if path.is_file()}


def send(url: str, count: int, field: str = "files") -> httpx.Response:
    files = [(field, (f"{index}.jpg", b"%d" % index)) for index in range(count)]
    return httpx.post(url, files=files, timeout=600)


def test_a_request_has_so_many_files(url):
    before = lying()
    assert send(url, upload_route.FILES).status_code == 200
    after = lying()
    assert len(after - before) == upload_route.FILES
    answer = send(url, upload_route.FILES + 1)
    assert answer.status_code == 400 and "Too many files" in answer.text
    assert lying() == after


@pytest.mark.parametrize("what", ["open", "write", "rename"])
def test_a_full_disk_is_told_and_leaves_no_file(url, monkeypatch, what):
    before = lying()

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    if what == "open":
        monkeypatch.setattr(route_utils, "NamedTemporaryFile", full)
    elif what == "write":
        monkeypatch.setattr(route_utils.GradioUploadFile, "write", full)
    else:
        monkeypatch.setattr(route_utils.os, "rename", full)
    answer = send(url, 3)
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert answer.json()["error"]["code"] == "NoSpace" and "disk is full" in answer.json()["detail"]
    assert lying() == before


def test_parts_that_are_no_uploads_are_not_kept(url):
    before = lying()
    send(url, 2, field="others")
    assert lying() == before


def test_an_upload_that_breaks_off_leaves_no_file(url):
    before, place = lying(), urlsplit(url)
    head = b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + b"x" * 1000
    with socket.create_connection((place.hostname, place.port)) as line:
        line.sendall(head + part)
        until(lambda: lying() - before)
    until(lambda: lying() == before)


def test_gradio_forgets_the_paths_of_uploads_that_are_gone(url):
    page = server.start().page
    sent = httpx.post(url, files={"files": ("gone.jpg", b"gone")}, timeout=600).json()[0]
    assert sent in page.upload_file_set and sent in uploads.ALL.known()
    Path(sent).unlink()
    uploads.ALL.sweep(upload_folder.private_folder(), 0)
    until(lambda: sent not in set(page.upload_file_set))
