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
        raise _failed(f"The Hub holds the data set {repository} at {revision}", error) from error
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
            "Data from Kaggle comes through the package kagglehub",
            "it is not installed",
            "Install it with: pip install kagglehub; or download the files by hand and give --data",
        ) from error
    folder = Path(folder)
    try:
        shutil.copytree(kagglehub.dataset_download(handle), folder, dirs_exist_ok=True)
    except Exception as error:
        raise _failed(f"Kaggle holds the data set {handle}", error) from error
    return _something(folder, handle)


def _failed(rule: str, error: Exception) -> DataError:
    lines = str(error).strip().splitlines() or [""]
    return DataError(rule, f"{type(error).__name__}: {lines[0]}".rstrip(": ."), "Check its name and your access")


def _something(folder: Path, source: str) -> Path:
    if not any(path.is_file() for pattern in READ for path in folder.glob(pattern.replace("**", "*/*"))):
        raise DataError(
            f"The data set {source} holds a file that can be read", "none", f"It must have {', '.join(READ)}"
        )
    return folder
