"""Many chips without a pixel: the same cells, the true variables, one table for the inference.

    trajectory   time_step  treatment  CAF_presence  area_um2 ... n_immune_r1  division  death
    chip_01:7            0          1             0     181.2               1         0      0

A trajectory is a tumour cell. After its division it goes on for a few steps as the mean of its daughters, after the onset
of its death for a few steps as its body, so that the states 0 -> 1 are in the table (as `assemble` does).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .cells import dose_at, run_chip
from .seeds import stream
from .truths import contact_intervals, frame_numbers, hidden_columns, stacked

FEATURES = ("area_um2", "eccentricity", "speed_um_min", "n_immune_r1", "n_immune_r2")


@dataclass
class World:
    """Several chips of one model.

    table : DataFrame, what an inference may see; see simulate_table
    hidden : DataFrame, trajectory, time_step and the variables that nobody sees, row by row beside `table`
    design : DataFrame, one row per chip: sample, date and the conditions
    contacts : DataFrame, see truths.contact_intervals
    """

    table: pd.DataFrame
    hidden: pd.DataFrame
    design: pd.DataFrame
    contacts: pd.DataFrame


def design(conditions, chips):
    """`chips` chips over all combinations of 0/1 conditions, as even as possible: list of dicts."""
    n = 2 ** len(conditions)
    return [{name: (k % n >> b) & 1 for b, name in enumerate(conditions)} for k in range(int(chips))]


def simulate_table(model, chips, seed, cfg, **settings):
    """True variables of simulated chips as one table; settings as for simulate_world.

    Returns
    -------
    DataFrame: trajectory (string "chip:track"), time_step (int32, frame), conditions, doses, features, division, death (int64 states)
    """
    return simulate_world(model, chips, seed, cfg, **settings).table


def simulate_world(
    model, chips, seed, cfg, *, features=FEATURES, cells_per_chip=None, keep_after_division=3, keep_after_death=3, min_length=5, dates=1
):
    """Simulated chips as tables.

    Parameters
    ----------
    model : CausalModel
    chips : int or list of dict
        Number of chips, spread evenly over all combinations of the model's conditions (0/1), or the conditions of each chip.
    seed : int
        Takes the place of cfg["seed"].
    cfg : dict
        Section `simulate` of the config.
    features : sequence of str
        Columns of truths.variables to keep.
    cells_per_chip : int, optional
        Trajectories kept per chip, in an order drawn from the seed; default all.
    keep_after_division, keep_after_death : int
        Time steps kept from the event on.
    min_length : int
        Shorter trajectories are left out.
    dates : int
        Days over which the chips are spread; each takes whole blocks of the conditions' combinations.

    Returns
    -------
    World
    """
    chips = design(model.contextual(), chips) if isinstance(chips, (int, np.integer)) else list(chips)
    block = 2 ** len(model.contextual())
    hidden = list(hidden_columns(model).items())
    keys, seen, unseen, contacts, rows = [], [], [], [], []
    for number, conditions in enumerate(chips):
        sample, date = f"chip_{number + 1:02d}", f"date_{number // block % int(dates) + 1}"
        own = {**cfg, "seed": int(seed), "date": date}
        history = run_chip(model, own, sample, conditions)
        rows.append({"sample": sample, "date": date, **{name: conditions[name] for name in model.contextual()}})
        contacts.append(contact_intervals(history.touches, sample, cfg["frame_interval_min"]))
        frames = history.tumour
        names = [*features, *(key for _, key in hidden if key not in history.constants)]
        values = np.column_stack([stacked(frames, name).astype(float) for name in names])
        key, values = _trajectories(history, values, keep_after_division, keep_after_death, min_length)
        chosen = _choice(key["track"], cells_per_chip, seed, sample)
        key, values = {name: column[chosen] for name, column in key.items()}, values[chosen]
        n = key["track"].size
        known = {**{name: values[:, k] for k, name in enumerate(names)}, **{c: np.full(n, v) for c, v in history.constants.items()}}
        keys.append({"trajectory": [f"{sample}:{track}" for track in key["track"]], "time_step": key["frame"].astype("int32")})
        given = {name: np.full(n, conditions[name]) for name in model.contextual()}
        minutes = key["frame"] * float(cfg["frame_interval_min"])
        given |= {name: _course(model, own, name, minutes) for name in model.of_kind("exogenous")}
        states = {name: key[name].astype("int64") for name in ("division", "death")}
        seen.append({**given, **{name: known[name] for name in features}, **states})
        unseen.append({column: known[key_] for column, key_ in hidden})
    return World(_joined(keys, seen), _joined(keys, unseen), pd.DataFrame(rows), pd.concat(contacts, ignore_index=True))


def _joined(keys, parts):
    """Tables of all chips below each other."""
    both = [{**key, **part} for key, part in zip(keys, parts)]
    out = pd.DataFrame({name: np.concatenate([part[name] for part in both]) for name in both[0]})
    return out.astype({"trajectory": object})


def _course(model, cfg, name, minutes):
    """Dose of an exogenous variable at some times."""
    spans = model.variables[name].schedule
    if "exposures" in cfg:
        spans = [(row["start_min"], row["end_min"], row["dose"]) for row in cfg["exposures"] if row["variable"] == name]
    return np.array([dose_at(spans, minute) for minute in minutes], float)


def _trajectories(history, values, keep_after_division, keep_after_death, min_length):
    """Rows of one chip in the order of trajectory and frame.

    history : History; values : (rows, k) float64, beside its tumour rows
    Returns {"track", "frame", "division", "death"}: (m,) int64, and (m, k) float64.
    """
    frames = history.tumour
    track, frame = stacked(frames, "track_id"), frame_numbers(frames)
    most = int(track.max(initial=0)) + 1
    never = len(frames) + keep_after_death + keep_after_division
    onset, split = np.full(most, never), np.full(most, never)
    for population, number, event, at, _ in history.events:
        if population == "tumour" and event != "censored":
            (onset if event == "death" else split)[number] = at
    mother = np.zeros(most, np.int64)
    for number, parent in history.parents["tumour"].items():
        mother[number] = parent
    mother[(mother > 0) & (split[mother] == never)] = 0
    own = frame < onset[track] + keep_after_death
    after = (mother[track] > 0) & (frame < split[mother[track]] + keep_after_division)
    track = np.concatenate([track[own], mother[track[after]]])
    frame = np.concatenate([frame[own], frame[after]])
    values = np.concatenate([values[own], values[after]])
    order = np.lexsort((frame, track))
    track, frame, values = track[order], frame[order], values[order]
    first = np.ones(track.size, bool)
    first[1:] = (np.diff(track) != 0) | (np.diff(frame) != 0)
    group = np.cumsum(first) - 1
    track, frame, values = track[first], frame[first], _means(values, group, int(first.sum()))
    keep = np.bincount(track, minlength=most)[track] >= min_length
    track, frame, values = track[keep], frame[keep], values[keep]
    return {"track": track, "frame": frame, "division": frame >= split[track], "death": frame >= onset[track]}, values


def _means(values, group, n):
    """Means of the rows of each group, missing values left out: (n, k)."""
    here = ~np.isnan(values)
    total, count = np.zeros((n, values.shape[1])), np.zeros((n, values.shape[1]))
    np.add.at(total, group, np.where(here, values, 0.0))
    np.add.at(count, group, here.astype(float))
    return np.where(count > 0, total / np.maximum(count, 1.0), np.nan)


def _choice(track, cells, seed, sample):
    """Rows of the trajectories that are kept: (rows,) bool."""
    known = np.unique(track)
    if cells is None or known.size <= cells:
        return np.ones(track.size, bool)
    return np.isin(track, known[stream(seed, sample, "choice").permutation(known.size)[:cells]])


def columns_seen(model):
    """Columns of the model's cell variables that a movie could show, without repeats."""
    return list(dict.fromkeys(v.observed for v in model.variables.values() if v.kind == "cell" and not v.hidden))


def variables_of(table, model):
    """The variables of a table of simulate_world, as `assemble` describes its own: DataFrame with name, kind, role."""
    roles = {**dict.fromkeys(model.contextual(), "contextual"), **dict.fromkeys(model.of_kind("exogenous"), "exogenous")}
    states = (*model.contextual(), "division", "death")
    rows = []
    for name in table.columns.drop(["trajectory", "time_step"]):
        few = name in states or table[name].nunique() < 5
        rows.append({"name": name, "kind": "discrete" if few else "continuous", "role": roles.get(name, "dynamic")})
    return pd.DataFrame(rows)
