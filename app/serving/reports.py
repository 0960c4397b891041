"""A model's card with the files beside it: charts of what was measured, and the table of trust."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explain import control_maps, registry
from explain import trust as reading
from explain.metrics import randomisation
from explain.registry import METHODS
from models import card as cards
from models import hub, weight_store, zoo
from models.card import Card
from models.errors import WeightsError
from models.model import Model
from models.types import EMOTIONS
from models.weight_store import Located

log = logging.getLogger(__name__)

CHARTS = ("confusion", "points", "reliability", "cumulative", "robustness", "training")
"""In the order in which they are shown; a model has some of them."""
TRUST = "trust.json"
GLOBAL = "global.json"
FIRST = "gradcam"
"""The method to begin with on a model whose methods were not measured."""
LARGEST = 2_000_000
"""Bytes of a file that is still read."""

_downloads: dict[tuple[str, str | None], list[hub.Download]] = {}


@dataclass(frozen=True, eq=False)
class ModelReport:
    """What is known about the active version of a model; no network, and no path of the machine that holds it.

    Attributes:
        card: of its weights.
        versions: the numbers of those that are present, the active one first.
        unsuitable: by method, why it cannot explain the model, or ""; empty for the keypoint model.
        charts: the charts beside the card that are there, as Plotly's JSON by name, in the order of `CHARTS`.
        trust: how often each method's maps hold up, see `trust`; None where that was not measured.
        global_view: what it goes by over many faces, see `training.measures.global_view`; None where not measured.
        coming: whether some of these files are still on their way from the Hub.
    """

    card: Card
    versions: tuple[str, ...]
    unsuitable: dict[str, str]
    charts: dict[str, dict[str, Any]]
    trust: dict[str, Any] | None
    coming: bool
    global_view: dict[str, Any] | None = None

    @property
    def methods(self) -> list[str]:
        """The methods that can explain the model."""
        return [name for name, reason in self.unsuitable.items() if not reason]


def report(name: str) -> ModelReport:
    """What is known about a model of this process, which is loaded where it is not yet.

    Raises:
        UnknownNameError, WeightsError: see `models.zoo.load`.
    """
    model = zoo.keypoint_model() if name == zoo.KEYPOINT_MODEL else zoo.load(name)
    coming = fetch(model.located)
    unsuitable = registry.suitable(model) if isinstance(model, Model) else {}
    found = trust(model.located, model.card.sha256)
    view = global_view(model.located, model.card.sha256)
    return ModelReport(model.card, tuple(zoo.versions(name)), unsuitable, charts(model.located), found, coming, view)


def charts(located: Located) -> dict[str, dict[str, Any]]:
    """The charts beside a card that are JSON objects, by name; a file that is damaged takes only itself away."""
    found = {name: read(located.folder / "report" / f"{name}.json") for name in CHARTS}
    return {name: values for name, values in found.items() if isinstance(values, dict)}


def trust(located: Located, sha256: str) -> dict[str, Any] | None:
    """The table of how often each method's maps hold up; None unless it was measured for these weights, by this test.

    Args:
        located: where the weights are.
        sha256: of the weights.
    """
    values = read(located.folder / TRUST)
    if not isinstance(values, dict) or not isinstance(values.get("methods"), dict):
        return None
    known = values.get("sha256") == sha256 and values.get("test") == reading.TEST
    return values if known else None


def global_view(located: Located, sha256: str) -> dict[str, Any] | None:
    """What a network goes by over many faces; None unless it was measured for these weights.

    Args:
        located: where the weights are.
        sha256: of the weights.
    """
    values = read(located.folder / GLOBAL)
    known = isinstance(values, dict) and values.get("sha256") == sha256
    return values if known and {*EMOTIONS} == {*values.get("emotions", ())} and "people" in values else None


def shipped_trust(name: str) -> dict[str, Any] | None:
    """The table of trust of the weights of an emotion model that ship, for as long as no others are loaded."""
    shipped = Located(weight_store.SHIPPED / name, "shipped")
    try:
        return trust(shipped, cards.read(shipped.folder).sha256)
    except WeightsError:
        return None


def recommended(table: dict[str, Any] | None) -> str:
    """The method to begin with by a table of trust, see `training.measures.trust.default_method`; else `FIRST`."""
    found = (table or {}).get("default")
    return found if isinstance(found, str) and found in METHODS else FIRST


def blind(table: dict[str, Any] | None, method: str) -> bool:
    """Whether a method was measured to fail the randomisation test, see `explain.metrics.randomisation.passes`."""
    test = (table or {"methods": {}})["methods"].get(method, {}).get("sanity") or {}
    return randomisation.passed(test) is False


def average_shares(table: dict[str, Any] | None, method: str) -> dict[str, dict[str, float]] | None:
    """The mean shares of each part in a method's maps of other faces, by side and region; None where not measured."""
    found = (table or {"methods": {}})["methods"].get(method, {}).get("average_shares")
    return found if isinstance(found, dict) and all(isinstance(side, dict) for side in found.values()) else None


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
        files = [f"report/{name}.json" for name in CHARTS] + [TRUST, GLOBAL, control_maps.FILE]
        missing = [file for file in files if not (located.folder / file).is_file()]
        known = pin if pin is not None and pin.revision == located.revision else None
        _downloads[key] = [hub.Download(known, located.folder.name, (file,)) for file in missing] if known else []
    return not all(download.wait(0) for download in _downloads[key])


def read(path: Path) -> Any:
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
