"""A search told to MLflow: one run for the study, one within it a trial, and the glass box as a model version."""

import json
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from training import run, tracking
from training.dataset.candidates import TITLES
from training.dataset.fit import best

MODEL = f"{tracking.EXPERIMENT}-glass-box"


class Tracked:
    """Sends the trials of a study to MLflow as they end, each once, also over several calls.

    Args:
        uri: of a tracking server or database; "local" for `mlflow.db` beside the folder.
        folder: of the study.

    Raises:
        RunError: MLflow is not installed, or does not answer.
    """

    def __init__(self, uri: str, folder: Path):
        local = uri == tracking.LOCAL
        self.uri = f"sqlite:///{(folder.parent / tracking.DATABASE).resolve()}" if local else uri
        self.files = (folder.parent / tracking.ARTIFACTS).resolve().as_uri() if local else None
        self.folder = folder
        self.client = tracking.client(self.uri, folder.parent)

    def trials(self, study: optuna.Study) -> None:
        """Tell every ended trial that was not told yet.

        Raises:
            RunError: MLflow does not answer.
        """
        with tracking.asking(self.uri):
            number, parent, known = self._begun()
            for trial in study.get_trials(states=(TrialState.COMPLETE,)):
                if str(trial.number) in known:
                    continue
                name = f"{trial.number:03} {TITLES[trial.params['model']]}"
                tags = {"mlflow.parentRunId": parent}
                told = self.client.create_run(number, run_name=name, tags=tags).info.run_id
                for key, value in trial.params.items():
                    self.client.log_param(told, key, value)
                self.client.log_metric(told, "accuracy", trial.value or 0.0)
                self.client.log_metric(told, "macro_f1", trial.user_attrs["macro_f1"])
                self.client.set_terminated(told, "FINISHED")
                known[str(trial.number)] = told
                self._keep(parent, known)

    def finish(self, study: optuna.Study, results: dict[str, Any], version: str) -> str:
        """Hand in what was measured, the charts and the glass box, and register it; the version's number.

        Args:
            study: the ended search.
            results: by model, see `training.dataset.fit.compare`.
            version: of the glass box.

        Raises:
            RunError: MLflow does not answer.
        """
        self.trials(study)
        with tracking.asking(self.uri):
            _, parent, _ = self._begun()
            self.client.log_param(parent, "best_model", next(iter(best(study))))
            for name, result in results.items():
                for split, figures in result["metrics"].items():
                    for key in ("accuracy", "macro_f1", "calibration_error"):
                        self.client.log_metric(parent, f"{name}.{split}.{key}", figures[key])
            for part in ("results.json", "report", "geometry"):
                path = self.folder / part
                if path.is_dir():
                    self.client.log_artifacts(parent, str(path), part)
                elif path.is_file():
                    self.client.log_artifact(parent, str(path))
            self.client.set_terminated(parent, "FINISHED")
            if not self.client.search_registered_models(f"name='{MODEL}'"):
                self.client.create_registered_model(MODEL)
            source = f"{self.client.get_run(parent).info.artifact_uri}/geometry"
            tags = {"version": version}
            return str(self.client.create_model_version(MODEL, source, parent, tags=tags).version)

    def _begun(self) -> tuple[str, str, dict[str, str]]:
        """The experiment, the study's run, and which trials were told."""
        experiment = self.client.get_experiment_by_name(tracking.EXPERIMENT)
        number = (
            experiment.experiment_id if experiment else self.client.create_experiment(tracking.EXPERIMENT, self.files)
        )
        path = self.folder / tracking.FILE
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if kept.get("uri") == self.uri:
            return number, kept["run"], kept["trials"]
        parent = self.client.create_run(number, run_name=self.folder.name).info.run_id
        self._keep(parent, {})
        return number, parent, {}

    def _keep(self, parent: str, known: dict[str, str]) -> None:
        text = json.dumps({"uri": self.uri, "run": parent, "trials": known})
        run.write(self.folder / tracking.FILE, lambda path: path.write_text(text, encoding="utf-8"))
