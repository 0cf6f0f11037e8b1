"""The microscope's settings: difficulty applied, impossible ones refused before a chip is drawn.

    simulate.difficulty -> ladder (difficulty.py) -> simulate.* and simulate.imaging.*  -> checked -> chip.py
"""

import math

from cytocause.io.errors import InputDefect

from .difficulty import with_difficulty
from .pixels import LARGEST_SIGMA_PX

FLUORESCENCE, BRIGHTFIELD = "fluorescence", "brightfield_chip"
POPULATIONS = ("tumour", "immune", "caf")
STAINS = ("nuclear", "cytoplasmic", "death", "fucci_g1", "fucci_g2")
TWO_DYES = (
    {"name": "tumour", "shows": ["tumour"], "stain": "nuclear", "brightness": 1.0},
    {"name": "immune", "shows": ["immune"], "stain": "nuclear", "brightness": 1.0},
)
BRIGHTFIELD_CHANNEL = "brightfield"
LOWEST_MASK_PX = 6  # a typical cell smaller than this would have no mask at all
WHITE = 65535  # counts of a 16-bit camera


class ImagingError(InputDefect):
    """A setting of the microscope that no image can have."""


def settled(cfg, model=None):
    """Section `simulate` with its difficulty applied and the settings of the microscope checked.

    Parameters
    ----------
    cfg : dict
        Section `simulate` of the config, defaults filled in.
    model : CausalModel, optional
        For what depends on the cells: populations and sizes.

    Returns
    -------
    dict, a copy; imaging["channels"] is a list of {name, shows, stain, brightness} (one channel in brightfield_chip)

    Raises
    ------
    ImagingError
        Names the key and the reason.
    """
    cfg = with_difficulty(cfg)
    imaging = cfg["imaging"] = dict(cfg["imaging"])
    pixel = float(cfg["pixel_size_um"])
    imaging["channels"] = _channels(imaging, model)
    _check_light(imaging, pixel)
    _check_stage(cfg, imaging, pixel)
    if imaging["mode"] == BRIGHTFIELD:
        for name in ("tumour", "immune"):
            radius = imaging["brightfield"][f"{name}_radius_um"] / pixel
            if math.pi * radius**2 < LOWEST_MASK_PX:
                _refuse(
                    f"imaging.brightfield.{name}_radius_um",
                    f"is {radius * pixel:g} um, {radius:.2g} px at {pixel:g} um a pixel, so that no cell would cover {LOWEST_MASK_PX} px",
                    "give a smaller simulate.pixel_size_um or a larger radius",
                )
    return cfg


def _channels(imaging, model):
    given = imaging["channels"]
    if imaging["mode"] == BRIGHTFIELD:
        if given is not None:
            _refuse(
                "imaging.channels",
                f"names {len(given)} dyes, but mode {BRIGHTFIELD} shows one image without a dye",
                f"leave it out (null), or set simulate.imaging.mode to {FLUORESCENCE}",
            )
        return [{"name": BRIGHTFIELD_CHANNEL, "shows": ["tumour", "immune", "caf"], "stain": None, "brightness": 1.0}]
    channels = [dict(one) for one in (TWO_DYES if given is None else given)]
    names = [one["name"] for one in channels]
    for name in names:
        if names.count(name) > 1:
            _refuse("imaging.channels", f"names '{name}' twice", "give every channel a name of its own")
    for one in channels:
        one.setdefault("stain", "nuclear")
        one.setdefault("brightness", 1.0)
        if "caf" in one["shows"] and model is not None and "caf" not in model.populations:
            _refuse(
                "imaging.channels",
                f"shows 'caf' in '{one['name']}', but the model '{model.name}' has no such cells",
                f"show {' or '.join(model.populations)}",
            )
    return channels


def _check_light(imaging, pixel):
    sigma = imaging["psf_sigma_um"] / pixel
    if sigma > LARGEST_SIGMA_PX:
        _refuse(
            "imaging.psf_sigma_um",
            f"is {imaging['psf_sigma_um']:g} um, a blur of {sigma:.2g} px at {pixel:g} um a pixel; nothing beyond {LARGEST_SIGMA_PX:g} px is drawn",
            f"give at most {LARGEST_SIGMA_PX * pixel:g} um",
        )
    if imaging["mode"] == BRIGHTFIELD:
        usual, key = imaging["brightfield"]["medium_photons"], "imaging.brightfield.medium_photons"
    else:
        usual, key = imaging["signal_photons"] + imaging["background_photons"], "imaging.signal_photons"
    counts = imaging["offset"] + imaging["gain"] * usual
    if counts >= WHITE:
        _refuse(
            key,
            f"gives an average pixel {counts:.0f} counts with simulate.imaging.gain {imaging['gain']:g}, but a 16-bit camera ends at {WHITE}",
            "lower the photons or the gain",
        )


def _check_stage(cfg, imaging, pixel):
    side = min(cfg["height"], cfg["width"]) * pixel
    hours = (cfg["n_frames"] - 1) * cfg["frame_interval_min"] / 60
    way = imaging["drift_um_h"] * hours
    if way > 0.5 * side:
        _refuse(
            "imaging.drift_um_h",
            f"moves the stage by {way:.0f} um in {hours:.3g} h, more than half of the {side:.0f} um that a frame shows",
            "lower it or make the movie shorter",
        )
    if imaging["jitter_um"] > 0.1 * side:
        _refuse(
            "imaging.jitter_um",
            f"is {imaging['jitter_um']:g} um, more than a tenth of the {side:.0f} um that a frame shows",
            "lower it",
        )


def _refuse(key, found, todo):
    raise ImagingError(f"simulate.{key} {found}; {todo}")
