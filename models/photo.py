"""A picture in, in whatever form a visitor has it: decoded, upright, RGB."""

import io
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from models import background, memory
from models.errors import EmptyPhotoError, PhotoTooLargeError, PhotoTooSmallError, UnreadablePhotoError
from models.types import Photo

MAX_BYTES = 20 * 2**20
"""A full-size photo of a phone has 3 to 12 MB."""
MAX_PIXELS = 60_000_000
"""Room for the 50-megapixel photos of phones; what such a picture takes to decode is a limit of its own."""
MIN_SIDE = 32
"""Pixels; below this there is no face to read."""
WORKING_SIDE = 2048
"""Larger photos are reduced to this longest side: a face that fills a tenth of it still has 200 pixels."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
"""No other decoder of Pillow ever sees a visitor's bytes."""
FORMAT_NAMES = ", ".join(FORMATS[:-1]) + " or " + FORMATS[-1]

CLUTTER = ("thumbs.db", "ehthumbs.db", "desktop.ini")
"""Files of Windows' file manager; those of others begin with a dot."""

MOST_OF_ONE = 256 * 2**20
"""Bytes that one picture may take while it is decoded; a file of a few bytes may hold as many."""
MOST_OF_ALL = 320 * 2**20
"""The same of all pictures at once in this process; who asks for more waits."""
LARGE = 32 * 2**20
"""Bytes from which on what a picture took goes back to the system before the next one comes."""
STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
"""Bytes that Pillow stores a pixel of a mode in; all others take 4."""
DECODER = {"WEBP": 10, "HEIF": 3, "AVIF": 6, "TIFF": 8}
"""Bytes a pixel that a decoder holds beside that, measured; those of the other formats go line by line."""
STRIP = 2**20
"""Pixels that are converted at once."""

ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each value of the EXIF orientation."""

pillow_heif.register_heif_opener()


def in_folder(folder: str | Path) -> list[Path]:
    """The pictures that lie in a folder itself, by name: files with an ending of one of `FORMATS`, without clutter."""
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS}
    return sorted(
        path
        for path in Path(folder).iterdir()
        if path.suffix.lower() in endings and path.is_file() and not is_clutter(path)
    )


def is_clutter(path: Path) -> bool:
    """Whether a file is what a file manager leaves among pictures, such as .DS_Store, ._photo.jpg or Thumbs.db."""
    return path.name.startswith(".") or path.name.lower() in CLUTTER


def read(source: bytes | str | Path | Image.Image | np.ndarray) -> Photo:
    """A photo from bytes, a file, a PIL image or an array.

    The EXIF orientation is applied, transparency is laid on white, the first frame of an animation
    is taken, 16-bit grey is scaled to 8, and a photo whose longer side exceeds `WORKING_SIDE` is
    reduced to it. Sizes are checked before anything is decoded.

    Args:
        source: the bytes of a file in one of `FORMATS`; a str or Path to one; a PIL image; or an
            array (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or float in 0..1.

    Raises:
        EmptyPhotoError: nothing was given, or a file or array without content.
        UnreadablePhotoError: not a picture, a format that is not in `FORMATS`, truncated or damaged.
        PhotoTooLargeError: more than `MAX_BYTES` bytes or `MAX_PIXELS` pixels.
        PhotoTooSmallError: a side below `MIN_SIDE` pixels, once reduced to the working size.
    """
    match source:
        case None:
            raise EmptyPhotoError("No photo was given", "nothing", "Upload a picture or take a snapshot")
        case bytes() | bytearray() | memoryview():
            return _from_bytes(bytes(source))
        case str() | Path():
            return _from_bytes(_file(source))
        case Image.Image():
            return _from_image(source)
        case np.ndarray():
            return _from_image(Image.fromarray(_eight_bit(source)))
    raise UnreadablePhotoError(
        "The photo is not of a type that can be read",
        f"a {type(source).__name__}",
        "Give bytes, a path, a PIL image or an array",
    )


def _file(path: str | Path) -> bytes:
    if not str(path):
        raise EmptyPhotoError("No photo was given", "an empty path", "Name a picture file")
    path = Path(path)
    try:
        if not path.is_file():
            raise UnreadablePhotoError("The photo's file was not found", repr(path.name), "Check the path")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or "not a valid path"
        raise UnreadablePhotoError(
            "The photo's file could not be read", f"{path.name!r} ({reason})", "Check its permissions"
        ) from error


def _from_bytes(data: bytes) -> Photo:
    if not data:
        raise EmptyPhotoError("The photo is empty", "a file of 0 bytes", "Choose another picture")
    if len(data) > MAX_BYTES:
        raise PhotoTooLargeError(
            "The photo is too large", f"a file of more than {MAX_BYTES // 2**20} MiB", "Save it smaller and try again"
        )
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels("far more pixels") from error
    except Exception as error:  # decoders raise nearly anything when the data is hostile
        raise UnreadablePhotoError(
            f"The file is not a picture in the format {FORMAT_NAMES}, or is damaged",
            f"{len(data)} bytes",
            "Save it as JPEG or PNG and try again",
        ) from error
    with image:
        size, side, coefficients = _working_size(image), max(image.size), 0
        if image.format in ("JPEG", "MPO"):
            coefficients = _coefficients(image)
            image.draft(None, size)  # a JPEG decodes faster and smaller at a half, a quarter or an eighth
        return _decode(image, size, _cost(image, size, coefficients), side)


def _from_image(image: Image.Image) -> Photo:
    size = _working_size(image)
    return _decode(image, size, _cost(image, size), max(image.size))


def _working_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    if not width or not height:
        raise EmptyPhotoError("The photo is empty", f"{width} x {height}", "Choose another picture")
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(f"{width} x {height} pixels")
    reduction = min(1.0, WORKING_SIDE / max(width, height))
    size = round(width * reduction), round(height * reduction)
    if min(size) < MIN_SIDE:
        raise PhotoTooSmallError(
            "The photo is too small to hold a face"
            + (f" once it is reduced to {WORKING_SIDE} pixels" if reduction < 1 else ""),
            f"{width} x {height} pixels",
            f"Choose one whose shorter side keeps {MIN_SIDE} pixels or more",
        )
    return size


def _decode(image: Image.Image, size: tuple[int, int], cost: int, side: int) -> Photo:
    if cost > MOST_OF_ONE:
        raise PhotoTooLargeError(
            "The photo takes too much memory to be decoded",
            f"{image.width} x {image.height} pixels in {image.format or image.mode}, {cost // 2**20} MiB",
            f"Save it smaller or as JPEG; {MOST_OF_ONE // 2**20} MiB are enough for most photos",
        )
    if cost > MOST_OF_ALL // 2:  # no two of these fit at once
        photo = background.run(_in_room, image, size, cost)
    else:
        photo = _in_room(image, size, cost)
    return replace(photo, reduced=side / max(size))


def _in_room(image: Image.Image, size: tuple[int, int], cost: int) -> Photo:
    with ROOM.taken(cost):
        return _decoded(image, size)


def _cost(image: Image.Image, size: tuple[int, int], coefficients: int = 0) -> int:
    """Bytes that it takes at most to make a photo of a picture that was opened.

    Args:
        image: not decoded yet.
        size: (width, height) of the photo.
        coefficients: bytes that the decoder of a JPEG holds until all has come.
    """
    pixels, factor = image.width * image.height, _factor(image, size)
    decoded = pixels * (STORED.get(image.mode, 4) + DECODER.get(image.format or "", 0))
    converted = 0 if _is_rgb(image) else 4 * pixels // factor**2
    resized = 4 * size[0] * image.height // factor + 11 * size[0] * size[1]
    return decoded + max(coefficients, converted + resized)


def _coefficients(image: Image.Image) -> int:
    """Bytes of the coefficients of a progressive JPEG, all of which its decoder holds at full size; else 0."""
    if "progressive" not in image.info:
        return 0
    layers = [(across, down) for _, across, down, _ in getattr(image, "layer", ())]
    most = max((across for across, _ in layers), default=1) * max((down for _, down in layers), default=1)
    return 2 * image.width * image.height * sum(across * down for across, down in layers) // max(1, most)


class _Room:
    """Space for pictures: who asks for more bytes than are free waits."""

    def __init__(self) -> None:
        self._used, self._changed = 0, threading.Condition()

    @contextmanager
    def taken(self, cost: int) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + cost <= MOST_OF_ALL)
            self._used += cost
        try:
            yield
        finally:
            if cost >= LARGE:
                memory.trim()
            with self._changed:
                self._used -= cost
                self._changed.notify_all()


ROOM = _Room()
"""What all pictures take together, in bytes; further looks of the detector take theirs of it as well."""


def _decoded(image: Image.Image, size: tuple[int, int]) -> Photo:
    try:
        image.load()  # before the orientation is read: Pillow turns TIFF upright itself
        orientation = _orientation(image)
        factor = _factor(image, size)
        rgb = _rgb(image, factor)
        if rgb.size != size:
            rgb = rgb.resize(size, Image.Resampling.LANCZOS, (0, 0, image.width / factor, image.height / factor))
        if orientation in UPRIGHT:
            rgb = rgb.transpose(UPRIGHT[orientation])
        return Photo(np.array(rgb))
    except Exception as error:  # decoders raise nearly anything when the data is hostile
        raise UnreadablePhotoError(
            "The photo could not be decoded",
            f"a {image.format or 'picture'} that is incomplete or damaged",
            "Save or download it again",
        ) from error


def _too_many_pixels(received: str) -> PhotoTooLargeError:
    return PhotoTooLargeError(
        f"The photo has more than {MAX_PIXELS // 10**6} million pixels, too many to be read",
        received,
        "Save it smaller and try again",
    )


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none: broken EXIF data must not cost the picture."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except (SyntaxError, TypeError, ValueError, KeyError, IndexError, OSError, struct.error):
        return 1


def _factor(image: Image.Image, size: tuple[int, int]) -> int:
    """How many pixels along a side are averaged before anything else, which leaves 1.5 times what is needed or more."""
    return max(1, int(max(image.size) / max(size) / 1.5))


def _is_rgb(image: Image.Image) -> bool:
    return image.mode == "RGB" and not image.has_transparency_data


def _rgb(image: Image.Image, factor: int) -> Image.Image:
    """A picture in RGB, smaller by a factor; strip by strip, so that no copy of the whole is made on the way."""
    if _is_rgb(image):
        return image.reduce(factor) if factor > 1 else image
    darkest, brightest = _range(image)
    rgb = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    lines = max(1, STRIP // image.width // factor) * factor
    for index, strip in enumerate(_strips(image, lines)):
        rgb.paste(_colours(strip, darkest, brightest).reduce(factor), (0, index * lines // factor))
    return rgb


def _colours(image: Image.Image, darkest: float, brightest: float) -> Image.Image:
    if _is_deep_grey(image):
        return Image.fromarray(_grey_levels(np.asarray(image), darkest, brightest)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image.convert("RGB")


def _is_deep_grey(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _range(image: Image.Image) -> tuple[float, float]:
    """The darkest and the brightest value of grey that has no fixed white; what is no number is 0."""
    if not _is_deep_grey(image):
        return 0.0, 0.0
    ends = []
    for strip in _strips(image, max(1, STRIP // image.width)):
        values = np.nan_to_num(np.asarray(strip).astype(np.float64), posinf=0, neginf=0)
        ends += [values.min(), values.max()]
    return min(ends), max(ends)


def _strips(image: Image.Image, lines: int) -> Iterator[Image.Image]:
    """A picture from top to bottom, so many lines at once."""
    for top in range(0, image.height, lines):
        yield image.crop((0, top, image.width, min(top + lines, image.height)))


def _grey_levels(values: np.ndarray, darkest: float, brightest: float) -> np.ndarray:
    """Grey of any depth as uint8: 16-bit by its range; others, which have no fixed white, from darkest to brightest."""
    if values.dtype.kind == "u":
        return (values >> 8).astype(np.uint8)
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    return np.round((values - darkest) / max(brightest - darkest, 1e-12) * 255).astype(np.uint8)


def _eight_bit(array: np.ndarray) -> np.ndarray:
    if not array.size:
        raise EmptyPhotoError("The photo is empty", f"an array of shape {array.shape}", "Give another array")
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        raise UnreadablePhotoError(
            "The array does not have the shape of one picture",
            f"shape {array.shape}",
            "Give (H, W), (H, W, 3) or (H, W, 4)",
        )
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise UnreadablePhotoError("The array is neither uint8 nor float", f"dtype {array.dtype}", "Convert it")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise _too_many_pixels(f"{array.shape[1]} x {array.shape[0]} pixels")
    if not (array.min() >= 0 and array.max() <= 1):  # false for NaN
        raise UnreadablePhotoError(
            "The values of the array are outside the range of 0 to 1",
            f"{array.min():.3g} to {array.max():.3g}",
            "Divide it by the value of white",
        )
    return np.round(array * 255).astype(np.uint8)
