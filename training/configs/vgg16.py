"""VGG16, which starts from ImageNet.

    KERAS_BACKEND=jax python -m training train vgg16 --teacher --init imagenet --init-file FILE --on-device --data PATH
    KERAS_BACKEND=jax python -m training together vgg16,resnet,cnn --init imagenet --init-file FILE --data PATH

The first command makes one of the two teachers: 121 epochs, 2.5 minutes on one H100, best after 80 with 71.2 % on
PublicTest. The second trains 1.1.0, side by side with the other two: 279 epochs, 8 minutes for the three, best after
215 with 73.0 %; `calibrate --balance 0.5` makes 1.1.1 of it, which ships. An epoch takes 402 s on two cores of an AMD
with AVX512-bf16.
"""

from training.config import Augmentation, Config

CONFIG = Config(
    name="vgg16",
    stages=((279, 48),),
    batch=256,
    learning_rate=0.05,
    layer_decay=0.8,
    weight_decay=6e-3,
    fer2013_share=0.75,
    balance=0.25,
    mixup=0.4,
    ema=0.9995,
    teachers=("vgg16-teacher", "resnet-teacher"),
    distillation=0.6,
    augmentation=Augmentation(rotation=15, scale=0.12, shift=0.08, noise=0.04, blur=0.8, erase=0.1).scaled(1.15),
    seed=1,
)

TEACHER = Config(
    name="vgg16",
    stages=((121, 48),),
    batch=256,
    learning_rate=0.04,
    layer_decay=0.75,
    weight_decay=3e-3,
    fer2013_share=0.7,
    balance=0.25,
    mixup=0.2,
    ema=0.998,
    augmentation=Augmentation(rotation=15, scale=0.12, shift=0.08, noise=0.04, blur=0.8, erase=0.1),
    seed=7,
)
