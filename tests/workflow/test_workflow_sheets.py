"""The sheets' checks: every mistake of the issue's list has its sentence, before any job starts."""

import numpy as np
import pytest

from cytocause.io import write_label_channels, write_labels
from cytocause.io.corrections import row_of
from cytocause.io.settings import ConfigError, check_config, load_schema
from cytocause.io.sheets import natural, read_experiment
from tests.workflow.lab import ROOT

SCHEMAS = ROOT / "workflow" / "schemas"
SCHEMA = load_schema(SCHEMAS)
DRUG = {"name": "drug", "kind": "binary", "reference": 0}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """write(samples=..., exposures=..., conditions=..., populations=...) -> read: samples and exposures of a small experiment in its own folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "chip.yaml").write_text("name: chip\n")
    (tmp_path / "models" / "full.yaml").write_text(MODEL)
    for name in ("a.tif", "b.tif", "tumour.tif", "immune.tif", "tracks.csv", "events.csv", "cells.parquet", "times.tsv"):
        (tmp_path / name).write_bytes(b"x")

    def read(samples, *, exposures=None, corrections=None, conditions=(DRUG,), populations=("tumour", "immune"), **more):
        (tmp_path / "samples.tsv").write_text(table(samples))
        config = {
            "samples": "samples.tsv",
            "conditions": list(conditions),
            "segment": {"populations": [{"name": name, "engine": "threshold"} for name in populations]},
            **more,
        }
        if exposures is not None:
            (tmp_path / "exposures.tsv").write_text(table(exposures))
            config["exposures"] = "exposures.tsv"
        if corrections is not None:
            (tmp_path / "fix.tsv").write_text(table(corrections))
        return read_experiment(check_config(config, SCHEMA, "config.yaml"), SCHEMAS, "models")

    return read


MODEL = """name: full
variables:
  wash: {kind: exogenous}
  drug: {kind: contextual}
edges:
  - {source: drug, target: death}
  - {source: contact, target: death}
"""


def table(text):
    """A sheet written with spaces between its cells, as TSV; `.` is a blank cell."""
    rows = [line.split() for line in text.strip().splitlines()]
    return "\n".join("\t".join("" if cell == "." else cell for cell in row) for row in rows) + "\n"


def refused(world, *args, **more):
    with pytest.raises(ConfigError) as caught:
        world(*args, **more)
    return str(caught.value)


def test_the_furthest_stage_given_is_the_entry_and_the_others_are_kept(world):
    samples, _ = world(
        """
        sample  movie  labels              tracks      cells          events      simulate  drug
        raw     a.tif  .                   .           .              .           .         0
        masks   a.tif  {population}.tif    .           .              .           .         0
        tracks  a.tif  .                   tracks.csv  .              events.csv  .         1
        cells   .      .                   tracks.csv  cells.parquet  .           .         1
        made    .      .                   .           .              .           chip      1
        """
    )
    assert [s["entry"] for s in samples] == ["movie", "labels", "tracks", "cells", "simulate"]
    assert samples[1]["labels"] == {"tumour": "tumour.tif", "immune": "immune.tif"}
    assert samples[1]["movie"] == ["a.tif"]
    assert samples[2]["events"] == {"tumour": "events.csv", "immune": "events.csv"}
    assert samples[4]["model"] == "models/chip.yaml"


def test_a_model_without_an_edge_is_the_models_file_and_its_doses_are_known(world):
    samples, _ = world("sample simulate drug\na full 0\nb full_minus_contact_death 0\nc chip 1")
    assert [s["model"] for s in samples] == ["models/full.yaml", "models/full.yaml", "models/chip.yaml"]
    assert [s["simulate"] for s in samples] == ["full", "full_minus_contact_death", "chip"]
    assert [s["doses"] for s in samples] == [["wash"], ["wash"], []]


def test_numbers_are_numbers_levels_are_text_and_comments_and_blank_lines_are_skipped(world):
    samples, _ = world(
        """
        #comment
        sample  movie  pixel_size_um  frame_interval_min  date        chip  control  drug
        a       a.tif  0.65           5                   2026-01-02  7     vehicle  0
        #another
        b       b.tif  .              .                   .           .     .        1
        """
    )
    assert samples[0]["row"] == {"pixel_size_um": 0.65, "frame_interval_min": 5}
    assert samples[0]["levels"] == {"date": "2026-01-02", "chip": "7", "control": "vehicle"}
    assert samples[0]["conditions"] == {"drug": 0}
    assert samples[1]["row"] == samples[1]["levels"] == {}
    samples, _ = world("sample movie pixel_size_um drug\na a.tif unknown 0")
    assert samples[0]["row"] == {"pixel_size_um": "unknown"}


def test_a_folder_of_frames_is_sorted_by_its_numbers(world, tmp_path):
    (tmp_path / "frames").mkdir()
    for k in (10, 2, 1):
        (tmp_path / "frames" / f"t{k}.tif").write_bytes(b"x")
    (tmp_path / "frames" / "notes.txt").write_text("")
    samples, _ = world("sample movie drug\na frames 0")
    assert samples[0]["movie"] == ["frames/t1.tif", "frames/t2.tif", "frames/t10.tif"]
    assert sorted(["a10", "a9b", "a9"], key=natural) == ["a9", "a9b", "a10"]


def test_variables_of_the_environment_are_filled_in(world, tmp_path, monkeypatch):
    monkeypatch.setenv("CYTOCAUSE_DATA", str(tmp_path))
    samples, _ = world("sample movie drug\na ${CYTOCAUSE_DATA}/a.tif 0")
    assert samples[0]["movie"] == [f"{tmp_path}/a.tif"]


BAD_SAMPLES = {
    "a missing file": ("sample movie drug\na gone.tif 0", ["samples.tsv, row 2, column movie: gone.tif is not there"]),
    "an unset variable": ("sample movie drug\na ${NOT_SET_HERE}/a.tif 0", ["no variable NOT_SET_HERE", "export NOT_SET_HERE="]),
    "a name twice": ("sample movie drug\na a.tif 0\na b.tif 1", ["row 3: sample 'a' is there already in row 2"]),
    "a blank name": ("sample movie drug\n. a.tif 0", ["row 2: 'sample' is blank"]),
    "a name for no folder": ("sample movie drug\na/b a.tif 0", ['row 2: sample is "a/b"', "letters, digits"]),
    "a blank condition": ("sample movie drug\na a.tif .", ["row 2: condition 'drug' is blank"]),
    "a missing condition": ("sample movie\na a.tif", ["samples.tsv: column 'drug' is missing. It is a condition of the config."]),
    "a third value": ("sample movie drug\na a.tif 0\nb b.tif 1\nc a.tif 2", ["'drug' is binary and has 3 values", "0, 1, 2"]),
    "a number as text": ("sample movie pixel_size_um drug\na a.tif 0,65 0", ['row 2: pixel_size_um is "0,65"', "unknown"]),
    "text for a number": ("sample movie frame_interval_min drug\na a.tif ten 0", ["frame_interval_min is the text", "a number"]),
    "a negative size": ("sample movie pixel_size_um drug\na a.tif -1 0", ["pixel_size_um is -1", "above 0"]),
    "two units": ("sample movie pixel_size_um drug\na a.tif 0.65 0\nb b.tif unknown 1", ["samples.tsv, row 3: pixel_size_um is `unknown`, and 0.65 in row 2", "`unknown` for all"]),
    "two intervals": ("sample movie frame_interval_min drug\na a.tif 5 0\nb b.tif 4 1", ["samples.tsv, row 2: frame_interval_min is 5, and 4 in row 3", "assemble.time_step_min"]),
    "wrong axes": ("sample movie axes drug\na a.tif TQYX 0", ['axes is "TQYX"', "TCYX"]),
    "an unknown column": ("sample movie dose drug\na a.tif 3 0", ["unknown column 'dose'", "conditions", "drug"]),
    "a column twice": ("sample movie movie drug\na a.tif a.tif 0", ["column 'movie' is there twice"]),
    "no entry": ("sample events drug\na events.csv 0", ["row 2: no entry; give one of movie, labels"]),
    "two entries that clash": ("sample movie simulate drug\na a.tif chip 0", ["`simulate` stands alone", "movie"]),
    "an unknown model": ("sample simulate drug\na chop 0", ["no causal model 'chop'", "Known: chip, full"]),
    "an unknown edge of a model": ("sample simulate drug\na full_minus_drug_size 0", ["row 2, column simulate", "takes away the edge 'drug_size'", "Its edges: drug_death, contact_death"]),
    "an unknown model without an edge": ("sample simulate drug\na chop_minus_drug_death 0", ["no causal model 'chop'", "Known: chip, full"]),
    "an unknown control": ("sample movie control drug\na a.tif maybe 0", ['control is "maybe"', "death_positive"]),
    "a missing population": ("sample labels drug\na {population}_x.tif 0", ["tumour_x.tif is not there", "immune_x.tif is not there"]),
    "an empty folder": ("sample movie drug\na models 0", ["the folder models has no image"]),
    "too many cells": ("sample movie drug\na a.tif 0 1", ["row 2: 4 cells under 3 columns"]),
    "a sheet without rows": ("sample movie drug", ["no row below the header"]),
    "spaces for tabs": ("sample,movie,drug\na,a.tif,0", ["separated by tabs"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_SAMPLES)
def test_a_bad_sample_sheet_is_refused_with_its_row(world, name):
    sheet, words = BAD_SAMPLES[name]
    message = refused(world, sheet)
    for word in words:
        assert word in message, message


INTERVALS = "sample movie tracks frame_interval_min pixel_size_um times control drug\n"


def test_samples_that_never_meet_in_the_table_may_differ_in_unit_and_interval(world):
    """Left out as a control; tables that may be in um themselves; a table of times; a hundredth apart; blank: known from the file only."""
    for row in (
        "b b.tif . 4 unknown . blank 1",
        "b . tracks.csv . unknown . . 1",
        "b b.tif . 4 . times.tsv . 1",
        "b b.tif . 5.04 . . . 1",
        "b b.tif . . . . . 1",
    ):
        assert len(world(f"{INTERVALS}a a.tif . 5 0.65 . . 0\n{row}")[0]) == 2
    kept = {"assemble": {"controls": "include", "time_step_min": 20}}
    assert "row 3: pixel_size_um is `unknown`" in refused(world, f"{INTERVALS}a a.tif . 5 0.65 . . 0\nb b.tif . 4 unknown . blank 1", **kept)


def test_frame_intervals_must_divide_the_time_step_in_minutes(world):
    sheet = f"{INTERVALS}a a.tif . 5 . . . 0\nb b.tif . 4 . . . 1"
    assert len(world(sheet, assemble={"time_step_min": 20})[0]) == 2
    message = refused(world, sheet, assemble={"time_step_min": 10})
    assert "samples.tsv, row 3: frame_interval_min is 4, and assemble.time_step_min is 10" in message and "row 2" not in message


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("toc-nuclie", ['segment.populations[0].model is "toc-nuclie"; allowed: toc-brightfield, toc-nuclei (shipped)', "cyto3", "Did you mean 'toc-nuclei'?"]),
        ("gone/mine.pt", ['segment.populations[0].model is "gone/mine.pt", and there is no such file', "toc-nuclei"]),
        ("models", ['is "models"; allowed']),
    ],
)  # fmt: skip
def test_a_model_that_does_not_exist_is_refused(world, model, words):
    message = refused(world, "sample movie drug\na a.tif 0", segment={"populations": [{"name": "cells", "model": model}]})
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("model", ["toc-brightfield", "cyto3", "nuclei", "./b.tif"])
def test_models_by_name_and_by_path_are_taken(world, model):
    segment = {"populations": [{"name": "cells", "model": model}, {"name": "other", "engine": "threshold", "model": "nothing"}]}
    assert len(world("sample movie drug\na a.tif 0", segment=segment)[0]) == 1


@pytest.mark.parametrize("unit", ["um", "px"])
def test_contact_lies_inside_vicinity(world, unit):
    message = refused(world, "sample movie drug\na a.tif 0", measure={f"r1_{unit}": 50})
    assert f"measure.r1_{unit} is 50, larger than measure.r2_{unit}" in message
    assert len(world("sample movie drug\na a.tif 0", measure={f"r1_{unit}": 50, f"r2_{unit}": 50})[0]) == 1


def test_one_label_image_for_two_populations_is_refused_unless_it_has_their_channels(world, tmp_path):
    size = {"n_frames": 2, "height": 8, "width": 8}
    for path in ("one.tif", "folder"):
        write_labels(tmp_path / "one.tif", np.ones((2, 8, 8), int), **size)
        if path == "folder":
            (tmp_path / path).mkdir()
            (tmp_path / "one.tif").rename(tmp_path / path / "t0.tif")
        message = refused(world, f"sample labels drug\na {path} 0")
        assert f"samples.tsv, row 2, column labels: {path} is given for the populations tumour, immune and has one channel" in message
        assert "with {population} in the path" in message
        assert world(f"sample labels drug\na {path} 0", populations=("tumour",))[0][0]["labels"] == {"tumour": path}
    two = np.ones((2, 2, 8, 8), int)
    write_label_channels(tmp_path / "two.tif", two, channel_names=["immune", "tumour"], **size)
    assert world("sample labels drug\na two.tif 0")[0][0]["labels"] == {"tumour": "two.tif", "immune": "two.tif"}
    write_label_channels(tmp_path / "other.tif", two, channel_names=["stroma", "tumour"], **size)
    assert "the channels stroma, tumour, none for immune" in refused(world, "sample labels drug\na other.tif 0")
    assert world("sample labels drug\na a.tif 0")[0][0]["entry"] == "labels"  # no TIFF at all: this sample fails, the others go on


@pytest.mark.parametrize(
    ("populations", "words"),
    [
        (("Tumour",), ["segment.populations[0].name", "^[a-z][a-z0-9_]*$"]),
        (("tumour", "tumour"), ["names must differ"]),
        (("status",), ["name of a folder"]),
    ],
)
def test_bad_names_of_populations_are_refused(world, populations, words):
    message = refused(world, "sample movie drug\na a.tif 0", populations=populations)
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("condition", "cell", "words"),
    [
        ({"name": "chip", "kind": "binary", "reference": 0}, "0", ["never a cause"]),
        ({"name": "movie", "kind": "binary", "reference": 0}, "0", ["a meaning of its own"]),
        ({"name": "drug", "kind": "continuous", "reference": "none"}, "0", ["reference", "needs a number"]),
        ({"name": "drug", "kind": "continuous", "reference": 0}, "high", ["row 2", "continuous and needs a number"]),
        ({"name": "drug", "kind": "ordered", "reference": "low"}, "high", ["words as values", "levels"]),
        ({"name": "drug", "kind": "ordered", "reference": "low", "levels": ["low", "mid"]}, "high", ["its levels are low, mid"]),
        ({"name": "drug", "kind": "ordered", "reference": "none", "levels": ["low", "mid"]}, "low", ["one of its levels"]),
        ({"name": "drug", "kind": "binary", "reference": 0}, "0,5", ['row 2: condition \'drug\' is "0,5"', "a value must not hold a comma", "a decimal number with a point"]),
        ({"name": "drug", "kind": "ordered", "reference": "no", "levels": ["no", "low"]}, "a,b", ['is "a,b"; a value must not hold a comma']),
        ({"name": "drug", "kind": "binary", "reference": "none,0"}, "x", ['conditions[0].reference is "none,0"; a value must not hold a comma']),
        ({"name": "drug", "kind": "ordered", "reference": "no", "levels": ["no", "a,b"]}, "no", ['conditions[0].levels[1] is "a,b"']),
    ],
)
def test_bad_conditions_are_refused(world, condition, cell, words):
    message = refused(world, f"sample movie {condition['name']}\na a.tif {cell}", conditions=[condition])
    for word in words:
        assert word in message, message


EXPOSED = "sample movie drug\na a.tif 0\nb b.tif 1"
HEADER = "sample variable start_min end_min dose unit\n"


def test_exposures_are_read_in_order(world):
    _, exposures = world(EXPOSED, exposures=HEADER + "a tnf 0 60 10 ng/ml\na tnf 60 90 5 ng/ml\nb tnf 0 30 10 ng/ml")
    assert exposures[0] == {"sample": "a", "variable": "tnf", "start_min": 0, "end_min": 60, "dose": 10, "unit": "ng/ml"}
    assert len(exposures) == 3


BAD_EXPOSURES = {
    "overlap": ("a tnf 0 60 10 ng\na tnf 50 90 5 ng", ["row 3: overlaps row 2", "0 to 60 min"]),
    "end before start": ("a tnf 60 50 10 ng", ["end_min 50 is not after start_min 60"]),
    "unknown sample": ("c tnf 0 60 10 ng", ["sample 'c' is not in samples.tsv"]),
    "two units": ("a tnf 0 60 10 ng\nb tnf 0 60 10 ug", ["row 3", "one unit per variable"]),
    "also a condition": ("a drug 0 60 10 ng", ["also a condition"]),
    "text for a dose": ("a tnf 0 60 much ng", ["row 2", "dose is the text"]),
    "a blank unit": ("a tnf 0 60 10 .", ["'unit' is blank"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_EXPOSURES)
def test_bad_exposures_are_refused_with_their_row(world, name):
    rows, words = BAD_EXPOSURES[name]
    message = refused(world, EXPOSED, exposures=HEADER + rows)
    for word in words:
        assert word in message, message


CORRECTED = "sample movie corrections drug\na a.tif fix.tsv 0"
FIXES = "population track_id frame action annotator date value\n"


def test_corrections_are_read_and_their_row_is_found_again(world):
    samples, _ = world(CORRECTED, corrections=FIXES + "tumour 3 7 death me . .\nimmune 4 2 link me . 2")
    first, second = samples[0]["corrections"]
    assert first == {"population": "tumour", "track_id": 3, "frame": 7, "action": "death", "file": "fix.tsv"}
    assert second["value"] == "2"
    assert (row_of(first), row_of(second)) == (2, 3)


BAD_CORRECTIONS = {
    "an unknown action": ("tumour 3 7 died me . .", ['fix.tsv, row 2: action is "died"', "not_death"]),
    "an unknown population": ("stroma 3 7 death me . .", ["row 2: population is 'stroma'", "tumour, immune"]),
    "text for a track": ("tumour three 7 death me . .", ["track_id is the text", "a whole number"]),
    "a fraction for a frame": ("tumour 3 7.5 death me . .", ["frame is the text", "a whole number"]),
    "a link to nothing": ("tumour 3 7 link me . .", ["action link needs `value`"]),
    "a link to text": ("tumour 3 7 link me . x", ["expected a track_id"]),
    "daughters in words": ("tumour 3 7 division me . two,three", ['has the value "two,three"', "separated by commas"]),
    "a blank frame": ("tumour 3 . death me . .", ["'frame' is blank"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CORRECTIONS)
def test_bad_corrections_are_refused_with_their_row(world, name):
    rows, words = BAD_CORRECTIONS[name]
    message = refused(world, CORRECTED, corrections=FIXES + rows)
    for word in words:
        assert word in message, message


def test_a_missing_corrections_file_is_named(world):
    assert "column corrections: gone.tsv is not there" in refused(world, CORRECTED.replace("fix", "gone"))
