"""Hostile input as a table: a name, the interface it comes to, how it is sent, and what the server may say.

What a server may say is a status. Gradio answers a call with an event, and MCP with a result: an event of an error
and a result that is one count as 422, and an error of JSON-RPC as 400.
"""

import base64
import gzip
import io
import json
import random
import socket
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pillow_heif
from PIL import Image

from tests.models.test_clip import film

EXAMPLES = Path(__file__).parents[3] / "examples"
META = {"meta": {"_type": "gradio.FileData"}}
ENDPOINTS = ("detect", "predict", "keypoints", "explain", "trust", "report", "compare", "lab", "glass_box")
V1 = ("detect", "predict/emotion", "predict/keypoints", "explain", "compare", "trust", "report", "lab", "glass-box")

READ = frozenset({200})
REFUSED = frozenset({400, 403, 404, 405, 413, 415, 422})
EITHER = READ | REFUSED
HUNG_UP = frozenset({0})
"""No answer: the line was closed, as for what is no HTTP."""


@dataclass(frozen=True)
class Heard:
    """What came back.

    Attributes:
        status: see above.
        text: body, or the data of the event.
        head: the head of the answer.
    """

    status: int
    text: str
    head: str = ""


@dataclass
class Visitor:
    """Sends what a case asks for.

    Attributes:
        url: of the server, without a slash at the end.
        secret: a file on the server that holds a good picture and a secret, and was never uploaded.
        link: a link to it in the folder for uploads.
        theirs: the path of another visitor's upload.
        folder: the folder for uploads.
        sent: everything that this visitor said, so that an echo is told from a leak.
    """

    url: str
    secret: str
    link: str
    theirs: str
    folder: str
    http: httpx.Client
    sent: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, **options) -> Heard:
        self.sent.append(f"{path} {repr(options)[:100_000]}")
        try:
            answer = self.http.request(method, self.url + path, **options)
        except httpx.RemoteProtocolError:
            return Heard(0, "")
        return Heard(answer.status_code, answer.text, str(answer.headers))

    def raw(self, data: bytes) -> Heard:
        """Send bytes as they are, and hear until the line closes."""
        self.sent.append(data[:100_000].decode("latin-1"))
        host = urlsplit(self.url)
        heard = b""
        with socket.create_connection((host.hostname, host.port), timeout=15) as line:
            try:
                line.sendall(data)
                while more := line.recv(65536):
                    heard += more
            except OSError:
                pass
        head, _, body = heard.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if head.startswith(b"HTTP/1.") else 0
        return Heard(status, body.decode("utf-8", "replace"), head.decode("latin-1"))

    def get(self, target: str, method: str = "GET", headers: str = "") -> Heard:
        """Ask for a target that nobody tidies up on the way."""
        return self.raw(
            f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode("latin-1")
        )

    def post(self, path: str, body: bytes, kind: str = "application/json", **headers: str) -> Heard:
        return self.request("POST", path, content=body, headers={"Content-Type": kind, **headers})

    def upload(self, data: bytes, name: str = "face.png", kind: str = "image/png") -> Heard:
        return self.request("POST", "/gradio_api/upload", files={"files": (name, data, kind)})

    def event(self, joined: Heard, path: str) -> Heard:
        """What a queued call ends in."""
        if joined.status != 200:
            return joined
        heard = self.request("GET", f"{path}/{json.loads(joined.text)['event_id']}")
        if "event: error" in heard.text:
            return Heard(422, heard.text, heard.head)
        return heard

    def call(self, name: str, *data) -> Heard:
        """Gradio's call of an endpoint."""
        path = f"/gradio_api/call/{name}"
        return self.event(self.request("POST", path, json={"data": data}), path)

    def call_v2(self, name: str, **arguments) -> Heard:
        path = f"/gradio_api/call/v2/{name}"
        return self.event(self.request("POST", path, json=arguments), path)

    def join(self, name: str, *data) -> Heard:
        """The page's way to call an endpoint."""
        config = self.http.get(f"{self.url}/config").json()
        index = next(event["id"] for event in config["dependencies"] if event["api_name"] == name)
        body = {"fn_index": index, "data": data, "session_hash": "hostile"}
        joined = self.request("POST", "/gradio_api/queue/join", json=body)
        if joined.status != 200:
            return joined
        heard = self.request("GET", "/gradio_api/queue/data?session_hash=hostile")
        return Heard(422, heard.text, heard.head) if '"success":false' in heard.text.replace(" ", "") else heard

    def detect(self, data: bytes, name: str = "face.png", kind: str = "image/png") -> Heard:
        """An upload, and the call that reads it."""
        uploaded = self.upload(data, name, kind)
        return (
            self.call("detect", {"path": json.loads(uploaded.text)[0], **META}) if uploaded.status == 200 else uploaded
        )

    def file(self, data: bytes, name: str = "face.png", kind: str = "image/png") -> Heard:
        return self.request("POST", "/predict", files={"file": (name, data, kind)})

    def coded(self, data: bytes, route: str = "predict/emotion") -> Heard:
        return self.request("POST", f"/api/v1/{route}", json={"image": base64.b64encode(data).decode()})

    def v1(self, route: str, **asked) -> Heard:
        return self.request("POST", f"/api/v1/{route}", json=asked)

    def mcp(self, method: str, params: dict | None = None, path: str = "/gradio_api/mcp/", **headers: str) -> Heard:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        heard = self.request(
            "POST", path, json=body, headers={"Accept": "application/json, text/event-stream", **headers}
        )
        lines = [line.removeprefix("data: ") for line in heard.text.splitlines() if line.startswith("data: ")]
        if heard.status != 200 or not lines:
            return heard
        said = json.loads(lines[-1])
        if "error" in said:
            return Heard(400, heard.text, heard.head)
        return Heard(422 if said["result"].get("isError") else 200, heard.text, heard.head)

    def clip(self, data: bytes, name: str = "clip.mp4") -> Heard:
        """An upload, and what the page does with a clip; what it says of a clip that it cannot read counts as 422."""
        uploaded = self.upload(data, name, "video/mp4")
        if uploaded.status != 200:
            return uploaded
        heard = self.join("read_clip", None, None, 1, {"path": json.loads(uploaded.text)[0], **META}, "cnn")
        return Heard(422, heard.text, heard.head) if "fw-error" in heard.text else heard

    def coded_clip(self, data: bytes) -> Heard:
        return self.v1("video", video=base64.b64encode(data).decode(), model="cnn")

    def tool(self, name: str, **arguments) -> Heard:
        return self.mcp("tools/call", {"name": name, "arguments": arguments})


@dataclass(frozen=True)
class Case:
    name: str
    interface: str
    send: Callable[[Visitor], Heard]
    allowed: frozenset[int] = REFUSED


# --------------------------------------------------------------------- pictures


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


SVG = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><text>&x;</text></svg>"""
SCRIPT = b"/*" + b"\0" * 4 + b"*/=1;alert(1)//"
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")


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


# ------------------------------------------------------------- paths and addresses

PATHS = (
    "SECRET",
    "LINK",
    "THEIRS/../../../../../../../..SECRET",
    "FOLDER",
    "FOLDER/",
    "FOLDER/../",
    "FOLDER/..SECRET",
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/cmdline",
    "/proc/self/root/etc/passwd",
    "/proc/self/fd/0",
    "/dev/zero",
    "/dev/stdin",
    "/",
    ".",
    "..",
    "../../../../../../../../etc/passwd",
    "....//....//....//etc/passwd",
    "..\\..\\..\\etc\\passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%252f..%252fetc%252fpasswd",
    "..%c0%af..%c0%afetc/passwd",
    "/etc/passwd\0.png",
    "SECRET\0",
    "~/.ssh/id_rsa",
    "$HOME/.bashrc",
    "examples/astronaut.jpg",
    "README.md",
    "app/main.py",
    "file:///etc/passwd",
    "file://localhost/SECRET",
    "\\\\10.0.0.1\\share\\a.png",
    "//10.0.0.1/share/a.png",
    "C:\\Windows\\win.ini",
    "| cat /etc/passwd",
    "`id`.png",
    "a" * 5000,
    "／etc／passwd",
    "‮gnp.dwssap/cte/",
    "NaN",
)
ADDRESSES = (
    "http://127.0.0.1:1/a.png",
    "https://127.0.0.1:1/a.png",
    "HTTP://127.0.0.1:1/a.png",
    "http://[::1]:1/a.png",
    "http://2130706433:1/a.png",
    "http://0x7f.1:1/a.png",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://user:word@127.0.0.1:1/",
    "https://example.invalid/a.png",
    "ftp://127.0.0.1:1/a.png",
    "gopher://127.0.0.1:1/_GET",
    "dict://127.0.0.1:1/info",
    "ldap://127.0.0.1:1/",
    "jar:http://127.0.0.1:1/a!/b",
    "data:text/html,<script>alert(1)</script>",
    "javascript:alert(1)",
    "//127.0.0.1:1/a.png",
    "http:/127.0.0.1:1/a.png",
    " http://127.0.0.1:1/a.png",
)


def meant(visitor: Visitor, path: str) -> str:
    """A path with the places of this server put in."""
    for word in ("SECRET", "LINK", "THEIRS", "FOLDER"):
        path = path.replace(word, getattr(visitor, word.lower()))
    return path


# ------------------------------------------------------------------ JSON and forms

JSON = {
    "nothing": b"",
    "no JSON": b"image",
    "half": b'{"data": [',
    "null": b"null",
    "a number": b"5",
    "a string": b'"data"',
    "a list": b"[]",
    "NaN": b'{"data": [NaN], "image": NaN}',
    "Infinity": b'{"data": [Infinity, -Infinity], "image": Infinity}',
    "1e999": b'{"data": [1e999], "image": 1e999}',
    "a number of 10,000 digits": b'{"data": [' + b"9" * 10_000 + b'], "image": ' + b"9" * 10_000 + b"}",
    "100,000 brackets": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"image":' * 100_000 + b"1" + b"}" * 100_000,
    "twice the same key": b'{"image": "a", "image": {"path": "/etc/passwd"}, "data": [1], "data": [null]}',
    "a lone surrogate": b'{"data": ["\\ud800"], "image": "\\ud800"}',
    "a null byte": b'{"data": ["\\u0000"], "image": "\\u0000"}',
    "bytes that are no UTF-8": b'{"data": ["\xff\xfe"], "image": "\xc3\x28"}',
    "UTF-16": '{"data": [null]}'.encode("utf-16"),
    **{
        f"400,000 values behind a quote in {encoding}": f'{{"image":"∀","data":[{"[]," * 400_000}[]]}}'.encode(encoding)
        for encoding in ("UTF-16", "UTF-16-LE", "UTF-16-BE", "UTF-32", "UTF-32-LE", "UTF-32-BE")
    },
    "4 MiB of closing brackets": b"]" * 2**22,
    "a BOM": b'\xef\xbb\xbf{"data": [null]}',
    "something behind": b'{"data": [null]} {"data": 1}',
    "keys of Python": b'{"__class__": {"__init__": {"__globals__": 1}}, "data": [{"__reduce__": "id"}]}',
    "keys of JavaScript": b'{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}, "data": [null]}',
    "an unknown field": b'{"data": [null], "image": "aGk=", "admin": true, "fn_index": 0, "trigger_id": -1}',
    "the wrong types": b'{"data": {"image": 1}, "image": ["a"], "face": "first", "whole_picture": "yes"}',
    "200,000 values": b'{"data": [' + b"0," * 200_000 + b'0], "image": "a"}',
    "a long string": b'{"data": ["' + b"A" * 2_000_000 + b'"], "image": "' + b"A" * 2_000_000 + b'"}',
    "another session's state": b'{"data": [null], "session_hash": "../../x", "event_id": "1", "fn_index": 99999}',
}
JSON_DOORS = (
    "/gradio_api/call/detect",
    "/gradio_api/call/v2/detect",
    "/gradio_api/run/detect",
    "/gradio_api/queue/join",
    "/gradio_api/cancel",
    "/gradio_api/reset",
    "/gradio_api/mcp/",
    "/gradio_api/component_server",
    "/gradio_api/stream/0123",
    "/predict",
    "/api/v1/predict/emotion",
    "/api/v1/explain",
)
BASE64 = {
    "empty": "",
    "spaces": "   \n\t ",
    "no base64": "!!!! no base64 !!!!",
    "half": "iVBORw0KGgo",
    "in the alphabet of URLs": "_-_-_-_-",
    "with a null byte": "iVBO\0Rw0KGgo=",
    "unicode": "ｉＶＢＯＲｗ０ＫＧｇｏ＝",
    "much padding": "iVBORw0KGgo" + "=" * 100_000,
    "a path": "/etc/passwd",
    "an address": "http://169.254.169.254/latest/",
    "a data address without data": "data:image/png;base64,",
    "a data address of text": "data:text/html;base64,PHNjcmlwdD4=",
    "a data address without base64": "data:image/png,%89PNG",
    "a data address with a path in its type": "data:image/../../../x;base64,iVBORw0KGgo=",
    "a data address twice": "data:image/png;base64,data:image/png;base64,iVBORw0KGgo=",
    "a data address with a million parameters": "data:image/png" + ";a=b" * 250_000 + ";base64,AA==",
    "base64 of base64": base64.b64encode(base64.b64encode(png(64, 64))).decode(),
}
WRONG = {
    "model": ("alexnet", "../../models", "", None, 5, ["cnn"], "cnn\0", "ｃｎｎ", "__class__"),
    "method": ("lime", "shap", None, 5, {}, "gradcam; rm", "__init__"),
    "emotion": ("joy", "happiness", 3, ["sad"], "sad\0"),
    "params": (
        "fast",
        [],
        {"samples": 10**9},
        {"samples": "NaN"},
        {"__class__": 1},
        {"detail": "finest"},
        {"seed": -1},
    ),
    "face": (-1, 10**30, "0", 1.5, None, [0], True),
    "whole_picture": ("yes", 1, None, []),
}


def form(*parts: bytes, edge: bytes = b"edge") -> bytes:
    return b"".join(b"--" + edge + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + edge + b"--\r\n"


def part(name: bytes, data: bytes, filename: bytes | None = b"face.png", more: bytes = b"") -> bytes:
    named = b'; filename="' + filename + b'"' if filename is not None else b""
    return b'Content-Disposition: form-data; name="' + name + b'"' + named + b"\r\n" + more + b"\r\n" + data


FORM = "multipart/form-data; boundary=edge"
CHUNKED = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


def forms(name: bytes) -> dict[str, tuple[bytes, str, frozenset[int]]]:
    """Bodies of forms whose file is called `name`: what is sent, its type, and what is said to it."""
    good = encoded("PNG")
    return {
        "no boundary": (form(part(name, good)), "multipart/form-data", REFUSED),
        "another boundary": (form(part(name, good), edge=b"other"), FORM, EITHER),
        "a boundary of 70,000 bytes": (
            form(part(name, good)),
            "multipart/form-data; boundary=" + "e" * 30_000,
            REFUSED,
        ),
        "no end": (form(part(name, good))[:-8], FORM, EITHER),
        "nothing": (b"", FORM, EITHER),
        "only the end": (b"--edge--\r\n", FORM, EITHER),
        "no disposition": (b"--edge\r\n\r\nabc\r\n--edge--\r\n", FORM, REFUSED),
        "no name": (
            b'--edge\r\nContent-Disposition: form-data; filename="a"\r\n\r\nabc\r\n--edge--\r\n',
            FORM,
            REFUSED,
        ),
        "no filename": (form(part(name, b"abc", None)), FORM, REFUSED | {500}),
        "an empty filename": (form(part(name, good, b"")), FORM, EITHER),
        "another field": (form(part(b"picture", good)), FORM, EITHER),
        "10,000 fields": (form(*[part(b"a", b"", None)] * 10_000), FORM, REFUSED),
        "10,000 files": (form(*[part(name, b"")] * 10_000), FORM, REFUSED),
        "a head without end": (form(part(name, good, more=b"X-Long: " + b"x" * 100_000 + b"\r\n")), FORM, EITHER),
        "10,000 heads": (form(part(name, good, more=b"X-A: b\r\n" * 10_000)), FORM, EITHER),
        "JSON": (b'{"file": "a"}', "application/json", REFUSED),
        "a type of nothing": (form(part(name, good)), "", REFUSED),
        "a wrong charset": (form(part(name, good)), FORM + "; charset=utf-99", EITHER),
        "a form of the other kind": (b"file=abc", "application/x-www-form-urlencoded", REFUSED),
    }


FILENAMES = (
    b"../../../../tmp/evil.png",
    b"/etc/cron.d/evil",
    b"..\\\\..\\\\evil.png",
    b"a\0b.png",
    b"a" * 10_000 + b".png",
    b".",
    b"..",
    b"....",
    b"con.png",
    b".htaccess",
    b"face.png/../../../evil",
    b"face.php\x00.png",
    "gnp.\u202eexe".encode(),
    "😀".encode() * 100,
    b"<img src=x onerror=alert(1)>.png",
    b"a\r\nSet-Cookie: b",
    b"%2e%2e%2fevil",
    b"$(id).png",
    b"index.html",
    b"\xff\xfe\xfd",
)
STATIC = (
    "/assets/../../../../../../etc/passwd",
    "/assets/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e/%2e%2e/%2e%2e/routes.py",
    "/static/../../../../routes.py",
    "/static/..%5c..%5croutes.py",
    "/static/%00",
    "/static//etc/passwd",
    "/svelte/../../../etc/passwd",
    "/svelte/..%2f..%2froutes.py",
    "/static-offline-docs/..%2f..%2f__init__.py",
    "/static-offline-docs/%2e%2e/__init__.py",
    "/gradio_api/custom_component/x/server/component/../../../etc/passwd",
    "/gradio_api/file/etc/passwd",
    "/gradio_api/stream/a/b/1/playlist-file",
    "/gradio_api/stream/..%2f/b/1/a.ts",
    "/gradio_api/run-history/records",
    "/gradio_api/dev/reload",
    "/gradio_api/deep_link?session_hash=..",
    "/gradio_api/profiling/traces",
    "/monitoring",
    "/monitoring/summary",
    "/monitoring/x",
    "/.env",
    "/.git/config",
    "/README.md",
    "/app/main.py",
    "/proc/self/environ",
    "/?page=../../etc/passwd",
    "/%00",
    "/%ff%fe",
    "//evil.example/..",
    "/" + "a/" * 5000,
)


# ------------------------------------------------------------------------ clips


@cache
def good_clip() -> bytes:
    """An MP4 of a second without a face."""
    with tempfile.TemporaryDirectory() as folder:
        return film(Path(folder) / "film.mp4", times=(0, 250, 500, 750))


def lasting(data: bytes, length: int) -> bytes:
    """A clip whose head says that it lasts so long, in its own units."""
    at = data.index(b"mvhd") + 20
    return data[:at] + struct.pack(">I", length) + data[at + 4 :]


def clips() -> dict[str, tuple[bytes, frozenset[int]]]:
    """What may be uploaded as a clip, and what is said to it."""
    good = good_clip()
    return {
        "a clip": (good, READ),
        "nothing": (b"", REFUSED),
        "a picture": (encoded("PNG"), REFUSED),
        "a picture in a clip's box": (encoded("AVIF"), EITHER),
        "text": (b"ftyp" * 50, REFUSED),
        "a box and noise": (good[:32] + random.Random(1).randbytes(5000), REFUSED),
        "half": (good[: len(good) // 2], REFUSED),
        "flipped bits": (flipped(good, 2), EITHER),
        "ten hours": (lasting(good, 36_000_000), EITHER),
        "a box of 2^64 bytes": (good[:32] + b"\0\0\0\x01moov" + b"\xff" * 8 + good[32:], REFUSED),
        "a thousand boxes in each other": (b"\0\0\0\x08ftyp" + b"\0\0\x20\0moov" * 1000, REFUSED),
        "only Matroska's head": (b"\x1aE\xdf\xa3" + b"\x01" + b"\xff" * 7, REFUSED),
        "only AVI's head": (b"RIFF\xff\xff\xff\xffAVI LIST" + b"\xff" * 64, REFUSED),
        "a playlist of a file": (b"#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", REFUSED),
        "a list of addresses": (b"ffconcat version 1.0\nfile http://169.254.169.254/a.mp4\n", REFUSED),
    }


# ------------------------------------------------------------------------- table


def of_pictures() -> Iterable[Case]:
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


def of_paths() -> Iterable[Case]:
    for path in PATHS + ADDRESSES:
        short = path[:40]
        for name, given in {
            "bare": lambda said: {"path": said},
            "with meta": lambda said: {"path": said, **META},
        }.items():
            yield Case(
                f"{short!r} {name}",
                "call",
                lambda visitor, path=path, given=given: visitor.call("detect", given(meant(visitor, path))),
            )
        yield Case(
            f"{short!r} as its url",
            "call",
            lambda visitor, path=path: visitor.call("detect", {"url": meant(visitor, path)}),
        )
        yield Case(
            f"{short!r}",
            "file=",
            lambda visitor, path=path: visitor.get(f"/gradio_api/file={quote(meant(visitor, path), safe='/:.%')}"),
        )
        yield Case(
            f"{short!r}",
            "/api/v1",
            lambda visitor, path=path: visitor.v1("predict/emotion", image=meant(visitor, path)),
        )
        yield Case(f"{short!r}", "mcp", lambda visitor, path=path: visitor.tool("detect", image=meant(visitor, path)))
    for path in ("SECRET", "LINK", "/etc/passwd", "http://127.0.0.1:1/a.png", "FOLDER"):
        for endpoint in ENDPOINTS[1:]:
            yield Case(
                f"{path} to {endpoint}",
                "call",
                lambda visitor, path=path, endpoint=endpoint: visitor.call_v2(
                    endpoint, image={"path": meant(visitor, path), **META}
                ),
            )
        yield Case(
            f"{path} on the page's way",
            "join",
            lambda visitor, path=path: visitor.join("detect", {"path": meant(visitor, path), **META}),
        )
        for route in V1[2:]:
            yield Case(
                f"{path} to {route}",
                "/api/v1",
                lambda visitor, path=path, route=route: visitor.v1(route, image=meant(visitor, path)),
            )
    for address in ("http://169.254.169.254/", "https://example.invalid/", "https://a.hf.space/", "file:///etc/passwd"):
        yield Case(address, "proxy=", lambda visitor, address=address: visitor.get(f"/gradio_api/proxy={address}"))
    for header in ("Host", "X-Forwarded-Host", "X-Gradio-Server"):
        yield Case(
            f"{header} of another server",
            "mcp",
            lambda visitor, header=header: visitor.mcp(
                "tools/call", {"name": "detect", "arguments": {"image": "data:,"}}, **{header: "127.0.0.1:1"}
            ),
        )
    yield Case(
        "the folder of another's upload",
        "file=",
        lambda visitor: visitor.get(f"/gradio_api/file={Path(visitor.theirs).parent}"),
    )
    yield Case(
        "the name of another's upload in one's own place",
        "file=",
        lambda visitor: visitor.get(f"/gradio_api/file={visitor.folder}/{'0' * 64}/{Path(visitor.theirs).name}"),
    )
    for target in STATIC:
        allowed = EITHER | HUNG_UP if target.startswith(("/?", "//")) else REFUSED | HUNG_UP
        yield Case(target[:50], "static", lambda visitor, target=target: visitor.get(target), allowed)


def of_clips() -> Iterable[Case]:
    for name, (data, allowed) in clips().items():
        yield Case(name, "the tab Clips", lambda visitor, data=data: visitor.clip(data), allowed)
        yield Case(name, "/api/v1/video", lambda visitor, data=data: visitor.coded_clip(data), allowed)
    for name in ("a.m3u8", "../../a.sh"):
        yield Case(
            f"a clip called {name}", "the tab Clips", lambda visitor, name=name: visitor.clip(good_clip(), name), READ
        )
    for path in ("SECRET", "LINK", "/etc/passwd", "http://127.0.0.1:1/a.mp4", "concat:/etc/passwd", "FOLDER"):
        for interface, send in {
            "call": lambda visitor, said: visitor.call("video", {"path": said, **META}),
            "join": lambda visitor, said: visitor.join("read_clip", None, None, 1, {"path": said, **META}, "cnn"),
            "/api/v1/video": lambda visitor, said: visitor.v1("video", video=said),
            "mcp": lambda visitor, said: visitor.tool("video", video=said),
        }.items():
            allowed = EITHER if interface == "join" else REFUSED
            yield Case(
                f"{path} as a clip",
                interface,
                lambda visitor, path=path, send=send: send(visitor, meant(visitor, path)),
                allowed,
            )


def of_bodies() -> Iterable[Case]:
    for path in JSON_DOORS:
        for name, body in JSON.items():
            allowed = EITHER if path.startswith("/gradio_api/") else REFUSED
            if path in ("/gradio_api/run/detect", "/gradio_api/mcp/"):
                allowed |= {500}  # Gradio's and MCP's own way to refuse; `leaks` reads what they say
            options = {"Accept": "application/json, text/event-stream"}
            yield Case(
                name,
                path,
                lambda visitor, path=path, body=body, options=options: visitor.post(path, body, **options),
                allowed,
            )
    for name, text in BASE64.items():
        yield Case(f"base64: {name}", "/api/v1", lambda visitor, text=text: visitor.v1("predict/emotion", image=text))
        yield Case(f"base64: {name}", "mcp", lambda visitor, text=text: visitor.tool("detect", image=text))
    picture = base64.b64encode((EXAMPLES / "astronaut.jpg").read_bytes()).decode()
    for name, values in WRONG.items():
        for value in values:
            fine = EITHER if (name, value) in (("model", ""), ("params", [])) else REFUSED
            yield Case(
                f"{name} = {str(value)[:40]!r}",
                "/api/v1/explain",
                lambda visitor, name=name, value=value: visitor.v1("explain", image=picture, **{name: value}),
                fine,
            )
    for path, name in (("/predict", b"file"), ("/predict/batch", b"files"), ("/gradio_api/upload", b"files")):
        for called, (body, kind, allowed) in forms(name).items():
            yield Case(
                f"form: {called}",
                path,
                lambda visitor, path=path, body=body, kind=kind: visitor.post(path, body, kind),
                allowed,
            )
    for filename in FILENAMES:
        for path, name in (("/predict", b"file"), ("/gradio_api/upload", b"files")):
            yield Case(
                f"a file called {filename[:40]!r}",
                path,
                lambda visitor, path=path, name=name, filename=filename: visitor.post(
                    path, form(part(name, encoded("PNG"), filename)), FORM
                ),
                EITHER,
            )
    large = b"x" * (30 * 2**20)
    for path in (
        "/predict",
        "/api/v1/explain",
        "/gradio_api/upload",
        "/gradio_api/queue/join",
        "/gradio_api/mcp/",
        "/",
    ):
        yield Case("30 MiB", path, lambda visitor, path=path: visitor.post(path, large, FORM), frozenset({413}))
        yield Case(
            "30 MiB that do not say so",
            path,
            lambda visitor, path=path: visitor.post(path, iter([large[: 2**20]] * 30), FORM),
            REFUSED,
        )
    yield Case(
        "a batch of 1,000",
        "/predict/batch",
        lambda visitor: visitor.request("POST", "/predict/batch", files=[("files", ("a.png", b"x"))] * 999),
    )


def of_requests() -> Iterable[Case]:
    for path in ("/predict", "/predict/batch", "/api/v1/explain", "/gradio_api/call/detect", "/gradio_api/upload"):
        for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE", "FOO", "post", "X" * 5000):
            yield Case(
                f"{method[:20]} ",
                path,
                lambda visitor, path=path, method=method: visitor.get(path, method),
                REFUSED | HUNG_UP,
            )
    for path in ("/health", "/emotions", "/models", "/metrics", "/gradio_api/info", "/config"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            yield Case(f"{method}", path, lambda visitor, path=path, method=method: visitor.request(method, path))
    for name, head in {
        "a head of 1 MB": "X-Long: " + "x" * 1_000_000 + "\r\n",
        "10,000 heads": "X-A: b\r\n" * 10_000,
        "a fold": "X-A: b\r\n c\r\n",
        "a null byte": "X-A: b\0c\r\n",
        "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n",
        "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "an unknown transfer": "Transfer-Encoding: gzip, chunked\r\n",
        "a negative length": "Content-Length: -1\r\n",
        "a huge length": "Content-Length: " + "9" * 400 + "\r\n",
        "another host": "Host: evil.example\r\n",
        "a websocket": "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n",
        "HTTP/2": "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "an address for the answer": "X-Forwarded-For: " + "1.2.3.4, " * 1000 + "\r\n",
        "a range": "Range: bytes=0-,0-,0-" + ",0-" * 1000 + "\r\n",
        "a language": "Accept-Language: ../../etc/passwd\r\n",
        "cookies": "Cookie: session=../../x; access-token=1\r\n",
        "a number of bytes": "Range: bytes=999999999999-0\r\n",
    }.items():
        yield Case(
            f"head: {name}",
            "/",
            lambda visitor, head=head: visitor.get("/", headers=head),
            EITHER | HUNG_UP | {431, 501},
        )
    for name, data in {
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        "HTTP/0.9": b"GET /\r\n\r\n",
        "HTTP/9": b"GET / HTTP/9.9\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "a whole address": b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "connect": b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "a star": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "a space in the path": b"GET /a b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "a smuggled request": b"POST /gradio_api/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /gradio_api/proxy=x HTTP/1.1\r\n\r\n",
        "a bad chunk": CHUNKED + b"zz\r\nabc\r\n",
        "a chunk of 2^64": CHUNKED + b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    }.items():
        yield Case(
            f"line: {name}", "socket", lambda visitor, data=data: visitor.raw(data), EITHER | HUNG_UP | {501, 505}
        )
    for path in ("nothing", "__class__", "../detect", "detect%00", "detect/../../x", "ｄｅｔｅｃｔ", "1", "a" * 5000):
        yield Case(
            f"endpoint {path[:20]!r}",
            "call",
            lambda visitor, path=path: visitor.get(
                f"/gradio_api/call/{quote(path, safe='/.%')}", "POST", "Content-Length: 0\r\n"
            ),
        )
        yield Case(f"tool {path[:20]!r}", "mcp", lambda visitor, path=path: visitor.tool(path, image="data:,"))
    for event in ("x", "../../etc/passwd", "0" * 64, "%00"):
        yield Case(
            f"event {event[:20]!r}",
            "call",
            lambda visitor, event=event: visitor.get(f"/gradio_api/call/detect/{event}"),
            EITHER,
        )
    for index in (-1, 10**9, 10**30, "0", None, 1.5, [0], True):
        body = {"fn_index": index, "data": [{"path": "/etc/passwd", **META}], "session_hash": "x"}
        yield Case(
            f"function {index}",
            "run",
            lambda visitor, body=body: visitor.request("POST", "/gradio_api/run/predict", json=body),
            REFUSED | {500},
        )
    for name, headers in {
        "another site": {"Origin": "https://evil.example"},
        "no site": {"Origin": "null"},
        "another site by its mark": {"Sec-Fetch-Site": "cross-site"},
    }.items():
        for path in (
            "/predict",
            "/api/v1/explain",
            "/gradio_api/call/detect",
            "/gradio_api/upload",
            "/gradio_api/mcp/",
        ):
            yield Case(
                f"a page of {name}",
                path,
                lambda visitor, path=path, headers=headers: visitor.request("POST", path, headers=headers),
                frozenset({403}),
            )
    for method, params in {
        "nothing": {},
        "tools/call": {},
        "resources/read": {"uri": "file:///etc/passwd"},
        "prompts/get": {"name": "../../x"},
        "completion/complete": {"ref": {"type": "ref/resource", "uri": "file:///etc/passwd"}},
        "logging/setLevel": {"level": "debug"},
        "sampling/createMessage": {},
    }.items():
        yield Case(method, "mcp", lambda visitor, method=method, params=params: visitor.mcp(method, params))
    for path in (
        "/gradio_api/mcp/messages/?session_id=x",
        "/gradio_api/mcp/messages/?session_id=" + "0" * 32,
        "/gradio_api/mcp/x",
    ):
        yield Case(path[-30:], "mcp", lambda visitor, path=path: visitor.mcp("tools/list", path=path))
    for path in (
        "process_recording",
        "vibe-edit",
        "vibe-code",
        "vibe-starter-queries",
        "undo-vibe-edit",
        "component_server",
    ):
        yield Case(
            path,
            "closed",
            lambda visitor, path=path: visitor.post(f"/gradio_api/{path}", form(part(b"video", b"x")), FORM),
            frozenset({404}),
        )


def table() -> list[Case]:
    """Every case."""
    return [*of_pictures(), *of_paths(), *of_clips(), *of_bodies(), *of_requests()]
