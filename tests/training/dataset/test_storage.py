"""The real clients against servers on loopback, in processes of their own, for pyarrow does not let Python go on."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from models.errors import DataError
from tests import hub
from training.dataset import storage
from training.dataset.sources import portions, read

FILES = {"flickr/1 a.jpg": b"one", "flickr/deep/2.jpg": b"two", "flickr/readme.txt": b"not a picture"}
TABLE = pa.table({"image": [b"first", b"second"], "caption": ["a man", None]})
STARTS_S = 60


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(TABLE, sink, row_group_size=1)
    return sink.getvalue().to_pybytes()


def request(url: str, method: str, data: bytes = b"", **headers: str) -> int:
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=20) as answer:
        return answer.status


@contextmanager
def server(*command: str):
    """A server in a process of its own on a free port; {port} in the command is that."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, *(word.format(port=port) for word in command)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + STARTS_S
        while process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def s3():
    with server("-m", "moto.server", "-H", "127.0.0.1", "-p", "{port}") as url:
        keys = {"access_key": "us-east-1", "secret_key": "us-east-1", "region": "us-east-1"}
        bucket = fs.S3FileSystem(**keys, endpoint_override=url, allow_bucket_creation=True)
        bucket.create_dir("faces")
        for name, data in {**FILES, "tables/t.parquet": parquet()}.items():
            with bucket.open_output_stream(f"faces/{name}") as file:
                file.write(data)
        yield url


@pytest.fixture(scope="module")
def gcs():
    start = "import sys; from gcp_storage_emulator.__main__ import main; sys.exit(main(sys.argv[1:]))"
    words = ("start", "--host", "127.0.0.1", "--port", "{port}", "--in-memory", "--default-bucket", "faces")
    with server("-c", start, *words) as url:
        for name, data in {**FILES, "tables/t.parquet": parquet()}.items():
            to = f"{url}/upload/storage/v1/b/faces/o?uploadType=media&name={quote(name, safe='')}"
            request(to, "POST", data, **{"Content-Type": "application/octet-stream"})
        yield url


@pytest.fixture
def store(request, monkeypatch):
    """The address of a bucket with `FILES` and a table, as it would be written."""
    storage._system.cache_clear()
    match request.param:
        case "s3":
            monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3"))
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
                monkeypatch.setenv(name, "us-east-1")
            yield "s3://faces"
        case "gs":
            monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", request.getfixturevalue("gcs"))
            yield "gs://anonymous@faces"
        case "hf":
            with hub.serving({**FILES, "tables/t.parquet": parquet()}) as running:
                monkeypatch.setenv("HF_ENDPOINT", running.url)
                yield "hf://datasets/someone/faces"
    storage._system.cache_clear()


every_store = pytest.mark.parametrize("store", ["s3", "gs", "hf"], indirect=True)


@every_store
def test_pictures_and_tables_come_from_a_store(store):
    name = store.replace("anonymous@", "")
    found = [picture for portion in portions([f"{store}/flickr"]) for picture in read(portion)]
    assert {picture.source: picture.load() for picture in found} == {
        f"{name}/flickr/1 a.jpg": b"one",
        f"{name}/flickr/deep/2.jpg": b"two",
    }
    assert [p.files for p in portions([f"{store}/flickr/?*.jpg"])] == [(f"{name.split('://')[1]}/flickr/1 a.jpg",)]
    rows = [picture for portion in portions([f"{store}/tables"]) for picture in read(portion)]
    assert [(row.source, row.load(), row.captions) for row in rows] == [
        (f"{name}/tables/t.parquet#0", b"first", ["a man"]),
        (f"{name}/tables/t.parquet#1", b"second", None),
    ]


@every_store
def test_what_is_not_in_a_store_is_named(store):
    with pytest.raises(DataError, match=f"Nothing was found in .*Received: {store.replace('anonymous@', '')}/gone"):
        portions([f"{store}/gone"])
    [portion] = portions([f"{store}/flickr/deep"])
    with pytest.raises(OSError):
        storage.load(portion.at(f"{storage.place(store).plain}/gone.jpg"))


@pytest.mark.parametrize("store", ["s3", "gs"], indirect=True)
def test_a_bucket_that_is_not_there_is_named(store):
    with pytest.raises(DataError, match=r"(No such bucket|Nothing was found).*//absent/photos. Check"):
        portions([store.replace("faces", "absent/photos")])
    with pytest.raises(DataError, match="The address names no bucket. Received: '...?//'"):
        portions([store.replace("anonymous@", "").replace("faces", "")])


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_the_address_may_name_another_server(store, monkeypatch):
    host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    [portion] = portions([f"{store}/flickr/deep?endpoint_override={host}&scheme=http"])
    assert [(picture.source, picture.load()) for picture in read(portion)] == [("s3://faces/flickr/deep/2.jpg", b"two")]


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_credentials_that_s3_refuses_are_told_with_what_to_do(store):
    url = os.environ["AWS_ENDPOINT_URL"]
    plain = {"Content-Type": "text/plain"}
    request(f"{url}/moto-api/reset-auth", "POST", b"0", **plain)  # from now on it looks at them
    try:
        with pytest.raises(DataError, match="credentials were refused.*s3://faces/flickr. Set AWS_ACCESS_KEY_ID"):
            portions([f"{store}/flickr"])
    finally:
        request(f"{url}/moto-api/reset-auth", "POST", b"inf", **plain)


@pytest.mark.parametrize("store", ["gs"], indirect=True)
def test_missing_credentials_for_google_are_told_with_what_to_do(store, monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "WAIT_S", 0.5)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(DataError, match="credentials were refused or missing.*gs://faces/flickr. Run `gcloud auth"):
        portions([store.replace("anonymous@", "") + "/flickr"])


def test_the_hub_s_refusals_are_told(monkeypatch):
    storage._system.cache_clear()
    with hub.serving(FILES, exists=False) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        with pytest.raises(DataError, match="the Hugging Face Hub. Received: hf://datasets/no/body"):
            portions(["hf://datasets/no/body"])
        running.refuse["datasets/closed"] = 401
        with pytest.raises(DataError, match="refused or missing.*hf://datasets/closed/set. Set HF_TOKEN"):
            portions(["hf://datasets/closed/set"])
    storage._system.cache_clear()
