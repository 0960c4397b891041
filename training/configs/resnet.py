"""The residual network.

    python -m training train resnet --data PATH

7 epochs, 16 minutes on two shared cores with bfloat16; the first at 32 pixels. PublicTest 62.4 %.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="resnet",
    stages=((4, 32), (3, 48)),
    fer2013_share=0.65,
    learning_rate=0.05,
    augmentation=Augmentation(rotation=10, scale=0.1, shift=0.05),
)
