"""The residual network: 18 layers in the layout of ResNet-18, narrow at the fine grids."""

import keras
from keras import layers

from models.layers import BatchNorm, classifier_head, convolution, convolution_block, filters

CAM_LAYER = "stage4_2_out"
WIDTHS = (64, 128, 192, 256)


def residual_block(x: keras.KerasTensor, count: int, name: str, stride: int) -> keras.KerasTensor:
    """Two 3x3 convolutions and a shortcut (He et al. 2015, arXiv 1512.03385, figure 2)."""
    shortcut = x
    if stride > 1 or x.shape[-1] != count:
        if stride > 1:
            shortcut = layers.AveragePooling2D(stride, padding="same", name=f"{name}_shortcut_pool")(x)
        shortcut = convolution(shortcut, count, f"{name}_shortcut_conv", kernel=1)
        shortcut = BatchNorm(momentum=0.9, name=f"{name}_shortcut_bn")(shortcut)
    x = convolution_block(x, count, f"{name}_1", stride=stride)
    x = convolution(x, count, f"{name}_2_conv")
    x = BatchNorm(momentum=0.9, name=f"{name}_2_bn")(x)
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_out")(x)


def build(side: int | None = 48, classes: int = 7, dropout: float = 0.3, width: float = 1.0) -> keras.Model:
    """An 18-layer residual network that ends in logits.

    The stem halves the grid once and the last stage keeps its stride at 1, so a 48 px face ends in
    a 6x6 map where ResNet-18 as published would end in 2x2.

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
    x = convolution_block(x, filters(32, width), "stem")
    x = layers.MaxPooling2D(2, name="stem_pool")(x)
    for stage, count in enumerate(WIDTHS, start=1):
        for block in (1, 2):
            stride = 2 if block == 1 and stage in (2, 3) else 1
            x = residual_block(x, filters(count, width), f"stage{stage}_{block}", stride)
    return keras.Model(inputs, classifier_head(x, classes, dropout), name="resnet")
