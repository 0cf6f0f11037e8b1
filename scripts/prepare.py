"""prepare: unpack, call, write. No logic here."""

from cytocause.io import (
    atomic_path,
    open_labels,
    open_movie,
    progress,
    read_table,
    run_stage,
    write_json,
    write_table,
)


def work(snakemake):
    from contextlib import ExitStack

    from cytocause.prepare import figure, sample

    given, cfg = snakemake.input, snakemake.params.cfg
    times = (given.times[0], read_table(given.times[0])) if paths(given, "times") else None
    with ExitStack() as stack:
        labels = {path: stack.enter_context(open_labels(path)) for path in paths(given, "labels")}
        if paths(given, "movie"):
            channels = cfg["row"].get("channels") or cfg.get("channels")
            movie = stack.enter_context(
                open_movie(paths(given, "movie"), axes=cfg["row"].get("axes") or None, channels=channels or None)
            )
            pages = progress(range(movie.n_frames), movie.n_frames, "prepare frames")
            facts, quality, _, warnings = sample.from_movie(movie, cfg, labels=labels, times=times, pages=pages)
            drawing = figure.draw_quality(facts, quality, movie.frame)
        elif labels:
            facts, quality, _, warnings = sample.from_labels(labels, cfg, times=times)
            drawing = figure.draw_note(facts, "No movie: the sample enters at its label images.")
        else:
            tables = {path: read_table(path) for path in paths(given, "tracks") or paths(given, "cells")}
            facts, quality, _, warnings = sample.from_tables(tables, cfg, times=times)
            drawing = figure.draw_note(facts, "No movie: the sample enters at its tables.")
    write(snakemake, facts, quality, drawing)
    return {"warnings": warnings, "n_frames": facts["n_frames"], "flagged": int((quality["flag"] != "").sum())}


def empty(snakemake):
    from cytocause.prepare import figure, sample

    facts = sample.empty_facts(snakemake.params.cfg)
    note = figure.draw_note(facts, "This sample failed; the reason is in failed_samples.tsv.")
    write(snakemake, facts, sample.empty_quality(), note)


def write(snakemake, facts, quality, drawing):
    write_json(facts, snakemake.output.movie)
    write_table(quality, snakemake.output.qc)
    with atomic_path(snakemake.output.figure) as path:
        drawing.savefig(path, metadata={"Software": None})


def paths(given, name):
    """The files of one named input, none when it is left out."""
    value = getattr(given, name, None) or []
    return list(dict.fromkeys([value] if isinstance(value, str) else value))


if "snakemake" in globals():
    run_stage(globals()["snakemake"], work, empty)
