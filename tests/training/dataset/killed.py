"""An annotation that is killed at a chosen moment: `python -m tests.training.dataset.killed SOURCE OUT MOMENT`.

Parts have four photos, batches two. The moments: "batch" while the third part is being collected, "half" while the
photos of the second part are being written, "faces" when only its faces and errors are.
"""

import os
import signal
import sys
from pathlib import Path

import pyarrow.parquet as pq

from models import dataset
from tests.training.dataset.quick import Quick
from training.dataset import annotate, annotator


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(source: str, out: str, moment: str) -> None:
    annotate.Annotator, annotate.PART, annotator.BATCH = Quick, 4, 2
    write_table, write = dataset.write_table, pq.write_table

    def at_photos(path: Path, table) -> None:
        if (path.parent.name, path.name) == ("photos", "part-00001.parquet"):
            if moment == "faces":
                die()
            if moment == "half":
                write(table, path.with_name(f"{path.name}.1.partial"))
                os.truncate(path.with_name(f"{path.name}.1.partial"), 300)
                die()
        write_table(path, table)

    dataset.write_table = at_photos
    annotate.annotate([source], out, watch=lambda progress: moment == "batch" and progress.done == 10 and die())


if __name__ == "__main__":
    main(*sys.argv[1:])
