from importlib.metadata import version

import pytest
import yaml

from app import space
from models.errors import ParameterError

SETTINGS = space.read()


def block_of(text: str) -> dict:
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


def test_the_readme_begins_with_what_the_space_file_says():
    readme = (space.ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(space.front_matter(SETTINGS)), "run: python -m app.space"
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
