"""An annotator with the rows of the real one, and without networks."""

import numpy as np

from models import detector
from models.ensemble import Ensemble
from models.types import Face, Photo, Prediction
from models.zoo import EMOTION_MODELS
from training.dataset import annotator
from training.dataset.annotator import Annotator

SHARES = np.linspace(0.05, 0.4, 15)


class Quick(Annotator):
    """Every photo has one face, whose answers follow from its brightness."""

    def _faces(self, photos: list[Photo]) -> list[tuple[Photo, list[Face]]]:
        spots = np.stack([SHARES, SHARES[::-1]], 1).astype(np.float32)
        return [(each, [detector.whole_picture(each).with_keypoints(spots * each.size)]) for each in photos]

    def _answers(self, faces: list[Face]) -> list[annotator.Row]:
        answers = []
        for face in faces:
            scores = np.exp(np.arange(7) * (face.crop.mean() - 0.5))
            shares = (scores / scores.sum()).astype(np.float32)
            said = [Prediction(name, np.log(shares), shares, "9.9.9") for name in EMOTION_MODELS]
            answers.append(annotator._together(said, Ensemble()))
        return answers
