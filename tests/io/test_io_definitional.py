"""Which pairs are related by what they are: read from the dictionary's inputs."""

import math

import pytest

from cytocause.io import data_dictionary, definitional_pairs, inputs_of, is_definitional, look_back_min

NAMES = [
    "area_um2", "perimeter_um", "intensity_mean_dapi", "speed_um_min", "displacement_um", "n_immune_r1", "distance_immune_um", "n_caf_r1",
    "speed_immune_r1_um_min", "death", "division", "treatment",
]  # fmt: skip


def reason(a, b):
    return definitional_pairs(NAMES).get(frozenset((a, b)))


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("area_um2", "perimeter_um", "one mask"),
        ("area_um2", "intensity_mean_dapi", "one mask"),
        ("speed_um_min", "displacement_um", "one position"),
        ("n_immune_r1", "distance_immune_um", "one neighbourhood"),
        ("speed_immune_r1_um_min", "speed_um_min", "one position"),
        ("n_immune_r1", "n_caf_r1", None),
        ("n_immune_r1", "speed_um_min", None),
        ("area_um2", "speed_um_min", None),
        ("death", "division", "two fates"),
        ("death", "area_um2", "death"),
        ("death", "n_immune_r1", None),
        ("division", "n_immune_r1", "division"),
        ("treatment", "death", None),
    ],
)
def test_pairs_and_their_reasons(a, b, why):
    assert reason(a, b) == why


def test_an_event_and_what_it_was_called_from_only_around_its_onset():
    pairs = definitional_pairs(NAMES)
    assert is_definitional(pairs, "area_um2", "death", 30.0, 30.0)
    assert not is_definitional(pairs, "area_um2", "death", 40.0, 30.0)
    assert is_definitional(pairs, "death", "area_um2", 40.0, 30.0)  # the body shows the death
    assert is_definitional(pairs, "area_um2", "perimeter_um", 400.0, 30.0)
    assert not is_definitional(pairs, "n_immune_r1", "death", 0.0, 30.0)


def test_how_far_features_look_back():
    windows = {"speed_window_min": 30, "directionality_window_min": None}
    columns = ("area_um2", "speed_um_min", "speed_smooth_um_min", "directionality", "path_um")
    back = [look_back_min(name, 10.0, windows) for name in columns]
    assert back == [0.0, 10.0, 30.0, math.inf, math.inf]
    assert look_back_min("directionality", 10.0, {"directionality_window_min": 60}) == 60.0
    assert look_back_min("speed_smooth_um_min", 10.0) == 10.0  # at least a frame where the window is not known


def test_inputs_are_filled_in_and_other_rows_can_be_given():
    assert inputs_of("n_immune_r1") == ["tracks", "positions of immune"]
    assert inputs_of("area_px2") == ["labels"] and inputs_of("weather") == []
    rows = [{"name": "a", "inputs": "labels"}, {"name": "b_{channel}", "inputs": "movie, labels"}]
    assert definitional_pairs(["a", "b_red", "area_um2"], rows) == {frozenset(("a", "b_red")): "one mask"}


def test_every_cell_feature_of_the_dictionary_says_what_it_is_made_of():
    dictionary = data_dictionary()
    features = dictionary[(dictionary["source"] == "measure") & (dictionary["dtype"] == "float64")]
    made_of = features["inputs"].str.contains(r"\b(?:labels|position|positions of \{population\})(?:,|$)")
    assert features.loc[~made_of, "name"].tolist() == []
