"""Every estimate once: a book of informations by (pair, conditions, rows), filled in batches on threads.

An estimate depends on which rows are complete, not on which variable made them incomplete: rows are named by the set of
them, so that variables missing together share their entries. The graph never changes a number, only which are asked for.
"""

import copy
import os
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import lru_cache, partial
from itertools import groupby, repeat

import numpy as np

from .estimate import Options, estimate
from .keyed_random import key_of, uniform
from .missing import displacement
from .nml import build_costs
from .ranks import atom_type, bins_asked_for, rank_columns

MOST_CONDITIONS = 8  # the starting bins of estimates with up to so many are ranked beforehand; with more they are the fewest
KEPT_ROWS = 1 << 17  # prices of so many rows are kept for effective sizes of their own: 20 bytes a row
SHARES = 8  # calls per thread and batch, at least, as far as there are estimates: none waits long for the last
COIN = np.uint64(0xFFFFFFFE)  # key of the coin; no shuffle and no variable has it
CHUNK = 16  # estimates per call of the kernels, so that Ctrl-C is heard and threads share evenly


class Book:
    """Informations of an Unfolded, memoised. threads: workers; results do not depend on it."""

    def __init__(self, unfolded, settings, threads=1, seed=0):
        self.data = unfolded
        self.seed = seed
        self.settings = settings
        rows = unfolded.codes.shape[1]
        weights = unfolded.weights
        largest = int(np.ceil(weights.sum())) + 1 if weights.size else None
        self.costs = build_costs(rows, None if weights.size else unfolded.n_eff, largest)
        self.options = Options(
            settings.cplx == "bic",
            settings.legacy,
            not settings.negative_info,
            int(min(settings.max_bins, max(rows, 2))),
        )
        self._weights = weights
        self.shares = unfolded.shares
        self._costs_of = lru_cache(KEPT_ROWS // max(1, rows))(partial(build_costs.__wrapped__, rows))
        self.entries = {}
        self.shifts = {}
        self._under_way = {}  # key -> event of the thread that computes it
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._masks = {}
        self._mask_of = []
        self._mask_members = []
        self._joined = {}
        full = (1 << rows) - 1
        self._full = self._mask_id(full, ())
        self._node_mask = []
        for node, codes in enumerate(unfolded.codes):
            present = codes >= 0
            if present.all():
                self._node_mask.append(self._full)
            else:
                bits = int.from_bytes(np.packbits(present, bitorder="little").tobytes(), "little")
                self._node_mask.append(self._mask_id(bits, (node,)))
        self._gapless = all(mask == self._full for mask in self._node_mask)
        self._ranked = self._rank(rows)
        # one coin a run decides between candidates that are equal in everything (Q8)
        self.last_of_equals = settings.legacy and uniform(np.uint64(key_of(np.uint64(seed), COIN, COIN)), 0) < 0.5
        self.threads = max(1, int(threads))
        self._pool = None
        # the same book for whoever is one of the threads: what it asks for is computed on its own
        self.alone = self
        if self.threads > 1:
            self.alone = copy.copy(self)
            self.alone.threads, self.alone.alone = 1, self.alone
            self._pool = ThreadPoolExecutor(self.threads)

    @property
    def computed(self):
        """Informations that were computed, without shuffled ones."""
        return len(self.entries)

    def begin(self, function, *arguments):
        """Future of function(book for one thread, *arguments); threads > 1."""
        return self._pool.submit(function, self.alone, *arguments)

    def each(self, function, items):
        """function(book for one thread, item) of all items, side by side; yields the results in order."""
        return (self._pool.map if self._pool else map)(partial(function, self.alone), items)

    def _rank(self, rows):
        data = self.data
        gaps = np.array([mask != self._full for mask in self._node_mask])
        samples = self._weights.sum() if self._weights.size else self.costs.weight * rows
        wanted = bins_asked_for(rows, samples, MOST_CONDITIONS)
        if self.shares is not None:
            wanted[2:] = True  # pairs of other sizes begin with other numbers
        # where every column has gaps nothing is ranked beforehand
        shape = (len(data), 0 if gaps.all() else rows)
        atoms = np.empty(shape, atom_type(data.levels, data.kinds))
        return rank_columns(data.codes, data.levels, data.kinds, gaps, wanted, self.options.max_bins, self.options.legacy, atoms)

    def close(self):
        self._stop.set()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _mask_id(self, bits, members):
        if bits not in self._masks:
            self._masks[bits] = len(self._mask_of)
            self._mask_of.append(bits)
            self._mask_members.append(members)
        return self._masks[bits]

    def rows_of(self, nodes):
        """Name of the set of rows complete in all nodes."""
        if self._gapless:
            return self._full
        ids = {self._node_mask[node] for node in nodes}
        ids.discard(self._full)
        if len(ids) == 0:
            return self._full
        if len(ids) == 1:
            return ids.pop()
        ids = frozenset(ids)
        if ids not in self._joined:
            with self._lock:
                parts = sorted(ids)
                bits, members = self._mask_of[parts[0]], self._mask_members[parts[0]]
                for part in parts[1:]:
                    joined = bits & self._mask_of[part]
                    if joined != bits:
                        members = tuple(sorted({*members, *self._mask_members[part]}))
                    bits = joined
                self._joined[ids] = self._mask_id(bits, members)
        return self._joined[ids]

    def count(self, nodes):
        """Rows complete in all nodes."""
        return self._mask_of[self.rows_of(nodes)].bit_count()

    def key(self, x, y, given=(), among=(), sized=None):
        """Name of I(x;y|given) on the rows complete in these and `among`, at the effective size of the pair `sized` (x, y)."""
        if x > y:
            x, y = y, x
        return x, y, tuple(sorted(given)), self.rows_of((x, y, *given, *among)), self.size_of(*(sized or (x, y)))

    def size_of(self, x, y):
        """Effective size of the whole table for a pair of nodes; None where it is one size for all."""
        return None if self.shares is None else self.shares.size(x, y, self.costs.rows)

    def weight_of(self, x, y):
        """Samples that a row counts for where a pair is tested."""
        size = self.size_of(x, y)
        return self.costs.weight if size is None else size / self.costs.rows

    def samples_of(self, x, y, given=()):
        """Effective samples in the rows complete in a pair and its conditions: their weights, where rows have some."""
        rows = self.rows_of((x, y, *given))
        if self._weights.size:
            return float(self._weights[self._row_mask(rows)].sum())
        return self.weight_of(x, y) * self._mask_of[rows].bit_count()

    def request(self, keys):
        """Compute what is not known yet of a batch of keys; wait for what another thread computes."""
        new = [key for key in dict.fromkeys(keys) if key not in self.entries]
        if not new:
            return
        done = threading.Event()
        with self._lock:
            others = [self._under_way[key] for key in new if key in self._under_way]
            new = [key for key in new if key not in self.entries and key not in self._under_way]
            self._under_way.update(dict.fromkeys(new, done))
        try:
            for key, (info, value, n, _) in zip(new, self._compute(new)):
                self.entries[key] = info, value, int(n)
        finally:
            with self._lock:
                for key in new:
                    del self._under_way[key]
            done.set()
        for other in others:  # own work comes first, so that no two wait for each other
            other.wait()

    def _compute(self, keys, shuffles=None):
        """[info, shifted, rows, passes] of each key; shuffles: permutation of y for each key."""
        if not keys:
            return []
        data = self.data
        if shuffles is None:
            shuffles = np.full(len(keys), -1)
        # keys of one effective size share their prices; the longest estimates first, so that threads end together
        order = sorted(range(len(keys)), key=lambda k: (keys[k][4] or 0, -len(keys[k][2])))
        lists = [(*keys[k][:2], *keys[k][2], *self._mask_members[keys[k][3]]) for k in order]
        nodes = np.zeros((len(keys), max(map(len, lists))), np.int32)
        sizes = np.empty((len(keys), 2), np.int64)
        for row, (k, members) in enumerate(zip(order, lists)):
            nodes[row, : len(members)] = members
            sizes[row] = 2 + len(keys[k][2]), len(members)
        shuffles = shuffles[order]
        out = np.empty((len(keys), 4))

        def work(part, costs):
            if self._stop.is_set():
                raise CancelledError
            estimate(
                data.codes, self._ranked, nodes[part], sizes[part], shuffles[part], np.uint64(self.seed), self._weights,
                costs, self.options, out[part], np.empty((2, self.options.max_bins + 2), np.int32),
            )  # fmt: skip

        at = 0
        for size, group in groupby(order, key=lambda k: keys[k][4]):
            costs = None  # the last ones go before the next are made
            costs = self.costs if size is None else self._costs_of(size)
            end = at + len(list(group))
            step = max(1, min(CHUNK, (end - at) // (SHARES * self.threads)))
            parts = [slice(first, min(first + step, end)) for first in range(at, end, step)]
            if self._pool is None or len(parts) == 1:
                for part in parts:
                    work(part, costs)
            else:
                list(self._pool.map(work, parts, repeat(costs)))
            at = end
        found = out.tolist()
        return [row for _, row in sorted(zip(order, found))]

    def shuffled(self, pairs, n_shuffles):
        """Shifted information of each pair (x, y) with y permuted, (pairs, n_shuffles) float64."""
        keys = [(x, y, (), self._full, self.size_of(x, y)) for x, y in pairs for _ in range(n_shuffles)]
        found = self._compute(keys, np.tile(np.arange(n_shuffles), len(pairs)))
        return np.array(found)[:, 1].reshape(len(pairs), n_shuffles)

    def get(self, key):
        """(info, shifted, rows) of a key; computed if need be."""
        while key not in self.entries:  # once, unless another thread began it and failed
            self.request([key])
        return self.entries[key]

    def clamped(self, key, third=None):
        """(info, shifted) as three-point informations use it: never negative unless that is asked for.

        The reference leaves two discrete variables negative when the third is continuous (legacy).
        """
        info, value, _ = self.get(key)
        if value < 0 and self.options.clamp:
            if self.options.legacy and third is not None and self.data.kinds[third] == 1:
                return info, value
            return 0.0, 0.0
        return info, value

    def missing_at_random(self, x, y, given, z):
        """False when leaving out the rows in which z is missing displaces the joint distribution of x and y."""
        if not self.settings.test_mar:
            return True
        before, after = self.rows_of((x, y, *given)), self.rows_of((x, y, *given, z))
        if before == after:
            return True
        key = (min(x, y), max(x, y), before, after)
        if key not in self.shifts:
            self.shifts[key] = displacement(
                self.data, key[0], key[1], self._row_mask(before), self._row_mask(after), self.seed, self.settings.legacy
            )
        n = self._mask_of[after].bit_count()
        return self.shifts[key] <= np.log(max(n, 1))

    def _row_mask(self, rows):
        size = self.data.codes.shape[1]
        packed = np.frombuffer(self._mask_of[rows].to_bytes((size + 7) // 8, "little"), np.uint8)
        return np.unpackbits(packed, bitorder="little")[:size].astype(bool)


def default_threads():
    """Threads to use when nobody says: those numba is allowed, else the cores this process may run on."""
    given = os.environ.get("NUMBA_NUM_THREADS")
    if given and given.isdigit():
        return int(given)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
