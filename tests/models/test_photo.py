"""Every kind of picture a visitor may bring, and every kind that must be refused."""

import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from models import photo
from models.errors import EmptyPhotoError, PhotoTooLargeError, PhotoTooSmallError, UnreadablePhotoError

WIDTH, HEIGHT = 64, 48


@pytest.fixture
def quarters():
    """Red, green over blue, white: a 64x48 picture whose corners tell which way up it is."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:24, :32, 0] = 255
    pixels[:24, 32:, 1] = 255
    pixels[24:, :32, 2] = 255
    pixels[24:, 32:] = 255
    return Image.fromarray(pixels)


def encode(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def corners(pixels):
    """The colours well inside the four quarters, reading order."""
    height, width = pixels.shape[:2]
    return [tuple(int(v) for v in pixels[y, x]) for y in (height // 8, -height // 8) for x in (width // 8, -width // 8)]


RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def assert_quarters(pixels, tolerance=0, order=(RED, GREEN, BLUE, WHITE)):
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    assert np.abs(np.subtract(corners(pixels), order)).max() <= tolerance


@pytest.mark.parametrize(
    ("format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("GIF", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95}, 3),
        ("JPEG", {"quality": 95, "progressive": True}, 3),
        ("AVIF", {"quality": 95}, 6),
        ("HEIF", {"quality": 95}, 6),
    ],
)
def test_each_format_gives_the_same_picture(quarters, format, options, tolerance):
    pixels = photo.read(encode(quarters, format, **options)).pixels
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert_quarters(pixels, tolerance)


def test_bytes_path_string_image_and_array_give_the_same(quarters, tmp_path):
    data = encode(quarters, "PNG")
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    for source in (data, bytearray(data), memoryview(data), path, str(path), quarters, np.array(quarters)):
        assert np.array_equal(photo.read(source).pixels, np.array(quarters))


def test_the_picture_that_was_given_stays_as_it_was(quarters, tmp_path):
    path = tmp_path / "large.jpg"
    quarters.resize((4096, 3072)).save(path)
    with Image.open(path) as image:
        photo.read(image)
        assert image.size == (4096, 3072)
    array = np.array(quarters)
    photo.read(array).pixels[:] = 0
    assert_quarters(array)


ORDER = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}
"""The quarters of a picture after each EXIF orientation, read off the standard's drawing."""


@pytest.mark.parametrize("orientation", ORDER)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(quarters, orientation, format):
    exif = Image.Exif()
    exif[photo.ORIENTATION_TAG] = orientation
    pixels = photo.read(encode(quarters, format, exif=exif)).pixels
    assert pixels.shape[:2] == ((HEIGHT, WIDTH) if orientation < 5 else (WIDTH, HEIGHT))
    assert_quarters(pixels, 60, ORDER[orientation])  # WebP's and JPEG's default quality bleeds colour


@pytest.mark.parametrize("format", ["HEIF", "AVIF"])
def test_orientation_of_heif_and_avif_is_applied_once(quarters, format):
    exif = Image.Exif()
    exif[photo.ORIENTATION_TAG] = 6
    # given bytes, pillow-heif writes HEIF's own rotation too, as phones do
    pixels = photo.read(encode(quarters, format, exif=exif.tobytes(), quality=95)).pixels
    assert pixels.shape[:2] == (WIDTH, HEIGHT)
    assert_quarters(pixels, 10, ORDER[6])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(quarters, orientation):
    exif = Image.Exif()
    exif[photo.ORIENTATION_TAG] = orientation
    assert_quarters(photo.read(encode(quarters, "PNG", exif=exif)).pixels)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_does_not_cost_the_picture(quarters):
    for exif in (b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0" + bytes(range(200))):
        assert_quarters(photo.read(encode(quarters, "JPEG", exif=exif, quality=95)).pixels, 3)


def test_transparency_is_laid_on_white():
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[:, 20:] = (0, 0, 0, 255)
    rgba[20:, :20] = (200, 0, 0, 128)
    expected = {(10, 10): (255, 255, 255), (10, 30): (0, 0, 0), (30, 10): (227, 127, 127)}
    image = Image.fromarray(rgba)
    for source in (rgba, rgba / 255.0, image, encode(image, "PNG"), encode(image, "WEBP", lossless=True, exact=True)):
        pixels = photo.read(source).pixels
        for (y, x), colour in expected.items():
            assert np.abs(pixels[y, x].astype(int) - colour).max() <= 1
    grey = Image.fromarray(rgba[..., [1, 3]])
    assert grey.mode == "LA"
    assert photo.read(encode(grey, "PNG")).pixels[10, 10].tolist() == [255, 255, 255]


def test_palette_with_and_without_transparency(quarters):
    palette = quarters.quantize(8)
    assert palette.mode == "P"
    assert_quarters(photo.read(encode(palette, "PNG")).pixels)
    index = palette.getpixel((5, 5))
    pixels = photo.read(encode(palette, "PNG", transparency=index)).pixels
    assert_quarters(pixels, order=(WHITE, GREEN, BLUE, WHITE))


def test_grey_and_black_and_white(quarters):
    grey = quarters.convert("L")
    expected = np.repeat(np.array(grey)[..., None], 3, 2)
    for source in (grey, encode(grey, "PNG"), np.array(grey)):
        assert np.array_equal(photo.read(source).pixels, expected)
    one_bit = photo.read(encode(grey.point(lambda v: 255 * (v > 128), "1"), "PNG")).pixels
    assert set(np.unique(one_bit)) == {0, 255}


def test_sixteen_bit_grey_keeps_its_range():
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(40, 0)
    expected = ramp >> 8
    for format in ("PNG", "TIFF"):
        pixels = photo.read(encode(Image.fromarray(ramp), format)).pixels
        assert np.array_equal(pixels[..., 0], expected) and np.array_equal(pixels[..., 0], pixels[..., 2])


def test_sixteen_bit_colour():
    """A 16-bit RGB PNG written by hand: Pillow has no mode for it."""
    row = b"\0" + struct.pack(">3H", 65535, 32768, 0) * 40
    chunks = [
        (b"IHDR", struct.pack(">2I5B", 40, 40, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 40)),
        (b"IEND", b""),
    ]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    assert photo.read(data).pixels[20, 20].tolist() == [255, 128, 0]


def test_float_tiff_runs_from_its_darkest_to_its_brightest():
    ramp = np.linspace(-3, 5, 64, dtype=np.float32)[None].repeat(40, 0)
    pixels = photo.read(encode(Image.fromarray(ramp), "TIFF")).pixels[..., 0]
    assert np.array_equal(pixels[0], np.round(np.linspace(0, 255, 64)))
    flat = photo.read(encode(Image.fromarray(np.full((40, 40), 7, np.float32)), "TIFF")).pixels
    assert (flat == flat[0, 0]).all()


def test_cmyk_jpeg():
    cmyk = Image.new("CMYK", (64, 48), (0, 255, 255, 0))  # magenta and yellow: red
    pixels = photo.read(encode(cmyk, "JPEG", quality=95)).pixels
    assert np.abs(pixels[20, 20].astype(int) - RED).max() <= 5


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_an_animation_gives_its_first_frame(quarters, format):
    others = [Image.new("RGB", quarters.size, colour) for colour in ("black", "yellow")]
    data = encode(
        quarters, format, save_all=True, append_images=others, **({"quality": 95} if format == "AVIF" else {})
    )
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert_quarters(photo.read(data).pixels, 60 if format == "WEBP" else 6)


def test_a_phone_s_two_picture_jpeg_gives_the_first(quarters):
    data = encode(quarters, "MPO", save_all=True, append_images=[Image.new("RGB", quarters.size)], quality=95)
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert_quarters(photo.read(data).pixels, 3)


def test_arrays(quarters):
    array = np.array(quarters)
    assert np.array_equal(photo.read(array / 255.0).pixels, array)
    assert np.array_equal(photo.read((array / 255).astype(np.float32)).pixels, array)
    assert np.array_equal(photo.read(array[:, ::-1]).pixels, array[:, ::-1])


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_large_photo_is_reduced_without_aliasing(format):
    stripes = np.zeros((2000, 6000), np.uint8)
    stripes[:, ::2] = 255  # finer than the working size can show: must become even grey
    result = photo.read(encode(Image.fromarray(stripes), format))
    assert result.size == (2048, 683)
    inner = result.pixels[50:-50, 50:-50].astype(float)
    assert inner.std() < 3 and abs(inner.mean() - 127.5) < 3


@pytest.mark.parametrize("source", [None, b"", "", np.zeros((0, 40, 3), np.uint8), np.zeros((40, 0))])
def test_nothing_is_refused(source):
    with pytest.raises(EmptyPhotoError):
        photo.read(source)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(EmptyPhotoError):
        photo.read(tmp_path / "empty.jpg")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_a_truncated_file_is_refused(format, share):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8))
    data = encode(noise, format)
    with pytest.raises(UnreadablePhotoError):
        photo.read(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "data",
    [b"hello", b"\0" * 5000, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"PK\3\4" + b"\0" * 100],
    ids=["text", "zeros", "svg", "pdf", "zip"],
)
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(UnreadablePhotoError, match="JPEG"):
        photo.read(data)


@pytest.mark.parametrize("format", ["EPS", "PPM", "TGA", "ICO", "PCX", "IM", "SGI", "JPEG2000"])
def test_a_format_outside_the_list_is_refused(quarters, format):
    data = encode(quarters, format)
    assert Image.open(io.BytesIO(data)).format  # Pillow itself would open it
    with pytest.raises(UnreadablePhotoError):
        photo.read(data)


def test_too_many_bytes_are_refused_from_bytes_and_from_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(photo, "MAX_BYTES", 2**20)
    with pytest.raises(PhotoTooLargeError, match="1 MiB"):
        photo.read(b"\xff" * (2**20 + 1))
    path = tmp_path / "long.jpg"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(PhotoTooLargeError, match="1 MiB"):
        photo.read(path)


def bomb(side):
    """A PNG of a few bytes that claims side x side pixels."""
    header = struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [7800, 10_000, 100_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side, monkeypatch):
    monkeypatch.setattr(photo, "_decode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(PhotoTooLargeError, match="60 million"):
        photo.read(bomb(side))


def test_large_pictures_are_decoded_one_after_another(monkeypatch):
    """Eight of 400 x 400 at once where there is room for two and a half; a larger one is decoded alone."""
    monkeypatch.setattr(photo, "_cost", lambda image, *_: image.width * image.height)
    monkeypatch.setattr(photo, "MOST_OF_ALL", 400_000)
    now, most, lock, paired = [], [], threading.Lock(), threading.Event()
    decoded = photo._decoded

    def watched(image, size):
        with lock:
            now.append(image.width * image.height)
            most.append(sum(now))
            if len(now) == 2:
                paired.set()
        if image.width == 400:
            paired.wait(5)  # for a second one that is let in beside it
        try:
            return decoded(image, size)
        finally:
            with lock:
                now.remove(image.width * image.height)

    monkeypatch.setattr(photo, "_decoded", watched)
    pictures = [np.zeros((side, side), np.uint8) for side in (400, 400, 400, 700, 400, 400, 400)]
    with ThreadPoolExecutor(7) as threads:
        sizes = [found.size for found in threads.map(photo.read, pictures)]
    assert sizes == [picture.shape for picture in pictures] and len(most) == 7 and not now
    assert set(most) <= {160_000, 320_000, 490_000} and 320_000 in most


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    "mode, format", [("F", "TIFF"), ("I", "TIFF"), ("RGB", "WEBP"), ("RGBA", "PNG"), ("L", "AVIF")]
)
def test_a_picture_of_little_bytes_that_takes_too_much_memory_is_refused_before_it_is_decoded(
    mode, format, monkeypatch, tmp_path
):
    """A TIFF of 233 KB took 1.67 GB, a WebP of 42 bytes 1.2."""
    side = 7745 if format != "AVIF" else 5500
    data = tmp_path / "picture"
    options = {"compression": "tiff_lzw"} if format == "TIFF" else {"lossless": True, "method": 0}
    Image.new(mode, (side, side)).save(data, format, **(options if format in ("TIFF", "WEBP") else {}))
    monkeypatch.setattr(photo, "_decoded", lambda *_: pytest.fail("decoded"))
    with pytest.raises(PhotoTooLargeError, match=f"too much memory.*{side} x {side} pixels in {format}"):
        photo.read(data)


def test_photos_as_phones_take_them_have_room():
    """24 megapixels in HEIF, 50 in JPEG, progressive as well."""
    heif, jpeg = Image.new("RGB", (5712, 4284)), Image.new("RGB", (8160, 6120))
    heif.format = "HEIF"
    assert photo._cost(heif, (2048, 1536)) <= photo.MOST_OF_ONE
    data = io.BytesIO()
    jpeg.save(data, "JPEG", progressive=True, quality=30)
    assert photo.read(data.getvalue()).size == (2048, 1536)


PEAKS = """
import gc, os, sys
from pathlib import Path
from models import photo

counted, cost = [], photo._cost
photo._cost = lambda *given: counted.append(cost(*given)) or counted[-1]

def held(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])

for path in sorted(Path(sys.argv[1]).iterdir()):
    photo.read(Path(sys.argv[2]).read_bytes())
    data = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")
    before = held("VmRSS")
    photo.read(data)
    print(path.name, held("VmHWM") - before, counted[-1], flush=True)
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="measures memory by Linux")
def test_no_picture_takes_more_memory_than_is_counted(tmp_path):
    side = 2600
    noise = Image.effect_noise((side, side), 60)
    colours = Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180)))
    clear = Image.merge("RGBA", (*colours.split(), noise))
    flat = Image.new("RGB", (side, side), "olive")
    for name, image, options in (
        ("a.jpg", colours, {"progressive": True, "subsampling": 0, "quality": 60}),
        ("b.jpg", flat.convert("CMYK"), {}),
        ("c.webp", flat, {"lossless": True, "method": 0}),
        ("d.webp", Image.new("RGBA", (side, side)), {"lossless": True, "method": 0}),
        ("e.avif", flat, {"speed": 10}),
        ("f.tiff", Image.new("F", (side, side)), {"compression": "tiff_lzw", "tiffinfo": {278: side}}),
        ("g.tiff", flat.convert("CMYK"), {"compression": "tiff_lzw", "tiffinfo": {278: side}}),
        ("h.png", Image.new("I;16", (side, side), 999), {}),
        ("i.png", clear.resize((side, side // 3)), {}),
        ("j.gif", noise, {}),
    ):
        image.save(tmp_path / name, **options)
    small = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
    told = subprocess.run(
        [sys.executable, "-c", PEAKS, tmp_path, small], cwd=small.parents[1], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in told.stdout.splitlines()]
    assert len(lines) == 10
    assert [line for line in lines if int(line[1]) > int(line[2]) + 8 * 2**20] == []


def test_too_many_pixels_in_an_array_are_refused():
    huge = np.broadcast_to(np.float64(0.5), (10_000, 10_000))
    with pytest.raises(PhotoTooLargeError):
        photo.read(huge)
    with pytest.raises(PhotoTooLargeError):
        photo.read(np.broadcast_to(np.uint8(1), (10_000, 10_000)))


@pytest.mark.parametrize("size", [(1, 1), (31, 200), (200, 31), (9000, 100)])
def test_too_small_is_refused(size):
    with pytest.raises(PhotoTooSmallError, match="32 pixels"):
        photo.read(encode(Image.new("RGB", size), "PNG"))
    assert photo.read(Image.new("RGB", (32, 32))).size == (32, 32)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(100, np.uint8),
        np.zeros((40, 40, 2), np.uint8),
        np.zeros((3, 40, 40), np.uint8),
        np.zeros((1, 40, 40, 3), np.uint8),
        np.zeros((40, 40), np.int64),
        np.zeros((40, 40), "U1"),
        np.full((40, 40), 255.0),
        np.full((40, 40), -0.1),
        np.full((40, 40), np.nan),
    ],
    ids=["1-D", "two channels", "channels first", "batch", "int64", "text", "0..255", "negative", "NaN"],
)
def test_arrays_that_are_no_picture_are_refused(array):
    with pytest.raises(UnreadablePhotoError):
        photo.read(array)


def test_paths_that_cannot_be_read_are_refused_without_naming_their_folder(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, tmp_path / "missing.png", "nul\0l.png", pipe, "/dev/zero"):
        with pytest.raises(UnreadablePhotoError) as caught:
            photo.read(path)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("source", [42, {"path": "x"}, [b"x"], object()])
def test_other_types_are_refused(source):
    with pytest.raises(UnreadablePhotoError, match=type(source).__name__):
        photo.read(source)


def test_random_damage_never_raises_anything_else(quarters):
    """Bytes changed at random in every format: a picture comes out or one of our errors."""
    rng = np.random.default_rng(1)
    for format in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"):
        data = np.frombuffer(encode(quarters, format), np.uint8)
        for _ in range(40):
            damaged = data.copy()
            damaged[rng.integers(0, len(data), 6)] = rng.integers(0, 256, 6)
            try:
                assert photo.read(damaged.tobytes()).pixels.dtype == np.uint8
            except (UnreadablePhotoError, PhotoTooLargeError, PhotoTooSmallError, EmptyPhotoError):
                pass


def test_the_heif_decoder_has_the_fixes_of_its_published_faults():
    """libheif before 1.23.6 and libde265 before 1.1.3 have memory faults that a picture reaches; pi-heif is older."""
    about = pillow_heif.libheif_info()
    assert tuple(map(int, about["libheif"].split("."))) >= (1, 23, 6)
    (decoder,) = about["decoders"].values()
    assert tuple(map(int, decoder.rpartition(" ")[2].split("."))) >= (1, 1, 3)


def test_the_pictures_of_a_folder_are_those_whose_endings_say_so(tmp_path):
    for name in ("b.JPG", "a.png", "c.heic", ".hidden.jpg", "._a.png", ".DS_Store", "Thumbs.db", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in photo.in_folder(tmp_path)] == ["a.png", "b.JPG", "c.heic"]


@pytest.mark.parametrize("name", [".DS_Store", "._photo.jpg", "Thumbs.db", "DESKTOP.INI"])
def test_what_a_file_manager_leaves_is_clutter(name, tmp_path):
    assert photo.is_clutter(tmp_path / name) and not photo.is_clutter(tmp_path / f"my {name}")
