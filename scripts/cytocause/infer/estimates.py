"""Every estimate once: a book of informations by (pair, conditions, rows), filled in batches on threads.

An estimate depends on which rows are complete, not on which variable made them incomplete: rows are named by the set of
them, so that variables missing together share their entries. The graph never changes a number, only which are asked for.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .estimate import Options, estimate_many
from .missing import displacement
from .nml import build_costs
from .table import KINDS  # noqa: F401  (kinds: 1 continuous, 0 discrete)

CHUNK = 4  # jobs handed to a thread at a time


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
        self._lock = threading.Lock()

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

    def key(self, x, y, given=(), among=()):
        """Name of I(x;y|given) on the rows complete in these and `among`."""
        if x > y:
            x, y = y, x
        return x, y, tuple(sorted(given)), self.rows_of((x, y, *given, *among))

    def request(self, keys):
        """Compute what is not known yet of a batch of keys."""
        new = [key for key in dict.fromkeys(keys) if key not in self.entries]
        if not new:
            return
        self.computed += len(new)
        width = max(len(key[2]) + len(self._mask_members[key[3]]) for key in new)
        jobs = np.zeros((len(new), 4 + width), np.int32)
        for j, (x, y, given, rows) in enumerate(new):
            among = self._mask_members[rows]
            jobs[j, :4] = x, y, len(given), len(among)
            jobs[j, 4 : 4 + len(given)] = given
            jobs[j, 4 + len(given) : 4 + len(given) + len(among)] = among
        out = np.empty((len(new), 4))
        if self._pool is None or len(new) == 1:
            self._run(jobs, out)
        else:
            step = max(1, min(CHUNK, len(new) // self._threads))
            parts = [slice(at, at + step) for at in range(0, len(new), step)]
            for _ in self._pool.map(lambda part: self._run(jobs[part], out[part]), parts):
                pass
        for key, (info, value, n, _) in zip(new, out.tolist()):
            self.entries[key] = (info, value, int(n))

    def _run(self, jobs, out):
        data = self.data
        estimate_many(data.codes, data.levels, data.kinds, jobs, data.weights, self.costs, self.options, out)

    def get(self, key):
        """(info, shifted, rows) of a key; computed if need be."""
        if key not in self.entries:
            self.request([key])
        return self.entries[key]

    def clamped(self, key):
        """(info, shifted) as three-point informations use it: never negative unless that is asked for."""
        info, value, _ = self.get(key)
        if value < 0 and self.options.clamp:
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
