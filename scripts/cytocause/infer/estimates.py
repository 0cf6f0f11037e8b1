"""Every estimate once: a book of informations by (pair, conditions, rows), filled in batches on threads.

An estimate depends on which rows are complete, not on which variable made them incomplete: rows are named by the set of
them, so that variables missing together share their entries. The graph never changes a number, only which are asked for.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .estimate import Options, estimate
from .missing import displacement
from .nml import build_costs, pair_costs


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
        self._weights = weights if weights.size else None
        self.shares = unfolded.shares
        self.entries = {}
        self.shifts = {}
        self.asked = 0
        self.computed = 0
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
        self._threads = max(1, int(threads))
        self._pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None

    def close(self):
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
        ids = frozenset(self._node_mask[node] for node in nodes) - {self._full}
        if len(ids) == 0:
            return self._full
        if len(ids) == 1:
            return next(iter(ids))
        if ids not in self._joined:
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

    def request(self, keys):
        """Compute what is not known yet of a batch of keys."""
        new = [key for key in dict.fromkeys(keys) if key not in self.entries]
        if not new:
            return
        self.computed += len(new)
        if self._pool is None or len(new) == 1:
            found = map(self._compute, new)
        else:
            found = self._pool.map(self._compute, new)
        for key, entry in zip(new, found):
            self.entries[key] = entry

    def _compute(self, key, shuffle=-1):
        x, y, given, rows, size = key
        data = self.data
        costs = self.costs if size is None else pair_costs(self.costs.rows, size)
        nodes = np.array((x, y, *given), np.int32)
        among = np.array(self._mask_members[rows], np.int32)
        info, value, n, _ = estimate(
            data.codes, data.levels, data.kinds, nodes, among, self._weights, costs, self.options, shuffle, self.seed
        )
        return info, value, n

    def shuffled(self, pairs, n_shuffles):
        """Shifted information of each pair (x, y) with y permuted, (pairs, n_shuffles) float64."""
        jobs = [
            ((x, y, (), self._full, self.size_of(x, y)), shuffle) for x, y in pairs for shuffle in range(n_shuffles)
        ]
        run = map if self._pool is None else self._pool.map
        out = [value for _, value, _ in run(lambda job: self._compute(*job), jobs)]
        return np.array(out).reshape(len(pairs), n_shuffles)

    def get(self, key):
        """(info, shifted, rows) of a key; computed if need be."""
        if key not in self.entries:
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
