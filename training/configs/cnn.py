"""The small network.

    python -m training train cnn --data PATH

48 epochs, 70 minutes on two shared cores with bfloat16; the sides grow from 32 to 48 pixels. PublicTest 67.6 %.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="cnn",
    stages=((14, 32), (14, 40), (20, 48)),
    fer2013_share=0.7,
    balance=0.25,
    learning_rate=0.05,
    augmentation=Augmentation(rotation=15, scale=0.12, shift=0.08, noise=0.04, blur=0.8, erase=0.1),
)
