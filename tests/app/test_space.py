import json
import socket
import subprocess
import sys
from importlib.metadata import version

import httpx
import pytest
import yaml
from huggingface_hub import constants
from starlette.routing import Route

from app import space
from models import card as cards
from models import weight_store
from models.errors import FaceWhyError, HubError, ParameterError
from tests import hub

SETTINGS = space.read()


def block_of(text: str) -> dict:
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


def test_the_readme_begins_with_what_the_space_file_says():
    readme = (space.ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(space.front_matter(SETTINGS)), "run: .venv/bin/python -m app.space"
    assert "# FaceWhy" in readme


def test_the_front_matter_is_what_a_space_needs():
    block = block_of(space.front_matter(SETTINGS))
    assert block["sdk"] == "gradio" and block["sdk_version"] == version("gradio")
    assert block["python_version"] == "3.11"
    assert (space.ROOT / block["app_file"]).parent.name == "app"
    assert len(block["short_description"]) <= 60  # the Hub refuses longer ones
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {block["colorFrom"], block["colorTo"]} <= colours
    assert "preload_from_hub" not in block


def test_weights_on_the_hub_are_fetched_while_the_space_is_built():
    settings = SETTINGS | {"hub": {"repository": "a/b", "revision": "c" * 40}}
    (line,) = block_of(space.front_matter(settings))["preload_from_hub"]
    repository, files, revision = line.split(" ")
    assert (repository, revision) == ("a/b", "c" * 40)
    assert {"cnn/card.json", "keypoints/model.safetensors"} <= set(files.split(",")) and len(files.split(",")) == 8


@pytest.mark.parametrize("readme", ["# Title\n", "---\ntitle: Old\n---\n# Title\n"])
def test_only_the_front_matter_is_replaced(readme):
    assert space.with_front_matter(readme, "---\ntitle: New\n---\n") == "---\ntitle: New\n---\n# Title\n"


@pytest.mark.parametrize("text", ["", "- a\n", "title: [", "title: FaceWhy\n"])
def test_a_broken_space_file_is_refused(tmp_path, text):
    (tmp_path / "Spacefile").write_text(text)
    with pytest.raises(ParameterError, match="Spacefile"):
        space.read(tmp_path / "Spacefile")


# ------------------------------------------------------------------------------- what is sent


@pytest.fixture(scope="module")
def commit() -> space.Commit:
    return space.committed()


def git(folder, *command) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    done = subprocess.run(["git", *identity, *command], cwd=folder, capture_output=True, check=True, text=True)
    return done.stdout


@pytest.fixture
def checkout(tmp_path):
    """A repository of one commit."""
    git(tmp_path, "init", "-q")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_bytes(b"print('one')\r\n")
    (tmp_path / "é.bin").write_bytes(bytes(range(256)))
    (tmp_path / ".gitignore").write_text("runs/\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "First")
    return tmp_path


def test_only_what_is_committed_is_sent(checkout):
    (checkout / "runs").mkdir()
    (checkout / "runs" / "ignored").write_text("x")
    (checkout / "untracked").write_text("x")
    (checkout / "app" / "main.py").write_text("print('two')\n")
    found = space.committed(checkout)
    expected = {"app/main.py": b"print('one')\r\n", "é.bin": bytes(range(256)), ".gitignore": b"runs/\n"}
    assert found.files == expected and found.changed == ("app/main.py",)
    assert found.revision == git(checkout, "rev-parse", "HEAD").strip()


def test_a_link_is_not_sent(checkout):
    (checkout / "link").symlink_to("/etc/hostname")
    git(checkout, "add", "link")
    git(checkout, "commit", "-qm", "Link")
    with pytest.raises(ParameterError, match="has a link.*Received: link"):
        space.committed(checkout)


def test_without_a_repository_nothing_is_sent(tmp_path):
    with pytest.raises(
        ParameterError, match="files of the commit could not be read. Received: fatal: not a git repository"
    ):
        space.committed(tmp_path)


def test_the_last_commit_is_a_complete_space(commit):
    assert space.verify(commit.files)["start"] == "app/main.py"


CNN = cards.read(weight_store.SHIPPED / "cnn").sha256


def edited(path, old, new):
    """A change of one file's text; README follows Spacefile."""

    def edit(files):
        text = files[path].decode()
        assert old in text
        files[path] = text.replace(old, new, 1).encode()
        if path == "Spacefile":
            block = space.front_matter(space.parse(files[path].decode()))
            files["README.md"] = space.with_front_matter(files["README.md"].decode(), block).encode()

    return edit


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda files: files.pop("models/weights/vgg16/model.safetensors"), "no models/weights/vgg16/model.safetens"),
        (lambda files: files.pop("requirements.txt"), "no requirements.txt"),
        (lambda files: files.pop("app/main.py"), "start file is not in the repository. Received: 'app/main.py'"),
        (
            edited("README.md", "emoji:", "emojis:"),
            "does not begin with what Spacefile says.*Run: .venv/bin/python -m app.space",
        ),
        (edited("Spacefile", "title: FaceWhy", "title: " + "FaceWhy" * 10), "title has more than 60"),
        (edited("Spacefile", "description: Why", "description: " + "Why" * 20), "description has more than 60"),
        (edited("Spacefile", "indigo", "violet"), "colours are not all among blue, gray"),
        (edited("Spacefile", "sdk: gradio", "sdk: docker"), "not one of Gradio"),
        (edited("Spacefile", 'python: "3.11"', "python: newest"), "such as 3.11"),
        (
            edited("Spacefile", "sdk_version: 6.31.0", "sdk_version: 6.3"),
            "sdk_version is not pinned in requirements.txt. Received: 6.3",
        ),
        (edited("Spacefile", 'repository: ""', "repository: a/b"), "hub.revision is not a full commit"),
        (
            edited("models/weights/cnn/card.json", f'"sha256": "{CNN[:8]}', '"sha256": "00000000'),
            "cnn/model.safetensors does not have the sha256",
        ),
    ],
)
def test_a_space_that_is_not_complete_is_refused(commit, edit, sentence):
    files = dict(commit.files)
    edit(files)
    with pytest.raises(FaceWhyError, match=sentence):
        space.verify(files)


def test_a_space_that_is_too_large_is_refused(commit, monkeypatch):
    monkeypatch.setattr(space, "LARGEST", 10_000_000)
    with pytest.raises(ParameterError, match="more than 10,000,000 bytes"):
        space.verify(commit.files)


def test_requirements_are_sent_without_hashes(commit):
    """pip wants a hash of every package of a call or of none, and a Space's builder adds packages without one."""
    assert b"--hash=sha256:" in commit.files["requirements.txt"]
    text = space.sent(commit.files)["requirements.txt"].decode()
    assert "--hash" not in text and "\\" not in text
    pinned = [line for line in commit.files["requirements.txt"].decode().splitlines() if line[:1].isalnum()]
    assert [line for line in text.splitlines() if line[:1].isalnum()] == [line.removesuffix(" \\") for line in pinned]
    assert [path for path, data in space.sent(commit.files).items() if data != commit.files[path]] == [
        "requirements.txt"
    ]


# ------------------------------------------------------------------------------------- check


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_the_last_commit_passes_the_quick_check(commit):
    """Versions are found for the requirements, and the page starts from nothing but the commit's files."""
    port, said = free_port(), []
    try:
        said += space.check(quick=True, port=port)
    except ParameterError as error:
        if "failed to fetch" in str(error).lower() or "error sending request" in str(error).lower():
            pytest.skip("no package registry is in reach")
        raise
    assert f"{len(commit.files)} files of {commit.revision[:12]}" in said[0]
    assert "versions that fit together" in said[-2] and f"answers on port {port} without a Hub" in said[-1]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)


def test_requirements_that_contradict_what_a_space_installs_are_refused(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("gradio==6.30.0\n")
    with pytest.raises(ParameterError, match="requirements.txt could not be installed"):
        space.install(tmp_path / "environment", requirements, SETTINGS, quick=True)


def test_without_uv_the_python_of_the_space_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(space.shutil, "which", lambda name: None)
    monkeypatch.setattr(space.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match="Python 3.9 of the Space is missing. Received: Python 3.1"):
        space.install(tmp_path, tmp_path / "requirements.txt", SETTINGS | {"python": "3.9"}, quick=True)


ANSWERING = """
import http.server, json, os

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"FaceWhy")
        json.dump(dict(os.environ) | {"cwd": os.getcwd()}, open("environment.json", "w"))

http.server.HTTPServer(("127.0.0.1", int(os.environ.get("GRADIO_SERVER_PORT", DEFAULT))), Page).serve_forever()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "space" / "app").mkdir(parents=True)
    return tmp_path / "space"


def test_the_app_starts_as_in_a_space(folder, monkeypatch):
    monkeypatch.setenv("FACEWHY_HUB_REPO", "someone/weights")
    port = free_port()
    (folder / "app" / "main.py").write_text(ANSWERING.replace("DEFAULT", "0"))
    assert space.start(folder, sys.executable, SETTINGS, port) < 30
    found = json.loads((folder / "environment.json").read_text())
    assert found["SYSTEM"] == "spaces" and found["cwd"] == str(folder) and found["GRADIO_SERVER_PORT"] == str(port)
    assert SETTINGS["variables"].items() <= found.items() and "FACEWHY_HUB_REPO" not in found
    with pytest.raises(httpx.ConnectError):
        httpx.get(found["HF_ENDPOINT"], trust_env=False)


def test_the_port_of_a_space_is_the_apps_own_choice(folder, monkeypatch):
    assert space.PORT == 7860
    port = free_port()
    monkeypatch.setattr(space, "PORT", port)
    (folder / "app" / "main.py").write_text(ANSWERING.replace("DEFAULT", str(port)))
    space.start(folder, sys.executable, SETTINGS, port)
    assert "GRADIO_SERVER_PORT" not in json.loads((folder / "environment.json").read_text())


@pytest.mark.parametrize(
    ("script", "sentence"),
    [("import nothing_such", "No module named 'nothing_such'"), ("import time; time.sleep(60)", "nothing said")],
)
def test_an_app_that_does_not_answer_is_refused_with_what_it_said(folder, monkeypatch, script, sentence):
    monkeypatch.setattr(space, "ANSWER_TIMEOUT_S", 2.0)
    (folder / "app" / "main.py").write_text(script)
    with pytest.raises(ParameterError, match=sentence):
        space.start(folder, sys.executable, SETTINGS, free_port())


def test_a_port_on_which_something_else_answers_is_refused(folder):
    with hub.serving({}) as other, pytest.raises(ParameterError, match="is already in use. Received: an answer"):
        space.start(folder, sys.executable, SETTINGS, int(other.url.rpartition(":")[2]))


# -------------------------------------------------------------------------------------- push


class SpaceHub(hub.Hub):
    """The loopback Hub with its model repository also as a Space."""

    created = None

    async def create(self, request):
        self.created = await request.json()
        return await super().create(request)

    def routes(self):
        routes = super().routes()
        found = []
        for route in routes:
            path = route.path.replace("/api/models/", "/api/spaces/").replace("/{owner}", "/spaces/{owner}", 1)
            path = path.replace("/api/spaces/spaces/", "/api/spaces/")
            found.append(Route(path, route.endpoint, methods=route.methods))
        return found + routes


@pytest.fixture
def running(tmp_path, monkeypatch):
    for variable in ("FACEWHY_HUB_REPO", "FACEWHY_HUB_REVISION"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(hub, "Hub", SpaceHub)
    monkeypatch.setenv("HF_TOKEN", hub.TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with hub.serving({".gitattributes": b"*.safetensors lfs\n", "old.py": b"old"}, exists=False) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def test_one_commit_makes_the_space_hold_what_git_holds_but_for_hashes(running, commit, capsys):
    space.main(["push", "someone/facewhy"])
    said = capsys.readouterr().out
    assert (
        f"{len(commit.files)} files, 1 removed: {running.url}/spaces/someone/facewhy, commit {running.revision}" in said
    )
    assert hub.TOKEN not in said
    sent = dict(running.files)
    assert sent.pop(".gitattributes") == b"*.safetensors lfs\n"
    listed = subprocess.run(["git", "ls-tree", "-rz", "HEAD"], cwd=space.ROOT, capture_output=True, check=True)
    names = {}
    for line in listed.stdout.decode().split("\0")[:-1]:
        facts, path = line.split("\t")
        names[path] = facts.split(" ")[2]
    installed = sent.pop("requirements.txt")
    assert names.pop("requirements.txt") == hub.blob(commit.files["requirements.txt"])
    assert {path: hub.blob(data) for path, data in sent.items()} == names
    assert installed == space.sent(commit.files)["requirements.txt"]
    ((message, changes),) = running.commits
    assert message == f"FaceWhy at {commit.revision[:12]}" and ("deletedFile", "old.py") in changes
    assert ("lfsFile", "models/weights/vgg16/model.safetensors") in changes
    assert sent["README.md"].decode().startswith("---\ntitle: FaceWhy\n")

    given = running.created
    assert (given["type"], given["sdk"], given["name"]) == ("space", "gradio", "facewhy")
    assert {one["key"]: one["value"] for one in given["variables"]} == SETTINGS["variables"]

    again = space.push("someone/facewhy")
    assert len(running.commits) == 1 and again.revision == running.revision and again.removed == ()


@pytest.mark.parametrize(
    ("part", "status", "sentence"),
    [
        ("/repos/create", 401, "does not know the token. Received: HTTP status 401"),
        ("/repos/create", 402, "does not run Gradio Spaces for this account"),
        ("/repos/create", 403, "right to write to someone/facewhy"),
        ("/preupload/", 418, "did not take someone/facewhy. Received: HTTP status 418"),
    ],
)
def test_a_refusal_is_one_sentence_without_the_token(running, part, status, sentence):
    running.refuse[part] = status
    with pytest.raises(SystemExit, match=sentence) as caught:
        space.main(["push", "someone/facewhy"])
    assert hub.TOKEN not in str(caught.value) and "\n" not in str(caught.value) and running.commits == []


def test_nothing_is_asked_without_a_token_or_with_an_incomplete_space(running, checkout, monkeypatch):
    with pytest.raises(ParameterError, match="Files of the Space are missing"):
        space.push("someone/facewhy", checkout)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="hf auth login"):
        space.push("someone/facewhy")
    assert running.requests == []


def test_a_hub_that_is_down_or_a_name_that_no_space_can_have_is_one_sentence(running, monkeypatch):
    with pytest.raises(HubError, match="The Hub did not take some one/facewhy"):
        space.push("some one/facewhy")
    monkeypatch.setenv("HF_ENDPOINT", hub.closed_port())
    with pytest.raises(HubError, match="The Hub did not take someone/facewhy. Received: ConnectError"):
        space.push("someone/facewhy")


# ----------------------------------------------------------------------------------- command


@pytest.mark.parametrize("arguments", [[], ["write"]])
def test_the_command_writes_the_front_matter(tmp_path, monkeypatch, capsys, arguments):
    (tmp_path / "Spacefile").write_bytes((space.ROOT / "Spacefile").read_bytes())
    (tmp_path / "README.md").write_text("# FaceWhy\n", encoding="utf-8")
    monkeypatch.setattr(space.write, "__defaults__", (tmp_path,))
    space.main(arguments)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text == capsys.readouterr().out + "# FaceWhy\n" and text.startswith(space.front_matter(SETTINGS))
