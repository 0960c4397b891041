"""Uploads: what may be read, and that they are gone in time."""

import os
import threading
import time
from pathlib import Path

import pytest

from app.ui import uploads
from models.errors import EmptyPhotoError, PhotoError


@pytest.fixture
def upload(tmp_path):
    path = tmp_path / "cache" / "0123" / "face.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"picture")
    return path


def test_an_upload_is_read(upload):
    assert uploads.ALL.take(str(upload), upload.parents[1]) == b"picture"


@pytest.mark.parametrize("path", [None, ""])
def test_nothing_is_refused(path, tmp_path):
    with pytest.raises(EmptyPhotoError):
        uploads.ALL.take(path, tmp_path)


@pytest.mark.parametrize(
    "path", ["http://localhost/a.png", "https://x/a.png", "file:///etc/hostname", "data:image/png;base64,AA"]
)
def test_addresses_are_refused(path, tmp_path):
    with pytest.raises(PhotoError, match="an address"):
        uploads.ALL.take(path, tmp_path)


@pytest.mark.parametrize(
    "path", ["/etc/hostname", "/etc", "/dev/zero", "cache/../../secret.jpg", "examples/astronaut.jpg", ".", "a\0.png"]
)
def test_paths_elsewhere_are_refused_without_naming_a_folder(path, upload):
    with pytest.raises(PhotoError) as caught:
        uploads.ALL.take(path, upload.parents[1])
    assert str(upload.parents[1]) not in str(caught.value) and os.getcwd() not in str(caught.value)


def test_a_way_out_of_the_folder_is_refused(upload, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    link = upload.parent / "link.jpg"
    link.symlink_to(secret)
    for path in (link, upload.parent / ".." / ".." / "secret.jpg"):
        with pytest.raises(PhotoError, match="a path on the server"):
            uploads.ALL.take(str(path), upload.parents[1])


def test_an_upload_that_is_gone_asks_for_it_again(upload):
    upload.unlink()
    with pytest.raises(EmptyPhotoError, match="Upload the picture again"):
        uploads.ALL.take(str(upload), upload.parents[1])


def test_an_upload_is_deleted_soon_after_it_was_read(upload):
    folder, now = upload.parents[1], time.time()
    uploads.ALL.take(str(upload), folder)
    uploads.ALL.sweep(folder, now + uploads.GRACE - 1)
    assert upload.exists()
    uploads.ALL.sweep(folder, now + uploads.GRACE + 2)
    assert not upload.parent.exists() and folder.exists()


def test_an_upload_that_nobody_read_is_deleted_after_some_minutes(upload):
    folder, now = upload.parents[1], time.time()
    begun = folder / "tmpq1w2e3"
    begun.write_bytes(b"what came before the line broke")
    (folder / "empty").mkdir()
    uploads.ALL.sweep(folder, now + uploads.GRACE + 2)
    assert upload.exists() and begun.exists()
    uploads.ALL.sweep(folder, now + uploads.UNREAD + 2)
    assert list(folder.iterdir()) == []
    assert uploads.UNREAD <= 600


def test_a_flood_of_uploads_pushes_the_oldest_out(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST", 5 * uploads.BLOCK)
    for index in range(5):
        (tmp_path / f"{index}").mkdir()
        (tmp_path / f"{index}" / "face.jpg").write_bytes(b"x" * 100)
        os.utime(tmp_path / f"{index}" / "face.jpg", (1000 + 10 * index,) * 2)
    uploads.ALL.sweep(tmp_path, 1100)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3", "4"]


def test_what_counts_is_what_files_take_on_the_disk(tmp_path, monkeypatch):
    """12,000 files of a byte counted as 12 KB and filled a disk of 48 MB."""
    monkeypatch.setattr(uploads, "MOST", 2 * 2 * uploads.BLOCK)
    tiny(tmp_path, 5)
    uploads.ALL.sweep(tmp_path, 1100)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3", "4"]


def test_what_counts_is_the_number_of_files_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_FILES", 3)
    tiny(tmp_path, 5)
    uploads.ALL.sweep(tmp_path, 1100)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3", "4"]


@pytest.mark.parametrize("limit", ["bytes", "files"])
def test_a_client_has_its_share_and_pushes_out_its_own_alone(tmp_path, monkeypatch, limit):
    every = uploads.Uploads()
    monkeypatch.setattr(uploads, "MOST_FILES" if limit == "files" else "MOST", 8 * (limit == "files" or 2 * 4096))
    paths = tiny(tmp_path, 5)
    every.arrived("visitor", paths[:1])
    for path in paths[1:]:
        every.arrived("greedy", [path])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "3", "4"]
    assert every.known() == {str(paths[at]) for at in (0, 3, 4)}
    paths[4].unlink()
    every.sweep(tmp_path, 1100)
    assert every.known() == {str(paths[at]) for at in (0, 3)}


@pytest.mark.parametrize("moment", ["is noted", "is measured"])
def test_a_sweep_while_uploads_arrive_breaks_nothing(moment, tmp_path, monkeypatch):
    """It took away what was being counted, or the client whose first upload was being noted."""
    every, paths, sweeps = uploads.Uploads(), tiny(tmp_path, 2), []
    if moment == "is measured":
        every.arrived("visitor", paths)
        paths[0].unlink()
    called = uploads.taken if moment == "is measured" else time.time

    def meanwhile(*args):
        if not sweeps:
            sweeps.append(threading.Thread(target=every.sweep, args=(tmp_path, 1000)))
            sweeps[0].start()
            sweeps[0].join(0.5)  # it may have to wait
        return called(*args)

    monkeypatch.setattr(*((uploads, "taken") if moment == "is measured" else (uploads.time, "time")), meanwhile)
    every.arrived("visitor", paths[1:])
    sweeps[0].join()
    assert every.known() == {str(paths[1])}


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
    uploads.ALL.sweep(upload.parents[1], time.time() + 10_000)
    assert outside.exists() and not upload.parent.exists()


def test_an_upload_that_was_used_again_stays(upload):
    used = time.time()
    os.utime(upload, (used + 5, used + 5))
    uploads.forget(upload, used)
    assert upload.exists()
    uploads.forget(upload, used + 5)
    assert not upload.parent.exists()
