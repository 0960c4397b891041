"""The folder of a run: which epochs are done, what it began with, and files that a kill cannot halve.

`run.json` says what the run began with, `log.json` which epochs are done, `epochNNN.weights.h5` holds
the whole state after the last of them, `best.weights.h5` the weights that validation liked best.
"""

import dataclasses
import errno
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.errors import ParameterError, RunError
from training.config import Augmentation, Config

LOG = "log.json"
RECORD = "run.json"
BEST = "best.weights.h5"
STATES = "epoch*.weights.h5"
"""What `state` gives, as a pattern."""
UNFINISHED = "partial."
"""What the name of a file begins with until all of it is on the disk."""
RANDOM = "random numbers"
"""Where the first weights of a run come from that begins with no others."""
DECISIVE = ("config", "data_sha256", "start", "teachers", "precision", "backend", "on_device")
"""The fields of a record that decide a run's result, so that they must not change on the way."""


def state(epochs: int) -> str:
    """The file that holds a run after so many epochs: weights, optimiser, everything."""
    return f"epoch{epochs:03}.weights.h5"


def read_log(folder: str | Path) -> list[dict[str, Any]]:
    """The epochs done so far, one dict each: epoch (from 0), seconds, losses and metrics.

    Raises:
        RunError: the log is damaged.
    """
    return _read(Path(folder) / LOG) or []


def read_record(folder: str | Path) -> dict[str, Any] | None:
    """What a run began with, see `record`; None for a run from before this was written down.

    Raises:
        RunError: the record is damaged.
    """
    return _read(Path(folder) / RECORD)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValueError as error:
        raise RunError(
            f"{path} could not be read as JSON", str(error), "Start anew in another --runs folder"
        ) from error


def record(
    config: Config,
    data_sha256: str,
    start: str = RANDOM,
    teachers: dict[str, str] | None = None,
    on_device: list[str] | None = None,
) -> dict[str, Any]:
    """What a run begins with, as plain JSON.

    Args:
        config: the whole configuration.
        data_sha256: see `training.data.fingerprint`.
        start: where the first weights come from, with their hash.
        teachers: name -> sha256 of the weights of each teacher.
        on_device: the runs that learn together, see `training.together`; None for one that learns by itself.

    Returns:
        config, data_sha256, start, teachers, precision, backend, git_commit, versions, started; and on_device where
        it is given.
    """
    import keras

    backend = keras.backend.backend()
    versions = {"python": platform.python_version(), "keras": keras.__version__}
    versions[backend] = getattr(sys.modules.get(backend), "__version__", "unknown")
    return {
        "config": plain(config),
        "data_sha256": data_sha256,
        "start": start,
        "teachers": teachers or {},
        "precision": keras.config.dtype_policy().name,
        "backend": backend,
        "git_commit": git_commit(),
        "versions": versions,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    } | ({} if on_device is None else {"on_device": on_device})


def plain(config: Config) -> dict[str, Any]:
    """A configuration as it reads from JSON: lists for tuples."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def config(began: dict[str, Any], folder: Path) -> Config:
    """The configuration that a run began with; a setting that it does not know has today's default.

    Args:
        began: its record, see `record`.
        folder: of the run, for the message.

    Raises:
        RunError: the record does not hold a configuration.
    """
    try:
        plain = began["config"]
        values = {field.name: plain[field.name] for field in dataclasses.fields(Config) if field.name in plain}
        values |= {"stages": tuple(map(tuple, plain["stages"])), "teachers": tuple(plain.get("teachers", ()))}
        return Config(**values | {"augmentation": Augmentation(**plain.get("augmentation", {}))})
    except (KeyError, TypeError, ValueError, ParameterError) as error:
        raise RunError(
            f"The settings of a run could not be read from {folder / RECORD}",
            f"{type(error).__name__}: {error}",
            "Correct it",
        ) from error


def git_commit() -> str:
    """The commit of this code, with "+changes" where tracked files differ; "unknown" without git."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def differences(began: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What decides the result and is no longer what it was, one phrase each.

    A setting that a record's configuration does not know had the default that it has today.

    Args:
        began, now: see `record`.
    """
    before, after = ({key: made[key] for key in DECISIVE if key in made} for made in (began, now))
    default = plain(Config(before["config"]["name"], stages=tuple(map(tuple, before["config"]["stages"]))))
    before["config"] = default | before["config"]
    before["config"]["augmentation"] = default["augmentation"] | before["config"]["augmentation"]
    one, two = flat(before), flat(after)
    names = [name for name in two | one if one.get(name) != two.get(name)]
    return [f"{name} was {_short(one.get(name))} and is {_short(two.get(name))}" for name in names]


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A record without nesting: "augmentation.blur"; what stands under "config" has no prefix."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        result |= flat(value, "" if key == "config" else f"{name}.") if isinstance(value, dict) else {name: value}
    return result


def _short(value: object) -> str:
    text = json.dumps(value) if not isinstance(value, str) else value
    return f"{text[:16]}…" if len(text) == 64 else text


def begin(folder: Path, now: dict[str, Any]) -> list[dict[str, Any]]:
    """Make a run's folder ready: for its first epoch, or to go on with what it began with.

    Files that a kill left half are removed.

    Args:
        folder: of the run; made where it is missing.
        now: see `record`.

    Returns:
        The log: the epochs that are done.

    Raises:
        RunError: the run began with something else, or its files are damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)
    log = read_log(folder)
    began = read_record(folder)
    if not log:
        write(folder / RECORD, _text(now))
    elif began is not None and (changed := differences(began, now)):
        raise RunError(
            f"The run was begun with other settings, see {folder / RECORD}",
            "; ".join(changed),
            "Give what it began with, or start anew in another --runs folder",
        )
    if log and not (folder / state(len(log))).is_file():
        raise RunError(
            f"The state after the last epoch is missing in {folder}",
            f"no {state(len(log))}",
            "Start anew in another folder",
        )
    return log


def write_log(folder: Path, log: list[dict[str, Any]]) -> None:
    """Write which epochs are done: from then on they count."""
    write(folder / LOG, _text(log))


def _text(values: object) -> Callable[[Path], object]:
    text = json.dumps(values, indent=1, allow_nan=False) + "\n"
    return lambda path: path.write_text(text, encoding="utf-8")


def write(path: Path, put: Callable[[Path], object], needed: int = 0) -> None:
    """Write a file beside its target and rename it, so that the target is never half a file.

    Args:
        path: the target.
        put: writes all of the file to the path it is given.
        needed: bytes that the file will have, as far as known.

    Raises:
        RunError: the disk is full or cannot be written; what was there before stays.
    """
    beside = path.with_name(UNFINISHED + path.name)
    free = shutil.disk_usage(path.parent).free
    try:
        if free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        put(beside)
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except (OSError, RuntimeError) as error:  # h5py answers a full disk with either
        beside.unlink(missing_ok=True)
        room = f"it needs {megabytes(needed)} and {megabytes(free)} were free; " if needed else ""
        raise RunError(
            f"{path} could not be written",
            f"{room}{_reason(error)}",
            "The last good checkpoint is kept; make room and give the same command again",
        ) from error


def room(folder: Path, needed: int) -> None:
    """Refuse to begin where the checkpoints will not fit.

    Raises:
        RunError: fewer bytes are free than needed.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunError(
            f"There is too little room for the checkpoints of a run in {folder}",
            f"they need {megabytes(needed)} and {megabytes(free)} are free",
            "Make room, or give another --runs folder",
        )


def megabytes(count: int) -> str:
    """Bytes for people: "9.5 MB"."""
    return f"{count / 1e6:.1f} MB"


def _reason(error: Exception) -> str:
    text = str(error)
    if getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in text:
        return "the disk is full"
    return getattr(error, "strerror", None) or (text.splitlines() or ["no reason given"])[0]
