"""Features land in the data set as columns: the measures of its keypoints, and what a network says of its crops."""

import keras
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from models import dataset, geometry, zoo
from models.errors import DatasetError
from models.types import KEYPOINTS
from tests.mean_face import MEAN_KEYPOINTS
from tests.training.dataset.conftest import part, row
from training.cli import app
from training.dataset import features


def test_the_measures_are_those_of_the_keypoints_and_say_what_they_are(made, rows):
    assert list(features.write(made, {})) == [(100, 210), (210, 210)]
    table = made.read("faces", list(geometry.COLUMNS))
    points = np.array([[each[name] for pair in dataset.xy("keypoint_", KEYPOINTS) for name in pair] for each in rows])
    found = np.stack([table[name].to_numpy() for name in geometry.COLUMNS], 1)
    assert found == pytest.approx(geometry.measure(points.reshape(-1, 15, 2)), abs=1e-4)
    field = made.schema("faces").field("geometry_mouth_width")
    assert field.metadata == {
        b"description": b"The distance between the two corners of the mouth.",
        b"unit": b"eye distances",
    }
    assert "geometry_mouth_width" in (made.folder / dataset.SCHEMA_FILE).read_text()


def test_eyes_in_one_place_and_faces_without_points_have_no_measure(tmp_path):
    made = dataset.create(tmp_path)
    dataset.write_part(made, "a", part([row(MEAN_KEYPOINTS), row(np.zeros((15, 2))), {"label": "sad"}]))
    list(features.write(made, {}))
    assert made.read("faces", list(geometry.COLUMNS[:1]))[0].null_count == 2


def test_a_stopped_run_goes_on_and_finished_parts_are_left_alone(made):
    steps = features.write(made, {})
    next(steps)
    steps.close()
    first = made.parts("faces")[0]
    before = first.stat().st_mtime_ns
    assert list(features.write(made, {}))[-1] == (210, 210)
    assert first.stat().st_mtime_ns == before
    list(features.write(made, {}, again=True))
    assert first.stat().st_mtime_ns > before


def test_the_embedding_is_what_the_logits_are_made_of(tmp_path, rows):
    made = dataset.create(tmp_path)
    dataset.write_part(made, "a", part(rows[:5], crops=True))
    dataset.write_part(made, "b", part(rows[5:8], crops=True))
    list(features.write(made, {features.NETWORK: features.residual()}))
    table = made.read("faces", ["embedding", "crop", *features.MAP])
    found = np.array(table["embedding"].to_pylist(), np.float32)
    model = zoo.load("resnet")
    crops = np.stack([features._crop(data) for data in table["crop"].to_pylist()])
    head = model.network.get_layer("logits")
    assert keras.ops.convert_to_numpy(head(found)) == pytest.approx(model.logits(crops), abs=0.05)
    # the map is the plane on which the faces lie furthest apart
    centred = found - found.mean(0)
    plane = np.stack([table[name].to_numpy() for name in features.MAP], 1)
    largest = np.linalg.svd(centred, compute_uv=False)[:2]
    assert np.sqrt((plane**2).sum(0)) == pytest.approx(largest, rel=1e-3)


def test_without_crops_there_is_no_embedding_and_the_reason_is_said(made):
    with pytest.raises(DatasetError, match="holds no crops.*--crops"):
        list(features.write(made, {features.NETWORK: lambda crops: crops}))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "No dataset was found"),
        (["nowhere", "--embedding", "clip"], "The embedding is unknown"),
        (["nowhere", "--embedding", "resnet50"], "without its weights"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(arguments, said):
    result = CliRunner().invoke(app, ["features", *arguments])
    assert result.exit_code and said in str(result.exception)


def test_the_command_writes_the_measures(made):
    result = CliRunner().invoke(app, ["features", str(made.folder)])
    assert result.exit_code == 0 and "210 faces" in result.output
    assert set(geometry.COLUMNS) <= set(pq.read_schema(made.parts("faces")[1]).names)
