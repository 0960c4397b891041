"""Weights on disk, and where they come from.

A set of weights is a folder with `model.safetensors` (float16, every name a layer's path such as
"block1_1_conv/kernel") and `card.json`. Nothing that can run code is ever loaded.
"""

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models import card as cards
from models import hub
from models.card import Card
from models.errors import WeightsError, WeightsMismatchError, WeightsNotFoundError

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

FILE = "model.safetensors"
SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Located:
    """Where a set of weights was found.

    Attributes:
        folder: holds `model.safetensors` and `card.json`, which belong together.
        source: "folder" (FACEWHY_WEIGHTS_DIR), "hub" (downloaded just now), "cache" (of the Hub) or
            "shipped".
        revision: the Hub's commit; None elsewhere.
        note: why a source that comes first in the search was passed over; empty where none was.
    """

    folder: Path
    source: str
    revision: str | None = None
    note: str = ""


def locate(name: str) -> Located:
    """Find a set of weights that is what its card says.

    The search goes through FACEWHY_WEIGHTS_DIR/<name>; the pinned commit on the Hub, in its cache
    or downloaded (see `models.hub`; a Hub that is slow costs `hub.TIMEOUT_S` seconds once, and goes
    on in the background); and the copy that ships in models/weights/<name>.

    Raises:
        WeightsNotFoundError: no source has it.
        WeightsMismatchError: the explicit folder's or the shipped copy is not what its card says.
    """
    notes = []
    explicit = os.environ.get("FACEWHY_WEIGHTS_DIR", "").strip()
    if explicit:
        folder = Path(explicit).expanduser() / name
        if folder.is_dir():
            verify(folder)
            return Located(folder, "folder")
        notes.append(f"FACEWHY_WEIGHTS_DIR holds no folder {name!r}")
    try:
        found = _on_hub(name)
    except WeightsError as error:
        notes.append(f"The Hub was passed over. {error}")
    else:
        if found:
            return found
    return shipped(name, " ".join(notes))


def shipped(name: str, note: str = "") -> Located:
    """The copy of a set of weights that ships with the code.

    Raises:
        WeightsNotFoundError, WeightsMismatchError: it is missing or damaged.
    """
    if note:
        log.warning("%s: the shipped copy is used. %s", name, note)
    verify(SHIPPED / name)
    return Located(SHIPPED / name, "shipped", note=note)


def _on_hub(name: str) -> Located | None:
    pin = hub.pinned()
    if pin is None:
        return None
    files = (cards.FILE, FILE)
    folder = hub.cached(pin, name, files)
    if folder:
        try:
            verify(folder)
        except WeightsError as error:
            log.warning("%s in the Hub's cache is downloaded again. %s", name, error)
        else:
            return Located(folder, "cache", pin.revision)
    attempt = hub.download(pin, name, files)
    if not attempt.wait(0):
        raise WeightsNotFoundError(
            f"The Hub has not answered within {hub.TIMEOUT_S:g} seconds",
            f"nothing yet from {pin}",
            "Start the app again later",
        )
    folder = hub.cached(pin, name, files)
    if attempt.error or folder is None:
        raise WeightsNotFoundError(
            f"The weights of {name!r} could not be fetched from the Hub",
            f"{pin}: {attempt.error}",
            "Start the app again later",
        )
    verify(folder)
    return Located(folder, "hub", pin.revision)


def verify(folder: str | Path) -> Card:
    """The card of a set of weights whose file has the hash that the card names.

    Raises:
        WeightsNotFoundError: a file is missing.
        WeightsMismatchError: the card is wrong or the hash differs.
    """
    card = cards.read(folder)
    path = Path(folder) / FILE
    digest = _sha256(path)
    if digest != card.sha256:
        raise WeightsMismatchError(
            f"{path} does not have the sha256 of its card, field 'sha256' ({card.sha256[:12]}…)",
            f"{digest[:12]}…",
            "Download or export both files again",
        )
    return card


def save(network: "keras.Model", folder: str | Path, **fields: Any) -> Card:
    """Write a network's weights and their card.

    Each file is written beside its target and then renamed. The weights come first: a stop between
    the two leaves a pair that `verify` refuses.

    Args:
        network: a built keras model.
        folder: made where it is missing.
        **fields: of `Card`, all but `sha256` and `parameters`.

    Raises:
        WeightsMismatchError: a field is wrong, or a weight does not fit into float16.
    """
    from safetensors.numpy import save_file

    tensors = {}
    for path, variable in _variables(network).items():
        exact = np.asarray(variable, np.float32)
        with np.errstate(over="ignore"):
            tensors[path] = exact.astype(np.float16)
        if not np.isfinite(tensors[path]).all():
            raise WeightsMismatchError(
                f"Numbers of {path} are too large for float16",
                f"up to {np.abs(exact).max():g}",
                "Train with more weight decay",
            )
    parameters = sum(tensor.size for tensor in tensors.values())
    Card(**fields, parameters=parameters, sha256="0" * 64)  # a wrong field is refused before a file changes
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{FILE}.{os.getpid()}.partial"
    save_file(tensors, partial)
    partial.chmod(0o644)  # safetensors makes a file that only its owner can read
    card = Card(**fields, parameters=parameters, sha256=_sha256(partial))
    partial.replace(folder / FILE)
    cards.write(card, folder)
    return card


def load_into(network: "keras.Model", path: str | Path) -> None:
    """Put the weights of a `model.safetensors` into a network; it stays as it is when they don't fit.

    Args:
        network: a built keras model with the layer names of the file.
        path: the file.

    Raises:
        WeightsNotFoundError: no such file.
        WeightsMismatchError: not safetensors, or names or shapes differ; the message names them.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = Path(path)
    if not path.is_file():
        raise WeightsNotFoundError(
            f"The file {FILE} of a set of weights is missing", str(path), "Export the weights again"
        )
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsMismatchError(
            f"{path} is not a readable safetensors file", str(error), "Export the weights again"
        ) from error
    variables = _variables(network)
    wrong = [f"missing {name}" for name in variables if name not in tensors]
    wrong += [f"unexpected {name}" for name in tensors if name not in variables]
    wrong += [
        f"{name} is {tensors[name].shape}, not {tuple(variable.shape)}"
        for name, variable in variables.items()
        if name in tensors and tensors[name].shape != tuple(variable.shape)
    ]
    if wrong:
        more = f" and {len(wrong) - 8} more" if len(wrong) > 8 else ""
        raise WeightsMismatchError(
            f"{path} does not hold the weights of the network {network.name!r}",
            "; ".join(wrong[:8]) + more,
            "Build the architecture that the card names, or export again",
        )
    for name, variable in variables.items():
        variable.assign(tensors[name].astype(np.float32))


def _variables(network: "keras.Model") -> dict[str, Any]:
    return {f"{layer.name}/{weight.name}": weight for layer in network.layers for weight in layer.weights}


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsNotFoundError(
            f"The file {FILE} of a set of weights could not be read",
            f"{path} ({error.strerror})",
            "Export the weights again",
        ) from error
