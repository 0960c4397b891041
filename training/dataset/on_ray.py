"""The same annotation by several processes: Ray Data reads, an actor pool holds the models, and rows stream back."""

import logging
import os
import pickle
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from models.errors import ParameterError, RunError
from training.dataset.annotator import Annotator, Options, Tables, decode
from training.dataset.sources import Picture, Portion, read

ROOT = Path(__file__).parents[2]
TRAVELS = ("training", "explain", "models")
"""What the machines of a cluster are sent of this repository."""
BLOCK = 16 * 2**20
"""Bytes of pictures that go from a reader to a worker at once."""
STARTS = 3
"""How often Ray is started on a machine that is so busy that it gives up."""
REACHED_S = 10.0
"""Seconds within which the address of a cluster answers."""
READER = 0.25
"""Of a processor, what a reader is given: it waits for bytes more than it computes."""


def stream(
    portions: Sequence[Portion],
    options: Options,
    workers: int,
    address: str = "",
    processors: float = 1.0,
    annotator: type[Annotator] = Annotator,
) -> Iterator[Tables]:
    """The rows of portions, a batch at a time, in whatever order they come.

    Args:
        portions: see `sources.portions`; the workers read them, so a path must be there where they run.
        options: see `Options`.
        workers: processes with the models.
        address: of a Ray cluster, such as "auto" or "ray://head:10001"; "" starts one on this machine.
        processors: that each worker is given, and computes with.
        annotator: what each worker is.

    Raises:
        ParameterError: Ray is not installed, or there is no cluster at the address.
        RunError: the workers died, such as of too little memory.
    """
    ray = _connect(workers, address, processors)
    try:
        for row in _rows(ray, portions, options, workers, processors, annotator):
            yield pickle.loads(row["tables"])
    except ray.exceptions.RayError as error:
        raise RunError("The workers stopped", _reason(error), "Give the same command again: it goes on") from error
    finally:
        ray.shutdown()


def _connect(workers: int, address: str, processors: float) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        advice = (
            "Install it: `uv pip install 'ray[data]'` or `.venv/bin/python -m pip install 'ray[data]'`; or leave "
            "--workers and --address out"
        )
        raise ParameterError("Ray is not installed", str(error)[:80], advice) from error
    answers = _reached(address)
    reason = ""
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    variables = {"TF_NUM_INTRAOP_THREADS": str(max(1, int(processors))), "TF_NUM_INTEROP_THREADS": "1"}
    if address:
        left_out = [path.name for path in ROOT.iterdir() if path.name not in TRAVELS]
        environment = {"working_dir": str(ROOT), "excludes": left_out, "env_vars": variables}
        options |= {"address": address, "runtime_env": environment}
    else:
        room = max(os.cpu_count() or 1, round(workers * processors) + 1)
        environment = {"env_vars": variables | {"PYTHONPATH": str(ROOT)}}
        options |= {"address": "local", "num_cpus": room, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        options |= {"runtime_env": environment}
    for _ in range(1 if address else STARTS):
        try:
            ray.init(**options)
            return ray
        except Exception as error:  # Ray has no name for a node that starts more slowly than its 30 seconds
            if address:
                raise _refused(address) if answers else _no_cluster(address) from error
            ray.shutdown()
            reason = _reason(error)
    raise RunError("Ray did not start", reason, "Try again when the machine is less busy, or leave --workers out")


def _reached(address: str) -> bool:
    """Whether something answers where a cluster is said to be, as far as a port is named: Ray would ask for minutes.

    Raises:
        ParameterError: nothing answers there.
    """
    if found := re.search(r"([\w.-]+):(\d+)$", address):
        try:
            socket.create_connection((found[1], int(found[2])), REACHED_S).close()
        except (OSError, OverflowError) as error:
            raise _no_cluster(address) from error
    return found is not None


def _no_cluster(address: str) -> ParameterError:
    return ParameterError("No Ray cluster was found at --address", f"none at {address!r}", "Start one")


def _refused(address: str) -> ParameterError:
    return ParameterError(
        "What answers at --address did not let this process into a Ray cluster",
        repr(address),
        "Where the cluster asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH",
    )


def _rows(
    ray: Any,
    portions: Sequence[Portion],
    options: Options,
    workers: int,
    processors: float,
    annotator: type[Annotator],
) -> Iterator[dict[str, Any]]:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_max_block_size = BLOCK
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
    items = [{"portion": pickle.dumps(portion)} for portion in portions]
    return (
        ray.data.from_items(items, override_num_blocks=min(len(items), 4096))
        .flat_map(_loaded, num_cpus=READER)
        .map_batches(
            Worker,
            fn_constructor_kwargs={
                "annotator": annotator,
                "options": options,
                "threads": max(1, int(processors)),
            },
            batch_size=options.batch,
            batch_format="numpy",
            num_cpus=processors,
            concurrency=workers,
        )
        .iter_rows()
    )


def _loaded(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pictures of a portion with their bytes."""
    for picture in read(pickle.loads(row["portion"])):
        yield {"picture": pickle.dumps(_with_bytes(picture))}


def _with_bytes(picture: Picture) -> Picture:
    try:
        load: Any = _Given(picture.load())
    except Exception as error:  # told by `decode`, where the picture becomes a row
        load = _Failed(error)
    return Picture(picture.source, load, picture.captions, picture.label, picture.split)


class _Given:
    """Loads what was loaded."""

    def __init__(self, data: bytes):
        self.data = data

    def __call__(self) -> bytes:
        return self.data


class _Failed:
    """Raises what loading raised, as an error that can travel."""

    def __init__(self, error: Exception):
        self.error = error if _travels(error) else OSError(str(error))

    def __call__(self) -> bytes:
        raise self.error


def _travels(error: Exception) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False


class Worker:
    """An annotator in a process of its own.

    Args:
        annotator: its class.
        options: see `Options`.
        threads: that it computes with.
    """

    def __init__(self, annotator: type[Annotator], options: Options, threads: int):
        from models import detector, tensorflow_import

        tensorflow_import.prepare()
        detector.THREADS = threads
        self._annotator = annotator(options, 1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One row, the tables of a batch of pictures."""
        decoded = [decode(pickle.loads(picture)) for picture in batch["picture"]]
        return {"tables": [pickle.dumps(self._annotator(decoded))]}


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:160]
