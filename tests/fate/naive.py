"""What the kernel of `fate` does, slowly, for a reader."""

import numpy as np


def onset_scan(time, signals, sigma, sign, taus):
    """Least squares of each signal on (1, template) for every onset and time constant."""
    n_signals, n = signals.shape
    score, best, amplitude = np.zeros(n), np.zeros(n, dtype=int), np.zeros((n, n_signals))
    for c in range(n):
        for k, tau in enumerate(taus):
            g = np.where(time >= time[c], 1 - np.exp(-(time - time[c]) / tau), 0.0)
            total, found = 0.0, np.zeros(n_signals)
            for j in range(n_signals):
                known = np.isfinite(signals[j])
                if known.sum() < 3:
                    continue
                x, h = signals[j, known], g[known]
                spread = ((h - h.mean()) ** 2).sum()
                if spread <= 1e-9:
                    continue
                covariance = ((x - x.mean()) * (h - h.mean())).sum()
                found[j] = covariance / spread
                if found[j] * sign[j] > 0:
                    total += found[j] ** 2 * spread / sigma[j] ** 2
            if total > score[c] * (1 + 1e-9):
                score[c], best[c], amplitude[c] = total, k, found
    return score, best, amplitude
