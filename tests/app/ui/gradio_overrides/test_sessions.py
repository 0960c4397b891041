"""What visitors have open is forgotten whole, and in time."""

import asyncio
from datetime import datetime, timedelta

import gradio as gr
import numpy as np
import pytest
from gradio.state_holder import SessionState

from app.ui.gradio_overrides import sessions
from app.ui.session import Session
from models.types import Photo


@pytest.fixture
def holder():
    with gr.Blocks() as page:
        page.opened = gr.State(Session())
    made = sessions.SessionStore()
    made.set_blocks(page)
    made.capacity = 100
    return made


def visit(holder, name: str, away: float = 0, side: int = 10, closed: bool = False) -> None:
    """A session with a photo (side 0: with nothing open) that was last used so many seconds ago."""
    session = holder[name]
    if side:
        session[holder.blocks.opened._id] = Session("key", Photo(np.zeros((side, side, 3), np.uint8)))
    session.is_closed = closed
    holder.time_last_used[name] = datetime.now() - timedelta(seconds=away)


def left(holder) -> list[str]:
    holder.delete_all_expired_state()
    assert set(holder.time_last_used) == set(holder.session_data)
    return list(holder.session_data)


def test_a_session_goes_an_hour_after_the_last_action_and_sooner_once_its_page_is_closed(holder):
    visit(holder, "active", 3500)
    visit(holder, "idle", 3700)
    visit(holder, "phone", 500, closed=True)
    visit(holder, "gone", 700, closed=True)
    assert left(holder) == ["active", "phone"]


def test_a_call_of_a_program_holds_nothing_and_goes_after_ten_seconds(holder):
    visit(holder, "call", 8, side=0)
    visit(holder, "old call", 12, side=0)
    visit(holder, "visitor", 70)
    assert left(holder) == ["call", "visitor"]


def test_photos_have_room_for_those_who_were_here_last(holder, monkeypatch):
    monkeypatch.setattr(sessions, "PHOTOS", 2 * 300)
    for name in ("first", "second", "third"):
        visit(holder, name)
    holder["first"]  # is back
    assert left(holder) == ["third", "first"]


def test_a_lean_session_answers_as_gradios_own_and_holds_nothing_of_what_is_shown():
    with gr.Blocks() as page:
        asked, shown, counted = gr.Textbox(), gr.Textbox(label="shown"), gr.State(0)

        def shout(text, count):
            return gr.update(value=text.upper(), label=f"shown {count}"), count + 1

        event = asked.change(shout, [asked, counted], [shown, counted])
    function = page.fns[event["id"]]
    answers = []
    for kind in (SessionState, sessions.LeanSession):
        session = kind(page)
        for _ in range(2):
            answer = asyncio.run(page.process_api(function, ["face", None], state=session))
        answers.append(answer["data"])
        assert session.state_data == {counted._id: 2} and session[shown._id].label == "shown 1"
    assert answers[0] == answers[1] and answers[0][0]["value"] == "FACE"
    assert len(list(SessionState(page).components)) == len(page.blocks)
    assert "FACE" not in str(list(session.components)) and not list(sessions.LeanSession(page).components)


def test_the_store_makes_lean_sessions_and_keeps_them(holder):
    first = holder["first"]
    assert isinstance(first, sessions.LeanSession) and holder["first"] is first
