"""Models by name."""

import logging
import math
import os
import re
import threading
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from models.errors import UnknownModelError, UnknownNameError, WeightsError, WeightsMismatchError

if TYPE_CHECKING:
    import keras

    from models.model import KeypointModel, Model, Network

log = logging.getLogger(__name__)

ARCHITECTURES = {
    "cnn": "models.cnn",
    "resnet": "models.resnet",
    "vgg16": "models.vgg16",
    "keypoints": "models.keypoint_net",
}
EMOTION_MODELS = ("cnn", "resnet", "vgg16")
KEYPOINT_MODEL = "keypoints"


State = Literal["waiting", "loading", "ready", "failed"]


@dataclass(frozen=True)
class Status:
    """How far a model is.

    Attributes:
        state: one of `State`; "failed" it stays while it is tried again.
        seconds: what loading took; 0 before.
        source: where the weights came from, see `weights.Located`; empty until ready.
        revision: the Hub's commit, or None.
        note: why a source was passed over, or why loading failed.
        version: of the weights; empty until ready.
    """

    state: State = "waiting"
    seconds: float = 0.0
    source: str = ""
    revision: str | None = None
    note: str = ""
    version: str = ""


RETRY = 60.0
"""Seconds until a model that could not be loaded is tried again for somebody who asks for all."""
ARCHIVE = Path(__file__).parents[1] / "runs" / "versions"
"""Where versions lie that are not active, unless FACEWHY_VERSIONS_DIR names another folder."""
VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}")

_models: dict[str | tuple[str, str], Any] = {}
_status = dict.fromkeys((KEYPOINT_MODEL, *EMOTION_MODELS), Status())
_locks = {name: threading.Lock() for name in _status}
_failed: dict[str, float] = {}
_warming: list[threading.Thread] = []
_warming_lock = threading.Lock()


def build(name: str, **options: Any) -> "keras.Model":
    """An untrained network by the name of its architecture; options go to its `build`."""
    if name not in ARCHITECTURES:
        raise UnknownNameError(
            "The name of the architecture is unknown", repr(name), f"Use one of {', '.join(ARCHITECTURES)}"
        )
    return import_module(ARCHITECTURES[name]).build(**options)


def load(name: str, version: str = "") -> "Model":
    """An emotion model by name, loaded on first use and then kept.

    Any thread may call; the same name is loaded once. A model that cannot be loaded is tried again
    at the next call, and the others are not touched.

    Args:
        name: one of `EMOTION_MODELS`.
        version: one of `versions(name)`; "" for the active one.

    Raises:
        UnknownModelError: `name` is none of `EMOTION_MODELS`, or it has no such version.
        WeightsError: its weights are missing or cannot be used.
    """
    if name not in EMOTION_MODELS:
        raise UnknownModelError(
            "The name of the model is unknown", repr(name)[:40], f"Use one of {', '.join(EMOTION_MODELS)}"
        )
    return _load(name, version)


def available() -> list[str]:
    """The names of the emotion models that can be used; one that fails is tried again after `RETRY` seconds.

    Raises:
        WeightsError: there is none.
    """
    names, why, asked = [], "", time.monotonic()
    for name in EMOTION_MODELS:
        if time.monotonic() - _failed.get(name, -RETRY) < RETRY:
            why = _status[name].note
            continue
        try:
            _load(name, asked=asked)
            names.append(name)
        except WeightsError as error:
            log.error("the model %r is not available: %s", name, error)
            why = str(error)
    if not names:
        raise WeightsError("No model can be used", why, "Look at the server's log")
    return names


def keypoint_model() -> "KeypointModel":
    """The keypoint model; loads and raises like `load`."""
    return _load(KEYPOINT_MODEL)


def versions(name: str) -> list[str]:
    """The numbers of a model's versions that are present, the active one first.

    The active one is what `load` finds by itself; others lie in FACEWHY_VERSIONS_DIR, in
    `<number>/<name>/`, where `python -m training export` puts them.

    Raises:
        UnknownModelError: there is no such model.
        WeightsError: the active version cannot be used.
    """
    if name not in _status:
        raise UnknownModelError("The name of the model is unknown", repr(name)[:40], f"Use one of {', '.join(_status)}")
    active = _load(name).card.version
    cards = _archive().glob(f"*/{name}/card.json")
    others = {number for card in cards if VERSION.fullmatch(number := card.parents[1].name)}
    return [active, *sorted(others - {active}, key=lambda number: tuple(map(int, number.split("."))), reverse=True)]


def latest(name: str, line: str) -> str:
    """The number of a model's latest present version of a line: "1" is 1.x, "1.0" is 1.0.x, a whole number is itself.

    Raises:
        UnknownModelError: there is no such model, or no such version of it.
        WeightsError: the active version cannot be used.
    """
    present = versions(name)
    found = [number for number in present if f"{number}.".startswith(f"{line}.")]
    if not found:
        raise UnknownModelError(
            f"This version of {name} is not present", repr(line)[:40], f"Use version {' or '.join(present)}"
        )
    return max(found, key=lambda number: tuple(map(int, number.split("."))))


def loaded() -> dict[str, Status]:
    """How far each model is, the keypoint model first."""
    return dict(_status)


def ready(found: dict[str, Status]) -> bool:
    """Whether faces can be read: the keypoint model and an emotion model are there, and no other is still to come.

    Args:
        found: as `loaded` returns it.
    """
    states = {name: status.state for name, status in found.items()}
    coming = {"waiting", "loading"} & set(states.values())
    return states[KEYPOINT_MODEL] == "ready" and "ready" in map(states.get, EMOTION_MODELS) and not coming


def warm() -> threading.Thread:
    """Load all models and run each once, in the background; a second call joins the first.

    A model that fails is logged, stands in `loaded()`, and takes only itself away.
    """
    with _warming_lock:
        if not _warming or not _warming[0].is_alive():
            _warming[:] = [threading.Thread(target=_warm, name="warm", daemon=True)]
            _warming[0].start()
        return _warming[0]


def _warm() -> None:
    import numpy as np

    for name in _status:
        try:
            model = _load(name)
            side = model.card.input.side
            model.run(np.zeros((1, side, side), np.float32))
        except Exception:
            log.exception("the model %r is not available", name)


def _load(name: str, version: str = "", asked: float = math.inf) -> Any:
    """A model; one that failed after `asked`, on the clock of `time.monotonic`, is not tried again."""
    if version:
        present = versions(name)
        if version not in present:
            raise UnknownModelError(
                f"This version of {name} is not present", repr(version)[:40], f"Use version {' or '.join(present)}"
            )
        if version != present[0]:
            return _load_other(name, version)
    with _locks[name]:
        if name in _models:
            return _models[name]
        if _failed.get(name, -math.inf) >= asked:
            raise WeightsError(f"The model {name!r} could not be loaded", _status[name].note)
        if name not in _failed:
            _status[name] = Status("loading")
        started = time.perf_counter()
        try:
            model = _restore(name)
        except Exception as error:
            seconds = time.perf_counter() - started
            _status[name] = Status("failed", seconds, note=str(error))
            _failed[name] = time.monotonic()
            if isinstance(error, WeightsError):
                raise
            raise WeightsError(
                f"The model {name!r} could not be loaded",
                f"{type(error).__name__}: {error}",
                "Export its weights again",
            ) from error
        _models[name] = model
        _failed.pop(name, None)
        found = model.located
        seconds = time.perf_counter() - started
        _status[name] = Status("ready", seconds, found.source, found.revision, found.note, model.card.version)
        return model


def _load_other(name: str, version: str) -> Any:
    from models import weight_store
    from models.model import restore

    with _locks[name]:
        if (name, version) not in _models:
            folder = _archive() / version / name
            card = weight_store.verify(folder)
            if card.version != version:
                raise WeightsMismatchError(
                    f"{folder}: the field 'version' is not {version!r}",
                    repr(card.version)[:40],
                    "Move the folder to where its card says",
                )
            _models[name, version] = restore(name, weight_store.Located(folder, "folder"), build, _kind(name))
        return _models[name, version]


def _archive() -> Path:
    return Path(os.environ.get("FACEWHY_VERSIONS_DIR", "").strip() or ARCHIVE).expanduser()


def _kind(name: str) -> "type[KeypointModel | Model]":
    from models.model import KeypointModel, Model

    return KeypointModel if name == KEYPOINT_MODEL else Model


def _restore(name: str) -> "Network":
    from models import weight_store
    from models.model import restore

    kind = _kind(name)
    located = weight_store.locate(name)
    try:
        return restore(name, located, build, kind)
    except WeightsError as error:
        if located.source not in ("hub", "cache"):
            raise
        located = weight_store.shipped(name, f"The Hub's {located.revision} was passed over. {error}")
        return restore(name, located, build, kind)
