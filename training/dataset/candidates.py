"""The models that a search tries, each with the settings it may have; all give one score an emotion.

A candidate is fitted to features (N, F) and labels (N,), and answers with logits (N, 7). No file of them is kept but
the glass box's: scikit-learn's own format is pickle, which runs what it holds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models import geometry
from models.types import EMOTIONS

if TYPE_CHECKING:
    import optuna

Settings = dict[str, Any]
GLASS_BOX = "ebm"
NAMES = ("logistic", "boosting", "svm", "network", GLASS_BOX)
TITLES = {
    "logistic": "logistic regression",
    "boosting": "gradient boosting",
    "svm": "support vector machine",
    "network": "small network",
    GLASS_BOX: "glass box",
}
SVM_FACES = 6000
"""A support vector machine learns from no more faces than this: its time grows with their square."""

BAGS, STOPPING = 4, 0.15
"""Machines of a glass box, whose mean is kept, and the share of the faces that says when each of them stops."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted candidate.

    Attributes:
        logits: features (N, F) -> float (N, 7).
        model: the library's own object behind it.
    """

    logits: Callable[[np.ndarray], np.ndarray]
    model: Any


def suggest(trial: "optuna.Trial", names: tuple[str, ...] = NAMES) -> tuple[str, Settings]:
    """A model and settings, as the study proposes them."""
    name = trial.suggest_categorical("model", names)
    real, whole, choice = trial.suggest_float, trial.suggest_int, trial.suggest_categorical
    match name:
        case "logistic":
            return name, {"c": real("logistic_c", 1e-3, 1e2, log=True)}
        case "boosting":
            return name, {
                "learning_rate": real("boosting_learning_rate", 0.02, 0.3, log=True),
                "leaves": whole("boosting_leaves", 4, 32, log=True),
                "rounds": whole("boosting_rounds", 50, 300, step=50),
            }
        case "svm":
            return name, {"c": real("svm_c", 0.1, 100, log=True), "gamma": real("svm_gamma", 1e-3, 0.3, log=True)}
        case "network":
            return name, {
                "units": whole("network_units", 16, 128, log=True),
                "dropout": real("network_dropout", 0.0, 0.5),
                "learning_rate": real("network_learning_rate", 3e-4, 1e-2, log=True),
            }
        case _:
            return name, {
                "bins": choice("ebm_bins", [8, 16, 32]),
                "learning_rate": real("ebm_learning_rate", 0.02, 0.2, log=True),
                "leaves": whole("ebm_leaves", 2, 3),
            }


def fit(name: str, settings: Settings, values: np.ndarray, labels: np.ndarray, seed: int = 0) -> Fitted:
    """A fitted candidate.

    Args:
        name: one of `NAMES`.
        settings: see `suggest`.
        values: float32 (N, F).
        labels: int (N,), every emotion among them.
        seed: of what the model draws.
    """
    return {"network": _network, GLASS_BOX: _glass_box}.get(name, _estimator(name))(settings, values, labels, seed)


def ebm(settings: Settings, values: np.ndarray, labels: np.ndarray, seed: int = 0) -> Any:
    """An Explainable Boosting Machine without interactions, fitted to measures and to their mirror images.

    A face and its mirror image are both learned from, or both in the part that says when to stop.
    """
    from interpret.glassbox import ExplainableBoostingClassifier

    count = settings.get("bags", BAGS)

    machine = ExplainableBoostingClassifier(
        feature_names=list(geometry.NAMES),
        feature_types=["continuous"] * len(geometry.NAMES),
        interactions=0,
        max_bins=settings["bins"],
        learning_rate=settings["learning_rate"],
        max_leaves=settings["leaves"],
        outer_bags=count,
        max_rounds=settings.get("rounds", 5000),
        n_jobs=1,
        random_state=seed,
    )
    both = np.concatenate([values, geometry.mirrored(values)]).astype(np.float64)
    return machine.fit(both, np.concatenate([labels, labels]), bags=bags(labels, count, seed))


def bags(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Which faces each machine learns from and which stop it: 1 and -1, and each mirror image as its face.

    Args:
        labels: int (N,), of the faces; of each label the share `STOPPING` stops a machine.
        count: of machines.
        seed: of what is drawn.

    Returns:
        int8 (2 N, count), the faces first.
    """
    random = np.random.default_rng(seed)
    found = np.ones((len(labels), count), np.int8)
    for bag in range(count):
        for label in np.unique(labels):
            own = random.permutation(np.flatnonzero(labels == label))
            found[own[: round(STOPPING * len(own))], bag] = -1
    return np.concatenate([found, found])


def _glass_box(settings: Settings, values: np.ndarray, labels: np.ndarray, seed: int) -> Fitted:
    machine = ebm(settings, values, labels, seed)
    return Fitted(lambda other: np.asarray(machine.decision_function(other.astype(np.float64))), machine)


def _estimator(name: str) -> Callable[[Settings, np.ndarray, np.ndarray, int], Fitted]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import RobustScaler
    from sklearn.svm import SVC

    def fitted(settings: Settings, values: np.ndarray, labels: np.ndarray, seed: int) -> Fitted:
        low, high = np.percentile(values, [0.5, 99.5], axis=0)  # a few faces in profile have measures without measure
        if name == "boosting":
            model: Any = HistGradientBoostingClassifier(
                learning_rate=settings["learning_rate"],
                max_leaf_nodes=settings["leaves"],
                max_iter=settings["rounds"],
                early_stopping=False,
                random_state=seed,
            )
        elif name == "svm":
            if len(labels) > SVM_FACES:
                some = np.random.default_rng(seed).permutation(len(labels))[:SVM_FACES]
                values, labels = values[some], labels[some]
            model = make_pipeline(RobustScaler(), SVC(C=settings["c"], gamma=settings["gamma"]))
        else:
            model = make_pipeline(RobustScaler(), LogisticRegression(C=settings["c"], max_iter=1000))
        model.fit(np.clip(values, low, high), labels)
        return Fitted(lambda other: np.asarray(model.decision_function(np.clip(other, low, high))), model)

    return fitted


def _network(settings: Settings, values: np.ndarray, labels: np.ndarray, seed: int) -> Fitted:
    import keras

    low, high = np.percentile(values, [0.5, 99.5], axis=0)
    clipped = np.clip(values, low, high)
    middle, spread = clipped.mean(0), np.maximum(clipped.std(0), 1e-6)
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((values.shape[1],)),
            keras.layers.Dense(settings["units"], activation="relu"),
            keras.layers.Dropout(settings["dropout"]),
            keras.layers.Dense(settings["units"], activation="relu"),
            keras.layers.Dense(len(EMOTIONS), name="logits"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(settings["learning_rate"]), loss)
    network.fit((clipped - middle) / spread, labels, 256, epochs=settings.get("epochs", 25), verbose=0)

    def logits(other: np.ndarray) -> np.ndarray:
        return np.asarray(network.predict((np.clip(other, low, high) - middle) / spread, batch_size=1024, verbose=0))

    return Fitted(logits, network)
