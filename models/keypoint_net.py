"""The keypoint network: from a 96x96 face to 15 points."""

import keras
from keras import layers, ops

from models.layers import convolution, convolution_block
from models.resnet import residual_block
from models.types import KEYPOINTS


@keras.saving.register_keras_serializable(package="facewhy")
class SoftArgmax(layers.Layer):
    """The expected position under each map: (N, H, W, K) -> float32 (N, K, 2), x and y in 0..1.

    0 is the centre of the first pixel of the grid's own border, 1 that of the last, so the points
    move with the face. Source: Sun et al. 2018, "Integral Human Pose Regression", arXiv 1711.08229.
    """

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        _, height, width, points = maps.shape
        maps = ops.cast(ops.reshape(maps, (-1, height * width, points)), "float32")
        weights = ops.softmax(maps, axis=1)
        y, x = ops.meshgrid(ops.linspace(0.0, 1.0, height), ops.linspace(0.0, 1.0, width), indexing="ij")
        grid = ops.stack([ops.reshape(x, (-1,)), ops.reshape(y, (-1,))], axis=-1)
        return ops.einsum("npk,pc->nkc", weights, grid)


def build(side: int = 96) -> keras.Model:
    """A residual encoder with one step back up, and a soft-argmax over 15 maps.

    Args:
        side: height and width of the input in pixels, a multiple of 8.

    Returns:
        A functional model: float32 (N, side, side, 1) in 0..1 -> float32 (N, 15, 2), x and y as a
        share of the input, 0 at the centre of its first pixel and 1 at that of its last.
    """
    inputs = keras.Input((side, side, 1), name="face")
    x = layers.Rescaling(4.0, offset=-2.0, name="scale")(inputs)
    x = convolution_block(x, 24, "stem", stride=2)
    x = residual_block(x, 32, "stage1_1", stride=1)
    fine = residual_block(x, 48, "stage2_1", stride=2)
    fine = residual_block(fine, 48, "stage2_2", stride=1)
    x = residual_block(fine, 96, "stage3_1", stride=2)
    x = residual_block(x, 96, "stage3_2", stride=1)
    x = residual_block(x, 128, "stage4_1", stride=2)
    x = residual_block(x, 128, "stage4_2", stride=1)
    x = convolution_block(x, 48, "merge_coarse", kernel=1)
    x = layers.UpSampling2D(4, interpolation="bilinear", name="up")(x)
    x = layers.Add(name="merge")([x, fine])
    x = residual_block(x, 48, "stage5_1", stride=1)
    maps = convolution(x, len(KEYPOINTS), "maps_conv", kernel=1)
    return keras.Model(inputs, SoftArgmax(dtype="float32", name="points")(maps), name="keypoints")
