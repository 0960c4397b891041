import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app import main
from app import server as servers
from app.ui.gradio_overrides import graceful_server, queue
from models.errors import ParameterError
from tests import server

ROOT = Path(__file__).parents[2]
BROWSER = {"sec-fetch-site": "same-origin"}


# ---------------------------------------------------------------------------------------------- streams


class Visit:
    """A page that is open: what it sends and the stream of its answers."""

    def __init__(self, url: str, headers: dict):
        self.url, self.headers, self.session = url, headers, uuid.uuid4().hex
        self.said, self.ended = [], threading.Event()
        config = httpx.get(f"{url}config", timeout=600).json()
        self.call = next(entry["id"] for entry in config["dependencies"] if entry["api_name"] == "explained")

    def ask(self) -> str:
        """Ask for the page about a method: the call's name."""
        asked = {"data": ["gradcam"], "fn_index": self.call, "session_hash": self.session}
        answer = httpx.post(f"{self.url}gradio_api/queue/join", json=asked, headers=self.headers, timeout=600)
        return answer.raise_for_status().json()["event_id"]

    def listen(self) -> None:
        """Read the stream behind what follows."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        address = f"{self.url}gradio_api/queue/data?session_hash={self.session}"
        with httpx.stream("GET", address, headers=self.headers, timeout=600) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    self.said.append(json.loads(line.removeprefix("data: ")))
        self.ended.set()

    def answered(self, call: str, seconds: float = 600) -> bool:
        """Whether the answer to a call comes in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(m["msg"] == "process_completed" and m["event_id"] == call for m in list(self.said)):
                return True
            time.sleep(0.02)
        return False


def test_what_is_clicked_while_gradio_would_close_the_stream_is_answered_on_it(monkeypatch):
    monkeypatch.setattr(queue, "LINGER_S", 600)
    visit = Visit(server.start().url, BROWSER)
    first = visit.ask()
    visit.listen()
    assert visit.answered(first)
    assert not visit.ended.wait(0.5), "it lingers"
    assert visit.answered(visit.ask()), "without a new stream"
    assert not visit.ended.is_set()


def test_a_stream_closes_once_nothing_was_asked_for_a_while(monkeypatch):
    monkeypatch.setattr(queue, "LINGER_S", 0.3)
    visit = Visit(server.start().url, BROWSER)
    first = visit.ask()
    visit.listen()
    assert visit.answered(first)
    assert visit.ended.wait(600)
    assert visit.said[-1]["msg"] == "close_stream"
    second = visit.ask()
    visit.listen()
    assert visit.answered(second), "and the next click opens another one"


def test_a_program_has_its_stream_closed_at_once():
    visit = Visit(server.start().url, {})
    first = visit.ask()
    visit.listen()
    assert visit.answered(first)
    assert visit.ended.wait(600)


# ------------------------------------------------------------------------------------------------ ports


def test_a_port_that_is_taken_is_told_and_the_next_free_one_is_found():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ParameterError, match="free port"):
            servers.listen("127.0.0.1", port)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(servers, "FIRST_PORT", port)
            with servers.listen("127.0.0.1", None) as found:
                assert port < found.getsockname()[1] < port + servers.PORTS


def test_an_address_of_another_machine_is_told():
    with pytest.raises(ParameterError, match="GRADIO_SERVER_NAME"):
        servers.listen("192.0.2.77", 0)


@pytest.mark.parametrize("wrong", ["0", "65536", "-1", "http", "78.60", "٧"])
def test_a_port_that_is_none_is_told(monkeypatch, wrong):
    monkeypatch.setenv("GRADIO_SERVER_PORT", wrong)
    with pytest.raises(ParameterError, match="GRADIO_SERVER_PORT"):
        servers.asked_port()


@pytest.mark.parametrize(("given", "expected"), [("", None), (" ", None), ("7861", 7861)])
def test_the_port_that_is_asked_for(monkeypatch, given, expected):
    monkeypatch.setenv("GRADIO_SERVER_PORT", given)
    assert servers.asked_port() == expected


PRESSED = """
import os, resource
from app import main
most = max(map(int, os.listdir("/proc/self/fd"))) + 1
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
main.main()
"""
NO_ROOM = "The server failed for want of files, memory or disk. Received: "


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files")
def test_a_start_without_files_ends_in_a_sentence():
    done = subprocess.run([sys.executable, "-c", PRESSED], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(NO_ROOM)


@pytest.mark.parametrize("refused", [RuntimeError("can't start new thread"), MemoryError()])
def test_a_start_without_threads_or_memory_ends_in_a_sentence(monkeypatch, refused):
    def launch():
        raise refused

    monkeypatch.setattr(main, "configure_logging", lambda: None)
    monkeypatch.setattr(main, "raise_file_limit", lambda: None)
    monkeypatch.setattr(main, "launch", launch)
    with pytest.raises(SystemExit, match=NO_ROOM):
        main.main()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process for which a limit can be lowered for good")
def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be():
    process = os.fork()
    if not process:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 300))
            servers.raise_file_limit()
        finally:
            os._exit(resource.getrlimit(resource.RLIMIT_NOFILE)[0] != 300)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


# ---------------------------------------------------------------------------------------------- the end


PATIENCE = 600
"""Seconds until a test gives up; what it waits for comes far sooner, on any machine."""


def until(condition) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether somebody accepts connections on a port."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def slow_server(folder: Path, grace: float):
    """A process of `tests.app.slow_server`, its port, and the answers to a request that runs in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.app.slow_server", str(folder), str(port), str(grace)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"FACEWHY_RATE": "off"})
    answers: list[int] = []

    def ask():
        picture = (ROOT / "examples" / "astronaut.jpg").read_bytes()
        try:
            answer = httpx.post(f"http://127.0.0.1:{port}/predict", files={"file": picture}, timeout=PATIENCE)
            answers.append(answer.status_code)
        except httpx.TransportError:
            answers.append(0)

    asking = threading.Thread(target=ask)
    try:
        until(lambda: listens(port) or process.poll() is not None)
        asking.start()
        until((folder / "began").exists)
        yield process, port, answers
        asking.join(PATIENCE)
    finally:
        process.kill()
        process.wait()


@pytest.mark.timeout(2 * PATIENCE)
def test_what_runs_at_sigterm_is_finished_and_an_idle_page_holds_nothing_up(tmp_path):
    with slow_server(tmp_path, grace=PATIENCE) as (process, port, answers):
        visit = Visit(f"http://127.0.0.1:{port}/", BROWSER)
        first = visit.ask()
        visit.listen()
        assert visit.answered(first)
        process.send_signal(signal.SIGTERM)
        until(lambda: not listens(port))
        assert visit.ended.wait(PATIENCE) and answers == []
        (tmp_path / "go").touch()
        assert process.wait(PATIENCE) == 0
        until(lambda: answers)
        assert answers == [422], "the answer is that there is no face, and it came"


@pytest.mark.timeout(2 * PATIENCE)
def test_what_does_not_end_is_left_behind_before_docker_kills_it(tmp_path):
    with slow_server(tmp_path, grace=0.1) as (process, port, answers):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        until(lambda: answers)
    assert 0 < graceful_server.GRACE < graceful_server.LAST_RESORT < 10
