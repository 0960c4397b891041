"""The handlers of the tabs Live and Clips as plain functions."""

import re
import time
from types import SimpleNamespace

import gradio as gr
import pytest

from app import clips as app_clips
from app import live as app_live
from app.live import Stream
from app.serving import seats
from app.serving.seats import Seats
from app.ui.cancellation import Cancellation
from app.ui.photo_input import FRAME, FrameSource
from app.ui.render import html, live_view, pictures
from app.ui.tabs import SKIP, clips, live
from models.errors import PhotoError, UnreadableClipError
from tests.app.test_clips import film


@pytest.fixture
def places(monkeypatch) -> Seats:
    found = Seats(1)
    monkeypatch.setattr(seats, "current", lambda: found)
    return found


def test_a_frame_shows_marks_and_numbers(one, places):
    view = live.frame(lambda: one.photo, Stream(), "cnn", True, 0.4)
    assert view.marks.count("<circle") == 15 and 'class="first"' in view.marks and "fw-live-heat" in view.marks
    assert view.numbers.count("<tr") == 8 and "to the CNN" in view.numbers and "hardly tells one face" in view.numbers
    view = live.frame(lambda: one.photo, Stream(), "cnn", True, 0.4)
    assert view.marks == "" and "you are next" in view.numbers, "the one place is taken"
    assert "The one place for a live camera is taken" in view.numbers
    many = html.fill("live_waiting", line=3, places=2, minutes="9 minutes")
    assert "All 2 places for live cameras are taken, and you are number 3 in line." in many


def test_a_neutral_face_that_is_lost_is_said_to_be_and_there_is_nothing_to_forget(one, places):
    stream = Stream()
    assert live.frame(lambda: one.photo, stream, "cnn", False, 0.4).forget == SKIP
    live.hold_neutral(stream)
    stream._until = -1.0
    stream._baseline, stream._of = one.face_predictions["cnn"].probabilities, 1
    view = live.frame(lambda: one.photo, stream, "cnn", False, 0.4)
    assert "points against your neutral face" in view.numbers and view.forget == SKIP
    view = live.frame(lambda: one.photo, stream, "resnet", False, 0.4)
    assert live_view.LOST["network"] in view.numbers and not view.forget.visible
    assert set(live_view.LOST) == set(app_live.LOST)


def test_what_opens_a_stream_is_no_frame_and_a_broken_one_is_a_sentence(places):
    stream = Stream()
    assert live.frame(None, stream, "cnn", False, 0.4) == live.View()

    def broken():
        raise PhotoError("A frame is cut off", "half of it", "Look again")

    assert "A frame is cut off." in live.frame(broken, stream, "cnn", False, 0.4).numbers


def test_nobody_in_sight_is_said(plain, places):
    view = live.frame(lambda: plain, Stream(), "cnn", False, 0.4)
    assert "No face is in sight" in view.numbers and "<rect" not in view.marks


def test_a_frame_is_kept_as_the_photo_of_all_tabs(one, plain):
    stream = Stream()
    assert [kept.notice for kept in live.keep_frame(Cancellation(), stream, 1.0)] == [live.NOTHING_KEPT]
    assert live.hold_neutral(stream).notice == live.NOTHING_KEPT
    stream.photo = one.photo
    *_, last = live.keep_frame(Cancellation(), stream, 1.0)
    assert last.session.photo is one.photo and last.session.face_predictions and last.notice == live.KEPT
    stream.photo = plain
    *_, last = live.keep_frame(Cancellation(), stream, 1.0)
    assert last.session.faces == () and last.notice == live.NO_FACE_KEPT


def test_frames_come_in_data_addresses_and_nothing_else_is_opened(one, tmp_path):
    source = FrameSource(sources=["webcam"], streaming=True)
    assert source.preprocess(None) is None
    address = pictures.jpeg(one.photo.pixels)
    take = source.preprocess(source.data_model(url=address))
    assert take().size == one.photo.size and address.startswith(FRAME)
    for other in ("https://a.example/a.jpg", "data:text/html;base64,AA==", f"{FRAME}!!", f"file://{tmp_path}"):
        with pytest.raises(PhotoError):
            source.preprocess(source.data_model(url=other))()


def test_a_place_in_line_is_told_in_minutes():
    assert live.minutes(1) == "a minute" and live.minutes(3) == "3 minutes"


# --------------------------------------------------------------------- clips


@pytest.fixture(scope="module")
def data(astronaut, tmp_path_factory) -> bytes:
    return film(tmp_path_factory.mktemp("clip") / "film.mp4", astronaut.pixels, count=6)


def read(take, known=None, cancellation=None, asked="cnn"):
    return clips.read_clip(cancellation or Cancellation(), known, time.time(), take, asked)


def test_a_clip_is_read_step_by_step_and_shown_with_its_first_person(data, monkeypatch):
    monkeypatch.setattr(clips, "SHOWN_S", 0)
    first, *between, last = read(lambda: data)
    assert "<progress" in first.notice and first.stop.visible
    assert len(between) == len(last.clip.moments)
    assert all(f"{count} moments are read" in view.notice for count, view in enumerate(between, 1))
    assert all(view.clip == SKIP for view in between), "what is open is what is shown"
    assert last.source is None and last.results.visible and not last.person.visible and not last.stop.visible
    assert last.clip.finished and "Person 1" in last.notice and re.search(r"looks <b>\w+</b> in \d of \d", last.notice)
    assert last.strip.count("<button") == len(last.clip.moments) and "data:text/csv" in last.downloads
    *_, opened = clips.open_moment(Cancellation(), last.clip, 1.0, 2)
    assert opened.session.face_predictions and opened.said == clips.OPENED
    assert not any(list(clips.open_moment(Cancellation(), *given)) for given in [(last.clip, 1.0, 99), (None, 1.0, 0)])
    *_, opened = clips.choose(Cancellation(), last.clip, 1.0, SimpleNamespace(_data={"index": 0}))
    assert opened.session.photo.size == (480, 360)
    assert clips.choose_person(last.clip, 77) is SKIP and isinstance(clips.choose_person(last.clip, 1), gr.Plot)


def test_of_two_moments_the_one_that_was_chosen_last_is_opened(data):
    found, reading = app_clips.whole(data, "cnn"), Cancellation()
    slow = clips.open_moment(reading, found, 1.0, 0)
    next(slow)
    *_, later = clips.open_moment(reading, found, 2.0, 1)
    assert later.session.face_predictions
    assert list(slow) == [clips.Opened()], "nor is anything said over what is said of the later one"
    assert list(clips.open_moment(reading, found, 1.5, 2)) == [], "its turn came late"


def test_a_clip_stops_where_the_visitor_says_so(data, monkeypatch):
    monkeypatch.setattr(clips, "SHOWN_S", 0)
    cancellation = Cancellation()
    running = read(lambda: data, known=app_clips.whole(data, "cnn"), cancellation=cancellation)
    next(running)
    assert clips.EARLIER in next(running).notice
    assert clips.stopped(cancellation).notice == clips.STOPPED
    [last] = running
    assert len(last.clip.moments) == 2 and last.results.visible and last.strip.count("<button") == 2
    assert last.notice.startswith(clips.STOPPED) and "2 moments in" in last.notice

    running = read(lambda: data, cancellation=cancellation)
    next(running)
    clips.stopped(cancellation)
    *_, last = read(lambda: data, cancellation=cancellation)
    assert list(running) == [], "another clip was given since"


def test_a_clip_that_is_stopped_before_its_first_moment_leaves_the_one_before(monkeypatch):
    cancellation = Cancellation()

    def slow():
        clips.stopped(cancellation)
        raise UnreadableClipError("The file is not a clip", "9 bytes", "Save it as MP4")

    *_, last = read(slow, known=object(), cancellation=cancellation)
    assert last == clips.View(source=None, notice=clips.STOPPED_EMPTY)


def test_a_clip_that_fails_on_its_way_leaves_the_one_before_open(data, monkeypatch):
    monkeypatch.setattr(clips, "SHOWN_S", 0)
    really = app_clips.read

    def broken(*given):
        moments = really(*given)
        yield next(moments)
        raise UnreadableClipError("The film breaks off", "half of it", "Save it again")

    monkeypatch.setattr(clips.clips, "read", broken)
    views = list(read(lambda: data, known=object()))
    assert all(view.clip == SKIP and view.results == SKIP for view in views)
    assert "The film breaks off" in views[-1].notice and clips.EARLIER in views[-1].notice


def test_what_cannot_be_read_is_a_sentence_and_what_is_shown_stays():
    def broken():
        raise UnreadableClipError("The file is not a clip", "9 bytes", "Save it as MP4")

    *_, last = read(broken, known=object())
    assert (
        "The file is not a clip. Received: 9 bytes. Save it as MP4." in last.notice
        and "of the clip before" in last.notice
    )
    assert last.clip == gr.skip() and last.results == gr.skip()
    assert list(read(None)) == [clips.View()]
