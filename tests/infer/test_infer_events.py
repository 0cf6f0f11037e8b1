"""Events and the features that they are called from: what nearly fixes an event must not hide what causes it."""

import numpy as np
import pandas as pd
import pytest

from cytocause.infer import infer
from cytocause.infer.settings import read_settings
from cytocause.infer.workflow import columns_of, settings_of

VARIABLES = [
    {"name": "drug", "kind": "discrete", "role": "contextual"},
    {"name": "division", "kind": "discrete", "role": "dynamic"},
    {"name": "area", "kind": "continuous", "role": "dynamic"},
    {"name": "speed", "kind": "continuous", "role": "dynamic"},
]
CONFIG = {"n_layers": 3, "delta_t": 1}


@pytest.fixture(scope="module")
def table():
    """400 cells of 12 steps: the drug makes them divide and swell a little, and who has divided has half its area."""
    rng = np.random.default_rng(5)
    rows = []
    for cell in range(400):
        drug = cell % 2
        onset = rng.geometric(0.16 if drug else 0.05)
        area = 0.0
        for step in range(12):
            area = 0.3 * area + 0.1 * rng.normal()
            divided = int(step >= onset)
            rows.append((cell, step, drug, divided, area - 2.0 * divided + 0.2 * drug, rng.normal()))
    return pd.DataFrame(rows, columns=["trajectory", "time", "drug", "division", "area", "speed"])


def joined(table, **config):
    edges = infer(table, pd.DataFrame(VARIABLES), {**CONFIG, **config}, threads=1).to_json()["edges"]
    return {frozenset((e["source"], e["target"])) for e in edges}


def test_a_feature_that_shows_an_event_does_not_hide_its_cause(table):
    pair = frozenset(("drug", "division"))
    assert pair not in joined(table)  # who knows the area knows the division
    assert pair in joined(table, read_from=[["division", "area", 1], ["division", "speed", 1]])
    assert frozenset(("division", "area")) in joined(table, read_from=[["division", "area", 1]])  # the two stay joined
    assert joined(table, read_from=[["division", "speed", 1]]) == joined(table)  # the area is what hides it


def test_the_feature_may_still_explain_what_is_no_event_and_what_is_older():
    """a > b > c: b parts the two; that c was read from b at most 0 steps before leaves b's past free."""
    rng = np.random.default_rng(3)
    a = rng.normal(size=(40, 62))
    b = np.roll(a, 1, axis=1) + 0.4 * rng.normal(size=a.shape)
    c = np.roll(b, 1, axis=1) + 0.4 * rng.normal(size=a.shape)
    cut = slice(2, None)
    step = np.broadcast_to(np.arange(60), (40, 60))
    chain = pd.DataFrame({"trajectory": np.repeat(np.arange(40), 60), "time": step.ravel(), **{n: v[:, cut].ravel() for n, v in zip("abc", (a, b, c))}})

    def pairs(**config):
        edges = infer(chain, None, {**CONFIG, **config}, threads=1).to_json()["edges"]
        return {(e["source"], e["target"], e["lag_steps"]) for e in edges}

    free = pairs()
    assert ("a", "b", 1) in free and ("b", "c", 1) in free and ("a", "c", 2) not in free
    assert ("a", "c", 2) not in pairs(read_from=[["c", "b", 0]])
    assert ("a", "c", 2) in pairs(read_from=[["c", "b", 1]])
    assert ("a", "c", 2) in pairs(read_from=[["c", "b"]])


def test_the_workflow_takes_the_features_of_an_event_from_the_dictionary():
    names = ["drug", "death", "area_um2", "n_immune_r1"]
    section = {"event_window_min": 30, "n_layers": 3}
    assert settings_of(section, names, 10.0)["read_from"] == [["death", "area_um2", 3]]
    assert settings_of(section, names, 10.0, 2.0)["read_from"] == [["death", "area_um2", 1]]  # steps of two frames
    assert settings_of(section, names)["read_from"] == [["death", "area_um2", 0]]  # nobody knows the interval
    assert "read_from" not in settings_of({**section, "event_window_min": None}, names, 10.0)
    named = {"apoptosis": "death", "size": "area_um2", "drug": "drug"}  # names given in the config
    assert settings_of(section, named, 10.0)["read_from"] == [["apoptosis", "size", 3]]
    table = pd.DataFrame({"name": ["apoptosis", "size", "own"], "source": ["death", "area_um2", None]})
    assert columns_of(table) == {"apoptosis": "death", "size": "area_um2", "own": "own"}
    assert section == {"event_window_min": 30, "n_layers": 3}
    assert read_settings(settings_of(section, names, 10.0)).read_from == (("death", "area_um2", 3),)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["division", "nobody", 1]], "read_from names 'nobody', which is not a variable of the table."),
        ([["division"]], "read_from row ['division'] has 1 entries;"),
        ([["division", "area", -1]], "read_from row ['division', 'area', -1] has the lag -1; expected a whole number"),
    ],
)
def test_rows_that_cannot_be(table, rows, words):
    with pytest.raises(ValueError) as caught:
        joined(table, read_from=rows)
    assert words in str(caught.value)
