"""Captions that lie in a file of their own beside pictures, as those of Flickr30k and Flickr8k do."""

import csv
import io
from pathlib import PurePosixPath

from models.errors import DataError
from training.dataset import storage

Captions = dict[str, list[str]]
"""The captions of a picture by the name of its file."""


def read(address: str) -> Captions:
    """The captions in a text file.

    Args:
        address: of a file as Flickr30k has it (`1.jpg#0<tab>caption`), or a csv whose first line names its columns: the
            picture in the first one, the caption in the last, with `,` or `|` between them.

    Raises:
        DataError: there is no such file, or no captions in it.
    """
    where = storage.place(address)
    with storage.telling(where):
        text = storage.load(where).decode("utf-8-sig", errors="replace")
    first = text.partition("\n")[0]
    found = _tabbed(text) if "\t" in first else _table(text, "|" if "|" in first else ",")
    if not found:
        raise DataError(
            "No captions were found in the file", f"{address} beginning {first[:60]!r}", "Give another file"
        )
    return found


def _tabbed(text: str) -> Captions:
    found: Captions = {}
    for line in text.splitlines():
        name, tab, caption = line.partition("\t")
        if tab and caption.strip():
            found.setdefault(_file(name.rpartition("#")[0] or name), []).append(caption.strip())
    return found


def _table(text: str, delimiter: str) -> Captions:
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    next(rows, None)
    found: Captions = {}
    for row in rows:
        if len(row) > 1 and row[-1].strip():
            found.setdefault(_file(row[0]), []).append(row[-1].strip())
    return found


def _file(name: str) -> str:
    return PurePosixPath(name.strip()).name
