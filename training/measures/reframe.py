"""Where eyes and mouth lie in training faces, and what the app's framing costs.

    python -m training.measures.reframe --data PATH

About two minutes on two cores. Faces of PublicTest are found by the detector and framed anew from its
five points alone; the small network reads both crops.
"""

import argparse
from pathlib import Path

import numpy as np

from models import framing, zoo
from training import data
from training.data import composites

FACES = 1500


def found_in(image: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The detector's view of a training face.

    Args:
        image: uint8 (48, 48), grey.

    Returns:
        The five points, float (5, 2) in pixels of the image, and the crop that the app would make,
        float32 (48, 48) in 0..1; None where no face is found.
    """
    _, face = composites.detection_pass(image)
    if face is None or face.points is None:
        return None
    return (face.points + 0.5) / composites.ZOOM - 0.5 - composites.BORDER, face.crop


def layout(points: np.ndarray) -> dict[str, float]:
    """Medians in pixels over faces' five points, float (N, 5, 2): how `models.framing` is laid out."""
    eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
    middle = np.median((eyes + mouth) / 2, axis=0)
    return {
        "between the eyes": float(np.median(np.linalg.norm(points[:, 1] - points[:, 0], axis=1))),
        "eyes to mouth": float(np.median(np.linalg.norm(mouth - eyes, axis=1))),
        "middle x": float(middle[0]),
        "middle y": float(middle[1]),
    }


def main() -> None:
    """Print the layout and the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    split = data.load_emotions(parser.parse_args().data)["PublicTest"]
    rows = np.random.default_rng(1).permutation(len(split))[:FACES]
    seen = {row: found for row in rows if (found := found_in(split.images[row])) is not None}
    kept = np.array(list(seen))
    print(f"{len(kept)} of {len(rows)} faces found; medians in pixels of {framing.CROP_SIDE}:")
    for what, value in layout(np.stack([points for points, _ in seen.values()])).items():
        print(f"  {what:18} {value:.1f}")
    model, voted = zoo.load("cnn"), split.majority[kept] >= 0
    crops = {"own crop": split.images[kept] / 255, "framed anew": np.stack([crop for _, crop in seen.values()])}
    for name, faces in crops.items():
        answers = model.logits(faces).argmax(1)
        right = (answers == split.labels[kept]).mean(), (answers == split.majority[kept])[voted].mean()
        print(f"  {name:18} FER2013 {right[0]:.1%}, FER+ majority {right[1]:.1%}")


if __name__ == "__main__":
    main()
