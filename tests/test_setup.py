"""What `make` installs is what pyproject.toml says, and it says what is missing."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
import yaml

from app import VERSION

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
NOT_INSTALLED = {"kagglehub"}
"""What only a message names: who wants it installs it."""
MAKE = shutil.which("make")


def pins(lines: list[str]) -> dict[str, str]:
    """name -> exact version of every requirement line, markers left out."""
    found = {}
    for line in lines:
        if match := re.match(r"^([A-Za-z0-9_.-]+)(?:\[[\w,]+\])?==([^\s;]+)", line):
            found[match[1].lower()] = match[2]
    return found


def locked(path: str) -> set[tuple[str, str]]:
    """(name, version) of every line of a lock; a package may have one version a platform."""
    return {pair for line in (ROOT / path).read_text().splitlines() for pair in pins([line]).items()}


def requirements(path: str) -> dict[str, list[str]]:
    """Each requirement of a lock, its marker included -> the hashes of its files."""
    kept = [line for line in (ROOT / path).read_text().splitlines() if not line.lstrip().startswith("#")]
    found = {}
    for line in re.sub(r" *\\\n *", " ", "\n".join(kept)).splitlines():
        requirement, *hashes = line.split(" --hash=")
        found[requirement] = hashes
    return found


def test_every_direct_dependency_is_pinned():
    direct = PROJECT["dependencies"] + EXTRAS["training"] + EXTRAS["cluster"] + EXTRAS["dev"]
    loose = [line for line in direct if not pins([line]) and not line.startswith("facewhy[")]
    assert loose == []


def test_the_locks_hold_the_pins():
    app = pins(PROJECT["dependencies"])
    assert app.items() <= locked("requirements.txt")
    tests = app | pins(EXTRAS["training"]) | pins(EXTRAS["cluster"]) | pins(EXTRAS["dev"])
    assert tests.items() <= locked("tests/requirements.txt")


def test_the_app_runs_in_the_tests_with_the_versions_it_ships_with():
    assert locked("requirements.txt") <= locked("tests/requirements.txt")


def test_the_app_does_not_install_what_only_training_and_tests_need():
    extra = set(pins(EXTRAS["training"]) | pins(EXTRAS["cluster"]) | pins(EXTRAS["dev"]))
    extra -= {"typer", "rich", "scikit-learn", "h5py", "pandas"}  # gradio, keras and shap bring those
    assert not extra & {name for name, _ in locked("requirements.txt")}


@pytest.mark.parametrize("lock", ["requirements.txt", "tests/requirements.txt"])
def test_a_lock_is_exact_and_keeps_its_markers(lock):
    lines = list(requirements(lock))
    assert [line for line in lines if not pins([line])] == []
    cpu = next(line for line in lines if line.startswith("tensorflow-cpu=="))
    assert "sys_platform == 'linux'" in cpu and "x86_64" in cpu
    assert "aarch64" in next(line for line in lines if line.startswith("tensorflow=="))


@pytest.mark.parametrize("lock", ["requirements.txt", "tests/requirements.txt"])
def test_a_lock_holds_the_hashes_of_every_file(lock):
    found = requirements(lock)
    assert len(found) > 100
    wrong = {line for line, hashes in found.items() if not hashes}
    wrong |= {line for line, hashes in found.items() for one in hashes if not re.fullmatch(r"sha256:[0-9a-f]{64}", one)}
    assert wrong == set()
    # three versions of Python on three systems have a wheel each
    (compiled,) = [hashes for line, hashes in found.items() if line.startswith("numpy==")]
    assert len(compiled) >= 9


def test_both_locks_hold_the_same_hashes_of_a_package():
    # by name and version: a package may be asked for on more systems by the tests
    app, tests = (
        {line.split(" ;")[0]: hashes for line, hashes in requirements(lock).items()}
        for lock in ("requirements.txt", "tests/requirements.txt")
    )
    assert {line for line, hashes in app.items() if tests[line] != hashes} == set()


def test_the_environment_holds_the_pins():
    direct = pins(PROJECT["dependencies"]) | pins(EXTRAS["dev"])
    direct.pop("tensorflow")  # elsewhere than on Linux x86-64
    here = {name: version(name) for name in direct if name != "tensorflow-cpu" or os.uname().machine == "x86_64"}
    assert here.items() <= direct.items()


def imported(path: Path) -> set[str]:
    """The first names of what a file imports, wherever it does."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def normal(name: str) -> str:
    """The name of a distribution as an index writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("package", ["app", "models", "explain", "training"])
def test_every_direct_import_is_declared(package):
    declared = set(pins(PROJECT["dependencies"]))
    declared |= set(pins(EXTRAS["training"])) if package == "training" else set()
    declared |= {"ray"} if package in ("app", "training") else set()  # the extra named cluster
    used = set().union(*(imported(path) for path in (ROOT / package).rglob("*.py")))
    used -= set(sys.stdlib_module_names) | {"app", "models", "explain", "training"} | NOT_INSTALLED
    providers = packages_distributions()
    missing = {name for name in used if not declared & {normal(other) for other in providers.get(name, [])}}
    assert missing == set()


def test_the_version_is_the_same_everywhere():
    number = PROJECT["version"]
    assert number == VERSION
    for file in ("deploy/Dockerfile", "deploy/compose.yaml", "docs/deploy.md"):
        assert set(re.findall(r"facewhy:(\d[\w.]*)", (ROOT / file).read_text())) == {number}, file
    newest = re.search(r"^## (\d[\w.]*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert newest == number
    overlay = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())
    assert [image["newTag"] for image in overlay["images"]] == [number]


def test_the_project_is_an_application_that_nothing_builds():
    assert PYPROJECT["tool"]["uv"]["package"] is False
    assert "build-system" not in PYPROJECT


def test_the_hosted_space_runs_what_is_pinned():
    space = yaml.safe_load((ROOT / "Spacefile").read_text())
    assert space["sdk_version"] == pins(PROJECT["dependencies"])["gradio"]
    lowest, highest = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert int(lowest) <= int(space["python"].split(".")[1]) < int(highest)


def test_ci_checks_before_it_tests_here_and_on_github():
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["lint-and-test"]["steps"]
    runs = [step["run"] for step in steps if step.get("run", "").startswith("make")]
    local = re.findall(r"^make \w+$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert runs == local == ["make lint", "make test"]


# ----------------------------------------------------------------------------------------- make

PYTHON = """#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
case "$1 $2" in
    "-c "*) exit {supported} ;;
    "-m venv") shift 3; [ "{venv}" = 0 ] || exit 1; mkdir -p "$1/bin" && cp "$0" "$1/bin/python" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >> "{log}"
if [ "$1" = venv ]; then mkdir -p .venv/bin && cp {python} .venv/bin/python; fi
"""


class Machine:
    """A folder with the Makefile and a PATH on which only made-up programs are found."""

    def __init__(self, folder: Path):
        self.folder, self.log = folder, folder / "log"
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in ("sh", "cp", "mkdir", "rm", "touch", "basename"):
            (self.bin / tool).symlink_to(shutil.which(tool))
        (folder / "tests").mkdir()
        for file in ("Makefile", "requirements.txt", "tests/requirements.txt"):
            (folder / file).write_bytes((ROOT / file).read_bytes())

    def python(self, name: str, supported: int = 0, venv: int = 0) -> Path:
        return self._program(self.bin / name, PYTHON.format(log=self.log, supported=supported, venv=venv))

    def uv(self) -> None:
        inner = self._program(self.folder / "inner", PYTHON.format(log=self.log, supported=0, venv=0))
        self._program(self.bin / "uv", UV.format(log=self.log, python=inner))

    def make(self, target: str) -> tuple[int, str, list[str]]:
        """Exit code, what it said on both streams, and the programs that it called, in order."""
        self.log.write_text("")
        environment = {"PATH": str(self.bin), "HOME": str(self.folder)}
        done = subprocess.run([MAKE, target], cwd=self.folder, env=environment, capture_output=True, text=True)
        calls = [line for line in self.log.read_text().splitlines() if " -c " not in line]
        return done.returncode, done.stdout + done.stderr, calls

    def _program(self, path: Path, text: str) -> Path:
        path.write_text(text)
        path.chmod(0o755)
        return path


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")
INSTALL = "python -m pip install -q --require-hashes --disable-pip-version-check -r"


def test_make_without_python_says_what_is_missing(machine):
    code, said, calls = machine.make("app")
    assert code != 0 and calls == []
    assert "Python 3.11, 3.12 or 3.13 is missing" in said and "apt install python3" in said


def test_make_with_an_unsupported_python_says_what_is_missing(machine):
    machine.python("python3", supported=1)
    code, said, _ = machine.make("app")
    assert code != 0 and "Python 3.11, 3.12 or 3.13 is missing" in said
    assert not (machine.folder / ".venv").exists()


def test_make_without_the_venv_module_says_what_is_missing(machine):
    machine.python("python3", venv=1)
    (machine.folder / ".venv").mkdir()
    code, said, _ = machine.make("app")
    assert code != 0 and "apt install python3-venv" in said
    assert not (machine.folder / ".venv").exists()


def test_make_app_installs_once_and_again_when_the_lock_changes(machine):
    machine.python("python3.12")
    code, said, calls = machine.make("app")
    assert code == 0, said
    assert calls == [
        "python3.12 -m venv --clear .venv",
        "python -m pip --version",
        f"{INSTALL} requirements.txt",
        "python -m app.main",
    ]
    assert machine.make("app")[2] == ["python -m app.main"]
    later = (machine.folder / ".venv/app.installed").stat().st_mtime + 5
    os.utime(machine.folder / "requirements.txt", (later, later))
    assert f"{INSTALL} requirements.txt" in machine.make("app")[2]


def test_the_newest_python_is_taken(machine):
    for name in ("python3", "python3.11", "python3.13"):
        machine.python(name)
    assert machine.make("app")[2][0] == "python3.13 -m venv --clear .venv"


def test_an_install_that_fails_is_tried_again(machine):
    machine.python("python3")
    assert machine.make("app")[0] == 0
    (machine.folder / ".venv/app.installed").unlink()
    inner = machine.folder / ".venv/bin/python"
    works = inner.read_text()
    inner.write_text(works + '[ "$3" != install ]\n')
    assert machine.make("app")[0] != 0
    assert not (machine.folder / ".venv/app.installed").exists()
    inner.write_text(works)
    code, _, calls = machine.make("app")
    assert code == 0 and f"{INSTALL} requirements.txt" in calls


def test_make_with_uv(machine):
    machine.uv()
    code, said, calls = machine.make("test")
    assert code == 0, said
    assert calls == [
        "uv venv -q --clear --python >=3.11,<3.14 .venv",
        "uv pip install -q --verify-hashes --python .venv/bin/python -r tests/requirements.txt",
        "python -m pytest -n 2 --dist loadfile --no-loadscope-reorder",
    ]
    assert machine.make("test")[2] == ["python -m pytest -n 2 --dist loadfile --no-loadscope-reorder"]


def test_an_environment_of_another_python_is_named(machine):
    machine.python("python3")
    machine.make("app")
    inner = machine.folder / ".venv/bin/python"
    inner.write_text(inner.read_text().replace('"-c "*) exit 0', '"-c "*) exit 1'))
    code, said, _ = machine.make("test")
    assert code != 0 and "rm -r .venv" in said


def test_no_file_names_a_package_registry():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    hosts = re.compile(
        rb"py" + rb"pi\.org|python" + rb"hosted\.org|registry\.npm" + rb"js|--index" + rb"-url|--find" + rb"-links"
    )
    files = [ROOT / line for line in listed.stdout.splitlines()]
    assert [str(path) for path in files if path.is_file() and hosts.search(path.read_bytes())] == []
