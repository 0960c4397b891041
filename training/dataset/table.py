"""The faces of a data set as a model learns from them: features, label, group, split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from models import dataset, geometry
from models.errors import DatasetError
from models.types import EMOTIONS
from training.data import duplicates

GEOMETRY, EMBEDDING = "geometry", "embedding"
FEATURES = (GEOMETRY, EMBEDDING)
LEARN, CHOOSE, FINAL = "Training", "PublicTest", "PrivateTest"
"""What is learned from, what calibrates and compares, and what is looked at once, by FER2013's names."""
HELD_OUT = 10
"""Of so many groups of an emotion one goes to `CHOOSE` and one to `FINAL` where the data set names no splits."""


@dataclass(frozen=True, eq=False)
class Table:
    """Labelled faces.

    Attributes:
        names: of the features.
        values: float32 (N, F).
        labels: int64 (N,), indices into `EMOTIONS`.
        groups: int64 (N,): faces of one photo, or one person, and near duplicates have one number.
        splits: (N,) each `LEARN`, `CHOOSE` or `FINAL`.
    """

    names: tuple[str, ...]
    values: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    splits: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, which: np.ndarray) -> "Table":
        """Some of the faces, by a mask or by their places."""
        parts = {name: getattr(self, name)[which] for name in ("values", "labels", "groups", "splits")}
        return replace(self, **parts)

    def of(self, split: str) -> "Table":
        """The faces of a split."""
        return self.rows(self.splits == split)

    @property
    def mirrored(self) -> np.ndarray:
        """The features of the mirrored faces, float32 (N, F); of embeddings, which cannot be mirrored, themselves."""
        return geometry.mirrored(self.values) if self.names == geometry.COLUMNS else self.values


def read(found: dataset.Dataset, features: str = GEOMETRY, label: str = "label", group: str = "photo_sha256") -> Table:
    """The labelled faces of a data set.

    Args:
        found: with the columns that `training features` writes.
        features: one of `FEATURES`.
        label: the column with the emotion; faces without one are left out. "emotion" learns what the networks answer.
        group: the column whose equal values never stand on both sides of a split; where the data set has
            `face_hash`, neither do near duplicates.

    Raises:
        DatasetError: a column is missing, no face has a label, or one of an unknown emotion.
    """
    columns = geometry.COLUMNS if features == GEOMETRY else (EMBEDDING,)
    hashed = [dataset.FACE_HASH] if dataset.FACE_HASH in found.schema("faces").names else []
    table = found.read("faces", list(dict.fromkeys([*columns, label, group, "split", *hashed])))
    written = np.array(table[label].to_pylist(), object)
    if unknown := sorted(set(written.tolist()) - {*EMOTIONS, None}, key=str):
        raise DatasetError(
            f"The column {label!r} names an unknown emotion", str(unknown[0])[:40], f"Use one of {', '.join(EMOTIONS)}"
        )
    if features == GEOMETRY:
        values = np.stack([table[name].to_numpy(zero_copy_only=False) for name in columns], 1).astype(np.float32)
    else:
        values = np.array([row if row is not None else [] for row in table[EMBEDDING].to_pylist()], object)
        width = max(map(len, values), default=0)
        values = np.array([row if len(row) == width else [np.nan] * width for row in values], np.float32)
    keep = np.array([name is not None for name in written], bool) & np.isfinite(values).all(1)
    if not keep.any():
        raise DatasetError(
            "No face of the data set has a label and features",
            f"{len(written)} faces in {found.folder}",
            "Annotate labelled photos, or learn what the networks answer with --label emotion",
        )
    labels = np.array([EMOTIONS.index(name) for name in written[keep]])
    _, groups = np.unique(np.array(table[group].to_pylist(), str)[keep], return_inverse=True)
    if hashed:
        groups = _with_duplicates(groups, table[dataset.FACE_HASH], keep)
    names = columns if features == GEOMETRY else tuple(f"{EMBEDDING}_{index}" for index in range(values.shape[1]))
    return Table(names, values[keep], labels, groups, splits(table["split"].to_pylist(), groups, labels, keep))


def _with_duplicates(groups: np.ndarray, hashes: pa.ChunkedArray, keep: np.ndarray) -> np.ndarray:
    known = hashes.is_valid().to_numpy()[keep]
    return duplicates.grouped(groups, hashes.fill_null(0).to_numpy()[keep], known)


def splits(written: Sequence[str | None], groups: np.ndarray, labels: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The split of every kept face: the one that the data set names, where it names all three; else by its group.

    A group that also stands in a later split is taken out of the ones before: its faces count there alone. Groups that
    are dealt out give every split each emotion, as long as three groups hold it.

    Args:
        written: of every face.
        groups, labels: of the kept ones.
        keep: which are kept.
    """
    named = np.array(written, object)[keep]
    if {LEARN, CHOOSE, FINAL} <= set(named.tolist()):
        for later, earlier in ((FINAL, (LEARN, CHOOSE)), (CHOOSE, (LEARN,))):
            shared = np.isin(groups, groups[named == later]) & np.isin(named.astype(str), earlier)
            named[shared] = later + " again"
        return named.astype(str)
    return _dealt(groups, labels)[groups]


def _dealt(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The split of each group, the groups of the rarest emotion first."""
    order = np.random.default_rng(0).permutation(groups.max() + 1)
    found, left = np.full(len(order), LEARN, object), np.ones(len(order), bool)
    holding = {label: np.isin(order, groups[labels == label]) for label in np.unique(labels)}
    for label in sorted(holding, key=lambda label: holding[label].sum()):
        own = order[holding[label] & left[order]]
        share = max(1, round(len(own) / HELD_OUT))
        found[own[:share]], found[own[share : 2 * share]] = FINAL, CHOOSE
        left[own] = False
    return found.astype(str)


def checked(table: Table) -> Table:
    """The same table, if every split has every emotion.

    Raises:
        DatasetError: a split lacks one.
    """
    for split in (LEARN, CHOOSE, FINAL):
        absent = set(range(len(EMOTIONS))) - set(table.of(split).labels.tolist())
        if absent:
            raise DatasetError(
                f"No face of {split} has the label {EMOTIONS[min(absent)]}",
                f"{len(table.of(split))} faces in it",
                "Give a data set with faces of all seven emotions in every split",
            )
    return table
