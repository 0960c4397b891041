"""Small maps of the networks' own answers, side by side below the first answer."""

from collections.abc import Mapping
from types import MappingProxyType

from app import text
from app.ui.render import pictures
from app.ui.render.html import fill
from app.ui.session import Session
from explain import evidence, scale
from explain.base import Explanation
from explain.registry import METHODS
from models import regions
from models.types import Prediction

ZOOM = 4
"""How much larger than the networks' crop a face is shown."""
BUSY = "The maps are being computed…"


def glance(
    session: Session,
    answers: Mapping[str, Prediction],
    made: Mapping[str, Explanation],
    usual: Mapping[str, Mapping[str, Mapping[str, float]] | None] = MappingProxyType({}),
) -> str:
    """A map and a phrase a network; a blank where there is no map yet.

    Args:
        session: with a face.
        answers: what each network sees.
        made: the maps that are there, by network; those of one method share a scale.
        usual: by network, the mean shares of each part in maps of other faces; None where not measured.
    """
    masks = regions.masks(session.opened[1].crop_keypoints)
    maps = []
    for name, prediction in answers.items():
        map = {"model": text.MODELS[name], "emotion": prediction.emotion, "picture": "", "phrase": ""}
        if name in made:
            found = made[name]
            shared = scale.shared(each for each in made.values() if each.method == found.method)
            map["picture"] = pictures.overlay(session, found, shared, ZOOM)
            map["phrase"] = evidence.phrase(found, evidence.by_region(found.values, masks, usual.get(name)))
        maps.append(map)
    return fill("glance", maps=maps, note=note(made) if len(made) == len(answers) else BUSY)


def note(made: Mapping[str, Explanation]) -> str:
    """How to read the maps, and that none of them was tested."""
    methods = text.listed(list(dict.fromkeys(METHODS[found.method].title for found in made.values())))
    return (
        f"Red speaks for the answer, blue against it ({methods}). "
        "Not tested yet: click one to see in Explain how far it holds up."
    )
