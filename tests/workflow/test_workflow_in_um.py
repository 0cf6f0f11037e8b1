"""Tables in um of a sample whose pixel size nobody knows: there is nothing in pixels, so every stage takes them as they are."""

import numpy as np
import pandas as pd
import pytest

from cytocause.fate import find_fates
from cytocause.io import InputDefect
from cytocause.io.settings import check_config, load_schema
from cytocause.measure import measure_cells
from cytocause.prepare import sample
from cytocause.track import finish_tracks, given_tracks, read_given
from tests.workflow.lab import ROOT


def stages(table, **row):
    """movie.json, tracks, cells, events of one given table of population `cells` in the sample `s`."""
    config = check_config({"samples": "samples.tsv"}, load_schema(ROOT / "workflow" / "schemas"), "config.yaml")

    def cfg(stage, **more):
        return {**config[stage], "sample": "s", "population": "cells", "levels": {}, "corrections": [], **more}

    meta = sample.from_tables({"t.csv": table}, {**config["prepare"], "sample": "s", "row": {"frame_interval_min": 2, **row}})[0]
    at = {key: meta[key] for key in ("frames", "time_min", "pixel_size_um", "unit")}
    columns, _ = read_given(given_tracks(table, file="t.csv", sample="s", population="cells", **at), meta, cfg("track"))
    tracks = finish_tracks(columns, meta, cfg("track"))
    cells, _ = measure_cells(tracks, meta, cfg("measure", others=[]))
    return meta, tracks, cells, find_fates(cells, tracks, meta, cfg("fate"))[0]


@pytest.fixture
def table():
    """Track 1 crosses the field to its edge in frame 5, 2 rests in the middle to frame 6, 3 to the last frame, 9."""
    rows = [(1, f, 10.0 + 18 * f, 50.0) for f in range(6)] + [(2, f, 50.0, 40.0) for f in range(7)] + [(3, f, 1.0, 99.0 * (f > 4)) for f in range(10)]
    return pd.DataFrame(rows, columns=["track_id", "frame", "y_um", "x_um"])


def test_tables_in_um_need_no_pixel_size(table):
    meta, tracks, cells, events = stages(table)
    assert (meta["pixel_size_um"], meta["unit"], meta["height"]) == (None, "um", None)
    np.testing.assert_array_equal(tracks[["y_um", "x_um"]], table[["y_um", "x_um"]])
    assert cells.loc[cells["track_id"] == 1, "speed_um_min"].dropna().eq(9.0).all()
    assert events.set_index("track_id")["reason"].to_dict() == {1: "border", 2: "lost", 3: "movie_end"}


def test_they_give_the_same_as_with_one(table):
    of_none, of_one = stages(table), stages(table, pixel_size_um=0.5)
    for name, a, b in zip(("tracks", "cells"), of_none[1:], of_one[1:]):
        pd.testing.assert_frame_equal(a, b, obj=name)
    pd.testing.assert_frame_equal(of_none[3], of_one[3])


def test_masks_beside_them_need_one(table):
    meta, tracks, _, _ = stages(table)
    cfg = check_config({"samples": "samples.tsv"}, load_schema(ROOT / "workflow" / "schemas"), "config.yaml")["measure"]

    class Masks:
        n_frames = 10

    with pytest.raises(InputDefect, match="there are masks, but the pixel size of this sample is unknown"):
        measure_cells(tracks, meta, {**cfg, "sample": "s", "population": "cells", "others": [], "levels": {}}, labels=Masks())
