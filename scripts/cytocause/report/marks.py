"""From the graph file's edges to the arrows of the page: what their marks allow to say.

    genuine     x --> y   head at y, and a hidden common cause is ruled out
    putative    x o-> y   head at y, a hidden common cause is not ruled out
    latent      x <-> y   heads at both ends: a hidden common cause, neither acts on the other
    undirected  x --- y   the data do not say

Source: spec section 5.6. Edges between the same two variables that say the same at several lags are one arrow.
"""

from dataclasses import dataclass, field
from math import isnan, log10

from cytocause.io import definitional_pairs, is_definitional

ONSET_MIN = 30.0  # so near its onset an event and what it was called from are one thing (as in score.death_tolerance_min)
HEADS = frozenset({"arrow", "head", "arrowhead", ">"})
KINDS = ("genuine", "putative", "undirected", "latent")


@dataclass
class Arrow:
    """One arrow of the drawing. `edges` are the graph file's edges behind it, the strongest first."""

    source: str
    target: str
    kind: str
    sign: str
    edges: list = field(default_factory=list)

    @property
    def strength(self):
        """Shifted information of the strongest edge (nats x samples)."""
        return max((number(e.get("info_shifted")) or 0.0 for e in self.edges), default=0.0)

    @property
    def correlation(self):
        """Partial rank correlation of the strongest edge, None where there is none."""
        return number(self.edges[0].get("partial_correlation"))

    @property
    def definitional(self):
        """Whether the two share a mask, a position or a formula, or the arrow only shows how an event was called."""
        pairs = definitional_pairs((self.source, self.target))
        return all(is_definitional(pairs, e["source"], e["target"], number(e.get("lag_min")), ONSET_MIN) for e in self.edges)

    @property
    def width(self):
        """Width of the line in px: grows with the logarithm of the strength (spec 6.2)."""
        return min(9.0, max(1.2, 2.2 * log10(max(self.strength, 1.0))))

    @property
    def lag_steps(self):
        """Lags in time steps, sorted; empty for a condition."""
        return sorted({int(lag) for e in self.edges if (lag := number(e.get("lag_steps"))) is not None})


def number(value):
    """A float, or None for what is missing."""
    if value is None or isinstance(value, str):
        return None
    value = float(value)
    return None if isnan(value) else value


def heads(edge):
    """(head at source, head at target) of an edge."""
    if "mark_source" in edge or "mark_target" in edge:
        return edge.get("mark_source") in HEADS, edge.get("mark_target") in HEADS
    code = edge.get("orientation")
    return code in (-2, 6), code in (2, 6)


def kind_of(edge):
    """(kind, flipped): which of KINDS the edge is, and whether its head is at the source."""
    at_source, at_target = heads(edge)
    if at_source and at_target:
        return "latent", False
    if at_source or at_target:
        return ("genuine" if edge.get("is_causal") in (True, "True", 1) else "putative"), at_source
    return "undirected", False


def arrows(edges):
    """Arrows between different variables, the strongest first, and the lags (steps) of links of each to its own past.

    Parameters
    ----------
    edges : list of dicts of graph.json

    Returns
    -------
    list of Arrow, dict variable -> sorted list of steps
    """
    joined, own = {}, {}
    for edge in sorted(edges, key=lambda e: -(number(e.get("info_shifted")) or 0.0)):
        if edge["source"] == edge["target"]:
            lag = number(edge.get("lag_steps"))
            own.setdefault(edge["source"], set()).add(int(lag) if lag is not None else 0)
            continue
        kind, flipped = kind_of(edge)
        source, target = (edge["target"], edge["source"]) if flipped else (edge["source"], edge["target"])
        if kind in ("undirected", "latent") and not number(edge.get("lag_steps")):
            source, target = sorted((source, target))  # without time and direction the ends have no order
        key = source, target, kind, edge.get("sign") or ""
        joined.setdefault(key, Arrow(*key)).edges.append(edge)
    return sorted(joined.values(), key=lambda a: -a.strength), {k: sorted(v) for k, v in own.items()}


def lag_text(edges, with_frames=True):
    """ "20 and 30 min (2, 3 frames)", "at the same time", or "" for a condition."""
    lags = sorted(
        {(number(e.get("lag_min")), number(e.get("lag_frames")), number(e.get("lag_steps"))) for e in edges},
        key=lambda lag: tuple(-1.0 if v is None else v for v in lag),
    )
    lags = [lag for lag in lags if lag != (None, None, None)]
    if not lags:
        return ""
    if all(not any(lag) for lag in lags):
        return "same time"
    minutes = [lag[0] for lag in lags]
    frames = [f"{lag[1] if lag[1] is not None else lag[2]:g}" for lag in lags]
    unit = "frame" if lags[0][1] is not None else "step"
    count = f"{', '.join(frames)} {unit}{'s' if frames != ['1'] else ''}"
    if any(m is None for m in minutes):
        return count
    text = f"{', '.join(f'{m:g}' for m in minutes)} min"
    return f"{text} ({count})" if with_frames else text
