"""Contributors where values are missing: one that is not missing at random is out, and the next best has its turn."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cytocause.infer import infer
from cytocause.infer.skeleton import TIE, Edge, _choose

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("edges.tsv", "raw.tsv", "triples.tsv", "graph.graphml", "graph.json")


def two_explanations(seed=0, n=1000):
    """x and y share z. A is z, gone where x is high: the best explanation on the rows it leaves, and a wrong one. B is complete."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    x, y = z + rng.normal(size=n), z + rng.normal(size=n)
    gone = (rng.random(n) < 0.6) & (x > 0.7)
    return pd.DataFrame({"x": x, "y": y, "A": np.where(gone, np.nan, z), "B": z + 0.7 * rng.normal(size=n)})


@pytest.mark.parametrize("threads", [1, 8])
def test_the_next_best_explains_when_the_best_is_not_missing_at_random(threads):
    for seed in range(3):
        edges = infer(two_explanations(seed), time=None, threads=threads).edges
        row = edges[(edges["x"] == "x") & (edges["y"] == "y")].iloc[0]
        assert row["ai"] == "B"


def book_of(rejected=(), links=None, last=False):
    """What _choose asks of a book; links: E(z) of each candidate."""
    return SimpleNamespace(
        last_of_equals=last,
        missing_at_random=lambda x, y, given, z: z not in rejected,
        key=lambda end, z, given, among: (end, z),
        clamped=lambda key: (0.0, (links or {}).get(key[1], 0.0) / 2),
    )


def scored(**scores):
    return {int(name[1:]): (0.0, score, score, 1.0) for name, score in scores.items()}


def test_a_rejected_winner_leaves_the_edge_open_for_candidates_that_were_not_scored():
    edge = Edge(0, 1)
    scores = scored(z2=10.0)
    assert not _choose(book_of(rejected={2}), edge, scores, bound=4.0)
    assert edge.best == -1 and scores == {}
    # now the weaker one has been scored as well
    scores |= scored(z3=3.0)
    assert _choose(book_of(rejected={2}), edge, scores, bound=1.0)
    assert (edge.best, edge.score) == (3, 3.0)
    # nobody is left
    edge = Edge(0, 1)
    assert _choose(book_of(rejected={2}), edge, scored(z2=10.0), bound=-np.inf) and edge.best == -1


def test_an_edge_stays_open_while_a_candidate_could_tie():
    edge = Edge(0, 1)
    assert not _choose(book_of(), edge, scored(z2=5.0), bound=5.0)
    assert _choose(book_of(), edge, scored(z2=5.0), bound=5.0 - 1e-9) and edge.best == 2


def test_candidates_below_a_tie_never_matter():
    # 2 ties with 3 and 3 with 4, but 2 not with 4: whether 4 was scored, and how it is linked, must not matter
    links = {2: 1.0, 3: 5.0, 4: 9.0}
    scores = scored(z2=1.0 + 1.6 * TIE, z3=1.0 + 0.8 * TIE, z4=1.0)
    for known in (scores, {z: scores[z] for z in (2, 3)}):
        edge = Edge(0, 1)
        assert _choose(book_of(links=links), edge, dict(known), bound=-np.inf)
        assert edge.best == 3


def test_with_gaps_the_bytes_are_the_same_for_any_number_of_threads(tmp_path):
    # one edge open at a time: eight threads score several of its candidates at once, a single one stops at the first
    rng = np.random.default_rng(1)
    table = two_explanations(0)
    table["D"] = np.where(rng.random(1000) < 0.2, np.nan, table["x"] + rng.normal(size=1000))
    table.to_csv(tmp_path / "table.csv", index=False)
    found = {}
    for threads in (1, 2, 8):
        out = tmp_path / str(threads)
        env = {**os.environ, "NUMBA_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT / "scripts")}
        done = subprocess.run(
            [sys.executable, "-m", "cytocause.infer", str(tmp_path / "table.csv"), "--out", str(out)],
            env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found[threads] = {name: (out / name).read_bytes() for name in TABLES}
    assert found[1] == found[2] == found[8]
    edges = pd.read_csv(tmp_path / "1" / "edges.tsv", sep="\t").set_index(["x", "y"])
    assert edges.loc[("x", "y"), "ai"] == "B"


def test_the_raw_table_names_the_contributor_taken_last_and_its_score():
    raw = infer(two_explanations(0), time=None, threads=1).raw
    explained = raw[raw["ai"] != ""]
    assert len(explained) and (explained["z_name"] == explained["ai"].str.split(",").str[-1]).all()
    assert (explained["r_xyz_ai"] > 0).all()
    alone = raw[raw["ai"] == ""]
    assert (alone["z_name"] == "").all() and alone["r_xyz_ai"].isna().all()
