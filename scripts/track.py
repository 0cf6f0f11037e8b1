"""Track one population of one sample: unpack, call, write.

input   labels, movie, meta, given, status      params  cfg: section track + sample, population, levels, corrections, cell_type
output  tracks (parquet), geff, ctc, status
"""

from cytocause.io import (
    InputDefect,
    add_levels,
    empty_table,
    open_labels,
    open_movie,
    progress,
    read_json,
    read_table,
    run_stage,
    write_ctc,
    write_geff,
    write_table,
)
from cytocause.track import finish_tracks, given_tracks, link_movie, objects_of_frame, read_given, type_rule
from cytocause.track.objects import join_objects


def work(snakemake):
    cfg, meta = snakemake.params.cfg, read_json(snakemake.input.meta)
    labels = open_labels(paths(snakemake.input.labels)) if paths(snakemake.input.labels) else None
    movie = open_movie(paths(snakemake.input.movie), meta=meta) if needs_movie(snakemake, cfg) else None
    check_pages(labels, meta)
    given = paths(snakemake.input.given)
    if given:
        table = read_table(given[0])
        columns = given_tracks(
            table,
            file=given[0],
            sample=cfg["sample"],
            population=cfg["population"],
            frames=meta["frames"],
            time_min=meta["time_min"],
            pixel_size_um=meta["pixel_size_um"],
            unit=meta["unit"],
        )
        look_up = None if labels is None else lambda page: (labels.frame(page), page_objects(labels, movie, cfg, page))
        columns, facts = read_given(columns, meta, cfg, label_of_page=look_up)
    else:
        if labels is None:
            raise InputDefect("There are neither masks nor given tracks to track.", todo="Give labels or tracks in the sample sheet.")
        pages = progress(range(labels.n_frames), labels.n_frames, "frames")
        objects = join_objects(page_objects(labels, movie, cfg, page) for page in pages)
        columns, facts = link_movie(objects, meta, cfg)
    tracks = finish_tracks(columns, meta, cfg)
    write_all(snakemake, tracks, labels, meta)
    return facts


def page_objects(labels, movie, cfg, page):
    image = None if movie is None else movie.frame(page, channel_of(movie, cfg))
    return objects_of_frame(labels.frame(page), image, page)


def channel_of(movie, cfg):
    """The rule's channel, else the one the population was segmented in, else the one named like the population, else the first."""
    wanted = type_rule(cfg).get("channel")
    if wanted is not None:
        return wanted
    segmented = cfg.get("population_channel")
    if isinstance(segmented, int) and segmented < len(movie.channel_names):
        return segmented
    return next((name for name in (segmented, cfg["population"]) if name in movie.channel_names), 0)


def needs_movie(snakemake, cfg):
    """Pixels are read only where the rule for the cell type asks for brightness."""
    rule = type_rule(cfg)
    return bool(rule) and rule["feature"] == "intensity_mean" and bool(paths(snakemake.input.movie))


def check_pages(labels, meta):
    if labels is not None and labels.n_frames != len(meta["frames"]):
        raise InputDefect(
            f"The label stack has {labels.n_frames} frames, the movie has {len(meta['frames'])}; expected one label image per frame.",
            todo="Give the label stack that belongs to this movie.",
        )


def paths(value):
    """An input that may be empty, one path, or several, as a list."""
    return [str(value)] if isinstance(value, str) else [str(path) for path in value]


def write_all(snakemake, tracks, labels, meta):
    write_table(tracks, snakemake.output.tracks)
    write_geff(snakemake.output.geff, tracks, unit=meta["unit"])
    write_ctc(snakemake.output.ctc, labels, tracks, frame_numbers=meta["frames"])


def empty(snakemake):
    cfg = snakemake.params.cfg
    try:
        meta = read_json(snakemake.input.meta)
    except (OSError, ValueError):
        meta = {}
    unit = meta.get("unit") or "um"
    tracks = add_levels(empty_table("tracks", unit), cfg.get("levels") or {})
    write_all(snakemake, tracks, None, {"unit": unit, "frames": []})


if "snakemake" in globals():
    run_stage(snakemake, work, empty)  # noqa: F821
