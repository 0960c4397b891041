"""What is measured of FER2013's test faces, as the dataset that ships: labels, answers, keypoints, no picture."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models import dataset, detector, ensemble, keypoints, pose, quality, weight_store, zoo
from models.dataset import Dataset
from models.errors import DataError
from models.model import Model, restore
from models.types import EMOTIONS, KEYPOINTS, Face, Photo
from models.weight_store import Located

SPLITS = ("PublicTest", "PrivateTest")
EMBEDDED, LAYER = "resnet", "pool"
"""The network whose embeddings are drawn, and the layer before its logits."""
BITS = 10
"""Of a number's mantissa that are kept: it is off by a part in 2,048 at most, as float16 is."""
BATCH = 128
FILE = "fer2013.parquet"
PART = "test-faces"
CARD = """# FER2013's test faces, measured

{faces} faces of FER2013 ({splits}): the label, what FaceWhy's three networks and their mean answer, 15
keypoints, pose, light, sharpness, and where the face lies among the others by the two principal components of what the
residual network says before its logits. There is no picture in it, and no face can be made out of it again.

Faces and labels are those of the ICML 2013 challenge (Goodfellow et al. 2013, arXiv 1307.0414). Every face fills its
48 × 48 pixels, so that no detector looked: box, score and the detector's points say nothing. The labels are noisy: the
majority of ten taggers of FER+ (Barsoum et al. 2016) agrees with them on about two thirds of the faces.

Numbers are rounded to {bits} bits of their mantissa, probabilities to as many more as leave every answer what it was.
What each column means stands in `schema.json`. Written by `.venv/bin/python -m training faces --data DATA`.
"""


def write(
    path: Path, folder: Path, shipped: Path = weight_store.SHIPPED, say: Callable[[str], None] = print
) -> Dataset:
    """Measure the test faces and write the dataset.

    Args:
        path: `fer2013.parquet`, see `training.data`.
        folder: of the dataset; one that is there is written anew.
        shipped: where the weights' folders are.
        say: called with a line now and then.

    Raises:
        DataError: the file cannot be read, or has none of the test faces.
        WeightsError: weights cannot be used.
    """
    table = _read(path)
    photos = [_photo(png, row) for png, row in zip(*(table[name].to_pylist() for name in ("png", "row")), strict=True)]
    crops = np.stack([photo.pixels[..., 0] for photo in photos]).astype(np.float32) / 255
    models = [restore(name, Located(shipped / name, "folder"), zoo.build) for name in zoo.EMOTION_MODELS]
    answers = {}
    for model in models:
        say(f"{model.name}: {len(crops)} faces")
        answers[model.name] = model.probabilities(model.logits(crops))
    together = ensemble.read(shipped, [model.card for model in models])
    answers[dataset.MEAN] = together.probabilities(list(answers.values()))
    say("keypoints")
    faces = [face for batch in _batches(photos) for face in _faces(batch)]
    say(f"embeddings of {EMBEDDED}")
    places, explained = plane(embeddings(next(model for model in models if model.name == EMBEDDED), crops))
    columns = {
        **_about_photos(table),
        **_of_faces(faces),
        **_answered(answers, {model.name: model.card.version for model in models}),
        "label": [EMOTIONS[label] for label in table["label"].to_pylist()],
        "split": table["usage"].to_pylist(),
        "embedding_x": rounded(places[:, 0]),
        "embedding_y": rounded(places[:, 1]),
    }
    facts = {
        "title": f"FER2013, {' and '.join(SPLITS)}",
        "weights": {model.name: model.card.sha256 for model in models},
        "projection": {"method": "pca", "network": EMBEDDED, "layer": LAYER, "explained": explained},
    }
    return _written(folder, columns, facts)


def embeddings(model: Model, crops: np.ndarray) -> np.ndarray:
    """What a network says of crops (N, 48, 48) before its logits, float32 (N, D)."""
    import keras

    before = keras.Model(model.network.inputs[0], model.network.get_layer(LAYER).output)
    parts = [before(batch[..., None], training=False) for batch in _batches(crops)]
    return np.concatenate([np.asarray(part) for part in parts])


def plane(values: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The two principal components of embeddings (N, D), float (N, 2), and what share of the variance each holds."""
    from sklearn.decomposition import PCA

    fitted = PCA(2, svd_solver="covariance_eigh")
    places = fitted.fit_transform(values.astype(np.float64))
    return places, [round(float(share), 4) for share in fitted.explained_variance_ratio_]


def rounded(values: np.ndarray, bits: int = BITS) -> np.ndarray:
    """Float32 numbers with so many bits of their mantissa, to the nearest; they pack better. NaN stays NaN."""
    cut = 23 - bits
    whole = np.ascontiguousarray(values, np.float32).view(np.uint32)
    mask = np.uint32((0xFFFFFFFF << cut) & 0xFFFFFFFF)
    return np.where(np.isfinite(values), ((whole + np.uint32(1 << (cut - 1))) & mask).view(np.float32), values)


def unchanged(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities (N, 7) rounded as far as no face's most probable emotion becomes another."""
    tops = probabilities.argmax(1)
    every = (rounded(probabilities, bits) for bits in range(BITS, 23))
    return next((found for found in every if np.array_equal(found.argmax(1), tops)), probabilities)


def _read(path: Path) -> pa.Table:
    path = path / FILE if path.is_dir() else path
    try:
        usage = pq.read_table(path, columns=["usage"])["usage"]
        rows = np.flatnonzero(pc.is_in(usage, value_set=pa.array(SPLITS)).to_numpy(zero_copy_only=False))
        table = pq.read_table(path, columns=["usage", "label", "png"]).take(rows).append_column("row", pa.array(rows))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is no fer2013.parquet", str(error).splitlines()[0], "Give --data PATH") from error
    if not table.num_rows:
        raise DataError(f"No test face stands in {path}", "0 rows", f"Give rows whose usage is {' or '.join(SPLITS)}")
    return table


def _photo(png: bytes, row: int) -> Photo:
    grey = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None or grey.shape != (48, 48):
        raise DataError(
            f"The picture in row {row} is no face of 48 x 48 pixels", "", "Run: .venv/bin/python -m training data check"
        )
    return Photo(np.repeat(grey[..., None], 3, -1))


def _batches(items: Any) -> Iterator[Any]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _faces(photos: list[Photo]) -> list[tuple[Face, quality.Quality]]:
    found = keypoints.read_all([(detector.whole_picture(photo), photo) for photo in photos])
    return [(face, quality.measure(face, photo.size)) for face, photo in zip(found, photos, strict=True)]


def _about_photos(table: pa.Table) -> dict[str, Any]:
    count = table.num_rows
    return {
        "source": [f"{FILE}#{row}" for row in table["row"].to_pylist()],
        "photo_sha256": [hashlib.sha256(png).hexdigest() for png in table["png"].to_pylist()],
        "photo_width": [48] * count,
        "photo_height": [48] * count,
        "photo_turned": [0] * count,
        "face": [0] * count,
        "faces": [1] * count,
    }


def _of_faces(faces: list[tuple[Face, quality.Quality]]) -> dict[str, Any]:
    points = np.stack([face.keypoints for face, _ in faces if face.keypoints is not None])
    measured = ("size", "brightness", "contrast", "sharpness", "inside")
    columns: dict[str, Any] = {
        name: rounded(np.array([getattr(found, name) for _, found in faces])) for name in measured
    }
    columns["keypoints_outside"] = [found.keypoints_outside for _, found in faces]
    columns["roll"] = rounded(np.array([pose.roll(each) for each in points]))
    columns["yaw"] = rounded(np.array([pose.yaw(each) for each in points]))
    named = [name for pair in dataset.xy(dataset.KEYPOINT, KEYPOINTS) for name in pair]
    # a thirty-second of a pixel is far below what a network finds
    return columns | dict(zip(named, np.round(points.reshape(len(points), -1) * 32).T / 32, strict=True))


def _answered(answers: Mapping[str, np.ndarray], versions: Mapping[str, str]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for who, values in answers.items():
        columns |= dict(zip(dataset.probabilities(who), unchanged(values).T, strict=True))
        columns[f"{who}_emotion"] = [EMOTIONS[top] for top in values.argmax(1)]
        columns[f"{who}_version"] = [versions.get(who, "")] * len(values)
    tops = np.stack([answers[name].argmax(1) for name in versions])
    mean = answers[dataset.MEAN]
    columns["emotion"] = columns[f"{dataset.MEAN}_emotion"]
    columns["confidence"] = rounded(mean.max(1))
    columns["agreement"] = rounded((tops == mean.argmax(1)).mean(0))
    return columns


def _written(folder: Path, columns: Mapping[str, Any], facts: Mapping[str, Any]) -> Dataset:
    made = dataset.create(folder, facts)
    count = len(columns["label"])
    tables = {"errors": dataset.schema("errors").empty_table()}
    for table in ("photos", "faces"):
        more = [dataset.column("faces", name).field for name in ("embedding_x", "embedding_y") if table == "faces"]
        arranged = dataset.schema(table, more)
        tables[table] = pa.table([_array(columns.get(field.name), field, count) for field in arranged], schema=arranged)
    for table in ("faces", "errors", "photos"):
        floats = [field.name for field in tables[table].schema if field.type == pa.float32()]
        rest = [name for name in tables[table].column_names if name not in floats]
        pq.write_table(
            tables[table],
            made.folder / table / f"{PART}.parquet",
            compression="zstd",
            compression_level=19,
            use_byte_stream_split=floats,
            use_dictionary=rest,
        )
    dataset.clean(made)
    dataset.describe(made)
    card = CARD.format(faces=f"{count:,}", splits=" and ".join(SPLITS), bits=BITS)
    dataset.write_text(made.folder / dataset.CARD_FILE, card)
    return made


def _array(values: Any, field: pa.Field, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, field.type)
    return pa.array(np.asarray(values, np.float32) if field.type == pa.float32() else values, field.type)
