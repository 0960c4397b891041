"""A search over models: no photo on both sides, goes on where it stopped, keeps a glass box and tells what it is."""

import json
import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from typer.testing import CliRunner

from models import dataset, geometry, glass_box
from models.errors import DatasetError, RunError
from tests.training.dataset.conftest import part
from training.cli import app
from training.dataset import attributions, candidates, features, finish, fit, table
from training.measures import report

SETTINGS = {
    "logistic": {"c": 1.0},
    "boosting": {"learning_rate": 0.1, "leaves": 4, "rounds": 30},
    "svm": {"c": 5.0, "gamma": 0.05},
    "network": {"units": 32, "dropout": 0.0, "learning_rate": 0.01, "epochs": 25},
    "ebm": {"bins": 8, "learning_rate": 0.1, "leaves": 2, "bags": 1, "rounds": 60},
}


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def faces(made):
    list(features.write(made, {}))
    return table.checked(table.read(made))


@pytest.fixture
def quick(monkeypatch):
    """Trials of known, small settings."""

    def suggest(trial, names):
        name = trial.suggest_categorical("model", names)
        trial.suggest_float("c", 0.1, 1.0)
        return name, SETTINGS[name]

    monkeypatch.setattr(candidates, "suggest", suggest)
    monkeypatch.setattr(report, "write", lambda folder, drawn: ", ".join(drawn))


@pytest.mark.parametrize("name", candidates.NAMES)
def test_every_candidate_learns(faces, name):
    learned, new = faces.of("Training"), faces.of("PublicTest")
    fitted = candidates.fit(name, SETTINGS[name], learned.values, learned.labels)
    logits = fitted.logits(new.values)
    assert logits.shape == (42, 7) and accuracy_score(new.labels, logits.argmax(1)) > 0.6


def test_a_face_and_its_mirror_image_stop_a_glass_box_together(faces, monkeypatch):
    interpret = pytest.importorskip("interpret.glassbox")
    given = {}

    def fitted(machine, values, labels, bags=None):
        given.update(machine=machine, values=values, labels=labels, bags=bags)
        return machine

    monkeypatch.setattr(interpret.ExplainableBoostingClassifier, "fit", fitted)
    learned = faces.of("Training")
    candidates.ebm(SETTINGS["ebm"] | {"bags": 3}, learned.values, learned.labels)
    values, bags = given["values"], given["bags"]
    assert bags.shape == (2 * len(learned), given["machine"].outer_bags) == (252, 3)
    own, mirrored = bags[:126], bags[126:]
    assert np.allclose(values[126:], geometry.mirrored(learned.values)) and (own == mirrored).all()
    assert set(bags.ravel().tolist()) == {1, -1}
    for bag in own.T:
        assert np.bincount(learned.labels[bag == -1]).tolist() == [3] * 7, "15 % of 18 of each emotion"
    assert len(np.unique(bags, axis=1).T) == 3, "each machine is stopped by others"


def test_no_group_stands_on_both_sides(faces):
    learned = faces.of("Training")
    asked = []
    for fitted_to, others in fit.divided(learned):
        assert not set(learned.groups[fitted_to]) & set(learned.groups[others])
        asked += others.tolist()
    assert sorted(asked) == list(range(len(learned)))
    with pytest.raises(DatasetError, match="too few groups"):
        list(fit.divided(learned.rows(learned.groups == learned.groups[0])))


def test_an_emotion_with_fewer_faces_than_folds_is_no_warning(faces):
    learned = faces.of("Training")
    few = np.concatenate([np.flatnonzero(learned.labels > 0), np.flatnonzero(learned.labels == 0)[[0, 2]]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(fit.divided(learned.rows(few)))) == fit.FOLDS


def test_a_photo_of_two_splits_counts_in_the_later_one_alone():
    groups = np.array([0, 0, 1, 1, 2, 3])
    written = ["Training", "PrivateTest", "Training", "PublicTest", "Training", None]
    found = table.splits(written, groups, np.zeros(6, int), np.ones(6, bool))
    assert found[1] == "PrivateTest" and found[3] == "PublicTest" and found[4] == "Training"
    assert not set(found[[0, 2]]) & {"Training", "PublicTest", "PrivateTest"}


def test_near_duplicates_of_other_bytes_count_in_the_later_split_alone(tmp_path, rows):
    made = dataset.create(tmp_path / "hashed")
    random = np.random.default_rng(1)
    hashes = random.integers(0, 2**64, len(rows), np.uint64)
    again = next(index for index, row in enumerate(rows) if row["split"] == "PrivateTest")
    hashes[2] = hashes[again] ^ np.uint64(0b1011)  # the third face of Training, whose photo has a fourth
    hashed = [{**row, "face_hash": int(mark)} for row, mark in zip(rows, hashes, strict=True)]
    for row in hashed:
        del row["crop"]
    dataset.write_part(made, "part-0", part(hashed[:100], hashes=True))
    dataset.write_part(made, "part-1", part([row | {"face_hash": None} for row in hashed[100:126]]))  # an older part
    dataset.write_part(made, "part-2", part(hashed[126:], hashes=True))
    list(features.write(made, {}))
    found = table.read(made)
    assert found.groups[2] == found.groups[3] == found.groups[again] and found.splits[again] == "PrivateTest"
    assert not {"Training", "PublicTest", "PrivateTest"} & set(found.splits[2:4].tolist())
    assert (found.splits == "Training").sum() == 124
    learned, chosen, final = (set(found.of(split).groups) for split in ("Training", "PublicTest", "PrivateTest"))
    assert not learned & chosen and not learned & final and not chosen & final


def test_without_named_splits_groups_are_dealt_out_whole():
    groups = np.repeat(np.arange(50), 3)
    labels = np.repeat([0, 1, 2], [90, 48, 12])
    found = table.splits([None] * 150, groups, labels, np.ones(150, bool))
    assert all(len(set(found[groups == group])) == 1 for group in range(50))
    dealt = {split: np.bincount(labels[found == split]).tolist() for split in np.unique(found)}
    assert dealt == {"Training": [72, 36, 6], "PublicTest": [9, 6, 3], "PrivateTest": [9, 6, 3]}


def test_a_photo_of_two_emotions_is_dealt_out_with_the_rarer_one():
    groups, labels = np.array([0, 0, 1, 1, 2, 3, 4, 5, 6]), np.array([0, 1, 0, 1, 1, 0, 0, 0, 0])
    found = table.splits([None] * 9, groups, labels, np.ones(9, bool))
    for split in ("Training", "PublicTest", "PrivateTest"):
        assert set(labels[found == split]) == {0, 1}
    assert found[0] == found[1] and found[2] == found[3]


def test_the_whole_way_keeps_the_glass_box_and_its_figures(faces, tmp_path, quick):
    said = []
    names = ("logistic", "boosting", "ebm")
    results = finish.whole(faces, tmp_path, 3, names, 0, "2.0.0", "drawn faces", told=said.append)
    assert set(results) == set(names)
    box = glass_box.load(tmp_path / "geometry")
    final = faces.of("PrivateTest")
    answers = np.array([box.read(row).top for row in final.values])
    assert box.card["metrics"]["PrivateTest"]["accuracy"] == pytest.approx((answers == final.labels).mean(), abs=1e-4)
    assert box.version == "2.0.0" and box.card["data"] == ["drawn faces"] and box.card["training"]["faces"] == 126
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["models"]["ebm"]["temperature"] == box.card["temperature"]
    assert [row["faces"] for row in written["learning_curve"]["ebm"]][-1] == 126
    drawn = said[-1]
    for chart in ("compared", "curves", "learning_curve", "ebm_confusion", "ebm_shap_bar", "boosting_shap_beeswarm"):
        assert chart in drawn
    assert "boosting_shap_dependence" in drawn and "boosting_shap_face" in drawn


def test_a_search_goes_on_and_refuses_other_faces(faces, tmp_path, quick):
    names = ("logistic", "svm")
    first = list(fit.search(faces, tmp_path, 2, names, told=lambda line: None).trials)
    assert {trial.params["model"] for trial in first} == set(names)
    again = fit.search(faces, tmp_path, 3, names, told=lambda line: None)
    assert [trial.number for trial in again.trials] == [0, 1, 2] and again.trials[0].value == first[0].value
    assert set(fit.best(again)) == set(names)
    with pytest.raises(RunError, match="other faces"):
        fit.search(faces.of("Training"), tmp_path, 3, names)


def test_a_trial_that_was_killed_is_tried_again(faces, tmp_path, quick, monkeypatch):
    def killed(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(candidates, "fit", killed)
        fit.search(faces, tmp_path, 1, ("logistic",))
    study = fit.search(faces, tmp_path, 1, ("logistic",), told=lambda line: None)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"]
    assert study.trials[0].params["c"] == study.trials[1].params["c"]


def test_mlflow_hears_of_every_trial_once_and_keeps_the_glass_box(faces, tmp_path, quick):
    mlflow = pytest.importorskip("mlflow")
    folder = tmp_path / "fit"
    for trials in (2, 3):
        finish.whole(faces, folder, trials, ("logistic", "ebm"), 0, "1.0.0", "drawn", "local", lambda line: None)
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("facewhy").experiment_id])
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    trials = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(trials) == 3 and all("accuracy" in run.data.metrics for run in trials)
    versions = client.search_model_versions("name='facewhy-glass-box'")
    assert {version.run_id for version in versions} == {parent.info.run_id} and len(versions) == 2
    files = {file.path for file in client.list_artifacts(parent.info.run_id, "geometry")}
    assert files == {"geometry/model.json", "geometry/card.json"}


def test_shap_values_of_a_sum_are_its_terms_less_their_mean(faces):
    shap = pytest.importorskip("shap")
    learned = faces.of("Training")
    machine = candidates.ebm(SETTINGS["ebm"], learned.values, learned.labels)
    from training.dataset import readable

    card = {"version": "1.0.0", "temperature": 1.0, "metrics": {}}
    box = glass_box.from_json(readable.model_json(machine, learned.values), card)
    background, one = learned.values[:20], learned.values[30:31]

    def happy(values):
        return (box.intercept + box.contributions(values).sum(1))[:, 3]

    explainer = shap.explainers.Permutation(happy, background.astype(np.float64), seed=0)
    theirs = explainer(one.astype(np.float64), max_evals=82).values
    assert attributions.of_glass_box(box, background, one)[..., 3] == pytest.approx(theirs, abs=1e-4)


def test_shap_values_of_boosting_add_up_to_its_logits(faces):
    learned = faces.of("Training")
    fitted = candidates.fit("boosting", SETTINGS["boosting"], learned.values, learned.labels)
    background, some = learned.values[:40], learned.values[:6]
    values = attributions.of_boosting(fitted, background, some)
    against = fitted.logits(some) - fitted.logits(background).mean(0)
    assert values.shape == (6, 20, 7) and values.sum(1) == pytest.approx(against, abs=1e-2)


def test_what_cannot_be_fitted_is_a_sentence(made):
    for arguments, said in (
        (["nowhere"], "No dataset was found"),
        ([str(made.folder)], "training features"),
        ([str(made.folder), "--features", "smell"], "The features are unknown"),
        ([str(made.folder), "--models", "oracle"], "is unknown"),
        ([str(made.folder), "--features", "embedding", "--models", "ebm"], "is unknown"),
    ):
        result = CliRunner().invoke(app, ["fit", *arguments])
        assert result.exit_code and said in str(result.exception)


def test_a_split_without_an_emotion_is_named(faces):
    with pytest.raises(DatasetError, match="No face of PublicTest has the label happy"):
        table.checked(faces.rows((faces.splits != "PublicTest") | (faces.labels != 3)))
