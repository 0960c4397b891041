"""What is read of a folder and told of it, from files to numbers."""

import json
import os

import cv2
import numpy as np
import pyarrow as pa
import pytest

from app.data import projection, reading, view
from app.data.filters import Filters
from models import dataset, geometry
from models.errors import DatasetError, UnknownNameError
from models.types import KEYPOINTS
from tests.app.data.conftest import answers, sharp


def test_a_folder_becomes_faces(use, plain):
    crop = cv2.imencode(".png", np.full((48, 48), 90, np.uint8))[1].tobytes()
    use(
        plain("happy", "sad", labels=["happy", None], split=["A", None], yaw=[None, 3.0]),
        plain("fear", labels=["sad"], crop=[crop]),
        facts={"title": "Three faces"},
    )
    told = view.summary(Filters())
    assert (told.about.title, told.about.faces, told.about.photos, told.about.labelled) == ("Three faces", 3, 3, 2)
    assert told.about.networks == dict.fromkeys(("cnn", "resnet", "vgg16"), "1.0.0")
    assert told.about.splits == ("A",) and told.about.crops
    assert told.about.measures["yaw"] == (3, 3) and "sharpness" not in told.about.measures
    assert told.answered == [0, 0, 1, 1, 0, 1, 0] and told.labelled == [0, 0, 0, 1, 0, 1, 0]
    assert told.confusion.tolist()[5] == [0, 0, 1, 0, 0, 0, 0], "one labelled sad, named fear"
    assert told.agreement.all_same == 3 and told.agreement.right_same.right == 1
    [wrong] = told.wrong
    assert (wrong.label, wrong.answers["mean"][0], wrong.crop, wrong.number) == ("sad", "fear", crop, 0)
    assert {face.crop for face in told.uncertain} == {crop, None}
    assert {face.measures["yaw"] for face in told.uncertain} == {None, 3}
    assert list(told.by_measure) == ["brightness", "yaw"]


def test_filters_hold_for_everything_that_is_counted(use, plain):
    use(plain("happy", "sad", "sad", labels=["happy", "sad", "fear"]))
    told = view.summary(Filters(emotion="sad"), examples=1)
    assert (told.faces, told.about.faces) == (2, 3)
    assert sum(told.answered) == sum(told.labelled) == told.confusion.sum() == told.rates["cnn"].faces == 2
    assert sum(each.rate.faces for each in told.by_measure["brightness"]) == 2
    assert len(told.uncertain) == len(told.wrong) == 1
    nothing = view.summary(Filters(emotion="angry"))
    assert nothing.faces == 0 and nothing.confusion is None and nothing.uncertain == nothing.wrong == ()


def test_networks_that_did_not_answer_are_left_out(use, plain):
    alone = plain(
        "happy", "sad", **dict.fromkeys((*dataset.probabilities("cnn"), *dataset.probabilities("vgg16")), [None] * 2)
    )
    use(alone)
    told = view.summary(Filters())
    assert list(told.about.networks) == ["resnet"] and told.agreement is None and list(told.rates) == ["resnet", "mean"]


def test_geometry_comes_from_its_columns_or_from_keypoints(use, plain):
    points = np.random.default_rng(0).uniform(0, 48, (3, len(KEYPOINTS), 2)).astype(np.float32)
    columns = dict(
        zip(
            [each for pair in dataset.xy(dataset.KEYPOINT, KEYPOINTS) for each in pair],
            points.reshape(3, -1).T,
            strict=True,
        )
    )
    use(plain("happy", "sad", "fear", **columns))
    found = reading.current().faces.geometry
    assert tuple(found) == geometry.NAMES
    assert np.stack(list(found.values()), 1) == pytest.approx(geometry.measure(points))
    told = view.summary(Filters()).geometry
    assert told.measures == geometry.NAMES and np.nanmax(np.abs(told.correlations)) <= 1 + 1e-9
    use(plain("happy", "sad", geometry_mouth_width=np.float32([1, 2])))
    assert list(reading.current().faces.geometry) == ["mouth_width"], "the files were written anew, and are read again"


def test_embeddings_are_drawn_by_their_components(use, plain):
    embedding = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    use(plain(*["happy"] * 6, labels=["sad", *[None] * 5], embedding=list(embedding)))
    assert view.about(reading.current()).projections == projection.available()
    drawn = view.plane(Filters())
    assert drawn.places == pytest.approx(projection.pca(embedding).place(embedding))
    assert drawn.method == "pca" and drawn.faces == 6 and sum(drawn.explained) < 1
    assert drawn.labels.tolist() == [5] + [-1] * 5 and drawn.confidences == pytest.approx(0.7)
    assert view.plane(Filters(label="sad")).places == pytest.approx(drawn.places[:1]), "a filter moves nothing"
    few = view.plane(Filters(), most=4)
    assert few.faces == 6 and len(few.places) == 4
    with pytest.raises(UnknownNameError, match="by this method.*'t-sne'.*pca"):
        view.plane(Filters(), "t-sne")


def test_umap_is_used_where_it_is_installed(use, plain, monkeypatch):
    class UMAP:
        def __init__(self, random_state):
            self.seed = random_state

        def fit_transform(self, embeddings):
            return embeddings[:, :2] + self.seed

    monkeypatch.setattr(projection, "find_spec", lambda name: object())
    monkeypatch.setattr(projection, "import_module", lambda name: type("module", (), {"UMAP": UMAP}))
    use(plain("happy", "sad", embedding=[[1.0, 2, 3], [4.0, 5, 6]]))
    assert view.about(reading.current()).projections == ("pca", "umap")
    assert view.plane(Filters(), "umap").places.tolist() == [[1, 2], [4, 5]]


def test_places_that_came_with_the_dataset_are_drawn(use, plain):
    use(
        plain("happy", "sad", embedding_x=np.float32([1, 2]), embedding_y=np.float32([3, 4])),
        facts={"projection": {"method": "pca", "explained": [0.5, 0.25]}},
    )
    drawn = view.plane(Filters())
    assert (drawn.method, drawn.explained, drawn.places.tolist()) == ("stored", (0.5, 0.25), [[1, 3], [2, 4]])


def test_without_embeddings_there_is_no_map(use, plain):
    use(plain("happy"))
    with pytest.raises(DatasetError, match="No embeddings were found.*training features"):
        view.plane(Filters())


def broken(folder, how):
    """A dataset that something is wrong with."""
    schema, part = folder / "schema.json", folder / "faces" / "part-0.parquet"
    if how == "another version":
        schema.write_text(json.dumps(json.loads(schema.read_text()) | {"version": 99}))
    elif how == "no column":
        table = pa.parquet.read_table(part).drop_columns(["mean_happy"])
        pa.parquet.write_table(table, part)
    elif how == "cut off":
        part.write_bytes(part.read_bytes()[:200])
    elif how == "no schema":
        schema.unlink()
    os.utime(folder / "faces", ns=(1, 1))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("another version", "was written in another version"),
        ("no column", "Columns are missing .* mean_happy"),
        ("cut off", "could not be read"),
        ("no schema", "No dataset was found"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_without_its_path(use, plain, how, said):
    folder = use(plain("happy"))
    view.summary(Filters())
    broken(folder, how)
    with pytest.raises(DatasetError, match=said) as refused:
        view.summary(Filters())
    assert str(folder) not in str(refused.value) and "FACEWHY_DATASET" in str(refused.value)


def test_a_missing_folder_and_an_empty_one_are_said(use, plain, monkeypatch, tmp_path):
    monkeypatch.setenv(reading.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match="No dataset was found.*no folder FACEWHY_DATASET"):
        reading.current()
    use(plain("happy", **answers("mean", np.full((1, 7), np.nan))).slice(0, 0))
    with pytest.raises(DatasetError, match="No face with an answer was found in the dataset. Received: 0 faces"):
        reading.current()


def test_probabilities_are_those_of_the_files(use, plain):
    use(plain("happy", **answers("cnn", sharp("sad", sure=0.55))))
    known = reading.current().faces
    assert known.probabilities["cnn"] == pytest.approx(sharp("sad", sure=0.55)) and known.agree.tolist() == [False]
