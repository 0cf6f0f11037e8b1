"""A causal graph with lags, unrolled in time and cut down to what the learner's table holds.

    links      x --1--> x      x --2--> y          (steps of the simulator)
    window     x at 0, 2, 4    y at 0, 2, 4        (what is in the table; everything else is hidden)

    ... x5 - x4 - x3 - x2 - x1 - x0                     u --> v   u acts on v through hidden nodes only
           window  .  window .  window                  u <-> v   u and v share an ancestor through hidden nodes only

Hidden are the nodes that nobody measures, the times between the layers, and the whole past before the window. That past is
endless. It is not cut off but folded: two nodes of the past share an ancestor exactly if walking back from them, always
from the later one, can meet; the walk has as many states as there are pairs of nodes and differences in time up to the
longest lag, so the answer is exact however far back the ancestor lies.

Sources: latent projection, Verma & Pearl 1990, Richardson & Spirtes 2002 (section 4); infinite pasts, Gerhardus,
Wahl, Faber, Ninad & Runge 2023 (their number-theoretic answer is replaced by the walk).
"""

from dataclasses import dataclass

CONSTANT_KINDS = ("contextual", "chip")  # one node for all times; a node may also say so itself: "constant": True


@dataclass(frozen=True)
class Projection:
    """Window nodes and the mixed graph over them.

    nodes : tuple of (column, lag in steps, None where the node has no time)
    parents, siblings : tuples of int, bit j of entry i is set where j --> i, j <-> i
    """

    nodes: tuple
    parents: tuple
    siblings: tuple

    def __len__(self):
        return len(self.nodes)


def bits(number):
    """Positions of the bits that are set, lowest first."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


def is_constant(node):
    """Whether a node of the causal graph has one value for all times."""
    return bool(node.get("constant", node.get("kind") in CONSTANT_KINDS))


def project(dag, window):
    """The mixed graph over the window that a causal graph with lags implies.

    Parameters
    ----------
    dag : dict with nodes [{name, kind, hidden, observed (column or None), constant (optional)}] and links [{source, target,
        lag_frames}], the lag in steps of the simulator
    window : {column: lags in steps, in which the table holds it, or None for a column without time}

    Returns
    -------
    Projection; columns in the order of the window, layer by layer

    Raises
    ------
    ValueError
        For a link to an unknown node, from the future, into the past of a constant node, or a cycle at lag 0.
    """
    model = _Model(dag)
    place, nodes = {}, []
    column_of = {n["observed"]: n["name"] for n in dag["nodes"] if n.get("observed") and not n.get("hidden")}
    depth = max((len(lags) for lags in window.values() if lags is not None), default=1)
    for layer in range(depth):
        for column, lags in window.items():
            if column not in column_of:
                raise ValueError(
                    f"The window holds '{column}', which no node of the true graph is measured by; "
                    f"known are {', '.join(sorted(column_of))}."
                )
            name = column_of[column]
            if model.constant[name] != (lags is None):
                kind = "has no time" if model.constant[name] else "changes in time"
                raise ValueError(f"'{column}' {kind} in the true graph, but the window gives it {lags}.")
            at = None if lags is None else lags[layer] if layer < len(lags) else -1
            if (lags is None and layer == 0) or (lags is not None and at >= 0):
                place[name, at] = len(nodes)
                nodes.append((column, at))
    return _project(model, place, nodes)


def _project(model, place, nodes):
    span = max((lag for _, lag in nodes if lag is not None), default=0)
    hidden_bit, entry_bit, entries = {}, {}, []
    seen = {}  # (name, lag) -> what its children take over: (parents, hidden ancestors, entries)
    taken = [None] * len(nodes)
    for name in model.constants:
        _visit(model, seen, place, hidden_bit, taken, (name, None), [(p, None) for p, _ in model.into[name]])
    above = {name: model.constants_above(name) for name in model.lagged}

    def entry(name, lag):
        """A node of the past before the window: its constant ancestors, and a bit of its own among the entries."""
        if (name, lag) not in entry_bit:
            entry_bit[name, lag] = len(entries)
            entries.append((name, lag))
        parents = hidden = 0
        for c in above[name]:
            p, h, _ = seen[c, None]
            parents, hidden = parents | p, hidden | h
        return parents, hidden, 1 << entry_bit[name, lag]

    for lag in range(span, -1, -1):
        for name in model.order:
            causes = []
            for source, gap in model.into[name]:
                if model.constant[source]:
                    causes.append((source, None))
                else:
                    causes.append((source, lag + gap))
                    if lag + gap > span and (source, lag + gap) not in seen:
                        seen[source, lag + gap] = entry(source, lag + gap)
            _visit(model, seen, place, hidden_bit, taken, (name, lag), causes)
    meet = _Meeting(model)
    reach = []
    for a, at in entries:
        reach.append(sum(1 << k for k, (b, bt) in enumerate(entries) if meet(a, b, bt - at)))
    parents = [t[0] for t in taken]
    siblings = [0] * len(nodes)
    confounds = []
    for _, _, own in taken:
        total = 0
        for k in bits(own):
            total |= reach[k]
        confounds.append(total)
    for i in range(len(nodes)):
        for j in range(i):
            if taken[i][1] & taken[j][1] or confounds[i] & taken[j][2]:
                siblings[i] |= 1 << j
                siblings[j] |= 1 << i
    return Projection(tuple(nodes), tuple(parents), tuple(siblings))


def _visit(model, seen, place, hidden_bit, taken, node, causes):
    """Collect a node's parents and hidden ancestors; a window node hands on itself alone, a hidden one all it has."""
    parents = hidden = entries = 0
    for cause in causes:
        p, h, e = seen[cause]
        parents, hidden, entries = parents | p, hidden | h, entries | e
    if node in place:
        taken[place[node]] = (parents, hidden, entries)
        seen[node] = (1 << place[node], 0, 0)
    else:
        hidden_bit[node] = len(hidden_bit)
        seen[node] = (parents, hidden | 1 << hidden_bit[node], entries)


class _Model:
    """The links by target, checked; constants and the rest each in an order in which causes come first."""

    def __init__(self, dag):
        self.constant = {node["name"]: is_constant(node) for node in dag["nodes"]}
        self.into = {name: [] for name in self.constant}
        for link in dag["links"]:
            source, target, lag = link["source"], link["target"], link.get("lag_frames") or 0
            where = f"The link {source} -> {target} of the true graph"
            for end in (source, target):
                if end not in self.constant:
                    raise ValueError(f"{where} names '{end}', which is not among its nodes.")
            if lag < 0 or lag != int(lag):
                raise ValueError(f"{where} has a lag of {lag} steps; expected is a whole number of 0 or more.")
            if source == target and self.constant[source]:
                continue  # what never changes is its own past
            if self.constant[target] and not self.constant[source]:
                raise ValueError(f"{where} points from a node that changes in time at one that does not; turn it round.")
            self.into[target].append((source, 0 if self.constant[source] else int(lag)))
        self.longest = max((lag for links in self.into.values() for _, lag in links), default=0)
        self.constants = self._sorted([n for n in self.constant if self.constant[n]])
        self.lagged = [n for n in self.constant if not self.constant[n]]
        self.order = self._sorted(self.lagged)

    def _sorted(self, names):
        kept, placed, waiting = [], set(), list(names)
        while waiting:
            free = [n for n in waiting if all(s in placed or s not in names for s, lag in self.into[n] if lag == 0)]
            if not free:
                raise ValueError(f"The true graph has a cycle at lag 0 among {', '.join(sorted(waiting))}.")
            kept += free
            placed.update(free)
            waiting = [n for n in waiting if n not in placed]
        return kept

    def constants_above(self, name):
        """Constants that act on a node through nodes that change in time, whatever the lag."""
        found, stack = {name}, [name]
        constants = set()
        while stack:
            for source, _ in self.into[stack.pop()]:
                if self.constant[source]:
                    constants.add(source)
                elif source not in found:
                    found.add(source)
                    stack.append(source)
        return [c for c in self.constants if c in constants]


class _Meeting:
    """Whether a node and another, `later` steps later or earlier, share an ancestor in an endless past without window nodes."""

    def __init__(self, model):
        self.into = {name: [(s, lag) for s, lag in model.into[name] if not model.constant[s]] for name in model.lagged}
        self.known = {}

    def __call__(self, a, b, ahead):
        """`ahead`: by how many steps a is later than b."""
        key = a, b, ahead
        if key in self.known:
            return self.known[key]
        visited, stack, found = {key}, [key], False
        while stack and not found:
            at, bt, gap = stack.pop()
            if at == bt and gap == 0:
                found = True
                break
            after = []
            if gap >= 0:
                after += [(s, bt, gap - lag) for s, lag in self.into[at]]
            if gap <= 0:
                after += [(at, s, gap + lag) for s, lag in self.into[bt]]
            for state in after:
                if self.known.get(state):
                    found = True
                    break
                if state not in visited and self.known.get(state) is None:
                    visited.add(state)
                    stack.append(state)
        if found:
            self.known[key] = True
        else:  # nothing that was reached from here can meet either
            self.known.update(dict.fromkeys(visited, False))
        return found
