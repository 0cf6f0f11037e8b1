"""How far back to look: layers and stride from the autocorrelation of the variables.

    rho(h)   1 |*
               |  *                    first h with rho < 0.05  ->  half of it gives the decay rate alpha
               |     *  *
               |___________*__*___ h   relaxation time tau = (1 + alpha) / (1 - alpha), twice its mean is the window

Source: spec section 2.2.
"""

import math
from dataclasses import dataclass

import numpy as np

from .table import NothingToInfer, read_data

DECAYED = 0.05  # autocorrelation that counts as gone
ENOUGH = 1000  # rows that the automatic window must leave, or a tenth of all if that is less


@dataclass(frozen=True)
class Dynamics:
    """Layers of time (the present included), time steps between two, and relaxation times {variable: time steps}."""

    n_layers: int
    delta_t: int
    relaxation: dict


def estimate_dynamics(
    table, variables=None, *, trajectory="trajectory", time="time", max_nodes=50, n_layers=None, delta_t=None,
    mov_avg=0, legacy=False,
):  # fmt: skip
    """Number of layers and stride that suit a table of trajectories; what is given is kept. Arguments as for infer().

    legacy changes nothing here: the reference's window is followed as it is (Q15); every function takes it.
    """
    data = read_data(table, variables, trajectory=trajectory, time=time)
    return choose_dynamics(data, max_nodes, n_layers, delta_t, mov_avg)


def choose_dynamics(data, max_nodes, n_layers, delta_t, mov_avg=0):
    """Dynamics of a Data; raises ValueError when no trajectory is long enough."""
    lagged = [v for v in data.variables if v.role != "contextual"]
    contextual = len(data.variables) - len(lagged)
    if not lagged:
        raise NothingToInfer("Every variable is contextual; a temporal graph needs one that varies in time (or time=None).")
    lengths = np.diff(data.starts)
    lengths_many = lengths[lengths > 1]
    if lengths_many.size == 0:
        raise NothingToInfer("Every trajectory has a single time step; a temporal graph needs longer ones (or time=None).")
    if n_layers is not None and delta_t is not None:
        return Dynamics(n_layers, delta_t, {})
    shortest = int(lengths_many.min())
    continuous = [v for v in lagged if v.kind == "continuous"]
    relaxation = {}
    for variable in continuous:
        width = mov_avg if variable.mov_avg is None else variable.mov_avg
        values = smooth(variable.values, data.starts, width)
        tau = relaxation_time(values, data.starts, shortest)
        if tau is not None:
            relaxation[variable.name] = tau
    taus = list(relaxation.values()) or [1]
    mean = max(1, round_half_even(float(np.mean(taus))))
    tau = int(min(shortest, min(shortest, max(taus)), 2 * mean))
    tau = max(1, tau)
    room = max(2, (max_nodes - contextual) // len(lagged))
    if n_layers is None and delta_t is None:
        if (tau + 1) * len(lagged) + contextual <= max_nodes:
            layers, stride = tau + 1, 1
        elif room > 2:
            layers, stride = room, max(1, math.ceil(tau / (room - 1)))
        else:
            layers, stride = 2, tau
    elif n_layers is None:
        layers, stride = min(room, math.ceil(tau / delta_t) + 1), delta_t
        layers = max(2, layers)
    else:
        layers, stride = n_layers, max(1, math.ceil(tau / max(1, n_layers - 1)))
    layers, stride = _within_samples(layers, stride, lengths, delta_t)
    return Dynamics(layers, stride, relaxation)


def _within_samples(layers, stride, lengths, given_stride):
    """Shrink the window until enough rows remain."""

    def rows(lag):
        return int(np.maximum(0, lengths - lag).sum())

    window = (layers - 1) * stride
    target = min(ENOUGH, lengths.sum() / 10)
    if rows(window) < target:
        low, high = 1, window
        while high - low > 1:
            middle = round_half_even((low + high) / 2)
            if rows(middle) >= target:
                low = middle
            else:
                high = middle
        if window > low:
            if given_stride is not None:
                layers = max(2, low // given_stride + 1)
            else:
                stride = max(1, low // (layers - 1))
    if rows((layers - 1) * stride) == 0:
        raise NothingToInfer(
            f"No row remains with {layers} layers {stride} time steps apart: the longest trajectory has "
            f"{int(lengths.max())} steps. Use longer trajectories, fewer layers or a smaller delta_t."
        )
    return layers, stride


def relaxation_time(values, starts, shortest):
    """Relaxation time in steps, averaged over trajectories; None where none can be estimated.

    values (rows,) float64 with NaN, starts (trajectories+1,), shortest: lags are tried below it.
    """
    rates = []
    for k in range(starts.size - 1):
        x = values[starts[k] : starts[k + 1]]
        if x.size < 2:
            continue
        rate = decay_rate(autocorrelation(x, shortest))
        if rate is not None:
            rates.append(rate)
    if not rates:
        return None
    alpha = float(np.mean(rates))
    if alpha >= 1:
        return shortest
    return round_half_even((1 + alpha) / (1 - alpha))


def autocorrelation(x, lags):
    """rho(h), h = 0..lags-1, over present pairs; (lags,) float64, NaN where undefined."""
    present = ~np.isnan(x)
    if present.sum() < 2:
        return np.full(lags, np.nan)
    centred = np.where(present, x - x[present].mean(), 0.0)
    size = 1 << int(2 * x.size - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    products = np.fft.irfft(spectrum * np.conj(spectrum), size)[:lags]
    mask = np.fft.rfft(present.astype(float), size)
    pairs = np.round(np.fft.irfft(mask * np.conj(mask), size)[:lags])
    h = np.arange(lags)
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = np.where(pairs > 0, products / (pairs + h), np.nan)
        return covariance / covariance[0] if covariance[0] > 0 else np.full(lags, np.nan)


def decay_rate(rho):
    """alpha with rho(h) ~ alpha^h, read off half-way to where the autocorrelation is gone; None where undefined."""
    if not np.isfinite(rho[0]):
        return None
    gone = np.flatnonzero(rho < DECAYED)
    first = int(gone[0]) if gone.size else rho.size - 1
    half = max(1, round_half_even(first / 2))
    if half >= rho.size or not rho[half] > 0:
        return None
    return float(rho[half] ** (1 / half))


def smooth(values, starts, width):
    """Centred moving average of `width` steps inside each trajectory; its ends become missing. width < 2: unchanged."""
    if not width or width < 2:
        return values
    low = (width - 1) // 2
    high = width - 1 - low
    out = np.full(values.size, np.nan)
    for k in range(starts.size - 1):
        x = values[starts[k] : starts[k + 1]]
        n = x.size
        if n <= low + high:
            continue
        present = ~np.isnan(x)
        total = np.concatenate(([0.0], np.cumsum(np.where(present, x, 0.0))))
        count = np.concatenate(([0], np.cumsum(present)))
        middle = np.arange(low, n - high)
        sums = total[middle + high + 1] - total[middle - low]
        counts = count[middle + high + 1] - count[middle - low]
        with np.errstate(invalid="ignore", divide="ignore"):
            out[starts[k] + low : starts[k] + n - high] = np.where(counts > 0, sums / counts, np.nan)
    return out


def round_half_even(value):
    """Nearest whole number, halves to the even one."""
    return int(np.rint(value))
