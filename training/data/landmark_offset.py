"""How far the published landmarks lie beside the faces they mark.

    python -m training.data.landmark_offset --data DATA

Measured on people of the training part with the face detector, which never saw these labels.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from models import detector
from models.types import Photo
from training.data.keypoint_data import detector_points
from training.data.landmarks import as_published, between_eyes
from training.data.reading import load_keypoints

PICTURES = 500
BORDER = 40
SWAPPED = [1, 0, 2, 4, 3]
"""The detector's five points in a mirrored picture."""


def offset(image: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
    """How far labels lie from a detector that has no side.

    Args:
        image: uint8 (H, W), grey, one face.
        labels: float (5, 2) in pixels, in the detector's order.

    Returns:
        float (2,), mean of labels minus points in pixels; None where the detector finds no face, or another.
    """
    wide = cv2.copyMakeBorder(image, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
    seen = []
    for view in (wide, np.ascontiguousarray(wide[:, ::-1])):
        faces = detector.find(Photo(cv2.cvtColor(view, cv2.COLOR_GRAY2RGB)))
        if not faces or (points := faces[0].points) is None:
            return None
        seen.append(points)
    mirrored = seen[1][SWAPPED] * [-1, 1] + [wide.shape[1] - 1, 0]
    gaps = labels - ((seen[0] + mirrored) / 2 - BORDER)
    lost = np.linalg.norm(gaps, axis=1).mean() > 0.25 * np.linalg.norm(labels[1] - labels[0])
    return None if lost else gaps.mean(0)


def measure(
    images: list[np.ndarray], published: np.ndarray, count: int = PICTURES, seed: int = 0
) -> tuple[np.ndarray, int]:
    """The mean offset of labels, as shares of the distance between the outer corners.

    Args:
        images: uint8 (H, W), grey.
        published: float (N, 15, 2) in pixels.
        count: how many pictures are drawn.
        seed: of the draw and the bootstrap.

    Returns:
        float (3,): the mean offset across and the ends of its 95 % bootstrap interval; and the number
        of faces that were found.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(images))[:count]
    sizes = between_eyes(published)
    found = [(offset(images[row], detector_points(published[row])), sizes[row]) for row in rows]
    shares = np.array([gap[0] / size for gap, size in found if gap is not None])
    means = rng.choice(shares, (2000, len(shares))).mean(1)
    return np.array([shares.mean(), *np.quantile(means, (0.025, 0.975))]), len(shares)


def main() -> None:
    """Print the offset of the training people's labels, published and corrected."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    split = load_keypoints(parser.parse_args().data)["train"]
    for name, points in (("published", as_published(split.keypoints)), ("corrected", split.keypoints)):
        (mean, low, high), faces = measure(split.images, points)
        print(f"{name}: {mean:+.4f} of the distance between the eyes [{low:+.4f}, {high:+.4f}], {faces} faces")


if __name__ == "__main__":
    main()
