"""What FaceWhy reads in photos, as rows of a dataset: faces, keypoints, the networks and their mean, quality, pose."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from models import card as cards
from models import dataset, detector, ensemble, keypoints, photo, pose, quality, upright, weight_store, zoo
from models.dataset import MEAN
from models.errors import FaceWhyError, PhotoError
from models.types import EMOTIONS, Face, Photo, Prediction
from models.types import KEYPOINTS as NAMES
from training.data import duplicates
from training.dataset.foreign import Foreign
from training.dataset.sources import Picture

BATCH, ALIGNED_BATCH = 16, 256
"""Photos whose faces go through the networks together; of faces that are cut already, which take little memory."""

Tables = dict[str, pa.Table]
"""A table each of `dataset.TABLES`."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How photos are read.

    Attributes:
        aligned: every picture is a face that is cut already, as those of FER2013: no detector looks.
        as_they_lie: the other turns of a photo are not looked at where no face in it fits.
        crops: the dataset keeps each face as the networks see it.
        foreign: the name of an annotator whose columns stand beside ours; "" for none.
    """

    aligned: bool = False
    as_they_lie: bool = False
    crops: bool = False
    foreign: str = ""

    @property
    def batch(self) -> int:
        """How many photos are read together."""
        return ALIGNED_BATCH if self.aligned else BATCH


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture whose bytes have come.

    Attributes:
        picture: what the source says of it.
        sha256: of its bytes; None where they did not come.
        photo: None where it could not be read.
        error: why not.
    """

    picture: Picture
    sha256: str | None
    photo: Photo | None
    error: Exception | None = None


def decode(picture: Picture) -> Decoded:
    """Load a picture and decode it; what is wrong with it becomes part of the answer. Any thread may call."""
    digest = None
    try:
        data = picture.load()
        digest = hashlib.sha256(data).hexdigest()
        return Decoded(picture, digest, photo.read(data))
    except (FaceWhyError, OSError, pa.ArrowException) as error:
        return Decoded(picture, digest, None, error)


def models() -> dict[str, str]:
    """What answers: by name, the version and the sha256 of its weights; nothing is loaded for that.

    Raises:
        WeightsError: a network's weights are missing or not what their card says.
    """
    found = {}
    for name in (zoo.KEYPOINT_MODEL, *zoo.EMOTION_MODELS):
        card = cards.read(weight_store.locate(name).folder)
        found[name] = f"{card.version} {card.sha256[:16]}"
    return found


class Annotator:
    """Photos in, rows out. The networks are loaded with the first photo.

    Args:
        options: see `Options`.
        threads: of the detector, one photo each; as many as there are processors if left out.
    """

    def __init__(self, options: Options, threads: int = 0):
        self.options = options
        self.threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="detector")
        self._foreign = Foreign(options.foreign) if options.foreign else None

    def stream(self, pictures: Iterable[Picture], readers: int = 4) -> Iterator[Tables]:
        """The rows of many pictures, a batch at a time, while the next ones are loaded and decoded.

        Args:
            pictures: any number; no more than two batches are held.
            readers: threads that load and decode.
        """
        with ThreadPoolExecutor(readers, thread_name_prefix="reader") as pool:
            batch: list[Decoded] = []
            for decoded in _ahead(pool, decode, pictures, self.options.batch):
                batch.append(decoded)
                if len(batch) == self.options.batch:
                    yield self(batch)
                    batch = []
            if batch:
                yield self(batch)

    def __call__(self, batch: Sequence[Decoded]) -> Tables:
        """The rows of a batch of pictures: one a photo, one a face, one a picture that could not be read."""
        read = [each for each in batch if each.photo is not None]
        found = self._faces([each.photo for each in read if each.photo is not None])
        faces = [face for _, of_photo in found for face in of_photo]
        answers = iter(self._answers(faces))
        hashes = iter(duplicates.hashes(np.array([_grey(face.crop) for face in faces])).tolist())
        photos: list[Row] = []
        rows: list[Row] = []
        for each, (picture, of_photo) in zip(read, found, strict=True):
            common = _of_photo(each, picture)
            own = [
                common | {"face": index} | _of_face(face, picture) | next(answers) | {dataset.FACE_HASH: next(hashes)}
                for index, face in enumerate(of_photo)
            ]
            if self._foreign and own:
                own = [row | more for row, more in zip(own, self._foreign(picture, of_photo), strict=True)]
            if self.options.crops:
                own = [row | {"crop": _png(face.crop)} for row, face in zip(own, of_photo, strict=True)]
            photos.append(_summed(common, own, each.picture.captions))
            rows += own
        return {
            "photos": pa.Table.from_pylist(photos, dataset.schema("photos")),
            "faces": pa.Table.from_pylist(rows, dataset.schema("faces", self.more())),
            "errors": pa.Table.from_pylist([_error(e) for e in batch if e.error], dataset.schema("errors")),
        }

    def more(self) -> list[pa.Field]:
        """The columns of faces that not every dataset has, and this one does."""
        own = ["crop", dataset.FACE_HASH] if self.options.crops else [dataset.FACE_HASH]
        found = [dataset.column("faces", name).field for name in own]
        return found + ([column.field for column in self._foreign.columns] if self._foreign else [])

    def _faces(self, photos: list[Photo]) -> list[tuple[Photo, list[Face]]]:
        """The faces of each photo with their keypoints, and the photo as it was turned for that."""
        if self.options.aligned:
            whole = [detector.whole_picture(each) for each in photos]
            return [(each, [face]) for each, face in zip(photos, _with_keypoints(whole, photos), strict=True)]
        looked = list(self._pool.map(detector.find, photos))
        counts = [len(faces) for faces in looked]
        flat = iter(
            _with_keypoints(
                [face for faces in looked for face in faces],
                [each for each, count in zip(photos, counts, strict=True) for _ in range(count)],
            )
        )
        found = [(each, [next(flat) for _ in range(count)]) for each, count in zip(photos, counts, strict=True)]
        if self.options.as_they_lie:
            return found
        return list(self._pool.map(_turned, found))

    def _answers(self, faces: list[Face]) -> list[Row]:
        """What the networks and their mean say of each face."""
        if not faces:
            return []
        networks = [zoo.load(name) for name in zoo.EMOTION_MODELS]
        together = ensemble.read(networks[0].located.folder.parent, [network.card for network in networks])
        said = [network.predict(faces) for network in networks]
        return [_together(of_face, together) for of_face in zip(*said, strict=True)]


def _ahead(
    pool: Executor, function: Callable[[Picture], Decoded], items: Iterable[Picture], most: int
) -> Iterator[Decoded]:
    """The function's answers in order, computed by a pool that is no more than so many items ahead."""
    waiting: list[Any] = []
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > most:
            yield waiting.pop(0).result()
    while waiting:
        yield waiting.pop(0).result()


def _turned(found: tuple[Photo, list[Face]]) -> tuple[Photo, list[Face]]:
    return upright.search(found[0], found[1], _look)


def _look(each: Photo) -> list[Face]:
    return keypoints.read(detector.find(each), each)


def _with_keypoints(faces: list[Face], photos: list[Photo]) -> list[Face]:
    return keypoints.read_all(list(zip(faces, photos, strict=True)))


def _of_photo(decoded: Decoded, turned: Photo) -> Row:
    width, height = turned.size
    return {
        "source": decoded.picture.source,
        "photo_sha256": decoded.sha256,
        "photo_width": width,
        "photo_height": height,
        "photo_turned": turned.turned,
        "label": decoded.picture.label,
        "split": decoded.picture.split,
    }


def _of_face(face: Face, picture: Photo) -> Row:
    measured = quality.measure(face, picture.size)
    points = np.zeros((0, 2)) if face.points is None else face.points
    row: Row = dict(zip(("box_left", "box_top", "box_right", "box_bottom"), face.box.tolist(), strict=True))
    row |= _placed(dataset.POINT, dataset.POINTS, points) | _placed(dataset.KEYPOINT, NAMES, face.keypoints)
    row |= {"roll": pose.roll(face.keypoints), "yaw": pose.yaw(face.keypoints)}  # type: ignore[arg-type]  # they were read
    names = ("score", "size", "brightness", "contrast", "sharpness", "inside", "keypoints_outside", "disagreement")
    return row | {name: getattr(measured, name) for name in names} | {"warnings": list(measured.warnings)}


def _placed(prefix: str, names: Sequence[str], points: Any) -> Row:
    columns = dataset.xy(prefix, names)
    return {
        name: value
        for pair, point in zip(columns, points, strict=False)
        for name, value in zip(pair, point.tolist(), strict=True)
    }


def _together(said: Sequence[Prediction], mean: ensemble.Ensemble) -> Row:
    row: Row = {}
    probabilities = mean.probabilities([prediction.probabilities for prediction in said])
    top = int(probabilities.argmax())
    for prediction in said:
        row |= _answer(prediction.model, prediction.probabilities, prediction.version)
    row |= _answer(MEAN, probabilities, ", ".join(dict.fromkeys(prediction.version for prediction in said)))
    agreeing = sum(prediction.top == top for prediction in said)
    return row | {
        "emotion": EMOTIONS[top],
        "confidence": float(probabilities[top]),
        "agreement": agreeing / len(said),
        "conformal_set": list(mean.likely(probabilities)) or None,
    }


def _answer(who: str, probabilities: np.ndarray, version: str) -> Row:
    row: Row = dict(zip(dataset.probabilities(who), probabilities.tolist(), strict=True))
    return row | {f"{who}_emotion": EMOTIONS[int(probabilities.argmax())], f"{who}_version": version}


def _summed(common: Row, faces: Sequence[Mapping[str, Any]], captions: list[str] | None) -> Row:
    largest = faces[0] if faces else {}
    told = {name: largest.get(name) for name in ("emotion", "confidence")}
    return common | {"faces": len(faces), "captions": captions} | told


def _grey(crop: np.ndarray) -> np.ndarray:
    return np.round(crop * 255).astype(np.uint8)


def _png(crop: np.ndarray) -> bytes:
    return cv2.imencode(".png", _grey(crop))[1].tobytes()


def _error(decoded: Decoded) -> Row:
    error = decoded.error
    if isinstance(error, PhotoError):
        kind = error.code
    else:
        kind = error.code if isinstance(error, FaceWhyError) else "Unreachable"
        error = error if isinstance(error, FaceWhyError) else _unreachable(error)
    return {"source": decoded.picture.source, "photo_sha256": decoded.sha256, "error": kind, "reason": str(error)}


def _unreachable(error: Exception | None) -> FaceWhyError:
    reason = " ".join(str(error).split())[:160]
    return FaceWhyError("The photo's bytes did not come", reason, "Give the same command again: it is tried again")
