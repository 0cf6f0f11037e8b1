"""What the derivation says of small models against 10^5 simulated windows: who is separated by whom, and who by nobody.

Every window is a run of its own, so the rows are independent and a partial correlation given k others that is truly 0 has a
standard deviation of 1 / sqrt(rows - k - 2).
"""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm

from cytocause.score.target import search_window, target

ROWS = 100_000
ERROR = 1e-3  # chance that any of a model's true zeros is called a dependence


def node(name, kind="cell", hidden=False, **more):
    return {"name": name, "kind": kind, "hidden": hidden, "observed": None if hidden else name, **more}


def link(source, target, lag, weight):
    return {"source": source, "target": target, "lag_frames": lag, "weight": weight}


def own(weight, *names):
    return [link(name, name, 1, weight) for name in names]


MODELS = {
    "persistent latent": (  # x has an offset for life: all its layers are joined
        [node("x"), node("y"), node("z"), node("offset", hidden=True, constant=True)],
        [link("offset", "x", 0, 1.2), link("x", "y", 1, 0.7), link("y", "z", 0, 0.7), *own(0.4, "y", "z")],
        {"layers": 3, "delta_t": 1, "frame": 1},
    ),
    "persistent latent of two": (  # and one shared by x and z joins them at every lag
        [node("x"), node("y"), node("z"), node("offset", hidden=True, constant=True)],
        [link("offset", "x", 0, 1.0), link("offset", "z", 0, 1.0), link("x", "y", 1, 0.8), *own(0.5, "y")],
        {"layers": 2, "delta_t": 1, "frame": 1},
    ),
    "hidden white": (
        [node("x"), node("y"), node("z"), node("c", "contextual"), node("h", hidden=True)],
        [link("h", "x", 0, 1.0), link("h", "y", 1, 1.0), link("y", "z", 1, 0.8), link("c", "z", 0, 0.6), *own(0.5, "x", "y", "z")],
        {"layers": 3, "delta_t": 1, "frame": 1},
    ),
    "chain through a hidden variable": (
        [node("x"), node("y"), node("z"), node("h", hidden=True)],
        [link("x", "h", 1, 1.0), link("h", "y", 1, 0.9), link("y", "z", 1, 0.8), *own(0.5, "x", "y", "z")],
        {"layers": 4, "delta_t": 1, "frame": 1},
    ),
    "chain through a hidden memory": (
        [node("x"), node("y"), node("h", hidden=True)],
        [link("x", "h", 1, 1.0), link("h", "y", 0, 1.0), *own(0.6, "x", "h")],
        {"layers": 3, "delta_t": 1, "frame": 1},
    ),
    "steps finer than frames": (  # a frame is 2 steps; lags of 3 and 1 steps end between frames
        [node("x"), node("y"), node("z"), node("c", "contextual")],
        [link("x", "y", 3, 1.0), link("y", "z", 1, 1.0), link("c", "x", 0, 0.8), *own(0.5, "x", "y", "z")],
        {"layers": 3, "delta_t": 1, "frame": 2},
    ),
    "layers that skip frames": (
        [node("x"), node("y"), node("z")],
        [link("x", "y", 3, 0.7), link("y", "z", 0, 0.7), *own(0.8, "x"), *own(0.7, "y")],
        {"layers": 3, "delta_t": 2, "frame": 1},
    ),
}  # fmt: skip


def simulated(nodes, links, lags, rng):
    """{(name, lag or None): values} of ROWS independent windows; noise of standard deviation 1, linear."""
    constant = {n["name"] for n in nodes if n.get("constant") or n["kind"] == "contextual"}
    order = [n["name"] for n in nodes]
    order.sort(key=lambda name: sum(1 for e in links if e["target"] == name and e["lag_frames"] == 0 and e["source"] not in constant))
    steps = 40 + max(lag for lag in lags if lag is not None)
    held = {name: rng.standard_normal(ROWS) for name in constant}
    for n in nodes:
        if n["kind"] == "contextual":
            held[n["name"]] = (held[n["name"]] > 0).astype(float)
    past = {name: [] for name in order if name not in constant}
    for _ in range(steps + 1):
        for name, own_past in past.items():
            value = rng.standard_normal(ROWS)
            for e in links:
                if e["target"] == name and e["source"] in constant:
                    value += e["weight"] * held[e["source"]]
                elif e["target"] == name:
                    before = past[e["source"]]
                    at = len(own_past) - e["lag_frames"]
                    if at >= 0:
                        value += e["weight"] * before[at]
            own_past.append(value)
    return {
        (name, lag): held[name] if name in constant else past[name][-1 - lag]
        for name in order
        for lag in ([None] if name in constant else lags)
        if name not in constant or lag is None
    }


def partial(covariance, i, j, given):
    inverse = np.linalg.inv(covariance[np.ix_([i, j, *given], [i, j, *given])])
    return abs(inverse[0, 1]) / np.sqrt(inverse[0, 0] * inverse[1, 1])


@pytest.mark.parametrize("name", MODELS)
def test_separating_sets_separate_and_joined_pairs_stay_joined(name):
    nodes, links, shape = MODELS[name]
    truth = {"dag": {"nodes": nodes, "links": links, "step_min": 10.0}, "frame_interval_min": 10.0 * shape["frame"]}
    names = [n["name"] for n in nodes if not n["hidden"]]
    found = {"nodes": [], "parameters": {"variables": {n: {"n_layers": shape["layers"], "delta_t": shape["delta_t"]} for n in names}}}
    window, _ = search_window(truth, found)
    derived = target(truth, found)

    lags = [k * shape["delta_t"] * shape["frame"] for k in range(shape["layers"])]
    values = simulated(nodes, links, lags, np.random.default_rng(7))
    kept = [key for key in values if key[0] in window]
    assert {n for n, _ in kept} == set(names)
    place = {(n, None if lag is None else lag * 10.0): k for k, (n, lag) in enumerate(kept)}
    covariance = np.cov(np.array([values[key] for key in kept]))

    def ends(edge):
        lag = edge["lag_min"]
        source = None if lag is None or (edge["source"], None) in place else lag
        return place[edge["source"], source], place[edge["target"], 0.0]

    def level(size, tests):
        return norm.isf(ERROR / (2 * tests)) / np.sqrt(ROWS - size - 2)

    assert derived.apart and derived.edges
    for pair in derived.apart:
        given = [place[key] for key in pair["given"]]
        assert partial(covariance, *ends(pair), given) < level(len(given), len(derived.apart)), pair
    for edge in derived.edges:
        i, j = ends(edge)
        rest = [k for k in range(len(kept)) if k not in (i, j)]
        for size in range(4):
            weakest = min((partial(covariance, i, j, given), given) for given in combinations(rest, size))
            assert weakest[0] > level(size, len(derived.apart)), (edge, [kept[k] for k in weakest[1]])
