"""The container image, read and replayed; `docker build` itself needs an engine and is not run here."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from app import space
from tests.deploy import image

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "Dockerfile").read_text()
IGNORE = (DEPLOY / "Dockerfile.dockerignore").read_text()
EVERY = image.instructions(TEXT)
STEPS = image.final(EVERY)
HEALTH = json.loads(image.last(STEPS, "HEALTHCHECK").value.split("CMD", 1)[1])
PAGE = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:7860/', timeout=20).read().decode())"
ABOUT = """
import os
from pathlib import Path

status = Path("/proc/1/status").read_text()
print(*[line for line in status.splitlines() if line.split(":")[0] in ("Uid", "NoNewPrivs", "CapEff")], sep="\\n")
for path in ("/srv/facewhy/app/x", "/srv/facewhy/x", "/etc/x", "/x"):
    try:
        open(path, "w")
        print("written", path)
    except OSError:
        pass
print("network", os.listdir("/sys/class/net") if os.path.isdir("/sys/class/net") else [])
"""


@pytest.fixture(scope="module")
def tracked() -> dict[str, bytes]:
    return space.committed().files


@pytest.fixture(scope="module")
def context(tracked) -> dict[str, bytes]:
    """A checkout in which people have worked."""
    left = (
        ".git/config",
        ".env",
        "deploy/.env",
        ".venv/bin/python",
        "app/__pycache__/main.cpython-311.pyc",
        "app/ui/tabs/__pycache__/lab.cpython-311.pyc",
        "app/.hidden/key",
        "models/weights/cnn/.7.partial",
        "models/notes.pyo",
        "runs/cnn/model.keras",
        "exports/cnn/1000000/saved_model.pb",
        "docs/private.md",
        "secret.pem",
    )
    return tracked | dict.fromkeys(left, b"x")


# ------------------------------------------------------------------------------------- rules


def test_the_base_is_one_version_of_the_python_that_the_space_runs():
    """By its digest, which nothing else can have; the stage that compiles is made from the same one."""
    base, *more = {step.value.split(" AS ")[0] for step in EVERY if step.name == "FROM"}
    assert not more and re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+@sha256:[0-9a-f]{64}", base)
    assert base.startswith(f"python:{space.read()['python']}.")


def test_it_runs_as_a_numbered_user_who_is_not_root_from_the_last_steps_on():
    user, group = image.last(STEPS, "USER").value.split(":")
    assert int(user) >= 10000 and int(group) >= 10000
    assert not [s for s in STEPS[STEPS.index(image.last(STEPS, "USER")) :] if s.name in ("RUN", "COPY", "USER")][1:]
    assert not [step for step in STEPS if step.name == "COPY" and "--chown" in step.value]


def test_it_starts_the_page_on_every_address_of_the_port_that_it_shows():
    variables = image.environment(STEPS)
    assert variables["GRADIO_SERVER_NAME"] == "0.0.0.0"
    assert variables["GRADIO_SERVER_PORT"] == image.last(STEPS, "EXPOSE").value == "7860"
    assert json.loads(image.last(STEPS, "CMD").value) == ["python", "-m", "app.main"]
    assert "http://127.0.0.1:7860/health" in HEALTH[-1]
    assert space.read()["variables"].items() <= variables.items()


def test_requirements_are_installed_before_the_code_is_copied_and_leave_no_cache():
    names = [(step.name, step.value) for step in STEPS if step.name in ("RUN", "COPY")]
    assert names[0] == ("COPY", "requirements.txt ./")
    assert re.search(r" pip install --no-cache-dir .*--require-hashes -r requirements\.txt && ", names[1][1])
    assert names[2][1].startswith("--mount=type=bind,") and names[2][1].endswith("/notice.py --out THIRD_PARTY.txt")


def test_what_a_step_takes_from_the_context_is_sent():
    mounts = [match for step in EVERY for match in re.findall(r"--mount=type=bind,source=([\w./]+)", step.value)]
    assert mounts == ["deploy/no_x265.c", "deploy/notice.py"]
    assert [path for path in mounts if image.Ignore(IGNORE).leaves_out(path) or not (ROOT / path).is_file()] == []


def test_it_holds_no_secret_and_fetches_nothing_but_requirements():
    assert not [step for step in STEPS if step.name in ("ADD", "ARG")]
    assert not re.search(r"curl|wget|apt-get|sudo|chmod", "".join(step.value for step in STEPS))
    assert not [name for name in image.environment(STEPS) if re.search("TOKEN|SECRET|PASSWORD|KEY", name)]


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("app/main.py", False),
        ("docs/methods/gradcam.md", False),
        ("docs/lab.md", False),
        ("docs/teaching.md", False),
        ("docs/trust.md", True),
        ("docs", True),
        ("README.md", True),
        ("models/weights/cnn/card.json", False),
        ("models/__pycache__/zoo.cpython-311.pyc", True),
        ("explain/x.pyd", True),
        ("app/ui/tabs/.cache/x", True),
    ],
)
def test_the_ignore_file(path, left_out):
    assert image.Ignore(IGNORE).leaves_out(path) is left_out


def test_the_last_line_that_matches_a_path_or_a_folder_above_counts():
    rules = image.Ignore("# x\n*\n!/a/\na/b\n!a/b/?.txt\n**/*.lo[cg]\nd**e\n")
    found = {path: rules.leaves_out(path) for path in ("a/x", "a/b/c", "a/b/c.txt", "a/b/cc.txt", "a/x.log", "d/x/e")}
    assert found == {
        "a/x": False,
        "a/b/c": True,
        "a/b/c.txt": False,
        "a/b/cc.txt": True,
        "a/x.log": True,
        "d/x/e": True,
    }


def test_the_last_stage_is_the_image():
    steps = image.instructions("FROM a AS b\nCOPY x /\nFROM c\nUSER 1\n")
    assert [step.name for step in image.final(steps)] == ["FROM", "USER"]


def test_a_dockerfile_is_read_with_its_continued_lines_and_comments():
    steps = image.instructions('# one\nfrom a\nENV A=1 \\\n    # two\n    B=\'2 3\'\n\nCMD ["x", "y z"]\n')
    assert [step.name for step in steps] == ["FROM", "ENV", "CMD"]
    assert image.environment(steps) == {"A": "1", "B": "2 3"} and steps[2].arguments == ["x", "y z"]


def test_the_image_holds_what_the_app_needs_and_nothing_else(context, tracked):
    found = image.copied(STEPS, image.Ignore(IGNORE), list(context))
    folders = ("app/", "explain/", "models/", "examples/", "docs/methods/")
    files = ("requirements.txt", "Spacefile", "LICENSE", "NOTICE.md", "docs/lab.md", "docs/teaching.md")
    expected = {path for path in tracked if path.startswith(folders) or path in files}
    assert found == {f"/srv/facewhy/{path}": path for path in expected}
    assert sum(len(context[path]) for path in found.values()) < 70_000_000


# ------------------------------------------------------------------------------------ replay


@pytest.fixture(scope="module")
def running(tmp_path_factory, context):
    """The image's command in a root file system of its own: its Replay and its process."""
    if not image.possible():
        pytest.skip("needs root, unshare and ip to make a namespace")
    folder = tmp_path_factory.mktemp("image")
    replay = image.Replay(folder, TEXT, IGNORE, context)
    replay.build()
    with open(tmp_path_factory.mktemp("log") / "log", "w+") as log:
        process = replay.start(json.loads(image.last(STEPS, "CMD").value), log)
        try:
            until = time.monotonic() + 120
            while replay.run(process, HEALTH).returncode:
                log.seek(0)
                assert process.poll() is None and time.monotonic() < until, log.read()
                time.sleep(0.3)
            yield replay, process
        finally:
            process.kill()
            process.wait()


def test_the_page_answers_without_a_network_from_the_images_files_alone(running):
    replay, process = running
    done = replay.run(process, ["python", "-c", PAGE])
    assert "FaceWhy" in done.stdout and "gradio" in done.stdout, done.stderr
    assert replay.run(process, HEALTH).returncode == 0


def test_it_tells_a_cluster_when_it_is_ready_and_prometheus_what_it_measures(running):
    """As a probe asks: by the pod's address, here another name of loopback, and not by a name of the page."""
    replay, process = running
    ready = HEALTH[-1].replace("127.0.0.1", "127.1.2.3").replace("/health", "/health?ready=true")
    until = time.monotonic() + 120
    while (done := replay.run(process, [*HEALTH[:-1], ready])).returncode:
        assert "503" in done.stderr and time.monotonic() < until, done.stderr
        time.sleep(0.5)
    measured = replay.run(process, ["python", "-c", PAGE.replace("7860/", "7860/metrics")])
    assert "# TYPE " in measured.stdout, measured.stderr


def test_it_is_not_root_and_can_write_to_no_folder_but_tmp(running):
    replay, process = running
    done = replay.run(process, ["python", "-c", ABOUT])
    assert f"Uid:\t{replay.user}\t{replay.user}\t{replay.user}\t{replay.user}" in done.stdout, done.stderr
    assert "CapEff:\t0000000000000000" in done.stdout and "NoNewPrivs:\t1" in done.stdout
    assert "written" not in done.stdout


def test_a_health_check_of_a_port_on_which_nothing_listens_fails(running):
    replay, process = running
    assert replay.run(process, [*HEALTH[:-1], HEALTH[-1].replace("7860", "7861")]).returncode != 0


def test_it_stops_when_it_is_told_to(running):
    """Last: the page is gone afterwards."""
    replay, process = running
    (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    began = time.monotonic()
    subprocess.run(["kill", f"-{signal.SIGTERM}", first], check=True)
    process.wait(30)
    assert time.monotonic() - began < 15


# ----------------------------------------------------------------------------------- compose


COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_compose_starts_the_page_and_what_watches_it_and_the_rest_by_profile():
    services = COMPOSE["services"]
    always = {name for name, service in services.items() if "profiles" not in service}
    assert always == {"page", "prometheus"}
    assert services["mlflow"]["profiles"] == ["mlflow"] and services["serving"]["profiles"] == ["serving"]
    for service in services.values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert not service["image"].endswith(":latest") and ":" in service["image"]


def test_only_the_page_is_open_to_other_machines():
    services = COMPOSE["services"]
    assert services["page"]["ports"] == ["7860:7860"]
    others = [port for name, service in services.items() if name != "page" for port in service["ports"]]
    assert others and all(port.startswith("127.0.0.1:") for port in others)


def test_compose_names_files_that_are_there():
    build = COMPOSE["services"]["page"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT and (ROOT / build["dockerfile"]).is_file()
    mounted = [volume for service in COMPOSE["services"].values() for volume in service.get("volumes", [])]
    for source in {volume.split(":")[0] for volume in mounted} - set(COMPOSE["volumes"]) - {"../exports"}:
        assert (DEPLOY / source).exists(), source


def test_every_variable_that_compose_passes_on_is_one_of_the_apps():
    read = "".join(path.read_text() for package in ("app", "models") for path in (ROOT / package).rglob("*.py"))
    unknown = [each for each in COMPOSE["services"]["page"]["environment"] if each.partition("=")[0] not in read]
    assert unknown == []


def test_mlflow_is_the_version_that_training_writes_to():
    pinned = re.search(r"mlflow-skinny==([\d.]+)", (ROOT / "pyproject.toml").read_text())[1]
    inline = COMPOSE["services"]["mlflow"]["build"]["dockerfile_inline"]
    assert f"mlflow=={pinned}" in inline and COMPOSE["services"]["mlflow"]["image"].endswith(f":{pinned}")
    steps = image.instructions(inline)
    assert steps[0].value == STEPS[0].value and int(image.last(steps, "USER").value.split(":")[0]) > 0


def test_prometheus_asks_the_page_for_what_it_measures():
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    (target,) = job["static_configs"]
    assert job["metrics_path"] == "/metrics" and target["targets"] == ["page:7860"]
