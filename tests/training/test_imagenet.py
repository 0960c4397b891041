import numpy as np
import pytest

from models import zoo
from models.errors import DataError, UnknownNameError
from training import imagenet


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory):
    import keras

    source = keras.applications.VGG16(include_top=False, weights=None)
    file = tmp_path_factory.mktemp("imagenet") / "vgg16.weights.h5"
    source.save_weights(file)
    return source, file


def test_all_thirteen_convolutions_of_vgg16_are_found_by_name(vgg16):
    source, file = vgg16
    found = imagenet.kernels("vgg16", file)
    assert len(found) == 13
    assert (found["block3_conv2_conv"][0] == source.get_layer("block3_conv2").get_weights()[0]).all()
    grey = np.ones((1, 1, 3)) @ source.get_layer("block1_conv1").get_weights()[0]
    assert found["block1_conv1_conv"][0] == pytest.approx(grey, abs=1e-6)
    network = zoo.build("vgg16")
    for name, arrays in found.items():
        network.get_layer(name).set_weights(arrays)


def test_resnet_names_point_at_layers_of_ours():
    names = {layer.name for layer in zoo.build("resnet").layers}
    assert imagenet._resnet_name("conv2_block1_2_conv") == "stage1_1_1_conv"
    assert imagenet._resnet_name("conv4_block4_2_conv") == "stage3_2_2_conv"
    assert {imagenet._resnet_name(f"conv{s}_block{b}_2_conv") for s in (2, 3, 4, 5) for b in (1, 2, 3)} <= names
    assert imagenet._resnet_name("conv2_block1_1_conv") is None


def test_a_missing_file_and_a_model_without_a_start_are_refused(tmp_path):
    with pytest.raises(DataError, match="--init-file"):
        imagenet.kernels("vgg16", tmp_path / "none.weights.h5")
    with pytest.raises(UnknownNameError):
        imagenet.kernels("cnn")
