"""The photo, its faces, and what the three models see in the chosen one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from app import error_messages, pipeline, text
from app.ui import queues, scripts, session
from app.ui.cancellation import Cancellation
from app.ui.gradio_overrides import events
from app.ui.photo_input import PhotoSource
from app.ui.render import charts, glance, glass_box, html, pictures
from app.ui.session import Session
from app.ui.tabs import PRIVATE, SKIP, Shared, waiting_place
from explain.base import Explanation, Target
from models import photo, upright, zoo
from models.errors import FaceWhyError, WeightsError
from models.moved_crops import CropSensitivity
from models.types import EMOTIONS, Photo, Prediction

TITLE = "Predict"
EXAMPLES = Path(__file__).parents[3] / "examples"
THUMBNAIL = 112
WELCOME = html.fill("welcome")
WAITING = html.note("The faces are found. The three models are reading them…")


class View(NamedTuple):
    """The outputs of the tab; `source` is emptied for the next photo."""

    source: Any = SKIP
    session: Any = SKIP
    picture: Any = SKIP
    strip: Any = SKIP
    notice: Any = SKIP
    whole: Any = SKIP
    sure: Any = SKIP
    chart: Any = SKIP
    table: Any = SKIP
    glass: Any = SKIP
    close_up: Any = SKIP
    maps: Any = SKIP


class Glance:
    """Whose small maps are wanted and whose are there, see `name_of`; lives in a `gr.State`."""

    def __init__(self) -> None:
        self.wanted = self.there = ""


@dataclass(frozen=True, eq=False)
class Steady:
    """What became of a face's answers in crops a little off.

    Attributes:
        face: which face of which photo.
        found: see `pipeline.crop_sensitivity`.
    """

    face: str = ""
    found: dict[str, CropSensitivity] = field(default_factory=dict)


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    with gr.Row(elem_classes="fw-columns fw-predict"):
        with gr.Column(scale=6, min_width=320, elem_classes="fw-shown"):
            picture = gr.HTML(js_on_load=scripts.read("select"), elem_id="photo")
            turn = gr.Button("↻ Turn by 90°", size="sm", elem_id="turn")
            strip = gr.HTML(js_on_load=scripts.read("select"), elem_id="faces")
        with gr.Column(scale=5, min_width=320, elem_classes="fw-answer"):
            _, waits = waiting_place()
            notice = gr.HTML(WELCOME, elem_id="notice")
            sure = gr.HTML(elem_id="sure")
            whole = gr.Button("Use the whole picture", visible=False, elem_id="whole-picture")
            maps = gr.HTML(js_on_load=scripts.read("select"), elem_id="glance")
            chart = gr.Plot(show_label=False, container=False, visible=False, elem_id="probabilities")
            table = gr.HTML(elem_id="numbers")
            glass = gr.HTML(elem_id="glass-box")
            close_up = gr.HTML(elem_id="keypoints")
        with gr.Column(scale=6, min_width=320, elem_classes="fw-given"):
            source = PhotoSource(
                label="Photo",
                sources=["upload", "webcam", "clipboard"],
                height=250,
                buttons=[],
                elem_id="source",
                webcam_options=gr.WebcamOptions(mirror=False),
                placeholder="Drop a photo here\nor click to choose one",
            )
        with gr.Column(scale=5, min_width=320, elem_classes="fw-given-next"):
            gallery = gr.HTML(thumbnails(), js_on_load=scripts.read("select"), elem_id="examples")
    view = View(source, shared.session, picture, strip, notice, whole, sure, chart, table, glass, close_up, maps)
    when = gr.Number(visible=False)
    steady = gr.State(Steady())
    outputs, asked = [*view], [shared.reading, shared.session, when]
    clocked = waits | queues.PREDICTS | {"js": scripts.read("when")}
    given = [
        source.input(read, [*asked, source], outputs, **clocked),
        gallery.select(read_example, asked, outputs, **clocked),
        whole.click(read_whole, asked, outputs, **clocked),
        turn.click(read_turned, asked, outputs, **clocked),
    ]
    for event in given[:2]:
        event.then(None, js=scripts.read("to_top"))
    shown = [
        *given,
        gr.on([picture.select, strip.select], choose, shared.session, outputs, **PRIVATE),
        shared.tab.select(arrive, shared.session, outputs, **PRIVATE),
    ]
    seen = gr.State(Glance())
    for event in shown:
        event.then(announce, [seen, shared.session], maps, **PRIVATE, queue=False).then(
            look, [shared.reading, seen, shared.session], maps, **PRIVATE, **queues.PREVIEWS
        )
        event.then(
            in_moved_crops, [shared.reading, shared.session, steady], [steady, sure], **PRIVATE, **queues.PREVIEWS
        )
    maps.select(want, shared.session, shared.wanted, **PRIVATE, queue=False).then(None, js=scripts.read("open_explain"))


def read(cancellation: Cancellation, current: Session, when: float, take: Callable[[], Photo] | None) -> Iterator[View]:
    """Read a photo, show the one that was given last, and empty the dropzone for the next one."""
    if take is None:
        yield View()
        return
    for view in _read(cancellation, current, when, take):
        yield view._replace(source=None)


def read_example(cancellation: Cancellation, current: Session, when: float, event: gr.EventData) -> Iterator[View]:
    """Read an example that the visitor picked."""
    paths, index = example_paths(), events.data(event).get("index")
    if index in range(len(paths)):
        yield from _read(cancellation, current, when, lambda: photo.read(paths[index]))


def read_whole(cancellation: Cancellation, current: Session, when: float) -> Iterator[View]:
    """Read the photo again, and take all of it as the face."""
    if (picture := current.photo) is not None:
        yield from _read(cancellation, current, when, lambda: picture, 0, True, current.by_hand)


def read_turned(cancellation: Cancellation, current: Session, when: float) -> Iterator[View]:
    """The photo again, turned by the visitor, also where it is still being read."""
    picture = cancellation.photo or current.photo
    if picture is not None:
        turned = upright.turned(picture, 90)
        yield from _read(cancellation, current, when, lambda: turned, 0, current.guessed, True)


def _read(
    cancellation: Cancellation,
    current: Session,
    when: float,
    take: Callable[[], Photo],
    turn: int | None = None,
    whole: bool = False,
    by_hand: bool = False,
) -> Iterator[View]:
    """A photo, its faces and what the models see, step by step, until a later one is given.

    Args:
        cancellation, when: see `Cancellation.begin`.
        current: what is shown; it stays where the photo cannot be read.
        take: reads the photo.
        turn: see `pipeline.detections`.
        whole: take the whole picture as the face where none is found.
        by_hand: whether the visitor has turned it.
    """
    token = cancellation.begin(when, TITLE)
    if cancellation.over(token):
        return
    yield View(notice=html.fill("reading", earlier=current.photo is not None))
    try:
        picture = take()
        if cancellation.over(token):
            return
        cancellation.photo = picture
        found = pipeline.detections(picture, turn, whole)
        if cancellation.over(token):
            return
        cancellation.photo = found.photo
        new = session.opened(found.photo, found.faces, by_hand)
        view = show(new)
        if new.faces:  # the session waits for the models, so that no tab works with half of it
            view = view._replace(session=SKIP, notice=WAITING, whole=gr.Button(visible=False))
        yield view._replace(maps="")
        if new.faces and not cancellation.over(token):
            answered = predicted(new)
            if not cancellation.over(token):
                yield show(answered)
    except Exception as error:
        sentence = error_messages.message(error)
        if not cancellation.over(token):
            yield failed(current, sentence)
    finally:
        if not cancellation.over(token):
            cancellation.photo = None


def arrive(current: Session) -> View:
    """What is open, which may have come from another tab; the session stays, for a newer one may come meanwhile."""
    return show(current)._replace(session=SKIP)


def failed(current: Session, sentence: str) -> View:
    """Why the photo cannot be read; what is shown stays, and is said to be of the photo before."""
    notice = html.fill("photo_failed", sentence=sentence, earlier=current.photo is not None, below=notice_of(current))
    return show(current)._replace(notice=notice)


def choose(current: Session, event: gr.EventData) -> View:
    """Another face of the photo."""
    return show(current.choose(events.data(event).get("index")))


def announce(seen: Glance, current: Session) -> Any:
    """Room for the small maps, unless those of this face are there or on their way."""
    if seen.wanted == name_of(current):
        return SKIP
    seen.wanted, seen.there = name_of(current), ""
    return glance.glance(current, readable(current), {}) if current.face_predictions else ""


def look(reading: Cancellation, seen: Glance, current: Session) -> Iterator[str]:
    """The small maps, one after the other, until another photo is given or another face chosen.

    Args:
        reading: counts the photos.
        seen: whose maps are wanted and there.
        current: what is shown.
    """
    photo, name, answers = reading.latest, name_of(current), readable(current)
    made, usual = dict[str, Explanation](), dict[str, Any]()
    for model, prediction in answers.items():
        if reading.over(photo) or seen.wanted != name or seen.there == name:
            return
        try:
            made[model] = preview(current, model, prediction)
        except FaceWhyError:  # an answer without its map is still an answer
            seen.there = name
            yield ""
            return
        if not reading.over(photo) and seen.wanted == name:
            usual[model] = pipeline.average_shares(made[model], prediction.version)
            yield glance.glance(current, answers, made, usual)
    if answers and seen.wanted == name and len(made) == len(answers):
        seen.there = name


def want(current: Session, event: gr.EventData) -> str:
    """The network whose small map the visitor has chosen."""
    names, index = list(readable(current)), events.data(event).get("index")
    return names[index] if index in range(len(names)) else ""


def in_moved_crops(reading: Cancellation, current: Session, known: Steady) -> tuple[Any, Any]:
    """Behind the answer: what becomes of it in crops a little off, each face asked about once; and how sure it is.

    Nothing is shown where another photo has come meanwhile, which `reading` counts.
    """
    photo, face = reading.latest, f"{current.key} {current.chosen}"
    if not current.face_predictions:
        return SKIP, SKIP
    if known.face != face:
        try:
            found = pipeline.crop_sensitivity(*current.opened, current.face_predictions)
        except WeightsError:  # a model is gone: the answer stands, and this word on it is left out
            return SKIP, SKIP
        known = Steady(face, found)
    if reading.over(photo):
        return SKIP, SKIP
    return known, sure(current, known.found)


def sure(current: Session, moved: dict[str, CropSensitivity] | None = None) -> str:
    """How far the answer can be relied on: the labels that stay possible, and what becomes of it in other crops."""
    answers = list(everyone(current).values())
    if not answers or current.guessed:
        return ""
    last, rows = answers[-1], list((moved or {}).items())
    return html.fill(
        "sure",
        likely=text.likely(last),
        steady=text.steady(rows[-1][1]) if rows else "",
        rows=rows,
        crops=rows[0][1].crops if rows else 0,
    )


def predicted(current: Session) -> Session:
    """The session with what the models say, each and together."""
    predictions = pipeline.predictions_for(list(current.faces))
    together = pipeline.mean(predictions) if len(predictions) > 1 else ()
    return session.with_predictions(current, predictions, together)


def show(current: Session) -> View:
    """The session and everything that the tab shows of it."""
    answers = everyone(current)
    chart = gr.Plot(charts.probabilities(list(answers.values())), visible=True) if answers else gr.Plot(visible=False)
    return View(
        session=current,
        picture=pictures.photo(current),
        strip=pictures.strip(current),
        notice=notice_of(current),
        sure=sure(current),
        whole=gr.Button(visible=lost(current)),
        chart=chart,
        table=numbers(current),
        glass=glass_box.panel(current.face) if current.face and answers else "",
        close_up=pictures.close_up(current),
    )


def everyone(current: Session) -> dict[str, Prediction]:
    """What each model and their mean say about the chosen face."""
    together = current.face_together
    return current.face_predictions | ({together.model: together} if together else {})


def lost(current: Session) -> bool:
    """Whether there is a photo without a face."""
    return current.photo is not None and not current.faces


def notice_of(current: Session) -> str:
    """What the models see, or what is to be done."""
    if current.face_predictions:
        return html.verdict(current, text.verdict(current.face_predictions, current.face_together))
    if current.photo is None or current.faces:
        return WAITING if current.photo else WELCOME
    return html.fill("no_face", odd=text.odd(current.photo))


def numbers(current: Session) -> str:
    """The chart as a table."""
    answers = everyone(current)
    if not answers:
        return ""
    rows = [
        (emotion, [answer.probabilities[index] for answer in answers.values()])
        for index, emotion in enumerate(EMOTIONS)
    ]
    return html.fill("numbers", names=list(answers), rows=rows)


def readable(current: Session) -> dict[str, Prediction]:
    """What the networks that can be explained see in the chosen face."""
    return {name: answer for name, answer in current.face_predictions.items() if name in zoo.EMOTION_MODELS}


def name_of(current: Session) -> str:
    """Which face of which photo is open; "" for none."""
    return f"{current.key} {current.chosen}" if current.face_predictions else ""


def preview(current: Session, name: str, prediction: Prediction) -> Explanation:
    """Why a network answers as it does, by the method that its table of trust recommends."""
    face, method = current.opened[1], pipeline.recommended(name)
    return pipeline.explain(name, face, Target(prediction.top), method, version=prediction.version)


@cache
def example_paths() -> tuple[Path, ...]:
    """The pictures that ship, by name."""
    return tuple(sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png")))


def thumbnails() -> str:
    """The examples to pick from."""
    named = {path.stem.replace("composite_", "average ").replace("_", " "): path for path in example_paths()}
    small = [(name, pictures.thumbnail(photo.read(path), THUMBNAIL)) for name, path in named.items()]
    return html.fill("examples", examples=small)
