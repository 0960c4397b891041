"""What the tab Inside shows of a network that is opened on a face."""

import cv2
import numpy as np

from app import text
from app.ui.render import pictures
from app.ui.render.html import fill
from app.ui.session import Session
from explain import figures, scale
from explain.inside.opened import Opened, OpenedStage
from explain.scale import Scale
from models import framing, regions
from models.types import EMOTIONS

ZOOM = 8
SMALL = 144
"""Side of a small map in pixels."""
WIDE, HIGH = 640, 220
"""The curve along the path in units of its picture."""
SEEN = 0.2
"""A cell sees a part of the face of which at least so much lies in its field."""
RESTS = ("face", "background")


def notice(session: Session, opened: Opened) -> str:
    """Whose score is meant, and how large it is."""
    where = session.face_name
    return fill(
        "inside_notice", face=where, model=text.MODELS[opened.model], emotion=opened.target.name, score=opened.score
    )


def busiest(stage: OpenedStage) -> tuple[int, int]:
    """Row and column of the cell that adds most to the score."""
    row, column = np.unravel_index(int(stage.parts.argmax()), stage.parts.shape)
    return int(row), int(column)


def network(opened: Opened, chosen: int) -> str:
    """The stages side by side, each with its grid as it is."""
    finest, most = opened.stages[0].stage.grid[0], max(each.stage.channels for each in opened.stages)
    stages = [
        {
            "chosen": index == chosen,
            "rows": each.stage.grid[0],
            "columns": each.stage.grid[1],
            "channels": each.stage.channels,
            "convolutions": each.stage.convolutions,
            "parameters": each.stage.parameters,
            "sees": min(each.field.rows.size, framing.CROP_SIDE),
            "side": 34 + 66 * each.stage.grid[0] / finest,
            "depth": max(2, round(9 * each.stage.channels / most)),
        }
        for index, each in enumerate(opened.stages)
    ]
    return fill("inside_network", model=text.MODELS[opened.model], stages=stages, emotions=EMOTIONS)


def cells(session: Session, opened: Opened, index: int, cell: tuple[int, int]) -> str:
    """The face under what each cell of a stage adds, with the field that the chosen cell sees."""
    stage, (row, column) = opened.stages[index], cell
    rows, columns = stage.stage.grid
    top, left, bottom, right = stage.field.box(row, column, framing.CROP_SIDE)
    heat = blocks(stage.parts, signed=True, side=framing.CROP_SIDE * ZOOM)
    above = fill(
        "inside_cell",
        rows=rows,
        columns=columns,
        row=row,
        column=column,
        box={"x": left, "y": top, "width": right - left, "height": bottom - top},
        side=framing.CROP_SIDE,
        emotion=opened.target.name,
    )
    alt = f"What each of the {rows} by {columns} cells adds to the score of {opened.target.name}"
    masks = regions.masks(session.opened[1].crop_keypoints)
    return fill(
        "inside_cells",
        overlay=pictures.layers(session, heat, alt, ZOOM, above),
        row=row + 1,
        column=column + 1,
        sees=sees(masks, (top, left, bottom, right)),
        width=right - left,
        height=bottom - top,
        whole=framing.CROP_SIDE,
        part=signed(float(stage.parts[row, column])),
        exact=stage.exact,
        score=signed(opened.score),
        bias=signed(opened.bias),
        emotion=opened.target.name,
        stage=index + 1,
    )


def sees(masks: np.ndarray, box: tuple[int, int, int, int]) -> str:
    """The parts of the face that lie in a box, as a phrase."""
    top, left, bottom, right = box
    inside = masks[:, top:bottom, left:right].sum((1, 2)) / np.maximum(masks.sum((1, 2)), 1)
    named = [name for name, share in zip(regions.REGIONS, inside, strict=True) if share >= SEEN and name not in RESTS]
    if len(named) == len(regions.REGIONS) - len(RESTS):
        return "all parts of the face"
    if named:
        return text.listed([f"the {regions.LABELS[name]}" for name in named])
    middle = masks[:, (top + bottom) // 2, (left + right) // 2]
    return f"a piece of the {regions.LABELS[regions.REGIONS[int(middle.argmax())]]}"


def maps(opened: Opened, index: int) -> str:
    """The most active maps of a stage; bright is active, and all share one scale."""
    stage = opened.stages[index]
    limit = float(stage.maps.max()) or 1.0
    shown = [
        {"number": int(number) + 1, "picture": grey(map / limit), "mean": float(map.mean())}
        for number, map in zip(stage.strongest, stage.maps, strict=True)
    ]
    return fill("inside_maps", stage=index + 1, maps=shown, channels=stage.stage.channels)


def gradcam(session: Session, opened: Opened) -> str:
    """The five steps of Grad-CAM with this face's numbers."""
    steps = opened.gradcam
    bright = float(steps.maps.max()) or 1.0
    channels = [
        {
            "number": int(number) + 1,
            "map": grey(map / bright),
            "mean": f"{float(map.mean()):.2f}",
            "weight": f"{float(weight):+.2g}".replace("-", "−"),
            "weighed": coloured(map * weight, float(np.abs(steps.maps * steps.weights[:, None, None]).max())),
        }
        for number, map, weight in zip(steps.shown, steps.maps, steps.weights, strict=True)
    ]
    limit = float(np.abs(steps.total).max())
    enlarged = figures.heat(steps.enlarged, Scale(float(steps.positive.max()), False), framing.CROP_SIDE * ZOOM)
    rows, columns = steps.total.shape
    return fill(
        "inside_gradcam",
        emotion=opened.target.name,
        channels=channels,
        others=steps.channels - len(channels),
        total=coloured(steps.total, limit),
        positive=coloured(steps.positive, limit),
        summed=signed(float(steps.total.sum())),
        negative=int((steps.total < 0).sum()),
        cells=rows * columns,
        rows=rows,
        columns=columns,
        side=framing.CROP_SIDE,
        enlarged=pictures.layers(session, enlarged, f"Grad-CAM of {text.MODELS[opened.model]}, enlarged", 4),
    )


def path(session: Session, opened: Opened) -> str:
    """The way from the average face to this one, with the score's curve and the map that it leaves behind."""
    way = opened.path
    low, high = float(way.scores.min()), float(way.scores.max())
    spread = (high - low) or 1.0
    points = [
        (WIDE * float(share), HIGH * (1 - (float(score) - low) / spread))
        for share, score in zip(way.shares, way.scores, strict=True)
    ]
    whole = Scale(float(np.percentile(np.abs(way.values), scale.PERCENTILE)), True)
    heat = figures.heat(way.values, whole, framing.CROP_SIDE * 4)
    return fill(
        "inside_path",
        model=text.MODELS[opened.model],
        emotion=opened.target.name,
        start=grey(way.start),
        end=grey(session.opened[1].crop),
        points=points,
        scores=",".join(f"{score:.2f}" for score in way.scores),
        first=signed(float(way.scores[0])),
        last=signed(float(way.scores[-1])),
        rise=signed(float(way.scores[-1] - way.scores[0])),
        summed=signed(float(way.values.sum())),
        low=f"{low:.1f}",
        high=f"{high:.1f}",
        wide=WIDE,
        high_px=HIGH,
        heat=pictures.layers(session, heat, "What each pixel moved the score on the way", 4),
    )


def signed(value: float) -> str:
    """A number with its sign: "+1.20", "−0.35"."""
    return f"{value:+.2f}".replace("-", "−")


def blocks(values: np.ndarray, signed: bool, side: int) -> np.ndarray:
    """A map as a picture to lay over a face in which every cell is a block, uint8 (side, side, 4), RGBA."""
    limit = float(np.percentile(np.abs(values), scale.PERCENTILE)) or float(np.abs(values).max())
    heat = figures.heat(values, Scale(limit, signed), values.shape[0])
    return cv2.resize(heat, (side, side), interpolation=cv2.INTER_NEAREST)


def grey(values: np.ndarray) -> str:
    """Values 0..1 as a grey picture whose cells can be told apart, as a data URL."""
    pixels = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    return pictures.jpeg(cv2.resize(pixels, (SMALL, SMALL), interpolation=cv2.INTER_NEAREST))


def coloured(values: np.ndarray, limit: float) -> str:
    """Values on white, red above and blue below zero, as a data URL."""
    colours = figures.colours(np.clip(values / (limit or 1.0), -1, 1)).round().astype(np.uint8)
    return pictures.jpeg(cv2.resize(colours, (SMALL, SMALL), interpolation=cv2.INTER_NEAREST))
