"""The ablation chain run for real: what a level takes for true is the truth, row by row."""

import numpy as np
import pandas as pd

from tests.workflow import lab


def test_each_level_holds_the_truth_that_it_swaps_in(tiny, tmp_path):
    tree = lab.copy_run(tiny, tmp_path / "tree")
    results = tree / "results"
    place = "results/ablation/{}/quiet/tumour/{}.parquet"
    wanted = [place.format("tracks", "tracks"), place.format("fates", "events"), place.format("variables", "cells")]
    lab.run(tree, *wanted)
    truth = {
        name: pd.read_parquet(results / "samples/quiet/simulate/truth" / f"{name}.parquet").query("population == 'tumour'")
        for name in ("tracks", "events", "variables")
    }
    tracks, events, cells = (pd.read_parquet(tree / path) for path in wanted)

    keys = ["track_id", "frame"]
    expected, found = (table.sort_values(keys)[[*keys, "parent_id", "label"]].to_numpy() for table in (truth["tracks"], tracks))
    assert len(found) and np.array_equal(expected, found)

    seen = truth["events"][truth["events"]["track_id"].isin(tracks["track_id"])]
    fates = [set(map(tuple, table.loc[table["event"] != "censored", [*keys, "event"]].to_numpy())) for table in (seen, events)]
    assert fates[0] == fates[1]

    both = cells.merge(truth["variables"], on=keys, suffixes=("", "_true"))
    assert len(both) == len(cells)
    for name in ("area_um2", "eccentricity", "speed_um_min", "n_immune_r1"):
        assert np.allclose(both[name], both[f"{name}_true"], equal_nan=True), name
    assert not {"hazard_death_per_h", "age_min"} & set(cells.columns)
