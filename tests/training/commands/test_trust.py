import pytest
from typer.testing import CliRunner

from models import weight_store
from tests.training.release.test_versions import put
from training import cli


@pytest.fixture
def seen(monkeypatch):
    """What `measure` would have been called with, instead of measuring."""
    calls = []
    monkeypatch.setattr(
        "training.measures.trust.measure", lambda *arguments: calls.append(arguments) or {"methods": {}}
    )
    return calls


def run(*arguments):
    return CliRunner().invoke(cli.app, ["trust", *map(str, arguments)])


def test_the_active_weights_are_measured(seen, tmp_path):
    result = run("cnn", "--data", tmp_path)
    assert result.exit_code == 0, result.output
    assert seen[0][:6] == ("cnn", tmp_path, weight_store.SHIPPED, 200, (), 0)


def test_every_option_counts(seen, tmp_path):
    put(tmp_path / "archive" / "1.0.7" / "cnn", "1.0.7", 0.6)
    options = ["--faces", 9, "--method", "gradcam", "--method", "saliency", "--seed", 3, "--again"]
    result = run("cnn", "--data", tmp_path, *options, "--version", "1.0.7", "--archive", tmp_path / "archive")
    assert result.exit_code == 0, result.output
    assert seen[0][:6] == ("cnn", tmp_path, tmp_path / "archive" / "1.0.7", 9, ("gradcam", "saliency"), 3)
    assert seen[0][-1] is True
