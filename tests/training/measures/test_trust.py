"""The table of trust: what it holds, how it goes on after a stop, and what follows from it."""

import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from explain import control_maps
from explain.metrics.faithfulness import Curves
from models import card as cards
from models import detector, framing, keypoints, photo, weight_store
from models.errors import DataError, ParameterError, UnknownNameError
from models.keypoints import FIVE
from models.regions import REGIONS
from tests.lean import quick_readings
from training.measures import trust

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module", autouse=True)
def less_to_compute():
    """Readings are quick; what they are is tested in `tests/explain`."""
    with quick_readings():
        yield


@pytest.fixture
def shipped(tmp_path):
    """A folder with the shipped small network."""
    shutil.copytree(
        weight_store.SHIPPED / "cnn",
        tmp_path / "weights" / "cnn",
        ignore=shutil.ignore_patterns("trust.json", control_maps.FILE),
    )
    return tmp_path / "weights"


def made_up_row(gains, stability=0.9, sane=0.1, shared=0.1, seconds=0.1):
    """A row whose maps gain so much on each face, not timed yet where seconds is None."""
    beaten = {"mean": 0.5, "low": 0.4, "high": 0.6}
    return {
        "relevance_gain": {"mean": float(np.mean(gains))},
        "of_faces": list(gains),
        **{f"beats_{name}": beaten for name in ("random", "centre_prior", "average_map", "other_faces", "all")},
        "stability": stability if stability is None else {"mean": stability},
        "sanity": {"low": sane and sane - 0.05, "high": sane and sane + 0.05, "shared": shared},
        **({} if seconds is None else {"seconds": seconds}),
    }


@pytest.fixture
def counted(monkeypatch):
    """The methods that are measured, with a row made up for each."""
    seen = []

    def row(model, faces, method, maps, seed, watch):
        seen.append((method, len(faces), seed))
        return made_up_row([0.5, 0.6], seconds=None)

    ranks = np.zeros((3, 48, 48), np.uint16)
    monkeypatch.setattr(trust, "controls", lambda model, faces, method: (ranks, {"supporting": {"nose": 0.5}}))
    monkeypatch.setattr(trust, "of_method", row)
    monkeypatch.setattr(trust, "timed", lambda model, faces, methods: dict.fromkeys(methods, 0.1))
    return seen


def read(shipped) -> dict:
    return json.loads((shipped / "cnn" / trust.FILE).read_text())


def test_a_table_of_two_methods(shipped, parquet):
    said, watched = [], []

    def watch(faces, method):
        watched.append((method, len(faces)))
        return faces

    table = trust.measure("cnn", parquet, shipped, 3, ("gradcam", "saliency"), say=said.append, watch=watch)
    assert table == read(shipped) and watched == [("gradcam", 3), ("saliency", 3)]
    assert (table["split"], table["seed"]) == ("PrivateTest", 0)
    assert table["sha256"] == weight_store.verify(shipped / "cnn").sha256 and len(table["date"]) == 10
    assert list(table["methods"]) == ["gradcam", "saliency"] and len(said) == 2
    for row in table["methods"].values():
        assert set(row) == {
            "faces",
            "average_shares",
            "relevance_gain",
            "relevance_gain_probability",
            "less_other_faces",
            "less_average_map",
            "less_centre_prior",
            "beats_random",
            "beats_centre_prior",
            "beats_average_map",
            "beats_other_faces",
            "beats_all",
            "by_fill",
            "of_faces",
            "stability",
            "sanity",
            "seconds",
        }
        for key, value in row.items():
            if key not in ("faces", "average_shares", "by_fill", "of_faces", "sanity", "seconds"):
                assert value["low"] <= value["mean"] <= value["high"], key
        assert list(row["by_fill"]) == ["blur", "mean face", "surroundings"]
        assert row["less_other_faces"]["mean"] == pytest.approx(
            np.mean([value["less_other_faces"]["mean"] for value in row["by_fill"].values()]), abs=1e-3
        )
        assert row["relevance_gain"]["mean"] == pytest.approx(np.mean(row["of_faces"]), abs=1e-3)
        assert row["sanity"]["layers"] == ["logits", "6x6", "12x12", "24x24", "48x48"]
        assert len(row["sanity"]["correlation"]) == len(row["sanity"]["absolute"]) == 5
        assert row["sanity"]["low"] <= row["sanity"]["correlation"][-1] <= row["sanity"]["high"]
        assert row["sanity"]["correlation"][-1] ** 2 <= row["sanity"]["shared"] <= 1
        assert -1 <= row["sanity"]["between_faces"] <= 1
        assert row["seconds"] > 0 and row["faces"] == len(row["of_faces"]) == 3
        shares = row["average_shares"]
        assert set(shares["supporting"]) == set(shares["opposing"]) == set(REGIONS)
        assert sum(shares["supporting"].values()) == pytest.approx(1, abs=1e-3)
        assert not any(shares["opposing"].values()), "neither method has a negative side"
    assert table["default"] == trust.default_method(table)
    maps = control_maps.read(shipped / "cnn", table["sha256"])
    assert set(maps) == {"gradcam", "saliency"} and table["control_split"] == "PublicTest"
    for values in maps.values():
        assert len(values) == table["control_faces"] <= control_maps.FACES and values.dtype == np.uint16


def test_it_goes_on_after_a_stop(shipped, parquet, counted):
    def stop(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trust.measure("cnn", parquet, shipped, 3, ("gradcam", "saliency"), say=stop)
    assert list(read(shipped)["methods"]) == ["gradcam"]
    table = trust.measure("cnn", parquet, shipped, 3, ("gradcam", "saliency"))
    assert counted == [("gradcam", 3, 0), ("saliency", 3, 0)] and list(table["methods"]) == ["gradcam", "saliency"]


def test_another_seed_begins_anew(shipped, parquet, counted):
    trust.measure("cnn", parquet, shipped, 3, ("gradcam", "saliency"))
    table = trust.measure("cnn", parquet, shipped, 3, ("gradcam",), seed=1)
    assert list(table["methods"]) == ["gradcam"] and table == read(shipped)


def test_a_row_of_its_own_number_of_faces_leaves_the_others_as_they_are(shipped, parquet, counted):
    trust.measure("cnn", parquet, shipped, 3, ("gradcam", "saliency"))
    before = read(shipped)["methods"]
    table = trust.measure("cnn", parquet, shipped, 4, ("saliency", "occlusion"))
    assert [(method, faces) for method, faces, _ in counted[2:]] == [("saliency", 4), ("occlusion", 4)]
    assert {name: row["faces"] for name, row in table["methods"].items()} == {
        "gradcam": 3,
        "saliency": 4,
        "occlusion": 4,
    }
    assert table["methods"]["gradcam"] == before["gradcam"]
    assert set(control_maps.read(shipped / "cnn", table["sha256"])) == set(table["methods"])
    trust.measure("cnn", parquet, shipped, 4, ("saliency",), again=True)
    assert counted[4:] == [("saliency", 4, 0)]


def test_a_table_in_which_all_rows_were_of_as_many_faces_is_taken_over(shipped, parquet, counted):
    table = trust.measure("cnn", parquet, shipped, 3, ("gradcam",))
    del table["methods"]["gradcam"]["faces"], table["methods"]["gradcam"]["average_shares"]
    (shipped / "cnn" / trust.FILE).write_text(json.dumps(table | {"faces": 3}))
    again = trust.measure("cnn", parquet, shipped, 3, ("gradcam",))
    assert len(counted) == 1, "only the shares are added"
    row = again["methods"]["gradcam"]
    assert "faces" not in again and (row["faces"], row["average_shares"]) == (3, {"supporting": {"nose": 0.5}})
    assert again == read(shipped)


def test_a_new_row_is_timed_beside_the_others_and_given_what_it_takes_on_their_machine(
    shipped, parquet, counted, monkeypatch
):
    """By hand: what took half a second takes two today, so that the new method's one second is a quarter there."""
    asked, today = [], {"gradcam": 0.5}

    def timed(model, faces, methods):
        asked.append((len(faces), methods))
        return today

    monkeypatch.setattr(trust, "timed", timed)
    trust.measure("cnn", parquet, shipped, 3, ("gradcam",))
    today |= {"gradcam": 2.0, "saliency": 1.0}
    for _ in range(2):
        table = trust.measure("cnn", parquet, shipped, 3, ("saliency",))
        assert {name: row["seconds"] for name, row in table["methods"].items()} == {"gradcam": 0.5, "saliency": 0.25}
        assert table == read(shipped) and table["default"] == trust.default_method(table)
    assert asked == [(3, ["gradcam"]), (3, ["gradcam", "saliency"])], "what was measured is not timed again"


def test_rows_that_a_stop_left_without_seconds_get_them(shipped, parquet, counted):
    def stop(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trust.measure("cnn", parquet, shipped, 3, ("gradcam",), say=stop)
    assert "seconds" not in read(shipped)["methods"]["gradcam"] and read(shipped)["default"] == "gradcam"
    assert trust.measure("cnn", parquet, shipped, 3, ("gradcam",))["methods"]["gradcam"]["seconds"] == 0.1


def test_every_method_is_timed_on_a_face_before_the_next_one(monkeypatch):
    """By hand: of 1, 2 and 9 seconds the middle one counts; the first map of each method compiles, and does not."""
    order, seconds = [], iter([50.0, 60.0, 1.0, 0.1, 9.0, 0.3, 2.0, 0.2])

    def explain(model, face, target, method):
        order.append((face.crop[0, 0], target.emotion, method))
        return SimpleNamespace(seconds=next(seconds))

    monkeypatch.setattr(trust.registry, "explain", explain)
    model = SimpleNamespace(logits=lambda crops: np.eye(3, 7))
    faces = [SimpleNamespace(crop=np.full((2, 2), number)) for number in range(3)]
    assert trust.timed(model, faces, ["a", "b"]) == {"a": 2.0, "b": 0.2}
    assert order == [(0, 0, "a"), (0, 0, "b")] + [(n, n, method) for n in range(3) for method in "ab"]


def test_the_average_shares_by_hand(monkeypatch):
    """Two faces: one map lies on the nose alone, one half on the nose and half, below zero, on the mouth."""
    nose, mouth = REGIONS.index("nose"), REGIONS.index("mouth")
    masks = np.zeros((8, 2, 2), bool)
    masks[nose, 0], masks[mouth, 1] = True, True
    maps = iter([np.array([[1.0, 2.0], [0, 0]]), np.array([[0.0, 3.0], [0, -1]]), np.zeros((2, 2))])
    monkeypatch.setattr(trust.registry, "explain", lambda *given: SimpleNamespace(values=next(maps)))
    monkeypatch.setattr(trust.regions, "masks", lambda keypoints, side: masks)
    model = SimpleNamespace(logits=lambda crops: np.eye(3, 7))
    points = np.zeros((15, 2))
    points[list(FIVE)] = [[15.05, 18.75], [32.35, 18.75], [23.7, 27], [17, 36.05], [30.4, 36.05]]
    face = SimpleNamespace(crop=np.zeros((2, 2)), crop_keypoints=points)
    ranks, shares = trust.controls(model, [face] * 3, "occlusion")
    assert ranks.shape == (3, 2, 2) and ranks[1].ravel()[1] == 0, "a face that lies as the app frames it"
    assert shares["supporting"] == dict.fromkeys(REGIONS, 0.0) | {"nose": 1.0}
    assert shares["opposing"] == dict.fromkeys(REGIONS, 0.0) | {"mouth": 0.5}


def test_another_temperature_other_keypoints_and_other_data_begin_anew(shipped, parquet, counted, monkeypatch):
    def measured(method):
        return list(trust.measure("cnn", parquet, shipped, 3, (method,))["methods"])

    assert measured("gradcam") == ["gradcam"] and measured("saliency") == ["gradcam", "saliency"]
    card = cards.read(shipped / "cnn")
    cards.write(dataclasses.replace(card, temperature=card.temperature + 0.1), shipped / "cnn")
    assert measured("saliency") == ["saliency"]
    monkeypatch.setattr(trust.data, "fingerprint", lambda path: "1" * 64)
    assert measured("gradcam") == ["gradcam"]
    monkeypatch.setattr(trust, "as_face", lambda image: image)
    monkeypatch.setattr(trust.zoo, "keypoint_model", lambda: SimpleNamespace(card=SimpleNamespace(sha256="0" * 64)))
    assert measured("saliency") == ["saliency"] and read(shipped)["keypoints_sha256"] == "0" * 64


def test_other_weights_and_a_damaged_file_begin_anew(shipped, parquet, counted):
    for content in (json.dumps({"sha256": "0" * 64, "methods": {"gradcam": {}}}), "{", "[]"):
        (shipped / "cnn" / trust.FILE).write_text(content)
        trust.measure("cnn", parquet, shipped, 3, ("gradcam",))
    assert len(counted) == 3


def test_a_method_that_does_not_suit_is_left_out(shipped, parquet, counted, monkeypatch):
    monkeypatch.setattr(
        trust.registry, "suitable", lambda model: {"gradcam": "Its maps are too coarse.", "saliency": ""}
    )
    said = []
    table = trust.measure("cnn", parquet, shipped, 3, ("gradcam", "saliency"), say=said.append)
    assert list(table["methods"]) == ["saliency"] and "gradcam: left out. Its maps are too coarse." in said


def test_bad_input(shipped, parquet):
    with pytest.raises(UnknownNameError, match="cnn, resnet, vgg16"):
        trust.measure("keypoints", parquet, shipped)
    with pytest.raises(UnknownNameError, match="gradcam"):
        trust.measure("cnn", parquet, shipped, methods=("lime",))
    with pytest.raises(ParameterError, match="two faces"):
        trust.measure("cnn", parquet, shipped, faces=1)


def test_faces_are_drawn_evenly_by_the_seed():
    labels = np.repeat(np.arange(7), [3, 50, 50, 50, 50, 50, 50])
    rows = trust.draw(labels, 70)
    counts = np.bincount(labels[rows], minlength=7)
    assert len(set(rows)) == 70 and counts[0] == 3 and set(counts[1:]) <= {11, 12}
    assert sorted(labels[rows[:7]]) == list(range(7))
    np.testing.assert_array_equal(rows, trust.draw(labels, 70))
    assert set(rows) != set(trust.draw(labels, 70, seed=1))
    assert len(trust.draw(labels, 1000)) == len(labels)


def test_a_training_face_is_its_own_crop():
    image = (np.arange(48 * 48).reshape(48, 48) % 251).astype(np.uint8)
    face = trust.as_face(image)
    np.testing.assert_array_equal(face.crop, image.astype(np.float32) / 255)
    assert face.wide_crop.shape == (96, 96) and face.crop_keypoints.shape == (15, 2)


def test_the_keypoints_of_a_training_face_are_those_of_the_photo_it_was_cut_from():
    picture = photo.read(EXAMPLES / "astronaut.jpg")
    whole = keypoints.read(detector.find(picture), picture)[0]
    face = trust.as_face(np.round(whole.crop * 255).astype(np.uint8))
    apart = np.linalg.norm(face.crop_keypoints - framing.apply(whole.to_crop, whole.keypoints), axis=1)
    assert apart.mean() < 1.5 and apart.max() < 3  # of 48


def test_the_interval_is_that_of_the_mean():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = trust.interval(values)
    half = 1.96 * values.std() / np.sqrt(400)
    assert found["mean"] == pytest.approx(values.mean(), abs=1e-4)
    assert (found["low"], found["high"]) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.04)
    assert trust.interval([0.25] * 9) == {"mean": 0.25, "low": 0.25, "high": 0.25}
    assert trust.interval([]) is None


def test_the_interval_of_a_share_by_hand():
    """With z = 1.96: 0 of 200 reaches to z2 / (200 + z2); 50 of 100 is .5 with sqrt(25 + z2/4) z / (100 + z2)."""
    assert trust.share(0, 200) == {"mean": 0, "low": 0, "high": pytest.approx(3.8416 / 203.8416, abs=1e-4)}
    assert trust.share(200, 200)["low"] == pytest.approx(200 / 203.8416, abs=1e-4)
    half = trust.share(50, 100)
    assert (half["low"], half["high"]) == pytest.approx((0.4038, 0.5962), abs=1e-4)


def test_the_summary_by_hand():
    """Two faces and a flat map: gains 3 and 1 over others of 1 on average, their average's .5 and a middle of 2."""

    def curves(gain, fill="blur", score="log-odds"):
        random, others = np.array([-1.0, 0.5]), np.array([0.0, 2.0])
        return Curves(fill, score, *[np.zeros(2)] * 11, gain, random, 2.0, 0.5, others)

    one = curves(3.5), curves(2.5, "mean face"), curves(0.3, score="probability")
    other = curves(1.5), curves(0.5, "mean face"), curves(0.1, score="probability")
    found = trust.summary([one, other, ()])
    means = {key: value["mean"] for key, value in found.items() if key not in ("by_fill", "of_faces")}
    assert means == {
        "relevance_gain": pytest.approx((3 + 1 + 0) / 3, abs=1e-4),
        "relevance_gain_probability": pytest.approx(0.4 / 3, abs=1e-4),
        "less_other_faces": pytest.approx((2 + 0 + 0) / 3, abs=1e-4),
        "less_average_map": pytest.approx((2.5 + 0.5 + 0) / 3, abs=1e-4),
        "less_centre_prior": pytest.approx((1 - 1 + 0) / 3, abs=1e-4),
        "beats_random": pytest.approx(2 / 3, abs=1e-4),
        "beats_centre_prior": pytest.approx(1 / 3, abs=1e-4),
        "beats_average_map": pytest.approx(2 / 3, abs=1e-4),
        "beats_other_faces": pytest.approx(1 / 3, abs=1e-4),
        "beats_all": pytest.approx(1 / 3, abs=1e-4),
    }
    assert found["of_faces"] == [3, 1, 0]
    blur, mean = found["by_fill"]["blur"], found["by_fill"]["mean face"]
    assert blur["relevance_gain"]["mean"] == pytest.approx(5 / 3, abs=1e-4)
    assert mean["less_other_faces"]["mean"] == pytest.approx((1.5 - 0.5) / 3, abs=1e-4)
    assert mean["beats_other_faces"]["mean"] == pytest.approx(1 / 3, abs=1e-4)


BEST, SAME, WORSE = [1.0, 1.2, 0.8, 1.1], [1.1, 1.0, 0.9, 1.05], [0.5, 0.6, 0.4, 0.5]
"""On the same four faces: the best by its mean, one that is as good by its interval, one that is worse on each."""


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (
            {
                "slow": made_up_row(BEST, seconds=0.9),
                "close": made_up_row(SAME),
                "far": made_up_row(WORSE, seconds=0.01),
            },
            "close",
        ),
        ({"best": made_up_row(BEST, sane=0.6), "other": made_up_row(WORSE)}, "other"),
        ({"best": made_up_row(BEST, sane=-0.7), "other": made_up_row(WORSE)}, "other"),
        ({"best": made_up_row(BEST, sane=0.48), "other": made_up_row(WORSE)}, "other"),
        ({"best": made_up_row(BEST, shared=0.6), "other": made_up_row(WORSE)}, "other"),
        ({"best": made_up_row(BEST, stability=0.4), "other": made_up_row(WORSE)}, "other"),
        ({"best": made_up_row(BEST, stability=None), "other": made_up_row(WORSE)}, "other"),
        ({"best": made_up_row(BEST, seconds=1.5), "other": made_up_row(WORSE)}, "other"),
        ({"best": made_up_row(BEST, seconds=None), "other": made_up_row(WORSE)}, "other"),
        ({"best": made_up_row(BEST, seconds=None)}, "best"),
        ({"best": made_up_row(BEST), "short": made_up_row(SAME[:2], seconds=0.01)}, "short"),
        ({"best": made_up_row(BEST), "short": made_up_row(WORSE[:2], seconds=0.01)}, "best"),
        ({"best": made_up_row(BEST, sane=None), "other": made_up_row(WORSE, sane=0.9)}, "best"),
    ],
)
def test_the_default_method(rows, name):
    assert trust.default_method({"methods": rows}) == name


def test_no_default_without_figures():
    with pytest.raises(DataError, match="training trust"):
        trust.default_method({"methods": {}})
