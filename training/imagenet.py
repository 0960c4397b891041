"""First weights from ImageNet: kernels by layer name, and a VGG16 that computes what ImageNet's computes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models import zoo
from models.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    import keras

FACES = 1024
"""Training faces whose maps set the batch norms of a VGG16 from ImageNet."""
MEANS = (103.939, 116.779, 123.68)
"""Of ImageNet's blue, green and red, 0 to 255, which Keras Applications' VGG16 takes off its input."""
SCALE, OFFSET = 4.0, -2.0
"""What our `Rescaling` makes of grey values in 0..1."""
CREDITS = {
    "vgg16": "First weights: VGG16 of ImageNet (Simonyan and Zisserman 2014, arXiv 1409.1556), CC BY 4.0",
    "resnet": "First kernels: ResNet50 of ImageNet (He et al. 2015, arXiv 1512.03385), MIT",
}
"""What a card says of weights that began with ImageNet's."""


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


@dataclass(frozen=True, eq=False)
class Source:
    """Convolutions learned on ImageNet.

    Attributes:
        arrays: `<layer>/kernel` float (h, w, in, out) and `<layer>/bias` float (out,), layer names as in Keras
            Applications, for pictures in BGR, 0 to 255, less `MEANS`.
        sha256: of the file they were read from; of the arrays where the network gave them.
    """

    arrays: dict[str, np.ndarray]
    sha256: str


def read(name: str, file: str | Path | None = None) -> Source:
    """The convolutions of the ImageNet network that a model can start from.

    Args:
        name: "vgg16" or "resnet".
        file: weights of the Keras application without its top as `.weights.h5` or `.h5`, or its convolutions as
            `.safetensors`, named `<layer>/kernel` and `<layer>/bias`; None fetches them from the network.

    Raises:
        UnknownNameError: there is no such start for this model.
        DataError: the weights cannot be had.
    """
    if name not in SOURCES:
        raise UnknownNameError("There is no ImageNet start for this model", repr(name), f"Use {' or '.join(SOURCES)}")
    application = SOURCES[name][0]
    try:
        if file is not None and Path(file).suffix == ".safetensors":
            from safetensors.numpy import load_file

            arrays = load_file(file)
        else:
            arrays = _application(application, file)
        sha256 = hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else _digest(arrays)
    except Exception as error:
        raise DataError(
            f"The ImageNet weights of {application} could not be read",
            f"{type(error).__name__}: {error}",
            "Give a file with --init-file, or train without --init",
        ) from error
    return Source(arrays, sha256)


def _application(name: str, file: str | Path | None) -> dict[str, np.ndarray]:
    import keras

    network = getattr(keras.applications, name)(include_top=False, weights=str(file) if file else "imagenet")
    arrays: dict[str, np.ndarray] = {}
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            arrays |= {f"{layer.name}/kernel": kernel, f"{layer.name}/bias": bias}
    return arrays


def _digest(arrays: dict[str, np.ndarray]) -> str:
    made = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        made.update(name.encode())
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()


def first_weights(name: str, source: Source, images: np.ndarray) -> dict[str, list[np.ndarray]]:
    """The first weights of a model: `transferred` for "vgg16", `kernels` for "resnet".

    Args:
        name: of the model, see `read`.
        source: see `read`.
        images: uint8 (N, 48, 48), the training faces, of which "vgg16" takes `FACES` at random, always the same.

    Returns:
        layer name -> list of arrays, as `training.train.train` takes them.

    Raises:
        DataError: a layer is missing or has another shape.
    """
    if name != "vgg16":
        return kernels(name, source.arrays)
    import keras

    rows = np.random.default_rng(0).choice(len(images), min(FACES, len(images)), replace=False)
    faces = images[rows, ..., None].astype(np.float32) / 255
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # statistics in bfloat16 would be off by a percent
    try:
        return transferred(zoo.build(name, side=None), source.arrays, faces)
    finally:
        keras.config.set_dtype_policy(policy)


def kernels(name: str, source: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Kernels for our layers by name, where source and ours have the same shape.

    The three colour planes of a first kernel are added up, because a grey picture has the same value
    in each.

    Args:
        name: "vgg16" (all 13 convolutions fit) or "resnet" (its 3x3 kernels of equal width fit).
        source: see `Source.arrays`.

    Returns:
        layer name -> [kernel float32 (3, 3, in, out)].
    """
    rename = SOURCES[name][1]
    shapes = {layer.name: layer.kernel.shape for layer in zoo.build(name).layers if hasattr(layer, "kernel")}
    found = {}
    for path, kernel in source.items():
        layer, _, kind = path.rpartition("/")
        target = rename(layer)
        if kind != "kernel" or target is None or target not in shapes:
            continue
        if kernel.shape[2] == 3 and shapes[target][2] == 1:
            kernel = kernel.sum(2, keepdims=True)
        if kernel.shape == tuple(shapes[target]):
            found[target] = [kernel]
    return found


def transferred(
    network: "keras.Model", source: dict[str, np.ndarray], faces: np.ndarray
) -> dict[str, list[np.ndarray]]:
    """First weights with which our VGG16 computes on faces what ImageNet's VGG16 computes.

    ImageNet's network has biases and no batch norm. Each of our batch norms gets the moving statistics that the
    faces give it, and the gamma and beta that turn the normalised map back into ImageNet's, divided by one number a
    layer, so that maps keep unit size: a ReLU passes a positive factor on. The colour planes of the first kernel
    are added up, its scale and the means go into the first batch norm. At the crop's edges both differ a
    little, because ImageNet's network pads with its mean colour and ours with middle grey.

    Args:
        network: our VGG16, see `models.vgg16`; its weights are changed.
        source: see `Source.arrays`.
        faces: float32 (N, 48, 48, 1) in 0..1, a thousand or so.

    Returns:
        layer name -> list of arrays, for every convolution and batch norm.

    Raises:
        DataError: a layer is missing or has another shape.
    """
    import keras

    found, before = {}, 1.0
    place, maps = network.input, faces
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
            raise DataError(
                "The kernel of a layer did not fit ours",
                f"{name} of shape {kernel.shape}",
                "Give the convolutions as published",
            )
        layer.set_weights([kernel.astype(np.float32)])
        maps = keras.Model(place, layer.output).predict(maps, batch_size=128, verbose=0)
        mean = maps.mean((0, 1, 2), dtype=np.float64)
        maps -= mean.astype(np.float32)
        variance = np.einsum("nhwc,nhwc->c", maps, maps, dtype=np.float64) / maps[..., 0].size
        norm = network.get_layer(f"{name}_bn")
        spread = np.sqrt(variance + norm.epsilon)
        gamma, beta = scale * spread, scale * mean + constant
        maps *= (gamma / spread).astype(np.float32)
        maps += beta.astype(np.float32)
        np.maximum(maps, 0, out=maps)
        after = float(np.sqrt(np.einsum("nhwc,nhwc->", maps, maps, dtype=np.float64) / maps.size))
        maps /= after  # the root mean square of ImageNet's map
        norm.set_weights([array.astype(np.float32) for array in (gamma / after, beta / after, mean, variance)])
        found[layer.name], found[norm.name] = layer.get_weights(), norm.get_weights()
        place, before = network.get_layer(f"{name}_relu").output, after
    return found
