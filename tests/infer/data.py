"""Inputs that several tests use: the spec's random stream, its worked examples, the reference's cases."""

import json

import numpy as np
import pandas as pd

from cytocause.infer.table import Data, Variable


def stream(seed, n):
    """The spec's generator: s <- (1664525 s + 1013904223) mod 2^32, values s / 2^32."""
    out = np.empty(n)
    for i in range(n):
        seed = (1664525 * seed + 1013904223) % 2**32
        out[i] = seed / 2**32
    return out


def estimator_set():
    """u, v, w, q of check 4, each (300,)."""
    return stream(12345, 1200).reshape(300, 4).T


def three_variables():
    """The table of check 15: two trajectories of 200 steps, V0 -> V1 -> V2, condition C."""
    e = (stream(2024, 5380).reshape(-1, 4).sum(axis=1) - 2) * np.sqrt(3)
    rows, k = [], 0
    for r in (0, 1):
        a = b = c = 0.0
        for t in range(220):
            # V0 and V1 read the state before this step, V2 the present V1
            a, b = 0.7 * a + e[k] + r, 0.7 * a + 0.4 * b + e[k + 1]
            c = 0.6 * b + 0.5 * c + e[k + 2]
            k += 3
            if t >= 20:
                rows.append((r, t - 20, round(a, 6), round(b, 6), round(c, 6), r))
    return pd.DataFrame(rows, columns=["trajectory", "time", "V0", "V1", "V2", "C"])


CONTEXT = pd.DataFrame({"name": ["V0", "V1", "V2", "C"], "role": ["dynamic"] * 3 + ["contextual"]})


def var_table(n=400, trajectories=4, seed=0, lag=2):
    """Linear series: a -> b at `lag`, c alone; a condition that moves b, an exogenous input that moves c."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(trajectories):
        steps = n // trajectories
        x = rng.normal(size=(steps + 50, 3))
        pulse = (rng.random(steps + 50) < 0.5).astype(int)
        for t in range(2, steps + 50):
            x[t, 0] += 0.5 * x[t - 1, 0]
            x[t, 1] += 0.3 * x[t - 1, 1] + 0.8 * x[t - lag, 0] + 2.0 * (k % 2)
            x[t, 2] += 0.4 * x[t - 1, 2] + 1.5 * pulse[t - 1]
        part = pd.DataFrame(x[50:], columns=["a", "b", "c"])
        part.insert(0, "time", range(steps))
        part.insert(0, "trajectory", f"t{k}")
        part["drug"] = k % 2
        part["pulse"] = pulse[50:]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


VAR_ROLES = pd.DataFrame(
    {"name": ["a", "b", "c", "drug", "pulse"], "role": ["dynamic"] * 3 + ["contextual", "exogenous"]}
)


def cases(folder, what):
    """The cases of one folder of reference outputs."""
    return json.loads((folder / what / "expected.json").read_text())["cases"]


def kinds_of(case):
    return ["continuous" if flag else "discrete" for flag in case["is_continuous"]]


def default_bins(n):
    """Unit bins that the reference's own functions for a single pair take when none are given."""
    return min(50, 5 * int(0.5 + n ** (1 / 3)))


def variables_of(case):
    order = pd.DataFrame(case["state_order"])
    return pd.DataFrame(
        {
            "name": order["var_names"],
            "kind": ["continuous" if t == 1 else "discrete" for t in order["var_type"]],
            "role": ["contextual" if c == 1 else "dynamic" for c in order.get("is_contextual", [0] * len(order))],
        }
    )


def still(continuous, lengths, discrete=0, contextual=0):
    """Data of trajectories of given lengths with variables in which nothing happens, for what depends on sizes only."""
    zero = np.zeros(sum(lengths), np.int32)
    variables = []
    for kind, role, many in (
        ("continuous", "dynamic", continuous), ("discrete", "dynamic", discrete), ("discrete", "contextual", contextual),
    ):  # fmt: skip
        for k in range(many):
            variables.append(Variable(f"{kind}{role}{k}", kind, role, zero.copy(), np.zeros(1), [0], True, True))
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return Data(variables, starts, np.ones(sum(lengths), bool), np.empty(0), 1.0, True)
