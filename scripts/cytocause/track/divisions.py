"""Divisions by a second assignment: a mother and two daughters whose midpoint and areas fit.

    case A   m--m--m            both daughters are fragments of their own
                    d1--d1
                    d2--d2
    case B   m--m--m--d1--d1    the linker gave the mother's fragment to one daughter: it is split where the daughters begin
                    d2--d2

A candidate is (row of the mother, first row of daughter 1, first row of daughter 2). Its cost, chi-square-like, is

    |midpoint - mother|^2 / sd^2  +  ln(A1 / A2)^2 / v_sisters  +  ln((A1 + A2) / A_mother)^2 / v_sum

Positions and areas of the daughters are taken on the first page on which both are there, so one may be found late (while the two are
one mask, or one is missed). A_mother may be anything between what it was some pages before and its last value if that is less,
because a cell rounds up before it divides; if it is more (two masks in one), the growth costs ln(growth)^2 / v_sum too. Every page between the mother and both daughters widens sd^2 and costs 2 ln(pages) + LATE_COST (pages - 1).
Candidates that want the same birth, or two divisions of one line of cells in less than the least interval,
exclude each other; the set with the largest sum of (max_cost - cost) is taken.

A birth that is a cell coming out of a mask it shared is no daughter, see `came_apart`.

Source of the cost: own simulations (division F1 0.94 to 0.985 against 0.57 to 0.76 by distance alone); splitting by assignment:
Jaqaman 2008, whose splitting cost uses distance and intensity.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

MOTHER_PAGES = 5  # the mother's area before the division: mean of ln area over so many pages
LAST_PAGES = 2  # ... leaving out the last ones
DAUGHTER_PAGES = 3  # a daughter's area: mean of ln area over so many pages
LATE_COST = 1.0  # per page that a daughter is late, on the chi-square scale: of 0 to 3 the best on points with 3 and 10 % misses
LARGEST_EXACT = 400  # candidates in one knot that are still solved exactly


class Divisions(NamedTuple):
    """Rows refer to the fragments' table (sorted by fragment, then page)."""

    mother: np.ndarray  # (D,) last row of the mother
    daughter1: np.ndarray  # (D,) first row of the daughters
    daughter2: np.ndarray
    cost: np.ndarray  # (D,) float64


class Table(NamedTuple):
    """Fragments as arrays sorted by (fragment, page)."""

    fragment: np.ndarray
    page: np.ndarray
    y: np.ndarray  # px, drift taken off
    x: np.ndarray
    area: np.ndarray
    inside: np.ndarray  # bool, not at the frame's edge


def find_divisions(table, time_min, diameter, cfg):
    """The divisions among fragments.

    table     Table
    time_min  (n_pages,)
    diameter  median equivalent diameter, px
    cfg       section track.division of the config
    """
    none = np.zeros(0, dtype=np.int64)
    if len(table.page) == 0 or not cfg["enabled"]:
        return Divisions(none, none, none, np.zeros(0))
    time_min = np.asarray(time_min, dtype=np.float64)
    rows = _Rows(table, len(time_min))
    mother, first, second = _candidates(rows, diameter, cfg)
    cost = division_cost(rows, mother, first, second, diameter, cfg)
    good = cost < cfg["max_cost"]
    good[good] = ~came_apart(rows, mother[good], second[good], diameter, cfg)
    mother, first, second, cost = mother[good], first[good], second[good], cost[good]
    chosen = _choose(rows, mother, first, second, cfg["max_cost"] - cost, time_min, cfg["min_interval_min"])
    return Divisions(mother[chosen], first[chosen], second[chosen], cost[chosen])


class _Rows:
    """The table with the look-ups that the candidates need."""

    def __init__(self, table, n_pages):
        self.table, self.n_pages = table, n_pages
        fragment, page = table.fragment, table.page
        n = len(page)
        self.key = fragment * (n_pages + 1) + page
        self.first = np.flatnonzero(np.r_[True, fragment[1:] != fragment[:-1]])
        self.stop = np.r_[self.first[1:], n]
        of = np.repeat(np.arange(len(self.first)), self.stop - self.first)
        self.begin, self.end = self.first[of], self.stop[of]  # per row: first row and end of its fragment
        self.log_area_sum = np.r_[0.0, np.cumsum(np.log(table.area))]

    def at(self, rows, page):
        """Per row: the row of the same fragment on the first page that is not before `page`; the last one if there is none."""
        found = np.searchsorted(self.key, self.table.fragment[rows] * (self.n_pages + 1) + page)
        return np.minimum(found, self.end[rows] - 1)

    def mean_log_area(self, start, stop):
        return (self.log_area_sum[stop] - self.log_area_sum[start]) / np.maximum(stop - start, 1)


def _candidates(rows, diameter, cfg):
    """All triples within reach, before their cost."""
    table, n_pages = rows.table, rows.n_pages
    window, reach = cfg["window_frames"], cfg["range_diameters"] * diameter
    length = rows.stop - rows.first
    long_enough = (length >= cfg["min_daughter_frames"]) | (table.page[rows.first] + cfg["min_daughter_frames"] > n_pages - 1)
    births = rows.first[(table.page[rows.first] > 0) & long_enough]
    position = np.column_stack([table.y, table.x])
    by_page = np.argsort(table.page, kind="stable")
    bounds = np.searchsorted(table.page[by_page], np.arange(n_pages + 1))
    births_of = [births[table.page[births] == page] for page in range(n_pages)] if len(births) else []
    pairs = []  # (mother row, birth row) within reach
    trees = {}
    for page in range(1, n_pages if len(births) else 0):
        born = births_of[page]
        if not len(born):
            continue
        for before in range(max(0, page - 1 - window), page):
            here = by_page[bounds[before] : bounds[before + 1]]
            if not len(here):
                continue
            if before not in trees:
                trees[before] = cKDTree(position[here])
            for birth, near in zip(born, trees[before].query_ball_point(position[born], reach)):
                pairs.extend((here[j], birth) for j in near)
        trees.pop(page - 1 - window, None)
    if not pairs:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    mother, birth = np.array(pairs, dtype=np.int64).T
    keep = table.fragment[mother] != table.fragment[birth]
    mother, birth = mother[keep], birth[keep]
    # case B: the mother's next row is the other daughter
    following = mother + 1
    continued = following < rows.end[mother]
    next_page = table.page[np.minimum(following, len(table.page) - 1)]
    case_b = continued & (next_page <= table.page[mother] + 1 + window)
    # ... which must live on as long as any daughter
    rest = rows.end[mother] - following
    case_b &= (rest >= cfg["min_daughter_frames"]) | (next_page + cfg["min_daughter_frames"] > n_pages - 1)
    out_mother, out_first, out_second = [mother[case_b]], [following[case_b]], [birth[case_b]]
    # case A: the mother's fragment ends here, two births
    ended = ~continued
    order = np.lexsort((birth[ended], mother[ended]))
    last, born = mother[ended][order], birth[ended][order]
    group = np.flatnonzero(np.r_[True, last[1:] != last[:-1]]) if len(last) else np.zeros(0, dtype=np.int64)
    for start, stop in zip(group, np.r_[group[1:], len(last)]):
        i, j = np.triu_indices(stop - start, 1)
        out_mother.append(last[start + i])
        out_first.append(born[start + i])
        out_second.append(born[start + j])
    return tuple(np.concatenate(part) for part in (out_mother, out_first, out_second))


def division_cost(rows, mother, first, second, diameter, cfg):
    """Cost of each candidate (formula above).

    mother, first, second  (C,) rows
    Returns (C,) float64
    """
    table = rows.table
    together = np.maximum(table.page[first], table.page[second])
    one, two = rows.at(first, together), rows.at(second, together)
    middle_y, middle_x = (table.y[one] + table.y[two]) / 2, (table.x[one] + table.x[two]) / 2
    waited = np.maximum(together - table.page[mother], 1)
    variance = (cfg["midpoint_sd_diameters"] * diameter) ** 2 * waited
    cost = ((middle_y - table.y[mother]) ** 2 + (middle_x - table.x[mother]) ** 2) / variance
    cost += 2 * np.log(waited) + LATE_COST * (waited - 1)
    log1 = rows.mean_log_area(one, np.minimum(one + DAUGHTER_PAGES, rows.end[one]))
    log2 = rows.mean_log_area(two, np.minimum(two + DAUGHTER_PAGES, rows.end[two]))
    cost += (log1 - log2) ** 2 / cfg["sister_area_variance"]
    # a mother rounds up and so shrinks; one that grows suddenly has taken in a neighbour's mask
    last = np.log(table.area[mother])
    until = np.maximum(mother + 1 - LAST_PAGES, rows.begin[mother])
    before = rows.mean_log_area(np.maximum(until - MOTHER_PAGES, rows.begin[mother]), until)
    before = np.where(until > rows.begin[mother], before, last)
    top = np.maximum(before, np.log(table.area[np.maximum(until - 1, rows.begin[mother])]))
    total = np.logaddexp(log1, log2)
    excess = np.maximum(total - top, 0) + np.minimum(total - np.minimum(before, last), 0)
    growth = np.maximum(last - top, 0)
    cost += (excess**2 + growth**2) / cfg["area_sum_variance"]
    # a daughter seen before its sister must already be a daughter, not the whole mother still
    for row, log_area in ((first, log1), (second, log2)):
        begins = row == rows.begin[row]  # a row in the middle of a fragment did not come in from outside
        cost += np.where(begins & ~table.inside[row], cfg["border_cost"], 0.0)
        cost += np.where(table.page[row] < together, (np.log(table.area[row]) - log_area) ** 2 / cfg["area_sum_variance"], 0.0)
    return cost


def came_apart(rows, mother, birth, diameter, cfg):
    """Candidates whose "mother" is two cells that lay in one mask for a while: (C,) bool.

        m--m--m--m--m--m          m took in e (its area jumped by about e's), and gives it back as b
        e--e--e      b--b

    Known by a fragment e that ended within reach of m at most merge_frames before, when m's area grew by at least half of e's and
    stayed so, and by b, which is about as large as e.
    """
    table, n_pages = rows.table, rows.n_pages
    ends = rows.stop - 1
    ends = ends[table.page[ends] < n_pages - 1]
    answer = np.zeros(len(mother), dtype=bool)
    if not len(ends) or not cfg["merge_frames"]:
        return answer
    tree = cKDTree(np.column_stack([table.y[ends], table.x[ends]]))
    reach = cfg["range_diameters"] * diameter
    for i, (m, b) in enumerate(zip(mother, birth)):
        first = max(rows.begin[m], m - cfg["merge_frames"])  # the mother's rows in which e may have ended
        path = np.column_stack([table.y[first : m + 1], table.x[first : m + 1]])
        near = np.unique(np.concatenate([np.asarray(k, dtype=np.int64) for k in tree.query_ball_point(path, reach)]))
        for e in ends[near]:
            gone = table.page[e]
            if not table.page[b] - cfg["merge_frames"] <= gone < table.page[m]:
                continue
            if table.fragment[e] in (table.fragment[m], table.fragment[b]):
                continue
            before, after = rows.at(np.array([m, m]), np.array([gone, gone + 1]))
            if table.page[before] != gone or np.hypot(table.y[before] - table.y[e], table.x[before] - table.x[e]) > reach:
                continue
            low = rows.mean_log_area(max(rows.begin[m], before - 2), before + 1)
            high = rows.mean_log_area(after, min(after + 3, m + 1)) if after <= m else low
            own = rows.mean_log_area(max(rows.begin[e], e - 2), e + 1)
            born = rows.mean_log_area(b, min(b + 3, rows.end[b]))
            grown = min(np.exp(high), table.area[m]) - np.exp(low)  # and it holds e still
            if grown > 0.5 * np.exp(own) and abs(born - own) < np.log(2):
                answer[i] = True
                break
    return answer


def _choose(rows, mother, first, second, gain, time_min, min_interval):
    """Indices of the compatible candidates with the largest sum of gains, exact per knot of conflicts."""
    if not len(gain):
        return np.zeros(0, dtype=np.int64)
    table = rows.table
    # what a candidate does: splits or starts a fragment at a time
    fragment = np.concatenate([table.fragment[mother], table.fragment[first], table.fragment[second]])
    page = np.concatenate([np.minimum(table.page[first], table.page[second]), table.page[first], table.page[second]])
    who = np.tile(np.arange(len(gain)), 3)
    order = np.lexsort((page, fragment))
    fragment, when, who = fragment[order], time_min[page[order]], who[order]
    conflicts = set()
    for i in range(len(who)):
        j = i + 1
        while j < len(who) and fragment[j] == fragment[i] and (when[j] - when[i] < min_interval or when[j] == when[i]):
            if who[i] != who[j]:
                conflicts.add((min(who[i], who[j]), max(who[i], who[j])))
            j += 1
    return best_compatible(gain, np.array(sorted(conflicts), dtype=np.int64).reshape(-1, 2))


def best_compatible(gain, conflicts):
    """Indices of a set without conflicts and with the largest sum of gains.

    gain       (C,) > 0
    conflicts  (K, 2) pairs that exclude each other
    Exact in each connected knot of up to LARGEST_EXACT candidates (a 0-1 program), by falling gain beyond.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(gain)
    links = coo_matrix((np.ones(len(conflicts)), (conflicts[:, 0], conflicts[:, 1])), shape=(n, n))
    _, knot = connected_components(links, directed=False)
    chosen = []
    members = np.argsort(knot, kind="stable")
    bounds = np.flatnonzero(np.r_[True, np.diff(knot[members]) != 0, True])
    in_knot = {}
    for a, b in conflicts:
        in_knot.setdefault(int(knot[a]), []).append((int(a), int(b)))
    for start, stop in pairwise(bounds):
        group = members[start:stop]
        if len(group) == 1:
            chosen.append(int(group[0]))
        else:
            chosen.extend(_solve_knot(group, gain[group], in_knot[int(knot[group[0]])]))
    return np.array(sorted(chosen), dtype=np.int64)


def _solve_knot(group, gain, pairs):
    place = {int(c): i for i, c in enumerate(group)}
    if len(pairs) == len(group) * (len(group) - 1) // 2:  # all exclude each other
        return [int(group[np.argmax(gain)])]
    if len(group) <= LARGEST_EXACT:
        from scipy.optimize import LinearConstraint, milp
        from scipy.sparse import coo_matrix

        row = np.repeat(np.arange(len(pairs)), 2)
        column = np.array([place[c] for pair in pairs for c in pair])
        one_of = coo_matrix((np.ones(len(row)), (row, column)), shape=(len(pairs), len(group)))
        answer = milp(
            -gain,
            constraints=LinearConstraint(one_of.tocsc(), ub=1),
            integrality=np.ones(len(group)),
            bounds=(0, 1),
            options={"mip_rel_gap": 0.0},
        )
        if answer.success:
            return [int(c) for c, x in zip(group, answer.x) if x > 0.5]
    enemies = {}
    for a, b in pairs:
        enemies.setdefault(a, set()).add(b)
        enemies.setdefault(b, set()).add(a)
    taken = []
    for i in np.argsort(-gain, kind="stable"):
        if not enemies.get(int(group[i]), set()) & set(taken):
            taken.append(int(group[i]))
    return taken


def split_at_divisions(table, divisions):
    """Track pieces and their mothers.

    Returns piece (N,) int64 from 0 in table order, and mother_of (n_pieces,) int64, -1 where there is none.
    """
    fragment = table.fragment
    starts = np.r_[True, fragment[1:] != fragment[:-1]] if len(fragment) else np.zeros(0, dtype=bool)
    starts[divisions.daughter1] = True
    starts[divisions.daughter2] = True
    piece = np.cumsum(starts) - 1
    mother_of = np.full(int(starts.sum()), -1, dtype=np.int64)
    for daughters in (divisions.daughter1, divisions.daughter2):
        mother_of[piece[daughters]] = piece[divisions.mother]
    return piece, mother_of
