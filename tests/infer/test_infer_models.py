"""Check 19: on the two published 15-variable models the graph is as good as the reference's (spec 8.1, 8.2)."""

import numpy as np
import pandas as pd
import pytest

from cytocause.infer import infer

BURN_IN = 200
STEPS = 1000
ALLOWED = 0.03  # F may be this far below the reference's


def f1(x):
    return x


def f2(x):
    return x * (1 - 4 * np.exp(-(x**2) / 2))


def f3(x):
    return x * (1 - 4 * x**3 * np.exp(-(x**2) / 2))


def f4(x):
    return np.cos(x)


# effect: (coefficient, function, cause, lag, noise multiplies the term); then whether noise is added.
# Same-time causes come first by the order in which the variables are computed.
MODEL_1 = {
    1: ([(-0.47, f2, 1, 1, False), (0.29, f3, 2, 1, True)], False),
    2: ([(0.49, f2, 2, 1, False), (0.4, f1, 1, 2, False)], True),
    4: ([(0.24, f3, 4, 1, False), (-0.24, f2, 6, 2, False), (-0.12, f4, 14, 1, True)], False),
    3: ([(0.56, f1, 3, 1, False), (0.44, f4, 4, 2, False), (-0.26, f2, 10, 2, False), (0.56, f2, 4, 0, False)], True),
    6: ([(-0.32, f2, 6, 1, False)], True),
    7: ([(-0.17, f4, 7, 1, False), (-0.17, f1, 7, 2, False)], True),
    8: ([(0.39, f4, 8, 1, False), (-0.46, f4, 7, 1, False), (-0.39, f3, 1, 1, False), (-0.4, f3, 12, 2, False)], True),
    9: ([(-0.34, f1, 9, 1, False), (0.43, f3, 12, 2, False)], True),
    10: (
        [(0.2, f1, 10, 1, False), (0.18, f4, 9, 2, False), (0.17, f1, 9, 1, False), (0.48, f3, 7, 1, False),
         (-0.26, f4, 4, 1, False)],
        True,
    ),
    12: ([(-0.45, f2, 12, 1, False), (-0.43, f4, 3, 2, False), (-0.17, f4, 9, 2, True)], False),
    11: ([(0.41, f2, 11, 1, False), (0.54, f3, 2, 0, False), (-0.55, f2, 12, 0, False)], True),
    5: ([(-0.39, f3, 5, 1, False), (-0.42, f3, 5, 2, False), (-0.39, f3, 11, 0, False)], True),
    13: ([(0.45, f3, 13, 1, False)], True),
    14: ([(0.28, f2, 14, 1, False), (0.37, f1, 12, 2, True)], False),
    15: ([(0.52, f3, 15, 1, False)], True),
}  # fmt: skip


def series(seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((STEPS + BURN_IN, 16))
    x[:2] = rng.normal(size=(2, 16))
    for t in range(2, len(x)):
        for effect, (terms, added) in MODEL_1.items():
            value = rng.normal() if added else 0.0
            for coefficient, function, cause, lag, multiplied in terms:
                value += coefficient * function(x[t - lag, cause]) * (rng.normal() if multiplied else 1.0)
            x[t, effect] = value
    table = pd.DataFrame(x[BURN_IN:, 1:], columns=[f"X{i}" for i in range(1, 16)])
    return table.assign(trajectory=0, time=range(STEPS))


def truth():
    edges = set()
    for effect, (terms, _) in MODEL_1.items():
        for _, _, cause, lag, _ in terms:
            ends = (f"X{cause}", f"X{effect}")
            edges.add((ends if lag else tuple(sorted(ends)), lag))
    return edges


@pytest.mark.parametrize("seeds", [range(1, 6)])
def test_19_model_1_is_found_as_well_as_by_the_reference(seeds):
    true = truth()
    scores = []
    for seed in seeds:
        compact = infer(series(seed), None, {"n_layers": 3, "delta_t": 1}, threads=1).compact()
        found = set()
        for row in compact.to_dict("records"):
            ends = (row["source"], row["target"])
            found.add((ends if row["lag_steps"] else tuple(sorted(ends)), row["lag_steps"]))
        hits = len(found & true)
        scores.append(2 * hits / (len(found) + len(true)))
    assert np.mean(scores) >= 0.825 - ALLOWED, scores
