"""Simulate one chip with every truth: unpack, call, write.

input   model (yaml)      params  cfg: section simulate + sample, model, conditions
output  movie, labels, tracks, events, variables, variables_hidden, contacts, graph, seeds, status
        ctc, lineage: folders with one folder per population
"""

from pathlib import Path

from cytocause.io import (
    empty_table,
    open_labels,
    progress,
    run_stage,
    write_ctc,
    write_empty_labels,
    write_geff,
    write_json,
    write_label_channels,
    write_movie,
    write_table,
    write_table_parts,
)
from cytocause.simulate import SimulatedChip, parse_model, truth_graph, truths


def work(snakemake):
    cfg, out = snakemake.params.cfg, snakemake.output
    path = snakemake.input.model if isinstance(snakemake.input.model, str) else snakemake.input.model[0]
    model = parse_model(Path(path).read_text(encoding="utf-8"), source=Path(path).name).named(cfg["model"])
    chip = SimulatedChip(model, cfg, cfg["sample"], cfg["conditions"])
    n = len(chip.frames)
    shared = {"pixel_size_um": chip.pixel_um, "time_min": chip.time_min().tolist()}
    masks = {"channel_names": chip.populations, "n_frames": n, "height": chip.height, "width": chip.width, "dtype": chip.label_dtype()}
    write_label_channels(out.labels, progress(chip.label_frames(), n, "masks"), **masks, **shared)
    write_movie(out.movie, progress(chip.image_frames(), n, "frames"), channel_names=chip.channel_names(), **shared)
    n_tracks = write_tables(out, chip)
    write_json(truth_graph(model, chip.interval), out.graph)
    write_json(chip.provenance(), out.seeds)
    events = chip.events()
    write_table(events, out.events)
    tumour = events[events["population"] == "tumour"]["event"].value_counts()
    return {
        "model": model.name,
        "n_frames": n,
        "n_tracks": n_tracks,
        "divisions": int(tumour.get("division", 0)),
        "deaths": int(tumour.get("death", 0)),
    }


def write_tables(out, chip):
    """Tracks, lineages, variables and contacts, a part of them in memory at a time; returns the number of tracks."""
    write_table_parts(chip.tracks_parts(), out.tracks)
    n_tracks = write_lineages(out, chip.populations, chip.lineage, chip.frames)
    write_table_parts(chip.variables_hidden_parts(), out.variables_hidden)
    write_table_parts(chip.variables_parts(), out.variables)
    write_table(chip.contacts(), out.contacts)
    return n_tracks


def write_lineages(out, populations, lineage, frames):
    """The tracks of each population as a Cell Tracking Challenge folder and as a geff graph; returns their number."""
    n_tracks = 0
    for folder in (out.ctc, out.lineage):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for name in populations:
        own = lineage(name)
        with open_labels(out.labels, channel=name) as labels:
            write_ctc(Path(out.ctc) / name, labels, own, frame_numbers=frames, truth=True)
        write_geff(Path(out.lineage) / f"{name}.geff", own, unit="um")
        n_tracks += int(own["track_id"].nunique())
    return n_tracks


def empty(snakemake):
    """A model that cannot be run: no movie, no cells, no edges, in the right schema."""
    out = snakemake.output
    for path in (out.movie, out.labels):
        write_empty_labels(path)
    for kind, path in (("tracks", out.tracks), ("events", out.events)):
        table = empty_table(kind)
        table.insert(1, "population", table["sample"])
        write_table(table, path)
    write_table(truths.empty(truths.VARIABLES), out.variables)
    write_table(truths.empty(truths.KEYS), out.variables_hidden)
    write_table(truths.empty(truths.CONTACTS), out.contacts)
    write_lineages(out, [], None, [])
    write_json({"model": None, "variables": [], "edges": [], "scored_edges": []}, out.graph)
    write_json({}, out.seeds)


if "snakemake" in globals():
    run_stage(snakemake, work, empty)  # noqa: F821
