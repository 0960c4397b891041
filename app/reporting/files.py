"""A report as files in a folder, all of them or none."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.reporting.evidence_table import evidence_csv
from app.reporting.numbers import to_json
from app.reporting.page import to_html
from app.reporting.picture import to_png
from app.reporting.report import Report
from models.errors import ParameterError

FILES = ("report.html", "map.png", "evidence.csv", "explanation.json")


def every(report: Report) -> dict[str, bytes]:
    """The content of each of `FILES`."""
    contents = (to_html(report).encode(), to_png(report), evidence_csv(report).encode(), to_json(report).encode())
    return dict(zip(FILES, contents, strict=True))


def refuse_to_replace(folder: Path) -> None:
    """Stop before files of an earlier report are lost.

    Raises:
        ParameterError: the folder holds some of `FILES`, or is none.
    """
    if folder.exists() and not folder.is_dir():
        raise ParameterError(
            "The report was not written: there is a file of this name", repr(folder.name), "Give a folder"
        )
    if there := [name for name in FILES if (folder / name).exists()]:
        raise ParameterError(
            "The report was not written: the folder holds one already",
            ", ".join(there),
            "Give another folder, or --force to replace it",
        )


def write(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Put files into a folder, which is made where there is none; nothing is changed until all of them are written.

    Args:
        folder: where to.
        contents: by name; what is there under these names is replaced.

    Returns:
        The files.

    Raises:
        OSError: the disk is full, or nothing may be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
        for name, content in contents.items():
            Path(unfinished, name).write_bytes(content)
        for name in contents:
            os.replace(Path(unfinished, name), folder / name)
    return [folder / name for name in contents]
