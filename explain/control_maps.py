"""Maps of other faces, which a map is compared with: one file beside the card, one map a method and face."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from explain.metrics import faithfulness

FILE = "control_maps.safetensors"
"""Made by `python -m training trust`."""
FACES = 40
"""How many faces the maps are of."""
COMPARED = 19
"""How many of them a map must beat: one that is one of theirs beats all 19 in 5 % of the cases."""


def ranked(values: np.ndarray) -> np.ndarray:
    """Each pixel's place in the order of a map, uint16 (H, W), 0 for what it marks most: a comparison needs no more."""
    return faithfulness.order(values).astype(np.uint16)


def write(folder: Path, maps: Mapping[str, np.ndarray], sha256: str) -> None:
    """Write the file of a network, whole or not at all.

    Args:
        folder: that holds the card.
        maps: by method, uint16 (B, H, W) of `ranked`.
        sha256: of the weights whose answers the maps explain.
    """
    partial = folder / f"{FILE}.partial"
    partial.write_bytes(save(dict(maps), metadata={"sha256": sha256}))
    partial.replace(folder / FILE)


def read(folder: Path, sha256: str) -> dict[str, np.ndarray]:
    """By method, uint16 (B, H, W); empty where there is no file, a damaged one, or one of other weights.

    Args:
        folder: that holds the card.
        sha256: of the weights.
    """
    try:
        with safe_open(folder / FILE, "numpy") as file:
            if (file.metadata() or {}).get("sha256") != sha256:
                return {}
            return {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError):
        return {}


def compared(maps: np.ndarray, seed: int = 0) -> np.ndarray:
    """Those that one map is compared with, float64 (19, H, W), or all of fewer; the highest value is marked most.

    Args:
        maps: uint16 (B, H, W) of `ranked`.
        seed: chooses them.
    """
    chosen = np.random.default_rng(seed).permutation(len(maps))[:COMPARED]
    return -maps[np.sort(chosen)].astype(np.float64)
