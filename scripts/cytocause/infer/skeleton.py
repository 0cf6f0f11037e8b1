"""Which pairs stay connected: edges lose their indirect part, contributor by contributor.

    X - Y   I'(X;Y) = 40
            best Z explains 25     X - Y | Z      I' = 15
            next W explains the rest              I' <= 0    removed, separating set {Z, W}

Source: spec section 4.
"""

import math
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field, replace
from heapq import nlargest

import numpy as np

from .information import contributor_score, processing_score

TIE = 1e-12  # scores closer than this are equal


@dataclass
class Edge:
    """State of one tested pair x < y (node numbers); contributors in the order they were found."""

    x: int
    y: int
    info: float = 0.0  # I(x;y)
    shifted: float = 0.0  # I'(x;y)
    n: int = 0
    contributors: list = field(default_factory=list)
    contributions: list = field(default_factory=list)  # I'3 / I'(x;y|u before)
    raw_contributions: list = field(default_factory=list)  # I'3 / I'(x;y)
    info_given: float = 0.0  # I(x;y|contributors)
    shifted_given: float = 0.0
    n_given: int = 0
    best: int = -1  # next contributor
    score: float = -math.inf
    last: tuple = (-1, None)  # the contributor taken last and its score then
    gain: tuple = (0.0, 0.0)  # I'3 of the next contributor, I'(x;y|u) on its rows
    candidates: list = field(default_factory=list)
    connected: bool = False
    confidence: float | None = None


class Graph:
    """Tested pairs, which of them are connected, and who may explain whom."""

    def __init__(self, unfolded, settings):
        self.data = unfolded
        self.settings = settings
        self.size = len(unfolded)
        self.edges = {pair: Edge(*pair) for pair in tested_pairs(unfolded, settings.black_box)}
        self.adjacent = np.zeros((self.size, self.size), bool)
        self.dropped = {}  # pair -> candidates that lost both their links (spec 4.2)
        self.allowed = None  # consistency: pair -> set of allowed contributors
        self.features = _features_of_events(unfolded, settings.read_from)

    def connect(self, edge, connected):
        edge.connected = connected
        self.adjacent[edge.x, edge.y] = self.adjacent[edge.y, edge.x] = connected

    def candidates(self, edge):
        """Nodes that may explain an edge now, in index order."""
        x, y = edge.x, edge.y
        if self.settings.latent == "yes":
            near = np.ones(self.size, bool)
        else:
            near = self.adjacent[x] | self.adjacent[y]
            gone = self.dropped.setdefault((x, y), ~near)
            gone |= ~near
            near = ~gone
        near &= ~self.forbidden(x, y)
        near[[x, y]] = False
        near[edge.contributors] = False
        if self.allowed is not None:
            keep = np.zeros(self.size, bool)
            keep[list(self.allowed((x, y)))] = True
            near &= keep
        return np.flatnonzero(near).tolist()

    def forbidden(self, x, y):
        """Nodes that never explain x-y: consequences, the features that an end was read from, and for an edge with a condition the
        other end's own past."""
        data = self.data
        out = data.consequence.copy()
        for event in (x, y):
            if event in self.features:
                out |= self.features[event]
        if data.temporal:
            for context, other in ((x, y), (y, x)):
                if data.contextual[context] and not data.contextual[other]:
                    out |= data.base == data.base[other]
        return out


def tested_pairs(unfolded, black_box):
    """Pairs (i < j) that are tested: one end in the present, nothing between two inputs or two consequences."""
    data = unfolded
    closed = set()
    for v, w, lag in black_box:
        closed.add((v, w, lag))
    by_base = variable_names(data)
    _check_names("black_box", closed, by_base)
    pairs = []
    for i in range(len(data)):
        for j in range(i + 1, len(data)):
            if data.temporal and data.layer[i] > 0 and data.layer[j] > 0:
                continue
            if data.temporal and (data.contextual[i] and data.layer[j] > 0):
                continue
            if data.temporal and not _may_link(data, i, j):
                continue
            if data.consequence[i] and data.consequence[j]:
                continue
            if closed and _closed(data, closed, by_base, i, j):
                continue
            pairs.append((i, j))
    return pairs


def variable_names(data):
    """Number of a variable (base) -> its name in the table."""
    names = {}
    for i, name in enumerate(data.names):
        lagged = data.temporal and not data.contextual[i]
        names.setdefault(int(data.base[i]), name.removesuffix(f"_lag{data.lag[i]}") if lagged else name)
    return names


def _check_names(key, rows, names):
    known = set(names.values())
    for v, w, _ in sorted(rows, key=str):
        for name in (v, w):
            if name not in known:
                raise ValueError(f"{key} names {name!r}, which is not a variable of the table.")


def _features_of_events(data, read_from):
    """Node of an event -> (nodes,) bool, the features that it was read from and that are not older than it by more than the lag given.

    An event called from a feature nearly fixes it (a cell that divides halves its area), and what is nearly a function of one end
    parts that end from all its causes: no learner may condition on it (Lemeire et al. 2012, Int J Approx Reason 53:1305).
    """
    names = variable_names(data)
    _check_names("read_from", read_from, names)
    name_of = np.array([names[int(base)] for base in data.base], object)
    out = {}
    for event, feature, most in read_from:
        for e in np.flatnonzero(name_of == event):
            near = (name_of == feature) & (True if most is None or not data.temporal else data.lag - data.lag[e] <= most)
            out[int(e)] = out.get(int(e), np.zeros(len(data), bool)) | near
    return out


def _may_link(data, i, j):
    """Nothing enters an exogenous variable: neither its past, nor another input, nor anything older."""
    exogenous = data.source & ~data.contextual
    for a, b in ((i, j), (j, i)):
        if exogenous[a] and (data.source[b] or data.lag[b] > data.lag[a]):
            return False
    return True


def _closed(data, closed, by_base, i, j):
    first, second = (i, j) if data.lag[i] >= data.lag[j] else (j, i)
    v, w = by_base[int(data.base[first])], by_base[int(data.base[second])]
    lag = int(data.lag[first] - data.lag[second])
    contextual = data.contextual[first] or data.contextual[second]
    for a, b, at in closed:
        same = (a, b) == (v, w) or ((a, b) == (w, v) and (lag == 0 or contextual or at is None))
        if same and (at is None or contextual or not data.temporal or at == lag):
            return True
    return False


def initialise(graph, book, progress):
    """Unconditional information of every tested pair; those above 0 are connected (spec 4.1)."""
    edges = list(graph.edges.values())
    keys = [book.key(edge.x, edge.y) for edge in edges]
    step = 64
    for at in range(0, len(keys), step):
        book.request(keys[at : at + step])
        progress("pairs", min(at + step, len(keys)), len(keys))
    for edge, key in zip(edges, keys):
        edge.info, edge.shifted, edge.n = book.get(key)
    restart(graph)


def restart(graph):
    """Back to the graph of 4.1."""
    graph.dropped = {}
    for edge in graph.edges.values():
        edge.contributors, edge.contributions, edge.raw_contributions = [], [], []
        edge.info_given, edge.shifted_given, edge.n_given = edge.info, edge.shifted, edge.n
        edge.best, edge.score, edge.last, edge.candidates, edge.confidence = -1, -math.inf, (-1, None), [], None
        graph.connect(edge, edge.shifted > 0)


def find_contributor(graph, book, edge):
    """Best next contributor of an edge in the graph as it is."""
    edge.candidates = graph.candidates(edge)
    choose_contributor(book, edge)


def choose_contributor(book, edge):
    """Best of edge.candidates; sets edge.best (-1: none), score and gain (spec 4.2).

    R <= D, and D needs only informations without Z among the conditions: a candidate whose D cannot reach the best
    score so far is never estimated in full. What the book knows already never changes the choice.
    """
    edge.best, edge.score = -1, -math.inf
    # one side first: it is enough to rule most candidates out
    sides = {z: _weaker_side(book, edge, z) for z in edge.candidates}
    book.request([_side_key(book, edge, z, side) for z, side in sides.items()] + [_pair_key(book, edge, z) for z in sides])
    pairs = {z: book.clamped(_pair_key(book, edge, z))[1] for z in sides}
    second = [z for z, side in sides.items() if book.clamped(_side_key(book, edge, z, side))[1] > pairs[z]]
    book.request(_side_key(book, edge, z, 1 - sides[z]) for z in second)
    bounds = {z: processing_score(pairs[z], *_side_values(book, edge, z)) for z in second}
    todo = sorted(((bound, z) for z, bound in bounds.items() if bound > 0), key=lambda item: (-item[0], item[1]))
    scores = {}
    for k, (_, z) in enumerate(todo):
        score = _score(book, edge, z)
        if score[2] > 0:
            scores[z] = score
        if _choose(book, edge, scores, todo[k + 1][0] if k + 1 < len(todo) else -math.inf):
            return


def _pair_key(book, edge, z):
    return book.key(edge.x, edge.y, edge.contributors, (z,))


def _side_key(book, edge, z, side):
    end, other = (edge.x, edge.y) if side == 0 else (edge.y, edge.x)
    # every term of a comparison counts rows alike, as many as the pair in question has
    return book.key(end, z, edge.contributors, (other,), (edge.x, edge.y))


def _full_key(book, edge, z):
    return book.key(edge.x, edge.y, (*edge.contributors, z))


def _weaker_side(book, edge, z):
    """The end (0: x, 1: y) that shares less with z as far as known; an unknown one counts as strong."""
    known = [book.entries.get(book.key(end, z)) for end in (edge.x, edge.y)]
    strength = [math.inf if entry is None else entry[1] for entry in known]
    return 0 if strength[0] <= strength[1] else 1


def _side_values(book, edge, z):
    return [book.clamped(_side_key(book, edge, z, side))[1] for side in (0, 1)]


def _score(book, edge, z):
    """(I3, I'3, R, I'(x;y|u)) of a candidate."""
    n = book.count((edge.x, edge.y, z, *edge.contributors))
    if n <= 2:
        return 0.0, 0.0, -math.inf, 0.0
    pair = book.clamped(_pair_key(book, edge, z), z)
    full = book.clamped(_full_key(book, edge, z))
    i3, shifted, score = contributor_score(pair, *_side_values(book, edge, z), full)
    return i3, shifted, score, pair[1]


def _choose(book, edge, scores, bound):
    """Settle the best of the scored candidates {z: (I3, I'3, R > 0, ...)}; False while one that is not scored may be it.

    bound: what the others cannot exceed. Ties go to the larger unconditional link, then to the first in index order (spec
    4.2; legacy: first or last by a coin, Q8). One that is not missing at random is out, whatever it scored (spec 3.9), and
    is taken out of `scores`: it is tested last, as only a winner needs it.
    """
    while scores:
        top = max(score[2] for score in scores.values())
        if bound >= top - TIE:
            return False
        # only these: how many of the weaker ones were scored is a matter of threads
        tied = sorted((z for z, score in scores.items() if score[2] >= top - TIE), reverse=book.last_of_equals)
        best = max(tied, key=lambda z: _link(book, edge, z)) if len(tied) > 1 else tied[0]
        if book.missing_at_random(edge.x, edge.y, edge.contributors, best):
            edge.best, edge.score = best, scores[best][2]
            edge.gain = (scores[best][1], scores[best][3])
            return True
        del scores[best]
    return bound == -math.inf


def _link(book, edge, z):
    """E(Z) = I'(X;Z) + I'(Y;Z), on the rows complete in the three."""
    return (
        book.clamped(book.key(edge.x, z, (), (edge.y,)))[1] + book.clamped(book.key(edge.y, z, (), (edge.x,)))[1]
    )


def thin(graph, book, progress):
    """First contributors of all edges at once, then the edge with the strongest claim, one at a time (spec 4.3)."""
    connected = [edge for edge in graph.edges.values() if edge.connected]
    for edge in connected:
        edge.candidates = graph.candidates(edge)
    for done, _ in enumerate(book.each(choose_contributor, connected), 1):
        progress("first contributors", done, len(connected))
    queue = [edge for edge in connected if edge.best >= 0]
    total = len(queue)
    ahead = Ahead(graph, book) if book.threads > 1 else None
    while queue:
        edge = max(queue, key=_claim)
        if ahead:
            ahead.wait_for(edge, queue)
        absorb(edge)
        edge.info_given, edge.shifted_given, edge.n_given = book.get(book.key(edge.x, edge.y, edge.contributors))
        if edge.shifted_given <= 0:
            graph.connect(edge, False)
            edge.best = -1
            queue.remove(edge)
        else:
            find_contributor(graph, book.alone, edge)
            if edge.best < 0:
                queue.remove(edge)
        progress("edges", total - len(queue), total)
    if ahead:
        # a step still under way could wait for an estimate that waits for its thread
        wait(ahead.running)


def _claim(edge):
    return edge.score, -edge.x, -edge.y


class Ahead:
    """Next steps of several edges at once, while one after the other has its turn.

        turn       a1 | b1 | a2 | c1 | a3 | ...      in the order of the strongest claim
        threads    a1   a2   a3                      each takes the step that would come next
                   b1      c1   b2                   if the graph stayed as it is

    Which steps are needed depends on the edges that go first, their numbers do not: nothing but the book changes.
    """

    def __init__(self, graph, book):
        self.graph, self.book = graph, book
        self.furthest = {}  # pair -> copy of the edge after the last step that is in the book
        self.running = {}  # future -> pair

    def wait_for(self, edge, queue):
        """Return when the book has the next step of an edge; meanwhile all threads have something to do."""
        while not self._is_beyond(edge):
            under_way = set(self.running.values())
            free = [self._state(e) for e in queue if (e.x, e.y) not in under_way]
            for state in nlargest(self.book.threads - len(self.running), (e for e in free if e.best >= 0), key=_claim):
                later = replace(state, contributions=[], raw_contributions=[], candidates=self.graph.candidates(state))
                self.running[self.book.begin(_take_step, later)] = later.x, later.y
            for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                self.furthest[self.running.pop(future)] = future.result()

    def _is_beyond(self, edge):
        state = self.furthest.get((edge.x, edge.y))
        taken = [*edge.contributors, edge.best]
        return state is not None and state.contributors[: len(taken)] == taken

    def _state(self, edge):
        return self.furthest[edge.x, edge.y] if self._is_beyond(edge) else edge


def _take_step(book, edge):
    """The edge, a copy, with its best contributor taken and the next one found."""
    absorb(edge)
    # of the candidates when this began some may be gone when its turn comes, none is new
    edge.candidates = [z for z in edge.candidates if z != edge.contributors[-1]]
    if book.get(book.key(edge.x, edge.y, edge.contributors))[1] > 0:
        choose_contributor(book, edge)
    else:
        edge.best = -1
    return edge


def absorb(edge):
    """Take the best contributor into the edge's set and note what it explained."""
    shifted, before = edge.gain
    edge.last = (edge.best, edge.score)
    edge.contributors = [*edge.contributors, edge.best]
    edge.contributions.append(shifted / before if before else 0.0)
    edge.raw_contributions.append(shifted / edge.shifted if edge.shifted else 0.0)


def three_point(book, x, y, z, given):
    """(I3, I'3) of an open triple x - z - y, given the pair's separating set; 0 where z is not missing at random."""
    if book.count((x, y, z, *given)) <= 2 or not book.missing_at_random(x, y, given, z):
        return 0.0, 0.0
    pair = book.clamped(book.key(x, y, given, (z,)), z)
    full = book.clamped(book.key(x, y, (*given, z)))
    i3, shifted, _ = contributor_score(pair, 0.0, 0.0, full)
    return i3, shifted
