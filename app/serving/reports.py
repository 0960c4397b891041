"""The files beside a model's card: charts of what was measured, and the table of trust."""

import json
import logging
from pathlib import Path

from explain.registry import METHODS
from models import card as cards
from models import hub, weight_store, zoo
from models.errors import WeightsError
from models.weight_store import Located

log = logging.getLogger(__name__)

CHARTS = ("confusion", "points", "reliability", "cumulative", "robustness", "training")
"""In the order in which they are shown; a model has some of them."""
TRUST = "trust.json"
FIRST = "gradcam"
"""The method to begin with on a model whose methods were not measured."""
LARGEST = 2_000_000
"""Bytes of a file that is still read."""

_downloads: dict[tuple[str, str | None], list[hub.Download]] = {}


def trust(located: Located, sha256: str) -> dict | None:
    """The table of how far each method's maps can be trusted; None unless it was measured for these weights.

    Args:
        located: where the weights are.
        sha256: of the weights.
    """
    values = read(located.folder / TRUST)
    if not isinstance(values, dict) or values.get("sha256") != sha256 or not isinstance(values.get("methods"), dict):
        return None
    return values


def table(name: str) -> dict | None:
    """The table of trust of an emotion model: of the weights in use, or while they load, of those that ship."""
    if zoo.loaded()[name].state == "ready":
        model = zoo.load(name)
        return trust(model.located, model.card.sha256)
    shipped = Located(weight_store.SHIPPED / name, "shipped")
    try:
        return trust(shipped, cards.read(shipped.folder).sha256)
    except WeightsError:
        return None


def recommended(name: str) -> str:
    """The method to begin with on a model: its table's, see `training.measures.trust.default_method`, or `FIRST`."""
    found = (table(name) or {}).get("default")
    return found if isinstance(found, str) and found in METHODS else FIRST


def fetch(located: Located) -> bool:
    """Have what lies beside a card on the Hub downloaded, in the background, once a start.

    Weights are taken from the Hub without their report, because the page must open without it.

    Returns:
        Whether something is still on its way.
    """
    if located.source not in ("hub", "cache"):
        return False
    key = (located.folder.name, located.revision)
    if key not in _downloads:
        try:
            pin = hub.pinned()
        except WeightsError:
            pin = None
        files = [f"report/{name}.json" for name in CHARTS] + [TRUST]
        missing = [file for file in files if not (located.folder / file).is_file()]
        known = pin is not None and pin.revision == located.revision
        _downloads[key] = [hub.Download(pin, located.folder.name, (file,)) for file in missing] if known else []
    return not all(download.wait(0) for download in _downloads[key])


def read(path: Path):
    """The JSON in a file; None where there is none, or none that can be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read: %s", path, error)
        return None
