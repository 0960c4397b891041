"""The thirteen convolutions of VGG16 with batch norm and a small head."""

import keras
from keras import layers

from models.layers import classifier_head, convolution_block, filters

CAM_LAYER = "block5_conv3_relu"
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def build(side: int | None = 48, classes: int = 7, dropout: float = 0.4, width: float = 1.0) -> keras.Model:
    """VGG16 for small grey faces, ending in logits.

    The convolutions are those of Simonyan and Zisserman (arXiv 1409.1556, column D), with batch
    norm. The two last poolings are left out, so that a 48 px face ends in a 6x6 map (1x1 as
    published), and one dense layer replaces the three with 120 million parameters.

    Args:
        side: height and width of the input in pixels; None for any.
        classes: number of outputs.
        dropout: share of the pooled features that is dropped in training.
        width: factor on the filters of every convolution.

    Returns:
        A functional model: float32 (N, side, side, 1) in 0..1 -> float32 logits (N, classes).
    """
    inputs = keras.Input((side, side, 1), name="face")
    x = layers.Rescaling(4.0, offset=-2.0, name="scale")(inputs)
    for block, (count, depth) in enumerate(BLOCKS, start=1):
        if 1 < block <= 4:
            x = layers.MaxPooling2D(2, name=f"pool{block - 1}")(x)
        for index in range(1, depth + 1):
            x = convolution_block(x, filters(count, width), f"block{block}_conv{index}")
    return keras.Model(inputs, classifier_head(x, classes, dropout), name="vgg16")
