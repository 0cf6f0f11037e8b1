"""The stage in order: lineage and change points -> found events -> given ones -> corrections -> censoring."""

import logging
from itertools import pairwise

import numpy as np

from cytocause.fate.censoring import border_margin, censor_reason
from cytocause.fate.deaths import find_death
from cytocause.fate.divisions import division_confidence, lineage
from cytocause.fate.given import correct_events, merge_events
from cytocause.fate.signals import cell_signals, choose_channel
from cytocause.io import add_levels

logger = logging.getLogger("cytocause")


def find_fates(cells, tracks, meta, cfg, *, given=()):
    """The events table of one population.

    cells   DataFrame as `measure` writes it; tracks DataFrame as `track` writes it (the same cells)
    meta    movie.json; cfg section fate with sample, population, levels, corrections
    given   events of given.given_events
    Returns DataFrame (sample, track_id, event, frame, time_min, confidence, source, reason, levels), facts
    """
    unit = meta["unit"]
    table = _Tracks(tracks, unit)
    signals, known, channel = _signals(cells, table, meta, cfg)
    families = lineage(table.track_id, table.parent_id, table.frame)
    warnings = []
    found = _divisions(table, families, signals, cfg)
    found += _deaths(table, families, signals, known, cfg)
    events, dropped = merge_events(found, list(given))
    if dropped:
        warnings.append(
            f"{len(dropped)} divisions of the lineage are not in the given divisions and are left out "
            f"(mothers {', '.join(map(str, dropped[:5]))}{' ...' if len(dropped) > 5 else ''})."
        )
    childless = sum(1 for e in events if e["event"] == "division" and e["source"] == "given" and e["track_id"] not in families)
    if childless:
        warnings.append(f"{childless} given divisions have no daughters in the lineage; they are kept as events.")
    frames = [int(f) for f in meta["frames"]]
    corrections = [c for c in cfg.get("corrections") or [] if c.get("population") in (None, cfg["population"])]
    events = correct_events(events, corrections, extents=table.frames_of(), frame_after=dict(pairwise(frames)))
    events += _censored(table, events, cells, meta, cfg)
    df = events_table(events, meta, cfg)
    facts = _facts(df, table, known, channel, meta)
    facts["warnings"] = warnings
    if not {"area"} <= set(known):
        facts["death_status"] = "not looked for: positions alone do not tell a death from a rest; give masks, events or corrections"
    elif not cfg["death"]["enabled"]:
        facts["death_status"] = "not looked for: fate.death.enabled is false"
    else:
        facts["death_status"] = f"looked for in {', '.join(known)}"
    logger.info("%s", facts)
    return df, facts


class _Tracks:
    """The track table as arrays sorted by track and frame, with the bounds of each track."""

    def __init__(self, tracks, unit):
        order = np.lexsort((tracks["frame"].to_numpy(), tracks["track_id"].to_numpy()))
        for name in ("track_id", "parent_id", "frame", "time_min"):
            setattr(self, name, tracks[name].to_numpy()[order].astype(np.float64 if name == "time_min" else np.int64))
        self.y, self.x = (tracks[f"{axis}_{unit}"].to_numpy(np.float64)[order] for axis in "yx")
        self.first = np.flatnonzero(np.r_[True, np.diff(self.track_id) != 0]) if len(order) else np.zeros(0, dtype=np.int64)
        self.stop = np.r_[self.first[1:], len(order)].astype(np.int64)
        self.ids = self.track_id[self.first]

    def rows(self, track):
        k = np.searchsorted(self.ids, track)
        return slice(self.first[k], self.stop[k])

    def frames_of(self):
        return {int(track): set(self.frame[a:b].tolist()) for track, a, b in zip(self.ids, self.first, self.stop)}


def _segmented_channel(cfg, meta):
    """Name of the channel that the population was segmented in; None where it is not known."""
    channel, names = cfg.get("population_channel"), meta.get("channels") or []
    if isinstance(channel, int):
        return names[channel] if channel < len(names) else None
    return channel


def _signals(cells, table, meta, cfg):
    """Signals (4, N) in the order of the track table, names of the known ones, the channel."""
    channel = choose_channel(cells.columns, cfg["population"], cfg["channel"], _segmented_channel(cfg, meta))
    values, _ = cell_signals(cells, meta["unit"], channel)
    place = _match(table, cells)
    signals = np.where(place >= 0, values[:, place] if len(cells) else np.nan, np.nan)
    known = [name for name, row in zip(("area", "mean", "sd", "speed"), signals) if np.isfinite(row).any()]
    return signals, known, channel


def _match(table, cells):
    """Row of `cells` for each row of the track table, -1 where there is none."""
    track, frame = cells["track_id"].to_numpy(np.int64), cells["frame"].to_numpy(np.int64)
    if len(track) == 0:
        return np.full(len(table.frame), -1)
    width = max(int(frame.max()), int(table.frame.max(initial=0))) + 1
    order = np.argsort(track * width + frame, kind="stable")
    key = (track * width + frame)[order]
    wanted = table.track_id * width + table.frame
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[place] == wanted, order[place], -1)


def _divisions(table, families, signals, cfg):
    events = []
    for mother, (daughters, frame) in families.items():
        parts = []
        for track in (mother, *daughters[:2]):
            own = table.rows(track)
            parts.append(
                {
                    "time": table.time_min[own],
                    "y": table.y[own],
                    "x": table.x[own],
                    "area": np.exp(signals[0, own]),
                    "sd": signals[2, own],
                }
            )
        # of a mother that is tracked on after the split, only the time before counts
        before = table.frame[table.rows(mother)] < frame
        parts[0] = {name: values[before] for name, values in parts[0].items()}
        sure = division_confidence(*parts, cfg["division"]["window_min"])
        events.append(_event(mother, "division", frame, sure))
    return events


def _deaths(table, families, signals, known, cfg):
    if "area" not in known or not cfg["death"]["enabled"]:
        return []
    events = []
    for track, first, stop in zip(table.ids, table.first, table.stop):
        if int(track) in families:
            continue
        death = find_death(table.time_min[first:stop], signals[:, first:stop], cfg["death"])
        if death is not None:
            events.append(_event(int(track), "death", int(table.frame[first + death.row]), death.confidence))
    return events


def _censored(table, events, cells, meta, cfg):
    done = {e["track_id"] for e in events}
    scale = meta.get("pixel_size_um") or 1.0
    unit = meta["unit"]
    last = table.stop - 1
    place = _match(table, cells)
    touches = np.zeros(len(table.frame), dtype=bool)
    areas = np.full(0, np.nan)
    if "border" in cells.columns and len(cells):
        touches = (place >= 0) & cells["border"].fillna(False).to_numpy(bool)[place]
    if f"area_{unit}2" in cells.columns:
        areas = cells[f"area_{unit}2"].to_numpy(np.float64)
    if meta["height"] is None:  # tables in um without a pixel size: the field is what the cells visited, as `prepare` takes it in px
        height, width = table.y.max(initial=0.0), table.x.max(initial=0.0)
    else:
        height, width = (meta["height"] - 1) * scale, (meta["width"] - 1) * scale
    margin = border_margin(cfg["border_um"], areas, height, width)
    reason = censor_reason(
        table.frame[last],
        table.y[last],
        table.x[last],
        touches[last],
        movie_last_frame=int(meta["frames"][-1]),
        height=height,
        width=width,
        margin=margin,
    )
    return [
        {**_event(int(track), "censored", int(frame), 1.0), "reason": why}
        for track, frame, why in zip(table.ids, table.frame[last], reason)
        if int(track) not in done
    ]


def _event(track, kind, frame, sure):
    return {"track_id": track, "event": kind, "frame": frame, "confidence": sure, "source": "auto", "reason": ""}


def events_table(events, meta, cfg):
    """The DataFrame of a list of events, sorted by track and frame."""
    import pandas as pd

    events = sorted(events, key=lambda e: (e["track_id"], e["frame"], e["event"]))
    frame = np.array([e["frame"] for e in events], dtype=np.int64)
    time = np.interp(frame, meta["frames"], meta["time_min"]) if len(events) else np.zeros(0)
    df = pd.DataFrame(
        {
            "sample": np.full(len(events), str(cfg["sample"]), dtype=object),
            "track_id": np.array([e["track_id"] for e in events], dtype=np.int64),
            "event": np.array([e["event"] for e in events], dtype=object),
            "frame": frame.astype(np.int32),
            "time_min": time.astype(np.float64),
            "confidence": np.array([e["confidence"] for e in events], dtype=np.float64),
            "source": np.array([e["source"] for e in events], dtype=object),
            "reason": np.array([e["reason"] for e in events], dtype=object),
        }
    )
    return add_levels(df, cfg.get("levels") or {})


def _facts(df, table, known, channel, meta):
    hours = float((table.time_min[table.stop - 1] - table.time_min[table.first]).sum() / 60) if len(table.ids) else 0.0
    count = {kind: int((df["event"] == kind).sum()) for kind in ("division", "death", "censored")}
    reasons = {why: int((df["reason"] == why).sum()) for why in ("movie_end", "border", "lost")}
    return {
        "tracks": len(table.ids),
        "divisions": count["division"],
        "deaths": count["death"],
        "censored": count["censored"],
        **{f"censored_{why}": n for why, n in reasons.items()},
        "track_hours": round(hours, 3),
        "deaths_per_100_track_hours": round(100 * count["death"] / hours, 4) if hours else None,
        "signals": known,
        "channel": channel,
    }
