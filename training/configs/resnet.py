"""The residual network.

    python -m training train resnet --data PATH

7 epochs, the first at 32 pixels.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="resnet",
    stages=((4, 32), (3, 48)),
    fer2013_share=0.65,
    learning_rate=0.05,
    augmentation=Augmentation(rotation=10, scale=0.1, shift=0.05),
)
