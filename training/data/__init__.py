"""Training data in: FER2013 as Parquet, csv or folders, and faces with 68 landmarks."""

from training.data.checking import check_complete
from training.data.files import fingerprint
from training.data.reading import load_emotions, load_keypoints
from training.data.splits import SPLITS, EmotionSplit, KeypointSplit, join

__all__ = (
    "SPLITS",
    "EmotionSplit",
    "KeypointSplit",
    "check_complete",
    "fingerprint",
    "join",
    "load_emotions",
    "load_keypoints",
)
