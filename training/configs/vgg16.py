"""VGG16.

    python -m training train vgg16 --init shipped --data PATH

8 epochs, 45 minutes on two shared cores with bfloat16, on from version 1.0.0 (7 epochs from random numbers, 61.6 %) and
taught by the other two; the sides grow from 32 to 48 pixels. PublicTest 64.0 %.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="vgg16",
    stages=((4, 32), (2, 40), (2, 48)),
    fer2013_share=0.7,
    balance=0.25,
    teachers=("cnn", "resnet"),
    distillation=0.5,
    learning_rate=0.03,
    augmentation=Augmentation(rotation=15, scale=0.12, shift=0.08, noise=0.04, blur=0.8, erase=0.1),
)
