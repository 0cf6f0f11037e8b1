"""The truth in the form in which a sample sheet gives tracks, events and cells made elsewhere: what the ablation chain swaps in.

    truth/tracks, events, variables (all populations)  ->  tracks, events, cells of one population

Left out is what no measurement could hold: events of cells that were never seen, and variables that no stage measures (hazards, age).
"""

from cytocause.io import describe

KEYS = ("sample", "population", "track_id", "frame")


def given_truth(truth, population):
    """{"tracks", "events", "cells"} of one population.

    Parameters
    ----------
    truth : {"tracks", "events", "variables": DataFrame} as simulate writes them
    population : str
    """
    own = {name: table[table["population"] == population].reset_index(drop=True) for name, table in truth.items()}
    seen = own["events"]["track_id"].isin(own["tracks"]["track_id"].unique())
    variables = own["variables"]
    kept = [name for name in variables.columns if name in KEYS or (describe(name) or {}).get("source") == "measure"]
    return {"tracks": own["tracks"], "events": own["events"][seen].reset_index(drop=True), "cells": variables[kept]}


def without_samples(table, samples):
    """The assembled table without the trajectories ("sample:track") of some samples."""
    name = table["trajectory"].astype(str).str.rsplit(":", n=1).str[0]
    return table[~name.isin(list(samples))].reset_index(drop=True)
