"""Faces in a photo: CenterFace through ONNX Runtime, each face framed like the training faces.

Source: Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment Using Face as Point",
arXiv 1911.03599. The weights are Star-Clouds/CenterFace's own, see `weights/centerface/card.json`.
Known weakness: about one picture in eighteen without a human face gets a false one, most of them animals.
"""

import hashlib
import itertools
import json
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from models import background, framing
from models.errors import WeightsMismatchError, WeightsNotFoundError
from models.photo import ROOM
from models.types import Face, Photo

WEIGHTS = Path(__file__).parent / "weights" / "centerface"
INPUT = "input.1"
OUTPUTS = ("537", "538", "539", "540")
"""The network's heatmap, scale, offset and landmarks."""
STRIDE = 4
"""Pixels of the network's input for each cell of its outputs."""
MULTIPLE = 32
"""The network takes sides that are multiples of this."""
THREADS = 2
"""For one picture: twice as fast as one, and each photo of a crowd still gets a core."""

THRESHOLD = 0.35
SIDES = (480, 960, 1920)
"""The photo's longer side in pixels, look by look; a next look is taken only where it may find more."""
SMALL = 40
"""Where half the faces of a look are no larger than this many of its pixels, it may have missed smaller ones."""
CROWD = 6
"""So may it with this many faces or more."""
DETAIL = 1.25
"""A next look is worth its time where the photo has this much more detail than the last one showed."""
ENLARGEMENT = 4.0
"""A small picture is enlarged by no more than this."""
BORDER = 0.25
"""A face that fills the picture is found once the picture has a border, this share of its sides."""
OVERLAP = 0.3
"""Two boxes with more than this intersection over union are the same face."""

_SMALL = threading.BoundedSemaphore(os.cpu_count() or 1)
"""First looks at once; each takes some 55 MiB, which are kept, whatever shapes come."""
AT_ONCE = 1_200_000
"""Pixels that the network sees in one pass, for its memory; a larger look is taken in bands."""
SHARED = 256
"""Rows that bands share: a face on the edge of one is whole in the next; the look before found larger ones."""
LOOKING = 195
"""Bytes that the network takes for a pixel that it sees, measured; beside a large look no large picture is decoded."""

TILT = 10.0
"""Degrees; the points of a face that is tilted further are read again once it is turned upright."""
TURNS = 3
"""How often that is repeated."""
PATCH_SIDE = 192
"""Pixels of the upright patch, which sees twice as far as the crop."""


Look = tuple[np.ndarray, np.ndarray, np.ndarray]
"""What a look finds: boxes (N, 4), scores (N,) and points (N, 5, 2) in pixels of the photo."""


def first_look(photo: Photo) -> Look:
    """What `find` sees at first, in a time that is the same for every photo; further looks take up to forty times that.

    Raises:
        WeightsError: see `find`.
    """
    return _look(photo.pixels, SIDES[0])


def find(photo: Photo, limit: int | None = None, first: Look | None = None) -> list[Face]:
    """The faces in a photo, largest first; an empty list where there is none.

    The photo is looked at with 480 pixels on its longer side; with 960 and then 1920 where nothing
    or many small faces were found and the photo has that detail; and with a border around it where
    there is still nothing.

    Args:
        photo: see `Photo`.
        limit: no more than this many faces, the largest; None for all.
        first: of `first_look`, where that was taken already.

    Raises:
        WeightsError: the detector's weights are missing or not what their card says.
    """
    boxes, scores, points = _search(photo.pixels, first or first_look(photo))
    width, height = photo.size
    boxes = np.clip(boxes, 0, np.array([width, height] * 2, np.float32))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = [index for index in np.argsort(-areas, kind="stable") if areas[index] > 0]
    grey = _grey(photo)
    faces = []
    for index in order[:limit]:
        place = _upright(grey, points[index])
        faces.append(_face(grey, boxes[index], float(scores[index]), place, framing.frame(place)))
    return faces


def whole_picture(photo: Photo) -> Face:
    """The largest centred square of a photo taken as an upright face; for when none was found."""
    width, height = photo.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = np.array([left, top, left + side, top + side], np.float32)
    return _face(_grey(photo), box, 1.0, None, framing.whole(width, height))


def _grey(photo: Photo) -> np.ndarray:
    return cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)


def _face(grey: np.ndarray, box: np.ndarray, score: float, points: np.ndarray | None, to_crop: np.ndarray) -> Face:
    return Face(
        box=box,
        score=score,
        points=points,
        to_crop=to_crop,
        crop=framing.cut(grey, to_crop, framing.CROP_SIDE),
        wide_crop=framing.cut(grey, framing.widen(to_crop), framing.WIDE_SIDE),
    )


def _upright(grey: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The five points of a face, read again upright while it looks tilted.

    Measured on 60 frames with landmarks, turned by 45 degrees: mean error of the eyes .26 of the distance
    between them as found first, .08 so; the roll is then off by 3 degrees (median).

    Args:
        grey: uint8 (H, W).
        points: float32 (5, 2) in its pixels.

    Returns:
        float32 (5, 2); those given where the face is upright, or is not found again.
    """
    tilt = framing.roll(framing.frame(points))
    for _ in range(TURNS):
        if abs(tilt) < TILT:
            break
        matrix = framing.frame(points) * (PATCH_SIDE / (2 * framing.CROP_SIDE))
        matrix[:, 2] += PATCH_SIDE / 4
        patch = (framing.cut(grey, matrix, PATCH_SIDE) * 255).astype(np.uint8)
        boxes, _, again = _look(cv2.cvtColor(patch, cv2.COLOR_GRAY2RGB), PATCH_SIDE)
        distance = np.hypot(*((boxes[:, :2] + boxes[:, 2:]) / 2 - PATCH_SIDE / 2).T)
        if distance.min(initial=np.inf) > PATCH_SIDE / 4:
            break
        again = again[distance.argmin()]
        tilt = framing.roll(framing.frame(again))
        points = framing.apply(framing.invert(matrix), again)
    return points


def _search(pixels: np.ndarray, found: Look) -> Look:
    """All looks together, each face once; `found` is of the first."""
    longest = max(pixels.shape[:2])
    for before, side in itertools.pairwise(SIDES):
        sides = (found[0][:, 2:] - found[0][:, :2]).max(1, initial=0) * before / longest
        if longest < DETAIL * before or 0 < len(sides) < CROWD and np.median(sides) > SMALL:
            break
        found = _once(*map(np.concatenate, zip(found, _look(pixels, min(side, longest)), strict=True)))
    return found if len(found[1]) else _look(pixels, SIDES[0], BORDER)


def _look(pixels: np.ndarray, side: int, border: float = 0.0) -> Look:
    """As `_search`, from one pass with the longer side scaled to `side`.

    A further look takes up to 225 MiB and most of a second: one at a time, while first looks go before it.

    Args:
        pixels: uint8 (H, W, 3).
        side: of what the network sees, in pixels.
        border: how wide one is that the picture gets on each side, as a share of that side of the picture.
    """
    return _pass(pixels, side, border) if side <= SIDES[0] else background.run(_pass, pixels, side, border)


def _pass(pixels: np.ndarray, side: int, border: float) -> Look:
    height, width = pixels.shape[:2]
    zoom = min(side / (max(width, height) * (1 + 2 * border)), ENLARGEMENT)
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    across, down = (round(border * length) for length in size)
    with _free_network(side, size[0] * size[1]) as network:
        scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
        scaled = cv2.copyMakeBorder(scaled, down, down, across, across, cv2.BORDER_REPLICATE)
        below, right = (-length % MULTIPLE for length in scaled.shape[:2])
        scaled = cv2.copyMakeBorder(scaled, 0, below, 0, right, cv2.BORDER_CONSTANT)
        boxes, scores, points = _seen(scaled, network)
    scale = np.array([width / size[0], height / size[1]], np.float32)
    corner = np.array([across, down], np.float32)
    boxes, points = boxes - np.tile(corner, 2), points - corner
    return (boxes + 0.5) * np.tile(scale, 2) - 0.5, scores, (points + 0.5) * scale - 0.5


def _seen(scaled: np.ndarray, network: onnxruntime.InferenceSession) -> Look:
    """What the network sees in a picture as it is, in pixels of it; its sides are multiples of `MULTIPLE`."""
    seen = []
    for rows, owned in _bands(*scaled.shape[:2]):
        outputs = network.run(OUTPUTS, {INPUT: cv2.dnn.blobFromImage(scaled[rows])})
        boxes, scores, points = _decode(*(output[0] for output in outputs))
        down = np.array([0, rows.start], np.float32)
        boxes, points = boxes + np.tile(down, 2), points + down
        middle = (boxes[:, 1] + boxes[:, 3]) / 2
        kept = (owned.start <= middle) & (middle < owned.stop)
        seen.append((boxes[kept], scores[kept], points[kept]))
    return _once(*map(np.concatenate, zip(*seen, strict=True)))


def _bands(height: int, width: int) -> list[tuple[slice, slice]]:
    """The rows of each pass over a picture, and those whose faces it answers for, which are nobody else's.

    Args:
        height, width: in pixels, multiples of `MULTIPLE`.
    """
    most = AT_ONCE // width // MULTIPLE * MULTIPLE
    number = max(1, math.ceil((height - SHARED) / (most - SHARED)))
    rows = math.ceil((height + (number - 1) * SHARED) / number / MULTIPLE) * MULTIPLE
    starts = [(height - rows) * index // max(1, number - 1) // MULTIPLE * MULTIPLE for index in range(number)]
    edges = [-height, *((above + rows + start) // 2 for above, start in itertools.pairwise(starts)), 2 * height]
    return [
        (slice(start, start + rows), slice(*owned))
        for start, owned in zip(starts, itertools.pairwise(edges), strict=True)
    ]


@contextmanager
def _free_network(side: int, pixels: int) -> Iterator[onnxruntime.InferenceSession]:
    """Wait until there is memory for a look, and lend the network that takes it."""
    if side <= SIDES[0]:
        with _SMALL:
            yield _network(keeps_memory=True)
    else:
        with ROOM.taken(LOOKING * min(pixels, AT_ONCE)):
            yield _network(keeps_memory=False)


def _decode(
    heat: np.ndarray, scale: np.ndarray, offset: np.ndarray, landmarks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The network's maps as boxes (N, 4), scores (N,) and points (N, 5, 2) in pixels of its input.

    Args:
        heat: float32 (1, H, W), how sure it is that a face's centre lies in the cell.
        scale: (2, H, W), logarithms of height and width in cells.
        offset: (2, H, W), the centre's place in the cell, y and x.
        landmarks: (10, H, W), y and x of each point as shares of the box.
    """
    rows, columns = np.nonzero(heat[0] > THRESHOLD)
    size = np.exp(scale[::-1, rows, columns].T) * STRIDE
    centre = (np.stack([columns, rows], 1) + offset[::-1, rows, columns].T + 0.5) * STRIDE
    corner = centre - size / 2
    shares = landmarks[:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1]
    points = shares * size[:, None] + corner[:, None]
    boxes = np.concatenate([corner, corner + size], 1)
    return boxes.astype(np.float32), heat[0, rows, columns], points.astype(np.float32)


def _once(boxes: np.ndarray, scores: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Non-maximum suppression: of boxes that overlap, the one with the best score."""
    corner, size = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    found = cv2.dnn.NMSBoxes(np.concatenate([corner, size], 1).tolist(), scores.tolist(), THRESHOLD, OVERLAP)
    kept = np.asarray(found, int).reshape(-1)
    return boxes[kept], scores[kept], points[kept]


@cache
def _network(keeps_memory: bool) -> onnxruntime.InferenceSession:
    """One for all threads, each of which computes its own picture.

    Args:
        keeps_memory: whether the memory of a look is kept for the next one, which takes a quarter off the
            processor's time of a first look; a larger look's would stay taken.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a thread that waits leaves its core
    options.enable_cpu_mem_arena = keeps_memory
    # else the arena doubles each time that it grows
    provider = ("CPUExecutionProvider", {"arena_extend_strategy": "kSameAsRequested"})
    return onnxruntime.InferenceSession(_weights(), options, providers=[provider])


def _weights() -> bytes:
    path, card = WEIGHTS / "model.onnx", WEIGHTS / "card.json"
    try:
        data = path.read_bytes()
        expected = json.loads(card.read_text(encoding="utf-8"))["sha256"]
    except OSError as error:
        raise WeightsNotFoundError(
            "The face detector's weights were not found", f"no file {error.filename}", "Clone the repository again"
        ) from error
    received = hashlib.sha256(data).hexdigest()
    if received != expected:
        raise WeightsMismatchError(
            f"{path.name} of the face detector does not have the sha256 {expected} of its card",
            received,
            "Clone the repository again",
        )
    return data
