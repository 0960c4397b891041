"""Models of a data set's columns: searched for with Optuna, compared, and the readable one kept as plain JSON.

Every trial draws a model and its settings and is cross-validated on the training faces, no group on both sides. Then
the best settings of each model are fitted to all training faces, calibrated on `CHOOSE` and measured on `FINAL`.
"""

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold

from models.errors import DatasetError, RunError
from models.types import EMOTIONS
from training import run
from training.dataset import candidates
from training.dataset.candidates import GLASS_BOX, NAMES, Fitted
from training.dataset.table import CHOOSE, FINAL, LEARN, Table
from training.measures import metrics

STORAGE, RESULTS = "study.db", "results.json"
FOLDS = 3
SHARES = (0.1, 0.25, 0.5, 1.0)
"""Of the training faces, at which the learning curve is measured."""
NO_VOTES = -1
QUICK = {"bags": 1}
"""What a glass box is fitted with in a trial: the mean of several machines is kept for the last fit."""

Told = Callable[[str], None]


def search(
    table: Table,
    folder: Path,
    trials: int,
    names: tuple[str, ...] = NAMES,
    seed: int = 0,
    told: Told = print,
    ended: Callable[[optuna.Study], None] = lambda study: None,
) -> optuna.Study:
    """Try models and settings until there are so many trials, or go on where an earlier call stopped.

    A trial that was cut short is tried again.

    Args:
        table: labelled faces.
        folder: where the study's database lies.
        trials: how many there are in the end, with those from earlier calls; each model is tried at least once where
            there are as many as models.
        names: of the models, see `candidates.NAMES`.
        seed: of folds, models and what is tried.
        told: called with a line a trial.
        ended: called with the study after each trial.

    Raises:
        RunError: an earlier call searched other faces or models.
        DatasetError: there are too few groups to divide.
    """
    optuna.logging.set_verbosity(logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    learned = table.of(LEARN)
    folds = list(divided(learned, seed))
    storage = optuna.storages.RDBStorage(f"sqlite:///{(folder / STORAGE).resolve()}")
    study = optuna.create_study(storage=storage, study_name="fit", direction="maximize", load_if_exists=True)
    recipe = {"faces": digest(table), "models": list(names), "seed": seed}
    began = study.user_attrs.get("recipe", recipe)
    if changed := [
        f"{key} {began.get(key)} where it is now {now}" for key, now in recipe.items() if began.get(key) != now
    ]:
        raise RunError(
            f"The search in {folder} was begun with other faces, models or another seed",
            "; ".join(changed),
            "Give what it began with, or another --out folder",
        )
    if "recipe" not in study.user_attrs:
        study.set_user_attr("recipe", recipe)
        for name in names:  # a study of few trials knows every model
            study.enqueue_trial({"model": name})
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)

    def objective(trial: optuna.Trial) -> float:
        name, settings = candidates.suggest(trial, names)
        values, labels = learned.values, learned.labels
        answers = np.empty(len(labels), int)
        for fitted_to, asked in folds:
            fitted = candidates.fit(name, settings | QUICK, values[fitted_to], labels[fitted_to], seed)
            answers[asked] = fitted.logits(values[asked]).argmax(1)
        accuracy = float((answers == labels).mean())
        trial.set_user_attr("settings", settings)
        trial.set_user_attr("macro_f1", float(f1_score(labels, answers, average="macro")))
        shown = ", ".join(f"{key} {value:.3g}" for key, value in settings.items())
        told(f"trial {trial.number}: {accuracy:.4f} {candidates.TITLES[name]}, {shown}")
        return accuracy

    done = (TrialState.COMPLETE,)
    while len(study.get_trials(deepcopy=False, states=done)) < trials:
        study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
        study.optimize(objective, n_trials=1)
        ended(study)
    return study


def divided(table: Table, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Folds as places of faces: to be fitted to, and to be asked about; no group is in both.

    Raises:
        DatasetError: there are fewer groups than folds.
    """
    if len(np.unique(table.groups)) < FOLDS:
        raise DatasetError(
            "There are too few groups of faces to cross-validate",
            f"{len(np.unique(table.groups))} groups for {FOLDS} folds",
            "Give more photos, or another --group",
        )
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of an emotion with fewer faces than folds, which is told below
        parts = list(folds.split(table.values, table.labels, table.groups))
    for fitted_to, asked in parts:
        if len(set(table.labels[fitted_to].tolist())) < len(EMOTIONS):
            raise DatasetError(
                "An emotion is missing among the faces of a fold",
                f"{len(fitted_to)} faces in it",
                "Give more faces of each emotion",
            )
        yield fitted_to, asked


def digest(table: Table) -> str:
    """Of everything in a table: another one has another, 64 hexadecimal digits."""
    hashed = hashlib.sha256("\n".join(table.names).encode())
    for part in (table.values, table.labels, table.groups, table.splits.astype("S20")):
        hashed.update(np.ascontiguousarray(part).tobytes())
    return hashed.hexdigest()


def best(study: optuna.Study) -> dict[str, dict[str, Any]]:
    """The best trial of each model: its number, settings, and figures over the folds; the best model first."""
    found: dict[str, dict[str, Any]] = {}
    for trial in sorted(study.get_trials(states=(TrialState.COMPLETE,)), key=lambda trial: -(trial.value or 0)):
        found.setdefault(
            trial.params["model"],
            {
                "trial": trial.number,
                "settings": trial.user_attrs["settings"],
                "cross_validated": {"accuracy": trial.value, "macro_f1": trial.user_attrs["macro_f1"]},
            },
        )
    return found


def measured(fitted: Fitted, table: Table) -> dict[str, Any]:
    """What a fitted model reaches: its temperature, and figures as `training.measures.metrics.emotions`, by split.

    The temperature is that of `CHOOSE`.
    """
    chosen = table.of(CHOOSE)
    heat = metrics.temperature(fitted.logits(chosen.values), chosen.labels)
    figures = {}
    for split in (CHOOSE, FINAL):
        faces = table.of(split)
        majority = np.full(len(faces), NO_VOTES)
        figures[split] = metrics.emotions(
            fitted.logits(faces.values), fitted.logits(faces.mirrored), faces.labels, majority, heat
        )
    return {"temperature": round(heat, 4), "metrics": figures}


def learning_curve(name: str, settings: candidates.Settings, table: Table, seed: int = 0) -> list[dict[str, Any]]:
    """Accuracy on `CHOOSE` after ever larger shares of the training faces, taken group by group."""
    learned, chosen = table.of(LEARN), table.of(CHOOSE)
    order = np.random.default_rng(seed).permutation(learned.groups.max() + 1)
    found = []
    for share in SHARES:
        some = learned.rows(order[learned.groups] < share * len(order))
        if len(set(some.labels.tolist())) < len(EMOTIONS):
            continue
        fitted = candidates.fit(name, settings, some.values, some.labels, seed)
        right = {
            split: round(float((fitted.logits(faces.values).argmax(1) == faces.labels).mean()), 4)
            for split, faces in (("learned", some), ("new", chosen))
        }
        found.append({"faces": len(some), **right})
    return found


def compare(table: Table, study: optuna.Study, seed: int = 0, told: Told = print) -> dict[str, tuple[Fitted, Any]]:
    """The best settings of each model, fitted to all training faces and measured; the best model first."""
    learned, compared = table.of(LEARN), {}
    for name, found in best(study).items():
        fitted = candidates.fit(name, found["settings"], learned.values, learned.labels, seed)
        result = {**found, **measured(fitted, table)}
        final = result["metrics"][FINAL]
        told(
            f"{candidates.TITLES[name]:24} {final['accuracy']:.4f} right, macro F1 {final['macro_f1']:.4f}, "
            f"calibration error {final['calibration_error']:.4f}"
        )
        compared[name] = fitted, result
    return compared


def write_results(
    folder: Path, table: Table, compared: dict[str, tuple[Fitted, Any]], curve: list[dict[str, Any]]
) -> Path:
    """Write all figures as JSON; the file's path."""
    faces = {split: len(table.of(split)) for split in (LEARN, CHOOSE, FINAL)}
    content = {
        "faces": faces,
        "data": digest(table),
        "features": len(table.names),
        "models": {name: result for name, (_, result) in compared.items()},
        "learning_curve": {GLASS_BOX: curve},
    }
    path = folder / RESULTS
    run.write(path, lambda to: to.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8"))
    return path
