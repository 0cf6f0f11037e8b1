"""Which worlds a model may be trained on and which it is scored on: the same reach, no value in common.

    the whole reach of a parameter, cut into TEETH:   |train|test|train|test| ... |test|
    a difficulty                                      is a part of the reach; scores draw from the test teeth in it

Both sides cover, end to end, what real data have (nuclei of 8 to 45 px, blur of sigma up to 4 px, brightness 30 : 1), yet no value of a
parameter in COMBED that training may draw can be drawn for a score: between two teeth lies a gap. Parameters in SHARED are
of the camera's book-keeping (gain, offset ...) or a property that has no scale, and both sides draw them alike. Seeds are
apart as well: 0 .. 99 belong to training and tuning, all others to scores.

Lengths are in px at the frame's own scale, covers are shares of the frame, everything else as in simulate.imaging.
"""

import math

from cytocause.io.errors import InputDefect

MODES = ("fluorescence", "brightfield_chip")
SIDES = ("train", "test")
LEVELS = ("easy", "medium", "hard", "brutal")
TEETH = 12  # of each reach, even: training has the first and every other, scores the second and every other
GAP = 0.1  # of a tooth, left free on either side of it
TRAIN_SEEDS = range(100)
LOG, LINEAR = "log", "linear"
MAX_DRAWS = 50
WIDEST_BLUR = 0.16  # of a tumour cell's diameter: beyond it neighbours cannot be told apart by anybody
MIXED = {None: 0.3, "easy": 0.0, "medium": 0.0, "hard": 0.15, "brutal": 0.3}  # share of frames with one dye for both populations

# name: (how its values spread, lowest, highest), then the part of the reach of each of LEVELS
COMBED = {
    "fluorescence": {
        "tumour_diameter": (LOG, 6.6, 56.0, (14.0, 30.0), (12.0, 32.0), (9.0, 36.0), (8.0, 45.0)),
        "tumour_cover": (LINEAR, 0.01, 0.48, (0.02, 0.16), (0.08, 0.28), (0.16, 0.40), (0.24, 0.48)),
        "psf_sigma": (LOG, 0.55, 4.9, (0.6, 1.2), (0.7, 1.8), (1.2, 2.8), (1.8, 4.0)),
        "depth_blur": (LINEAR, 0.0, 3.0, (0.0, 0.5), (0.0, 1.2), (0.6, 2.2), (1.0, 3.0)),
        "photons": (LOG, 25.0, 3000.0, (400.0, 3000.0), (120.0, 1500.0), (50.0, 400.0), (25.0, 150.0)),
        "brightness_sd": (LINEAR, 0.05, 1.0, (0.05, 0.3), (0.15, 0.5), (0.4, 0.8), (0.5, 1.0)),
        "background_ratio": (LOG, 0.02, 0.8, (0.02, 0.15), (0.05, 0.3), (0.15, 0.5), (0.3, 0.8)),
        "halo": (LINEAR, 0.0, 0.5, (0.0, 0.12), (0.04, 0.2), (0.12, 0.36), (0.2, 0.5)),
    },
    "brightfield_chip": {
        "tumour_diameter": (LOG, 8.3, 56.0, (16.0, 32.0), (14.0, 34.0), (12.0, 38.0), (10.0, 45.0)),
        "tumour_cover": (LINEAR, 0.01, 0.48, (0.02, 0.14), (0.06, 0.24), (0.14, 0.38), (0.22, 0.48)),
        "psf_sigma": (LOG, 0.4, 3.0, (0.4, 0.9), (0.5, 1.2), (0.9, 2.0), (1.2, 3.0)),
        "defocus_um": (LINEAR, 0.0, 14.0, (0.0, 2.5), (0.0, 5.0), (2.5, 9.0), (5.0, 14.0)),
        "photons": (LOG, 80.0, 8000.0, (1500.0, 8000.0), (500.0, 5000.0), (200.0, 1500.0), (80.0, 600.0)),
        "contrast": (LOG, 0.15, 1.3, (0.5, 1.3), (0.35, 1.0), (0.22, 0.7), (0.15, 0.45)),
        "fibre_contrast": (LINEAR, 0.0, 0.4, (0.0, 0.08), (0.03, 0.16), (0.08, 0.28), (0.16, 0.4)),
    },
}  # fmt: skip

SHARED = {
    "fluorescence": {
        "immune_diameter_ratio": (LINEAR, 0.34, 0.56),  # of the tumour cells' diameter
        "immune_cover": (LINEAR, 0.0, 0.06),
        "gap": (LINEAR, -0.6, 2.5),
        "size_sd": (LINEAR, 0.05, 0.24),
        "aspect": (LINEAR, 0.08, 0.4),
        "uneven_light": (LINEAR, 0.0, 0.6),
        "crosstalk": (LINEAR, 0.0, 0.06),
        "texture": (LINEAR, 0.3, 1.8),
        "softness": (LINEAR, 1.0, 3.0),
        "read_noise": (LOG, 1.0, 12.0),
        "gain": (LOG, 0.5, 10.0),
        "debris": (LOG, 1.0, 60.0),
    },
    "brightfield_chip": {
        "immune_diameter_ratio": (LINEAR, 0.24, 0.38),  # 2.6 um beside 9 um
        "immune_cover": (LINEAR, 0.0, 0.06),
        "gap": (LINEAR, -0.4, 3.0),
        "size_sd": (LINEAR, 0.05, 0.18),
        "aspect": (LINEAR, 0.02, 0.25),
        "uneven_light": (LINEAR, 0.0, 0.5),
        "texture": (LINEAR, 0.3, 1.8),
        "read_noise": (LOG, 1.0, 12.0),
        "gain": (LOG, 0.5, 10.0),
        "debris": (LOG, 1.0, 60.0),
        "fibres": (LOG, 2.0, 90.0),
        "bubbles": (LINEAR, 0.0, 0.7),
        "haze": (LINEAR, 0.0, 6.0),
    },
}


class RangeError(InputDefect):
    """A world asked for from the wrong side, or a difficulty or mode that does not exist."""


def check(mode=None, side=None, level=None, seed=None):
    """Refuse an unknown mode, side or difficulty, and a seed of the other side.

    Raises
    ------
    RangeError
        Names the key, what was found and what is expected.
    """
    for key, value, known in (("mode", mode, MODES), ("range", side, SIDES), ("difficulty", level, LEVELS)):
        if value is not None and value not in known:
            raise RangeError(f"{key} is {value!r}; expected is one of {', '.join(known)}")
    if seed is None or side is None:
        return
    if (int(seed) in TRAIN_SEEDS) != (side == "train"):
        first, last = TRAIN_SEEDS[0], TRAIN_SEEDS[-1]
        if side == "test":
            raise RangeError(
                f"the seed {seed} belongs to training and tuning ({first} to {last}), and a score may not use it; give a seed "
                f"of {last + 1} or more"
            )
        raise RangeError(
            f"the seed {seed} belongs to scores, and training or tuning may not use it; give a seed from {first} to {last}"
        )


def teeth(mode, name, side):
    """The intervals of a parameter that one side may draw: list of (low, high), apart from each other."""
    kind, low, high = COMBED[mode][name][:3]
    to, back = _scale(kind)
    low, high = to(low), to(high)
    width = (high - low) / TEETH
    first = SIDES.index(side)
    return [
        (back(low + (k + GAP) * width), back(low + (k + 1 - GAP) * width)) for k in range(first, TEETH, len(SIDES))
    ]


def allowed(mode, name, side, level=None):
    """The teeth of one side within a difficulty (None: the whole reach): list of (low, high), never empty."""
    found = teeth(mode, name, side)
    if level is None:
        return found
    low, high = COMBED[mode][name][3 + LEVELS.index(level)]
    cut = [(max(a, low), min(b, high)) for a, b in found]
    return [(a, b) for a, b in cut if a < b]


def draw(rng, mode, side, level=None, narrowed=None):
    """One value of every parameter.

    Parameters
    ----------
    rng : numpy.random.Generator
    mode : str, one of MODES
    side : "train" | "test"
    level : str, one of LEVELS, or None for the whole reach
    narrowed : dict, optional
        [low, high] in place of the range of a parameter, for one who wants a special world; outside train and test.

    Returns
    -------
    dict name -> float
    """
    check(mode, side, level)
    narrowed = narrowed or {}
    values = {}
    for name, (kind, *_) in COMBED[mode].items():
        parts = [tuple(narrowed[name])] if name in narrowed else allowed(mode, name, side, level)
        values[name] = _from_parts(rng, kind, parts)
        if name == "psf_sigma":  # drawn again, not cut: a cut could fall between the teeth
            for _ in range(MAX_DRAWS):
                if values[name] <= WIDEST_BLUR * values["tumour_diameter"]:
                    break
                values[name] = _from_parts(rng, kind, parts)
            else:
                values[name] = min(low for low, _ in parts)
    for name, (kind, low, high) in SHARED[mode].items():
        values[name] = _from_parts(rng, kind, [tuple(narrowed.get(name, (low, high)))])
    return values


def _scale(kind):
    return (math.log, math.exp) if kind == LOG else (float, float)


def _from_parts(rng, kind, parts):
    """A value even over all parts together, in the logarithm where `kind` says so."""
    to, back = _scale(kind)
    spans = [(to(low), to(high)) for low, high in parts]
    place = rng.random() * sum(high - low for low, high in spans)
    for low, high in spans:
        if place <= high - low:
            return float(min(max(back(low + place), back(low)), back(high)))
        place -= high - low
    return float(back(spans[-1][1]))


def known_names(mode):
    """Names of every parameter of a mode."""
    return [*COMBED[mode], *SHARED[mode]]
