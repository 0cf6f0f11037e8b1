"""Many chips without a pixel: the same cells, the true variables, one table for the inference.

    trajectory   time_step  treatment  CAF_presence  area_um2 ... n_immune_r1  division  death
    chip_01:7            0          1             0     181.2               1         0      0

A trajectory is a tumour cell. After its division it goes on for a few steps as the mean of its daughters, after the onset
of its death for a few steps as its body, so that the states 0 -> 1 are in the table (as `assemble` does).
"""

import numpy as np
import pandas as pd

from .chip import SimulatedChip

FEATURES = ("area_um2", "eccentricity", "speed_um_min", "n_immune_r1", "n_immune_r2")


def design(conditions, chips):
    """`chips` chips over all combinations of 0/1 conditions, as even as possible: list of dicts."""
    n = 2 ** len(conditions)
    return [{name: (k % n >> b) & 1 for b, name in enumerate(conditions)} for k in range(int(chips))]


def simulate_table(
    model, chips, seed, cfg, *, features=FEATURES, cells_per_chip=None, keep_after_division=3, keep_after_death=3, min_length=5
):
    """True variables of simulated chips as one table.

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
        Columns of SimulatedChip.variables to keep.
    cells_per_chip : int, optional
        Trajectories kept per chip, in an order drawn from the seed; default all.
    keep_after_division, keep_after_death : int
        Time steps kept from the event on.
    min_length : int
        Shorter trajectories are left out.

    Returns
    -------
    DataFrame: trajectory (string "chip:track"), time_step (int32, frame), conditions, features, division, death (int64 states)
    """
    chips = design(model.contextual(), chips) if isinstance(chips, (int, np.integer)) else list(chips)
    parts = []
    for number, conditions in enumerate(chips):
        chip = SimulatedChip(model, {**cfg, "seed": int(seed)}, f"chip_{number + 1:02d}", conditions)
        parts += chip_trajectories(chip, features, cells_per_chip, keep_after_division, keep_after_death, min_length)
    names = ["trajectory", "time_step", *model.contextual(), *features, "division", "death"]
    if not parts:
        return pd.DataFrame({name: [] for name in names})
    return pd.concat(parts, ignore_index=True)[names]


def chip_trajectories(chip, features, cells_per_chip, keep_after_division, keep_after_death, min_length):
    """Trajectories of one chip: list of DataFrames."""
    rows = chip.variables()
    events = chip.events()
    events = events[events["population"] == "tumour"]
    onset = dict(events.loc[events["event"] == "death", ["track_id", "frame"]].itertuples(index=False))
    split = dict(events.loc[events["event"] == "division", ["track_id", "frame"]].itertuples(index=False))
    daughters = {}
    for track, parent in chip.history.parents["tumour"].items():
        daughters.setdefault(parent, []).append(track)
    by_track = dict(iter(rows.groupby("track_id", sort=True)))
    out = []
    for track, own in by_track.items():
        table = own[["frame", *features]]
        if track in split:
            after = pd.concat([by_track[d] for d in daughters.get(track, []) if d in by_track])
            after = after[after["frame"] < split[track] + keep_after_division]
            table = pd.concat([table, after.groupby("frame", as_index=False)[list(features)].mean()])
        if track in onset:
            table = table[table["frame"] < onset[track] + keep_after_death]
        if len(table) < min_length:
            continue
        frame = table["frame"].to_numpy()
        table = table.assign(
            trajectory=f"{chip.sample}:{track}",
            time_step=frame.astype("int32"),
            division=(frame >= split.get(track, np.inf)).astype("int64"),
            death=(frame >= onset.get(track, np.inf)).astype("int64"),
            **{name: chip.conditions[name] for name in chip.model.contextual()},
        )
        out.append(table)
    if cells_per_chip is not None and len(out) > cells_per_chip:
        from .seeds import stream

        order = stream(chip.cfg["seed"], chip.sample, "choice").permutation(len(out))[:cells_per_chip]
        out = [out[k] for k in sorted(order)]
    return out
