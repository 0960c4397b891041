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
