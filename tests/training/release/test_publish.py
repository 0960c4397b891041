import dataclasses
import json
import re

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard, constants
from typer.testing import CliRunner

from models import card as cards
from models import hub, weight_store
from models.errors import HubError, WeightsMismatchError, WeightsNotFoundError
from models.types import KEYPOINTS
from tests.hub import TOKEN, closed_port, serving
from tests.training.release.test_versions import put
from training import cli
from training.release.hub_card import readme
from training.release.publish import contents, publish

REPOSITORY = "someone/facewhy"


@pytest.fixture
def source(tmp_path):
    """A folder with a "cnn", a report beside it, and things that are not published."""
    folder = tmp_path / "weights"
    put(folder / "cnn", "1.0.0", 0.6)
    card = cards.read(folder / "cnn")
    figures = {"PublicTest": {"accuracy": 0.6}, "PrivateTest": {"accuracy": 0.5678, "macro_f1": 0.5}}
    cards.write(dataclasses.replace(card, metrics=figures), folder / "cnn")
    (folder / "cnn" / ".hidden").write_text("x")
    (folder / "cnn" / "card.json.7.partial").write_text("x")
    together = {"weights": {"cnn": card.sha256}}
    (folder / "ensemble.json").write_text(json.dumps(together))
    put(folder / "other", "1.0.0")
    return folder


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A token, an empty cache, no settings."""
    for variable in ("FACEWHY_WEIGHTS_DIR", "FACEWHY_HUB_REPO", "FACEWHY_HUB_REVISION", "HF_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setattr(hub, "SPACEFILE", tmp_path / "Spacefile")
    monkeypatch.setattr(hub, "_downloads", {})
    monkeypatch.setattr(hub, "_asked", {})


@pytest.fixture
def running(monkeypatch):
    with serving({".gitattributes": b"*.safetensors lfs\n"}, exists=False) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def asked(server, part):
    return [path for _, path in server.requests if part in path]


# ----------------------------------------------------------------------------------------- publish


@pytest.mark.parametrize("said", ['{"weights": {"cnn": "0"}}', "{}", "[]", "no JSON"])
def test_figures_of_the_networks_together_stay_behind_where_they_are_of_other_weights(source, said):
    assert "ensemble.json" in contents(REPOSITORY, source)
    (source / "ensemble.json").write_text(said)
    assert "ensemble.json" not in contents(REPOSITORY, source)


def test_one_commit_holds_every_file_and_the_app_pulls_back_the_same_bytes(running, source, monkeypatch):
    done = publish(REPOSITORY, source)
    assert running.exists and len(running.commits) == 1 and done.revision == running.revision
    names = {"README.md", "ensemble.json", "cnn/card.json", "cnn/model.safetensors", "cnn/report/curve.json"}
    assert set(done.files) == names and set(running.files) == names | {".gitattributes"}
    assert ("lfsFile", "cnn/model.safetensors") in running.commits[0][1]
    for name in names - {"README.md"}:
        assert running.files[name] == (source / name).read_bytes()

    monkeypatch.setenv("FACEWHY_HUB_REPO", REPOSITORY)
    monkeypatch.setenv("FACEWHY_HUB_REVISION", done.revision)
    found = weight_store.locate("cnn")
    assert (found.source, found.revision, found.note) == ("hub", done.revision, "")
    for file in ("card.json", "model.safetensors"):
        assert (found.folder / file).read_bytes() == (source / "cnn" / file).read_bytes()


def test_publishing_the_same_again_commits_nothing(running, source):
    first = publish(REPOSITORY, source)
    again = publish(REPOSITORY, source)
    assert len(running.commits) == 1 and again.revision == first.revision


def test_what_changed_is_sent_and_what_is_gone_is_removed(running, source):
    publish(REPOSITORY, source)
    (source / "cnn" / "report" / "curve.json").rename(source / "cnn" / "report" / "line.json")
    done = publish(REPOSITORY, source, message="Rename a report")
    assert done.removed == ("cnn/report/curve.json",)
    assert running.commits[1] == (
        "Rename a report",
        [("deletedFile", "cnn/report/curve.json"), ("file", "cnn/report/line.json")],
    )
    assert ".gitattributes" in running.files and len(asked(running, "/lfs/")) == 1 + len(asked(running, "batch"))


def test_the_command_says_what_to_set_and_never_the_token(running, source):
    result = CliRunner().invoke(cli.app, ["publish", REPOSITORY, "--source", str(source)])
    assert result.exit_code == 0, result.exception
    assert f"FACEWHY_HUB_REPO={REPOSITORY} FACEWHY_HUB_REVISION={running.revision}" in result.output
    assert TOKEN not in result.output


def test_nothing_is_sent_when_weights_are_damaged_or_missing(running, source, tmp_path):
    (source / "cnn" / weight_store.FILE).write_bytes(b"x")
    with pytest.raises(WeightsMismatchError, match="sha256"):
        publish(REPOSITORY, source)
    with pytest.raises(WeightsNotFoundError, match="promote a version"):
        publish(REPOSITORY, tmp_path / "none")
    assert running.requests == []


def test_without_a_token_nothing_is_asked(running, source, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="hf auth login"):
        publish(REPOSITORY, source)
    assert running.requests == []


@pytest.mark.parametrize(
    ("part", "status", "sentence"),
    [
        ("/repos/create", 401, "does not know the token. Received: HTTP status 401"),
        ("/repos/create", 403, "right to write to someone/facewhy"),
        ("/commit/", 409, "Somebody else changed someone/facewhy"),
        ("/commit/", 412, "Somebody else changed someone/facewhy"),
        ("/commit/", 500, "The Hub failed. Received: HTTP status 500"),
        ("/preupload/", 413, "files of this size"),
        ("/lfs/", 403, "right to write to someone/facewhy"),
        ("/commit/", 418, "The Hub did not take someone/facewhy"),
    ],
)
def test_a_refusal_is_one_sentence_without_the_token(running, source, part, status, sentence):
    running.refuse[part] = status
    if part != "/repos/create":
        running.exists = True
    with pytest.raises(HubError, match=sentence) as caught:
        publish(REPOSITORY, source)
    assert TOKEN not in str(caught.value) and "\n" not in str(caught.value)
    assert running.commits == []


def test_a_wrong_token_is_told_from_a_missing_repository(running, source, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    with pytest.raises(HubError, match="does not know the token"):
        publish(REPOSITORY, source)
    assert running.commits == [] and not running.exists


@pytest.mark.parametrize("name", ["some one/facewhy", "a/b/c", "someone/face--why"])
def test_a_name_that_no_repository_can_have_is_one_sentence(running, source, name):
    with pytest.raises(HubError, match="The Hub did not take"):
        publish(name, source)
    assert running.requests == []


def test_a_hub_that_is_down_is_one_sentence(source, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    with pytest.raises(HubError, match="The Hub did not take someone/facewhy. Received: ConnectError"):
        publish(REPOSITORY, source)


# ------------------------------------------------------------------------------------------ README


def test_the_front_matter_is_what_the_hub_reads(source):
    text = contents(REPOSITORY, source)["README.md"].decode()
    card = ModelCard(text)
    assert card.data.license == "mit" and card.data.library_name == "facewhy"
    assert card.data.pipeline_tag == "image-classification" and "fer2013" in card.data.tags
    results = {result.metric_name: result for result in card.data.eval_results}
    assert card.data.model_name == "cnn"
    assert results["Accuracy"].metric_value == 0.5678 and results["Macro F1"].metric_value == 0.5
    assert results["Accuracy"].dataset_split == "PrivateTest"


def test_the_page_shows_the_figures_limits_and_labels_of_every_card():
    found = [cards.read(weight_store.SHIPPED / name) for name in ("cnn", "resnet", "vgg16", "keypoints")]
    text = readme(REPOSITORY, found)
    front = yaml.safe_load(text.split("---\n")[1])
    assert [entry["name"] for entry in front["model-index"]] == [card.name for card in found]
    body = text.split("---\n", 2)[2]
    for card in found[:3]:
        row = next(line for line in body.splitlines() if line.startswith(f"| {card.name} | ") and "%" in line)
        shares = [float(number) / 100 for number in re.findall(r"([\d.]+)%", row)]
        keys = (
            "accuracy",
            "accuracy_with_flip",
            "accuracy_ten_crops",
            "accuracy_ferplus",
            "macro_f1",
            "calibration_error",
        )
        np.testing.assert_allclose(shares, [card.metrics["PrivateTest"][key] for key in keys], atol=5e-5)
        assert f"logits / {card.temperature:g}" in body
    assert f"{found[3].metrics['test']['nme']:.2%}" in body and ", ".join(KEYPOINTS) in body
    for card in found:
        assert all(line in body for line in card.limits + card.data) and card.sha256[:12] in body
    assert len(re.findall(re.escape(found[0].limits[0]), body)) == 1


def test_the_page_credits_what_each_network_began_with(source):
    found = [cards.read(weight_store.SHIPPED / name) for name in ("cnn", "vgg16")]
    body = readme(REPOSITORY, found)
    for card in found:
        assert f"- First weights of `{card.name}`: {card.training.config['start']}\n" in body
    assert "Visual Geometry Group, CC BY 4.0" in body
    assert "First weights of" not in readme(REPOSITORY, [cards.read(source / "cnn")])


def test_weights_that_were_not_measured_have_no_figures(source):
    card = dataclasses.replace(cards.read(source / "cnn"), metrics={})
    front = yaml.safe_load(readme(REPOSITORY, [card]).split("---\n")[1])
    assert "model-index" not in front and "metrics" not in front
    assert json.loads(card.to_json())["metrics"] == {}
