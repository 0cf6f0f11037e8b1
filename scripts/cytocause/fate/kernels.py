"""The likelihood ratio of a death that begins at each moment of a track, in time proportional to its length.

    signal  ~~~~~~~\\                template g(t) = 1 - exp(-(t - c) / tau) from the onset c on, 0 before
                    \\_____

Per signal, least squares of x on (1, g) over the track: amplitude a = cov(x, g) / var(g), gain a^2 n var(g) / sigma^2, which is
twice the log likelihood ratio against no change. Sums over t >= c come from those at the next onset:
E_c = sum exp(-(t - c) / tau) = 1 + exp(-(t_{c+1} - t_c) / tau) E_{c+1}.
Source: Willsky & Jones 1976 (generalised likelihood ratio); naive twin in tests/fate/naive.py.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def onset_scan(time, signals, sigma, sign, taus):
    """Score, time constant and amplitudes of the best template for each onset.

    time     (T,) min, increasing
    signals  (J, T) float64, NaN where missing
    sigma    (J,) standard deviation of the noise of each signal
    sign     (J,) +1 or -1: the direction in which the signal changes at death; the other direction gains nothing
    taus     (K,) min
    Returns  score (T,), best (T,) index of tau, amplitude (T, J) at the plateau of the best template (0 where unknown)
    """
    n_signals, n = signals.shape
    score = np.zeros(n)
    best = np.zeros(n, dtype=np.int64)
    amplitude = np.zeros((n, n_signals))
    count = np.zeros(n_signals)
    mean = np.zeros(n_signals)
    for j in range(n_signals):
        for t in range(n):
            if np.isfinite(signals[j, t]):
                count[j] += 1
                mean[j] += signals[j, t]
        if count[j] > 0:
            mean[j] /= count[j]
    trial = np.zeros(n_signals)
    for k in range(taus.shape[0]):
        tau = taus[k]
        late = np.zeros(n_signals)  # rows from the onset on
        e1 = np.zeros(n_signals)  # sum of exp(-(t - c) / tau)
        e2 = np.zeros(n_signals)  # ... of its square
        late_x = np.zeros(n_signals)  # sum of x
        e_x = np.zeros(n_signals)  # sum of x exp(-(t - c) / tau)
        for c in range(n - 1, -1, -1):
            decay = np.exp(-(time[c + 1] - time[c]) / tau) if c + 1 < n else 1.0
            total = 0.0
            for j in range(n_signals):
                e1[j] *= decay
                e2[j] *= decay * decay
                e_x[j] *= decay
                value = signals[j, c] - mean[j]
                if np.isfinite(value):
                    late[j] += 1
                    e1[j] += 1
                    e2[j] += 1
                    late_x[j] += value
                    e_x[j] += value
                trial[j] = 0.0
                if count[j] < 3:
                    continue
                g1 = late[j] - e1[j]
                g2 = late[j] - 2 * e1[j] + e2[j]
                spread = g2 - g1 * g1 / count[j]
                if spread <= 1e-9:
                    continue
                covariance = late_x[j] - e_x[j]  # the mean of x is 0
                trial[j] = covariance / spread
                if trial[j] * sign[j] > 0:
                    total += trial[j] * covariance / (sigma[j] * sigma[j])
            if total > score[c] * (1 + 1e-9):  # where two fit alike the faster one stays, whatever the rounding
                score[c] = total
                best[c] = k
                for j in range(n_signals):
                    amplitude[c, j] = trial[j]
    return score, best, amplitude
