import os
import queue
import stat
import time

import pytest

from app import uploads
from models.errors import EmptyPhotoError, PhotoError


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


@pytest.mark.parametrize("path", ["/etc/hostname", "/etc", "cache/../../secret.jpg", "examples/astronaut.jpg", "."])
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


def test_an_upload_is_deleted_soon_after_it_was_read(upload, monkeypatch):
    monkeypatch.setattr(uploads, "GRACE", 0.05)
    monkeypatch.setattr(uploads, "_read", queue.SimpleQueue())
    uploads._sweeper.cache_clear()
    uploads.take(str(upload), upload.parents[1])
    for _ in range(100):
        if not upload.parent.exists():
            break
        time.sleep(0.02)
    assert not upload.parent.exists()


def test_an_upload_that_was_used_again_stays(upload):
    used = time.time()
    os.utime(upload, (used + 5, used + 5))
    uploads.forget(upload, used)
    assert upload.exists()
    uploads.forget(upload, used + 5)
    assert not upload.parent.exists()


def test_the_folder_is_ours_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert uploads.private_folder() == tmp_path
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    folder = uploads.private_folder()
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()
