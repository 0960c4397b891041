"""The small network: eight plain convolutions, about 1.2 million parameters."""

import keras
from keras import layers

from models.layers import classifier_head, convolution_block, filters

CAM_LAYER = "block4_2_relu"


def build(side: int | None = 48, classes: int = 7, dropout: float = 0.3, width: float = 1.0) -> keras.Model:
    """A plain convolutional network that ends in logits.

    Args:
        side: height and width of the input in pixels; None for any. At 48 the last map is 6x6.
        classes: number of outputs.
        dropout: share of the pooled features that is dropped in training.
        width: factor on the filters of every convolution.

    Returns:
        A functional model: float32 (N, side, side, 1) in 0..1 -> float32 logits (N, classes).
    """
    inputs = keras.Input((side, side, 1), name="face")
    x = layers.Rescaling(4.0, offset=-2.0, name="scale")(inputs)
    for block, count in enumerate((32, 64, 128, 256), start=1):
        if block > 1:
            x = layers.MaxPooling2D(2, name=f"pool{block - 1}")(x)
        x = convolution_block(x, filters(count, width), f"block{block}_1")
        x = convolution_block(x, filters(count, width), f"block{block}_2")
    return keras.Model(inputs, classifier_head(x, classes, dropout), name="cnn")
