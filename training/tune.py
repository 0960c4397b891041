"""Search for better settings by short trials, resumable, with Optuna (Akiba et al. 2019, arXiv 1907.10902)."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import optuna
from optuna.trial import FrozenTrial, TrialState

from models.errors import DivergedError, RunError
from training import run
from training.config import Config

STORAGE = "study.db"
BEST = "best.json"
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
Train = Callable[[Config, Path, str, list[keras.callbacks.Callback]], object]
"""See `tune`."""
CONTINUES = "continues"
"""On a trial that goes on with one that was stopped: the number of the one that began."""


def settings(config: Config, trial: optuna.Trial) -> Config:
    """The configuration of a trial: learning rate, strength of the disturbance, and width.

    The learning rate lies between a fifth and five times the recipe's, the disturbance between
    nothing and twice the recipe's, the width between a half and one and a half. The keypoint network
    has no width.
    """
    rate = trial.suggest_float("learning_rate", config.learning_rate / 5, config.learning_rate * 5, log=True)
    strength = trial.suggest_float("strength", 0.0, 2.0)
    changes: dict[str, Any] = {"learning_rate": rate, "augmentation": config.augmentation.scaled(strength)}
    if config.name != "keypoints":
        changes["width"] = trial.suggest_float("width", 0.5, 1.5, step=0.25)
    return replace(config, **changes)


class Reporter(keras.callbacks.Callback):
    """Tells Optuna the validation figure after every epoch, and stops a trial that lags behind."""

    def __init__(self, trial: optuna.Trial, folder: Path, metric: str):
        super().__init__()
        self.trial, self.folder, self.metric, self.reported = trial, folder, metric, 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for row in run.read_log(self.folder)[self.reported :]:  # a resumed trial has epochs from before
            self.trial.report(row[self.metric], row["epoch"])
            self.reported += 1
        if self.trial.should_prune():
            raise optuna.TrialPruned


def tune(
    config: Config, train: Train, trials: int, data_sha256: str, runs: str | Path = "runs", seed: int = 0
) -> optuna.Study:
    """Run trials until there are so many, or go on where an earlier call stopped.

    A trial that was cut short goes on from its last epoch. Median pruning (after five trials and one
    epoch) stops trials that lag behind; so does a loss that is no longer finite.

    Args:
        config: what the trials start from; its stages are those of a trial.
        train: called with a trial's configuration, the folder of runs, the name of its folder, and
            callbacks; as `training.train.train` behind the data.
        trials: how many there are in the end, with those from earlier calls.
        data_sha256: see `training.data.fingerprint`.
        runs: where run folders live; the study's is `<name>-tune`, with a folder a trial in it.
        seed: of what is tried.

    Returns:
        The study; `best.json` in its folder tells the best trial.

    Raises:
        RunError: an earlier call searched with another recipe or other data.
    """
    optuna.logging.set_verbosity(logging.WARNING)
    folder = Path(runs) / f"{config.name}-tune"
    folder.mkdir(parents=True, exist_ok=True)
    keypoints = config.name == "keypoints"
    metric = "val_loss" if keypoints else "val_accuracy"
    storage = optuna.storages.RDBStorage(f"sqlite:///{(folder / STORAGE).resolve()}")
    study = optuna.create_study(
        storage=storage,
        study_name=config.name,
        direction="minimize" if keypoints else "maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
    )
    made = run.record(config, data_sha256)
    recipe = {key: made[key] for key in ("config", "data_sha256", "precision", "backend")}
    if changed := run.differences(study.user_attrs.get("recipe", recipe), recipe):
        raise RunError(
            f"The search in {folder} was begun with other settings",
            "; ".join(changed),
            "Give what it began with, or start anew in another --runs folder",
        )
    study.set_user_attr("recipe", recipe)

    def objective(trial: optuna.Trial) -> float:
        chosen, name = settings(config, trial), _folder(trial)
        print(f"trial {trial.number}, in {name}: " + ", ".join(f"{k} {v:.3g}" for k, v in trial.params.items()))
        try:
            train(chosen, folder, name, [Reporter(trial, folder / name, metric)])
        except DivergedError as error:
            raise optuna.TrialPruned(str(error)) from error
        finally:
            keras.utils.clear_session()
        figures = [row[metric] for row in run.read_log(folder / name)]
        return min(figures) if keypoints else max(figures)

    _take_up(study)
    while len(study.get_trials(deepcopy=False, states=ENDED)) < trials:
        # a sampler that began anew with the same seed would try the same again
        study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
        study.optimize(objective, n_trials=1)
        _tidy(study, folder)
    return study


def _tidy(study: optuna.Study, folder: Path) -> None:
    """Remove the weights of trials that ended, of which only the figures are wanted, and tell the best one."""
    for trial in study.get_trials(deepcopy=False, states=ENDED):
        for weights in (folder / _folder(trial)).glob("*.weights.h5"):
            weights.unlink()
    if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        text = json.dumps(best(study), indent=1) + "\n"
        run.write(folder / BEST, lambda path: path.write_text(text, encoding="utf-8"))


def best(study: optuna.Study) -> dict[str, Any]:
    """The best trial: its folder, value, and settings."""
    trial = study.best_trial
    return {"trial": _folder(trial), "value": trial.value, **trial.params}


def _began(trial: optuna.Trial | FrozenTrial) -> int:
    return trial.user_attrs.get(CONTINUES, trial.number)


def _folder(trial: optuna.Trial | FrozenTrial) -> str:
    return f"trial{_began(trial):03}"


def _take_up(study: optuna.Study) -> None:
    """Queue again what was running when an earlier call was killed or stopped."""
    trials = study.get_trials(deepcopy=False)
    for trial in trials:
        later = any(_began(other) == _began(trial) for other in trials if other.number > trial.number)
        if trial.state in (TrialState.RUNNING, TrialState.FAIL) and not later:
            study.enqueue_trial(trial.params, user_attrs={CONTINUES: _began(trial)})
        if trial.state == TrialState.RUNNING:
            study.tell(trial.number, state=TrialState.FAIL)
