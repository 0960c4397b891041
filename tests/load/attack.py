"""`make attack`: one client does its worst against a server of its own, and an ordinary visitor beside it is timed.

The attacks are those of issue 16: small JSON of many values, all places for explanations, connections held for
nothing, calls that nobody listens to, doors that are closed, pictures that are small in bytes only, and tiny uploads.
Visitor and attacker ask from processes of their own, and the attacker's gives way to the others (nice), so that an
attack keeps the visitor waiting through the server alone, as if it came from another machine.
The server runs without a limit on requests, under 4 GiB where control groups can be set, and forgets uploads and
answers after 20 s, so that a run need not wait for minutes to see that they go. Then many clients send damaged
and large pictures and ask for explanations, to see what memory stays. The status is 1 where an ordinary request is lost
or takes more than `MOST` times its usual time in the median, or where a closed door opens.
"""

import argparse
import asyncio
import base64
import io
import itertools
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from statistics import median

import httpx
from PIL import Image

from tests.bench.timing import ROOT
from tests.load.__main__ import resident, settle, wait

MIB = 2**20
LIMIT = 4 * 2**30
"""Bytes that the server may take, where the machine can say so."""
MOST = 3
"""An ordinary request should take no more than so many times its usual time."""
STAYS = 400 * MIB
"""Bytes that the server should hold over idle at most after many clients."""
USUAL = 8
"""Requests of each kind that the visitor sends alone, to know what is usual."""
ATTACKER = "127.0.0.2" if sys.platform == "linux" else None
"""Where the attacks come from; the visitor is 127.0.0.1."""
START = """
import sys; sys.modules["jax"] = None
from app import main
from app.ui import uploads
from app.ui.gradio_overrides import pending
uploads.UNREAD = uploads.GRACE = pending.ABANDONED_S = 20.0
main.main()
"""
PHOTO = (ROOT / "examples" / "astronaut.jpg").read_bytes()
CLOSED = (
    "/gradio_api/proxy=https://a.example/",
    "/gradio_api//process_recording",
    "/gradio_api/component_server",
    "/gradio_api/deep_link",
    "/gradio_api/dev/reload",
    "/gradio_api/file=/etc/passwd",
    "/gradio_api/file=http://127.0.0.1/",
    "/%67radio_api/run-history/records",
    "/monitoring/summary",
)

Attack = Callable[["Attacker", int], Coroutine]
"""What one of several workers of an attacker does once."""


@dataclass
class Attacker:
    """What the attacks need.

    Attributes:
        url: of the server.
        http: from the attacker's address.
        pictures: small in bytes, large in memory.
        reached: answers from behind a closed door.
        sent: requests.
    """

    url: str
    http: httpx.AsyncClient
    pictures: list[bytes]
    reached: int = 0
    sent: int = 0
    lines: list[socket.socket] = field(default_factory=list)

    async def post(self, path: str, **options) -> httpx.Response | None:
        """What is answered; None where the line is cut."""
        self.sent += 1
        with suppress(httpx.HTTPError):
            return await self.http.post(path, **options)
        return None


# ---------------------------------------------------------------------------- attacks


async def small_json(attacker: Attacker, worker: int) -> None:
    bodies = (
        ("/gradio_api/call/explain", b'{"data":[' + b"[]," * 350_000 + b"[]]}"),
        ("/api/v1/explain", b'{"image":"","params":{"a":[' + b"1," * 12_000_000 + b"1]}}"),
        ("/gradio_api/queue/join", b'{"data":[' + b"[]," * 8_000 + b"[]]}"),
    )
    path, body = bodies[worker % len(bodies)]
    await attacker.post(path, content=body, headers={"Content-Type": "application/json"})


async def all_places(attacker: Attacker, worker: int) -> None:
    image = base64.b64encode(PHOTO).decode()
    await attacker.post("/api/v1/trust", json={"image": image, "model": "cnn", "method": "gradcam"})


async def held_connections(attacker: Attacker, worker: int) -> None:
    place = httpx.URL(attacker.url)
    attacker.sent += 1
    with suppress(OSError):
        line = socket.create_connection((place.host, place.port), timeout=5, source_address=ATTACKER and (ATTACKER, 0))
        attacker.lines.append(line)
        line.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx")
    await asyncio.sleep(0.01 if len(attacker.lines) < 1000 else 1)


async def abandoned_calls(attacker: Attacker, worker: int) -> None:
    number = attacker.sent
    sent = await attacker.post(f"/gradio_api/upload?upload_id=left{number}", files={"files": ("a.jpg", PHOTO)})
    if sent is not None and sent.status_code == 200:
        file = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
        await attacker.post("/gradio_api/call/v2/explain", json={"image": file, "model": "cnn", "method": "gradcam"})
    with suppress(httpx.HTTPError):
        await attacker.http.get(f"/gradio_api/upload_progress?upload_id=never{number}", timeout=0.2)


async def closed_doors(attacker: Attacker, worker: int) -> None:
    for path in CLOSED:
        attacker.sent += 1
        with suppress(httpx.HTTPError):
            attacker.reached += (await attacker.http.get(path)).status_code == 200


async def costly_pictures(attacker: Attacker, worker: int) -> None:
    await attacker.post("/predict", files={"file": attacker.pictures[worker % len(attacker.pictures)]})


async def tiny_uploads(attacker: Attacker, worker: int) -> None:
    number = attacker.sent
    files = [("files", (f"{number}-{index}.jpg", b"%d %d" % (number, index))) for index in range(16)]
    await attacker.post("/gradio_api/upload", files=files)


ATTACKS: tuple[tuple[str, Attack, int], ...] = (
    ("small JSON of many values", small_json, 3),
    ("all places for explanations", all_places, 24),
    ("connections held for nothing", held_connections, 4),
    ("calls that nobody listens to", abandoned_calls, 6),
    ("closed doors", closed_doors, 4),
    ("pictures that are small in bytes only", costly_pictures, 8),
    ("tiny uploads", tiny_uploads, 8),
)
"""What it is called, what each worker does over and over, and how many of them do."""


def costly() -> list[bytes]:
    """Pictures of few bytes, one of which may be decoded and the others not."""

    def encoded(image: Image.Image, format: str, **options) -> bytes:
        data = io.BytesIO()
        image.save(data, format, **options)
        return data.getvalue()

    return [
        encoded(Image.new("F", (7745, 7745)), "TIFF", compression="tiff_lzw"),
        encoded(Image.new("RGB", (7745, 7745)), "WEBP", lossless=True, method=0),
        encoded(Image.new("RGB", (6400, 6400)), "PNG", compress_level=1),
        encoded(Image.new("RGB", (3700, 3700)), "WEBP", lossless=True, method=0),
    ]


# ---------------------------------------------------------------------------- visitor


class Visitor:
    """Predicts and explains, one after the other, as long as it is let.

    Attributes:
        seconds: by kind, of the answered requests.
        lost: requests without a good answer.
    """

    KINDS = ("predict", "explain")

    def __init__(self, url: str):
        self.url = url
        self.seconds: dict[str, list[float]] = {kind: [] for kind in self.KINDS}
        self.lost: list[str] = []

    async def ask(self, http: httpx.AsyncClient, kind: str) -> None:
        """One request."""
        started = time.perf_counter()
        try:
            if kind == "predict":
                answer = await http.post("/predict", files={"file": PHOTO})
            else:
                image = base64.b64encode(PHOTO).decode()
                answer = await http.post("/api/v1/explain", json={"image": image, "model": "cnn", "method": "gradcam"})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            self.lost.append(f"{kind}: {type(error).__name__} {error}"[:120])
        else:
            self.seconds[kind].append(time.perf_counter() - started)

    async def stay(self, until: float, fewest: int = 0) -> "Visitor":
        """Ask until a time of `time.monotonic`, and so often of each kind at least."""
        async with httpx.AsyncClient(base_url=self.url, timeout=120) as http:
            for count in itertools.count():
                if time.monotonic() >= until and count >= fewest * len(self.KINDS):
                    return self
                await self.ask(http, self.KINDS[count % len(self.KINDS)])
        return self


def stay(url: str, seconds: float, fewest: int) -> Visitor:
    """A visitor who has asked for so long, see `Visitor.stay`; for a process of its own."""
    return asyncio.run(Visitor(url).stay(time.monotonic() + seconds, fewest))


# ----------------------------------------------------------------------- many clients


DAMAGED, EXPLAINED, LARGE = 1000, 240, 60
"""Damaged pictures, explanations and large pictures of many clients."""
ADDRESSES = 50
"""From which they come, each request from the next, eight at once."""


async def many_clients(url: str) -> None:
    """Send the pictures and wait for all answers, whatever they are."""
    async with AsyncExitStack() as stack:
        clients = itertools.cycle([await stack.enter_async_context(client(url, each)) for each in range(ADDRESSES)])
        waiting = requests()

        async def work() -> None:
            for path, options in waiting:
                with suppress(httpx.HTTPError):
                    await next(clients).post(path, **options)

        await asyncio.gather(*[work() for _ in range(8)])


def client(url: str, index: int) -> httpx.AsyncClient:
    """A client of an address of its own, where this machine has more than one."""
    transport = httpx.AsyncHTTPTransport(local_address=f"127.0.1.{1 + index}" if ATTACKER else None)
    return httpx.AsyncClient(base_url=url, transport=transport, timeout=60)


def requests() -> Iterator[tuple[str, dict]]:
    """What the clients send: a path, and the options of `httpx`."""
    random = Random(0)
    for _ in range(DAMAGED):
        yield "/predict", {"files": {"file": spoiled(PHOTO, random)}}
    for _ in range(EXPLAINED):
        image = base64.b64encode(PHOTO).decode()
        yield "/api/v1/explain", {"json": {"image": image, "model": "cnn", "method": "gradcam"}}
    large = costly()[2]
    for _ in range(LARGE):
        yield "/predict", {"files": {"file": large}}


def spoiled(photo: bytes, random: Random) -> bytes:
    """A photo of which some bytes are others; what its format says first stays."""
    data = bytearray(photo)
    for _ in range(random.randint(1, 20)):
        data[random.randrange(16, len(data))] = random.randrange(256)
    return bytes(data)


# ------------------------------------------------------------------------------ table


@dataclass(frozen=True)
class Beside:
    """How an ordinary visitor fared beside an attack.

    Attributes:
        ratios: by kind, how many times its usual time each answered request took.
        lost: requests without a good answer.
    """

    ratios: dict[str, list[float]]
    lost: int

    @classmethod
    def of(cls, visitor: Visitor, usual: dict[str, float]) -> "Beside":
        """How a visitor fared whose requests usually take so many seconds, by kind."""
        ratios = {kind: [each / usual[kind] for each in times] for kind, times in visitor.seconds.items()}
        return cls(ratios, len(visitor.lost))

    @property
    def medians(self) -> dict[str, float]:
        """By kind; endless where none was answered."""
        return {kind: median(each) if each else inf for kind, each in self.ratios.items()}

    @property
    def slowest(self) -> float:
        """Of all kinds."""
        return max((ratio for each in self.ratios.values() for ratio in each), default=inf)

    @property
    def median_holds(self) -> bool:
        """Whether no kind took more than `MOST` times its usual time in the median."""
        return all(ratio <= MOST for ratio in self.medians.values())

    def __str__(self) -> str:
        asked = sum(map(len, self.ratios.values())) + self.lost
        middle = " | ".join(f"{ratio:.1f} ×" for ratio in self.medians.values())
        median_holds, slowest_holds = ("yes" if each else "no" for each in (self.median_holds, self.slowest <= MOST))
        return f"{asked} | {self.lost} | {middle} | {median_holds} | {self.slowest:.1f} × | {slowest_holds}"


def attacked(url: str, attack: Attack, workers: int, seconds: float, pictures: list[bytes]) -> tuple[int, int]:
    """Attack for so long: the requests sent, and the answers from behind closed doors; for a process of its own."""
    attacker = asyncio.run(_attacked(url, attack, workers, seconds, pictures))
    return attacker.sent, attacker.reached


async def _attacked(url: str, attack: Attack, workers: int, seconds: float, pictures: list[bytes]) -> Attacker:
    transport = httpx.AsyncHTTPTransport(
        local_address=ATTACKER, limits=httpx.Limits(max_connections=workers, max_keepalive_connections=workers)
    )
    async with httpx.AsyncClient(base_url=url, transport=transport, timeout=60) as http:
        attacker = Attacker(url, http, pictures)

        async def work(worker: int) -> None:
            while True:
                await attack(attacker, worker)

        works = [asyncio.create_task(work(worker)) for worker in range(workers)]
        failed, _ = await asyncio.wait(works, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in works:
            task.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        for line in attacker.lines:
            line.close()
        for task in failed:
            task.result()  # raises what went wrong: an attack that ends early is none
    return attacker


def rows(
    url: str,
    process: int,
    visitors: Executor,
    attackers: Executor,
    folder: Path,
    log: Path,
    seconds: float,
    wrong: list[str],
) -> Iterator[str]:
    """The table, row by row, what stays after many clients, and what was wrong, which is added to a list as well."""
    usual = alone(url, visitors, wrong)
    pictures = costly()
    settle(process)
    idle = resident(process)
    yield (
        f"| attack | requests | ordinary ones | lost | predict | explain | medians ≤ {MOST} × | slowest | ≤ {MOST} × "
        "| peak | after | files left |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    alone_for = " | ".join(f"{1000 * each:.0f} ms" for each in usual.values())
    yield f"| none | 0 | {2 * USUAL} | {len(wrong)} | {alone_for} | | | | 0 MiB | 0 MiB | 0 |"
    for name, attack, workers in ATTACKS:
        settle(process)  # what the attack before has left is done
        usual = alone(url, visitors, wrong)  # each time, because the machine's speed changes within minutes
        forget_peak(process)
        attacking = attackers.submit(attacked, url, attack, workers, seconds, pictures)
        visitor = visitors.submit(stay, url, seconds, 3).result()
        sent, reached = attacking.result()
        beside = Beside.of(visitor, usual)
        highest = peak(process)
        files = calm(process, folder, idle)
        wrong += [f"{name}: {lost}" for lost in visitor.lost[:3]]
        wrong += [f"{name}: {reached} answers"] if reached else []
        wrong += [] if beside.median_holds else [f"{name}: a median over {MOST} ×"]
        memory = f"{(highest - idle) / MIB:.0f} MiB | {(resident(process) - idle) / MIB:.0f} MiB"
        yield f"| {name} | {sent} | {beside} | {memory} | {files} |"
    asyncio.run(many_clients(url))
    calm(process, folder, idle)
    held = resident(process) - idle
    yield (
        f"\nOver idle after {DAMAGED} damaged pictures, {EXPLAINED} explanations and {LARGE} large pictures: "
        f"{held / MIB:.0f} MiB, at most {STAYS / MIB:.0f}: {'yes' if held <= STAYS else 'no'}"
    )
    text = log.read_text(encoding="utf-8", errors="replace")
    yield f"\nTracebacks in the log: {text.count('Traceback')}, errors: {text.count('ERROR')}"
    yield from (f"    {line[:160]}" for line in text.splitlines() if "ERROR" in line)
    yield from (f"wrong: {each}" for each in wrong)


def alone(url: str, visitors: Executor, wrong: list[str]) -> dict[str, float]:
    """The median seconds of an ordinary request while nobody else asks, by kind; what was lost is added to a list."""
    visitor = visitors.submit(stay, url, 0, USUAL).result()
    wrong += visitor.lost
    return {kind: median(times) for kind, times in visitor.seconds.items()}


def calm(process: int, folder: Path, idle: int, most: float = 45) -> int:
    """Wait until uploads and memory are back, for a while at most; how many files of visitors are left."""
    until = time.monotonic() + most
    while True:
        files = sum(len(names) for uploads in folder.glob("*/uploads") for _, _, names in os.walk(uploads))
        if time.monotonic() > until or (not files and resident(process) - idle < 100 * MIB):
            return files
        time.sleep(1)


def forget_peak(process: int) -> None:
    """Let the peak of a process's memory begin anew."""
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


def peak(process: int) -> int:
    """Bytes that a process held at most since then."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


# ----------------------------------------------------------------------------- server


@contextmanager
def limited() -> Iterator[Path | None]:
    """A control group for memory, of either version, where this user may make one; None elsewhere."""
    group = _group()
    try:
        yield group
    finally:
        if group:
            group.rmdir()


def _group() -> Path | None:
    for root, name in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = Path(root) / f"facewhy-attack-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / name).write_text(str(LIMIT))
        except OSError:
            group.rmdir()
        else:
            return group
    return None


@contextmanager
def server(folder: Path, group: Path | None) -> Iterator[tuple[str, int]]:
    """A fresh server, once everything in it is warm, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "FACEWHY_RATE": "off",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", START], cwd=ROOT, env=environ, stdout=log, stderr=log)
    if group:
        (group / "cgroup.procs").write_text(str(process.pid))
    try:
        wait(f"http://127.0.0.1:{port}/health?ready=true", process)
        settle(process.pid)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def main() -> int:
    """Print the table; the status is 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.attack", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each attack")
    given = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    wrong: list[str] = []
    spawn = multiprocessing.get_context("spawn")
    visitors, attackers = ProcessPoolExecutor(1, spawn), ProcessPoolExecutor(1, spawn, os.nice, (19,))
    with tempfile.TemporaryDirectory() as folder, limited() as group, visitors, attackers:
        with server(Path(folder), group) as (url, process):
            print(
                f"The server may take {LIMIT / 2**30:.0f} GiB.\n" if group else "No limit on memory here.\n", flush=True
            )
            uploads, log = Path(folder) / "uploads", Path(folder) / "log"
            for row in rows(url, process, visitors, attackers, uploads, log, given.seconds, wrong):
                print(row, flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
