import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from models.errors import DivergedError, RunError
from tests.training import searched
from training import tune

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cnn-tune"


def test_the_best_trial_has_the_highest_figure_and_those_that_lag_behind_are_stopped(tmp_path, folder):
    study = searched.search(tmp_path, 12)
    ended = [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(ended) == 12
    complete = [trial for trial in ended if trial.state.name == "COMPLETE"]
    for trial in complete:
        assert trial.value == searched.figure(tune.settings(searched.CONFIG, optuna.trial.FixedTrial(trial.params)), 2)
    told = json.loads((folder / tune.BEST).read_text())
    assert told["value"] == max(trial.value for trial in complete)
    assert set(told) == {"trial", "value", "learning_rate", "strength", "width"}
    assert not list(folder.rglob("*.weights.h5"))
    assert len({trial.params["learning_rate"] for trial in ended}) == 12
    pruned = [trial for trial in ended if trial.state.name == "PRUNED"]
    assert (
        pruned
        and max(
            searched.figure(tune.settings(searched.CONFIG, optuna.trial.FixedTrial(trial.params)), 2)
            for trial in pruned
        )
        < told["value"]
    )
    assert len((folder / "epochs.txt").read_text().splitlines()) < 3 * 12


def test_a_search_that_is_killed_goes_on_in_the_middle_of_its_trial(tmp_path, folder):
    command = [sys.executable, "-m", "tests.training.searched", str(tmp_path), "5", "trial002"]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    before = (folder / "epochs.txt").read_text().splitlines()
    assert before[-2:] == ["trial002 0", "trial002 1"]
    began = json.loads((folder / "trial002" / "run.json").read_text())["config"]

    study = searched.search(tmp_path, 5)
    after = (folder / "epochs.txt").read_text().splitlines()[len(before) :]
    assert after[0] == "trial002 2" and "trial002 0" not in after
    ended = [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(ended) == 5 and len(study.trials) == 6
    resumed = next(trial for trial in ended if trial.user_attrs.get(tune.CONTINUES) == 2)
    assert resumed.params["learning_rate"] == began["learning_rate"]
    assert list(resumed.intermediate_values) == [0, 1, 2]
    assert len({trial.params["learning_rate"] for trial in ended}) == 5
    assert len(searched.search(tmp_path, 5).trials) == 6  # nothing is missing


def test_a_trial_stopped_by_an_error_is_tried_again_and_one_that_diverged_is_not(tmp_path):
    def full(config, folder, name, callbacks):
        raise RunError("The disk has room")

    def diverges(config, folder, name, callbacks):
        raise DivergedError("The training diverged")

    with pytest.raises(RunError, match="room"):
        tune.tune(searched.CONFIG, full, 1, "0" * 64, tmp_path)
    study = tune.tune(searched.CONFIG, diverges, 2, "0" * 64, tmp_path)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "PRUNED", "PRUNED"]
    assert study.trials[1].user_attrs == {tune.CONTINUES: 0}


def test_another_recipe_other_data_or_another_backend_is_refused(tmp_path, monkeypatch):
    searched.search(tmp_path, 1)
    with pytest.raises(RunError, match="batch was 64 and is 32"):
        tune.tune(replace(searched.CONFIG, batch=32), None, 2, "0" * 64, tmp_path)
    with pytest.raises(RunError, match="data_sha256"):
        tune.tune(searched.CONFIG, None, 2, "1" * 64, tmp_path)
    monkeypatch.setattr(tune.keras.backend, "backend", lambda: "torch")
    with pytest.raises(RunError, match="backend was tensorflow and is torch"):
        tune.tune(searched.CONFIG, None, 2, "0" * 64, tmp_path)


def test_every_setting_changes_the_configuration():
    low = tune.settings(
        searched.CONFIG, optuna.trial.FixedTrial({"learning_rate": 0.02, "strength": 0.5, "width": 0.75})
    )
    assert low.learning_rate == 0.02 and low.width == 0.75
    assert low.augmentation == searched.CONFIG.augmentation.scaled(0.5)
    points = tune.settings(
        replace(searched.CONFIG, name="keypoints", stages=((3, 96),)),
        optuna.trial.FixedTrial({"learning_rate": 0.02, "strength": 1.0}),
    )
    assert points.width == 1.0
