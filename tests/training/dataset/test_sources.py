import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from training.dataset import captions, sources
from training.dataset.sources import picture_column, portions, read, without
from training.dataset.storage import place


def pictures(*given: str, column: str = "") -> list[sources.Picture]:
    return [picture for portion in portions(given, column) for picture in read(portion)]


def told(picture: sources.Picture) -> tuple:
    return picture.source, picture.load(), picture.captions, picture.label, picture.split


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path, data: bytes = b"a picture") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def tar(path, files: dict[str, bytes], mode: str = "w") -> None:
    with tarfile.open(path, mode) as made:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))


def test_a_folder_gives_its_pictures_under_the_names_that_were_given(here, monkeypatch):
    for name in ("b.JPG", "deep/a.png", "notes.txt", ".hidden.jpg", "Thumbs.db"):
        put(here / "photos" / name, name.encode())
    assert [told(picture)[:2] for picture in pictures("photos")] == [
        ("photos/b.JPG", b"b.JPG"),
        ("photos/deep/a.png", b"deep/a.png"),
    ]
    assert [picture.source for picture in pictures(str(here / "photos/deep"))] == [f"{here}/photos/deep/a.png"]
    [portion] = portions(["photos/b.JPG"])
    monkeypatch.chdir("/")
    assert [picture.load() for picture in read(portion)] == [b"b.JPG"], "also from another directory"


def test_a_pattern_chooses(here):
    for name in ("a1.jpg", "a2.jpg", "b1.jpg", "deep/a3.jpg"):
        put(here / "photos" / name)
    assert [picture.source for picture in pictures("photos/a?.jpg")] == ["photos/a1.jpg", "photos/a2.jpg"]
    assert [picture.source for picture in pictures("photos/**/a*.jpg")] == [
        "photos/a1.jpg",
        "photos/a2.jpg",
        "photos/deep/a3.jpg",
    ]
    assert [picture.source for picture in pictures("photos/[b]*.jpg")] == ["photos/b1.jpg"]


def test_folders_of_emotions_are_labels(here):
    put(here / "set/train/Happiness/1.jpg")
    put(here / "set/other/2.jpg")
    assert [told(picture)[3:] for picture in pictures("set")] == [(None, None), ("happy", "train")]


def test_a_table_of_the_hub_keeps_captions_labels_and_splits(here):
    features = {"label": {"names": ["joy", "contempt"], "_type": "ClassLabel"}}
    rows = [
        {"image": {"bytes": b"one", "path": "1.jpg"}, "caption": ["a man", "he laughs"], "label": 0, "split": "test"},
        {"image": {"bytes": b"two", "path": None}, "caption": [], "label": 1, "split": None},
        {"image": {"bytes": None, "path": "3.jpg"}, "caption": None, "label": None, "split": "train"},
    ]
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    schema = pa.schema(
        [("image", kind), ("caption", pa.list_(pa.string())), ("label", pa.int64()), ("split", pa.string())],
        {"huggingface": json.dumps({"info": {"features": features}})},
    )
    pq.write_table(pa.Table.from_pylist(rows, schema), here / "a.parquet", row_group_size=2)
    assert [told(picture) for picture in pictures("a.parquet")] == [
        ("a.parquet#0", b"one", ["a man", "he laughs"], "happy", "test"),
        ("a.parquet#1", b"two", None, "contempt", None),
        ("a.parquet#2", b"", None, None, "train"),
    ]
    first, second = portions(["a.parquet"])
    assert (first.count, second.first, second.count) == (2, 2, 1)
    assert without(second, frozenset({"a.parquet#2"})) is None
    assert [p.source for p in read(without(first, frozenset({"a.parquet#0", "b.parquet#1"})))] == ["a.parquet#1"]


def test_fer2013_as_a_table_names_its_emotions_in_our_order(here):
    rows = [{"usage": "PrivateTest", "label": 3, "png": b"png"}, {"usage": "Training", "label": 6, "png": b"gnp"}]
    pq.write_table(pa.Table.from_pylist(rows), here / "fer2013.parquet")
    assert [told(picture)[1:] for picture in pictures(".")] == [
        (b"png", None, "happy", "PrivateTest"),
        (b"gnp", None, "surprise", "Training"),
    ]


def test_the_column_of_pictures_is_found_or_named(here):
    one, two = pa.field("thumb", pa.binary()), pa.field("full", pa.large_binary())
    assert picture_column(pa.schema([one, ("caption", pa.string())]), place("x")) == "thumb"
    assert picture_column(pa.schema([one, ("image", pa.binary())]), place("x")) == "image"
    with pytest.raises(DataError, match="not found in x. Received: columns thumb, full. Name it with --column"):
        picture_column(pa.schema([one, two]), place("x"))
    pq.write_table(pa.table({"thumb": [b"small"], "full": [b"large"]}), here / "t.parquet")
    assert pictures("t.parquet", column="full")[0].load() == b"large"
    with pytest.raises(DataError, match="missing in t.parquet. Received: 'photo' where it has thumb, full"):
        portions(["t.parquet"], "photo")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_tar_files_of_webdataset_are_read_sample_by_sample(here, mode):
    name = f"shard.tar{'.gz' if mode == 'w:gz' else ''}"
    files = {
        "0001.jpg": b"one",
        "0001.txt": b"a woman on a bench\n",
        "0001.cls": b"5",
        "0002.json": b'{"caption": ["two", "men"], "emotion": "Anger", "split": "val"}',
        "0002.png": b"two",
        "deep/0002.jpeg": b"three",
        "deep/._0002.jpeg": b"clutter",
    }
    tar(here / name, files, mode)
    assert [told(picture) for picture in pictures(name)] == [
        (f"{name}#0001.jpg", b"one", ["a woman on a bench"], "sad", None),
        (f"{name}#0002.png", b"two", ["two", "men"], "angry", "val"),
        (f"{name}#deep/0002.jpeg", b"three", None, None, None),
    ]
    [portion] = portions([name])
    left = without(portion, frozenset({f"{name}#0002.png", "0001.jpg"}))
    assert [p.source for p in read(left)] == [f"{name}#0001.jpg", f"{name}#deep/0002.jpeg"]


def test_a_tar_file_that_ends_too_early_gives_what_it_has_and_says_so(here):
    tar(here / "t.tar", {"1.jpg": b"one", "2.jpg": b"x" * 4000})
    (here / "t.tar").write_bytes((here / "t.tar").read_bytes()[:2000])
    *whole, last = pictures("t.tar")
    assert [picture.load() for picture in whole] == [b"one"] and last.source == "t.tar"
    with pytest.raises(DataError, match="tar file could not be read to its end"):
        last.load()


def test_a_table_that_is_none_is_named(here):
    put(here / "a.parquet", b"no table")
    with pytest.raises(DataError, match="a.parquet could not be read as Parquet"):
        portions(["a.parquet"])


def test_a_source_without_pictures_is_named(here):
    put(here / "docs/readme.txt")
    (here / "empty").mkdir()
    with pytest.raises(DataError, match="'docs' with 1 other files. Give a folder that holds some"):
        portions(["docs"])
    with pytest.raises(DataError, match="'empty', which is empty"):
        portions(["empty"])
    with pytest.raises(DataError, match="Nothing was found at the source. Received: 'gone'"):
        portions(["gone"])
    with pytest.raises(DataError, match="'docs/\\*.jpg', which is empty"):
        portions(["docs/*.jpg"])


@pytest.mark.parametrize(
    "text",
    [
        "1.jpg#0\tTwo men .\n1.jpg#1\tThey talk, and laugh\n2.jpg#0\tA dog\n",
        "image_name| comment_number| comment\n1.jpg| 0| Two men .\n1.jpg| 1| They talk, and laugh\n2.jpg| 0| A dog\n",
        'image,caption\n1.jpg,Two men .\nimages/1.jpg,"They talk, and laugh"\n2.jpg,A dog\n',
    ],
    ids=["flickr30k", "bars", "commas"],
)
def test_captions_come_from_a_file_of_their_own(here, text):
    for name in ("1.jpg", "deep/2.jpg", "3.jpg"):
        put(here / "photos" / name)
    put(here / "captions.txt", text.encode())
    [portion] = portions(["photos"], captions=captions.read("captions.txt"))
    assert [(picture.source, picture.captions) for picture in read(portion)] == [
        ("photos/1.jpg", ["Two men .", "They talk, and laugh"]),
        ("photos/3.jpg", None),
        ("photos/deep/2.jpg", ["A dog"]),
    ]


def test_a_file_without_captions_is_named(here):
    put(here / "none.txt", b"nothing\n")
    with pytest.raises(DataError, match="No captions were found in the file. Received: none.txt beginning 'nothing'"):
        captions.read("none.txt")
    with pytest.raises(DataError, match="Nothing was found at the source. Received: 'gone.txt'"):
        captions.read("gone.txt")
