"""A clip of a portrait that moves is read as persons over time."""

import csv
import io
import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from app import clips, pipeline
from app.ui.render import charts, clip_view
from models.types import EMOTIONS


def film(path, pixels, count=10, rate=5, move=(3, 2), blank=()) -> bytes:
    """A clip, as MP4, through which a picture moves; `blank` frames are grey."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 480, 360, "yuv420p", 4_000_000
        for index in range(count):
            shift = np.float32([[1, 0, move[0] * index], [0, 1, move[1] * index]])
            shown = cv2.warpAffine(pixels, shift, (480, 360), borderMode=cv2.BORDER_REPLICATE)
            frame = av.VideoFrame.from_ndarray(np.full_like(shown, 128) if index in blank else shown, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture(scope="module")
def found(astronaut, tmp_path_factory) -> clips.Clip:
    data = film(tmp_path_factory.mktemp("clip") / "film.mp4", astronaut.pixels)
    return clips.whole(data, "cnn", rate=5)


def test_a_person_is_followed_and_asked_about_at_every_moment(found):
    assert found.finished and [moment.at for moment in found.moments] == pytest.approx(np.arange(10) / 5, abs=0.01)
    (person,) = found.persons
    times, raw, smooth = found.timeline(person)
    assert raw.shape == smooth.shape == (10, 7) and times[-1] == pytest.approx(1.8, abs=0.01)
    assert np.allclose(raw.sum(1), 1, atol=1e-4) and np.allclose(smooth.sum(1), 1, atol=1e-4)
    boxes = np.array([sighting.box for _, sighting in found.of(person)])
    steps = np.diff((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0)
    assert np.abs(steps.mean(0) - [3, 2]).max() < 1


def test_a_moment_says_what_its_frame_as_a_photo_says(found):
    moment = found.moments[4]
    faces = pipeline.faces_in(moment.photo)
    expected = pipeline.predict("cnn", faces)[0]
    assert moment.sightings[0].prediction.emotion == expected.emotion
    assert np.abs(moment.sightings[0].prediction.probabilities - expected.probabilities).max() < 0.2


def test_smoothing_by_hand():
    times, values = np.array([0.0, 1.0]), np.array([[1.0], [0.0]])
    weight = np.exp(-1.0)
    assert clips.smoothed(times, values, 1.0).ravel() == pytest.approx([1 / (1 + weight), weight / (1 + weight)])
    assert clips.smoothed(times[:0], values[:0], 1.0).shape == (0, 1)


def test_the_numbers_are_the_same_as_csv_as_json_and_on_the_chart(found):
    table = list(csv.DictReader(io.StringIO(clips.as_csv(found))))
    _, raw, smooth = found.timeline(found.persons[0])
    assert len(table) == 10 and {row["person"] for row in table} == {"1"}
    for index, row in enumerate(table):
        assert [float(row[name]) for name in EMOTIONS] == pytest.approx(raw[index], abs=1e-4)
        assert [float(row[f"{name}_smoothed"]) for name in EMOTIONS] == pytest.approx(smooth[index], abs=1e-4)
    assert json.loads(json.dumps(list(clips.rows(found))))[3]["seconds"] == float(table[3]["seconds"])
    lines = {trace.name: trace for trace in charts.timeline(found, found.persons[0]).data if trace.mode == "lines"}
    assert list(lines) == list(EMOTIONS)
    assert np.array(lines["happy"].y) == pytest.approx(100 * smooth[:, EMOTIONS.index("happy")])
    assert list(lines["happy"].customdata) == list(range(10))


def test_nobody_in_sight_is_said_and_nothing_fails(tmp_path, astronaut):
    data = film(tmp_path / "film.mp4", astronaut.pixels, count=3, blank=range(3))
    empty = clips.whole(data, "cnn")
    assert empty.persons == () and clips.as_csv(empty) == "seconds,person\n"
    assert "No face is found" in clip_view.summary(empty) and "no face is found" in clip_view.moment(empty, 0)


def test_what_is_kept_of_a_clip_is_counted(found):
    assert found.nbytes == sum(len(moment.jpeg) for moment in found.moments) > 10_000
    assert found.moments[0].photo.size == (480, 360)
