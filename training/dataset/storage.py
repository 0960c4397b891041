"""Where photos lie: folders of this machine, Google Cloud Storage, S3 and the Hugging Face Hub.

Credentials are those that the clients find by themselves: Google's application default credentials, the variables
and files of AWS, the Hub's token. `AWS_ENDPOINT_URL` and `CLOUD_STORAGE_EMULATOR_ENDPOINT` name another server;
`s3://BUCKET/PATH?region=…&endpoint_override=…` and `gs://anonymous@BUCKET/PATH` say it in the address, as pyarrow
documents them.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from pyarrow import fs

from models.errors import DataError

WAIT_S = 30.0
"""Seconds within which Google Cloud Storage is asked again before it counts as failed; 15 minutes unless set."""
ADDRESS = re.compile(r"(gs|s3|hf)://(.*?)(\?\w+=.*)?")
WILD = re.compile(r"[*?\[]")
ABSENT = re.compile(r"NO_SUCH_BUCKET|bucket does not exist|RepositoryNotFound|RepoNotFound|Repository Not Found")
REFUSED = re.compile(r"OAuth2|credential|ACCESS_DENIED|UNAUTHENTICATED|PERMISSION_DENIED|\b40[13]\b", re.IGNORECASE)
"""What the clients say of a bucket that is not there, and of credentials that do not open it."""
STORES = {"gs": "Google Cloud Storage", "s3": "S3", "hf": "the Hugging Face Hub"}


@dataclass(frozen=True)
class Place:
    """A folder or a file somewhere.

    Attributes:
        scheme: "gs", "s3", "hf", or "" for this machine.
        path: as the client takes it: with the bucket first, or relative to the working directory.
        options: what follows "?" in an address, with the "?".
    """

    scheme: str
    path: str
    options: str = ""

    @property
    def system(self) -> fs.FileSystem:
        """The client."""
        bucket = self.path.partition("/")[0] if self.scheme in ("gs", "s3") else ""
        return _system(self.scheme, bucket, self.options)

    @property
    def plain(self) -> str:
        """The path without what stands for nobody in an address."""
        return self.path.removeprefix("anonymous@") if self.scheme == "gs" else self.path

    @property
    def name(self) -> str:
        """How the place is told: an address without options, or the path."""
        return f"{self.scheme}://{self.plain}" if self.scheme else self.path

    def at(self, path: str) -> "Place":
        """Another path of the same client."""
        anonymous = "anonymous@" if self.scheme == "gs" and self.path.startswith("anonymous@") else ""
        return Place(self.scheme, f"{anonymous}{path}", self.options)


def place(address: str) -> Place:
    """What an address or a path names.

    Args:
        address: gs://, s3:// or hf:// with bucket or repository first, or a path of this machine.

    Raises:
        DataError: it names no bucket.
    """
    found = ADDRESS.fullmatch(address)
    if not found:
        return Place("", address.rstrip("/") or "/")
    scheme, path, options = found.groups()
    if not path.strip("/"):
        raise DataError("The address names no bucket", repr(address), f"Write it like {scheme}://BUCKET/FOLDER")
    return Place(scheme, path.strip("/"), options or "")


@cache
def _system(scheme: str, bucket: str, options: str) -> fs.FileSystem:
    if not scheme:
        return fs.LocalFileSystem()
    if scheme == "hf":
        from huggingface_hub import HfFileSystem

        return fs.PyFileSystem(fs.FSSpecHandler(HfFileSystem(endpoint=os.environ.get("HF_ENDPOINT"))))
    try:
        if options:
            return fs.FileSystem.from_uri(f"{scheme}://{quote(bucket, safe='@')}/{options}")[0]
        if scheme == "gs":
            return fs.GcsFileSystem(
                anonymous=bucket.startswith("anonymous@") or None, retry_time_limit=timedelta(seconds=WAIT_S)
            )
        server = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        return fs.S3FileSystem(endpoint_override=server)
    except (pa.ArrowException, OSError, TypeError) as error:
        raise failed(Place(scheme, bucket, options), error) from error


def files(where: Place) -> list[str]:
    """The paths of all files in a folder and below, of all files that a pattern names, or of the one file, by name.

    Args:
        where: in a pattern, `*` and `?` stand for anything but "/", `**` for anything, `[…]` for one of some letters.

    Raises:
        DataError: there is nothing there, or the store refuses.
    """
    with telling(where):
        [found] = where.system.get_file_info([where.plain])
        if found.type == fs.FileType.File:
            return [where.plain]
        pattern = WILD.search(where.plain)
        if pattern and found.type == fs.FileType.NotFound:
            base = where.plain[: pattern.start()].rpartition("/")[0] or "."
            matches = _translated(where.plain)
            names = [path for path in _below(where.system, base) if matches.fullmatch(path)]
        elif where.scheme and found.type == fs.FileType.NotFound:
            names = _below(where.system, where.plain)  # says whether it is the bucket that is not there
        elif found.type == fs.FileType.NotFound:
            raise FileNotFoundError(where.plain)
        else:
            names = _below(where.system, where.plain)
    return sorted(names)


def _below(system: fs.FileSystem, folder: str) -> list[str]:
    found = system.get_file_info(fs.FileSelector(folder, recursive=True))
    return [each.path.removeprefix("./") for each in found if each.type == fs.FileType.File]


def _translated(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/?|\*|\?|\[[^\]]+\])", pattern)
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(wild.get(part) or (part if part[:1] == "[" else re.escape(part)) for part in parts))


def load(where: Place) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: it is not there any more, or cannot be read.
    """
    with where.system.open_input_stream(where.plain, compression=None) as stream:
        return stream.read()


@contextmanager
def telling(where: Place) -> Iterator[None]:
    """Say in a sentence what a store refuses."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, NotImplementedError) as error:
        raise failed(where, error) from error
    except Exception as error:  # the Hub's client has errors of its own
        if where.scheme != "hf":
            raise
        raise failed(where, error) from error


def failed(where: Place, error: Any) -> DataError:
    """What to say of a place that cannot be read."""
    reason = " ".join(str(error).split())
    store = STORES.get(where.scheme, "")
    if not store:
        if isinstance(error, FileNotFoundError):
            return DataError("Nothing was found at the source", repr(where.path), "Check the path")
        return DataError("The source could not be read", reason[:160], "Check the path")
    if ABSENT.search(reason):
        return DataError(f"No such bucket or repository was found in {store}", where.name, "Check its name")
    if REFUSED.search(reason):
        advice = {
            "gs": "Run `gcloud auth application-default login`, or write gs://anonymous@BUCKET where it is public",
            "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
            "hf": "Set HF_TOKEN",
        }[where.scheme]
        return DataError(f"The credentials were refused or missing in {store}", where.name, advice)
    if isinstance(error, FileNotFoundError) or "No such file or directory" in reason:
        return DataError(f"Nothing was found in {store}", where.name, "Check the names of bucket and folder")
    return DataError(f"The source in {store} could not be read", f"{where.name} ({reason[:120]})", "Try again later")


def ending(path: str) -> str:
    """The last part of a file's name from its dot on, in small letters, such as ".jpg"."""
    return PurePosixPath(path).suffix.lower()
