"""What the live camera shows, as HTML: marks that lie over the picture, and the numbers beside it."""

from typing import Any

from markupsafe import Markup

from app import live, pipeline, text
from app.live import Moment, Person
from app.ui.render import pictures
from app.ui.render.html import fill
from explain import figures
from models import framing
from models.types import EMOTIONS, KEYPOINTS

HEAT_SIDE = 96
"""Pixels of a live heatmap, whose cells are far larger."""
SLOW = 4.0
"""Frames a second below which the frame that was read is shown, and not what the camera sees by now."""

LOST = {
    "network": "Your neutral face is forgotten, because another network is asked now. Set it again.",
    "face": "Your neutral face is forgotten: the camera was off, or your face out of sight too long. Set it again.",
}
"""What is said of each of `app.live.LOST`."""


def marks(moment: Moment) -> Markup:
    """Boxes, the keypoints of the largest face and its heatmap, to lie over the camera's picture."""
    width, height = moment.photo.size
    return fill(
        "live_marks",
        width=width,
        height=height,
        still=pictures.jpeg(moment.photo.pixels) if 0 < moment.rate < SLOW else "",
        heat=_heat(moment),
        persons=[_box(person, many=len(moment.persons) > 1) for person in moment.persons],
        points=_points(moment.persons[0]) if moment.persons else [],
        radius=max(1.5, float(moment.persons[0].face.box[2] - moment.persons[0].face.box[0]) * 0.02)
        if moment.persons
        else 0.0,
        size=max(width, height) / 34,
    )


def numbers(moment: Moment) -> Markup:
    """What is said of the largest face: smoothed, as this frame alone says, and against its neutral face."""
    person = moment.persons[0] if moment.persons else None
    rows: list[dict[str, Any]] = []
    if person is not None and person.probabilities is not None and person.raw is not None:
        rows = [
            {
                "emotion": emotion,
                "smooth": float(person.probabilities[index]),
                "raw": float(person.raw.probabilities[index]),
                "change": None if person.change is None else round(100 * float(person.change[index])),
                "most": emotion == person.emotion,
            }
            for index, emotion in enumerate(EMOTIONS)
        ]
    return fill(
        "live_numbers",
        who=text.ALL[moment.asked],
        rows=rows,
        many=len(moment.persons),
        rate=moment.rate,
        slow=0 < moment.rate < SLOW,
        holding=moment.holding,
        calibrated=moment.calibrated,
        lost=LOST.get(moment.lost, ""),
        other=moment.other,
        looked=text.MODELS[live.looked_into(moment.asked)] if moment.heat else "",
        mean=moment.asked == pipeline.MEAN,
        faint=moment.heat is not None and moment.shared is not None and not moment.shared.limit,
    )


def _box(person: Person, many: bool) -> dict[str, Any]:
    left, top, right, bottom = (float(value) for value in person.face.box)
    said = ""
    if many and person.probabilities is not None:
        said = f"{person.number}: {text.ADJECTIVES[person.emotion]}"
    return {"left": left, "top": top, "width": right - left, "height": bottom - top, "said": said}


def _points(person: Person) -> list[tuple[str, float, float]]:
    points = person.face.keypoints
    if points is None:
        return []
    return [(pictures.part(name), float(x), float(y)) for name, (x, y) in zip(KEYPOINTS, points, strict=True)]


def _heat(moment: Moment) -> dict[str, str] | None:
    if moment.heat is None or moment.shared is None:
        return None
    explanation, face = moment.heat
    zoom = framing.CROP_SIDE / HEAT_SIDE
    back = framing.invert(face.to_crop)
    turn, shift = back[:, :2] * zoom, back[:, 2] - back[:, :2] @ [0.5, 0.5]
    (a, c), (b, d) = turn
    return {
        "picture": pictures.png(figures.heat(explanation.values, moment.shared, HEAT_SIDE)),
        "matrix": " ".join(f"{value:.4f}" for value in (a, b, c, d, *shift)),
    }
