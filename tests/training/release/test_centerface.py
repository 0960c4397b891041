"""The face detector's prepared file computes what OpenCV computes from it, and its numbers are those of the source."""

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models import detector
from training.release import centerface


def fixed():
    """A convolution written as CenterFace's file is: weights among the inputs, one that nobody uses, one fixed size."""
    weight = np.arange(12, dtype=np.float32).reshape(4, 3, 1, 1)
    shapes = {"picture": (10, 3, 32, 32), "weight": weight.shape, "unused": (1,)}
    graph = helper.make_graph(
        [helper.make_node("Conv", ["picture", "weight"], ["between"]), helper.make_node("Relu", ["between"], ["map"])],
        "fixed",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, (10, 4, 32, 32))],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.zeros(1, np.float32), "unused")],
        value_info=[helper.make_tensor_value_info("between", TensorProto.FLOAT, (10, 4, 32, 32))],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=4)


def test_what_is_no_picture_is_no_input_and_sizes_are_free():
    source = fixed()
    before = source.SerializeToString()
    graph = centerface.prepare(source).graph
    assert [one.name for one in graph.input] == ["picture"] and not graph.value_info
    assert [tensor.name for tensor in graph.initializer] == ["weight"]
    for value, channels in ((graph.input[0], 3), (graph.output[0], 4)):
        sides = value.type.tensor_type.shape.dim
        assert sides[1].dim_value == channels
        assert all(sides[axis].dim_param and not sides[axis].dim_value for axis in (0, 2, 3))
    assert numpy_helper.to_array(graph.initializer[0]).ravel().tolist() == list(range(12))
    assert source.SerializeToString() == before


def test_the_shipped_file_is_prepared():
    shipped = onnx.load(detector.WEIGHTS / "model.onnx")
    assert [one.name for one in shipped.graph.input] == [detector.INPUT]
    assert centerface.prepare(shipped).SerializeToString() == shipped.SerializeToString()


@pytest.mark.parametrize("size", [(96, 128), (160, 64)])
def test_opencv_computes_the_same_maps(size):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    blob = cv2.dnn.blobFromImage(picture)
    network = cv2.dnn.readNetFromONNX(str(detector.WEIGHTS / "model.onnx"))
    network.setInput(blob)
    theirs = network.forward(detector.OUTPUTS)
    ours = detector._network(keeps_memory=True).run(detector.OUTPUTS, {detector.INPUT: blob})
    for one, other in zip(ours, theirs, strict=True):
        assert np.allclose(one, other, atol=1e-4)
