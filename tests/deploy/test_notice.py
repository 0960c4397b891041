"""What is said of packages that the image holds, and of what the repository ships of others."""

import json
import re
import subprocess
import sys
from email.message import Message
from importlib.metadata import version
from pathlib import Path

import pytest

from deploy import notice
from models.zoo import ARCHITECTURES

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
CREDITS = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
PASSES_ON = re.compile(r"MIT|BSD|Apache|ISC|MPL|PSF|Zlib|see its text", re.IGNORECASE)


@pytest.fixture(scope="module")
def found() -> list[notice.Package]:
    return notice.packages(LOCK)


class Installed:
    """A distribution that says what a test lets it say."""

    def __init__(self, folder: Path, version: str = "1.0", **facts: str | list[str]):
        self.folder, self.version, self.metadata = folder, version, Message()
        for name, values in ({"Name": "thing"} | facts).items():
            for value in [values] if isinstance(values, str) else values:
                self.metadata[name.replace("_", "-")] = value

    @property
    def files(self):
        return [path.relative_to(self.folder) for path in self.folder.rglob("*")]

    def locate_file(self, path):
        return self.folder / path


@pytest.mark.parametrize(
    ("facts", "licence"),
    [
        ({"License_Expression": "MIT OR Apache-2.0", "License": "MIT"}, "MIT OR Apache-2.0"),
        ({"License": "BSD"}, "BSD"),
        ({"Classifier": ["License :: OSI Approved :: MIT License", "Topic :: x"]}, "MIT License"),
        ({"License": "Copyright\n" * 20, "Classifier": "License :: OSI Approved :: BSD License"}, "BSD License"),
        ({"License": "Dual License", "Classifier": "License :: OSI Approved :: BSD License"}, "BSD License"),
        ({}, "see its text"),
    ],
)
def test_a_licence_is_what_the_package_says(tmp_path, facts, licence):
    assert notice.package(Installed(tmp_path, **facts)).licence == licence


def test_every_text_of_a_licence_is_taken_and_no_code(tmp_path):
    for path in (
        "x.dist-info/licenses/AUTHORS",
        "x/_vendor/y.LICENSE",
        "x/COPYING.txt",
        "x/licenses.py",
        "x/other.txt",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f" {path}\n")
    texts = notice.package(Installed(tmp_path)).texts
    assert set(texts) == {"x/COPYING.txt", "x/_vendor/y.LICENSE", "x.dist-info/licenses/AUTHORS"}
    assert texts["x/COPYING.txt"] == "x/COPYING.txt"


def test_a_text_that_packages_share_stands_once_under_all_their_names():
    one = notice.Package("a", "1", "MIT", "", {"LICENSE": "Do as you like"})
    other = notice.Package("b", "2", "MIT", "https://b", {"COPYING": "Do as you like"})
    text = notice.written([one, other])
    assert text.count("Do as you like") == 1 and "a 1: LICENSE\nb 2: COPYING\n" in text
    assert text.startswith("2 packages") and "\na 1: MIT\nb 2: MIT  https://b\n" in text


def test_only_what_this_machine_needs_is_looked_for():
    lock = (
        "a==1 ; sys_platform == 'nowhere' \\\n    --hash=sha256:0\n# b==2\nc==3 \\\n    --hash=sha256:0\n    # via a\n"
    )
    assert [str(one) for one in notice.requirements(lock)] == ["c==3"]


def test_what_is_missing_or_of_another_version_is_named():
    with pytest.raises(SystemExit, match=r"no no-such-thing, pytest .*Run: make app"):
        notice.packages("no-such-thing==1\npytest==0.1\n")


def test_the_command_writes_a_line_for_every_package_of_the_lock(tmp_path, found):
    out = tmp_path / "THIRD_PARTY.txt"
    command = [sys.executable, "deploy/notice.py", "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True)
    text = out.read_text(encoding="utf-8")
    assert text == notice.written(found)
    assert len(found) > 100 and f"\npillow {version('pillow')}: MIT-CMU" in text
    assert ": tensorflow/THIRD_PARTY_NOTICES.txt\n" in text


def test_every_package_of_the_app_may_be_passed_on(found):
    """By its own word; what wheels bundle beside their own code, NOTICE.md tells."""
    assert [(one.name, one.licence) for one in found if not PASSES_ON.search(one.licence)] == []
    assert [(one.name, one.licence) for one in found if re.search(r"(?<!L)GPL", one.licence)] == []
    silent = [one for one in found if one.licence == "see its text"]
    assert [one.name for one in silent if not any("Apache License" in text for text in one.texts.values())] == []


def test_the_one_package_that_bundles_a_gpl_library_is_the_one_that_is_told_of(found):
    """By the words of the wheels; fonts, compilers' runtimes and documents have exceptions of their own."""
    gpl = re.compile(r"^License( for .*)?: (GPL-?v?[23])", re.MULTILINE)
    bundling = {one.name for one in found for text in one.texts.values() if gpl.search(text) and "x265" in text}
    assert bundling == {"pillow_heif"}
    (credit,) = [line for line in CREDITS.splitlines() if "x265" in line]
    assert all(said in credit for said in ("GPL 2", "deploy/Dockerfile", "`make app`", "a Space")), "who installs it"


def test_every_set_of_weights_and_its_data_are_credited():
    for name in (*ARCHITECTURES, "centerface"):
        card = json.loads((ROOT / f"models/weights/{name}/card.json").read_text(encoding="utf-8"))
        assert f"models/weights/{name}/" in CREDITS, name
        first = {"FER2013", "FER+", "YouTube Faces", "WIDER FACE"}
        assert all(data in CREDITS for data in first if any(data in line for line in card["data"]))
        start = card.get("training", {}).get("config", {}).get("start", "")
        assert "CC BY 4.0" not in start or ("CC BY 4.0" in CREDITS and "arXiv 1409.1556" in CREDITS)
    assert "models/weights/centerface/LICENSE" in CREDITS and "examples/credits.md" in CREDITS


def test_the_bill_of_materials_names_every_package_of_the_lock(tmp_path):
    """By the command of the Makefile, in another file. uv fetches the tool, which takes a network the first time."""
    line = re.search(r"^sbom:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    command = line.strip("\t\n@").replace("$(PYTHON)", sys.executable).replace("sbom.json", str(tmp_path / "b"))
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    if "Failed to fetch" in done.stderr:
        pytest.skip("uv cannot fetch cyclonedx-bom")
    assert done.returncode == 0, done.stderr
    bill = json.loads((tmp_path / "b").read_text())
    assert bill["metadata"]["component"]["name"] == "facewhy" and "timestamp" not in bill["metadata"]
    hashes = {
        (one["name"], one["version"]): {
            digest["content"] for link in one["externalReferences"] for digest in link.get("hashes", [])
        }
        for one in bill["components"]
    }
    pinned = re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK, re.MULTILINE)
    assert set(hashes) == set(pinned)
    assert set().union(*hashes.values()) == set(re.findall(r"sha256:([0-9a-f]{64})", LOCK))
