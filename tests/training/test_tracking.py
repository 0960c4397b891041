import json
from dataclasses import asdict

import pytest

from models.errors import RunError
from tests.hub import closed_port
from training import run, tracking
from training.config import Config

CONFIG = Config("cnn", stages=((2, 24),))
ROWS = [{"epoch": 0, "seconds": 1.5, "loss": 1.0, "val_accuracy": 0.5}, {"epoch": 1, "seconds": 1.0, "loss": 0.75}]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "runs" / "cnn"
    run.begin(folder, run.record(CONFIG, "ab" * 32))
    (folder / run.BEST).write_bytes(b"weights")
    return folder


@pytest.fixture(scope="module", autouse=True)
def quick():
    """MLflow's first import takes seconds, and its first database a migration."""
    pytest.importorskip("mlflow")


def test_settings_figures_files_and_version_reach_the_database(folder):
    one = tracking.Tracking("local", folder)
    run.write_log(folder, ROWS[:1])
    one.on_epoch_end(0)
    resumed = tracking.Tracking("local", folder)  # as after a kill
    run.write_log(folder, ROWS)
    resumed.on_epoch_end(1)
    version = resumed.finish("cnn")

    client = resumed.client
    (known,) = client.search_runs([client.get_experiment_by_name("facewhy").experiment_id])
    assert known.info.run_id == json.loads((folder / tracking.FILE).read_text())["run"]
    assert known.info.status == "FINISHED" and known.info.run_name == "cnn"
    parameters = known.data.params
    assert parameters["learning_rate"] == "0.05" and parameters["augmentation.rotation"] == "12.0"
    assert len(parameters) == len(asdict(CONFIG)) - 1 + len(asdict(CONFIG.augmentation))
    losses = client.get_metric_history(known.info.run_id, "loss")
    assert [(each.step, each.value) for each in sorted(losses, key=lambda e: e.step)][-1] == (1, 0.75)
    assert {each.step for each in losses} == {0, 1}
    assert known.data.tags["data_sha256"] == "ab" * 32 and known.data.tags["backend"] == "tensorflow"
    assert {file.path for file in client.list_artifacts(known.info.run_id)} == {run.RECORD, run.LOG, run.BEST}
    got = client.download_artifacts(known.info.run_id, run.BEST)
    with open(got, "rb") as file:
        assert file.read() == b"weights"
    registered = client.get_model_version("facewhy-cnn", version)
    assert registered.run_id == known.info.run_id and registered.tags["epochs"] == "2"
    assert resumed.finish("cnn") == version  # handing in twice makes no second version

    made = folder.parent / "versions" / "1.0.3" / "cnn"
    made.mkdir(parents=True)
    (made / "card.json").write_text("{}")
    tracking.add_version(folder, made, "1.0.3")
    assert "card.json" in {file.path for file in client.list_artifacts(known.info.run_id)}
    assert client.get_model_version("facewhy-cnn", version).tags["version"] == "1.0.3"
    tracking.add_version(made, made, "1.0.3")  # of a run that was not tracked
    assert (folder.parent / "mlflow.db").is_file() and (folder.parent / "mlflow").is_dir()


def test_a_server_that_is_not_there_is_refused_at_once(folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RunError, match="MLflow at http.* failed"):
        tracking.Tracking(closed_port(), folder)


def test_a_server_that_goes_down_does_not_stop_a_run_and_gets_the_epochs_later(folder, monkeypatch, capsys):
    from mlflow.exceptions import MlflowException

    told = tracking.Tracking("local", folder)
    run.write_log(folder, ROWS[:1])
    with monkeypatch.context() as down:

        def fails(*_, **__):
            raise MlflowException("the server is down")

        down.setattr(told.client, "log_metric", fails)
        told.on_epoch_end(0)
    assert "the server is down" in capsys.readouterr().out
    run.write_log(folder, ROWS)
    told.on_epoch_end(1)
    losses = told.client.get_metric_history(told.id, "loss")
    assert sorted(each.step for each in losses) == [0, 1]
