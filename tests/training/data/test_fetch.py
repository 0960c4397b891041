import sys
import types

import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

from models.errors import DataError
from tests.hub import closed_port, serving
from training import cli, data
from training.data import fetch


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """No token, and a cache of its own."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)


def test_a_data_set_of_the_hub_becomes_a_folder_that_can_be_read(parquet, tmp_path, monkeypatch):
    files = {"fer2013.parquet": parquet.read_bytes(), "README.md": b"about", "weights.bin": b"not wanted"}
    with serving(files) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        command = ["data", "fetch", "someone/faces", "--from", "hub", "--out", str(tmp_path / "out")]
        result = CliRunner().invoke(cli.app, command)
        assert result.exit_code == 0, result.exception
        assert all(path.startswith(("/api/datasets/", "/datasets/")) for _, path in hub.requests)
    got = tmp_path / "out"
    assert sorted(path.name for path in got.iterdir() if path.is_file()) == ["fer2013.parquet"]
    assert (got / "fer2013.parquet").read_bytes() == parquet.read_bytes()
    assert len(data.load_emotions(got)["Training"]) == 14
    assert f"--data {got}" in result.output.replace("\n", "")


def test_a_hub_without_it_or_without_readable_files_is_one_sentence(tmp_path, monkeypatch):
    with serving({"README.md": b"about"}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(DataError, match="No file of the data set someone/faces can be read"):
            fetch.from_hub("someone/faces", tmp_path / "out")
        with pytest.raises(DataError, match="someone/faces at no-such-branch"):
            hub.exists = False
            fetch.from_hub("someone/faces", tmp_path / "other", "no-such-branch")
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    with pytest.raises(DataError, match="could not be fetched from the Hub"):
        fetch.from_hub("someone/faces", tmp_path / "third")


def test_kaggle_without_its_package_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(DataError, match="kagglehub.*not installed.*pip install kagglehub"):
        fetch.from_kaggle("someone/fer2013", tmp_path)


def test_what_kaggle_downloads_is_copied(parquet, tmp_path, monkeypatch):
    asked = []
    client = types.ModuleType("kagglehub")
    client.dataset_download = lambda handle: asked.append(handle) or str(parquet.parent)
    monkeypatch.setitem(sys.modules, "kagglehub", client)
    folder = fetch.from_kaggle("someone/fer2013", tmp_path / "cache" / "out")
    assert asked == ["someone/fer2013"] and (folder / "fer2013.parquet").is_file()

    def refuses(handle):
        raise PermissionError("403 for this data set")

    client.dataset_download = refuses
    with pytest.raises(DataError, match="403 for this data set"):
        fetch.from_kaggle("someone/fer2013", tmp_path / "again")
