import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from gradio.data_classes import PredictBodyInternal

from app import main
from app.serving import admission
from app.ui import theme
from app.ui.gradio_overrides.queue import MOST, busy

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page():
    return main.build()


def test_only_the_endpoints_are_public(page):
    public = {event.api_name for event in page.fns.values() if event.api_visibility == "public"}
    assert public == {
        "detect",
        "predict",
        "keypoints",
        "explain",
        "trust",
        "report",
        "compare",
        "lab",
        "video",
        "dataset",
        "glass_box",
    }


def test_the_page_names_no_other_host(page):
    sources = json.dumps(page.get_config_file(), default=str) + theme.build()._get_theme_css()
    sources += Path(main.__file__).parent.joinpath("ui", "static", "page.css").read_text(encoding="utf-8")
    hosts = set(re.findall(r"https?://([\w.-]+)", sources)) - {"www.w3.org", "localhost"}
    assert hosts == set()


def test_the_queue_is_bounded_and_files_are_deleted(page):
    assert page._queue.max_size == MOST
    frequency, age = page.delete_cache
    assert frequency <= 600 and age <= 3600


@pytest.mark.parametrize("start", [["app/main.py"], ["-m", "app"]])
def test_every_way_to_start_finds_the_packages(start, tmp_path):
    script = (
        "import runpy, sys, uvicorn\n"
        "uvicorn.Server.run = lambda self, sockets: print('started', sockets[0].getsockname())\n"
        f"sys.argv = {start[-1:]!r}\n"
        f"sys.path[0] = {str(ROOT / 'app') if start[0] != '-m' else str(ROOT)!r}\n"
        + (
            f"runpy.run_path({str(ROOT / 'app/main.py')!r}, run_name='__main__')"
            if start[0] != "-m"
            else "runpy.run_module('app', run_name='__main__')"
        )
    )
    environment = os.environ | {"GRADIO_SERVER_NAME": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert "started ('127.0.0.1', " in done.stdout, done.stderr


def test_what_computes_waits_in_its_queue(page):
    """Explanations, on the page and through the API, never take the places of predictions."""
    queue_of = {event.name: event.concurrency_id for event in page.fns.values() if event.fn}
    expected = {
        "predict": admission.PREDICT,
        "read": admission.PREDICT,
        "judge": admission.EXPLAIN,
        "lab": admission.EXPLAIN,
        "glass_box": admission.PREDICT,
    }
    assert {name: queue_of[name] for name in expected} == expected
    for event in page.fns.values():
        if event.concurrency_id in admission.AT_ONCE:
            assert event.concurrency_limit == admission.AT_ONCE[event.concurrency_id], event.name


@pytest.mark.parametrize("name_of_queue", [admission.PREDICT, admission.EXPLAIN])
def test_a_full_queue_says_so_and_leaves_the_other_open(page, name_of_queue):
    queue = page._queue
    first = {
        name: next(key for key, event in page.fns.items() if event.concurrency_id == name) for name in admission.AT_ONCE
    }

    def push(name):
        body = PredictBodyInternal(data=[], fn_index=first[name], session_hash="visitor")
        coming = queue.push(body, SimpleNamespace(headers={}, scope={}), None)
        with ThreadPoolExecutor(1) as thread:  # a test of the browser may have left a loop running in this one
            return thread.submit(asyncio.run, coming).result()

    other = next(name for name in admission.AT_ONCE if name != name_of_queue)
    try:
        answers = [
            push(name_of_queue) for _ in range(admission.AT_ONCE[name_of_queue] + admission.WAITING[name_of_queue] + 1)
        ]
        assert all(pushed for pushed, *_ in answers[:-1])
        pushed, said, state = answers[-1]
        assert not pushed and state == "queue_full" and said == busy(admission.WAITING[name_of_queue])
        assert push(other)[0]
    finally:
        queue.event_queue_per_concurrency_id.clear()
        queue._leave_removed()


def test_what_fails_while_the_process_ends_is_no_error(monkeypatch, capsys):
    def broken():
        raise ValueError("TensorFlow is half gone")

    monkeypatch.setattr(main, "warm", broken)
    server = SimpleNamespace(wait=lambda: None, url="http://localhost:7860/")
    with pytest.raises(ValueError, match="half gone"):
        main.open_and_warm(server)
    ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join()
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    main.open_and_warm(server)
    assert capsys.readouterr().out == 2 * "FaceWhy is open on http://localhost:7860/\n"
