"""What a Dockerfile says, and its image's root file system put together from folders, without Docker.

`Replay` starts a command in a namespace of its own with `unshare`, as a container would: the base image's
system is this machine's /usr, its Python is the one that runs the tests, with their packages; the application
is what COPY and the ignore file leave; all of it is read-only but /tmp; there is no network but loopback.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc")
"""Of this machine, in place of the base image's."""


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        name: such as "COPY".
        value: the rest, its continued lines joined.
    """

    name: str
    value: str

    @property
    def arguments(self) -> list[str]:
        """The value as a list: of its JSON form where it has that, else its words."""
        return json.loads(self.value) if self.value.startswith("[") else shlex.split(self.value)


def instructions(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile in order; comments are left out."""
    kept = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(kept))
    return [Instruction(line.split(None, 1)[0].upper(), line.split(None, 1)[1].strip()) for line in joined.splitlines()]


def final(steps: list[Instruction]) -> list[Instruction]:
    """The instructions of the last stage: those of the image itself."""
    return steps[max(index for index, step in enumerate(steps) if step.name == "FROM") :]


def environment(steps: list[Instruction]) -> dict[str, str]:
    """The variables that ENV sets."""
    return dict(pair.split("=", 1) for step in steps if step.name == "ENV" for pair in step.arguments)


class Ignore:
    """A .dockerignore file; of its lines that match a path or a folder above it, the last counts.

    Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
    """

    def __init__(self, text: str):
        lines = [line.strip() for line in text.splitlines()]
        self._rules = [
            (not line.startswith("!"), _pattern(line.lstrip("!").strip("/")))
            for line in lines
            if line and not line.startswith("#")
        ]

    def leaves_out(self, path: str) -> bool:
        """Whether a file of the context is not sent to the builder."""
        parts = PurePosixPath(path).parts
        above = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        matching = [excluded for excluded, rule in self._rules if any(map(rule.fullmatch, above))]
        return bool(matching) and matching[-1]


def _pattern(text: str) -> re.Pattern:
    tokens = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    split = re.findall(r"\*\*/|\*\*|\*|\?|\[[^]]*\]|.", text)
    return re.compile("".join(tokens.get(one, one if one.startswith("[") else re.escape(one)) for one in split))


def copied(steps: list[Instruction], ignore: Ignore, context: list[str]) -> dict[str, str]:
    """What COPY puts into the image: absolute path there -> path in the context."""
    found, folder = {}, PurePosixPath("/")
    sent = [path for path in context if not ignore.leaves_out(path)]
    for step in steps:
        if step.name == "WORKDIR":
            folder /= step.value
        elif step.name == "COPY":
            *sources, target = step.arguments
            for source in sources:
                chosen = [path for path in sent if path == source or path.startswith(f"{source.rstrip('/')}/")]
                assert chosen, f"COPY {source}: not in the context"
                for path in chosen:
                    inside = path.removeprefix(source).lstrip("/") or PurePosixPath(path).name
                    found[str(folder / target / inside)] = path
    return found


def workdir(steps: list[Instruction]) -> str:
    """The folder in which the image's command runs."""
    folder = PurePosixPath("/")
    for step in steps:
        if step.name == "WORKDIR":
            folder /= step.value
    return str(folder)


SETUP = """
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
mkdir -p "$ROOT/tmp" "$ROOT/proc" "$ROOT/dev"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
for path in $SHOWN; do
    [ -e "$path" ] || continue
    mkdir -p "$ROOT$path"
    mount --rbind "$path" "$ROOT$path"
done
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -o remount,ro,bind "$ROOT"
ip link set lo up
exec chroot "$ROOT" sh -c 'cd "$0" && exec "$@"' "$FOLDER" \
    setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --no-new-privs --bounding-set=-all "$@"
"""
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")


def possible() -> bool:
    """Whether this machine lets us make namespaces: for root, with util-linux and iproute2."""
    tools = all(map(shutil.which, ("unshare", "nsenter", "setpriv", "chroot", "ip")))
    return tools and os.geteuid() == 0 and subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


class Replay:
    """An image's root file system, and commands in it.

    Args:
        folder: an empty one for the root.
        text: of the Dockerfile.
        ignore: the text of its ignore file.
        context: path -> bytes of all that a person's checkout holds.
    """

    def __init__(self, folder: Path, text: str, ignore: str, context: dict[str, bytes]):
        self.folder, self.steps = folder, final(instructions(text))
        for path, source in copied(self.steps, Ignore(ignore), list(context)).items():
            target = folder / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(context[source])
        os.chmod(folder, 0o755)
        self.user = last(self.steps, "USER").value.split(":")[0]
        self.workdir = workdir(self.steps)

    def build(self) -> None:
        """Run the steps that need no registry: those with this Python and the application's folders."""
        for step in self.steps:
            if step.name == "RUN" and step.value.startswith("python -m compileall"):
                command = [sys.executable, *shlex.split(step.value)[1:]]
                subprocess.run(command, cwd=self.folder / self.workdir.lstrip("/"), check=True)

    def start(self, command: list[str], log, **more: str) -> subprocess.Popen:
        """Start a command of the image with the variables of ENV and `more`, and no others."""
        own = {
            "ROOT": str(self.folder),
            "SHOWN": " ".join((*SYSTEM, sys.base_prefix, sys.prefix)),
            "USER_ID": self.user,
            "FOLDER": self.workdir,
            "PATH": os.environ["PATH"],
        }
        return subprocess.Popen(
            [*UNSHARE, "sh", "-c", SETUP, "setup", "env", "-i", *self._variables(more), *command],
            env=own,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def run(self, beside: subprocess.Popen, command: list[str], timeout: float = 60) -> subprocess.CompletedProcess:
        """Run a command beside a running one, in its namespaces, as the same user."""
        first = Path(f"/proc/{beside.pid}/task/{beside.pid}/children").read_text().split()
        if not first:
            return subprocess.CompletedProcess(command, 1, "", "not running")
        enter = ["nsenter", "--target", first[0], "--mount", "--net", "--pid", "--root"]
        user = ["setpriv", "--reuid", self.user, "--regid", self.user, "--clear-groups", "env", "-i"]
        whole = [*enter, *user, *self._variables({}), *command]
        return subprocess.run(whole, capture_output=True, text=True, timeout=timeout)

    def _variables(self, more: dict[str, str]) -> list[str]:
        found = environment(self.steps) | {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"} | more
        return [f"{name}={value}" for name, value in found.items()]


def last(steps: list[Instruction], name: str) -> Instruction:
    """The instruction of a name that counts."""
    return [step for step in steps if step.name == name][-1]
