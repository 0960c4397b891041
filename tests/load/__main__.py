"""Print what the server holds: throughput, waiting times and memory."""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import quantiles

import httpx

from app.serving.memory import EVERY_S
from tests.bench.timing import ROOT, Row, seconds
from tests.load.clients import Crowd, Seen, pictures

CLIENTS = 50
RAISED = (100, 200, 400)
"""How many clients then come, to see what breaks first."""
GIB = 2**30
START = "import sys; sys.modules['jax'] = None; from app.main import main; main()"
"""JAX is here for the tests of training alone; where the app alone is installed, TensorFlow does not find it."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="of the mixed load")
    parser.add_argument("--predictions", type=int, default=600, help="to take the throughput from")
    parser.add_argument("--url", help="of a server that runs already; memory is then not measured")
    given = parser.parse_args()
    print("| what | measured | limit | holds |\n|---|---|---|---|", flush=True)
    bare = bare_rate() if given.url is None else None
    with server() if given.url is None else _running(given.url) as (url, process):
        for row in rows(url, process, given.requests, given.predictions, bare):
            print(row, flush=True)


def rows(
    url: str, process: int | None, requests: int, predictions: int, bare: Callable[[], float] | None = None
) -> Iterator[Row | str]:
    """The table, row by row.

    Args:
        url: of the server.
        process: its number; None where memory is not to be measured.
        requests: of the mixed load.
        predictions: to take the throughput from.
        bare: of `bare_rate`, where this is the server's machine.
    """
    one, crowd = Crowd(url, 1), Crowd(url, CLIENTS)
    asyncio.run(crowd.learn())
    one.expected = crowd.expected
    if process:
        yield Row("an idle server's memory", resident(process) / GIB, 1.5, "GiB")
    alone, _ = throughput(one, predictions // 5)
    rates = [bare()] if bare else []
    together, seen = throughput(crowd, predictions)
    yield f"| predictions, one client | {alone:.1f} /s | | |"
    yield f"| predictions, {CLIENTS} clients | {together:.1f} /s | | |"
    if bare:
        most = max(*rates, bare())  # the machine's speed changes within minutes
        yield f"| detector and networks alone | {most:.1f} /s; {CLIENTS} clients get {together / most:.0%} of it | | |"
    yield Row(f"{CLIENTS} clients' throughput / one client's", together / alone, 3, "×", at_least=True)
    yield Row("predictions alone: 95th percentile", percentile(seen.seconds["predict"]), 2, "s")
    memory, seens = [], []
    for _ in range(4):
        seens.append(asyncio.run(crowd.run(requests // 4)))
        if process:
            settle(process)
            time.sleep(2 * EVERY_S)  # until what is free has gone back to the system
            memory.append(resident(process))
    whole = total(seens)
    for kind, limit in (("predict", 2), ("client", 2)):
        through = "REST" if kind == "predict" else "Gradio's client API"
        yield Row(f"mixed: a prediction by {through}, 95th percentile", percentile(whole.seconds[kind]), limit, "s")
    for kind, what in (("explain", "an explanation"), ("page", "the page")):
        yield f"| mixed: {what}, 95th percentile | {percentile(whole.seconds[kind]):.2f} s | | |"
    yield Row("lost answers", len(whole.lost), 0, "")
    yield Row("mixed-up answers", whole.mixed, 0, "")
    yield f"| asked to come back later | {whole.refused} of {whole.answered} | | |"
    if process:
        held = ", ".join(f"{each / GIB:.2f}" for each in memory)
        yield f"| memory at rest after each {requests // 4} requests | {held} GiB | | |"
        yield Row("memory over the second half", (memory[3] - memory[1]) / 2**20, 50, "MiB more")
    for clients in RAISED:
        more = Crowd(url, clients, seed=clients)
        more.expected = crowd.expected
        seen = asyncio.run(more.run(4 * clients))
        slowest = percentile(seen.seconds["predict"])
        whole.lost.extend(seen.lost)
        yield (
            f"| {clients} clients: a prediction, 95th percentile; later; lost; mixed up "
            f"| {slowest:.1f} s; {seen.refused}; {len(seen.lost)}; {seen.mixed} | | |"
        )
    for line in dict.fromkeys(whole.lost):
        yield f"\nlost: {line}"


def bare_rate() -> Callable[[], float]:
    """A function that measures how many photos a second detector and networks read here, on all processors at once.

    The clients' photos are decoded before and come in full batches: no server on this machine can answer more.
    """
    from models import photo, zoo
    from tests.bench.annotation import bare_passes

    photos = [photo.read(data) for data in pictures().values()] * 4
    passes = bare_passes([zoo.load(name) for name in zoo.EMOTION_MODELS], photos)
    threads = os.cpu_count() or 1

    def measured() -> float:
        with ThreadPoolExecutor(threads) as pool:
            (each,) = seconds(lambda: list(pool.map(lambda _: passes(), range(threads))), turns=3)
        return threads * len(photos) / each

    return measured


def throughput(crowd: Crowd, requests: int) -> tuple[float, Seen]:
    """Predictions a second by REST, and what was seen."""
    asyncio.run(crowd.run(max(16, requests // 8), {"predict": 1.0}))
    started = time.perf_counter()
    seen = asyncio.run(crowd.run(requests, {"predict": 1.0}))
    return seen.answered / (time.perf_counter() - started), seen


def percentile(seconds: list[float]) -> float:
    """The 95th; nan of fewer than two."""
    return quantiles(seconds, n=20)[-1] if len(seconds) > 1 else float("nan")


def total(seens: list[Seen]) -> Seen:
    """Several turns as one."""
    kinds = seens[0].seconds
    return Seen(
        {kind: [each for seen in seens for each in seen.seconds[kind]] for kind in kinds},
        sum(seen.refused for seen in seens),
        [line for seen in seens for line in seen.lost],
        sum(seen.mixed for seen in seens),
    )


def resident(process: int) -> int:
    """The memory that a process holds, in bytes; the pages it has asked for and not touched do not count."""
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """A server of its own, once everything in it is warm, without a limit on requests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | {"GRADIO_SERVER_PORT": str(port), "FACEWHY_RATE": "off", "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen([sys.executable, "-c", START], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait(f"{url}/health?ready=true", process)
        settle(process.pid)
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def wait(address: str, process: subprocess.Popen, seconds: float = 180) -> None:
    """Return once an address answers 200."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(address, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SystemExit("The server did not get ready.")


def settle(process: int) -> None:
    """Return once a process has computed nothing for three seconds: everything is compiled."""
    spent = -1.0
    while (now := _spent(process)) - spent > 0.3:
        spent = now
        time.sleep(3)


def _spent(process: int) -> float:
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _running(url: str) -> Iterator[tuple[str, None]]:
    yield url.rstrip("/"), None


if __name__ == "__main__":
    main()
