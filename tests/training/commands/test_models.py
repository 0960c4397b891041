import pytest
from typer.testing import CliRunner

from models import weight_store
from tests.training.release.test_versions import content, put
from training import cli


@pytest.fixture
def places(tmp_path, monkeypatch):
    put(tmp_path / "weights" / "cnn", "1.0.0", 0.60)
    put(tmp_path / "archive" / "1.0.1" / "cnn", "1.0.1", 0.55)
    monkeypatch.setattr("training.commands.models.SHIPPED", tmp_path / "weights")
    return tmp_path


def run(places, *arguments):
    return CliRunner().invoke(cli.app, ["models", *arguments, "--archive", str(places / "archive")])


def test_the_list_names_versions_figures_and_origin(places):
    result = run(places, "list", "cnn")
    assert result.exit_code == 0, result.output
    first, second = (line.split() for line in result.output.splitlines()[1:])
    assert first[:5] == ["cnn", "1.0.0", "active", "2026-11-21", "60.00%"]
    assert second[:4] == ["cnn", "1.0.1", "2026-11-21", "55.00%"]
    assert first[5:7] == ["cdcdcdcd", "efefefef"] and first[7] != second[6]
    assert run(places, "list").output == result.output


def test_promote_and_rollback_say_what_is_active(places):
    before = content(places / "weights")
    refused = run(places, "promote", "cnn", "1.0.1")
    assert isinstance(refused.exception, weight_store.WeightsError) and content(places / "weights") == before
    assert run(places, "promote", "cnn", "1.0.1", "--force").output == "cnn 1.0.1 is active\n"
    assert content(places / "weights") != before
    assert run(places, "rollback", "cnn").output == "cnn 1.0.0 is active\n"
    assert content(places / "weights") == before


def test_an_unknown_model_is_refused(places):
    for arguments in (("list", "dog"), ("promote", "dog"), ("rollback", "dog")):
        assert "Use one of cnn" in str(run(places, *arguments).exception)
