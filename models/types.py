"""The words of FaceWhy as types: what each step takes and returns."""

from dataclasses import dataclass, replace

import numpy as np

from models.errors import ParameterError

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")

KEYPOINTS = (
    "left_eye_center",
    "right_eye_center",
    "left_eye_inner_corner",
    "left_eye_outer_corner",
    "right_eye_inner_corner",
    "right_eye_outer_corner",
    "left_eyebrow_inner_end",
    "left_eyebrow_outer_end",
    "right_eyebrow_inner_end",
    "right_eyebrow_outer_end",
    "nose_tip",
    "mouth_left_corner",
    "mouth_right_corner",
    "mouth_center_top_lip",
    "mouth_center_bottom_lip",
)
"""In the order of the Kaggle Facial Keypoints task; left and right are the subject's own."""


@dataclass(frozen=True, eq=False)
class Photo:
    """One decoded picture.

    Attributes:
        pixels: uint8 (H, W, 3), RGB, upright.
        turned: degrees clockwise, 0, 90, 180 or 270, by which it was turned after what its file says of itself.
        reduced: how many of the file's pixels one of these stands for, along a side; 1 where it was not reduced.
    """

    pixels: np.ndarray
    turned: int = 0
    reduced: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a Photo.

    Attributes:
        box: float32 (4,): left, top, right, bottom in pixels of the Photo.
        score: the detector's confidence, 0..1; 1 where the whole picture was taken as the face.
        points: float32 (5, 2), x and y in pixels of the Photo: the subject's right eye, left eye,
            nose tip, right and left mouth corner; None where no detector looked.
        to_crop: float32 (2, 3), the affine map from pixels of the Photo to pixels of the crop.
        crop: float32 (48, 48) in 0..1, grey, aligned by the eyes and framed like the training faces.
        wide_crop: float32 (96, 96) in 0..1, grey, the same alignment with a margin for keypoints.
        keypoints: float32 (15, 2), x and y in pixels of the Photo, in the order of `KEYPOINTS`;
            None until they are read.
    """

    box: np.ndarray
    score: float
    points: np.ndarray | None
    to_crop: np.ndarray
    crop: np.ndarray
    wide_crop: np.ndarray
    keypoints: np.ndarray | None = None

    @property
    def guessed(self) -> bool:
        """Whether the whole picture was taken as the face, because no detector saw one."""
        return self.points is None

    def with_keypoints(self, keypoints: np.ndarray) -> "Face":
        """The same face with its keypoints, float32 (15, 2) in pixels of the Photo."""
        return replace(self, keypoints=keypoints)

    @property
    def crop_keypoints(self) -> np.ndarray:
        """The keypoints in pixels of the crop, float32 (15, 2).

        Raises:
            ParameterError: they were not read.
        """
        if self.keypoints is None:
            raise ParameterError("The keypoints of the face were not read", "none", "Read them first")
        return self.keypoints @ self.to_crop[:, :2].T + self.to_crop[:, 2]


class Answered:
    """What stands first in an answer.

    Attributes:
        probabilities: float32 (7,), in the order of `EMOTIONS`; sum 1.
    """

    probabilities: np.ndarray

    @property
    def top(self) -> int:
        """The index of the most probable emotion."""
        return int(self.probabilities.argmax())

    @property
    def emotion(self) -> str:
        """The name of the most probable emotion."""
        return EMOTIONS[self.top]

    @property
    def confidence(self) -> float:
        """The probability of the most probable emotion, 0..1."""
        return float(self.probabilities[self.top])


@dataclass(frozen=True, eq=False)
class Prediction(Answered):
    """A model's answer for a Face.

    Attributes:
        model: the model's name.
        logits: float32 (7,), in the order of `EMOTIONS`.
        probabilities: float32 (7,), the softmax of the logits over the card's temperature; sum 1.
        version: of the model's weights.
        likely: the emotions of the conformal set, the most probable first, see `models.conformal`; empty where no sets
            were calibrated for these weights.
    """

    model: str
    logits: np.ndarray
    probabilities: np.ndarray
    version: str = ""
    likely: tuple[str, ...] = ()
