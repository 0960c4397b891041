"""The hosted Space: described once in `Spacefile`, checked here, and pushed as one commit.

    python -m app.space [write]      README's front matter, made from Spacefile
    python -m app.space check        what a push would send: is it complete, does it install, does it start
    python -m app.space push REPO    one commit to the Space's branch main

A check and a push take the files of the last commit, not those of the working tree.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from models.errors import FaceWhyError, HubError, ParameterError, WeightsError
from models.hub import Reason, refused
from models.zoo import ARCHITECTURES

ROOT = Path(__file__).parents[1]
REQUIRED = ("title", "emoji", "colours", "description", "licence", "sdk", "sdk_version", "python", "start", "hardware")
FENCE = "---\n"
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
WEIGHTS = [f"models/weights/{name}/{file}" for name in ARCHITECTURES for file in ("card.json", "model.safetensors")]
OTHERS = [f"models/weights/{file}" for file in ("centerface/model.onnx", "geometry/card.json", "geometry/model.json")]
FILES = ("README.md", "LICENSE", "Spacefile", "requirements.txt", *OTHERS, *WEIGHTS)
"""What a Space cannot do without, beside its start file."""
PIN = re.compile(r"[0-9a-f]{40}")
LARGEST = 10**9
"""Bytes that a Space's repository may hold."""
PORT = 7860
"""Where a Space's app has to listen."""
ANSWER_TIMEOUT_S = 180.0
"""Seconds that the page has to answer; the first start compiles every module of a fresh environment."""
KEPT = (".gitattributes",)
"""Files that the Hub itself puts into a Space."""
PAID = {
    402: Reason(
        "The Hub does not run Gradio Spaces for this account", "Subscribe, or make the Space on paid hardware first"
    )
}
"""What a Space is refused for and no other repository."""


# -------------------------------------------------------------------------------- Spacefile


def read(path: str | Path = ROOT / "Spacefile") -> dict[str, Any]:
    """The settings in a `Spacefile`.

    Raises:
        ParameterError: not a YAML mapping, or a setting is missing.
    """
    return parse(Path(path).read_text(encoding="utf-8"))


def parse(text: str) -> dict[str, Any]:
    """The settings in the text of a `Spacefile`; raises as `read`."""
    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParameterError("Spacefile is not valid YAML", str(error), "Correct it") from error
    missing = [key for key in REQUIRED if key not in settings] if isinstance(settings, dict) else REQUIRED
    if missing:
        raise ParameterError("Settings are missing in Spacefile", f"no {', '.join(missing)}", "Add them")
    return settings


def front_matter(settings: dict[str, Any]) -> str:
    """The YAML block at the top of a Space's README, fences included.

    Weights on the Hub are named so that the Space fetches them while it is built.
    """
    block = {
        "title": settings["title"],
        "emoji": settings["emoji"],
        "colorFrom": settings["colours"][0],
        "colorTo": settings["colours"][1],
        "sdk": settings["sdk"],
        "sdk_version": settings["sdk_version"],
        "python_version": settings["python"],
        "app_file": settings["start"],
        "suggested_hardware": settings["hardware"],
        "short_description": settings["description"],
        "license": settings["licence"],
    }
    hub = settings.get("hub") or {}
    if hub.get("repository"):
        files = ",".join(f"{name}/{file}" for name in ARCHITECTURES for file in ("card.json", "model.safetensors"))
        block["models"] = [hub["repository"]]
        block["preload_from_hub"] = [f"{hub['repository']} {files} {hub['revision']}"]
    return FENCE + yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=10_000) + FENCE


def with_front_matter(readme: str, block: str) -> str:
    """A README's text with its front matter replaced, or put in front where there is none."""
    if readme.startswith(FENCE):
        _, _, readme = readme.removeprefix(FENCE).partition(FENCE)
    return block + readme


# ------------------------------------------------------------------------------------ check


@dataclass(frozen=True)
class Commit:
    """What git has of one commit.

    Attributes:
        revision: its full hash.
        files: path -> bytes.
        changed: tracked files that are different in the working tree.
    """

    revision: str
    files: dict[str, bytes]
    changed: tuple[str, ...] = ()


def committed(root: str | Path = ROOT) -> Commit:
    """The last commit of the repository at `root`.

    Raises:
        ParameterError: no git repository, no commit, or a file in it is a link.
    """

    def git(*command: str) -> bytes:
        try:
            return subprocess.run(["git", *command], cwd=root, capture_output=True, check=True).stdout
        except FileNotFoundError as error:
            raise ParameterError("The files of the commit could not be read", "no git", "Install git") from error
        except subprocess.CalledProcessError as error:
            raise ParameterError(
                "The files of the commit could not be read", _last_line(error.stderr), "Clone the repository with git"
            ) from error

    revision = git("rev-parse", "HEAD").decode().strip()
    files = {}
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", revision))) as archive:
        for member in archive:
            if member.isdir():
                continue
            if not member.isfile() or (content := archive.extractfile(member)) is None:
                raise ParameterError(
                    "The commit has a link, which a Space cannot keep", member.name, "Replace the link by a file"
                )
            files[member.name] = content.read()
    changed = git("diff", "--name-only", "-z", "HEAD").decode().split("\0")
    return Commit(revision, files, tuple(filter(None, changed)))


def verify(files: dict[str, bytes]) -> dict[str, Any]:
    """The settings of a Space that is complete.

    Args:
        files: path -> bytes of all that is in its repository.

    Raises:
        ParameterError: a file is missing, the front matter is not what the Hub takes or not what Spacefile
            says, or all is too large.
        WeightsError: weights are not what their card says.
    """
    missing = [path for path in FILES if path not in files]
    if missing:
        raise ParameterError("Files of the Space are missing", f"no {', '.join(missing)}", "Commit them")
    settings = parse(files["Spacefile"].decode())
    if not files["README.md"].decode().startswith(front_matter(settings)):
        raise ParameterError(
            "README.md does not begin with what Spacefile says",
            "something else",
            "Run: .venv/bin/python -m app.space; and commit",
        )
    hub = settings.get("hub") or {}
    size = sum(map(len, files.values()))
    gradio = rf"^gradio(\[\w+\])?=={re.escape(str(settings['sdk_version']))}( |$)"
    pins = files["requirements.txt"].decode()
    colours = ", ".join(sorted(COLOURS))
    for holds, error in (
        (len(str(settings["title"])) <= 60, _unfit("The title has more than 60 characters", settings["title"])),
        (
            len(str(settings["description"])) <= 60,
            _unfit("The description has more than 60 characters", settings["description"]),
        ),
        (set(settings["colours"]) <= COLOURS, _unfit(f"The colours are not all among {colours}", settings["colours"])),
        (settings["sdk"] == "gradio", _unfit("The Space is not one of Gradio", settings["sdk"])),
        (
            re.fullmatch(r"3\.\d+", str(settings["python"])),
            _unfit("The version of Python is not one such as 3.11", settings["python"]),
        ),
        (settings["start"] in files, _unfit("The start file is not in the repository", settings["start"])),
        (
            re.search(gradio, pins, re.MULTILINE),
            _unfit("The sdk_version is not pinned in requirements.txt", settings["sdk_version"]),
        ),
        (
            not hub.get("repository") or PIN.fullmatch(str(hub["revision"])),
            _unfit("The hub.revision is not a full commit hash", hub),
        ),
        (size <= LARGEST, _unfit(f"The files of the Space have more than {LARGEST:,} bytes", size)),
    ):
        if not holds:
            raise error
    for card, data in zip(WEIGHTS[::2], WEIGHTS[1::2], strict=True):
        if json.loads(files[card])["sha256"] != hashlib.sha256(files[data]).hexdigest():
            raise WeightsError(f"{data} does not have the sha256 in its card", "another one", "Commit both together")
    return settings


def sent(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a commit as a Space holds them: requirements.txt without its hashes.

    A Space's builder installs that file and packages of its own by one call of pip, and pip takes a hash for every
    package or for none.
    """
    return files | {"requirements.txt": re.sub(rb" *\\\r?\n +--hash=\S+", b"", files["requirements.txt"])}


def _unfit(happened: str, received: Any) -> ParameterError:
    return ParameterError(happened, repr(received), "Correct it, run .venv/bin/python -m app.space, and commit")


def check(root: str | Path = ROOT, quick: bool = False, port: int = PORT) -> Iterator[str]:
    """Go through what a Space of the last commit would go through, and tell each step that held.

    Args:
        root: of the repository.
        quick: find versions for the requirements, but install nothing and start the page with this Python.
        port: where the page has to answer.

    Raises:
        ParameterError: what does not hold.
        WeightsError: see `verify`.
    """
    commit = committed(root)
    settings = verify(commit.files)
    yield f"{len(commit.files)} files of {commit.revision[:12]}, {_megabytes(commit.files)} MB, complete"
    if commit.changed:
        yield f"  {len(commit.changed)} tracked files have changes that are in no commit, so in no push: " + ", ".join(
            commit.changed[:5]
        )
    with tempfile.TemporaryDirectory(prefix="facewhy-space-", ignore_cleanup_errors=True) as name:
        folder = Path(name, "space")
        for path, data in sent(commit.files).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        began = time.perf_counter()
        python = install(Path(name, "environment"), folder / "requirements.txt", settings, quick)
        done = "have versions that fit together" if quick else "are installed in a fresh environment"
        yield f"requirements.txt and what a Space adds {done}, {time.perf_counter() - began:.0f} s"
        seconds = start(folder, sys.executable if quick else python, settings, port)
        yield f"{settings['start']} answers on port {port} without a Hub, after {seconds:.1f} s"


def install(folder: Path, requirements: Path, settings: dict[str, Any], quick: bool) -> Path:
    """Install requirements, and what the builder of a Space adds to them, into a new environment.

    uv is used where it is found, else venv and pip.

    Args:
        folder: for the environment.
        requirements: the file.
        settings: of the Space.
        quick: only find versions that fit together.

    Returns:
        The environment's Python.

    Raises:
        ParameterError: no such Python, or it does not install; with the last line of what was said.
    """
    python, wanted = folder / "bin" / "python", str(settings["python"])
    packages = ["-r", str(requirements), f"gradio[oauth,mcp]=={settings['sdk_version']}", "spaces"]
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if shutil.which("uv") or importlib.util.find_spec("uv"):
        uv = ["uv"] if shutil.which("uv") else [sys.executable, "-m", "uv"]
        steps = [
            [*uv, "venv", "-q", "--python", sys.executable if quick else wanted, folder],
            [*uv, "pip", "install", "-q", "--python", python, *(["--dry-run", "--python-version", wanted] * quick)],
        ]
    elif here == wanted:
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *(["--dry-run"] * quick)]
        steps = [[sys.executable, "-m", "venv", folder], pip]
    else:
        raise ParameterError(f"Python {wanted} of the Space is missing", f"Python {here} and no uv", "Install uv")
    steps[1] += packages
    for step in steps:
        done = subprocess.run(list(map(str, step)), capture_output=True)
        if done.returncode:
            raise ParameterError(
                "The packages of requirements.txt could not be installed",
                _last_line(done.stderr),
                f"Try: {' '.join(map(str, step))}",
            )
    return python


def start(folder: Path, python: str | Path, settings: dict[str, Any], port: int = PORT) -> float:
    """Start a Space's app as a Space does, with no Hub within reach, until its page answers; then stop it.

    Args:
        folder: with the files of the Space, where the app starts.
        python: what runs it.
        settings: of the Space.
        port: where it has to answer.

    Returns:
        Seconds until the page answered.

    Raises:
        ParameterError: the port is taken, or the app stops or does not answer in `ANSWER_TIMEOUT_S` seconds; with the
            last line that it wrote.
    """
    address = f"http://127.0.0.1:{port}/"
    if _page(address) is not None:
        raise ParameterError(f"Port {port} is already in use", "an answer", "Stop what listens there, or use --port")
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder.parent),
        "TMPDIR": str(folder.parent),
        "SYSTEM": "spaces",
        "SPACE_ID": "someone/facewhy",
        "HF_ENDPOINT": "http://127.0.0.1:9",
        **(settings.get("variables") or {}),
    }
    if port != PORT:
        environment["GRADIO_SERVER_PORT"] = str(port)
    began = time.perf_counter()
    with open(folder.parent / "log", "w+b") as log:
        app = subprocess.Popen([str(python), settings["start"]], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            while settings["title"] not in (_page(address) or ""):
                late = time.perf_counter() - began > ANSWER_TIMEOUT_S
                if late or app.poll() is not None:
                    log.seek(0)
                    said = _last_line(log.read())
                    raise ParameterError(
                        f"{settings['start']} did not answer on port {port} within {ANSWER_TIMEOUT_S:.0f} seconds",
                        said,
                        f"Read what it says: python {settings['start']}",
                    )
                time.sleep(0.2)
            return time.perf_counter() - began
        finally:
            app.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                app.wait(15)
            app.kill()
            app.wait()


# ------------------------------------------------------------------------------------- push


@dataclass(frozen=True)
class Pushed:
    """A Space after a push.

    Attributes:
        url: of its page on the Hub.
        revision: the Hub's commit.
        files: how many files it holds.
        removed: paths that the commit took away.
    """

    url: str
    revision: str
    files: int
    removed: tuple[str, ...]


def push(repository: str, root: str | Path = ROOT, private: bool = False) -> Pushed:
    """Make a Space of the Hub hold the files of the last commit and no others, in one commit to its branch `main`.

    The Space is made where it is missing, then with the variables in Spacefile. Nothing is committed when
    nothing differs. The token is the one of `hf auth login` or HF_TOKEN; HF_ENDPOINT names another Hub.

    Args:
        repository: such as "someone/facewhy".
        root: of the repository.
        private: whether a Space that is made is private.

    Raises:
        HubError: there is no token, or the Hub refuses or does not answer.
        ParameterError, WeightsError: see `verify`.
    """
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # plain LFS: every Hub and mirror takes it
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, errors

    commit = committed(root)
    settings = verify(commit.files)
    if not huggingface_hub.get_token():
        raise HubError("The token for the Hub is missing", "none", "Log in with: hf auth login; or set HF_TOKEN")
    api = huggingface_hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="facewhy")
    variables = [{"key": key, "value": str(value)} for key, value in (settings.get("variables") or {}).items()]
    try:
        api.create_repo(
            repository,
            repo_type="space",
            space_sdk=settings["sdk"],
            space_variables=variables,
            private=private,
            exist_ok=True,
        )
        there = api.list_repo_files(repository, repo_type="space")
        removed = tuple(sorted(set(there) - set(commit.files) - set(KEPT)))
        deletions = [CommitOperationDelete(path) for path in removed]
        additions = [CommitOperationAdd(path, data) for path, data in sent(commit.files).items()]
        message = f"{settings['title']} at {commit.revision[:12]}"
        done = api.create_commit(repository, [*deletions, *additions], commit_message=message, repo_type="space")
    # the library does not export the class of the client that it has inside
    except (errors.HTTPError, OSError, RuntimeError, ValueError) as error:  # type: ignore[attr-defined]
        raise refused(repository, "Space", error, PAID) from error
    return Pushed(f"{api.endpoint}/spaces/{repository}", done.oid, len(commit.files), removed)


# ------------------------------------------------------------------------------------ words


def _page(address: str) -> str | None:
    """What answers at an address; None where nothing listens."""
    try:
        return httpx.get(address, timeout=5, trust_env=False).text
    except httpx.ConnectError:
        return None
    except httpx.HTTPError:
        return ""


def _megabytes(files: dict[str, bytes]) -> str:
    return f"{sum(map(len, files.values())) / 1e6:.1f}"


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1].strip().rstrip(".")[:300] if lines else "nothing said"


def main(arguments: list[str] | None = None) -> None:
    """Run a command; what does not hold is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m app.space", description="The hosted Space.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("write", help="write README's front matter; also without a command")
    checking = commands.add_parser("check", help="try the last commit as a Space")
    checking.add_argument("--quick", action="store_true", help="install nothing; only look for versions")
    checking.add_argument("--port", type=int, default=PORT, help=f"where the page has to answer, {PORT} in a Space")
    pushing = commands.add_parser("push", help="send the last commit to a Space, in one commit")
    pushing.add_argument("repository", metavar="REPO", help="such as someone/facewhy")
    pushing.add_argument("--private", action="store_true", help="if it is made now")
    given = parser.parse_args(arguments)
    try:
        if given.command == "check":
            for line in check(quick=given.quick, port=given.port):
                print(line, flush=True)
        elif given.command == "push":
            done = push(given.repository, private=given.private)
            print(f"{done.files} files, {len(done.removed)} removed: {done.url}, commit {done.revision}")
        else:
            write()
    except FaceWhyError as error:
        sys.exit(str(error))


def write(root: str | Path = ROOT) -> None:
    """Write the front matter into README.md and print it."""
    path = Path(root, "README.md")
    block = front_matter(read(Path(root, "Spacefile")))
    path.write_text(with_front_matter(path.read_text(encoding="utf-8"), block), encoding="utf-8")
    print(block, end="")


if __name__ == "__main__":
    main()
