"""Make this example's tracks and events from the released tables of the CausalXtract study. Run once, before snakemake:

    python config/examples/tumor_on_chip/make_inputs.py            # writes results/inputs/tumor_on_chip/<sample>/

Frames count from 1 there and from 0 here. Where the immune tracker missed a cell, it repeated the last position (up to
9 frames, then a jump): those rows are left out here, so that a gap is a gap; `measure.hold_min` keeps counting the cell
at its last place meanwhile, and it has no speed then. Nothing is rescaled: see README.md on the half-scale date.
"""

import os
import sys
from pathlib import Path

import pandas as pd

SOURCE = Path(os.environ.get("CYTOCAUSE_DATA", "../shared/data")) / "tumor_on_chip_causalxtract"
TARGET = Path("results/inputs/tumor_on_chip")


def without_repeats(tracks):
    """Rows whose position differs from that of the row before in the same track, and every track's first row.

    tracks : DataFrame track, frame, x_px, y_px of one region, sorted by track and frame
    """
    same = (tracks[["track", "x_px", "y_px"]].diff() == 0).all(axis=1)
    return tracks[~same]


def track_table(tracks):
    """Our columns, frames from 0: track_id, frame, y_px, x_px."""
    out = tracks.rename(columns={"track": "track_id"})[["track_id", "frame", "y_px", "x_px"]]
    return out.assign(frame=out["frame"] - 1)


def events_of(states, track_id):
    """The first frame of each state of one region as events: population, track_id, event, frame.

    states : DataFrame ID_frame, apoptosis, division (0, then 1)
    """
    rows = []
    for column, event in (("division", "division"), ("apoptosis", "death")):
        frames = states.loc[states[column] == 1, "ID_frame"]
        if len(frames):
            rows.append(("tumour", track_id, event, int(frames.min()) - 1))
    return pd.DataFrame(rows, columns=["population", "track_id", "event", "frame"])


def main(source=SOURCE, target=TARGET):
    tumour, immune, states = (
        pd.read_csv(source / f"{name}.csv.gz") for name in ("tumor_tracks", "immune_tracks", "state_data")
    )
    for region, own in tumour.groupby("roi"):
        folder = target / region.removeprefix("id")
        folder.mkdir(parents=True, exist_ok=True)
        others = immune[immune["roi"] == region].sort_values(["track", "frame"])
        track_table(own.sort_values(["track", "frame"])).to_csv(folder / "tumour.csv", index=False)
        track_table(without_repeats(others)).to_csv(folder / "immune.csv", index=False)
        mine = states[states["IDExp"] == region]
        events_of(mine, int(own["track"].iloc[0])).to_csv(folder / "events.csv", index=False)
    print(f"wrote {tumour['roi'].nunique()} regions to {target}")


if __name__ == "__main__":
    main(target=Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
