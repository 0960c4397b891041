import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models import dataset
from models.errors import DatasetError


def rows(table: str, *given: dict, more=()) -> pa.Table:
    """A table of the schema with these values, null elsewhere."""
    return pa.Table.from_pylist(list(given), dataset.schema(table, more))


def tables(photo: str, faces: int = 2, more=(), **values) -> dict[str, pa.Table]:
    """A part of one photo."""
    return {
        "photos": rows("photos", {"source": photo, "faces": faces}),
        "faces": rows("faces", *({"source": photo, "face": face} | values for face in range(faces)), more=more),
        "errors": rows("errors"),
    }


@pytest.fixture
def made(tmp_path) -> dataset.Dataset:
    """Two photos in two parts; the second one's faces have a measure."""
    made = dataset.create(tmp_path / "made", {"sources": ["a folder"]})
    dataset.write_part(made, "part-0", tables("a.jpg", size=40.0))
    measure = dataset.Column("geometry_smile", pa.float32(), "corners raised", "eye distance").field
    dataset.write_part(made, "part-1", tables("b.jpg", 1, [measure], geometry_smile=0.25, size=90.0))
    dataset.describe(made)
    return made


def test_what_was_written_is_read(made):
    found = dataset.read(made.folder)
    assert found.facts == {"sources": ["a folder"]} and found.rows == {"photos": 2, "faces": 3, "errors": 0}
    faces = found.read("faces", ["source", "geometry_smile"])
    assert faces.to_pydict() == {"source": ["a.jpg", "a.jpg", "b.jpg"], "geometry_smile": [None, None, 0.25]}
    large = found.read("faces", ["source"], filter=pc.field("size") > 50)
    assert large.to_pydict() == {"source": ["b.jpg"]}
    assert found.read("errors").num_rows == found.read("errors", ["reason"]).num_rows == 0


def test_the_schema_file_tells_every_column_with_its_unit(made):
    told = json.loads((made.folder / "schema.json").read_text(encoding="utf-8"))
    faces = {column["name"]: column for column in told["tables"]["faces"]}
    assert faces["roll"]["unit"] == "° clockwise" and faces["roll"]["type"] == "float"
    assert faces["geometry_smile"] == {
        "name": "geometry_smile",
        "type": "float",
        "unit": "eye distance",
        "description": "corners raised",
    }
    assert all(column["description"] for columns in told["tables"].values() for column in columns)
    field = pq.read_schema(made.parts("faces")[0]).field("box_left")
    assert field.metadata[b"unit"] == b"pixels of the upright photo"


def test_columns_have_names_of_their_own_and_every_network_has_its_own():
    for columns in dataset.COLUMNS.values():
        assert len({column.name for column in columns}) == len(columns)
    names = {column.name for column in dataset.FACES}
    for who in ("cnn", "resnet", "vgg16", "mean"):
        assert {*dataset.probabilities(who), f"{who}_version", f"{who}_emotion"} <= names
    assert dataset.column("faces", "score").type == pa.float32()
    with pytest.raises(DatasetError, match="Received: 'smell'"):
        dataset.column("faces", "smell")


def test_a_part_that_was_cut_short_does_not_count_and_is_cleaned_away(made):
    for name in ("part-2.parquet", "part-2.parquet.1.partial"):
        (made.folder / "faces" / name).write_bytes(made.parts("faces")[0].read_bytes())
    assert made.read("faces").num_rows == 3
    assert {path.name for path in dataset.clean(made)} == {"part-2.parquet", "part-2.parquet.1.partial"}
    assert len(list((made.folder / "faces").iterdir())) == 2 and made.read("faces").num_rows == 3


def test_a_disk_that_refuses_leaves_no_part(made, monkeypatch):
    def full(table, path, **_):
        path.write_bytes(b"half of")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        dataset.write_part(made, "part-2", tables("c.jpg"))
    assert made.rows["photos"] == 2 and not dataset.clean(made)


def changed(made, **values) -> None:
    path = made.folder / "schema.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_another_version_is_named(made):
    changed(made, version=2)
    with pytest.raises(DatasetError, match=r"another version.*facewhy-dataset 2 where .* 1\. Use the FaceWhy that"):
        dataset.read(made.folder)
    with pytest.raises(DatasetError, match="another version"):
        dataset.create(made.folder)


def test_what_is_no_dataset_is_named(made, tmp_path):
    with pytest.raises(DatasetError, match="no folder .*gone"):
        dataset.read(tmp_path / "gone")
    with pytest.raises(DatasetError, match="No dataset was found.*without schema.json.*training annotate"):
        dataset.read(tmp_path)
    (made.folder / "schema.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DatasetError, match="schema.json could not be read"):
        dataset.read(made.folder)


def test_a_missing_column_is_named_and_what_brings_it(made):
    with pytest.raises(DatasetError, match="Received: geometry_frown. Run `.*training features"):
        made.read("faces", ["geometry_frown"])
    short = tables("c.jpg") | {"faces": rows("faces").drop_columns(["box_left", "yaw"])}
    with pytest.raises(DatasetError, match="missing in the table 'faces'. Received: box_left, yaw"):
        dataset.write_part(made, "part-2", short)
    dataset.write_table(made.folder / "faces" / "part-0.parquet", short["faces"])
    with pytest.raises(DatasetError, match="part-0.parquet. Received: box_left, yaw"):
        made.read("faces", ["source"])


def test_a_column_of_another_type_and_a_damaged_file_are_named(made):
    wrong = rows("photos").set_column(5, "faces", pa.array([], pa.string()))
    with pytest.raises(DatasetError, match="'faces' in .* not of the type int32. Received: string"):
        dataset.write_part(made, "part-2", tables("c.jpg") | {"photos": wrong})
    (made.folder / "faces" / "part-0.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DatasetError, match="part-0.parquet could not be read"):
        made.read("faces")


def test_a_missing_folder_of_a_table_is_named(made):
    for path in (made.folder / "errors").iterdir():
        path.unlink()
    (made.folder / "errors").rmdir()
    with pytest.raises(DatasetError, match="missing. Received: errors"):
        dataset.read(made.folder)
