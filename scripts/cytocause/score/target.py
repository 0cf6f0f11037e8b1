"""The graph a perfect learner would find in its search window, edge by edge as the learner writes them.

    truth   dag (links on the simulator's own step)      found   n_layers, delta_t, time step
                     \\____ window: the lags that the table holds ____/
    target  contact --20 min--> death   contact --40 min--> death   (30 min is the true lag, and not in the table)

Only pairs with an end in the present are tested by the learner, so only they are listed, each joined pair with the marks it
has (`mark_*`) and those that can be known at all (`known_*`), each other pair with nodes that separate it.
"""

import functools
import json
from dataclasses import dataclass

from cytocause.score.ancestral import maximal_ancestral_graph
from cytocause.score.marks import shared_marks
from cytocause.score.separation import MixedGraph
from cytocause.score.unrolled import bits, is_constant, project

ROOTS = ("contextual", "exogenous")  # kinds that nothing in the chip can change


@dataclass(frozen=True)
class Target:
    """edges, apart : tuples of dicts; columns : the columns compared, a tuple of names of the truth; see `target`."""

    edges: tuple
    apart: tuple
    columns: tuple


def measured_by(truth):
    """{column of a table: column under which the truth knows it}, proxies included (smoothed speed stands for speed)."""
    names = {n["observed"]: n["observed"] for n in truth["dag"]["nodes"] if n.get("observed") and not n.get("hidden")}
    for name, proxies in (truth.get("proxies") or {}).items():
        names.update({proxy: name for proxy in proxies if name in names and proxy not in names})
    return names


def search_window(truth, found):
    """Which column is in the learner's table at which lags.

    Parameters
    ----------
    truth : dict as simulate writes it: dag (step_min within), frame_interval_min, proxies
    found : dict as infer writes it: nodes, parameters (variables, frames_per_step, frame_interval_min)

    Returns
    -------
    window : {column: list of lags in steps of the simulator, or None for a column without time}
    time_step_min : float, length of one of the learner's time steps

    Raises
    ------
    ValueError
        When a time step is no whole number of the simulator's steps.
    """
    parameters = found.get("parameters") or {}
    interval = parameters.get("frame_interval_min") or truth.get("frame_interval_min") or truth["dag"]["step_min"]
    time_step_min = float(interval * (parameters.get("frames_per_step") or 1.0))
    steps = time_step_min / truth["dag"]["step_min"]
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps:
        raise ValueError(
            f"A time step of the learned graph is {time_step_min:g} min, which is no whole number of the simulator's steps of "
            f"{truth['dag']['step_min']:g} min; the truth cannot be read at its lags."
        )
    steps = round(steps)
    constant = {n["observed"]: is_constant(n) for n in truth["dag"]["nodes"] if n.get("observed")}
    known, per_variable = measured_by(truth), parameters.get("variables") or {}
    names = list(per_variable) or [node["name"] for node in found.get("nodes", [])]
    window = {}
    for name in names:
        if name not in known:
            continue
        column = known[name]
        if constant[column]:
            window[column] = None
            continue
        of = per_variable.get(name) or {}
        layers = int(of.get("n_layers") or parameters.get("n_layers") or 1)
        stride = int(of.get("delta_t") or parameters.get("delta_t") or 1)
        window[column] = sorted({*window.get(column, ()), *(k * stride * steps for k in range(layers))})
    return window, time_step_min


def target(truth, found):
    """The Target of a truth in the window of a found graph.

    Each edge: source (the older end; at lag 0 the cause), target, lag_min (None with a condition), mark_source, mark_target
    ("arrow" | "tail", of the ancestral graph; where the cell's own model joins the two, of it alone), known_source, known_target ("arrow" | "tail" | "circle", what all equivalent
    graphs share), induced (True where only lives before the trajectory join the two). Each pair in `apart`: source, target,
    lag_min, given: list of (column, lag_min) that separates them. Links of a column to its own past are among both.
    """
    window, _ = search_window(truth, found)
    return _target(json.dumps(truth["dag"], sort_keys=True), json.dumps(window))


@functools.lru_cache(maxsize=64)
def _target(dag, window):
    dag, window = json.loads(dag), json.loads(window)
    kind = {n["observed"]: n.get("kind") for n in dag["nodes"] if n.get("observed")}
    roots = {column for column in window if kind[column] in ROOTS}
    graph, nodes = _graph(dag, window)
    mag = maximal_ancestral_graph(graph)
    plain = _without_induced(dag)
    lived = mag if plain is None else maximal_ancestral_graph(_graph(plain, window)[0])
    age = [float("inf") if lag is None or column in roots else lag for column, lag in nodes]

    def fact(i, j):
        (a, at), (b, bt) = nodes[i], nodes[j]
        return a, b, None if at is None or bt is None else at - bt

    set_by_hand = [i for i, (column, lag) in enumerate(nodes) if column in roots and lag is None]
    pag = shared_marks(mag, age, set_by_hand, fact)
    step_min = dag["step_min"]
    edges, apart = [], []
    for i, j in _tested(nodes, roots):
        if _second_first(nodes, mag, roots, i, j):
            i, j = j, i
        (a, at), (b, bt) = nodes[i], nodes[j]
        lag_min = None if at is None or bt is None else (at - bt) * step_min
        if mag.joined[i] >> j & 1:
            # an exposure is joined through itself alone: where not by this layer, by its own doses between the layers
            given = a in roots
            own = lived if lived.joined[i] >> j & 1 else mag
            marks = ["arrow" if own.head[i] >> j & 1 and not given else "tail", "arrow" if own.head[j] >> i & 1 else "tail"]
            known = ["tail" if given else pag.mark(i, j), pag.mark(j, i)]
            # other lives make an ancestor of what is none in the cell's own model: then the mark is nobody's to know
            known = [mark if mark == real else "circle" for mark, real in zip(known, marks)]
            edges.append(
                {
                    "source": a,
                    "target": b,
                    "lag_min": lag_min,
                    "mark_source": marks[0],
                    "mark_target": marks[1],
                    "known_source": known[0],
                    "known_target": known[1],
                    "induced": not lived.joined[i] >> j & 1,
                }
            )
        else:
            given = [nodes[k] for k in bits(graph.separator(i, j))]
            given = [(column, None if lag is None else lag * step_min) for column, lag in given]
            apart.append({"source": a, "target": b, "lag_min": lag_min, "given": given})
    return Target(tuple(edges), tuple(apart), tuple(window))


def _graph(dag, window):
    projection = project(dag, window)
    return MixedGraph(projection.parents, projection.siblings), projection.nodes


def _without_induced(dag):
    gone = {n["name"] for n in dag["nodes"] if n.get("induced")}
    if not gone:
        return None
    return {
        **dag,
        "nodes": [n for n in dag["nodes"] if n["name"] not in gone],
        "links": [link for link in dag["links"] if link["source"] not in gone and link["target"] not in gone],
    }


def _tested(nodes, roots):
    """Pairs of nodes with an end in the present, two roots never together."""
    for i in range(len(nodes)):
        for j in range(i):
            present = [lag in (0, None) for _, lag in (nodes[i], nodes[j])]
            both_roots = nodes[i][0] in roots and nodes[j][0] in roots
            # a column without time is tested against the present only
            timeless = nodes[i][1] is None or nodes[j][1] is None
            if not both_roots and (all(present) if timeless else any(lag == 0 for _, lag in (nodes[i], nodes[j]))):
                yield i, j


def _second_first(nodes, mag, roots, i, j):
    (a, at), (b, bt) = nodes[i], nodes[j]
    if (a in roots) != (b in roots):
        return b in roots
    if at is not None and bt is not None and at != bt:
        return at < bt
    if mag.head[i] >> j & 1 and not mag.head[j] >> i & 1:
        return True
    return mag.head[i] >> j & 1 == mag.head[j] >> i & 1 and b < a


def direct_links(dag):
    """Direct links between different measured columns: {(source, target): sorted lags in min, [] where the source has no time}.

    A link may pass nodes that nobody measures (size acts on the hazard of mitosis, that on the division), each once; a hidden
    cause of both is no link. Lives before the trajectory are left out.
    """
    column = {n["name"]: n["observed"] for n in dag["nodes"] if n.get("observed") and not n.get("hidden")}
    skipped = {n["name"] for n in dag["nodes"] if n.get("induced")}
    timeless = {n["name"] for n in dag["nodes"] if is_constant(n)}
    out = {}
    for link in dag["links"]:
        if link["target"] not in skipped:
            out.setdefault(link["source"], []).append((link["target"], link.get("lag_frames") or 0))
    found = {}

    def walk(first, node, lag, used):
        for after, gap in out.get(node, ()):
            if after in used:
                continue
            if after in column:
                lags = found.setdefault((column[first], column[after]), set())
                if first not in timeless:
                    lags.add((lag + gap) * dag["step_min"])
            else:
                walk(first, after, lag + gap, used | {after})

    for name in column:
        walk(name, name, 0, {name})
    return {pair: sorted(lags) for pair, lags in found.items()}
