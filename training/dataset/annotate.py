"""Annotate photos: sources in, a dataset of faces out, and on from where a stop left it.

What is read is written in parts, see `models.dataset`: each counts with all its rows or not at all. A photo whose name
stands in a part is done; one whose bytes did not come is tried again by the next run.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models import dataset
from models.dataset import Dataset
from models.errors import DataError, DatasetError, ParameterError, RunError
from training.dataset import card
from training.dataset.annotator import Annotator, Options, Tables, models
from training.dataset.captions import read as read_captions
from training.dataset.sources import Portion, portions, read, without
from training.run import git_commit

PART, PART_S = 4096, 60.0
"""Photos of a part, and the seconds after which one is written with as many as there are: a stop costs no more."""
LOCK = ".lock"
DECISIVE = ("options", "models")
"""What must not change within a dataset."""


@dataclass
class Progress:
    """How far an annotation is.

    Attributes:
        total: photos that are to be read in this run; None where a source does not say.
        photos, faces, errors: of this run so far.
        before: photos and errors that were done before.
        first: what is wrong with the first photo that cannot be read.
        seconds: of this run so far.
    """

    total: int | None
    before: int
    photos: int = 0
    faces: int = 0
    errors: int = 0
    first: str = ""
    started: float = field(default_factory=time.perf_counter)

    @property
    def done(self) -> int:
        """Photos that were read or given up in this run."""
        return self.photos + self.errors

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.perf_counter() - self.started

    def add(self, tables: Tables) -> None:
        """Count what a batch brought."""
        self.photos += tables["photos"].num_rows
        self.faces += tables["faces"].num_rows
        self.errors += tables["errors"].num_rows
        if tables["errors"].num_rows and not self.first:
            row = tables["errors"].slice(0, 1).to_pylist()[0]
            self.first = f"{row['source']}: {row['reason']}"


def annotate(
    sources: Sequence[str],
    out: str | Path,
    options: Options | None = None,
    *,
    workers: int = 0,
    address: str = "",
    max_errors: int = 100,
    column: str = "",
    captions: str = "",
    watch: Callable[[Progress], object] = lambda _: None,
) -> Progress:
    """Read all photos of some sources that are not in a dataset yet, and add them to it.

    Args:
        sources: see `sources.portions`.
        out: the dataset's folder; made where it is missing.
        options: see `Options`.
        workers: processes with the models, on Ray; 0 for this one alone, without Ray.
        address: of a Ray cluster; "" for this machine.
        max_errors: more photos than this that cannot be read stop the run.
        column: of the pictures in tables; looked for where it is not named.
        captions: a file with captions of pictures that lie in folders, see `captions.read`; "" for none.
        watch: told after each batch.

    Raises:
        DataError: a source cannot be read, holds no picture, or more photos than `max_errors` are unreadable.
        DatasetError: what is in `out` is of another version, or was begun with other options or models.
        ParameterError: there is no Ray, no cluster, or the numbers cannot be.
        RunError: another run writes to the dataset, or the workers died.
        OSError: the disk is full or cannot be written. In every case, what was done is kept.
    """
    options = options or Options()
    if workers < 0 or max_errors < 0:
        raise ParameterError("A number was negative", f"{workers} workers, {max_errors} errors", "Give 0 or more")
    here = portions(sources, column, read_captions(captions) if captions else None)
    began = _facts(sources, options)
    made = _begun(Path(out).expanduser(), began)
    with _alone(made.folder):
        dataset.clean(made)
        done = _done(made)
        left = [rest for portion in here if (rest := without(portion, done))]
        progress = Progress(_total(left), len(done))
        with _noted(made):
            if left:
                _write(made, _tables(left, options, workers, address), progress, max_errors, watch)
    return progress


def _tables(left: list[Portion], options: Options, workers: int, address: str) -> Iterator[Tables]:
    if workers or address:
        from training.dataset import on_ray

        return on_ray.stream(left, options, workers or 2, address, annotator=Annotator)
    return Annotator(options).stream(picture for portion in left for picture in read(portion))


def _write(
    made: Dataset, batches: Iterator[Tables], progress: Progress, most: int, watch: Callable[[Progress], object]
) -> None:
    """Write batches as parts; what was read is written whatever stops the run."""
    parts = _Parts(made)
    try:
        for tables in batches:
            parts.add(tables)
            progress.add(tables)
            watch(progress)
            if progress.errors > most:
                raise DataError(
                    f"More than {most} photos could not be read, and the run was stopped",
                    progress.first[:300],
                    f"See {made.folder / 'errors'}, or give a larger --max-errors: the same command goes on",
                )
    finally:
        parts.flush()
        close = getattr(batches, "close", None)
        if close:
            close()


class _Parts:
    """Collects batches and writes them as parts."""

    def __init__(self, made: Dataset):
        self.made = made
        self.waiting: list[Tables] = []
        self.since = time.monotonic()
        names = (path.stem.rpartition("-")[2] for path in made.parts("photos"))
        self.number = 1 + max((int(name) for name in names if name.isdigit()), default=-1)

    def add(self, tables: Tables) -> None:
        self.waiting.append(tables)
        rows = sum(each["photos"].num_rows + each["errors"].num_rows for each in self.waiting)
        if rows >= PART or time.monotonic() - self.since >= PART_S:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            tables = {name: pa.concat_tables([each[name] for each in self.waiting]) for name in dataset.TABLES}
            dataset.write_part(self.made, f"part-{self.number:05d}", tables)
            self.number += 1
            self.waiting = []
        self.since = time.monotonic()


def _facts(sources: Sequence[str], options: Options) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"sources": list(sources), "options": asdict(options), "models": models()}
    return facts | {"git_commit": git_commit(), "begun": now}


def _begun(folder: Path, facts: dict[str, Any]) -> Dataset:
    """The dataset to go on with, or a new one.

    Raises:
        DatasetError: it was begun with something else, or the folder holds other things.
    """
    if not (folder / dataset.SCHEMA_FILE).is_file():
        if folder.is_dir() and any(path.name not in (*dataset.TABLES, LOCK) for path in folder.iterdir()):
            raise DatasetError(
                "The folder of the dataset is not empty", str(folder), "Give an empty one, or one that is not there"
            )
        return dataset.create(folder, facts)
    before = dataset.read(folder)
    changed = [
        f"{name} was {was.get(name)!r} and is {now.get(name)!r}"
        for each in DECISIVE
        for was, now in [(before.facts.get(each, {}), facts[each])]
        for name in {**was, **now}
        if was.get(name) != now.get(name)
    ]
    if changed:
        raise DatasetError(
            f"The dataset in {folder} was begun with other options or models",
            "; ".join(changed)[:300],
            "Give what it was begun with, or another --out",
        )
    known = [*before.facts.get("sources", []), *facts["sources"]]
    return Dataset(folder, {**before.facts, "sources": list(dict.fromkeys(known))})


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a dataset against other runs; the system lets go of it when this process ends, however it does.

    Raises:
        RunError: another run holds it.
    """
    with open(folder / LOCK, "w") as file:
        try:
            import fcntl
        except ImportError:  # Windows has no such locks
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(
                "Another run is still writing to the dataset", str(folder), "Wait for it, or give another --out"
            ) from error
        yield


@contextmanager
def _noted(made: Dataset) -> Iterator[None]:
    """Write schema and card before and, whatever happens, after."""
    card.write(made)
    dataset.describe(made)
    try:
        yield
    finally:
        with suppress(OSError):  # a full disk has been told already
            after = Dataset(made.folder, {**made.facts, "ended": datetime.now(UTC).isoformat(timespec="seconds")})
            dataset.describe(after)
            card.write(after)


def _done(made: Dataset) -> frozenset[str]:
    """The names of photos that are done; errors of those whose bytes did not come are forgotten."""
    for path in made.parts("errors"):
        table = pq.read_table(path)
        known = table.filter(pc.is_valid(table["photo_sha256"]))
        if known.num_rows < table.num_rows:
            dataset.write_table(path, known)
    names = [made.read(table, ["source"])["source"].to_pylist() for table in ("photos", "errors")]
    return frozenset(name for some in names for name in some)


def _total(left: Sequence[Portion]) -> int | None:
    counts = [portion.count - len(portion.skip) for portion in left]
    return None if any(portion.kind == "tar" for portion in left) else sum(counts)
