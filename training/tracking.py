"""A run told to MLflow: its settings, its figures after every epoch, its files, its model version."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import keras

from models import card as cards
from models.errors import RunError
from training import run

if TYPE_CHECKING:
    import mlflow

EXPERIMENT = "facewhy"
LOCAL = "local"
"""What the option is given for a database beside the runs."""
FILE = "mlflow.json"
"""In a run's folder: which MLflow run it is, so that a resumed run goes on with it."""
TAGS = ("git_commit", "data_sha256", "start", "backend", "precision")
DATABASE, ARTIFACTS = "mlflow.db", "mlflow"


class Tracking(keras.callbacks.Callback):
    """Sends every epoch of a run to MLflow. A server that is down for a while gets the epochs later.

    Args:
        uri: of a tracking server or database; "local" for `mlflow.db` in `runs`, its files in `mlflow`.
        folder: of the run, see `training.run`.

    Raises:
        RunError: MLflow is not installed, or does not answer.
    """

    def __init__(self, uri: str, folder: Path):
        super().__init__()
        self.folder = folder
        self.uri = f"sqlite:///{(folder.parent / DATABASE).resolve()}" if uri == LOCAL else uri
        self.files = (folder.parent / ARTIFACTS).resolve().as_uri() if uri == LOCAL else None
        self.id, self.sent = "", 0
        self.client = client(self.uri, folder.parent)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        try:
            self._send()
        except RunError as error:
            print(f"not told to MLflow yet: {error.received}")

    def _send(self) -> None:
        with asking(self.uri):
            self._begin()
            log = run.read_log(self.folder)
            for row in log[self.sent :]:
                for name, value in row.items():
                    if name != "epoch":
                        self.client.log_metric(self.id, name, value, step=row["epoch"])
                self.sent += 1

    def finish(self, name: str) -> str:
        """Hand in the run's files and register its best weights as a version of a model.

        Args:
            name: of the model, such as "cnn"; it is registered as "facewhy-cnn".

        Returns:
            The version's number.
        """
        self._send()
        with asking(self.uri):
            for file in (run.RECORD, run.LOG, run.BEST):
                if (self.folder / file).is_file():
                    self.client.log_artifact(self.id, str(self.folder / file))
            self.client.set_terminated(self.id, "FINISHED")
            return self._register(f"{EXPERIMENT}-{name}")

    def _begin(self) -> None:
        """Find the MLflow run that this run has already, or begin one."""
        if self.id:
            return
        known = self.folder / FILE
        if known.is_file():
            kept = json.loads(known.read_text(encoding="utf-8"))
            if kept["uri"] == self.uri:
                self.id = kept["run"]
                return
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        number = experiment.experiment_id if experiment else self.client.create_experiment(EXPERIMENT, self.files)
        record = run.read_record(self.folder) or {}
        tags = {key: str(record.get(key, "unknown")) for key in TAGS}
        self.id = self.client.create_run(number, run_name=self.folder.name, tags=tags).info.run_id
        for key, value in run.flat({"config": record.get("config", {})}).items():
            self.client.log_param(self.id, key, json.dumps(value) if not isinstance(value, str) else value)
        run.write(known, lambda path: path.write_text(json.dumps({"uri": self.uri, "run": self.id}), encoding="utf-8"))

    def _register(self, name: str) -> str:
        if not self.client.search_registered_models(f"name='{name}'"):
            self.client.create_registered_model(name)
        present = [each for each in self.client.search_model_versions(f"name='{name}'") if each.run_id == self.id]
        if present:
            return str(present[0].version)
        record = run.read_record(self.folder) or {}
        tags = {key: str(record.get(key, "unknown")) for key in TAGS} | {"epochs": str(self.sent)}
        source = f"{self.client.get_run(self.id).info.artifact_uri}/{run.BEST}"
        return str(self.client.create_model_version(name, source, self.id, tags=tags).version)


def add_version(folder: Path, version: Path, number: str) -> None:
    """Tell MLflow the card of a version that was made of a run; nothing where the run was not tracked.

    Args:
        folder: of the run.
        version: the folder with the version's card.
        number: of the version.

    Raises:
        RunError: MLflow does not answer.
    """
    known = folder / FILE
    if not known.is_file():
        return
    kept = json.loads(known.read_text(encoding="utf-8"))
    told = client(kept["uri"], folder.parent)
    with asking(kept["uri"]):
        told.log_artifact(kept["run"], str(version / cards.FILE))
        told.set_tag(kept["run"], "version", number)
        for registered in told.search_model_versions(f"run_id='{kept['run']}'"):
            told.set_model_version_tag(registered.name, registered.version, "version", number)


def client(uri: str, runs: Path) -> "mlflow.MlflowClient":
    """What talks to a tracking server or database.

    Args:
        uri: its address.
        runs: the folder beside which files are kept; made where it is missing.

    Raises:
        RunError: MLflow is not installed, or does not answer.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # its own seven hold an epoch up for minutes
    try:
        import mlflow
    except ImportError as error:
        raise RunError(
            "The package mlflow-skinny for --mlflow is missing", str(error), "Install it, or leave --mlflow out"
        ) from error
    runs.mkdir(parents=True, exist_ok=True)
    with asking(uri):
        made = mlflow.MlflowClient(uri, uri)
        made.get_experiment_by_name(EXPERIMENT)  # a wrong address shows now, not after the first epoch
        return made


@contextmanager
def asking(uri: str) -> Iterator[None]:
    """Turns what MLflow raises into one sentence."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise RunError(
            f"The request to MLflow at {uri} failed", str(error).splitlines()[0], "Correct --mlflow, or leave it out"
        ) from error
