import numpy as np
import pytest

from app.data.filters import Filters, chosen
from models.errors import ParameterError, UnknownNameError
from tests.app.data.conftest import faces

KNOWN = faces(
    ["happy", "happy", "sad", "fear"],
    ["happy", "sad", "sad", "fear"],
    ["happy", "sad", "sad", "happy"],
    labels=["happy", "", "sad", "happy"],
    brightness=[0.1, 0.5, 0.9, np.nan],
)
KNOWN.splits[:] = ["", "", "", ""]


@pytest.mark.parametrize(
    ("wanted", "passed"),
    [
        ({}, [1, 1, 1, 1]),
        ({"emotion": "happy"}, [1, 0, 0, 1]),
        ({"emotion": "happy", "network": "cnn"}, [1, 1, 0, 0]),
        ({"label": "happy"}, [1, 0, 0, 1]),
        ({"label": "none"}, [0, 1, 0, 0]),
        ({"agreement": "agree"}, [1, 0, 1, 1]),
        ({"agreement": "differ"}, [0, 1, 0, 0]),
        ({"ranges": {"brightness": (0.1, 0.5)}}, [1, 1, 0, 0]),
        ({"ranges": {"brightness": (0.2, None)}}, [0, 1, 1, 0]),
        ({"ranges": {"brightness": (None, None)}}, [1, 1, 1, 1]),
        ({"label": "happy", "agreement": "agree", "ranges": {"brightness": (0, 1)}}, [1, 0, 0, 0]),
    ],
)
def test_each_filter_lets_through_what_it_names(wanted, passed):
    assert chosen(KNOWN, Filters(**wanted)).astype(int).tolist() == passed


def test_a_split_is_one_of_the_datasets():
    split = faces(["happy", "sad"], ["happy", "sad"])
    object.__setattr__(split, "splits", np.array(["PublicTest", ""]))
    assert chosen(split, Filters(split="PublicTest")).tolist() == [True, False]
    with pytest.raises(UnknownNameError, match="name of the split is unknown.*'Test'.*Use one of PublicTest"):
        chosen(split, Filters(split="Test"))


@pytest.mark.parametrize("field", ["network", "emotion", "label", "split", "agreement"])
def test_a_name_that_is_not_there_is_refused(field):
    with pytest.raises(UnknownNameError, match=f"name of the {field} is unknown in this dataset. Received: 'nonsense'"):
        chosen(KNOWN, Filters(**{field: "nonsense"}))


def test_a_measure_that_is_not_there_is_refused():
    with pytest.raises(UnknownNameError, match="name of the measure is unknown.*Use one of brightness"):
        chosen(KNOWN, Filters(ranges={"beauty": (0, 1)}))


@pytest.mark.parametrize("limits", [(0.5, 0.1), (0, 1, 2), ("0", 1), [True, 2], 3, None, {}])
def test_a_range_is_two_numbers_in_their_order(limits):
    with pytest.raises(ParameterError, match="'brightness' is no pair"):
        chosen(KNOWN, Filters(ranges={"brightness": limits}))
