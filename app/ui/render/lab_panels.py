"""The Lab as HTML: the face to work on, the models' answers before and after, and what was done."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import cv2
import numpy as np

from app import lab_text, source_faces, text
from app.ui.render import pictures
from app.ui.render.html import fill
from explain import figures, scale
from explain.lab.counterfactual import Counterfactual
from explain.lab.steps import SIDE, Experiment, Hide, Swap
from explain.lab.trial import Outcome, Tried
from models import photo, regions
from models.regions import LABELS, REGIONS
from models.types import EMOTIONS

FACE_SIDE = 432
MAP_SIDE = 192
THUMBNAIL = 96


def changed_face(outcome: Outcome) -> str:
    """The changed face, its parts ready to be hidden."""
    changed = outcome.changed
    hidden = {step.region for step in outcome.experiment.steps if isinstance(step, Hide)}
    outlines = regions.outlines(changed.keypoints)
    order = ["face", *(region for region in outlines if region != "face")]  # the parts lie on the face
    areas = [
        {
            "path": _path([contour + 0.5 for contour in outlines[region]]),
            "index": REGIONS.index(region),
            "label": LABELS[region],
            "hidden": region in hidden,
        }
        for region in order
        if outlines[region]
    ]
    return fill("lab_face", side=SIDE, picture=_enlarged(changed.crop, FACE_SIDE), areas=areas)


def parts(experiment: Experiment) -> str:
    """A button for every part of the face that can be hidden."""
    buttons = [{"label": LABELS[name], "hidden": experiment.find((Hide.DO, name)) is not None} for name in REGIONS]
    return fill("lab_parts", parts=buttons)


def swaps(experiment: Experiment, part: str) -> str:
    """The example faces that a part can come from."""
    donor = getattr(experiment.find((Swap.DO, part)), "donor", None)
    faces = [
        {"name": source_faces.display_name(name), "picture": picture, "chosen": name == donor}
        for name, picture in thumbnails().items()
    ]
    return fill("lab_swaps", part=lab_text.PARTS[part], faces=faces)


@cache
def thumbnails() -> dict[str, str]:
    """The example faces, small, by name."""
    return {name: pictures.thumbnail(photo.read(path), THUMBNAIL) for name, path in source_faces.paths().items()}


def done(experiment: Experiment) -> str:
    """The steps in their order; each can be taken away."""
    return fill("lab_steps", steps=[lab_text.named(step) for step in experiment.steps]) if experiment.steps else ""


def shared(experiment: Experiment) -> str:
    """The link that brings an experiment back."""
    return fill("lab_link", code=experiment.code if experiment.steps else "")


def verdict(outcome: Outcome, face: str = "") -> str:
    """What happened, in a sentence or two, and which models could not be asked; `face` names one of several."""
    summary, missing = lab_text.summary(outcome), text.missing(outcome.models)
    return fill("lab_verdict", face=face, summary=summary, missing=missing)


def answers(outcome: Outcome) -> str:
    """A card a model: its heatmap, its answers before and after, and whether the heatmap agreed with the test."""
    limit = scale.shared(outcome.maps.values())
    cards = [_card(name, tried, outcome, limit) for name, tried in outcome.models.items()]
    return fill("lab_answers", side=SIDE, cards=cards, seconds=outcome.seconds)


def smallest(found: Mapping[str, Counterfactual | None]) -> str:
    """The fewest parts whose hiding flips each model's answer, ready to be tried."""
    changes = [(lab_text.smallest(name, change), change is not None) for name, change in found.items()]
    return fill("lab_smallest", changes=changes)


def invitation(experiment: Experiment) -> str:
    """What stands here where there is no face yet."""
    brought = text.listed([lab_text.named(step) for step in experiment.steps])
    return fill("lab_invitation", brought=brought)


def _card(name: str, tried: Tried, outcome: Outcome, limit: scale.Scale) -> dict[str, Any]:
    """The heatmap of the face before with the outline of what was hidden, and the answers."""
    explanation = outcome.maps[name]
    touched = np.repeat(np.repeat(outcome.changed.touched, 4, 0), 4, 1).astype(np.uint8)
    contours, _ = cv2.findContours(touched, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    bars = [
        {
            "emotion": emotion,
            "before": before,
            "after": after,
            "told": _told(before, after),
            "watched": index == outcome.target.emotion,
        }
        for index, (emotion, before, after) in enumerate(
            zip(EMOTIONS, tried.before.probabilities, tried.after.probabilities, strict=True)
        )
    ]
    return {
        "model": name,
        "before": text.ADJECTIVES[tried.before.emotion],
        "after": text.ADJECTIVES[tried.after.emotion],
        "alt": f"Heatmap of {text.MODELS[explanation.model]} for {explanation.target.name}",
        "face": _enlarged(outcome.face.crop, MAP_SIDE),
        "heat": pictures.png(figures.heat(explanation.values, limit, MAP_SIDE)),
        "outline": _path([contour[:, 0] / 4 for contour in contours]),
        "strength": text.strength(tried.before, explanation.target),
        "weak": text.weak(tried.before, explanation.target),
        "bars": bars,
        "message": lab_text.message(explanation, tried) if outcome.experiment.steps else "",
    }


def _told(before: float, after: float) -> str:
    start, end = _short(before), _short(after)
    return f"{end}\u00a0%" if start == end else f"{start} → {end}\u00a0%"


def _short(share: float) -> str:
    """A probability in percent where there is little room; never a rounded-up certainty."""
    return ">99" if share > 0.99 else "<1" if share < 0.01 else f"{100 * share:.0f}"


def _path(contours: list[np.ndarray]) -> str:
    """Closed lines through points in pixels of the crop."""
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in contour[::2]) + "Z" for contour in contours)


def _enlarged(crop: np.ndarray, side: int) -> str:
    grey = cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC)
    return pictures.jpeg((np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8))
