"""Features of the faces in a data set, written into it as columns: measures, and what a network says before its logits.

A part of the table is read, gets its columns and takes the old one's place; a stop at any moment leaves every part
whole, and the same command goes on.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models import dataset, geometry, zoo
from models.errors import DatasetError, ParameterError
from models.types import KEYPOINTS

MEASURES, NETWORK, IMAGENET = "geometry", "embedding", "embedding_resnet50"
"""Groups of columns: the measures, the shipped residual network's embedding, Keras Applications' ResNet50's."""
MAP = ("embedding_x", "embedding_y")
SIDE50 = 224
"""Pixels of the side that ResNet50 was trained with."""
BATCH = 64
Embed = Callable[[np.ndarray], np.ndarray]
"""Crops float32 (N, 48, 48) in 0..1 -> float32 (N, D)."""


def write(found: dataset.Dataset, embed: dict[str, Embed], again: bool = False) -> Iterator[tuple[int, int]]:
    """Write features into every part that lacks them, then the map of the first embedding.

    Args:
        found: the data set.
        embed: networks by the name of their column, see `residual` and `imagenet`; they need the column `crop`.
        again: also where the columns are there already.

    Yields:
        faces done and faces in all, after each part.

    Raises:
        DatasetError: a part cannot be read, or holds no crops.
        OSError: the disk refuses.
    """
    paths, done = found.parts("faces"), 0
    if embed and "crop" not in found.schema("faces").names:
        raise DatasetError(
            "The data set holds no crops, from which embeddings are made",
            str(found.folder),
            "Annotate with --crops, or take the geometry alone with --embedding none",
        )
    for path in paths:
        table = pq.read_table(path)
        wanted = [name for name in (geometry.COLUMNS[0], *embed) if again or name not in table.column_names]
        if wanted:
            dataset.write_table(path, with_features(table, {name: embed[name] for name in wanted if name in embed}))
        done += table.num_rows
        yield done, found.rows["faces"]
    if embed:
        project(paths, next(iter(embed)))
    dataset.describe(found)


def with_features(table: pa.Table, embed: dict[str, Embed]) -> pa.Table:
    """A table of faces with its measures, and an embedding a network; columns of these names are replaced."""
    columns = dict(zip(geometry.COLUMNS, measures(table).T, strict=True))
    for measure in geometry.MEASURES:
        # NaN, where the eyes lie in one place, is null in a data set
        values = pa.array(columns[measure.column], pa.float32(), from_pandas=True)
        field = pa.field(measure.column, pa.float32(), metadata=_said(measure.definition, geometry.UNIT))
        table = _put(table, field, values)
    for name, network in embed.items():
        crops = (
            np.stack([_crop(data) for data in table["crop"].to_pylist()]) if table.num_rows else np.zeros((0, 48, 48))
        )
        found = network(crops.astype(np.float32)).astype(np.float32)
        values = pa.FixedSizeListArray.from_arrays(pa.array(found.ravel()), max(found.shape[1], 1))
        table = _put(
            table, pa.field(name, values.type, metadata=_said("what a network says before its logits", "")), values
        )
    return table


def measures(table: pa.Table) -> np.ndarray:
    """The measures of a table of faces, float32 (N, 20)."""
    pairs = dataset.xy(dataset.KEYPOINT, KEYPOINTS)
    columns = [table[name].to_numpy(zero_copy_only=False) for pair in pairs for name in pair]
    points = np.stack(columns, -1).astype(np.float64).reshape(-1, len(KEYPOINTS), 2)
    whole = np.isfinite(points).all((1, 2))
    values = np.full((len(points), len(geometry.MEASURES)), np.nan, np.float32)
    values[whole] = geometry.measure(points[whole])
    return values


def residual() -> Embed:
    """The shipped residual network, up to the numbers that its logits are made of.

    Raises:
        WeightsError: its weights cannot be used.
    """
    import keras

    network = zoo.load("resnet").network
    body = keras.Model(network.inputs, network.get_layer("logits").input)
    return lambda crops: _batched(lambda part: body(part[..., None], training=False), crops, body.output_shape[-1])


def imagenet(weights: Path) -> Embed:
    """Keras Applications' ResNet50 without its classes, by a file of weights.

    Args:
        weights: as Keras Applications publishes them without the top, `resnet50_…_notop.h5`.

    Raises:
        ParameterError: the file is missing or holds something else.
    """
    import keras

    try:
        network = keras.applications.ResNet50(include_top=False, weights=str(weights), pooling="avg")
    except (OSError, ValueError) as error:
        raise ParameterError(
            "The weights of ResNet50 could not be read",
            f"{weights}: {str(error).splitlines()[0][:120]}",
            "Give resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        ) from error

    def forward(part: np.ndarray) -> Any:
        large = np.stack([cv2.resize(crop, (SIDE50, SIDE50), interpolation=cv2.INTER_CUBIC) for crop in part])
        grey = np.repeat(np.clip(large, 0, 1)[..., None] * 255, 3, -1)
        return network(keras.applications.resnet50.preprocess_input(grey), training=False)

    return lambda crops: _batched(forward, crops, network.output_shape[-1])


def project(paths: list[Path], name: str) -> None:
    """Write the first two principal components of an embedding over all parts, `embedding_x` and `embedding_y`.

    The sign of an axis, which means nothing, is such that the largest weight is above 0.
    """
    count, total, square = 0, np.zeros(1), np.zeros((1, 1))
    for path in paths:
        values = _embedding(path, name)
        count, total, square = count + len(values), total + values.sum(0), square + values.T @ values
    if count < 2:
        return
    mean = total / count
    _, axes = np.linalg.eigh(square / count - np.outer(mean, mean))
    axes = axes[:, -2:][:, ::-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), range(axes.shape[1])])
    for path in paths:
        table, placed = pq.read_table(path), (_embedding(path, name) - mean) @ axes
        for index, column in enumerate(MAP):
            said = _said(f"principal component {index + 1} of {name}", "")
            table = _put(table, pa.field(column, pa.float32(), metadata=said), pa.array(placed[:, index], pa.float32()))
        dataset.write_table(path, table)


def _embedding(path: Path, name: str) -> np.ndarray:
    column = pq.read_table(path, columns=[name])[name].combine_chunks()
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), np.float64).reshape(len(column), -1)


def _batched(forward: Callable[[np.ndarray], Any], crops: np.ndarray, width: int) -> np.ndarray:
    parts = [np.asarray(forward(crops[start : start + BATCH])) for start in range(0, len(crops), BATCH)]
    return np.concatenate([np.zeros((0, width), np.float32), *parts])


def _crop(data: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data or b"\0", np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None or picture.shape != (48, 48):
        raise DatasetError(
            "A crop of the data set was not read as a grey picture of 48 x 48 pixels",
            "none" if picture is None else f"shape {picture.shape}",
            dataset.READ_AGAIN,
        )
    return picture.astype(np.float32) / 255


def _said(description: str, unit: str) -> dict[str, str]:
    return {"description": description, "unit": unit}


def _put(table: pa.Table, field: pa.Field, values: pa.Array) -> pa.Table:
    if field.name in table.column_names:
        return table.set_column(table.column_names.index(field.name), field, values)
    return table.append_column(field, values)
