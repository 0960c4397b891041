"""Training data from the Hugging Face Hub or Kaggle, for people who have the network."""

import os
import shutil
from pathlib import Path

from models.errors import DataError

READ = ("*.parquet", "*.csv", "train/**", "test/**")
"""What of a data set is fetched: the files that `training.data` reads."""


def from_hub(repository: str, folder: str | Path, revision: str = "main") -> Path:
    """Fetch a data set of the Hub into a folder.

    Args:
        repository: such as "someone/fer2013".
        folder: made where it is missing; files that are there already are not fetched again.
        revision: a branch, a tag or a commit.

    Returns:
        The folder.

    Raises:
        DataError: the Hub does not have it, does not answer, or it holds no file that can be read.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub

    folder = Path(folder)
    try:
        huggingface_hub.snapshot_download(
            repository,
            repo_type="dataset",
            revision=revision,
            local_dir=folder,
            allow_patterns=list(READ),
            endpoint=os.environ.get("HF_ENDPOINT") or None,
        )
    except Exception as error:
        raise _failed(f"The data set {repository} at {revision} could not be fetched from the Hub", error) from error
    return _something(folder, repository)


def from_kaggle(handle: str, folder: str | Path) -> Path:
    """Fetch a data set of Kaggle into a folder, with the package kagglehub and its credentials.

    Args:
        handle: such as "msambare/fer2013".
        folder: made where it is missing.

    Returns:
        The folder.

    Raises:
        DataError: kagglehub is not installed, Kaggle refuses, or there is no file that can be read.
    """
    try:
        import kagglehub
    except ImportError as error:
        raise DataError(
            "Data from Kaggle could not be fetched",
            "the package kagglehub is not installed",
            "Run `uv pip install kagglehub` or `.venv/bin/python -m pip install kagglehub`, or give files by --data",
        ) from error
    folder = Path(folder)
    try:
        shutil.copytree(kagglehub.dataset_download(handle), folder, dirs_exist_ok=True)
    except Exception as error:
        raise _failed(f"The data set {handle} could not be fetched from Kaggle", error) from error
    return _something(folder, handle)


def _failed(happened: str, error: Exception) -> DataError:
    lines = str(error).strip().splitlines() or [""]
    return DataError(happened, f"{type(error).__name__}: {lines[0]}".rstrip(": ."), "Check its name and your access")


def _something(folder: Path, source: str) -> Path:
    if not any(path.is_file() for pattern in READ for path in folder.glob(pattern.replace("**", "*/*"))):
        raise DataError(f"No file of the data set {source} can be read", "none", f"Choose one with {', '.join(READ)}")
    return folder
