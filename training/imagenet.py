"""Kernels learned on ImageNet as a start, from Keras Applications."""

from pathlib import Path

import numpy as np

from models import zoo
from models.errors import DataError, UnknownNameError


def _vgg16_name(layer: str) -> str | None:
    """Our convolution for a layer of `keras.applications.VGG16`: block1_conv1 -> block1_conv1_conv."""
    return f"{layer}_conv" if "_conv" in layer else None


def _resnet_name(layer: str) -> str | None:
    """Our convolution for a 3x3 kernel of `keras.applications.ResNet50`.

    ResNet50's stages conv2 to conv5 have one 3x3 kernel a block (`conv2_block1_2_conv`); they fill
    ours in order, two a block.
    """
    if not layer.endswith("_2_conv"):
        return None
    stage, block = (int(part[-1]) for part in layer.split("_")[:2])
    return f"stage{stage - 1}_{(block + 1) // 2}_{2 - block % 2}_conv"


SOURCES = {"vgg16": ("VGG16", _vgg16_name), "resnet": ("ResNet50", _resnet_name)}


def kernels(name: str, file: str | Path | None = None) -> dict[str, list[np.ndarray]]:
    """Kernels for our layers by name, where source and ours have the same shape.

    The three colour planes of a first kernel are added up, because a grey picture has the same value
    in each.

    Args:
        name: "vgg16" (all 13 convolutions fit) or "resnet" (its 3x3 kernels of equal width fit).
        file: weights of the Keras application without its top, as `.weights.h5` or `.h5`; None
            fetches them from the network.

    Returns:
        layer name -> [kernel float32 (3, 3, in, out)].

    Raises:
        UnknownNameError: there is no such start for this model.
        DataError: the weights cannot be had.
    """
    import keras

    if name not in SOURCES:
        raise UnknownNameError("Only some models can start from ImageNet", repr(name), f"Use {' or '.join(SOURCES)}")
    application, rename = SOURCES[name]
    try:
        source = getattr(keras.applications, application)(include_top=False, weights=str(file) if file else "imagenet")
    except Exception as error:
        raise DataError(
            f"The ImageNet weights of {application} must be readable",
            f"{type(error).__name__}: {error}",
            "Give a file with --init-file, or train without --init",
        ) from error
    ours = zoo.build(name)
    shapes = {layer.name: layer.kernel.shape for layer in ours.layers if hasattr(layer, "kernel")}
    found = {}
    for layer in source.layers:
        target = rename(layer.name)
        if target not in shapes:
            continue
        kernel = np.asarray(layer.get_weights()[0])
        if kernel.shape[2] == 3 and shapes[target][2] == 1:
            kernel = kernel.sum(2, keepdims=True)
        if kernel.shape == tuple(shapes[target]):
            found[target] = [kernel]
    return found


MEANS = (103.939, 116.779, 123.68)
"""Of ImageNet's blue, green and red, 0 to 255, which Keras Applications' VGG16 takes off its input."""
SCALE, OFFSET = 4.0, -2.0
"""What our `Rescaling` makes of grey values in 0..1."""


def transferred(network, source: dict[str, np.ndarray], faces: np.ndarray) -> dict[str, list[np.ndarray]]:
    """First weights with which our VGG16 computes on faces what ImageNet's VGG16 computes.

    ImageNet's network has biases and no batch norm. Each of our batch norms gets the moving statistics that the
    faces give it, and the gamma and beta that turn the normalised map back into ImageNet's, divided by one number a
    layer, so that maps keep unit size: a ReLU passes a positive factor on. The colour planes of the first kernel
    are added up, its scale and the means go into the first batch norm. At the crop's edges both differ a
    little, because ImageNet's network pads with its mean colour and ours with middle grey.

    Args:
        network: our VGG16, see `models.vgg16`; its weights are changed.
        source: `<layer>/kernel` float (3, 3, in, out) and `<layer>/bias` float (out,), layer names as in
            Keras Applications, for pictures in BGR, 0 to 255, less `MEANS`.
        faces: float32 (N, 48, 48, 1) in 0..1, a thousand or so.

    Returns:
        layer name -> list of arrays, for every convolution and batch norm.

    Raises:
        DataError: a layer is missing or has another shape.
    """
    import keras

    found, before = {}, 1.0
    for layer in [layer for layer in network.layers if layer.name.endswith("_conv")]:
        name = layer.name.removesuffix("_conv")
        try:
            kernel, bias = source[f"{name}/kernel"], source[f"{name}/bias"]
        except KeyError as error:
            raise DataError(
                "ImageNet's VGG16 lacks a layer", f"no {error.args[0]}", "Give the file with its thirteen convolutions"
            ) from error
        kernel = kernel.astype(np.float64)
        scale, constant = before, bias.astype(np.float64)
        if kernel.shape[2] == 3 and layer.kernel.shape[2] == 1:
            # 255 x - mean of a colour, with x = (input - OFFSET) / SCALE
            at_zero = -255 * OFFSET / SCALE - np.array(MEANS)
            constant = constant + np.einsum("hwio,i->o", kernel, at_zero)
            kernel = kernel.sum(2, keepdims=True)
            unit = np.sqrt((kernel**2).sum((0, 1, 2)).mean() / 2)  # batch norm undoes it; He's size learns at He's pace
            kernel, scale = kernel / unit, unit * 255 / SCALE
        if kernel.shape != tuple(layer.kernel.shape):
            raise DataError("A layer of ImageNet's VGG16 has another shape than ours", f"{name}: {kernel.shape}")
        layer.set_weights([kernel.astype(np.float32)])
        part = keras.Model(network.input, layer.output)
        maps = np.asarray(part.predict(faces, batch_size=128, verbose=0), np.float64)
        mean, variance = maps.mean((0, 1, 2)), maps.var((0, 1, 2))
        norm = network.get_layer(f"{name}_bn")
        spread = np.sqrt(variance + norm.epsilon)
        gamma, beta = scale * spread, scale * mean + constant
        kept = np.maximum((maps - mean) / spread * gamma + beta, 0)
        after = float(np.sqrt((kept**2).mean()))  # the root mean square of ImageNet's map
        norm.set_weights(
            [(gamma / after).astype("f"), (beta / after).astype("f"), mean.astype("f"), variance.astype("f")]
        )
        found[layer.name], found[norm.name] = layer.get_weights(), norm.get_weights()
        before = after
    return found
