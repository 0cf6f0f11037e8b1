"""One column per (variable, lag): a time series becomes rows that are treated as independent samples.

    trajectory   v: a b c d e          row t=2   v_lag0 = c   v_lag1 = b   v_lag2 = a
                                       row t=3   v_lag0 = d   v_lag1 = c   v_lag2 = b
                                       no row mixes trajectories

Nodes: layer 0 of all variables in their order (contextual ones stay un-suffixed), then layer 1, 2 ...
Source: spec sections 2.1, 2.3 to 2.5.
"""

from dataclasses import dataclass

import numpy as np

from .dynamics import choose_dynamics, smooth
from .effective import PairShares
from .ranks import encode
from .settings import N_EFF
from .table import NothingToInfer, Variable

INFINITE = np.iinfo(np.int32).max  # lag of a condition: older than anything


@dataclass
class Unfolded:
    """Nodes and rows.

    codes (nodes, rows) int32, -1 missing; levels (nodes,) int64; kinds (nodes,) uint8, 1 continuous;
    base, layer, lag (nodes,) int; names; contextual, source (never has a parent), consequence (nodes,) bool;
    rows (rows,) int64: where each row's present is in the data; weights (rows,) float64 or empty.
    """

    names: list
    codes: np.ndarray
    levels: np.ndarray
    kinds: np.ndarray
    base: np.ndarray
    layer: np.ndarray
    lag: np.ndarray
    contextual: np.ndarray
    source: np.ndarray
    consequence: np.ndarray
    ordered: np.ndarray
    rows: np.ndarray
    weights: np.ndarray
    temporal: bool
    n_eff: float | None
    n_layers: list
    delta_t: list
    relaxation: dict
    values: list  # per variable what gives the numbers of its rows: (rows of the data,) float64 smoothed, or the Variable
    shares: PairShares | None  # effective sizes by pair, where asked for

    def __len__(self):
        return len(self.names)

    @property
    def age(self):
        """Lag with which time orients: conditions and exogenous inputs are older than anything."""
        return np.where(self.source, INFINITE, self.lag)

    def node_values(self, node):
        """Numbers of one node at its rows, (rows,) float64 with NaN."""
        values = self.values[self.base[node]]
        if isinstance(values, Variable):
            values = values.values
        out = np.where(self.codes[node] >= 0, values[np.maximum(self.rows - self.lag[node], 0)], np.nan)
        return out


def unfold(data, settings, warnings):
    """Unfolded of a Data. Raises ValueError where no row is left."""
    n_vars = len(data.variables)
    smoothed = {}
    codes = [v.codes for v in data.variables]
    trim_low = trim_high = 0
    if data.temporal:
        for k, v in enumerate(data.variables):
            width = settings.mov_avg if v.mov_avg is None else v.mov_avg
            if v.kind == "continuous" and v.role != "contextual" and width >= 2:
                smoothed[k] = smooth(v.values, data.starts, width)
                codes[k] = encode(smoothed[k])[0]
                trim_low = max(trim_low, (width - 1) // 2)
                trim_high = max(trim_high, width - 1 - (width - 1) // 2)
    if settings.legacy and any(v.numbers is None for v in data.variables):
        # beside a column of text the reference reads numbers as they print (Q11)
        for k, v in enumerate(data.variables):
            if v.kind == "continuous":
                codes[k] = encode(seven_digits(smoothed.get(k, v.values)))[0]
    if settings.keep_max_data:
        trim_low = trim_high = 0
    layers, strides, relaxation = _layers(data, settings)
    nodes = []  # (variable, layer)
    for layer in range(max(layers)):
        nodes += [(k, layer) for k in range(n_vars) if layer < layers[k]]
    base = np.array([k for k, _ in nodes])
    layer = np.array([at for _, at in nodes])
    lag = np.array([at * strides[k] for k, at in nodes])
    deepest = int(lag.max())

    starts = data.starts
    lengths = np.diff(starts)
    offset = np.concatenate([np.arange(n) for n in lengths]) if data.temporal else np.arange(starts[-1])
    length = np.repeat(lengths, lengths)
    keep = data.real.copy()
    if not settings.keep_max_data:
        keep &= (offset >= deepest + trim_low) & (offset < length - trim_high)
        short = int((lengths <= deepest + trim_low + trim_high).sum())
        if data.temporal and short:
            warnings.append(
                f"{short} of {lengths.size} trajectories have at most {deepest + trim_low + trim_high} time steps, "
                "no more than the window; they are left out."
            )
    rows = np.flatnonzero(keep)
    if rows.size == 0:
        raise NothingToInfer(
            f"No row is left: the window is {deepest} time steps and the longest trajectory has {int(lengths.max())}. "
            "Use fewer layers, a smaller delta_t, or longer trajectories."
        )
    shares = None
    if settings.n_eff in N_EFF:
        if data.temporal:
            shares = PairShares(data, codes, base, lag, conditions=settings.n_eff == "conditions")
        else:
            warnings.append(
                f"n_eff is {settings.n_eff}, but a static table has no time to tell sizes from; its rows count as independent."
            )
    table = np.full((len(nodes), rows.size), -1, np.int32)
    for i, (k, _) in enumerate(nodes):
        inside = offset[rows] >= lag[i]
        table[i, inside] = codes[k][rows[inside] - lag[i]]
    present = (table >= 0).any(axis=0)
    if not present.all():
        rows, table = rows[present], np.ascontiguousarray(table[:, present])
    levels = np.empty(len(nodes), np.int64)
    kinds = np.zeros(len(nodes), np.uint8)
    for i, (k, _) in enumerate(nodes):
        there = table[i] >= 0
        used = np.zeros(table[i].max() + 1, bool)
        used[table[i, there]] = True
        levels[i] = used.sum()
        if not used.all():
            table[i, there] = (used.cumsum(dtype=np.int32) - 1)[table[i, there]]
        v = data.variables[k]
        kinds[i] = v.kind == "continuous" and (levels[i] >= 5 or (levels[i] > 2 and v.declared))
    weights = data.weights[rows] if data.weights.size else np.empty(0)
    lagged = [strides[k] for k, v in enumerate(data.variables) if v.role != "contextual"]
    n_eff = None
    if isinstance(settings.n_eff, (int, float)) and settings.n_eff != -1:
        n_eff = float(settings.n_eff)
        if n_eff > rows.size:
            warnings.append(f"n_eff {n_eff:g} is above the {rows.size} rows; the number of rows is used.")
            n_eff = None
    elif settings.n_eff != "pairwise" and data.temporal and lagged and np.mean(lagged) > 1:
        n_eff = float(int(rows.size / np.mean(lagged)))
    role = [v.role for v in data.variables]
    names = [
        data.variables[k].name if not data.temporal or role[k] == "contextual" else f"{data.variables[k].name}_lag{lag[i]}"
        for i, (k, _) in enumerate(nodes)
    ]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"Two variables would both be called {min(twice)!r} once lags are added to the names; rename one.")
    return Unfolded(
        names=names,
        codes=table,
        levels=levels,
        kinds=kinds,
        base=base,
        layer=layer,
        lag=lag,
        contextual=np.array([role[k] == "contextual" for k in base]),
        source=np.array([role[k] in ("contextual", "exogenous") for k in base]),
        consequence=np.array([role[k] == "consequence" for k in base]),
        ordered=np.array([data.variables[k].ordered or data.variables[k].kind == "continuous" for k in base]),
        rows=rows,
        weights=weights,
        temporal=data.temporal,
        n_eff=n_eff,
        n_layers=layers,
        delta_t=strides,
        relaxation=relaxation,
        values=[smoothed.get(k, v) for k, v in enumerate(data.variables)],
        shares=shares,
    )


def _layers(data, settings):
    """Layers and stride of each variable, and relaxation times."""
    if not data.temporal:
        return [1] * len(data.variables), [0] * len(data.variables), {}
    lagged = [v for v in data.variables if v.role != "contextual"]
    need_layers = any(v.n_layers is None for v in lagged)
    need_stride = any(v.delta_t is None for v in lagged)
    layers, stride, relaxation = settings.n_layers, settings.delta_t, {}
    if not lagged or (need_layers and layers is None) or (need_stride and stride is None):
        given = [v.n_layers for v in lagged if v.n_layers is not None]
        if layers is None and given and not need_layers:
            layers = max(given)
        given = [v.delta_t for v in lagged if v.delta_t is not None]
        if stride is None and given and not need_stride:
            stride = max(given)
        chosen = choose_dynamics(data, settings.max_nodes, layers, stride, settings.mov_avg)
        layers, stride, relaxation = chosen.n_layers, chosen.delta_t, chosen.relaxation
    out_layers, out_strides = [], []
    for v in data.variables:
        if v.role == "contextual":
            out_layers.append(1)
            out_strides.append(0)
        else:
            out_layers.append(v.n_layers or layers)
            out_strides.append(v.delta_t or stride)
    return out_layers, out_strides, relaxation


def seven_digits(values):
    """(rows,) float64 rounded to as many decimals as it takes to print every value of the column with 7 significant digits."""
    present = np.unique(values[np.isfinite(values) & (values != 0)])
    decimals = -400
    for value in present.tolist():
        digits, exponent = f"{abs(value):.6e}".split("e")
        decimals = max(decimals, len(digits.rstrip("0").rstrip(".").replace(".", "")) - 1 - int(exponent))
    # a float has no more to lose; before the point nothing is rounded
    return values if decimals > 300 else np.round(values, max(decimals, 0))


def repeats(unfolded, a, b, legacy=False):
    """Copies of the edge a-b further back in time, as (node, node) in the order given; spec 2.5.

    The lag difference is preserved; a contextual end stays where it is. legacy: so does a variable of a single layer, and
    the lag of its copies varies (Q19).
    """
    place = {(int(k), int(at)): i for i, (k, at) in enumerate(zip(unfolded.base, unfolded.layer))}
    base, layer, lag = unfolded.base, unfolded.layer, unfolded.lag

    def back(node):
        return place.get((int(base[node]), int(layer[node]) + 1))

    stays = [bool(unfolded.contextual[node] or (legacy and unfolded.n_layers[base[node]] == 1)) for node in (a, b)]
    out = []
    while True:
        if any(stays):
            if all(stays):
                return out
            next_a = a if stays[0] else back(a)
            next_b = b if stays[1] else back(b)
            if next_a is None or next_b is None:
                return out
        else:
            wanted = lag[a] - lag[b]
            next_a, next_b = back(a), back(b)
            if next_a is None or next_b is None:
                return out
            while lag[next_a] - lag[next_b] != wanted:
                # the one that is behind moves on
                if wanted > lag[next_a] - lag[next_b]:
                    next_a = back(next_a)
                else:
                    next_b = back(next_b)
                if next_a is None or next_b is None:
                    return out
        a, b = next_a, next_b
        out.append((int(a), int(b)))
