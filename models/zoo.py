"""Models by name."""

from importlib import import_module

from models.errors import UnknownNameError

ARCHITECTURES = {
    "cnn": "models.cnn",
    "resnet": "models.resnet",
    "vgg16": "models.vgg16",
    "keypoints": "models.keypoint_net",
}


def build(name: str, **options):
    """An untrained network by the name of its architecture; options go to its `build`."""
    if name not in ARCHITECTURES:
        raise UnknownNameError("An architecture has a name", repr(name), f"Use one of {', '.join(ARCHITECTURES)}")
    return import_module(ARCHITECTURES[name]).build(**options)
