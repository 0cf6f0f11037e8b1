"""How many independent rows a pair of slow variables is worth: its effective sample size.

    x ~~~~\\____/~~~~~\\___      two slow variables meet by chance in a few long stretches,
    y __/~~~~~~\\______/~~      not in every row:      n_eff = N / (1 + 2 sum_h rho_x(h) rho_y(h))

A share n_eff / N per pair of variables, the weight of each of its rows. Three cases (spec 9.5, item 1):

feature, feature     h over all lags until the products have died out. The variance of a mean product of two independent
                     series (Bartlett 1935).
x(t), x(t - k)       h < k only. What is asked is whether x depends on itself k steps back; if it does not, its
                     autocorrelation is over at k, and only that at smaller lags remains (Bartlett's test of the k-th
                     autocorrelation). With all lags the dependence that is looked for would pay for itself, and the
                     slower a variable, the sooner its true loop would be lost. At lag 1 every row counts.
condition, feature   the trajectories, times what the steps of one add to each other: N / (1 + (T - 1) icc) for
                     trajectories of T steps and intraclass correlation icc (Kish 1965), with the icc that is left within
                     the levels of the condition where there are enough trajectories.
condition, condition the number of trajectories.

Continuous variables are taken by rank and discrete ones by level, so that any increasing transform leaves the sizes alone.
"""

import numpy as np

COMMON_LEVELS = 20  # levels of a discrete variable that are told apart; the rarer ones count as one
CHUNK = 1 << 18  # values transformed at once
ENOUGH_FREEDOM = 2  # trajectories above the levels of a condition from which the icc is taken within its levels


class PairShares:
    """Effective size of every pair of nodes.

    data: see table; codes: one (rows,) int32 per variable, as they are used; base, lag (nodes,): variable and lag of each
    node; conditions: only pairs with a condition have a size of their own. Everything is computed here, one variable at a
    time, so that no column outlives it.
    """

    def __init__(self, data, codes, base, lag, conditions=False):
        self.base, self.lag = base, lag
        lengths = np.diff(data.starts)
        # trajectories are independent by assumption: never fewer than one row of each
        least = int(lengths.size) / max(1, int(data.starts[-1]))
        contextual = [k for k, v in enumerate(data.variables) if v.role == "contextual"]
        shares = {(v, w, 0): 0.0 for v in contextual for w in contextual}
        rho = {}
        for k, variable in enumerate(data.variables):
            if variable.role == "contextual" or (conditions and not contextual):
                continue
            columns = _standard(codes[k], variable.kind)
            if not conditions:
                rho[k] = pooled_autocorrelation(columns, data.starts)
            for c in contextual:
                shares[min(c, k), max(c, k), 0] = 1.0 / cluster_effect(columns, codes[c], data.starts)
        fade = pairs_at_lag(lengths) / max(1, int(data.starts[-1]))
        apart = {abs(a - b) for a in lag.tolist() for b in lag.tolist()}
        for v, own in rho.items():
            shares |= {(v, v, k): 1.0 / design_effect(own**2, fade, k) for k in apart}
            shares |= {(v, w, 0): 1.0 / design_effect(own * other, fade) for w, other in rho.items() if v < w}
        self.shares = {pair: min(1.0, max(share, least)) for pair, share in shares.items()}

    def size(self, a, b, rows):
        """Effective size of `rows` rows for a pair of nodes, int >= 1; None where each row counts, or one size is for all."""
        v, w = sorted((int(self.base[a]), int(self.base[b])))
        share = self.shares.get((v, w, abs(int(self.lag[a]) - int(self.lag[b])) if v == w else 0), 1.0)
        found = int(share * rows + 1e-9)
        return None if found >= rows else max(1, found)


def design_effect(products, fade, below=None):
    """1 + 2 sum of fade(h) products(h), h = 1 ... below, at least 1: how many rows count for one.

    products, fade (lags,) float64 with lag 0 first. below None: until the sum of two neighbouring lags is no longer positive
    (Geyer 1992), so that the noise of far lags is not added up.
    """
    terms = (products * fade)[1:]
    if below is not None:
        return 1.0 + 2.0 * float(terms[: max(0, below - 1)].sum())
    two = terms[: terms.size // 2 * 2].reshape(-1, 2).sum(axis=1)
    over = np.flatnonzero(~(two > 0))
    return 1.0 + 2.0 * float(two[: over[0] if over.size else two.size].sum())


def pairs_at_lag(lengths):
    """Pairs of rows h steps apart inside trajectories of the given lengths, h = 0 ... longest - 1; (lags,) int64."""
    lags = np.arange(int(lengths.max()) if lengths.size else 0)
    longest = np.bincount(lengths, minlength=lags.size + 1)
    # trajectories longer than h, and their steps
    many = np.cumsum(longest[::-1])[::-1][1:]
    steps = np.cumsum((longest * np.arange(longest.size))[::-1])[::-1][1:]
    return (steps - many * lags)[: lags.size]


def pooled_autocorrelation(columns, starts):
    """rho(h) over all trajectories about the common mean, h = 0 ... longest - 1; (lags,) float64, 0 where undefined.

    columns (parts, rows) float64, centred, NaN where missing: the indicators of a discrete variable, or one column of
    ranks. starts (trajectories+1,). Between-trajectory differences stay in it, as a correlation that never fades.
    """
    lengths = np.diff(starts)
    longest = int(lengths.max())
    size = 1 << int(2 * longest - 1).bit_length()
    spectrum = np.zeros(size // 2 + 1)
    present_spectrum = np.zeros(size // 2 + 1)
    step = max(1, CHUNK // size)
    for first in range(0, lengths.size, step):
        chosen = range(first, min(first + step, lengths.size))
        for part, column in enumerate(columns):
            laid = np.zeros((len(chosen), longest))
            here = np.zeros((len(chosen), longest))
            for row, k in enumerate(chosen):
                x = column[starts[k] : starts[k + 1]]
                there = ~np.isnan(x)
                laid[row, : x.size] = np.where(there, x, 0.0)
                here[row, : x.size] = there
            spectrum += (np.abs(np.fft.rfft(laid, size, axis=1)) ** 2).sum(axis=0)
            if part == 0:
                present_spectrum += (np.abs(np.fft.rfft(here, size, axis=1)) ** 2).sum(axis=0)
    pairs = np.round(np.fft.irfft(present_spectrum, size)[:longest])
    products = np.fft.irfft(spectrum, size)[:longest]
    out = np.zeros(longest)
    if pairs[0] > 0 and products[0] > 0:
        some = pairs > 0
        out[some] = products[some] / pairs[some] / (products[0] / pairs[0])
    return out


def cluster_effect(columns, codes, starts):
    """How many rows count for one where trajectories, not rows, were given the levels `codes` of a condition; >= 1.

    sum over trajectories of (sum of x)^2 / sum of x^2, x centred within the levels of the condition, and scaled for the
    means that were taken away. columns (parts, rows) float64 with NaN, codes (rows,) int32 with -1 missing.
    """
    first = codes[starts[:-1]]
    level = np.where(first < 0, first.max() + 1, first)
    used = len(np.unique(level))
    groups = starts.size - 1
    if groups - used < ENOUGH_FREEDOM:
        level, used = np.zeros(groups, np.int64), 1
    if groups <= used:
        return float(starts[-1])
    rows = np.repeat(level, np.diff(starts))
    between = within = 0.0
    for column in columns:
        there = ~np.isnan(column)
        x = np.where(there, column, 0.0)
        count = np.bincount(rows, weights=there)
        mean = np.bincount(rows, weights=x) / np.maximum(count, 1)
        x = np.where(there, x - mean[rows], 0.0)
        between += float((np.add.reduceat(x, starts[:-1]) ** 2).sum())
        within += float((x**2).sum())
    if within <= 0:
        # constant within every level: each trajectory is one witness
        return float(starts[-1]) / groups
    return max(1.0, groups / (groups - used) * between / within)


def _standard(codes, kind):
    """Centred columns (parts, rows) float64 of a variable, NaN where missing: its ranks, or one indicator per level."""
    there = codes >= 0
    if kind == "continuous":
        counts = np.bincount(codes[there])
        ends = np.cumsum(counts)
        parts = [(ends - (counts - 1) / 2.0)[np.maximum(codes, 0)]]
    else:
        counts = np.bincount(codes[there])
        common = np.argsort(-counts, kind="stable")[:COMMON_LEVELS]
        # two levels say the same twice
        parts = [(codes == level).astype(np.float64) for level in (common[:1] if counts.size == 2 else common)]
    out = np.where(there, np.array(parts), np.nan)
    return out - np.nanmean(out, axis=1, keepdims=True)
