"""What a model and an experiment must fulfil together before a chip can live: room for the cells, rates that can be stepped.

    cover of the chip    tumour <= 55 %, everything <= 70 %
    events per frame     at most half of the cells
    over the movie       death alone must leave one cell in a hundred
"""

import math

import numpy as np

from .model import ModelError

MOST_TUMOUR, MOST_CELLS = 0.55, 0.70  # of the chip's area that discs can fill and still move
MOST_LIVING = 0.70  # of the area under living tumour cells at any time; beyond it they no longer part, they leave
MOST_PER_MM2 = 6000.0  # living tumour cells: beyond it even nuclei of half a cell touch all their neighbours
FEWEST_LEFT = 0.01  # of the cells that a chip must keep if nothing but its death rate acted


def area_um2(cfg):
    """Area of the field in um2."""
    return cfg["height"] * cfg["width"] * cfg["pixel_size_um"] ** 2


def check_geometry(model, cfg):
    """Refuse a chip whose cells cannot fit or whose rates cannot be stepped. Raises ModelError."""
    reference = model.variables["size"].values["reference"]
    tumour = cfg["tumour_density_mm2"] * reference * 1e-6
    if tumour > MOST_TUMOUR:
        raise ModelError(
            f"{model.where('size', 'reference')}: {cfg['tumour_density_mm2']:g} tumour cells per mm2 of {reference:g} um2 would "
            f"cover {100 * tumour:.0f} % of the chip, but at most 55 % can be filled; lower simulate.tumour_density_mm2 or "
            "the reference of 'size'"
        )
    cover = tumour + cfg["immune_density_mm2"] * np.pi * model.populations["immune"]["diameter_um"] ** 2 / 4e6
    if "caf" in model.populations:
        caf = model.populations["caf"]
        cover += caf["density_mm2"] * np.pi * caf["diameter_um"] ** 2 / 4e6
    if cover > MOST_CELLS:
        raise ModelError(
            f"{model.where()}: all cells together would cover {100 * cover:.0f} % of the chip, but at most 70 % can be filled; "
            "lower simulate.immune_density_mm2 (or the population's diameter_um)"
        )
    side = min(cfg["height"], cfg["width"]) * cfg["pixel_size_um"]
    if side < 2 * math.sqrt(reference / math.pi):
        raise ModelError(
            f"{model.where('size', 'reference')}: a nucleus of {reference:g} um2 does not fit into a field of {side:.3g} um; "
            "enlarge simulate.height and width, or lower the reference of 'size'"
        )
    _check_rates(model, cfg)


def _check_rates(model, cfg):
    hours = cfg["n_frames"] * cfg["frame_interval_min"] / 60
    for name in ("mitosis", "death"):
        rate = model.variables[name].values["per_hour"]
        if rate * cfg["frame_interval_min"] / 60 > 0.5:
            raise ModelError(
                f"{model.where(name, 'per_hour')}: the hazard '{name}' of {rate:g} per hour happens to more than half of the cells "
                f"within one frame of {cfg['frame_interval_min']:g} min: the chip would empty or overfill at once; lower per_hour"
            )
    net = model.variables["death"].values["per_hour"] - model.variables["mitosis"].values["per_hour"]
    if net * hours > -math.log(FEWEST_LEFT):
        raise ModelError(
            f"{model.where('death', 'per_hour')}: a death rate of {net:g} per hour above the rate of 'mitosis' leaves fewer than one "
            f"cell in a hundred after the movie's {hours:.3g} h: the chip empties; lower per_hour or simulate.n_frames"
        )


def check_crowd(model, cfg, area, count, hours):
    """Refuse a chip that has overfilled: `count` living tumour cells of `area` um2 in all after `hours`. Raises ModelError."""
    cover, number = area / area_um2(cfg), count / area_um2(cfg) * 1e6
    if cover > MOST_LIVING or number > MOST_PER_MM2:
        found = f"cover {100 * cover:.0f} % of it" if cover > MOST_LIVING else f"be {number:.0f} cells per mm2"
        raise ModelError(
            f"{model.where('mitosis', 'per_hour')}: the chip overfills: after {hours:.3g} h its living tumour cells would {found}; "
            "lower per_hour of 'mitosis', simulate.tumour_density_mm2 or simulate.n_frames"
        )


def check_conditions(model, sample, conditions):
    """Every condition of the model has a number in the sample: dict name -> float. Raises ModelError."""
    for name in model.contextual():
        if name not in conditions:
            raise ModelError(
                f"sample '{sample}': the model '{model.name}' has the condition '{name}', but the sample gives no value for "
                "it; add a column of that name to the sample sheet"
            )
        if not isinstance(conditions[name], (int, float, np.integer, np.floating)):
            raise ModelError(
                f"sample '{sample}': the condition '{name}' is '{conditions[name]}'; the model '{model.name}' needs a number "
                "(0 without, 1 with)"
            )
    return {name: float(conditions[name]) for name in model.contextual()}
