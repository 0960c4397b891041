import pickle
import socket
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import dataset, detector
from models.errors import ParameterError
from tests.training.dataset.quick import Quick
from training.dataset import annotate as annotation
from training.dataset import on_ray
from training.dataset.annotate import annotate
from training.dataset.annotator import Options
from training.dataset.sources import portions

pytestmark = pytest.mark.timeout(900)


def test_workers_write_what_one_process_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_worker_niceness", "0")  # Ray's 15 would leave workers nothing of a busy machine
    monkeypatch.setattr(annotation, "Annotator", Quick)  # the networks would take minutes to load beside other tests
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(40):
        cv2.imwrite(str(photos / f"{index:02}.png"), np.full((60, 50, 3), 6 * index, np.uint8))
    (photos / "40.png").write_bytes(b"no picture")
    progress = annotate([str(photos)], tmp_path / "ray", workers=2)
    assert (progress.photos, progress.faces, progress.errors, progress.total) == (40, 40, 1, 41)
    annotate([str(photos)], tmp_path / "here")
    for table in dataset.TABLES:
        one, other = (dataset.read(tmp_path / name).read(table).sort_by("source") for name in ("ray", "here"))
        assert one.equals(other) and one.num_rows == {"errors": 1}.get(table, 40)
    assert annotate([str(photos)], tmp_path / "ray", workers=1).done == 0


def test_what_goes_wrong_while_a_reader_loads_travels_to_the_worker(tmp_path, monkeypatch):
    monkeypatch.setattr(detector, "THREADS", detector.THREADS)  # a worker sets it
    (tmp_path / "1.png").write_bytes(b"no picture")
    (tmp_path / "2.png").write_bytes(b"gone soon")
    [portion] = portions([str(tmp_path)])
    (tmp_path / "2.png").unlink()
    rows = list(on_ray._loaded({"portion": pickle.dumps(portion)}))
    worker = on_ray.Worker(Quick, Options(), 1)
    tables = pickle.loads(worker({"picture": [row["picture"] for row in rows]})["tables"][0])
    told = {Path(row["source"]).name: row for row in tables["errors"].to_pylist()}
    assert told["1.png"]["error"] == "UnreadablePhoto" and told["1.png"]["photo_sha256"]
    assert told["2.png"]["error"] == "Unreachable" and told["2.png"]["photo_sha256"] is None


def test_a_cluster_that_runs_already_is_joined_only_by_its_address(monkeypatch):
    import ray

    given = []
    monkeypatch.setattr(ray, "init", lambda **options: given.append(options))
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"ray://127.0.0.1:{head.getsockname()[1]}"
        on_ray._connect(3, address, 1.0)
    on_ray._connect(3, "auto", 1.0)
    on_ray._connect(3, "", 1.0)
    joined, found, own = given
    assert (joined["address"], found["address"], own["address"]) == (address, "auto", "local")
    assert "num_cpus" not in joined and own["num_cpus"] >= 4
    travels = joined["runtime_env"]
    assert Path(travels["working_dir"], "training").is_dir() and not set(on_ray.TRAVELS) & set(travels["excludes"])
    assert {"tests", ".git"} <= set(travels["excludes"]) and travels["env_vars"]["TF_NUM_INTRAOP_THREADS"] == "1"


def test_a_cluster_that_asks_for_a_token_is_not_said_to_be_gone(monkeypatch):
    import ray

    def refuse(**_):
        raise ConnectionError("Failed to connect to Ray cluster")

    monkeypatch.setattr(ray, "init", refuse)
    with socket.create_server(("127.0.0.1", 0)) as head, pytest.raises(ParameterError, match="RAY_AUTH_MODE=token"):
        on_ray._connect(1, f"127.0.0.1:{head.getsockname()[1]}", 1.0)
    with pytest.raises(ParameterError, match="No Ray cluster was found at --address"):
        on_ray._connect(1, "auto", 1.0)


def test_a_cluster_that_is_not_there_is_named(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((60, 60, 3), np.uint8))
    with pytest.raises(ParameterError, match="No Ray cluster was found at --address. Received: none at '127.0.0.1:1'"):
        annotate([str(tmp_path)], tmp_path / "out", address="127.0.0.1:1")
