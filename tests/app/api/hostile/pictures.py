"""Pictures that are none, say what is not so, or unpack to too much, and good ones under odd names."""

import gzip
import io
import random
import struct
import zlib
from collections.abc import Iterable
from functools import cache

import pillow_heif
from PIL import Image

from tests.app.api.hostile.visitor import EXAMPLES, READ, Case

SVG = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><text>&x;</text></svg>"""
SCRIPT = b"/*" + b"\0" * 4 + b"*/=1;alert(1)//"
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")


def encoded(format: str, size: tuple[int, int] = (96, 96), **options) -> bytes:
    """A good picture without a face."""
    image = Image.effect_noise(size, 80).convert("RGB")
    data = io.BytesIO()
    if format == "HEIF":
        pillow_heif.from_pillow(image).save(data)
    else:
        image.save(data, format, **options)
    return data.getvalue()


def encoded_as(mode: str, size: tuple[int, int], format: str, **options) -> bytes:
    """A picture of one colour."""
    data = io.BytesIO()
    Image.new(mode, size).save(data, format, **options)
    return data.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0, rows: bytes | None = None) -> bytes:
    """A PNG that says what it is told to."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100) if rows is None else rows)
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + body + chunk(b"IEND", b"")


@cache
def bomb(side: int = 30_000) -> bytes:
    """A PNG of side x side ones: a hundred kilobytes that unpack to a hundred megabytes."""
    packer, row = zlib.compressobj(9), b"\0" + b"\xff" * (side // 8)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png(side, side, depth=1, rows=rows)


def animation(frames: int, screen: int = 64) -> bytes:
    """A GIF of many tiny frames on a screen of any size."""
    head = b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\0\1\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\0"
    return head + frame * frames + b";"


def tiff(width: int, height: int, **tags: int) -> bytes:
    """A grey TIFF of one strip whose tags say anything."""
    entries = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 64}
    entries |= {int(name[1:]): value for name, value in tags.items()}
    ifd = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return b"II*\0" + struct.pack("<I", 72) + b"\x7f" * 64 + struct.pack("<H", len(entries)) + ifd + b"\0" * 4


def lying_webp(width: int, height: int) -> bytes:
    """A WebP whose canvas is larger than what is drawn on it."""
    inner = encoded("WEBP")[12:]
    canvas = b"\x10\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + canvas + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lying_box(format: str, width: int, height: int) -> bytes:
    """A HEIC or AVIF whose `ispe` box says another size."""
    data = bytearray(encoded(format))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def lying_jpeg(width: int, height: int) -> bytes:
    data = bytearray(encoded("JPEG"))
    at = next(index for mark in (b"\xff\xc0", b"\xff\xc2") if (index := data.find(mark)) > 0)
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def flipped(data: bytes, seed: int, bits: int = 40) -> bytes:
    """A file with some bits turned over behind its first 16 bytes."""
    chance, spoiled = random.Random(seed), bytearray(data)
    for _ in range(bits):
        spoiled[chance.randrange(16, len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def pictures() -> dict[str, tuple[bytes, frozenset[int]]]:
    """Files that a visitor may send as a picture, and what is said to them; no face is a 422."""
    fine = frozenset({200, 422})
    too_large = frozenset({413, 415, 422})
    bad = frozenset({415, 422})
    found = {
        "empty": (b"", frozenset({400, 415, 422})),
        "one byte": (b"\xff", bad),
        "text": (b"this is no picture", bad),
        "zeros": (b"\0" * 10_000, bad),
        "elf": (b"\x7fELF" + b"\0" * 500, bad),
        "pickle": (b"\x80\x04\x95\x1f\0\0\0cposix\nsystem\n(S'id'\ntR.", bad),
        "svg": (SVG, bad),
        "svg behind a BOM": (b"\xef\xbb\xbf" + SVG, bad),
        "html with a PNG header": (b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>", bad),
        "html with a JPEG header": (b"\xff\xd8\xff\xe0<html><script>alert(1)</script>", bad),
        "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) run\n", bad),
        "pdf": (b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/Launch/F(/bin/sh)>>>>endobj", bad),
        "ppm": (b"P6 99 99 255\n" + b"\x7f" * 29403, bad),
        "xbm": (b"#define a_width 64\n#define a_height 64\nstatic char a_bits[] = {0x00};", bad),
        "ico": (b"\0\0\1\0\1\0\x40\x40\0\0\1\0\x20\0\0\x40\0\0\x16\0\0\0" + b"\0" * 64, bad),
        "psd": (b"8BPS\0\1" + b"\0" * 6 + struct.pack(">HIIHH", 3, 99, 99, 8, 3) + b"\0" * 99, bad),
        "zip": (b"PK\3\4" + b"\0" * 200, bad),
        "gzipped PNG": (gzip.compress(encoded("PNG")), bad),
        "mvg": (b"push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/x'\n", bad),
        "xml": (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM '/etc/passwd'>]><x>&a;</x>", bad),
        "GIF and script": (b"GIF89a" + SCRIPT, bad),
        "good GIF and script": (encoded("GIF") + SCRIPT, fine),
        "PDF before JPEG": (b"%PDF-1.7\n" + encoded("JPEG"), bad),
        "PDF behind JPEG": (encoded("JPEG") + b"\n%PDF-1.7\n%%EOF", fine),
        "PNG and ZIP": (encoded("PNG") + b"PK\3\4" + b"\0" * 100, fine),
        "JPEG and PHP": (encoded("JPEG", exif=b"Exif\0\0<?php system($_GET[0]);?>"), fine),
        "MPO": (encoded("MPO", save_all=True, append_images=[Image.effect_noise((96, 96), 9)]), fine),
        "PNG of 30,000 x 30,000 ones": (bomb(), too_large),
        "PNG that says 50,000 x 50,000": (png(50_000, 50_000), too_large),
        "PNG that says 4,294,967,295": (png(2**32 - 1, 2**32 - 1), too_large),
        "PNG that says 2^31 x 1": (png(2**31 - 1, 1), too_large),
        "PNG of no pixels": (png(0, 0), bad),
        "PNG of 1 x 1": (png(1, 1, rows=zlib.compress(b"\0\0")), bad),
        "PNG thin as a hair": (png(100_000, 2), bad),
        "PNG with less than it says": (png(4000, 4000), bad),
        "PNG with a text that unpacks": (png(64, 64, chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 10**7))), bad),
        "PNG with a profile that unpacks": (png(64, 64, chunk(b"iCCP", b"a\0\0" + zlib.compress(b"a" * 10**7))), bad),
        "PNG with many texts": (png(64, 64, *[chunk(b"tEXt", b"a\0" + b"b" * 9000)] * 900), bad),
        "PNG with wrong depth": (png(64, 64, depth=7, colour=5), bad),
        "PNG with a chunk without end": (png(64, 64)[:33] + b"\xff\xff\xff\xffIDAT", bad),
        "PNG without data": (png(64, 64)[:33] + chunk(b"IEND", b""), bad),
        "GIF of 50,000 frames": (animation(50_000), fine),
        "GIF of a huge screen": (animation(1, 65_535), too_large),
        "GIF frame outside": (animation(1).replace(b",\0\0\0\0", b",\xff\xff\xff\xff"), too_large),
        "TIFF that says 60,000 x 60,000": (tiff(60_000, 60_000), too_large),
        "TIFF with less than it says": (tiff(3000, 3000), bad),
        "TIFF that takes 400 MiB": (tiff(5000, 5000), too_large),
        "TIFF of 233 KB that took 1.7 GB": (encoded_as("F", (7745, 7745), "TIFF", compression="tiff_lzw"), too_large),
        "WebP of 42 bytes that took 1.2 GB": (
            encoded_as("RGB", (7745, 7745), "WEBP", lossless=True, method=0),
            too_large,
        ),
        "TIFF whose strip lies outside": (tiff(64, 64, t273=2**31), bad),
        "TIFF whose strip has 4 GB": (tiff(64, 64, t279=2**32 - 1), bad),
        "TIFF of 1,000 samples": (tiff(64, 64, t277=1000), bad),
        "TIFF of an unknown packing": (tiff(64, 64, t259=34_676), bad),
        "TIFF that leads to itself": (tiff(64, 64)[:-4] + struct.pack("<I", 72), bad),
        "WebP that says 16,383 x 16,383": (lying_webp(16_383, 16_383), too_large),
        "WebP that says another size": (lying_webp(777, 555), fine | bad),
        "HEIC that says 65,000 x 65,000": (lying_box("HEIF", 65_000, 65_000), too_large),
        "HEIC that says another size": (lying_box("HEIF", 555, 777), fine | bad),
        "AVIF that says 65,000 x 65,000": (lying_box("AVIF", 65_000, 65_000), too_large),
        "AVIF that says another size": (lying_box("AVIF", 555, 777), fine | bad),
        "JPEG that says 65,535 x 65,535": (lying_jpeg(65_535, 65_535), too_large),
        "JPEG that says 3,000 x 3,000": (lying_jpeg(3000, 3000), fine | bad),
        "BMP that says 2^31 rows": (
            b"BM" + struct.pack("<IIIIiiHHI", 54, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0),
            too_large,
        ),
        "BMP upside down by 2^31": (
            b"BM" + struct.pack("<IIIIiiHHI", 54, 0, 54, 40, 64, -(2**31), 1, 24, 0),
            too_large,
        ),
        "too many bytes": (encoded("PNG") + b"\0" * (20 * 2**20), frozenset({413})),
    }
    for format in FORMATS:
        good = encoded(format)
        found[f"{format} cut at a tenth"] = (good[: len(good) // 10], bad | fine if format == "GIF" else bad)
        found[f"{format} cut at nine tenths"] = (good[: len(good) * 9 // 10], bad | fine)
        for seed in range(2):
            found[f"{format} with bits turned, {seed}"] = (flipped(good, seed), bad | fine | too_large)
    return found


def cases() -> Iterable[Case]:
    """Each picture to the page and to the REST API."""
    for name, (data, allowed) in pictures().items():
        yield Case(name, "page", lambda visitor, data=data: visitor.detect(data), allowed)
        yield Case(name, "/predict", lambda visitor, data=data: visitor.file(data), allowed)
        if len(data) < 200_000 and not name.startswith(FORMATS):
            yield Case(name, "/api/v1", lambda visitor, data=data: visitor.coded(data), allowed)
    face = (EXAMPLES / "astronaut.jpg").read_bytes()
    for kind in ("text/html", "image/svg+xml", "application/x-sh", "image/png; charset=utf-7", "x" * 500, "\t"):
        yield Case(
            f"a face as {kind[:30]!r}", "/predict", lambda visitor, kind=kind: visitor.file(face, "a.jpg", kind), READ
        )
    for name in ("a.php", "a.exe", "a.svg", "a.html", "a", "a.png.sh"):
        yield Case(f"a face called {name}", "page", lambda visitor, name=name: visitor.detect(face, name), READ)
    packed = gzip.compress(b"\0" * 50_000_000)
    for path in ("/predict", "/api/v1/predict/emotion", "/gradio_api/upload", "/gradio_api/call/detect"):
        for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
            yield Case(
                f"a body packed by {coding}",
                path,
                lambda visitor, path=path, coding=coding: visitor.post(path, packed, **{"Content-Encoding": coding}),
                frozenset({415}),
            )
