"""Photos to annotate, as many as are asked for: `python -m tests.bench.generated FOLDER --count 2000`.

The photos that ship, each time turned, scaled, mirrored, shifted, lit and compressed otherwise; 500 × 375 pixels, as
those of Flickr30k are.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[2]
NAMES = ("astronaut", "grace_hopper", "group")
SIZE = (500, 375)
TURN, ZOOM, SHIFT, LIGHT, QUALITY = 12.0, (0.8, 1.2), 0.08, (0.7, 1.2), (60, 95)
"""Degrees and shares, of which each photo draws its own."""


def photo(index: int, seed: int = 0) -> bytes:
    """A JPEG; the same for the same number and seed."""
    random = np.random.default_rng((seed, index))
    pixels = cv2.imread(str(ROOT / "examples" / f"{NAMES[index % len(NAMES)]}.jpg"))
    height, width = pixels.shape[:2]
    if random.random() < 0.5:
        pixels = pixels[:, ::-1]
    fit = max(SIZE[0] / width, SIZE[1] / height) if width > height else SIZE[1] / height
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-TURN, TURN), fit * random.uniform(*ZOOM))
    matrix[:, 2] += np.array(SIZE) / 2 - (width / 2, height / 2) + random.uniform(-SHIFT, SHIFT, 2) * SIZE
    turned = cv2.warpAffine(pixels, matrix, SIZE, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    lit = np.clip(turned * random.uniform(*LIGHT), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(*QUALITY))])[1].tobytes()


def write(folder: Path, count: int, seed: int = 0) -> Path:
    """Write photos into a folder, which is made; those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        path = folder / f"{index:05}.jpg"
        if not path.exists():
            path.write_bytes(photo(index, seed))
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.generated", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"{given.count} photos in {write(given.folder, given.count, given.seed)}")


if __name__ == "__main__":
    main()
