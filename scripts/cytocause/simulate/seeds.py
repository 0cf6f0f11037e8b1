"""Random streams with names instead of positions.

    stream(seed, "chip_03", "noise", 17)   ->   always the same numbers

A stream depends on its names only, never on what was drawn before it or on which thread asked, so a frame can be
drawn alone, twice or out of order and has the same bytes.
"""

import hashlib

import numpy as np


def stream(seed, *names):
    """Counter-based generator for (seed, names).

    Parameters
    ----------
    seed : int
    names : str or int
        What the numbers are for, e.g. sample, purpose, frame.

    Returns
    -------
    numpy.random.Generator (Philox; Salmon et al. 2011, SC11)
    """
    text = "\x1f".join([str(int(seed)), *[str(name) for name in names]])
    key = np.frombuffer(hashlib.sha256(text.encode()).digest()[:16], dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key))
