"""The face detector's file as ONNX Runtime folds it: `python -m training.release.centerface SOURCE TARGET`.

CenterFace's own file names its weights among its inputs, where a caller could replace them, and fixes
the size of pictures to 32 by 32: nothing can then be computed before the first picture comes, and the
network takes longer than with OpenCV. The numbers stay as they are.
"""

import sys

import onnx


def prepare(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network for pictures of any size, with weights that nobody can replace.

    Args:
        model: one picture in, maps out; its first and last two dimensions are number, height and width.

    Returns:
        A copy without unused weights and without notes on the shapes in between.
    """
    prepared = onnx.ModelProto()
    prepared.CopyFrom(model)
    graph = prepared.graph
    used = {name for node in graph.node for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    inputs = [value for value in model.graph.input if value.name in used - {tensor.name for tensor in weights}]
    for field, kept in ((graph.initializer, weights), (graph.input, inputs), (graph.value_info, [])):
        copies = [type(one).FromString(one.SerializeToString()) for one in kept]
        del field[:]
        field.extend(copies)
    for value, free in [(one, ("number", "height", "width")) for one in graph.input] + [
        (one, (f"{one.name}_{axis}" for axis in ("number", "height", "width"))) for one in graph.output
    ]:
        sides = value.type.tensor_type.shape.dim
        for axis, name in zip((0, 2, 3), free, strict=True):
            sides[axis].dim_param = name
    onnx.checker.check_model(prepared)
    return prepared


if __name__ == "__main__":
    source, target = sys.argv[1:]
    onnx.save(prepare(onnx.load(source)), target)
