"""The tables: one row per edge, per pair, per triple.

Source: spec section 6. The extra columns lag_steps, lag_frames, lag_min say how far x is behind y; n_eff how many
independent rows the information of an edge was counted for.
"""

import math

import numpy as np
import pandas as pd

from .orientation import code, is_causal, probability

EDGES = (
    "x", "y", "type", "ai", "raw_contributions", "contributions", "info", "n_xy", "info_cond", "cplx", "n_xy_ai",
    "info_shifted", "ort_inferred", "ort_ground_truth", "is_inference_correct", "is_causal", "ort_consensus",
    "is_causal_consensus", "edge_stats", "sign", "partial_correlation", "p_y2x", "p_x2y", "confidence",
    "lag_steps", "lag_frames", "lag_min", "info_bits_per_sample", "n_eff",
)  # fmt: skip
RAW = (
    "x", "y", "z_name", "ai", "raw_contributions", "contributions", "zi", "i_xy", "i_xy_ai", "cplx", "r_xyz_ai",
    "category", "n_xy", "n_xy_ai", "confidence",
)  # fmt: skip
TRIPLES = ("source1", "p1", "p2", "target", "p3", "p4", "source2", "ni3", "conflict")


def edge_rows(graph, book, orientation, settings, consensus=None):
    """The edge summary: kept edges and those removed by conditioning, sorted by decreasing shifted information."""
    data = graph.data
    rows = []
    for edge in graph.edges.values():
        # a pair that shares nothing at all is no finding; one removed by a contributor or by shuffling is
        if not edge.connected and not edge.contributors and edge.confidence is None:
            continue
        swap = _later(data.names[edge.x], data.names[edge.y])
        x, y = (edge.y, edge.x) if swap else (edge.x, edge.y)
        at_x = orientation.heads.get((y, x)) if edge.connected else None
        at_y = orientation.heads.get((x, y)) if edge.connected else None
        mark = code(at_x, at_y, settings.ort_proba_ratio) if edge.connected else 0
        sign, correlation = sign_of(data, x, y, edge.contributors) if edge.connected else ("", 0.0)
        lag = lag_between(data, x, y)
        n_eff = book.samples_of(edge.x, edge.y, edge.contributors)
        row = {
            "x": data.names[x],
            "y": data.names[y],
            "type": "P" if edge.connected else "N",
            "ai": ",".join(data.names[u] for u in edge.contributors),
            "raw_contributions": _numbers(edge.raw_contributions),
            "contributions": _numbers(edge.contributions),
            "info": edge.info,
            "n_xy": edge.n,
            "info_cond": edge.info_given,
            "cplx": edge.info_given - edge.shifted_given,
            "n_xy_ai": edge.n_given,
            "info_shifted": edge.shifted_given,
            "ort_inferred": mark,
            "ort_ground_truth": None,
            "is_inference_correct": None,
            "is_causal": is_causal(at_x, at_y, mark, settings.consensus_ratio, settings) if edge.connected else None,
            "ort_consensus": None,
            "is_causal_consensus": None,
            "edge_stats": None,
            "sign": sign,
            "partial_correlation": correlation,
            "p_y2x": at_x,
            "p_x2y": at_y,
            "confidence": edge.confidence,
            "lag_steps": lag,
            "lag_frames": None if lag is None else lag * settings.frames_per_step,
            "lag_min": lag_minutes(lag, settings),
            "info_bits_per_sample": edge.shifted_given / (n_eff * math.log(2)) if n_eff > 0 else 0.0,
            "n_eff": n_eff,
        }
        if consensus is not None:
            row.update(consensus(edge, x, y))
        rows.append(row)
    rows.sort(key=lambda row: (-row["info_shifted"], -row["info"], row["x"], row["y"]))
    out = pd.DataFrame(rows, columns=list(EDGES))
    out["lag_steps"] = out["lag_steps"].astype("Int64")
    for name in ("lag_frames", "lag_min", "p_y2x", "p_x2y", "partial_correlation", "confidence"):
        out[name] = out[name].astype(np.float64)
    return out


def raw_rows(graph, book):
    """Every tested pair and what the search left it with."""
    data = graph.data
    rows = []
    for edge in graph.edges.values():
        swap = _later(data.names[edge.x], data.names[edge.y])
        x, y = (edge.y, edge.x) if swap else (edge.x, edge.y)
        rows.append(
            {
                "x": data.names[x],
                "y": data.names[y],
                "z_name": data.names[edge.last[0]] if edge.last[0] >= 0 else "",
                "ai": ",".join(data.names[u] for u in edge.contributors),
                "raw_contributions": _numbers(edge.raw_contributions),
                "contributions": _numbers(edge.contributions),
                "zi": ",".join(data.names[z] for z in edge.candidates) if edge.connected else "",
                "i_xy": edge.info,
                "i_xy_ai": edge.info_given,
                "cplx": edge.info_given - edge.shifted_given,
                "r_xyz_ai": edge.last[1],
                "category": int(edge.connected),
                "n_xy": edge.n,
                "n_xy_ai": edge.n_given,
                "confidence": -1.0 if edge.confidence is None else edge.confidence,
            }
        )
    rows.sort(key=lambda row: (-(row["i_xy_ai"] - row["cplx"]), -row["i_xy"], row["x"], row["y"]))
    return pd.DataFrame(rows, columns=list(RAW))


def triple_rows(graph, orientation):
    """Open triples with the probabilities of their four marks after merging."""
    names = graph.data.names
    heads = orientation.heads
    rows = []
    for t in orientation.triples:
        p = [
            heads.get(pair, probability(s))
            for pair, s in zip(((t.z, t.x), (t.x, t.z), (t.y, t.z), (t.z, t.y)), t.s)
        ]
        collider = p[1] > 0.5 and p[2] > 0.5
        rows.append((names[t.x], p[0], p[1], names[t.z], p[2], p[3], names[t.y], t.i3, int(t.i3 != 0 and (t.i3 < 0) != collider)))
    return pd.DataFrame(rows, columns=list(TRIPLES))


def _later(a, b):
    """Whether name a comes after b in the alphabet, upper and lower case alike."""
    return (a.casefold(), a) > (b.casefold(), b)


def _numbers(values):
    return ",".join(f"{value:.6f}" for value in values)


def lag_between(data, x, y):
    """Time steps by which x is older than y (negative: y is older); None with a condition or in a static table."""
    if not data.temporal or data.contextual[x] or data.contextual[y]:
        return None
    return int(data.lag[x] - data.lag[y])


def lag_minutes(lag, settings):
    """A lag in minutes; None where the interval between frames is unknown."""
    if lag is None or settings.frame_interval_min is None:
        return None
    return lag * settings.frames_per_step * settings.frame_interval_min


def sign_of(data, x, y, contributors):
    """(sign, Spearman correlation given the contributors) on complete rows; (None, None) for unordered labels."""
    nodes = [x, y, *contributors]
    if not all(data.ordered[node] for node in nodes):
        return None, None
    complete = np.all(data.codes[nodes] >= 0, axis=0)
    if complete.sum() < 3:
        return None, None
    ranks = np.empty((len(nodes), int(complete.sum())))
    for k, node in enumerate(nodes):
        ranks[k] = average_ranks(data.codes[node][complete])
        ranks[k] -= ranks[k].mean()
        ranks[k] /= np.sqrt((ranks[k] ** 2).sum()) or np.nan
    correlations = ranks @ ranks.T
    if np.isnan(correlations).any():
        return None, None
    value = partial_correlation(correlations)
    if value is None:
        return None, None
    return "+" if value >= 0 else "-", value


def average_ranks(codes):
    """Ranks of codes, ties sharing their mean; (n,) float64."""
    counts = np.bincount(codes)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2.0)[codes]


def partial_correlation(correlations):
    """Correlation of the first two variables given the others, from the correlation matrix; None if it is singular."""
    if len(correlations) == 2:
        return float(np.clip(correlations[0, 1], -1.0, 1.0))
    try:
        inverse = np.linalg.inv(correlations)
    except np.linalg.LinAlgError:
        return None
    scale = inverse[0, 0] * inverse[1, 1]
    if not np.isfinite(scale) or scale <= 0:
        return None
    return float(np.clip(-inverse[0, 1] / math.sqrt(scale), -1.0, 1.0))
