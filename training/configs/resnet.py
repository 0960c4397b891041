"""The residual network.

    KERAS_BACKEND=jax python -m training train resnet --teacher --on-device --data PATH
    KERAS_BACKEND=jax python -m training together vgg16,resnet,cnn --init imagenet --init-file FILE --data PATH

The first command makes one of the two teachers, half as wide again: 66.5 % on PublicTest after the 21 epochs of 33 that
were run, one minute on one H100. The second trains 1.1.0, side by side with the other two: 279 epochs, 8 minutes for
the three, best after the last with 72.5 %; `calibrate --balance 0.5` makes 1.1.1 of it, which ships. An epoch takes
139 s on two cores of an AMD with AVX512-bf16.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="resnet",
    stages=((279, 48),),
    batch=256,
    learning_rate=0.1,
    weight_decay=6e-3,
    fer2013_share=0.75,
    balance=0.25,
    mixup=0.4,
    ema=0.9995,
    teachers=("vgg16-teacher", "resnet-teacher"),
    distillation=0.6,
    augmentation=Augmentation(rotation=15, scale=0.12, shift=0.08, noise=0.04, blur=0.8, erase=0.1).scaled(1.15),
    seed=2,
)

TEACHER = Config(
    name="resnet",
    stages=((33, 48),),
    batch=256,
    learning_rate=0.1,
    weight_decay=1e-2,
    fer2013_share=1.0,
    balance=0.25,
    mixup=0.2,
    ema=0.998,
    width=1.5,
    augmentation=Augmentation(rotation=15, scale=0.12, shift=0.08, noise=0.04, blur=0.8, erase=0.1).scaled(0.6),
    seed=11,
)
