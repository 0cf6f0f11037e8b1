"""Check 19: on the two published 15-variable models the graph is as good as the reference's (spec 8.1, 8.2).

Model 2 is as the specification gives it: noise N(0, 0.1) read as a standard deviation, drawn anew for each term and added to the
product where there is one, and, in place of the two functions that are missing in print, f1 = x and f2 = 2x, as the others (4x^2,
8x^3, 16x^4) go on. It has the 46 edges of the papers, so that terms and lags are right. Mean over seeds 1 to 5, beside the table
of spec 8.2 (precision, recall; without loops; loops alone; the reference's rules (legacy) with the right direction):

    model 1       .95 .74   .91 .65   .99 .86   .89 .70        table   .95 .73   direction .88 .68
    model 2       .88 .72   .85 .77   .97 .63   .80 .66                .92 .76             .81 .67

The table's skeleton is a set of (pair, lag), its direction a second question; so a pair counts without its order: F .844 and .806, where
the table has .825 and .83. With the order of lagged pairs counted as well (the figures above) F is .832 and .791, of which the second is
more than 0.03 below the table's .83: model 2 passes only as unordered pairs. The reference's rules (legacy) give .844 and .803, .832 and .788. Other readings of model 2 (noise on each factor; one noise for an equation; none inside;
the product of the f; 0.1 as a variance) give .80 to .82 in order by the reference's rules over seeds 1 to 15, this one .795; none was
chosen for its score.
"""

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


# model 2: effect: terms (coefficient, function, causes as (variable, lag), their product taken); X8 multiplies its terms by noise
MODEL_2 = {
    1: [(-0.7, 6, [(1, 1)]), (-0.87, 5, [(14, 1), (1, 2)])],
    2: [(0.65, 1, [(2, 1)]), (-0.63, 3, [(2, 2)]), (0.79, 3, [(5, 1)])],
    3: [(-0.76, 5, [(3, 1)]), (-0.59, 6, [(7, 1)]), (-0.85, 2, [(15, 1)]), (-0.89, 5, [(13, 2), (7, 1)])],
    4: [(-0.7, 6, [(5, 1)]), (-0.86, 2, [(8, 2)]), (0.53, 1, [(4, 1), (9, 2)])],
    5: [(0.54, 2, [(14, 1), (6, 2)])],
    6: [(-0.85, 2, [(6, 1)]), (-0.79, 3, [(3, 2)]), (0.59, 1, [(4, 1)]), (0.75, 3, [(1, 0)]), (0.57, 2, [(14, 1)])],
    7: [(0.74, 1, [(7, 1)]), (0.54, 6, [(9, 1)]), (-0.53, 2, [(9, 1), (7, 1)])],
    13: [(-0.62, 3, [(14, 2)]), (-0.61, 1, [(13, 1), (14, 2)])],
    8: [(-0.63, 1, [(6, 1)]), (0.81, 5, [(13, 0)]), (0.53, 6, [(6, 2), (6, 1)]), (-0.69, 6, [(13, 0), (6, 1)])],
    9: [(0.79, 3, [(4, 2)]), (0.69, 6, [(9, 1), (15, 1)])],
    10: [(0.54, 6, [(10, 1)])],
    11: [(0.83, 6, [(11, 1)]), (-0.76, 4, [(13, 1)]), (-0.73, 3, [(2, 1)]), (0.74, 2, [(4, 0)]), (-0.87, 2, [(10, 2)]),
         (0.72, 4, [(12, 1)]), (-0.73, 1, [(10, 2), (13, 1)])],
    12: [(0.7, 3, [(10, 1)]), (-0.55, 5, [(9, 0)]), (-0.54, 5, [(12, 1), (10, 1)])],
    14: [(-0.78, 6, [(14, 1)])],
    15: [(-0.68, 4, [(15, 1)]), (0.85, 4, [(15, 2)]), (-0.6, 5, [(10, 2)]), (0.68, 6, [(14, 1)]), (0.81, 4, [(14, 1), (10, 2)])],
}  # fmt: skip
NOISE_2 = 0.1


def powers(k, x):
    """f_k of model 2: x, 2x, 4x^2, 8x^3, 16x^4, cos(pi x)."""
    if k == 6:
        return np.cos(np.pi * x)
    return x if k == 1 else 2.0 ** (k - 1) * x ** (k - 1)


def series_1(seed, steps=STEPS):
    rng = np.random.default_rng(seed)
    x = np.zeros((steps + BURN_IN, 16))
    x[:2] = rng.normal(size=(2, 16))
    for t in range(2, len(x)):
        for effect, (terms, added) in MODEL_1.items():
            value = rng.normal() if added else 0.0
            for coefficient, function, cause, lag, multiplied in terms:
                value += coefficient * function(x[t - lag, cause]) * (rng.normal() if multiplied else 1.0)
            x[t, effect] = value
    return as_table(x)


def series_2(seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((STEPS + BURN_IN, 16))
    x[:2] = NOISE_2 * rng.normal(size=(2, 16))
    for t in range(2, len(x)):
        for effect, terms in MODEL_2.items():
            value = 0.0
            for coefficient, k, causes in terms:
                cause = np.prod([x[t - lag, v] for v, lag in causes])
                value += coefficient * powers(k, np.clip(NOISE_2 * rng.normal() + cause, -1, 1))
            own = NOISE_2 * rng.normal()
            x[t, effect] = own * value if effect == 8 else own + value
    return as_table(x)


def as_table(x):
    table = pd.DataFrame(x[BURN_IN:, 1:], columns=[f"X{i}" for i in range(1, 16)])
    return table.assign(trajectory=0, time=range(len(table)))


def truth_1():
    return {named(cause, effect, lag) for effect, (terms, _) in MODEL_1.items() for _, _, cause, lag, _ in terms}


def truth_2():
    return {named(v, effect, lag) for effect, terms in MODEL_2.items() for _, _, causes in terms for v, lag in causes}


def named(cause, effect, lag):
    ends = (f"X{cause}", f"X{effect}")
    return ends if lag else tuple(sorted(ends)), lag


def test_the_models_have_as_many_edges_as_the_papers_say():
    assert (len(truth_1()), len(truth_2())) == (38, 46)


@pytest.mark.parametrize(
    ("series", "true", "expected", "by_order"), [(series_1, truth_1(), 0.825, 0.832), (series_2, truth_2(), 0.83, 0.788)]
)
def test_19_the_models_are_found_as_well_as_by_the_reference(series, true, expected, by_order):
    pairs, ordered = [], []
    for seed in range(1, 6):
        found = learnt(series(seed))
        ordered.append(f1_score(found, true))
        pairs.append(f1_score(without_order(found), without_order(true)))
    assert np.mean(pairs) >= expected - ALLOWED, pairs  # the table's
    assert np.mean(ordered) >= by_order - ALLOWED, ordered  # what the reference's rules give on the same series


def test_19_nearly_all_edges_are_true_where_there_are_many_rows():
    true = without_order(truth_1())
    precision, f = [], []
    for seed in range(1, 4):
        found = without_order(learnt(series_1(seed, 10_000)))
        precision.append(len(found & true) / len(found))
        f.append(f1_score(found, true))
    assert np.mean(precision) >= 0.96, precision
    assert np.mean(f) >= 0.895 - ALLOWED, f  # the table's at N=10,000


def learnt(table):
    """Edges (ends, lag) of a table; ends in order where there is a lag."""
    compact = infer(table, None, {"n_layers": 3, "delta_t": 1}, threads=1).compact()
    found = set()
    for row in compact.to_dict("records"):
        ends = (row["source"], row["target"])
        found.add((ends if row["lag_steps"] else tuple(sorted(ends)), row["lag_steps"]))
    return found


def without_order(edges):
    return {(frozenset(pair), lag) for pair, lag in edges}


def f1_score(found, true):
    return 2 * len(found & true) / (len(found) + len(true))
