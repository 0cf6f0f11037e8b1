"""Divisions, censoring, given events, corrections, the table and the script."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cytocause.fate import find_fates, given_events, lineage
from cytocause.fate.censoring import border_margin, censor_reason
from cytocause.fate.divisions import division_confidence
from cytocause.io import InputDefect, empty_table, read_json, read_table, write_table
from tests.fate.traces import cells_of, meta, trace

SCRIPT = Path(__file__).parents[2] / "scripts" / "fate.py"


def family(seed=0):
    """Track 1 divides at frame 50 into 2 and 3; 4 lives to the end; 5 dies at 40; 6 is lost in frame 30; 7 leaves at the border."""
    rng = np.random.default_rng(seed)
    traces = {1: trace(rng, 50, mitosis_at_end=True), 2: trace(rng, 40), 3: trace(rng, 40), 4: trace(rng, 90)}
    traces |= {5: trace(rng, 90, onset=40), 6: trace(rng, 31), 7: trace(rng, 31)}
    at = {1: (100, 100), 2: (95, 100), 3: (105, 100), 7: (250.0, 100.0)}
    return cells_of(traces, first={2: 50, 3: 50}, parent={2: 1, 3: 1}, at=at)


def fates(cfg, given=(), tables=None):
    events, facts = find_fates(*(tables or family()), meta(), cfg, given=list(given))
    return {(e.track_id, e.event): e for e in events.itertuples()}, events, facts


@pytest.mark.parametrize("segmented", [1, "tcells"])
def test_deaths_are_read_in_the_channel_the_population_was_segmented_in(fate_cfg, segmented):
    cells, tracks = family()
    measured = next(c.removeprefix("intensity_mean_") for c in cells.columns if c.startswith("intensity_mean_"))
    own = {f"intensity_{k}_{measured}": f"intensity_{k}_tcells" for k in ("mean", "sd", "max")}
    cells = cells.rename(columns=own)
    cells["intensity_mean_nuclei"], cells["intensity_sd_nuclei"] = 100.0, 10.0  # another channel, first, where nothing happens
    order = [c for c in cells.columns if not c.endswith("_tcells")] + [c for c in cells.columns if c.endswith("_tcells")]
    info = {**meta(), "channels": ["nuclei", "tcells"]}
    cfg = {**fate_cfg, "population": "immune", "population_channel": segmented}
    events, facts = find_fates(cells[order].assign(population="immune"), tracks, info, cfg)
    assert facts["channel"] == "tcells"
    assert events[events["event"] == "death"]["track_id"].tolist() == [5]


def test_every_track_has_its_fate(fate_cfg):
    found, events, facts = fates(fate_cfg)
    assert found[1, "division"].frame == 50
    assert found[5, "death"].frame == pytest.approx(40, abs=3)
    reasons = {k: e.reason for (k, kind), e in found.items() if kind == "censored"}
    assert reasons == {2: "movie_end", 3: "movie_end", 4: "movie_end", 6: "lost", 7: "border"}
    assert found[6, "censored"].frame == 30
    assert list(events.columns) == ["sample", "track_id", "event", "frame", "time_min", "confidence", "source", "reason"]
    assert [str(t) for t in events.dtypes] == [str(t) for t in empty_table("events").dtypes]
    assert events["time_min"].equals(events["frame"] * 10.0)
    assert (facts["divisions"], facts["deaths"], facts["censored_lost"]) == (1, 1, 1)
    assert events["confidence"].between(0, 1).all()


def test_lineage_needs_two_daughters_and_a_mother():
    track = np.array([1, 1, 2, 3, 4, 5, 6])
    parent = np.array([0, 0, 1, 1, 2, 9, 9])
    assert lineage(track, parent, np.array([0, 1, 2, 3, 4, 5, 6])) == {1: ((2, 3), 2)}


def division_of(**changes):
    mother = {
        "time": 10.0 * np.arange(20),
        "y": np.full(20, 50.0),
        "x": np.full(20, 50.0),
        "area": np.r_[np.full(15, 200.0), np.full(5, 150.0)],
        "sd": np.r_[np.full(15, 4.0), np.full(5, 4.4)],
    }
    sisters = [
        {"time": 200 + 10.0 * np.arange(5), "y": np.full(5, 50.0 + s), "x": np.full(5, 50.0), "area": np.full(5, 90.0), "sd": np.full(5, 4.0)}
        for s in (6, -6)
    ]
    for name, value in changes.items():
        who, what = name.split("_")
        target = mother if who == "mother" else sisters[int(who[1])]
        target[what] = np.full(len(target[what]), value)
    return division_confidence(mother, *sisters, 60.0)


def test_confidence_of_a_division_falls_with_what_does_not_fit():
    good = division_of()
    assert good > 0.9
    assert division_of(s1_area=30.0) < 0.2  # unlike sisters
    assert division_of(s1_y=20.0) < 0.2  # midpoint far off
    assert division_of(mother_area=200.0, mother_sd=4.0) < good  # no rounding before
    assert division_of(mother_area=np.nan) == 0.5  # no masks: the lineage alone


def test_border_margin_and_reasons():
    assert border_margin(3, np.array([]), 100, 200) == 3
    assert border_margin("auto", np.array([np.pi * 25, np.nan]), 100, 200) == pytest.approx(10)
    assert border_margin("auto", np.array([]), 100, 200) == 2
    found = censor_reason(
        np.array([9, 5, 5, 5, 5]),
        np.array([50.0, 1, 50, 50, 50]),
        np.array([50.0, 50, 98, 50, 50]),
        np.array([False, False, False, True, False]),
        movie_last_frame=9,
        height=99,
        width=99,
        margin=2,
    )
    assert found.tolist() == ["movie_end", "border", "border", "border", "lost"]


# ---- given events -----------------------------------------------------------------------------------------------------------


def read(df, file="events.tsv"):
    _, tracks = family()
    extents = tracks.groupby("track_id")["frame"].agg(["min", "max"]).apply(tuple, axis=1).to_dict()
    return given_events(pd.DataFrame(df), file=file, sample="s", population="tumour", extents=extents, frames=list(range(90)))


def test_given_deaths_take_over_deaths_and_leave_divisions(fate_cfg):
    given, warnings = read({"track_id": [4], "event": ["death"], "frame": [33]})
    found, _, _ = fates(fate_cfg, given)
    assert found[4, "death"].source == "given" and found[4, "death"].frame == 33
    assert (5, "death") not in found and found[5, "censored"].reason == "movie_end"
    assert found[1, "division"].source == "auto"
    assert (4, "censored") not in found and not warnings


def test_given_divisions_take_over_and_what_the_lineage_says_else_is_named(fate_cfg):
    given, _ = read({"track_id": [4], "event": ["division"], "frame": [60], "confidence": [0.7]})
    found, _, facts = fates(fate_cfg, given)
    assert found[4, "division"].confidence == 0.7
    assert (1, "division") not in found
    assert any("1 divisions of the lineage are not in the given divisions" in text for text in facts["warnings"])
    assert any("1 given divisions have no daughters in the lineage" in text for text in facts["warnings"])


def test_apoptosis_is_read_as_death_and_events_outside_are_named():
    given, warnings = read({"track_id": [6], "event": ["apoptosis"], "frame": [60]})
    assert given[0]["event"] == "death"
    assert "death of track 6 in frame 60 (seen in 0 to 30)" in warnings[0]


@pytest.mark.parametrize(
    ("df", "row", "text"),
    [
        ({"track_id": [4, 99], "event": ["death"] * 2, "frame": [3, 3]}, 3, "there is no such track"),
        ({"track_id": [4], "event": ["boom"], "frame": [3]}, 2, "expected one of division, death, censored"),
        ({"track_id": [4], "event": ["death"], "frame": [300]}, 2, "the movie has the frames 0 to 89"),
        ({"track_id": [4, 4], "event": ["death"] * 2, "frame": [3, 5]}, 3, "twice"),
        ({"track_id": [4], "event": ["death"], "frame": [3], "confidence": [7]}, 2, "expected 0 to 1"),
    ],
)
def test_a_defect_of_given_events_names_file_and_row(df, row, text):
    with pytest.raises(InputDefect, match=text) as caught:
        read(df)
    assert f"events.tsv, row {row}" in str(caught.value)


def test_an_absent_column_of_given_events_is_named():
    with pytest.raises(InputDefect, match="The column event is absent"):
        read({"track_id": [4], "frame": [3]})


# ---- corrections ------------------------------------------------------------------------------------------------------------


def corrected(fate_cfg, *rows, given=()):
    names = ("action", "track_id", "frame")
    rows = [{**dict(zip(names, row)), "population": "tumour"} for row in rows]
    return fates({**fate_cfg, "corrections": rows}, given)[0]


def test_corrections_win(fate_cfg):
    found = corrected(fate_cfg, ("death", 4, 20), ("not_death", 5, 41), ("not_division", 1, 50), ("division", 6, 31))
    assert (found[4, "death"].frame, found[4, "death"].source, found[4, "death"].confidence) == (20, "manual", 1.0)
    assert (5, "death") not in found and found[5, "censored"].reason == "movie_end"
    assert (1, "division") not in found and found[1, "censored"].reason == "lost"
    assert found[6, "division"].frame == 31 and (6, "censored") not in found


def test_lineage_and_events_agree_after_a_division_by_hand(fate_cfg):
    """Both stages read the same row: what `track` makes of it is what `fate` finds."""
    cells, tracks = family()
    row = {"population": "tumour", "track_id": 6, "frame": 50, "action": "division", "value": "2,3"}
    linked = tracks.assign(parent_id=tracks["parent_id"].where(~tracks["track_id"].isin([2, 3]), 6))
    found = fates({**fate_cfg, "corrections": [row]}, tables=(cells, linked))[0]
    assert (found[6, "division"].frame, found[6, "division"].source) == (50, "manual")
    assert (1, "division") not in found and found[1, "censored"].reason == "lost"
    freed = tracks.assign(parent_id=0)  # as `track` leaves it after not_division of 1
    found = fates({**fate_cfg, "corrections": [{**row, "track_id": 1, "frame": 50, "action": "not_division"}]}, tables=(cells, freed))[0]
    assert not [key for key in found if key[1] == "division"]


def test_a_death_by_hand_replaces_the_found_one_and_a_division(fate_cfg):
    found = corrected(fate_cfg, ("death", 5, 44), ("death", 1, 30))
    assert found[5, "death"].frame == 44
    assert found[1, "death"].frame == 30 and (1, "division") not in found


def test_corrections_win_over_given_events(fate_cfg):
    given, _ = read({"track_id": [4], "event": ["death"], "frame": [33]})
    assert (4, "death") not in corrected(fate_cfg, ("not_death", 4, 33), given=given)


@pytest.mark.parametrize(
    ("row", "text"),
    [(("death", 77, 3), "There is no track 77"), (("death", 6, 50), "Track 6 has no cell in frame 50; it lives from frame 0 to 30")],
)
def test_a_correction_that_fits_nothing_names_file_and_row(fate_cfg, tmp_path, row, text):
    file = tmp_path / "c.tsv"
    file.write_text(f"population\ttrack_id\tframe\taction\ntumour\t{row[1]}\t{row[2]}\t{row[0]}\n")
    rows = [{"population": "tumour", "action": row[0], "track_id": row[1], "frame": row[2], "file": str(file)}]
    with pytest.raises(InputDefect, match=text) as caught:
        fates({**fate_cfg, "corrections": rows})
    assert "c.tsv, row 2" in str(caught.value)


# ---- the script -------------------------------------------------------------------------------------------------------------


def run(folder, cfg, *, given=(), upstream_ok=True, tables=None):
    cells, tracks = tables or family()
    write_table(cells, folder / "cells.parquet")
    write_table(tracks, folder / "tracks.parquet")
    (folder / "movie.json").write_text(json.dumps(meta()))
    (folder / "before.json").write_text(json.dumps({"ok": upstream_ok, "reason": "no cell", "failed_at": "track", "todo": None}))
    snakemake = SimpleNamespace(
        input=SimpleNamespace(
            cells=str(folder / "cells.parquet"),
            tracks=str(folder / "tracks.parquet"),
            meta=str(folder / "movie.json"),
            given=list(map(str, given)),
            status=str(folder / "before.json"),
        ),
        output=SimpleNamespace(events=str(folder / "events.parquet"), status=str(folder / "fate.json")),
        params=SimpleNamespace(cfg=cfg),
        wildcards=SimpleNamespace(sample="s", population="tumour"),
        log=[str(folder / "fate.log")],
        rule="fate",
        threads=1,
    )
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": snakemake})
    return read_table(folder / "events.parquet"), read_json(folder / "fate.json")


def test_the_script_writes_events_and_status(tmp_path, fate_cfg):
    given = tmp_path / "given.tsv"
    given.write_text("track_id\tevent\tframe\n4\tdeath\t33\n")
    events, status = run(tmp_path, {**fate_cfg, "levels": {"chip": "c1"}}, given=[given])
    assert status["ok"] and status["facts"]["deaths"] == 1
    assert events.loc[events["event"] == "death", "source"].tolist() == ["given"]
    assert events["chip"].eq("c1").all()
    first = (tmp_path / "events.parquet").read_bytes()
    run(tmp_path, {**fate_cfg, "levels": {"chip": "c1"}}, given=[given])
    assert (tmp_path / "events.parquet").read_bytes() == first


def test_the_script_names_a_defect_and_writes_an_empty_table(tmp_path, fate_cfg):
    given = tmp_path / "given.tsv"
    given.write_text("track_id\tevent\tframe\n400\tdeath\t33\n")
    events, status = run(tmp_path, fate_cfg, given=[given])
    assert not status["ok"] and "given.tsv, row 2: track_id is 400" in status["reason"]
    assert len(events) == 0 and events["frame"].dtype == "int32"


def test_a_failed_sample_has_empty_events(tmp_path, fate_cfg):
    cells, tracks = family()
    events, status = run(tmp_path, fate_cfg, upstream_ok=False, tables=(cells.iloc[:0], tracks.iloc[:0]))
    assert (len(events), status["failed_at"]) == (0, "track")
