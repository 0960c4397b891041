"""A cnn with two of its eight convolutions, for tests of what goes on around the network."""

import keras

from models import layers


def short(side=48, classes=7, dropout=0.3, width=1.0) -> keras.Model:
    """The first and the last block of the cnn, one convolution each."""
    inputs = keras.Input((side, side, 1), name="face")
    x = keras.layers.Rescaling(4.0, offset=-2.0, name="scale")(inputs)
    x = layers.convolution_block(x, layers.filters(32, width), "block1_1")
    x = keras.layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.convolution_block(x, layers.filters(64, width), "block4_2")
    return keras.Model(inputs, layers.classifier_head(x, classes, dropout), name="cnn")
