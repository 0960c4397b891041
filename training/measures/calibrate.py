"""A scale and an offset for each emotion's logit, fitted on faces that were not trained on.

The networks learn a mixture of FER2013's labels and the FER+ votes, and meet disgust in one face of
sixty: their logits lean away from what FER2013 calls disgust and fear. Seven offsets put that right
without training. They are fitted on PublicTest, checked by cross-validation within it, and become
part of the last layer, so that nothing else in the project has to know of them.
"""

import dataclasses
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import StratifiedKFold

from models import weight_store, zoo
from models.errors import ParameterError
from models.model import options, restore
from training import data
from training.release.export import EPOCHS
from training.release.versions import ARCHIVE, Version, following

if TYPE_CHECKING:
    import keras

BALANCES = (0.0, 0.25, 0.5, 0.75)
BALANCE = 0.5
"""Measured on PublicTest, see `docs/measuring.md`: the lowest recall rises by about five points, accuracy falls by up
to half a point and macro F1 by up to one."""


@dataclass(frozen=True, eq=False)
class Correction:
    """What each logit becomes: `scale * logit + bias`.

    Attributes:
        scale: float64 (K,).
        bias: float64 (K,).
    """

    scale: np.ndarray
    bias: np.ndarray

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Logits (N, K) -> corrected logits, float64 (N, K)."""
        return logits * self.scale + self.bias


def fit(logits: np.ndarray, labels: np.ndarray, balance: float = BALANCE, own_scale: bool = False) -> Correction:
    """The correction that makes labels most likely.

    With `own_scale` and a balance of 0 this is vector scaling (Guo et al. 2017, arXiv 1706.04599,
    section 4.2). A balance above 0 weighs a face by (share of its label) ** -balance, so that rare
    labels count for more than their number; at 1 every label counts as much as every other (compare
    the logit adjustment of Menon et al. 2021, arXiv 2007.07314). Probabilities are then no longer
    those of FER2013's own mixture; the temperature is fitted afterwards as always.

    Args:
        logits: float (N, K).
        labels: int (N,), each of the K at least once.
        balance: from 0 to 1.
        own_scale: whether each logit has a scale of its own; one for all otherwise.

    Raises:
        ParameterError: a label is missing, or the balance is out of range.
    """
    count = logits.shape[1]
    shares = np.bincount(labels, minlength=count) / len(labels)
    if not shares.all():
        raise ParameterError(
            "A label is missing among the faces of the fit",
            f"none of label {int(shares.argmin())}",
            "Give faces of every label",
        )
    if not 0 <= balance <= 1:
        raise ParameterError(
            "The balance is outside its range", repr(balance), "Give a number from 0 to 1; 0 counts every face alike"
        )
    counts = (shares**-balance)[labels]
    counts /= counts.sum()
    rows = np.arange(len(labels))
    scales = count if own_scale else 1

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        corrected = log_softmax(logits * values[:scales] + values[scales:], axis=1)
        gap = np.exp(corrected)
        gap[rows, labels] -= 1
        gap *= counts[:, None]
        slope = (gap * logits).sum(0)
        return -(corrected[rows, labels] * counts).sum(), np.r_[slope if own_scale else slope.sum(), gap.sum(0)]

    found = minimize(loss, np.r_[np.ones(scales), np.zeros(count)], jac=True, method="L-BFGS-B").x
    return Correction(np.broadcast_to(found[:scales], (count,)).copy(), found[scales:] - found[scales:].mean())


def cross_validated(
    logits: np.ndarray,
    labels: np.ndarray,
    balance: float | None = BALANCE,
    own_scale: bool = False,
    folds: int = 5,
    seed: int = 0,
) -> dict[str, float]:
    """What a correction does to faces that it was not fitted on.

    Args:
        logits, labels, own_scale: as for `fit`.
        balance: as for `fit`; None measures the logits as they are.
        folds: into how many parts the faces are dealt, with the same mixture of labels in each.
        seed: of the dealing.

    Returns:
        accuracy, macro_f1 and lowest_recall, over all faces, each corrected by a fit to the other parts.
    """
    answers = np.empty(len(labels), int)
    for others, part in StratifiedKFold(folds, shuffle=True, random_state=seed).split(logits, labels):
        correct = (lambda x: x) if balance is None else fit(logits[others], labels[others], balance, own_scale)
        answers[part] = correct(logits[part]).argmax(1)
    return {
        "accuracy": float((answers == labels).mean()),
        "macro_f1": float(f1_score(labels, answers, average="macro")),
        "lowest_recall": float(recall_score(labels, answers, average=None).min()),
    }


def fold(network: "keras.Model", correction: Correction) -> None:
    """Make a correction part of a network's last layer, in place.

    Args:
        network: a keras model that ends in `Dense(name="logits")`.
        correction: of its logits.

    Raises:
        ParameterError: that layer has another number of outputs, or no bias.
    """
    layer = network.get_layer("logits")
    if not layer.use_bias or layer.units != len(correction.bias):
        raise ParameterError(
            "The correction does not fit the layer of logits",
            f"{layer.units} outputs, {'a' if layer.use_bias else 'no'} bias",
            f"Give a network with {len(correction.bias)} outputs and a bias",
        )
    kernel, bias = layer.get_weights()
    scale = correction.scale.astype(np.float32)
    layer.set_weights([kernel * scale, bias * scale + correction.bias.astype(np.float32)])


def tried(version: Version, path: str | Path) -> dict[str, dict[str, float]]:
    """What corrections of several balances do to a version, cross-validated within PublicTest.

    Args:
        version: of an emotion network.
        path: the data, see `training.data`.

    Returns:
        `cross_validated` by name: "as it is", and each of `BALANCES`.

    Raises:
        ParameterError: the version is no emotion network's.
        DataError, WeightsError: the data or the weights cannot be used.
    """
    logits, labels = _seen(version, path)
    return {
        "as it is" if balance is None else f"balance {balance:g}": cross_validated(logits, labels, balance)
        for balance in (None, *BALANCES)
    }


def apply(
    version: Version,
    path: str | Path,
    balance: float = BALANCE,
    archive: str | Path = ARCHIVE,
    shipped: str | Path = weight_store.SHIPPED,
) -> Version:
    """Make a corrected version, fitted on PublicTest; the version itself stays as it is.

    Args:
        version: of an emotion network.
        path: the data, see `training.data`.
        balance: see `fit`.
        archive, shipped: see `training.release.versions`.

    Returns:
        The next version, in the archive, not measured yet; its card's `training.config` holds the
        correction.

    Raises:
        ParameterError, DataError, WeightsError: as for `tried`.
    """
    correction = fit(*_seen(version, path), balance)
    card = version.card
    network = zoo.build(card.architecture, **options(card))
    weight_store.load_into(network, version.folder / weight_store.FILE)
    fold(network, correction)
    number = following(version.name, archive, shipped)
    target = Path(archive) / number / version.name
    partial = target.with_name(f".{version.name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    told = {"of": version.number, "balance": balance}
    told |= {key: getattr(correction, key).round(4).tolist() for key in ("scale", "bias")}
    changes = {
        "version": number,
        "date": date.today().isoformat(),
        "temperature": 1.0,
        "metrics": {},
        "exports": {},
        "training": dataclasses.replace(card.training, config=card.training.config | {"correction": told}),
    }
    fields = {field.name: getattr(card, field.name) for field in dataclasses.fields(card)} | changes
    try:
        made = weight_store.save(
            network, partial, **{k: v for k, v in fields.items() if k not in ("parameters", "sha256")}
        )
        if (epochs := version.folder / EPOCHS).is_file():
            shutil.copy(epochs, partial / EPOCHS)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Version(made, target, active=False)


def _seen(version: Version, path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels of PublicTest."""
    if version.name not in zoo.EMOTION_MODELS:
        raise ParameterError(
            "The network gives no logits of emotions to correct",
            version.name,
            f"Use one of {', '.join(zoo.EMOTION_MODELS)}",
        )
    weight_store.verify(version.folder)
    model = restore(version.name, weight_store.Located(version.folder, "folder"), zoo.build)
    split = data.load_emotions(path)["PublicTest"]
    return model.logits(split.images.astype(np.float32) / 255).astype(np.float64), split.labels
