"""The small network.

    python -m training train cnn --data PATH

13 epochs, 13 minutes on two shared cores with bfloat16; the sides grow from 32 to 48 pixels. PublicTest 63.4 %.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="cnn",
    stages=((3, 32), (4, 40), (6, 48)),
    learning_rate=0.05,
    augmentation=Augmentation(rotation=10, scale=0.1, shift=0.05),
)
