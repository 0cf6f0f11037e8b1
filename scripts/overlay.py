"""Film and still of masks and tracks of one population: unpack, call, write.

input   movie (may be empty), meta, labels (may be empty), tracks, events, status
params  cfg: section report.overlay + {"sample", "population", "population_channel"}
output  film (mp4), still (png), status
"""

from contextlib import ExitStack

import numpy as np
from PIL import Image

from cytocause.io import atomic_path, open_labels, open_movie, progress, read_json, read_table, run_stage
from cytocause.report.film import encode
from cytocause.report.overlay import Paths, draw, grey, marks_of, scale_of


def paths_px(tracks, meta):
    """Tracks in pixels of the movie."""
    size = meta["pixel_size_um"] or 1.0
    y, x = (tracks[f"{a}_px"] if f"{a}_px" in tracks.columns else tracks[f"{a}_um"] / size for a in "yx")
    return Paths(tracks["track_id"], tracks["frame"], tracks["label"], y, x)


def channel_of(cfg, names):
    segmented = cfg.get("population_channel")
    if isinstance(segmented, int):
        segmented = names[segmented] if segmented < len(names) else None
    wanted = [cfg["channel"], segmented, cfg["population"]]
    return next((name for name in wanted if name in names), names[0] if names else None)


def write(snakemake, pages, n_pages, still_page):
    """Encode the pages; the still is one of them, its size also that of the film."""
    cfg = snakemake.params.cfg
    pages = iter(pages)
    first = next(pages)
    kept = {0: first}

    def walk():
        yield first
        for i, page in enumerate(pages, 1):
            if i == still_page:
                kept[0] = page
            yield page

    with atomic_path(snakemake.output.film) as temporary:
        encode(
            progress(walk(), n_pages, "frames drawn"),
            temporary,
            width=first.shape[1],
            height=first.shape[0],
            frames_per_second=cfg["frames_per_second"],
            quality=cfg["quality"],
        )
    with atomic_path(snakemake.output.still) as temporary:
        Image.fromarray(kept[0]).save(temporary, format="PNG")


def work(snakemake):
    cfg, meta = snakemake.params.cfg, read_json(snakemake.input.meta)
    paths = paths_px(read_table(snakemake.input.tracks), meta)
    events = read_table(snakemake.input.events)
    marks = marks_of(zip(events["event"], events["track_id"], events["frame"]), paths, cfg["event_frames"])
    frames, times = meta["frames"], meta["time_min"]
    with ExitStack() as stack:
        movie = stack.enter_context(open_movie(list(snakemake.input.movie), meta=meta)) if snakemake.input.movie else None
        labels = stack.enter_context(open_labels(snakemake.input.labels[0])) if snakemake.input.labels else None
        names = list(meta["channels"] or [])
        channel = channel_of(cfg, names) if movie else None
        limits = (meta.get("intensity") or {}).get(channel) or {}
        height, width = int(meta["height"]), int(meta["width"])
        enlarge, shrink = scale_of(height, width, cfg["min_size_px"], cfg["max_size_px"])

        def drawn():
            for page, frame in enumerate(frames):
                image = None
                if movie is not None:
                    pixels = movie.frame(page, names.index(channel))
                    image = grey(pixels, limits.get("low", pixels.min()), limits.get("high", pixels.max()))
                masks = labels.frame(page) if labels is not None and page < labels.n_frames else None
                if image is None and masks is None:
                    image = np.zeros((height, width), dtype=np.uint8)
                yield draw(
                    image,
                    masks,
                    paths,
                    frame,
                    marks.get(frame, []),
                    enlarge=enlarge,
                    shrink=shrink,
                    tail_frames=cfg["tail_frames"],
                    time_min=times[page],
                    pixel_size_um=meta["pixel_size_um"],
                )

        write(snakemake, drawn(), len(frames), len(frames) // 2)
    return {"frames": len(frames), "channel": channel, "enlarged": enlarge, "shrunk": shrink}


def empty(snakemake):
    """A film of one dark frame, so that the file is there and plays."""
    write(snakemake, [np.zeros((64, 64, 3), dtype=np.uint8)], 1, 0)


if "snakemake" in globals():
    run_stage(snakemake, work, empty)  # noqa: F821
