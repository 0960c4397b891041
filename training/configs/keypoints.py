"""The keypoint network.

    python -m training train keypoints --data PATH

36 epochs of 3,393 faces. Visitors' crops are less tidy than the data, so the disturbance is strong.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="keypoints",
    stages=((36, 96),),
    batch=32,
    learning_rate=0.02,
    weight_decay=1e-4,
    augmentation=Augmentation(
        rotation=15, scale=0.12, shift=0.06, contrast=0.4, brightness=0.2, noise=0.04, blur=1.2, erase=0.25
    ),
)
