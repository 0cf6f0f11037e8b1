"""The difficulty ladder: one word for everything that makes a movie harder.

    easy        few sharp bright cells, a frame every 5 min
    medium      as a good day at the microscope
    hard        dense, dim, a quarter of the light out of focus, some cells without dye
    brutal      what one would throw away

A difficulty replaces the keys below and leaves the others (size, frames, seed, mode, channels ...) as they are. Its values lie in
the test teeth of ranges.py, and with a difficulty the seed must be one of scores.
"""

from . import ranges

TYPICAL_DEPTH_UM = 3.0  # of a cell from the focal plane; blur_per_depth times this is the blur that ranges.py calls depth_blur
TYPICAL_TUMOUR_UM2 = 185.0  # area of a nucleus, as in the shipped models
TYPICAL_NUCLEUS_UM = 15.3

_PIXEL_UM = 0.87

# simulate.* for each level, in the order of ranges.LEVELS
_CHIP = {
    "pixel_size_um": (_PIXEL_UM,) * 4,
    "frame_interval_min": (5.0, 10.0, 10.0, 10.0),
    "tumour_density_mm2": (330.0, 443.0, 870.0, 1600.0),
    "immune_density_mm2": (120.0, 200.0, 350.0, 600.0),
}
# simulate.imaging.*
_IMAGING = {
    "psf_sigma_um": tuple(_PIXEL_UM * px for px in (0.72, 1.0, 1.5, 2.05)),
    "blur_per_depth": tuple(_PIXEL_UM * px / TYPICAL_DEPTH_UM for px in (0.3, 0.4, 0.9, 1.4)),
    "halo": (0.06, 0.14, 0.22, 0.31),
    "signal_photons": (1000.0, 450.0, 100.0, 45.0),
    "background_photons": (60.0, 49.5, 20.0, 17.1),
    "brightness_sd": (0.17, 0.32, 0.64, 0.80),
    "unstained": (0.0, 0.01, 0.04, 0.08),
    "read_noise": (3.0, 4.0, 5.0, 6.0),
    "uneven_light": (0.15, 0.25, 0.40, 0.60),
    "crosstalk": (0.01, 0.03, 0.06, 0.10),
    "debris": (60.0, 150.0, 400.0, 900.0),
    "bleaching_per_h": (0.002, 0.005, 0.010, 0.020),
    "hot_pixels_per_mp": (5.0, 20.0, 60.0, 150.0),
    "jitter_um": (0.1, 0.3, 0.6, 1.0),
    "drift_um_h": (0.2, 0.5, 1.0, 2.0),
    "dropped": (0.0, 0.01, 0.03, 0.06),
    "walls": (0, 1, 1, 2),
}
# simulate.imaging.brightfield.*
_BRIGHTFIELD = {
    "medium_photons": (3000.0, 1400.0, 700.0, 300.0),
    "contrast": (0.80, 0.58, 0.41, 0.28),
    "fibre_contrast": (0.05, 0.12, 0.18, 0.25),
    "defocus_um": (1.8, 4.0, 6.5, 9.0),
    "bubbles_per_mm2": (0.0, 3.0, 8.0, 15.0),
}


def ladder(level):
    """What a difficulty sets: dict of simulate keys, with the nested dicts imaging and imaging["brightfield"]."""
    ranges.check(level=level)
    k = ranges.LEVELS.index(level)
    pick = {name: {key: values[k] for key, values in part.items()} for name, part in (("chip", _CHIP), ("imaging", _IMAGING), ("brightfield", _BRIGHTFIELD))}
    return {**pick["chip"], "imaging": {**pick["imaging"], "brightfield": pick["brightfield"]}}


def with_difficulty(cfg):
    """Section `simulate` with the keys of its difficulty in place: a copy.

    Raises
    ------
    ranges.RangeError
        For an unknown difficulty, or a seed of training: a movie of a difficulty is there to be scored.
    """
    level = cfg.get("difficulty")
    if level is None:
        return dict(cfg)
    ranges.check(side="test", level=level, seed=cfg["seed"])
    new = ladder(level)
    imaging = {**cfg["imaging"], **new["imaging"]}
    imaging["brightfield"] = {**cfg["imaging"].get("brightfield", {}), **new["imaging"]["brightfield"]}
    return {**cfg, **new, "imaging": imaging}


def as_ranges(cfg):
    """The values of a section `simulate` under the names of ranges.COMBED of its mode: dict name -> float.

    The typical tumour cell is that of the shipped models (15.3 um across, in brightfield of tumour_radius_um).
    """
    imaging, pixel = cfg["imaging"], cfg["pixel_size_um"]
    bright = imaging["brightfield"]
    shared = {
        "tumour_cover": cfg["tumour_density_mm2"] * TYPICAL_TUMOUR_UM2 * 1e-6,
        "psf_sigma": imaging["psf_sigma_um"] / pixel,
    }
    if imaging["mode"] == "fluorescence":
        return {
            **shared,
            "tumour_diameter": TYPICAL_NUCLEUS_UM / pixel,
            "depth_blur": imaging["blur_per_depth"] * TYPICAL_DEPTH_UM / pixel,
            "photons": imaging["signal_photons"],
            "brightness_sd": imaging["brightness_sd"],
            "background_ratio": imaging["background_photons"] / imaging["signal_photons"],
            "halo": imaging["halo"],
        }
    return {
        **shared,
        "tumour_diameter": 2.0 * bright["tumour_radius_um"] / pixel,
        "defocus_um": bright["defocus_um"],
        "photons": bright["medium_photons"],
        "contrast": bright["contrast"],
        "fibre_contrast": bright["fibre_contrast"],
    }


def of_training(cfg):
    """What of a section `simulate` models may be trained on: list of texts ("seed 7", "photons 320"), empty for a movie that may be scored."""
    mode = cfg["imaging"]["mode"]
    found = [f"seed {int(cfg['seed'])}"] if int(cfg["seed"]) in ranges.TRAIN_SEEDS else []
    for name, value in as_ranges(cfg).items():
        if any(low <= value <= high for low, high in ranges.teeth(mode, name, "train")):
            found.append(f"{name} {value:g}")
    return found
