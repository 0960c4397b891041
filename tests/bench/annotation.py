"""A batch job over photos: against detector and networks alone, two workers against one, and what memory it all holds.

`python -m tests.bench annotate` takes 400 generated photos; `python -m tests.bench.annotation --photos 10000` takes as
many as are asked for, with `--without-ray` in one process alone. `--photos-from FOLDER` takes real photos instead, each
as often as it takes to make so many.
"""

import argparse
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.bench import generated
from tests.bench.timing import Row, seconds

PHOTOS = 400
MARKS = 1_000
"""Photos between two lines about memory."""
LOOK_S = 1.0
"""Seconds between two looks at memory, each of which takes time from what is measured."""
COMPARED = 64
"""Photos of the comparison with the bare passes, which are all held decoded."""


def rows(models: list, turns: int) -> Iterator[Row]:
    """What the design asks of annotation by a batch job."""
    yield from measured(models, turns, PHOTOS, True)


def measured(models: list, turns: int, photos: int, workers: bool, real: Path | None = None) -> Iterator[Row]:
    """The same of so many photos, with two workers beside one, or without them; real ones where a folder is given."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photos"
        source = repeated(real, source, photos) if real else generated.write(source, photos)
        yield against_bare(models, sorted(source.iterdir())[:COMPARED], max(1, turns // 2))
        one, growth = run(source, Path(folder) / "here", 0)
        print(f"one process: {one:.1f} photos a second", flush=True)
        yield Row(f"annotation: memory gained over the later four fifths of {photos} photos", growth, 200, "MiB")
        if workers:
            (alone, _), (together, growth) = (run(source, Path(folder) / f"by{count}", count) for count in (1, 2))
            print(f"on Ray: {alone:.1f} photos a second by one worker, {together:.1f} by two", flush=True)
            yield Row("annotation: two workers / one", together / alone, 1.7, "×", at_least=True)
            yield Row("annotation: memory that two workers and all of Ray gained meanwhile", growth, 400, "MiB")


def repeated(real: Path, folder: Path, count: int) -> Path:
    """Copies of a folder's photos in a new one, each as often as it takes to make so many.

    Raises:
        SystemExit: the folder has no photo.
    """
    from training.dataset.sources import picture_endings

    found = sorted(path for path in real.rglob("*") if path.suffix.lower() in picture_endings())
    if not found:
        raise SystemExit(f"No photo was found. Received: {real}. Name a folder with pictures")
    folder.mkdir(parents=True)
    for index in range(count):
        path = found[index % len(found)]
        shutil.copyfile(path, folder / f"{index:05}{path.suffix.lower()}")
    return folder


def against_bare(models: list, paths: list[Path], turns: int) -> Row:
    """The rate of annotation, files in and rows out, as a share of that of the passes that it cannot do without."""
    from models import photo
    from training.dataset.annotator import Annotator, Options
    from training.dataset.sources import portions, read

    decoded = [photo.read(path) for path in paths]
    annotator = Annotator(Options())
    found = portions([str(path) for path in paths])

    def ours() -> None:
        for _ in annotator.stream(picture for portion in found for picture in read(portion)):
            pass

    whole, least = seconds(ours, bare_passes(models, decoded), turns=turns)
    return Row("annotation / detector and networks alone: rate", least / whole, 0.8, "×", at_least=True)


def bare_passes(models: list, photos: list) -> Callable[[], None]:
    """Detector, keypoint network and emotion networks over decoded photos, in batches as large as annotation's."""
    from models import detector, keypoints
    from training.dataset.annotator import BATCH

    def passes() -> None:
        for start in range(0, len(photos), BATCH):
            pairs = [(face, each) for each in photos[start : start + BATCH] for face in detector.find(each)]
            faces = keypoints.read_all(pairs)
            for model in models:
                model.predict(faces)

    return passes


def run(source: Path, out: Path, workers: int) -> tuple[float, float]:
    """Annotate a folder.

    Returns:
        Photos a second between the first fifth, when every worker has its models, and the end; and how many MiB this
        process and all that it started, such as Ray's, gained meanwhile.
    """
    from training.dataset.annotate import Progress, annotate

    told: list[tuple[int, float, float]] = []
    looked = 0.0

    def watch(progress: Progress) -> None:
        nonlocal looked
        now = time.perf_counter()
        if now - looked >= LOOK_S or progress.done == progress.total:
            looked, memory = now, held()
        else:
            memory = told[-1][2]
        told.append((progress.done, now, memory))

    annotate([str(source)], out, workers=workers, watch=watch)
    for done, _, mebibytes in marks(told):
        print(f"{out.name}: {mebibytes:.0f} MiB held at {done:,} photos", flush=True)
    settled = next(each for each in told if each[0] * 5 >= told[-1][0])
    last = told[-1]
    return (last[0] - settled[0]) / (last[1] - settled[1]), last[2] - settled[2]


def marks(told: list[tuple[int, float, float]], every: int = MARKS) -> list[tuple[int, float, float]]:
    """The first of what a run told, the first at or after each so many photos, and the last."""
    found = [told[0]]
    for each in told[1:]:
        if each[0] // every > found[-1][0] // every:
            found.append(each)
    return found if found[-1] == told[-1] else [*found, told[-1]]


def held() -> float:
    """What this process and all that it started hold in memory, in MiB; 0 where the system does not say.

    Pages that several share, as those of Ray's object store, count once: a share of them for each (PSS).
    """
    return sum(_own(process) for process in family(os.getpid())) / 1024


def family(process: int) -> list[int]:
    """A process and all that it and they started."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            parent = path.read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(path.parent.name))
    found = [process]
    for each in found:
        found += children.get(each, [])
    return found


def _own(process: int) -> int:
    """Kilobytes of a process."""
    try:
        memory = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(re.search(r"^Pss:\s+(\d+) kB", memory, re.MULTILINE)[1])


def main() -> None:
    from models.zoo import EMOTION_MODELS
    from tests.bench import timing

    parser = argparse.ArgumentParser(prog="python -m tests.bench.annotation", description=__doc__)
    parser.add_argument("--photos", type=int, default=PHOTOS)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--without-ray", action="store_true")
    parser.add_argument("--photos-from", type=Path, metavar="FOLDER", help="real photos in place of generated ones")
    given = parser.parse_args()
    print("| what | measured | limit | holds |\n|---|---|---|---|", flush=True)
    for row in measured(
        timing.models(list(EMOTION_MODELS)), given.turns, given.photos, not given.without_ray, given.photos_from
    ):
        print(row, flush=True)


if __name__ == "__main__":
    main()
