"""The residual network.

    python -m training train resnet --data PATH

30 epochs, 105 minutes on two shared cores with bfloat16, taught by the small network; the sides grow from 32 to 48
pixels. PublicTest 66.6 %.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="resnet",
    stages=((12, 32), (7, 40), (11, 48)),
    fer2013_share=0.7,
    balance=0.25,
    teachers=("cnn",),
    distillation=0.3,
    learning_rate=0.05,
    augmentation=Augmentation(rotation=15, scale=0.12, shift=0.08, noise=0.04, blur=0.8, erase=0.1),
)
