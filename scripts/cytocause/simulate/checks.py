"""What a model and an experiment must fulfil together before a chip can live: room for the cells, rates that can be stepped.

    cover of the chip    tumour <= 55 %, everything <= 70 %
    events per frame     at most half of the cells
    over the movie       base rates leave one cell in a hundred; conditions and doses leave a cell at the movie's half

Conditions count as this chip's own (cfg["conditions"]) or, where they are not known, in every combination of 0 and 1.
What changes from cell to cell (size, contact, fitness ...) is left out: check_crowd looks at the living chip.
"""

import itertools
import math
from numbers import Real

import numpy as np

from .model import HAZARDS, ModelError

MOST_TUMOUR, MOST_CELLS = 0.55, 0.70  # of the chip's area that discs can fill and still move
MOST_LIVING = 0.70  # of the area under living tumour cells at any time; beyond it they no longer part, they leave
MOST_PER_MM2 = 6000.0  # living tumour cells: beyond it even nuclei of half a cell touch all their neighbours
MOST_EVENTS = 0.5  # of the cells that may divide, or die, within a frame: beyond it a step is no small step
FEWEST_LEFT = 0.01  # of the cells that a chip must keep if nothing but its base rates acted
EMPTY = 0.5  # cells expected in a chip below which it is taken for empty


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
    density = {"immune": cfg["immune_density_mm2"]}
    if "caf" in model.populations:
        density["caf"] = model.populations["caf"]["density_mm2"]
    covers = {name: n * math.pi * model.populations[name]["diameter_um"] ** 2 / 4e6 for name, n in density.items()}
    cover = tumour + sum(covers.values())
    if cover > MOST_CELLS:
        most = max(covers, key=covers.get)
        key, other = "diameter_um", "simulate.immune_density_mm2"
        if most == "caf":
            key, other = "density_mm2", f"diameter_um ({model.where_population(most, 'diameter_um')})"
        raise ModelError(
            f"{model.where_population(most, key)}: all cells together would cover {100 * cover:.0f} % of the chip, {100 * covers[most]:.0f} % of "
            f"it by population '{most}' ({density[most]:g} cells per mm2 of {model.populations[most]['diameter_um']:g} um), but at most 70 % "
            f"can be filled; lower {key} or {other}"
        )
    side = min(cfg["height"], cfg["width"]) * cfg["pixel_size_um"]
    if side < 2 * math.sqrt(reference / math.pi):
        raise ModelError(
            f"{model.where('size', 'reference')}: a nucleus of {reference:g} um2 does not fit into a field of {side:.3g} um; "
            "enlarge simulate.height and width, or lower the reference of 'size'"
        )
    _check_rates(model, cfg)


def _check_rates(model, cfg):
    """Refuse rates that empty or overfill the chip at once, or long before its movie ends. Raises ModelError."""
    dt, hours = cfg["frame_interval_min"] / 60, cfg["n_frames"] * cfg["frame_interval_min"] / 60
    base = {name: model.variables[name].values["per_hour"] for name in ("mitosis", "death")}
    for name, rate in base.items():
        if -math.expm1(-rate * dt) > MOST_EVENTS:
            raise ModelError(
                f"{model.where(name, 'per_hour')}: the hazard '{name}' of {rate:g} per hour happens to more than half of the cells "
                f"within one frame of {60 * dt:g} min: the chip would empty or overfill at once; lower per_hour"
            )
    net = base["death"] - base["mitosis"]
    if net * hours > -math.log(FEWEST_LEFT):
        raise ModelError(
            f"{model.where('death', 'per_hour')}: a death rate of {net:g} per hour above the rate of 'mitosis' leaves fewer than one "
            f"cell in a hundred after the movie's {hours:.3g} h: the chip empties; lower per_hour or simulate.n_frames"
        )
    for levels, effects in _acting(model, cfg):
        _check_acting(model, cfg, base, levels, effects)


def _check_acting(model, cfg, base, levels, effects):
    """The same for one combination of the conditions: levels, dict name -> float; effects, list of (edge, added to ln rate)."""
    dt, number = cfg["frame_interval_min"] / 60, round(cfg["tumour_density_mm2"] * area_um2(cfg) * 1e-6)
    at = f" (with {', '.join(f'{name} = {level:g}' for name, level in levels.items())})" if levels else ""
    for name, does, makes in (("mitosis", "divide", "overfill"), ("death", "die", "empty")):
        rate = np.max(_rate(base[name], [effect for edge, effect in effects if edge.target == name]))
        if -math.expm1(-rate * dt) > MOST_EVENTS:
            edge, _ = max((pair for pair in effects if pair[0].target == name), key=lambda pair: np.max(pair[1]))
            raise ModelError(
                f"{model.where_edge(edge)}: the edge {edge.source} -> {name} brings the hazard '{name}' of a chip{at} to {rate:.3g} per hour: "
                f"more than half of its cells would {does} within one frame of {60 * dt:g} min and the chip {makes} at once; lower the "
                f"strength of the edge or per_hour of '{name}'"
            )
    half = int(cfg["n_frames"]) // 2
    lost = _lost(base, effects, half)
    if number and lost > _lost(base, [], half) and math.log(number) - lost * dt < math.log(EMPTY):
        edge, _ = min(effects, key=lambda pair: _lost(base, [other for other in effects if other is not pair], half))
        raise ModelError(
            f"{model.where_edge(edge)}: the edge {edge.source} -> {edge.target} lets a chip{at} lose its {number} cells within {half * dt:.3g} h, "
            "before half of its movie: the chip is empty; lower the strength of the edge, per_hour of 'death' or simulate.n_frames"
        )


def _acting(model, cfg):
    """What conditions and doses add to the hazards: one (levels, effects) for each combination of the conditions' levels.

    levels : dict, condition -> float. This chip's own (cfg["conditions"]) where they are known, otherwise every combination of 0 and 1.
    effects : list of (edge, float or (frames,) float64 of its frames), added to the logarithm of the hazard
    """
    from .cells import form_value

    edges = [edge for edge in model.edges if edge.target in HAZARDS and edge.strength > 0]
    names = [name for name in model.contextual() if any(edge.source == name for edge in edges)]
    given = cfg.get("conditions") or {}
    levels = [(float(given[name]),) if isinstance(given.get(name), Real) else (0.0, 1.0) for name in names]
    minutes = np.arange(int(cfg["n_frames"])) * cfg["frame_interval_min"]
    for chosen in itertools.product(*levels):
        level, effects = dict(zip(names, chosen)), []
        for edge in edges:
            if edge.source in level:
                cause = np.float64(level[edge.source])
            elif model.variables[edge.source].kind == "exogenous":
                cause = _course(model, cfg, edge.source, minutes - edge.lag_min)
            else:
                continue
            effect = edge.sign * edge.strength * form_value(edge.form, cause, edge.half, edge.centre)
            if np.any(effect):
                effects.append((edge, effect))
        yield level, effects


def _course(model, cfg, name, minutes):
    """Dose of an exogenous variable at some times: (n,) float64."""
    spans = model.variables[name].schedule
    if "exposures" in cfg:
        spans = [(row["start_min"], row["end_min"], row["dose"]) for row in cfg["exposures"] if row["variable"] == name]
    return sum((dose * ((minutes >= start) & (minutes < end)) for start, end, dose in spans), np.zeros(minutes.size))


def _rate(per_hour, effects):
    """Rate per hour of a hazard under some effects: float or (frames,) float64."""
    return per_hour * np.exp(np.minimum(sum(effects, 0.0), 700.0))  # exp(700) is the largest that a float holds


def _lost(base, effects, frames):
    """Deaths less divisions per cell over the first frames, in frames times 1/h: float."""
    rates = {name: _rate(base[name], [effect for edge, effect in effects if edge.target == name]) for name in HAZARDS}
    net = rates["death"] - rates["mitosis"]
    return float(np.sum(net[:frames]) if np.ndim(net) else net * frames)


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
