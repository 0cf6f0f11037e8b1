"""Labels of one population in one sample: from the movie by an engine, or from the label images that were given."""

import logging

import numpy as np
import pandas as pd

from cytocause.io import (
    InputDefect,
    NothingFound,
    open_labels,
    open_movie,
    progress,
    read_json,
    run_stage,
    write_empty_labels,
    write_json,
    write_labels,
    write_table,
)
from cytocause.segment.models import ModelError
from cytocause.segment.normalise import diameter_px
from cytocause.segment.stream import count_flags, segment_frames

log = logging.getLogger("cytocause.segment")


def work(snakemake):
    cfg, meta = snakemake.params.cfg, read_json(snakemake.input.meta)
    given = _paths(snakemake.input, "given")
    if given:
        labels, record = _given_labels(given, cfg, meta)
    elif cfg["engine"] == "precomputed":
        raise InputDefect(
            f"Population {cfg['population']} has engine precomputed, but sample {cfg['sample']} gives no labels.",
            todo="Fill the column labels of the sample sheet, or choose engine cellpose or threshold.",
        )
    else:
        labels, record = _segmented(snakemake, cfg, meta)
    counts = []
    labels = _counted(progress(labels, meta["n_frames"], f"{cfg['population']}: frames"), counts)
    write_labels(
        snakemake.output.labels,
        labels,
        n_frames=meta["n_frames"],
        height=meta["height"],
        width=meta["width"],
        pixel_size_um=meta["pixel_size_um"],
        time_min=meta["time_min"],
        dtype=record.get("dtype", "uint16"),
    )
    next(labels, None)  # the writer stops at the last frame; this lets the progress say that it is done
    flags = count_flags(counts, cfg["count_jump"])
    write_table(_count_table(meta["frames"], counts, flags), snakemake.output.counts)
    write_json(record, snakemake.output.model)
    if not any(counts):
        raise NothingFound(_nothing_found(cfg, record), todo=_what_to_try(cfg, record))
    return {
        "engine": record["engine"],
        "objects": int(sum(counts)),
        "objects_per_frame_median": float(np.median(counts)),
        "frames_empty": flags.count("empty"),
        "frames_jump": flags.count("jump"),
        "warnings": _warnings(cfg, meta["frames"], flags),
    }


def empty(snakemake):
    write_empty_labels(snakemake.output.labels)
    write_table(_count_table([], [], []), snakemake.output.counts)
    write_json({"engine": None, "model": None}, snakemake.output.model)


def _segmented(snakemake, cfg, meta):
    """(labels as they are made, what made them) from the movie."""
    from cytocause.segment.engines import make_engine

    movie = open_movie(_paths(snakemake.input, "movie"), meta=meta)
    channel = _channel(movie, cfg["channel"])
    second = None if cfg["second_channel"] is None else _channel(movie, cfg["second_channel"])
    limits = meta["intensity"][channel], None if second is None else meta["intensity"][second]
    diameter = diameter_px(cfg["diameter_um"], meta["pixel_size_um"])
    model = _paths(snakemake.input, "model")
    try:
        engine = make_engine({**cfg, "model": model[0]} if model else cfg, diameter, snakemake.threads)
    except ModelError as error:  # the same for every sample: the run must stop, not list every sample as broken
        raise SystemExit(f"segment, population {cfg['population']}: {error}") from error
    record = {
        **engine.record(),
        "population": cfg["population"],
        "channel": channel,
        "second_channel": second,
        "diameter_px": diameter,
        "limits": limits[0],
    }
    if model:
        record["model"] = cfg["model"]
    log.info(
        "engine %s, model %s, channel %s%s, diameter %.1f px, limits %g to %g",
        record["engine"],
        record["model"],
        channel,
        "" if second is None else f" with {second}",
        diameter,
        limits[0]["low"],
        limits[0]["high"],
    )
    frames = ((movie.frame(t, channel), None if second is None else movie.frame(t, second)) for t in range(movie.n_frames))
    return segment_frames(frames, engine, limits, diameter, cfg), record


def _given_labels(given, cfg, meta):
    """(label images as they are, where they come from). Their numbers stay: given tracks may refer to them."""
    labels = open_labels(given if len(given) > 1 else given[0])
    if labels.n_channels > 1:
        labels = open_labels(given if len(given) > 1 else given[0], channel=cfg["population"])
    expected, found = (meta["n_frames"], meta["height"], meta["width"]), (labels.n_frames, labels.height, labels.width)
    if expected != found:
        raise InputDefect(
            f"The labels have {found[0]} frames of {found[1]} x {found[2]} (height x width), the movie has "
            f"{expected[0]} of {expected[1]} x {expected[2]}.",
            file=given[0],
            todo="Give labels made from this movie.",
        )
    highest = max(int(labels.frame(i).max()) for i in range(labels.n_frames))
    record = {"engine": "precomputed", "model": None, "population": cfg["population"]}
    if highest > np.iinfo(np.uint16).max:
        record["dtype"] = "uint32"
    return (labels.frame(i) for i in range(labels.n_frames)), record


def _channel(movie, wanted):
    return movie.channel_names[movie.channel_index(wanted)]


def _paths(inputs, name):
    value = getattr(inputs, name, None)
    return [] if not value else [value] if isinstance(value, str) else list(value)


def _counted(labels, counts):
    for frame in labels:
        counts.append(np.count_nonzero(np.unique(frame)))
        yield frame


def _count_table(frames, counts, flags):
    return pd.DataFrame(
        {
            "frame": np.asarray(frames, np.int32),
            "n_objects": np.asarray(counts, np.int32),
            "flag": pd.Series(flags, dtype="object"),
        }
    )


def _nothing_found(cfg, record):
    if record["engine"] == "precomputed":
        return f"The labels given for population {cfg['population']} hold no object in any frame."
    return (
        f"No cell was found in any frame: population {cfg['population']}, engine {record['engine']}, model "
        f"{record['model']}, channel {record['channel']}, diameter {record['diameter_px']:.3g} px, {cfg['polarity']} cells."
    )


def _what_to_try(cfg, record):
    if record["engine"] == "precomputed":
        return "Check that this is the right file."
    return (
        "Look at the QC picture; check channel, diameter_um and polarity of the population, lower "
        "segment.min_contrast_sd for faint cells, or try another engine or model."
    )


def _warnings(cfg, frames, flags):
    found = []
    for flag, text in (("empty", "no object"), ("jump", "a sudden change in the number of objects")):
        hits = [number for number, f in zip(frames, flags) if f == flag]
        if hits:
            some = ", ".join(map(str, hits[:10])) + (" ..." if len(hits) > 10 else "")
            found.append(f"{cfg['population']}: {text} in {len(hits)} of {len(flags)} frames ({some}).")
    return found


if __name__ == "__main__":
    run_stage(snakemake, work, empty)  # noqa: F821 (given by Snakemake)
