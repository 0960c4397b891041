"""What page and API tell of the dataset: one path for both."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from app.data import accuracy, correlation, counts, doubtful, projection, reading, terms
from app.data.accuracy import Bin, Rate
from app.data.faces import Faces, emotion
from app.data.filters import Filters, chosen
from app.data.reading import Opened
from app.data.terms import Terms
from models import geometry, glass_box
from models.errors import DatasetError, UnknownNameError, WeightsError
from models.types import EMOTIONS

log = logging.getLogger(__name__)

MOST_EXAMPLES = 50
"""Faces of a kind that are listed at most."""
TOLD = ("brightness", "sharpness", "yaw", "size")
"""The measures that accuracy is told by: light, focus, pose and how large the face is."""


@dataclass(frozen=True)
class About:
    """What a dataset is, whatever is filtered.

    Attributes:
        title: as whoever wrote it says; "" where nothing is said.
        faces, photos, unreadable: how many faces have an answer, how many pictures were read, how many could not be.
        labelled: faces with a label.
        networks: the version of its weights by network's name.
        splits: their names.
        measures: those that can be filtered by, each with its least and greatest value.
        crops: whether it holds the faces' pictures.
        projections: how its embeddings can be drawn; empty where it has none.
    """

    title: str
    faces: int
    photos: int
    unreadable: int
    labelled: int
    networks: Mapping[str, str]
    splits: tuple[str, ...]
    measures: Mapping[str, tuple[float, float]]
    crops: bool
    projections: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two networks, on how many faces they name the same emotion, and how far that is beyond chance, see `kappa`."""

    first: str
    second: str
    same: int
    kappa: float | None


@dataclass(frozen=True, eq=False)
class Agreement:
    """Which networks agree.

    Attributes:
        all_same: faces on which every network names the same emotion.
        pairs: of networks.
        disagreement: see `counts.disagreement`.
        right_same, right_differ: how often the chosen network is right where all agree, and where they don't; None
            without labels.
    """

    all_same: int
    pairs: tuple[Pair, ...]
    disagreement: np.ndarray
    right_same: Rate | None
    right_differ: Rate | None


@dataclass(frozen=True, eq=False)
class Example:
    """A face to look at.

    Attributes:
        photo: the beginning of its picture's hash.
        number: of the face in its picture, 0 for the largest.
        label: "" where it has none.
        undecided: of the chosen network, 0..1, see `doubtful.undecided`.
        answers: by network, and by the mean: what it names, and how probable that is to it.
        measures: by name; None where one could not be taken.
        crop: its picture as a PNG; None where the dataset has none.
    """

    photo: str
    number: int
    label: str
    undecided: float
    answers: Mapping[str, tuple[str, float]]
    measures: Mapping[str, float | None]
    crop: bytes | None


@dataclass(frozen=True, eq=False)
class Geometry:
    """Which measures of the face's geometry go along with which answer.

    Attributes:
        measures: their names.
        correlations: with the chosen network's probabilities, float (M, 7), see `correlation.with_answers`.
    """

    measures: tuple[str, ...]
    correlations: np.ndarray


@dataclass(frozen=True, eq=False)
class Summary:
    """The dataset, and of those of its faces that pass the filters everything that is counted.

    Attributes:
        about: the whole dataset.
        filters: that were asked for.
        faces: how many pass them.
        answered, labelled: how often each emotion is named by the chosen network, and by the labels.
        rates: by network, and by the mean: how often it names the label.
        agreement: None where fewer than two networks answered.
        confusion: int (7, 7), labels down and the chosen network's answers across; None without labels.
        by_measure: how often the chosen network is right by each of `TOLD`; without labels, without bins.
        uncertain, wrong: see `doubtful`.
        geometry: None where the dataset has no such columns.
        terms: of the glass box; None where a measure is missing of every face, or it cannot be used.
    """

    about: About
    filters: Filters
    faces: int
    answered: list[int]
    labelled: list[int]
    rates: Mapping[str, Rate]
    agreement: Agreement | None
    confusion: np.ndarray | None
    by_measure: Mapping[str, list[Bin]]
    uncertain: tuple[Example, ...]
    wrong: tuple[Example, ...]
    geometry: Geometry | None
    terms: Terms | None


@dataclass(frozen=True, eq=False)
class Plane:
    """Faces drawn on a plane by their embeddings.

    Attributes:
        method: of `About.projections`.
        explained: the share of the variance that each axis holds; empty where that is not known.
        faces: how many pass the filters and have a place.
        places: of those that are drawn, float32 (N, 2); a sample where they are more than `projection.MOST`.
        answers, labels: of the same, int8 (N,).
        confidences: what the chosen network gives its answer, float32 (N,).
    """

    method: str
    explained: tuple[float, ...]
    faces: int
    places: np.ndarray
    answers: np.ndarray
    labels: np.ndarray
    confidences: np.ndarray


def summary(filters: Filters, bins: int = accuracy.BINS, examples: int = 8) -> Summary:
    """Everything that is counted of this server's dataset.

    Args:
        filters: which faces, and whose answers.
        bins: how many parts a measure is cut into, at most.
        examples: how many faces of a kind are listed, at most.

    Raises:
        DatasetError: see `reading.current`.
        UnknownNameError, ParameterError: see `filters.chosen`.
    """
    opened = reading.current()
    passed = chosen(opened.faces, filters)
    faces = opened.faces if passed.all() else opened.faces.take(passed)
    network, has_labels = filters.network, bool(faces.labelled.any())
    return Summary(
        about=about(opened),
        filters=filters,
        faces=len(faces),
        answered=counts.by_emotion(faces.answers[network]),
        labelled=counts.by_emotion(faces.labels),
        rates={name: accuracy.rate(faces, name) for name in faces.probabilities},
        agreement=_agreement(faces, network, has_labels),
        confusion=counts.table(faces.labels, faces.answers[network]) if has_labels else None,
        by_measure={
            name: accuracy.by_measure(faces, network, name, bins)
            for name in TOLD
            if has_labels and name in faces.measures
        },
        uncertain=_examples(opened, faces, doubtful.most_uncertain(faces, network, examples), network),
        wrong=_examples(opened, faces, doubtful.most_confident_wrong(faces, network, examples), network),
        geometry=_geometry(faces, network),
        terms=glass_terms(opened, passed),
    )


def about(opened: Opened) -> About:
    """What a dataset is."""
    faces = opened.faces
    methods = projection.available() if opened.embeddings else ()
    return About(
        title=str(opened.source.facts.get("title", "")),
        faces=len(faces),
        photos=opened.photos,
        unreadable=opened.errors,
        labelled=int(faces.labelled.sum()),
        networks=opened.versions,
        splits=tuple(name for name in np.unique(faces.splits).tolist() if name),
        measures={name: (float(np.nanmin(each)), float(np.nanmax(each))) for name, each in faces.measures.items()},
        crops=opened.crops,
        projections=methods or (projection.STORED,) * (opened.plane is not None),
    )


def glass_terms(opened: Opened, passed: np.ndarray) -> Terms | None:
    """What the glass box adds up over the faces that pass the filters, bool (N,); its background are all faces of the
    dataset, so that a filter moves no face's numbers.

    None where a measure is missing of every face, or the glass box cannot be used, which is logged.
    """
    found = opened.faces.geometry
    if not set(geometry.NAMES) <= set(found):
        return None
    try:
        box = glass_box.shipped()
    except WeightsError as error:
        log.error("the glass box cannot be used: %s", error)
        return None
    values, rows = _measured(opened, box)
    return terms.of(box, rows, values, passed)


def plane(filters: Filters, method: str = "", most: int = projection.MOST) -> Plane:
    """The faces that pass the filters on a plane.

    Args:
        filters: which faces, and whose answers.
        method: of `About.projections`; "" for the first.
        most: how many faces are drawn.

    Raises:
        DatasetError: see `reading.current`; or the dataset has no embeddings.
        UnknownNameError, ParameterError: a method that cannot be used; see `filters.chosen`.
    """
    opened = reading.current()
    methods = about(opened).projections
    if not methods:
        raise DatasetError(
            "No embeddings were found in the dataset",
            "no column 'embedding'",
            "Run `.venv/bin/python -m training features` on the dataset",
        )
    if method and method not in methods:
        raise UnknownNameError(
            "The dataset cannot be drawn by this method", repr(method)[:40], f"Use one of {', '.join(methods)}"
        )
    places, explained = _places(opened, method or methods[0])
    found = np.flatnonzero(chosen(opened.faces, filters) & np.isfinite(places).all(1))
    drawn = found[projection.sample(len(found), most)]
    faces = opened.faces.take(drawn)
    return Plane(
        method or methods[0],
        explained,
        len(found),
        places[drawn],
        faces.answers[filters.network],
        faces.labels,
        faces.probabilities[filters.network].max(1),
    )


@lru_cache(maxsize=4)
def _places(opened: Opened, method: str) -> tuple[np.ndarray, tuple[float, ...]]:
    """Where every face lies, float32 (N, 2), NaN for those without a place, and what the axes explain."""
    if method == projection.STORED:
        explained = opened.source.facts.get("projection", {}).get("explained", ())
        return np.asarray(opened.plane), tuple(map(float, explained))
    embeddings = opened.embedding()
    drawn = projection.sample(len(embeddings))
    if method == "pca":
        fitted = projection.pca(embeddings[drawn])
        return fitted.place(embeddings), fitted.explained
    places = np.full((len(embeddings), 2), np.nan, np.float32)
    places[drawn] = projection.umap(embeddings[drawn])
    return places, ()


@lru_cache(maxsize=2)
def _measured(opened: Opened, box: glass_box.GlassBox) -> tuple[np.ndarray, np.ndarray]:
    """The measures of every face, float32 (N, 20), and the rows of the tables that hold for them, see `terms.rows`."""
    values = np.stack([opened.faces.geometry[name] for name in geometry.NAMES], 1)
    return values, terms.rows(box, values)


def _agreement(faces: Faces, network: str, has_labels: bool) -> Agreement | None:
    if len(faces.networks) < 2:
        return None
    same = faces.agree
    pairs = []
    for first, second in combinations(faces.networks, 2):
        one, other = faces.answers[first], faces.answers[second]
        pairs.append(Pair(first, second, int((one == other).sum()), counts.kappa(one, other) if len(faces) else None))
    return Agreement(
        int(same.sum()),
        tuple(pairs),
        counts.disagreement(faces),
        accuracy.rate(faces.take(same), network) if has_labels else None,
        accuracy.rate(faces.take(~same), network) if has_labels else None,
    )


def _examples(opened: Opened, faces: Faces, places: np.ndarray, network: str) -> tuple[Example, ...]:
    some = faces.take(places)
    undecided = doubtful.undecided(some.probabilities[network])
    return tuple(
        Example(
            photo=str(some.photos[place])[:12],
            number=int(some.numbers[place]),
            label=emotion(some.labels[place]),
            undecided=float(undecided[place]),
            answers={
                name: (EMOTIONS[some.answers[name][place]], float(values[place].max()))
                for name, values in some.probabilities.items()
            },
            measures={
                name: float(values[place]) if np.isfinite(values[place]) else None
                for name, values in some.measures.items()
            },
            crop=opened.crop(int(some.rows[place])),
        )
        for place in range(len(some))
    )


def _geometry(faces: Faces, network: str) -> Geometry | None:
    if not faces.geometry:
        return None
    measures: Sequence[np.ndarray] = list(faces.geometry.values())
    found = correlation.with_answers(np.stack(measures, 1), faces.probabilities[network])
    return Geometry(tuple(faces.geometry), found)
