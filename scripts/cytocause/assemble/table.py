"""The whole experiment as one table: first every trajectory's length is known, then the chosen ones are filled in.

    pass 1, sample by sample   who follows whom, how many time steps   -> time step, choice by max_rows
    pass 2, sample by sample   values of the chosen trajectories       -> table -> variables, design
"""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from cytocause.io import LEVELS, InputDefect, in_unit, progress

from .choice import choose
from .conditions import condition_column, dose_at, same_text
from .design import design, units_of
from .focal import focal_roots
from .steps import Grid, last_by, mean_by, way_since_start
from .trajectories import follow
from .variables import resolve, settle

logger = logging.getLogger("cytocause")

LEFT_OUT_CONTROLS = ("blank", "death_positive")
KEYS = ("track_id", "frame", "y_um", "x_um")
SINCE_START = ("displacement_um", "path_um")


@dataclass
class Sample:
    """One sample: its name, conditions and levels, the movie.json, and how to read its tables when they are needed."""

    name: str
    conditions: dict
    levels: dict
    meta: dict
    failures: list  # of {"population", "failed_at", "reason", "todo"}
    cells: object  # cells(population, columns) -> DataFrame with those of the columns that exist
    tracks: object  # tracks(population) -> DataFrame
    events: object  # events(population) -> DataFrame

    @property
    def unit(self):
        """Unit of its lengths: "um" | "px"."""
        return self.meta.get("unit") or "um"

    @property
    def chip(self):
        """Name of its chip with the levels above it (a tuple), or of the sample where the sheet has no chip."""
        units = units_of(self.name, self.levels)
        return units["chip"] or units["sample"]


def failed_samples(samples):
    """Table of what failed: sample, population, failed_at, reason, todo; no rows when nothing did."""
    rows = [{"sample": sample.name, **failure} for sample in samples for failure in sample.failures]
    columns = ["sample", "population", "failed_at", "reason", "todo"]
    return pd.DataFrame(rows, columns=columns).fillna("").astype(str)


def assemble_table(samples, cfg):
    """Table, variables and design of the experiment.

    samples : list of Sample; cfg : section `assemble` plus populations, conditions, exposures
    Returns (table DataFrame, variables DataFrame, design dict).
    Raises InputDefect: samples in different units, a column nobody has, time steps that do not fit.
    """
    population = cfg["population"] or cfg["populations"][0]
    if population not in cfg["populations"]:
        raise InputDefect(
            f"assemble.population is {population!r}; the populations are {', '.join(cfg['populations'])}.",
            todo="Name one of them, or leave it empty for the first.",
        )
    others = [name for name in cfg["populations"] if name != population]
    conditions = cfg["conditions"]
    exposures = list(dict.fromkeys(row["variable"] for row in cfg["exposures"]))
    names = [condition["name"] for condition in conditions]
    variables = resolve(cfg["variables"], population, others, names, exposures)
    _check_neighbours(variables, cfg)

    kept, left_out = _kept(samples, population, cfg)
    _check_conditions(kept, names)
    # one column, one type: a 0 beside words is a word
    words = {name for name in names if any(isinstance(sample.conditions[name], str) for sample in kept)}
    unit = _one_unit(kept)
    _name_exposures(variables, cfg["exposures"])
    for variable in variables:
        variable["text"] = variable["origin"] == "condition" and variable["name"] in words
        if variable["origin"] == "column" and variable["as"] == variable["name"]:
            variable["as"] = in_unit(variable["as"], unit)

    steps, chosen, counts, n_rows = _plan(kept, population, cfg)
    whole, used, found = _Whole(n_rows), [], set()
    for k, sample in enumerate(progress(kept, len(kept), "assembled samples")):
        if len(chosen[k]):
            columns, there = _fill(sample, population, chosen[k], steps[k], variables, unit, cfg)
            whole.add(columns)
            found |= there
            used.append(sample)
    _check_columns(variables, used, found, population)
    table = whole.table() if used else _no_rows(variables)

    described, warnings = settle(variables, table, unit, conditions)
    plan = _design(used, table, variables, conditions, cfg)
    if len(table) == 0:
        warnings.insert(0, "The table has no rows: every sample failed, was left out, or has only short trajectories.")
    minutes = _step_minutes(kept, steps)
    facts = {
        "unit": cfg["unit"],
        "population": population,
        "length_unit": unit,
        "time_step_frames": _single({s.name: step for s, step in zip(kept, steps)}),
        "time_step_min": minutes,
        "frame_interval_min": _single({s.name: s.meta.get("frame_interval_min") for s in kept}),
        "trajectories": int(table["trajectory"].nunique()),
        "rows": len(table),
        "events": {what: sum(s[what] for s in plan["samples"]) for what in ("death", "division")},
        "left_out": {**left_out, **counts},
        "warnings": warnings,
    }
    return table, pd.DataFrame(described), {**plan, **facts}


# --- what is kept ---------------------------------------------------------------------------------------------------


def _kept(samples, population, cfg):
    """Samples that go on, and how many failed or are controls."""
    failed = [s for s in samples if any(f["population"] in (population, "", None) for f in s.failures)]
    going = [s for s in samples if s not in failed]
    control = []
    if cfg["controls"] == "exclude":
        control = [s for s in going if s.levels.get("control") in LEFT_OUT_CONTROLS]
    return [s for s in going if s not in control], {"failed": len(failed), "control": len(control)}


def _one_unit(samples):
    """The unit of length of all samples."""
    found = {}
    for sample in samples:
        found.setdefault(sample.unit, []).append(sample.name)
    if len(found) > 1:
        raise InputDefect(
            f"Samples {_some(found['um'])} are measured in um, {_some(found['px'])} in px; one table needs one unit.",
            todo="Give pixel_size_um for all samples, or `unknown` for all.",
        )
    return next(iter(found), "um")


def _some(names, most=3):
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _check_conditions(samples, names):
    for sample in samples:
        for name in names:
            value = sample.conditions.get(name)
            if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
                raise InputDefect(
                    f"Sample {sample.name} has no value of the condition {name}.",
                    todo="Fill it in in the sample sheet, with the reference level where nothing was done.",
                )


def _check_neighbours(variables, cfg):
    for variable in variables:
        if variable["of"] and variable["of"] not in cfg["populations"]:
            raise InputDefect(
                f"assemble.variables: {variable['as']} is of population {variable['of']!r}; "
                f"the populations are {', '.join(cfg['populations'])}.",
                todo="Name one of them.",
            )
        if variable["of"] and not cfg["neighbours_um"]:
            raise InputDefect(
                f"assemble.variables: {variable['as']} is a mean over neighbours, and assemble.neighbours_um is not set.",
                todo="Set the radius.",
            )


def _check_columns(variables, samples, found, population):
    """A measured variable that no sample has is a mistake in the config."""
    for variable in variables:
        if variable["origin"] == "column" and samples and variable["as"] not in found:
            whose = variable["of"] or population
            columns = getattr(samples[0].cells, "columns", None)
            have = f"; sample {samples[0].name} has {', '.join(columns(whose))}" if columns else ""
            raise InputDefect(
                f"assemble.variables names the column {variable['name']}, which no cells.parquet of {whose} has{have}.",
                todo="Name one of its columns.",
            )


class _Whole:
    """The table of all samples, filled sample by sample: one sample's columns are all that is held twice.

    n_rows : rows of the whole table, known from pass 1
    """

    def __init__(self, n_rows):
        self.n_rows, self.filled, self.columns = n_rows, 0, {}

    def add(self, part):
        """Append a sample's columns, dict of arrays of one length; levels that only some samples have are blank elsewhere."""
        rows = slice(self.filled, self.filled + len(part["time_step"]))
        for name, values in part.items():
            column = self.columns.get(name)
            if column is None:
                column = np.empty(self.n_rows, values.dtype)
                if name in LEVELS:
                    column[: self.filled] = ""
            elif column.dtype != values.dtype:
                column = column.astype(np.result_type(column, values))
            column[rows] = values
            self.columns[name] = column
        for name in self.columns.keys() - part.keys():
            self.columns[name][rows] = ""
        self.filled = rows.stop

    def table(self):
        """As one DataFrame, level columns last."""
        names = [name for name in self.columns if name not in LEVELS]
        names += [level for level in LEVELS if level in self.columns]
        return pd.DataFrame({name: self.columns[name][: self.filled] for name in names}, copy=False)


# --- pass 1 ---------------------------------------------------------------------------------------------------------


def _plan(samples, population, cfg):
    """Frames per time step and the chosen trajectories of each sample, how many were left out, and the rows of those that stay."""
    settings = {key: cfg[key] for key in ("after_division", "keep_after_division", "keep_after_death")}
    skeletons = [_skeleton(sample, population, cfg) for sample in samples]

    def lengths_at(steps):
        return [_follow(skeleton, step, settings).lengths() for skeleton, step in zip(skeletons, steps)]

    candidates = [[cfg["time_step"]] * len(samples)]
    if cfg["time_step_min"]:
        candidates = [[_frames_per_step(sample, cfg["time_step_min"]) for sample in samples]]
    else:
        _same_interval(samples)
        if cfg["time_step"] == "auto":
            candidates = [[k] * len(samples) for k in range(1, cfg["max_time_step"] + 1)]
    for steps in candidates:
        lengths = lengths_at(steps)
        total = sum(int(n[n >= cfg["min_length"]].sum()) for n in lengths)
        if cfg["max_rows"] is None or total <= cfg["max_rows"]:
            break
    names, sizes, chips, places = [], [], [], []
    for k, (sample, skeleton, mine) in enumerate(zip(samples, skeletons, lengths)):
        roots = _follow(skeleton, steps[k], settings).root
        for number in np.flatnonzero(mine >= cfg["min_length"]):
            names.append(f"{sample.name}:{roots[number]}")
            sizes.append(int(mine[number]))
            chips.append(sample.chip)
            places.append((k, int(number)))
    stay = choose(names, sizes, chips, cfg["max_rows"], cfg["choose"])
    chosen = [[] for _ in samples]
    for n in stay:
        chosen[places[n][0]].append(places[n][1])
    counts = {"short": int(sum(np.sum(n < cfg["min_length"]) for n in lengths)), "max_rows": len(names) - len(stay)}
    return steps, chosen, counts, sum(sizes[n] for n in stay)


def _skeleton(sample, population, cfg):
    """What `follow` needs of one sample, without its features."""
    unit = sample.unit
    keys = [in_unit(name, unit) for name in KEYS]
    cells = sample.cells(population, keys)
    missing = [name for name in keys if name not in cells]
    if missing:
        raise InputDefect(
            f"The cells of {population} in sample {sample.name} have no column {missing[0]}.",
            todo="Run measure again, or complete the given table.",
        )
    tracks = sample.tracks(population)
    events = sample.events(population)
    track, frame = cells["track_id"].to_numpy(np.int64), cells["frame"].to_numpy(np.int64)
    position = cells[keys[2:]].to_numpy(float) - _drift(frame, sample.meta)
    parents = dict(zip(tracks["track_id"].tolist(), tracks["parent_id"].tolist())) if "parent_id" in tracks else {}
    first_of = {}
    for event in ("division", "death"):
        rows = events[events["event"] == event]
        first_of[event] = rows.groupby("track_id")["frame"].min().astype(int).to_dict()
    roots = None
    if cfg["unit"] == "focal":
        roots = focal_roots(sample.name, track, frame, position, parents, cfg["focal"]) if len(track) else []
    frames = sample.meta.get("frames") or [0]
    return {
        "track": track,
        "frame": frame,
        "position": position,
        "parents": parents,
        "events": first_of,
        "movie_last": int(max(frames)),
        "roots": roots,
    }


def _follow(skeleton, step, settings):
    return follow(
        *(skeleton[key] for key in ("track", "frame", "position", "parents", "events")),
        step=step,
        movie_last=skeleton["movie_last"],
        settings=settings,
        roots=skeleton["roots"],
    )


def _drift(frame, meta):
    """Stage drift per row, in the sample's unit."""
    drift = np.asarray(meta.get("drift_px") or [], float).reshape(-1, 2)
    if len(drift) == 0 or len(drift) != len(meta.get("frames") or []):
        return np.zeros((len(frame), 2))
    scale = float(meta.get("pixel_size_um") or 1.0) if meta.get("unit") == "um" else 1.0
    table = np.zeros((int(max(meta["frames"])) + 1, 2))
    table[meta["frames"]] = np.nan_to_num(drift) * scale
    return table[np.clip(frame, 0, len(table) - 1)]


def _frames_per_step(sample, minutes):
    """Whole frames in a time step of that many minutes."""
    interval = sample.meta.get("frame_interval_min")
    if not interval:
        raise InputDefect(
            f"assemble.time_step_min is {minutes:g}, and sample {sample.name} has no frame interval.",
            todo="Give frame_interval_min in the sample sheet.",
        )
    frames = max(1, round(minutes / interval))
    if abs(frames * interval - minutes) > 0.01 * minutes:
        raise InputDefect(
            f"assemble.time_step_min is {minutes:g}, which is no whole number of frames of {interval:g} min in sample {sample.name}.",
            todo="Choose a common multiple of the samples' frame intervals.",
        )
    return frames


def _same_interval(samples):
    known = [(s.meta.get("frame_interval_min"), s.name) for s in samples if s.meta.get("frame_interval_min")]
    if known and max(known)[0] > 1.01 * min(known)[0]:
        raise InputDefect(
            f"Sample {max(known)[1]} has a frame every {max(known)[0]:g} min, sample {min(known)[1]} every {min(known)[0]:g} min; "
            "one table needs one time step.",
            todo="Set assemble.time_step_min to a common multiple.",
        )


def _step_minutes(samples, steps):
    found = [s.meta["frame_interval_min"] * step for s, step in zip(samples, steps) if s.meta.get("frame_interval_min")]
    return float(np.median(found)) if found else None


def _single(by_name):
    """The one value of all, or the dict when they differ."""
    values = list(by_name.values())
    return values[0] if values and all(value == values[0] for value in values) else by_name or None


# --- pass 2 ---------------------------------------------------------------------------------------------------------


def _fill(sample, population, chosen, step, variables, unit, cfg):
    """Columns of the chosen trajectories of one sample, and the names of the measured variables that it has."""
    settings = {key: cfg[key] for key in ("after_division", "keep_after_division", "keep_after_death")}
    skeleton = _skeleton(sample, population, cfg)
    followed = _follow(skeleton, step, settings).select(chosen)
    wanted = [in_unit(v["name"], unit) for v in variables if v["origin"] == "column" and not v["of"]]
    cells = sample.cells(population, list(dict.fromkeys(wanted)))
    frame = skeleton["frame"][followed.row]
    grid = Grid(followed.member, frame, followed.first, followed.last, step)
    place = np.column_stack([grid.per_frame(skeleton["position"][followed.row, k]) for k in (0, 1)])
    merged = len(np.unique(skeleton["track"][followed.row])) > len(followed.root)
    way = dict(zip(SINCE_START, way_since_start(grid.slot_member, *place.T))) if merged else {}

    names = np.array([f"{sample.name}:{root}" for root in followed.root], object)
    columns = {"trajectory": names[grid.trajectory], "time_step": grid.time_step.astype(np.int32)}
    found, n = set(), grid.n_rows
    for variable in variables:
        name = variable["as"]
        if variable["origin"] == "condition":
            columns[name] = condition_column(sample.conditions[variable["name"]], n, variable["text"])
        elif variable["origin"] == "exposure":
            rows = [r for r in cfg["exposures"] if r["sample"] == sample.name and r["variable"] == variable["name"]]
            columns[name] = dose_at(rows, _frame_times(sample.meta, grid.time_step, step), cfg["aggregate"])
        elif variable["origin"] == "state":
            columns[name] = grid.state(followed.death if variable["name"] == "death" else followed.division)
        elif variable["of"]:
            values = _neighbours(sample, variable, skeleton, followed, grid, unit, population, cfg)
            columns[name] = np.full(n, np.nan) if values is None else grid.per_step(values, cfg["aggregate"])
            found |= set() if values is None else {name}
        elif variable["name"] in way:
            columns[name] = grid.per_step(way[variable["name"]], cfg["aggregate"])
            found.add(name)
        else:
            source = in_unit(variable["name"], unit)
            columns[name] = _column(cells, source, variable, followed, grid, cfg["aggregate"])
            found |= {name} if source in cells else set()
    columns["sample"] = same_text(sample.name, n)
    for level in LEVELS:
        if sample.levels.get(level) not in (None, ""):
            columns[level] = same_text(str(sample.levels[level]), n)
    return columns, found


def _column(cells, source, variable, followed, grid, aggregate):
    """One measured column on the table's rows; text and discrete ones keep a value that occurred."""
    if source not in cells:
        return np.full(grid.n_rows, np.nan)
    values = cells[source].to_numpy()[followed.row]
    if values.dtype.kind not in "fiub":
        codes, words = pd.factorize(values, sort=True)
        picked = _last_occurring(np.where(codes < 0, np.nan, codes).astype(float), grid)
        text = np.full(grid.n_rows, None, object)
        known = ~np.isnan(picked)
        text[known] = np.asarray(words, object)[picked[known].astype(int)]
        return text
    if variable["kind"] == "discrete" or values.dtype.kind == "b":
        return _last_occurring(values.astype(float), grid)
    return grid.per_step(grid.per_frame(values.astype(float)), aggregate)


def _last_occurring(values, grid):
    """The last value of each time step; where a trajectory is several cells, that of the first of them."""
    per_frame = last_by(grid.slot, -np.arange(len(values)), values, len(grid.slot_frame))
    return grid.per_step(per_frame, "last")


def _frame_times(meta, time_step, step):
    """Minutes of every frame of each time step, (rows, step)."""
    frames = time_step[:, None] * step + np.arange(step)
    numbers, times = meta.get("frames") or [], meta.get("time_min") or []
    if len(numbers) >= 2 and len(times) == len(numbers):
        interval = float(meta.get("frame_interval_min") or np.median(np.diff(times) / np.diff(numbers)))
        inside = np.interp(frames, numbers, times)
        behind = times[-1] + (frames - numbers[-1]) * interval
        return np.where(frames > numbers[-1], behind, inside)
    return frames * float(meta.get("frame_interval_min") or 1.0)


def _neighbours(sample, variable, skeleton, followed, grid, unit, population, cfg):
    """Mean of a column over the other population's cells near each slot's place; None when the column is absent."""
    source = in_unit(variable["name"], unit)
    keys = [in_unit(name, unit) for name in KEYS]
    cells = sample.cells(variable["of"], [*keys, source])
    if source not in cells:
        return None
    frame = cells["frame"].to_numpy(np.int64)
    there = cells[keys[2:]].to_numpy(float) - _drift(frame, sample.meta)
    values = cells[source].to_numpy(float)
    place = np.column_stack([grid.per_frame(skeleton["position"][followed.row, k]) for k in (0, 1)])
    own = None
    if variable["of"] == population:  # a cell is not its own neighbour: rows by slot
        own = {}
        for slot, row in zip(grid.slot.tolist(), followed.row.tolist()):
            own.setdefault(slot, set()).add(row)
    pairs_slot, pairs_row = [np.zeros(0, int)], [np.zeros(0, int)]
    for f in np.intersect1d(grid.slot_frame, frame):
        here, rows = np.flatnonzero(grid.slot_frame == f), np.flatnonzero(frame == f)
        near = cKDTree(place[here]).sparse_distance_matrix(cKDTree(there[rows]), cfg["neighbours_um"], output_type="ndarray")
        pairs_slot.append(here[near["i"]])
        pairs_row.append(rows[near["j"]])
    slot, row = np.concatenate(pairs_slot), np.concatenate(pairs_row)
    if own is not None:
        other = np.array([r not in own.get(s, ()) for s, r in zip(slot.tolist(), row.tolist())], bool)
        slot, row = slot[other], row[other]
    return mean_by(slot, values[row], len(grid.slot_frame))


# --- around the table -----------------------------------------------------------------------------------------------


def _name_exposures(variables, rows):
    """Units and meaning of the exposures; InputDefect when one has two units."""
    for variable in variables:
        if variable["origin"] != "exposure":
            continue
        units = sorted({str(row["unit"]) for row in rows if row["variable"] == variable["name"]})
        if len(units) > 1:
            raise InputDefect(
                f"The exposure {variable['name']} is given in {' and '.join(units)}; one variable needs one unit.",
                todo="Convert the doses in the exposures sheet.",
            )
        variable["unit"] = units[0] if units else ""
        variable["meaning"] = "Dose at that time, 0 outside the exposures"


def _no_rows(variables):
    whole = {"trajectory": "object", "time_step": "int32", "sample": "object"}
    kinds = {v["as"]: "int64" if v["origin"] == "state" else "float64" for v in variables}
    names = ["trajectory", "time_step", *kinds, "sample"]
    return pd.DataFrame({name: pd.Series([], dtype=whole.get(name) or kinds[name]) for name in names})


def _design(samples, table, variables, conditions, cfg):
    """design.json's counts from the finished table."""
    state = {v["name"]: v["as"] for v in variables if v["origin"] == "state"}
    rows = table.groupby("sample", sort=False)
    counted = []
    for sample in samples:
        mine = rows.get_group(sample.name)
        counted.append(
            {
                "sample": sample.name,
                "conditions": {c["name"]: sample.conditions[c["name"]] for c in conditions},
                "levels": {k: v for k, v in sample.levels.items() if v not in (None, "")},
                "trajectories": int(mine["trajectory"].nunique()),
                "rows": len(mine),
                **{
                    what: int(mine.loc[mine[state[what]] == 1, "trajectory"].nunique()) if what in state else 0
                    for what in ("death", "division")
                },
            }
        )
    return design(counted, conditions, cfg["alpha"])
