"""Maps of other faces, which a map is compared with: one file beside the card, one map a method and face.

All lie in the frame of the app's crops, and are laid on the face under test by its keypoints: its eyes and mouth
meet theirs, so that a map does not pass for lying where this face lies.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from explain.metrics import faithfulness
from explain.metrics.faithfulness import OtherFaces
from models import framing
from models.keypoints import FIVE
from models.types import Face

FILE = "control_maps.safetensors"
"""Made by `python -m training trust`."""
FACES = 40
"""How many faces the maps are of."""
COMPARED = 19
"""How many of them a map must beat: one that is one of theirs beats all 19 in 5 % of the cases."""


SMOOTHED = 3.0
"""Pixels by which the average is blurred: speckle of 40 faces does not average out, and would hide what they share."""
FRAME = "crop"
"""Of the maps in the file; files of another frame, or of none, are of an older test."""


def ranked(values: np.ndarray, face: Face) -> np.ndarray:
    """Each pixel's place in the order of a map, 0 for what it marks most: a comparison needs no more.

    Args:
        values: float (H, W), a map.
        face: that it is of.

    Returns:
        uint16 (H, W), in the frame of the app's crops, each the map's own there; what lies outside the map is
        marked neither first nor last.
    """
    return _moved(faithfulness.order(values).astype(np.uint16), face, cv2.INTER_NEAREST)


def write(folder: Path, maps: Mapping[str, np.ndarray], sha256: str) -> None:
    """Write the file of a network, whole or not at all.

    Args:
        folder: that holds the card.
        maps: by method, uint16 (B, H, W) of `ranked`.
        sha256: of the weights whose answers the maps explain.
    """
    partial = folder / f"{FILE}.partial"
    partial.write_bytes(save(dict(maps), metadata={"sha256": sha256, "frame": FRAME}))
    partial.replace(folder / FILE)


def read(folder: Path, sha256: str) -> dict[str, np.ndarray]:
    """By method, uint16 (B, H, W); empty where there is no file, a damaged one, or one of other weights.

    Args:
        folder: that holds the card.
        sha256: of the weights.
    """
    try:
        with safe_open(folder / FILE, "numpy") as file:
            if file.metadata() != {"sha256": sha256, "frame": FRAME}:
                return {}
            return {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError):
        return {}


def compared(maps: np.ndarray, face: Face, seed: int = 0) -> OtherFaces:
    """What one face's map is compared with: 19 maps of other faces, or all of fewer, and the average of all.

    Args:
        maps: uint16 (B, H, W) of `ranked`, one or more.
        face: under test, which they are laid on.
        seed: chooses the 19.
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(maps))[:COMPARED])
    average = cv2.GaussianBlur(maps.mean(0), (0, 0), SMOOTHED, borderType=cv2.BORDER_REFLECT)
    laid = [_moved(one, face, cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP) for one in maps[chosen].astype(np.float64)]
    return OtherFaces(maps=-np.stack(laid), average=-_moved(average, face, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP))


def _moved(values: np.ndarray, face: Face, flags: int) -> np.ndarray:
    """Ranks brought from a face into the frame of the app's crops, or back; what lies outside is in the middle."""
    matrix = framing.frame(face.crop_keypoints[list(FIVE)])
    return cv2.warpAffine(values, matrix, values.shape[::-1], flags=flags, borderValue=values.size / 2)
