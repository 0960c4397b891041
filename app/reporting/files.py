"""A report as files in a folder, all of them or none."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from app.reporting.evidence_table import evidence_csv
from app.reporting.numbers import to_json
from app.reporting.page import to_html
from app.reporting.picture import to_png
from app.reporting.report import Report
from models.errors import ParameterError

FILES = {
    "report.html": "text/html",
    "map.png": "image/png",
    "evidence.csv": "text/csv",
    "explanation.json": "application/json",
}
"""The files of a report and what they hold."""
MADE: dict[str, Callable[[Report], bytes]] = {
    "report.html": lambda report: to_html(report).encode(),
    "map.png": to_png,
    "evidence.csv": lambda report: evidence_csv(report).encode(),
    "explanation.json": lambda report: to_json(report).encode(),
}


def every(report: Report) -> dict[str, bytes]:
    """The content of each of `FILES`."""
    return {name: content(report, name) for name in FILES}


def content(report: Report, name: str) -> bytes:
    """The content of one of `FILES`."""
    return MADE[name](report)


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
