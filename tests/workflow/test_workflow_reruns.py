"""What reruns after which edit: the exact set of jobs, section by section, and the traps.

    simulate > prepare > segment > track > measure > fate > assemble > infer > score > report
                                     |                  `--- overlay (film) ------------^
                                     `--- the contacts of the other populations

Two samples with two populations each: a stage has 2 jobs before `segment` and 4 from there on.
"""

import os
import random

import pytest
import yaml

from cytocause.io.settings import STAGES, load_schema
from tests.workflow import lab

LINE = ["simulate", "prepare", "segment", "track", "measure", "fate", "overlay", "assemble", "infer", "score", "report"]
EACH = {"simulate": 2, "prepare": 2, "assemble": 1, "infer": 1, "score": 1, "report": 1}
EVERYTHING = {rule: EACH.get(rule, 4) for rule in LINE}


def after(stage, without=(), **counts):
    """The jobs of a stage and of all that follows it."""
    follows = LINE[LINE.index(stage) :]
    return {**{rule: EVERYTHING[rule] for rule in follows if rule not in without}, **counts}


@pytest.fixture
def mine(tiny, tmp_path):
    """A copy of the finished tree to change."""
    return lab.copy_run(tiny, tmp_path / "tree")


@pytest.fixture
def mine_given(given, tmp_path):
    return lab.copy_run(given, tmp_path / "tree")


def with_config(tmp_path, change):
    """A copy of tiny's configuration after change(config), to be given by --configfile."""
    config = yaml.safe_load((lab.ROOT / lab.TINY).read_text())
    changed = change(config)
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(config if changed is None else changed, sort_keys=False))
    return path


# --- the whole ------------------------------------------------------------------------------------------------------


def test_a_finished_run_plans_nothing(tiny, given):
    assert lab.planned(tiny) == {}
    assert lab.planned(given, configfile="given.yaml") == {}


def test_both_entries_plan_the_same_from_nothing(tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    assert lab.planned(tree) == lab.planned(tree, "-s", "workflow/Snakefile") == EVERYTHING


def test_the_demo_is_the_default(tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    assert lab.planned(tree, configfile=None)["simulate"] == 8
    over = tmp_path / "over.yaml"
    over.write_text("fate: {border_um: 3}\n")
    assert lab.planned(tree, configfile=over)["simulate"] == 8  # laid over the demo, since it names no samples


def test_every_stage_has_its_section_rule_script_and_room():
    for stage in STAGES:
        assert (lab.ROOT / "workflow" / "schemas" / f"{stage}.schema.yaml").is_file(), stage
        assert (lab.ROOT / "workflow" / "rules" / f"{stage}.smk").is_file(), stage
        assert (lab.ROOT / "scripts" / f"{stage}.py").is_file(), stage
        assert (lab.ROOT / "scripts" / "cytocause" / stage).is_dir(), stage


def test_a_sample_skips_the_stages_before_its_entry(tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    for name in ("movie.tif", "labels.tif", "tracks.csv", "cells.csv", "events.csv"):
        (tree / name).write_bytes(b"not read by a plan")
    rows = [
        "sample movie labels tracks cells events",
        "pixels movie.tif . . . .",
        "tracks . . tracks.csv . events.csv",
        "tracks_on_pixels movie.tif . tracks.csv . .",
        "tracks_on_masks . labels.tif tracks.csv . .",
        "cells . . . cells.csv .",
    ]
    cells = [["" if cell == "." else cell for cell in row.split()] for row in rows]
    (tree / "samples.tsv").write_text("\n".join("\t".join(row) for row in cells) + "\n")
    (tree / "entries.yaml").write_text("samples: samples.tsv\n")
    assert lab.planned(tree, configfile="entries.yaml") == {
        **{rule: 5 for rule in ("prepare", "track", "measure", "fate")},
        "segment": 2,  # pixels without tracks, and masks as they are given
        "overlay": 3,  # a film needs pixels or masks
        **{rule: 1 for rule in ("assemble", "infer", "report")},
    }


def test_the_ablation_chain_is_made_only_when_asked_for_and_shares_what_its_levels_have_in_common(tiny, mine_given, tmp_path):
    swapped = {"ablation_truth": 4, "ablation_track": 8, "ablation_measure": 12, "ablation_fate": 12}
    graphs = {"ablation_assemble": 4, "ablation_infer": 4, "ablation": 1}
    assert lab.planned(tiny, "ablation") == {**swapped, **graphs}
    of_eight = lab.planned(lab.copy_tree(tmp_path / "tree8"), "ablation", configfile=None)  # the demo; two chips give no interval
    assert (of_eight["ablation_without"], of_eight["ablation_infer_without"]) == (40, 40)  # five levels without each of eight chips
    off = tmp_path / "off.yaml"
    off.write_text("score: {ablation_intervals: false}\n")
    assert not {"ablation_without", "ablation_infer_without"} & set(lab.planned(tmp_path / "tree8", "ablation", configfile=off))
    status, text = lab.dry_run(mine_given, "ablation", configfile="given.yaml")
    assert status != 0 and "no sample of the sheet is simulated, so there is no truth to put in the place of a result" in text


# --- an edit of each section of the configuration -----------------------------------------------------------------------

SECTIONS = {
    "simulate": EVERYTHING,
    "prepare": after("prepare"),
    "segment": after("segment"),
    "track": after("track"),
    "measure": after("measure"),
    "fate": after("fate"),
    "assemble": after("assemble"),
    "infer": after("infer"),
    "score": after("score"),
    "report": after("report"),
}


def another_value(schema):
    """The first number of a section and another one that is allowed, as an edit: {key: value} or {key: {key: value}}."""
    for key, sub in schema["properties"].items():
        value = sub.get("default")
        if sub.get("properties"):
            inner = another_value(sub)
            if inner:
                return {key: inner}
        if isinstance(value, bool) or not isinstance(value, (int, float)) or "enum" in sub:
            continue
        whole = sub.get("type") == "integer"
        low, high = sub.get("minimum", sub.get("exclusiveMinimum", 0)), sub.get("maximum", sub.get("exclusiveMaximum", value + 2))
        for candidate in (value + 1, value - 1) if whole else ((value + low) / 2, (value + high) / 2):
            if low < candidate < high:
                return {key: candidate}
    return {}


@pytest.mark.parametrize("stage", STAGES)
def test_an_edit_of_a_section_reruns_its_stage_and_what_follows(tiny, tmp_path, stage):
    schema = load_schema(lab.ROOT / "workflow" / "schemas")["properties"][stage]
    own = {key: sub for key, sub in schema["properties"].items() if (stage, key) not in {("report", "overlay"), ("segment", "train")}}
    edit = another_value({"properties": own})  # those two are cases of their own, below
    assert edit
    changed = with_config(tmp_path, lambda config: config.setdefault(stage, {}).update(edit))
    assert lab.planned(tiny, configfile=changed) == SECTIONS[stage]


def population(config):
    config["segment"]["populations"][1]["diameter_um"] = 9


def condition(config):
    config["conditions"][0]["kind"] = "ordered"


KEYS = {
    "report.overlay": (lambda config: config.update(report={"overlay": {"tail_frames": 2}}), {"overlay": 4, "report": 1}),
    "score.ablation_intervals": (lambda config: config.update(score={"ablation_intervals": False}), {"report": 1}),
    "segment.train": (lambda config: config["segment"].update(train={"steps": 7}), {"report": 1}),
    # the tumour's masks and tracks stand; its contacts do not
    "one population": (population, after("segment", segment=2, track=2)),
    "kind of a condition": (condition, after("assemble")),
}


def test_an_exposure_added_to_a_sample_reruns_the_table_and_what_follows(tiny, tmp_path):
    sheet = tmp_path / "exposures.tsv"
    sheet.write_text("sample\tvariable\tstart_min\tend_min\tdose\tunit\nquiet\ttnf\t0\t60\t5\tng/ml\n")
    changed = with_config(tmp_path, lambda config: config.update(exposures=str(sheet)))
    assert lab.planned(tiny, configfile=changed) == after("assemble")  # the model of the sample knows no such dose: it is not drawn again


def test_a_renamed_channel_reruns_prepare_and_what_follows(tiny, tmp_path):
    def rename(config):
        config["channels"][0] = config["segment"]["populations"][0]["channel"] = "cancer"

    assert lab.planned(tiny, configfile=with_config(tmp_path, rename)) == after("prepare")  # simulate names no channel after the config


@pytest.mark.parametrize("name", KEYS)
def test_an_edit_of_a_key_reruns_only_what_reads_it(tiny, tmp_path, name):
    change, jobs = KEYS[name]
    assert lab.planned(tiny, configfile=with_config(tmp_path, change)) == jobs


# --- the traps ------------------------------------------------------------------------------------------------------


def test_values_swapped_between_two_keys_are_seen(tiny, tmp_path):
    def swap(config):
        config["score"] = {"division_tolerance_frames": 3, "death_tolerance_frames": 1}  # 1 and 3 by default
        config["report"] = {"overlay": {"tail_frames": 4, "event_frames": 8}}  # 8 and 4 by default

    assert lab.planned(tiny, configfile=with_config(tmp_path, swap)) == {"overlay": 4, "score": 1, "report": 1}


def test_the_order_of_keys_and_comments_change_nothing(mine, tmp_path):
    def backwards(value):
        if isinstance(value, dict):
            return {key: backwards(value[key]) for key in reversed(list(value))}
        return [backwards(item) for item in value] if isinstance(value, list) else value

    changed = with_config(tmp_path, backwards)
    changed.write_text("# a comment\n" + changed.read_text())
    for path in [*(mine / "workflow").rglob("*.smk"), *(mine / "scripts" / "cytocause").rglob("*.py")]:
        path.write_text(path.read_text() + "\n# a comment\n")
    assert lab.planned(mine, configfile=changed) == {}


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("track/linking.py", after("track")),
        ("measure/kernels.py", after("measure")),
        ("infer/nml.py", after("infer")),
        ("io/graphs.py", EVERYTHING),  # simulate writes the true lineages with it
        ("io/corrections.py", after("track")),
        ("io/sheets.py", {}),
        ("segment/train.py", {}),
    ],
)
def test_an_edited_module_reruns_the_stages_that_import_it(mine, module, jobs):
    path = mine / "scripts" / "cytocause" / module
    path.write_text(path.read_text() + "\nADDED = 1\n")
    assert lab.planned(mine) == jobs


def test_a_sample_added_runs_itself_and_the_whole_experiments_stages(mine):
    sheet = mine / "config/examples/tiny/samples.tsv"
    sheet.write_text(sheet.read_text() + "third\ttumour_on_chip\tC\t1\t0\n")
    alone = {rule: n // 2 for rule, n in EVERYTHING.items() if n > 1}
    assert lab.planned(mine) == {**alone, "assemble": 1, "infer": 1, "score": 1, "report": 1}


def test_a_sample_removed_runs_the_whole_experiments_stages_only(mine):
    sheet = mine / "config/examples/tiny/samples.tsv"
    sheet.write_text("".join(line for line in sheet.open() if not line.startswith("drug")))
    assert lab.planned(mine) == after("assemble")


def test_samples_in_another_order_and_a_comment_in_the_sheet_leave_their_own_stages_alone(mine):
    sheet = mine / "config/examples/tiny/samples.tsv"
    header, *rows = sheet.read_text().splitlines()
    sheet.write_text("\n".join(["# a comment", header, *reversed(rows)]) + "\n")
    assert lab.planned(mine) == after("assemble")


def test_a_condition_changed_redraws_a_simulated_sample(mine):
    lab.edit(mine / "config/examples/tiny/samples.tsv", "A\t0\t0", "A\t0\t1")
    one = {rule: n // 2 for rule, n in EVERYTHING.items() if n > 1}
    assert lab.planned(mine) == {**one, "assemble": 1, "infer": 1, "score": 1, "report": 1}


def test_a_condition_changed_leaves_a_given_sample_alone_until_assemble(mine_given):
    lab.edit(mine_given / "samples.tsv", "d1\t0", "d1\t1")
    assert lab.planned(mine_given, configfile="given.yaml") == after("assemble", without=("score",))


def test_a_level_changed_reruns_the_tables_of_its_sample(mine_given):
    lab.edit(mine_given / "samples.tsv", "d1\t0", "d2\t0")
    assert lab.planned(mine_given, configfile="given.yaml") == after("track", without=("score",), track=2, measure=2, fate=2, overlay=2)


@pytest.mark.parametrize(
    ("row", "jobs"),
    [
        ("tumour\t1\t3\tdeath\tme\td", after("fate", without=("score",), fate=1, overlay=1)),
        # another track of one population changes the contacts of both
        ("tumour\t1\t3\tcut\tme\td", after("track", without=("score",), track=1, measure=2, fate=2, overlay=2)),
        # a division is of the lineage too
        ("tumour\t1\t3\tdivision\tme\td", after("track", without=("score",), track=1, measure=2, fate=2, overlay=2)),
    ],
)
def test_a_correction_reruns_only_what_follows_from_it(mine_given, row, jobs):
    fixes = mine_given / "data" / "fix.tsv"
    fixes.write_text(fixes.read_text() + row + "\n")
    assert lab.planned(mine_given, configfile="given.yaml") == jobs
    fixes.write_text(fixes.read_text().replace("me\td", "you\te").replace("annotator", "annotator") + "# a comment\n")
    assert lab.planned(mine_given, configfile="given.yaml") == jobs


def test_touched_files_rerun_their_chain_only_when_large_or_a_script(mine_given):
    def touched(name):
        os.utime(mine_given / name)
        return lab.planned(mine_given, configfile="given.yaml")

    assert touched("data/small.ome.tif") == {}  # below 1 MB Snakemake compares the content
    assert touched("data/labels.ome.tif") == {}
    assert touched("given.yaml") == touched("samples.tsv") == {}
    assert touched("scripts/infer.py") == after("infer", without=("score",))
    of_one = {"prepare": 1, "segment": 2, "track": 2, "measure": 2, "fate": 2, "overlay": 2}
    assert touched("data/large.ome.tif") == {**of_one, "assemble": 1, "infer": 1, "report": 1}


def test_a_changed_small_movie_reruns_its_chain(mine_given):
    path = mine_given / "data" / "small.ome.tif"
    path.write_bytes(path.read_bytes() + b"\0")
    of_one = {"prepare": 1, "segment": 2, "track": 2, "measure": 2, "fate": 2, "overlay": 2}
    assert lab.planned(mine_given, configfile="given.yaml") == {**of_one, "assemble": 1, "infer": 1, "report": 1}


# --- resources ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_a_fresh_clone_with_shuffled_file_times_plans_no_training(tmp_path, seed):
    tree = lab.own_scripts(lab.copy_tree(tmp_path / "tree"))
    draw = random.Random(seed)
    for path in tree.rglob("*"):
        time = 1_700_000_000 + draw.randrange(10_000_000)
        os.utime(path, (time, time))
    assert "train_model" not in lab.planned(tree, configfile=None)


def test_nothing_is_written_under_resources(tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    for target in ("all", "train_model", "ablation", "power"):
        done = lab.snakemake(tree, "-n", "-F", target, configfile=None)
        assert done.returncode == 0
        outputs = [line for line in done.stdout.splitlines() if line.strip().startswith("output:")]
        assert outputs
        for line in outputs:
            assert "resources" not in line
            assert all(path.strip().startswith("results/") for path in line.split("output:")[1].split(","))


# --- refusals on the command line -----------------------------------------------------------------------------------------


def test_a_mistake_is_told_in_one_line_without_a_traceback_and_before_any_job(tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    (tree / "bad.yaml").write_text("trak: {}\n")
    status, text = lab.dry_run(tree, configfile="bad.yaml")
    assert status != 0
    assert "bad.yaml: unknown key 'trak'. Did you mean 'track'?" in text
    assert "Traceback" not in text
    (tree / "late.yaml").write_text("segment: {populations: [{name: tumour, model: toc-nuclie}]}\nmeasure: {r1_um: 30}\n")
    status, text = lab.dry_run(tree, configfile="late.yaml")  # laid over the demo; both stopped a run after its pixels once
    assert status != 0 and "Traceback" not in text
    assert 'segment.populations[0].model is "toc-nuclie"' in text and "Did you mean 'toc-nuclei'?" in text
    assert "measure.r1_um is 30, larger than measure.r2_um" in text
    assert not (tree / "results").exists()
