"""Clips made by another library, odd ones and hostile ones among them."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from models import clip
from models.errors import ClipTooLargeError, EmptyClipError, ParameterError, UnreadableClipError

SIZE = 96, 64
CODECS = {"mp4": "mpeg4", "webm": "libvpx", "matroska": "mpeg4", "avi": "mpeg4", "mov": "mpeg4"}


def film(path, kind="mp4", times=tuple(range(0, 2000, 100)), size=SIZE, codec=None) -> bytes:
    """A clip whose upper left quarter is white, frame by frame a little brighter; times in milliseconds."""
    width, height = size
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec or CODECS[kind], rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for index, at in enumerate(times):
            pixels = np.full((height, width, 3), min(100, 2 * index), np.uint8)
            pixels[: height // 2, : width // 2] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


def sound(path) -> bytes:
    """A clip without pictures."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        for index in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, 1024 * index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture(scope="module")
def mp4(tmp_path_factory) -> bytes:
    return film(tmp_path_factory.mktemp("clips") / "film.mp4")


@pytest.mark.parametrize("kind", CODECS)
def test_every_kind_is_read_at_the_rate_that_is_asked_for(kind, tmp_path):
    frames = list(clip.read(film(tmp_path / "film", kind), rate=5))
    assert [frame.at for frame in frames] == pytest.approx(np.arange(0, 2, 0.2), abs=0.005)
    for frame in frames:
        assert frame.photo.size == SIZE and frame.photo.pixels.dtype == np.uint8
        assert frame.photo.pixels[4, 4].min() > 240 and frame.photo.pixels[-4, -4].max() < 120
    assert frames[-1].photo.pixels[-4, -4].mean() > frames[0].photo.pixels[-4, -4].mean() + 10


def test_times_are_those_of_the_container_and_not_counted_frames(tmp_path):
    times = (500, 530, 560, 1400, 1430, 2500, 2530)
    frames = list(clip.read(film(tmp_path / "film.mp4", times=times), rate=10))
    assert [frame.at for frame in frames] == pytest.approx([0, 0.9, 2.0], abs=0.002)


def test_a_rotation_flag_is_undone(mp4):
    at = mp4.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = struct.pack(">9i", 0, one, 0, -one, 0, 0, SIZE[1] << 16, 0, 1 << 30)
    first = next(iter(clip.read(mp4[:at] + matrix + mp4[at + 36 :])))
    assert first.photo.size == SIZE[::-1]
    assert first.photo.pixels[4, -4].min() > 240 and first.photo.pixels[4, 4].max() < 120, "turned clockwise"


def test_large_frames_are_reduced_and_huge_ones_refused(tmp_path):
    data = film(tmp_path / "large.mp4", times=(0, 100), size=(1600, 800))
    assert next(iter(clip.read(data))).photo.size == (720, 360)
    data = film(tmp_path / "huge.mp4", times=(0,), size=(4096, 2176))
    with pytest.raises(ClipTooLargeError, match="4096 x 2176"):
        list(clip.read(data))


def test_a_long_clip_is_refused_whether_its_header_says_so_or_not(tmp_path):
    hours = film(tmp_path / "hours.mp4", times=(0, 1000, 36_000_000))
    with pytest.raises(ClipTooLargeError, match="too long"):
        list(clip.read(hours))
    untold = film(tmp_path / "untold.webm", "webm", times=(0, 1000, 40_000))
    assert untold.count(b"\x44\x89\x88") == 1, "the element that holds the duration"
    untold = untold.replace(b"\x44\x89\x88", b"\xec\x89\x00")  # becomes one that holds nothing
    frames = clip.read(untold)
    assert [next(frames).at, next(frames).at] == [0, 1]
    with pytest.raises(ClipTooLargeError, match="over 30 seconds"):
        next(frames)


def test_too_many_frames_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(clip, "MAX_FRAMES", 5)
    with pytest.raises(ClipTooLargeError, match="too many frames"):
        list(clip.read(film(tmp_path / "film.mp4")))


def test_no_pictures_damage_and_other_files(mp4, tmp_path):
    with pytest.raises(UnreadableClipError, match="No pictures"):
        list(clip.read(sound(tmp_path / "sound.mp4")))
    with pytest.raises(UnreadableClipError):
        list(clip.read(mp4[: len(mp4) // 3]))
    for other in (b"\x89PNG\r\n\x1a\n" + bytes(60), b"GIF89a" + bytes(60), b"some text that is no clip", b"\0" * 64):
        with pytest.raises(UnreadableClipError, match="not a clip"):
            list(clip.read(other))
    with pytest.raises(EmptyClipError):
        list(clip.read(b""))
    with pytest.raises(ParameterError):
        list(clip.read(mp4, rate=0))
    with pytest.raises(ClipTooLargeError, match="20 MiB"):
        list(clip.read(mp4 + bytes(clip.MAX_BYTES)))


def test_mutated_clips_end_in_frames_or_in_a_sentence(mp4, tmp_path):
    webm = film(tmp_path / "film.webm", "webm")
    rng = np.random.default_rng(0)
    for data in (mp4, webm):
        for _ in range(6):
            broken = np.frombuffer(data, np.uint8).copy()
            broken[rng.integers(12, len(broken), 40)] = rng.integers(0, 256, 40)
            try:
                assert all(frame.photo.pixels.ndim == 3 for frame in clip.read(broken.tobytes(), rate=2))
            except (UnreadableClipError, ClipTooLargeError):
                pass


@pytest.mark.parametrize("kind", ["hls", "concat", "reference"])
def test_what_names_another_file_opens_nothing(kind, mp4, tmp_path, monkeypatch):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(mp4)
    playlists = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {secret}\n",
        "reference": f"[Reference]\nRef1={secret}\n",
    }
    data = playlists[kind].encode()
    with pytest.raises(UnreadableClipError, match="not a clip"):
        list(clip.read(data))
    monkeypatch.setattr(clip, "is_clip", lambda data: True)  # even past the first look
    with pytest.raises(UnreadableClipError, match="No pictures"):
        list(clip.read(data))


def test_a_decoder_that_crashes_hangs_or_babbles_ends_in_a_sentence(mp4, tmp_path, monkeypatch):
    monkeypatch.setattr(clip, "STALL_S", 1.0)
    for script in (
        "import os, sys; sys.stdin.buffer.read(); os.abort()",
        "import time; time.sleep(600)",
        "print('x' * 100000, flush=True)",
        'print(\'{"at": 0, "width": 9, "height": 9, "told": 0}\', flush=True)',
        "print('[1]', flush=True)",
    ):
        worker = tmp_path / "worker.py"
        worker.write_text(script)
        monkeypatch.setattr(clip, "WORKER", worker)
        with pytest.raises(UnreadableClipError, match="could not be decoded"):
            list(clip.read(mp4))


def test_the_decoder_ends_with_its_reader(mp4, monkeypatch):
    started = []
    popen = clip.subprocess.Popen
    monkeypatch.setattr(
        clip.subprocess, "Popen", lambda *args, **kwargs: started.append(popen(*args, **kwargs)) or started[0]
    )
    frames = clip.read(mp4)
    next(frames)
    frames.close()
    assert started[0].returncode is not None
