import asyncio

import gradio as gr
import pytest
from gradio.components.api_component import Api

from app import error_messages
from app.ui.gradio_overrides import blocks
from app.ui.gradio_overrides.blocks import SafeBlocks
from models.errors import NoFaceError, PhotoTooSmallError, WeightsMismatchError


def test_our_errors_are_shown_in_their_own_words():
    error = NoFaceError("A face can be seen", "none", "Try another picture")
    assert blocks.visible(error).message == "A face can be seen. Received: none. Try another picture."


def test_an_error_that_gradio_wrapped_is_shown_in_its_own_words():
    wrapped = ValueError("jargon")
    wrapped.__cause__ = PhotoTooSmallError("A photo has pixels")
    assert blocks.visible(wrapped).message == "A photo has pixels."


def test_anything_else_is_one_neutral_sentence_and_a_log_without_its_message(caplog):
    name = "/".join(["", "home", "ann", "holiday.jpg"])
    try:
        raise OSError(name)
    except OSError as error:
        shown = blocks.visible(error)
    assert shown.message == error_messages.UNEXPECTED
    assert "OSError" in caplog.text and "test_blocks.py" in caplog.text
    assert name not in caplog.text


def test_why_weights_are_refused_stays_in_the_log(caplog):
    shown = blocks.visible(WeightsMismatchError("/srv/weights has the sha256 of its card"))
    assert shown.message == error_messages.UNAVAILABLE
    assert "/srv/weights" in caplog.text


def test_errors_that_are_shown_leave_no_trace_in_the_log():
    assert not blocks.visible(NoFaceError("x")).print_exception
    assert not blocks.visible(ValueError("x")).print_exception


def test_what_gradio_says_of_itself_is_not_shown():
    assert blocks.visible(gr.Error("Value: 1 is not in the list of choices: []")).message == error_messages.UNEXPECTED


def fail(number):
    raise NoFaceError(f"A face for {number}")


def fail_later(number):
    yield number
    raise RuntimeError("secret")


@pytest.fixture
def page():
    with SafeBlocks() as page:
        number = gr.Number()
        number.submit(fail, number, number)
        number.change(fail_later, number, number)
    return page


def test_every_call_is_guarded(page):
    with pytest.raises(gr.Error, match="A face for 3"):
        asyncio.run(page.process_api(0, [3]))


def test_generators_are_guarded(page):
    async def run():
        first = await page.process_api(1, [3])
        assert first["data"] == [3]
        await page.process_api(1, [3], iterator=first["iterator"])

    with pytest.raises(gr.Error, match="Something went wrong"):
        asyncio.run(run())


@pytest.mark.parametrize("later", [False, True])
def test_outputs_that_a_later_event_overtook_are_left_out(later, monkeypatch):
    """The later event comes while these are made ready for the page."""

    class Pair(tuple, blocks.Perishable):
        pass

    begun, postprocess = [], gr.Text.postprocess

    def slow(self, value):
        begun.extend([later] * later)
        return postprocess(self, value)

    def answer():
        pair = Pair(("old", "older"))
        pair.outdated = lambda: bool(begun)
        return pair

    monkeypatch.setattr(gr.Text, "postprocess", slow)
    with SafeBlocks() as page:
        gr.Button().click(answer, None, [gr.Text(), gr.Text()])
    data = asyncio.run(page.process_api(0, []))["data"]
    assert data == ([gr.skip()] * 2 if later else ["old", "older"])


@pytest.mark.parametrize(
    "value", [{"path": "/etc/hostname"}, [{"meta": {"_type": "gradio.FileData"}}], {"a": {"path": "x"}}]
)
def test_files_are_refused_where_no_picture_is_asked_for(page, value):
    with pytest.raises(gr.Error, match="A file was sent where no picture is asked for"):
        asyncio.run(page.process_api(0, [value]))


def test_arguments_that_do_not_fit_are_refused_with_advice(page):
    with pytest.raises(gr.Error, match="/gradio_api/info"):
        asyncio.run(page.process_api(0, []))


def test_a_caller_by_place_may_leave_out_what_has_a_default():
    with SafeBlocks() as page:
        number = gr.Number()
        inputs = [number, *(Api(value, {}, name) for name, value in (("turn", None), ("maps", "arrays")))]
        number.change(lambda *given: repr(given), inputs, gr.Text())

    def send(*values):
        return asyncio.run(page.process_api(0, list(values)))["data"][0]

    assert send(3) == send(3, None) == send(3, None, "arrays") == "(3, None, 'arrays')"
    assert send(3, 90) == "(3, 90, 'arrays')"
    with pytest.raises(gr.Error, match="/gradio_api/info"):
        send()
