# What several rules share: the checked configuration, which files a sample brings, and what a job needs of the machine.
import json
import os
import re
import sys
from functools import cache
from itertools import product
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
SCHEMAS = ROOT / "workflow" / "schemas"
SCRIPTS = (ROOT / "scripts").resolve()

# Scripts run the package that lies beside them, whatever else is installed.
sys.path.insert(0, str(SCRIPTS))
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [str(SCRIPTS), os.getenv("PYTHONPATH")])))

from cytocause.io.provenance import code_hash
from cytocause.io.settings import ConfigError, check_config, load_schema, load_yaml
from cytocause.io.sheets import FATE_ACTIONS, TRACK_ACTIONS, model_of_power, read_experiment

SAMPLES = {}  # name -> record of the sample sheet, see cytocause.io.sheets
POPULATIONS = {}  # name -> entry of segment.populations
EXPOSURES = []
POWER = {}  # name of a world of the target power -> its place in the grid
POWER_MODEL = {}  # the model behind it: name, file


# --- the configuration -------------------------------------------------------------------------------------------


def replaces_the_demo():
    """Whether a --configfile names its own samples: then it is an experiment of its own, and the demo's config is not read."""
    given = [Path(path) for path in workflow.overwrite_configfiles]
    return any(
        "samples" in load_yaml(path) for path in given if path.is_file() and path.suffix in (".yaml", ".yml", ".json")
    )


def read_everything():
    """Check config and sheets and fill in defaults; one WorkflowError with a line per mistake, before any job starts."""
    source = ", ".join(map(str, workflow.overwrite_configfiles)) or "config/config.yaml"
    try:
        checked = check_config(dict(config), load_schema(SCHEMAS), source)
        samples, exposures = read_experiment(checked, SCHEMAS)
        POWER_MODEL.update(model_of_power(checked["score"]["power"]["model"]))
    except ConfigError as error:
        raise WorkflowError(str(error)) from None
    config.clear()
    config.update(checked)
    SAMPLES.update((sample["sample"], sample) for sample in samples)
    POPULATIONS.update((entry["name"], entry) for entry in checked["segment"].get("populations") or [{"name": "cells"}])
    EXPOSURES.extend(exposures)
    POWER.update(power_worlds(checked["score"]["power"]))


def one_of(names):
    """A wildcard constraint that allows these names only."""
    return "|".join(re.escape(name) for name in names)


def power_worlds(cfg):
    """The grid of the target power: name of a world -> chips, cells, hours, interval_min, seed."""
    axes = ("chips", "cells", "hours", "interval_min", "seeds")
    grid = {}
    for chips, cells, hours, interval, seed in product(*(cfg[axis] for axis in axes)):
        place = {"chips": chips, "cells": cells, "hours": hours, "interval_min": interval, "seed": seed}
        grid[f"chips{chips}-cells{cells}-hours{hours:g}-interval{interval:g}-seed{seed}"] = place
    return grid


def plain(value):
    """The same value with sorted keys and plain types, so that its text changes only when its meaning does."""
    return json.loads(json.dumps(value, sort_keys=True))


def section(stage, *, without=(), **more):
    """One stage's section of the configuration and what else its script needs, as one plain dict with sorted keys.

    One dict, because Snakemake compares the values of params without their names: two values that swap places go unseen.
    """
    return plain({**{key: value for key, value in config[stage].items() if key not in without}, **more})


def look_back():
    """Windows (min) of the features that look back in time: a lag is known no better than they are long."""
    return {key: config["measure"][key] for key in ("speed_window_min", "directionality_window_min")}


def training(**of_one):
    """Settings of the training of one model from one seed."""
    shared = {key: value for key, value in config["segment"]["train"].items() if key not in ("models", "seeds")}
    return plain({**shared, **of_one})


# --- what a sample brings -------------------------------------------------------------------------------------------


def movie_of(wildcards):
    """The raw movie's files; empty for a sample that comes without one."""
    record = SAMPLES[wildcards.sample]
    return [f"results/samples/{record['sample']}/simulate/movie.ome.tif"] if record["simulate"] else record["movie"]


def given(*columns):
    """Input function: the file of the first of these columns that the sample has for its population; [] when it has none."""

    def find(wildcards):
        record = SAMPLES[wildcards.sample]
        return next(([record[column][wildcards.population]] for column in columns if record[column]), [])

    return find


def all_given(column):
    """Input function: the sample's files of one column for all populations, each once."""
    return lambda wildcards: list(dict.fromkeys(SAMPLES[wildcards.sample][column].values()))


def exposures_of(sample):
    """The sample's rows of the exposures sheet for the doses that its causal model knows."""
    known = SAMPLES[sample]["doses"]
    return [row for row in EXPOSURES if row["sample"] == sample and row["variable"] in known]


def is_segmented(sample):
    """Whether the sample has label stacks: it brings them, or it enters with pixels and nothing more refined."""
    record = SAMPLES[sample]
    return bool(record["labels"]) or record["entry"] in ("movie", "simulate")


def labels_of(wildcards):
    """The population's label stack; [] for tracks or cells that come without masks."""
    if not is_segmented(wildcards.sample):
        return []
    return [f"results/samples/{wildcards.sample}/{wildcards.population}/labels.ome.tif"]


def status_before_prepare(wildcards):
    record = SAMPLES[wildcards.sample]
    return [f"results/samples/{record['sample']}/status/simulate.json"] if record["simulate"] else []


def status_before_track(wildcards):
    if is_segmented(wildcards.sample):
        return f"results/samples/{wildcards.sample}/{wildcards.population}/status/segment.json"
    return f"results/samples/{wildcards.sample}/status/prepare.json"


def others(wildcards):
    """Names of the other populations, in the config's order."""
    return [name for name in POPULATIONS if name != wildcards.population]


def for_others(pattern):
    """Input function: the pattern's file for each of the other populations."""
    return lambda wildcards: [pattern.format(sample=wildcards.sample, population=name) for name in others(wildcards)]


def weights_of(wildcards):
    """The file of a population's segmentation model, where it is one of ours or given as a path."""
    entry = engine_of(wildcards)
    model = str(entry.get("model", ""))
    if entry.get("engine", "cellpose") != "cellpose":
        return []
    if "/" in model or Path(model).suffix:
        return [os.path.expanduser(model)]
    shipped = ROOT / "resources" / "cellpose" / f"{model}.pt"
    return [os.path.relpath(shipped)] if shipped.is_file() else []


def engine_of(wildcards):
    """The population's entry in segment.populations; with the engine `precomputed` where the sample brings labels."""
    entry = {key: value for key, value in POPULATIONS[wildcards.population].items() if key != "name"}
    if SAMPLES[wildcards.sample]["labels"]:
        entry["engine"] = "precomputed"
    return {"population": wildcards.population, **entry}


def channel_of(wildcards):
    """The channel that a population is segmented in, by name where the config names the channels, else by number."""
    channel = POPULATIONS[wildcards.population].get("channel", 0)
    return config["channels"][channel] if isinstance(channel, int) and config["channels"] else channel


def corrections(wildcards, actions):
    """The hand corrections of one population that are about these actions."""
    rows = SAMPLES[wildcards.sample]["corrections"]
    return [row for row in rows if row["population"] == wildcards.population and row["action"] in actions]


def levels(wildcards):
    return SAMPLES[wildcards.sample]["levels"]


# --- the whole experiment ----------------------------------------------------------------------------------------


def samples_with(test):
    return [name for name, record in SAMPLES.items() if test(record)]


def per_sample(pattern, names=None):
    return [pattern.format(sample=name) for name in (SAMPLES if names is None else names)]


def per_population(pattern, names=None):
    """The pattern's file for samples x populations, sample by sample."""
    names = SAMPLES if names is None else names
    return [pattern.format(sample=name, population=population) for name in names for population in POPULATIONS]


def simulated():
    """Names of the samples that have a truth."""
    return samples_with(lambda record: record["simulate"])


def segmented():
    return [name for name in SAMPLES if is_segmented(name)]


def filmed():
    """Names of the samples with something to see: pixels or masks."""
    return [name for name in SAMPLES if is_segmented(name) or SAMPLES[name]["movie"]]


def chips_of(names):
    """Sample -> its chip with the levels above it, or the sample itself where the sheet has no chip."""
    known = {name: SAMPLES[name]["levels"] for name in names}
    above = ("date", "donor", "chip")
    return {
        n: " ".join(str(levels.get(level, "")) for level in above) if "chip" in levels else n
        for n, levels in known.items()
    }


def scorecard():
    return ["results/score/scorecard.json", "results/score/scorecard.tsv"] if simulated() else []


def lineages():
    """Lineages in the exchange formats: nothing reads them here, so they are targets."""
    return per_population("results/samples/{sample}/{population}/lineage.geff")


def described_samples():
    """Samples with their conditions and levels, in the sheet's order."""
    return [{key: record[key] for key in ("sample", "conditions", "levels")} for record in SAMPLES.values()]


# --- what a job needs of the machine ----------------------------------------------------------------------------------


@cache
def frame_mb(sample):
    """Size of one frame of a sample, all channels as float32 (MB). 4 where nothing can be read: the job says what is wrong with it."""
    record = SAMPLES[sample]
    if record["simulate"]:
        cfg = config["simulate"]
        return cfg.get("height", 256) * cfg.get("width", 256) * 2 * 4 / 1e6
    paths = record["movie"] or list(record["labels"].values())
    if not paths:
        return 1.0
    try:
        import tifffile

        with tifffile.TiffFile(paths[0]) as tiff:
            height, width = tiff.pages.first.shape[:2]
    except Exception:  # of any kind: the estimate must never be what stops a run
        return 4.0
    return height * width * max(1, len(config["channels"])) * 4 / 1e6


@cache
def movie_mb(sample):
    """Size of a sample's movie or of what it enters with (MB)."""
    record = SAMPLES[sample]
    if record["simulate"]:
        return config["simulate"].get("n_frames", 90) * frame_mb(sample) / 2
    paths = record["movie"] or [*record["labels"].values(), *record["tracks"].values(), *record["cells"].values()]
    return sum(os.path.getsize(path) for path in paths if os.path.isfile(path)) / 1e6


def memory(base, frames):
    """Resource function: MB of a base and of as many whole frames as the stage holds at once; more at each attempt."""
    return lambda wildcards, attempt: attempt * int(base + frames * frame_mb(wildcards.sample))


def memory_of_tables(base, factor):
    """Resource function: MB of a base and of a multiple of the tables that are read (on disk they are packed about tenfold)."""
    return lambda wildcards, input, attempt: attempt * int(base + 10 * factor * input.size_mb)


def minutes(base, per_gb):
    """Resource function: minutes of a base and per GB of the sample's movie; more at each attempt."""
    return lambda wildcards, attempt: attempt * int(base + per_gb * movie_mb(wildcards.sample) / 1000)


def threads_by_frame(wildcards):
    """Threads for a stage that works frame by frame: 1 for frames up to 1 MB a channel, up to 8 for large ones."""
    return max(1, min(8, round(frame_mb(wildcards.sample) / 8)))
