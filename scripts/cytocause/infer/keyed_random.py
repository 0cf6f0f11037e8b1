"""Random numbers by key: the i-th number of (seed, shuffle, variable) is the same in any order and on any thread.

SplitMix64 over a counter that starts at a hash of the key. Source: Steele, Lea & Flood 2014.
"""

import numpy as np
from numba import njit

from .compilation import KERNEL


@njit(**KERNEL)
def mix(value):
    """One SplitMix64 output for a uint64 state."""
    z = np.uint64(value) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(**KERNEL)
def key_of(seed, shuffle, variable):
    """State that belongs to a key, uint64."""
    state = mix(np.uint64(seed))
    state = mix(state ^ np.uint64(shuffle))
    return mix(state ^ (np.uint64(variable) << np.uint64(32)))


@njit(**KERNEL)
def uniform(key, counter):
    """The counter-th number in [0, 1) of a key."""
    return (mix(key + np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(**KERNEL)
def permutation(key, n):
    """Uniform permutation of n rows, (n,) int32, by Fisher-Yates."""
    out = np.arange(n).astype(np.int32)
    for i in range(n - 1, 0, -1):
        j = int(uniform(key, i) * (i + 1))
        out[i], out[j] = out[j], out[i]
    return out
