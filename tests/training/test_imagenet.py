import hashlib

import numpy as np
import pytest
from safetensors.numpy import save_file

from models import vgg16, zoo
from models.errors import DataError, UnknownNameError
from training import imagenet

FACES = np.random.default_rng(0).random((24, 48, 48, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def source():
    """Random convolutions like ImageNet's: names, shapes, biases."""
    rng = np.random.default_rng(1)
    arrays, before = {}, 3
    for block, (count, depth) in enumerate(vgg16.BLOCKS, 1):
        for index in range(1, depth + 1):
            spread = np.sqrt(2 / (9 * before)) / (1 if index > 1 or block > 1 else 60)
            arrays[f"block{block}_conv{index}/kernel"] = rng.normal(0, spread, (3, 3, before, count)).astype("f")
            arrays[f"block{block}_conv{index}/bias"] = rng.normal(0.1, 0.2, count).astype("f")
            before = count
    return arrays


@pytest.fixture(scope="module")
def files(source, tmp_path_factory):
    """The same convolutions as Keras' h5 and as safetensors."""
    import keras

    folder = tmp_path_factory.mktemp("imagenet")
    network = keras.applications.VGG16(include_top=False, weights=None)
    for layer in network.layers:
        if f"{layer.name}/kernel" in source:
            layer.set_weights([source[f"{layer.name}/kernel"], source[f"{layer.name}/bias"]])
    network.save_weights(folder / "vgg16.weights.h5")
    save_file(source, folder / "vgg16.safetensors")
    return folder / "vgg16.weights.h5", folder / "vgg16.safetensors"


def of_imagenet(source, faces):
    """The last map of each block as ImageNet's network computes it, its last pooling left out as in ours."""
    import keras

    inputs = x = keras.Input((None, None, 3))
    ends = []
    for block, (count, depth) in enumerate(vgg16.BLOCKS, 1):
        if 1 < block <= 4:
            x = keras.layers.MaxPooling2D(2)(x)
        for index in range(1, depth + 1):
            layer = keras.layers.Conv2D(count, 3, padding="same", activation="relu")
            x = layer(x)
            layer.set_weights([source[f"block{block}_conv{index}/{kind}"] for kind in ("kernel", "bias")])
        ends.append(x)
    pictures = 255 * np.repeat(faces, 3, 3) - np.array(imagenet.MEANS, "f")
    return keras.Model(inputs, ends).predict(pictures, verbose=0)


def test_both_files_hold_all_thirteen_convolutions_and_say_which_file(source, files):
    for file in files:
        got = imagenet.read("vgg16", file)
        assert got.arrays.keys() == source.keys()
        assert all((got.arrays[name] == array).all() for name, array in source.items())
        assert got.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_our_vgg16_computes_what_imagenets_computes(source):
    import keras

    network = zoo.build("vgg16", side=None)
    found = imagenet.transferred(network, source, FACES)
    assert len(found) == 26
    ends = [
        network.get_layer(f"block{block}_conv{depth}_relu").output for block, (_, depth) in enumerate(vgg16.BLOCKS, 1)
    ]
    seen, unseen = FACES[:8], np.random.default_rng(2).random((8, 48, 48, 1), dtype=np.float32)
    for faces in (seen, unseen):
        ours = keras.Model(network.input, ends).predict(faces, verbose=0)
        for block, (one, two) in enumerate(zip(ours, of_imagenet(source, faces), strict=True), 1):
            assert np.corrcoef(one.ravel(), two.ravel())[0, 1] >= 0.99, f"block {block}"
    # maps keep unit size over the faces that set the batch norms
    ours = keras.Model(network.input, ends).predict(FACES, verbose=0)
    assert [np.sqrt((maps**2).mean()) for maps in ours] == pytest.approx([1] * 5, rel=1e-3)


def test_first_weights_fit_and_are_the_same_whatever_the_precision(source, files):
    import keras

    images = np.random.default_rng(3).integers(0, 255, (12, 48, 48), dtype=np.uint8)
    read = imagenet.read("vgg16", files[1])
    one = imagenet.first_weights("vgg16", read, images)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        two = imagenet.first_weights("vgg16", read, images)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy(policy)
    assert one.keys() == two.keys()
    network = zoo.build("vgg16", side=None)
    for name, arrays in one.items():
        network.get_layer(name).set_weights(arrays)
        for a, b in zip(arrays, two[name], strict=True):
            assert np.allclose(a, b, rtol=1e-3, atol=1e-5)


def test_a_grey_kernel_is_the_sum_of_the_colours(source):
    found = imagenet.kernels("vgg16", source)
    assert len(found) == 13
    assert (found["block3_conv2_conv"][0] == source["block3_conv2/kernel"]).all()
    grey = np.ones((1, 1, 3)) @ source["block1_conv1/kernel"]
    assert found["block1_conv1_conv"][0] == pytest.approx(grey, abs=1e-6)


def test_resnet_names_point_at_layers_of_ours():
    names = {layer.name for layer in zoo.build("resnet").layers}
    assert imagenet._resnet_name("conv2_block1_2_conv") == "stage1_1_1_conv"
    assert imagenet._resnet_name("conv4_block4_2_conv") == "stage3_2_2_conv"
    assert {imagenet._resnet_name(f"conv{s}_block{b}_2_conv") for s in (2, 3, 4, 5) for b in (1, 2, 3)} <= names
    assert imagenet._resnet_name("conv2_block1_1_conv") is None


def test_resnet_takes_the_kernels_of_equal_shape():
    rng = np.random.default_rng(4)
    kernel = rng.normal(size=(3, 3, 64, 64)).astype("f")
    read = imagenet.Source({"conv2_block2_2_conv/kernel": kernel, "conv2_block2_2_conv/bias": kernel[0, 0, 0]}, "")
    assert list(found := imagenet.first_weights("resnet", read, FACES)) == ["stage1_1_2_conv"]
    assert found["stage1_1_2_conv"][0] is kernel


def test_a_missing_file_layer_or_start_is_refused(source, files, tmp_path):
    for name in ("none.weights.h5", "none.safetensors"):
        with pytest.raises(DataError, match="--init-file"):
            imagenet.read("vgg16", tmp_path / name)
    with pytest.raises(UnknownNameError):
        imagenet.read("cnn")
    less = {name: array for name, array in source.items() if name != "block2_conv1/bias"}
    with pytest.raises(DataError, match="no block2_conv1/bias"):
        imagenet.transferred(zoo.build("vgg16", side=None), less, FACES[:4])
    wrong = source | {"block1_conv2/kernel": source["block2_conv1/kernel"]}
    with pytest.raises(DataError, match="did not fit ours"):
        imagenet.transferred(zoo.build("vgg16", side=None), wrong, FACES[:4])
