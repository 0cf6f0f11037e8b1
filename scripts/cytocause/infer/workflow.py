"""Between the workflow's files and infer(): units of time from the design, levels from text, progress into the log."""

import logging
import time

import pandas as pd

from cytocause.io import definitional_pairs, read_json, read_table
from cytocause.io.stage import progress_text

logger = logging.getLogger("cytocause")
EVERY_S = 5.0


def read_inputs(table, variables, design, config):
    """(table, variables, config) ready for infer(), from the files that assemble wrote."""
    facts = read_json(design)
    interval, frames = facts.get("frame_interval_min"), facts.get("time_step_frames")
    minutes = facts.get("time_step_min")
    if isinstance(minutes, (int, float)) and not isinstance(interval, (int, float)):
        # samples differ in their frame interval: a step is the unit they share
        interval, frames = minutes, 1
    variables = read_variables_file(variables)
    interval = float(interval) if isinstance(interval, (int, float)) and interval > 0 else None
    frames = float(frames) if isinstance(frames, (int, float)) and frames > 0 else 1.0
    config = settings_of(config, columns_of(variables), interval, frames)
    return TableFile(table, ["trajectory", "time_step", *variables["name"].astype(str)]), variables, config


def columns_of(variables):
    """Name of each variable -> column that it was made of, by which the data dictionary knows it."""
    names = variables["name"].astype(str)
    made_of = variables["source"].fillna(names).astype(str) if "source" in variables else names
    return dict(zip(names, made_of))


def settings_of(section, names, frame_interval_min=None, frames_per_step=1.0):
    """The `config` of infer() for a section `infer` of the workflow's config.

    Parameters
    ----------
    section : dict
    names : variables of the table; a dict says also of which column each was made
    frame_interval_min : float, min; None where nobody knows it
    frames_per_step : float, frames in a time step of the table
    """
    config = dict(section)
    minutes = config.pop("event_window_min", None)
    if frame_interval_min is not None:
        config.setdefault("frame_interval_min", frame_interval_min)
    config.setdefault("frames_per_step", frames_per_step)
    if minutes is not None:
        interval = config.get("frame_interval_min")
        # without minutes only the features of the same time step are left out
        lag = int(minutes / (interval * config["frames_per_step"]) + 1e-9) if interval else 0
        config["read_from"] = features_of_events(names, lag)
    return config


def features_of_events(names, lag):
    """Rows [event, feature, lag] for `read_from`: what each event was called from by the data dictionary, at most `lag` time steps before it."""
    made_of = names if isinstance(names, dict) else {name: name for name in names}
    pairs = definitional_pairs(made_of.values())
    rows = []
    for event, column in made_of.items():
        rows += [[event, name, lag] for name, other in made_of.items() if other != column and pairs.get(frozenset((column, other))) == column]
    return sorted(rows)


class TableFile:
    """A table on the disk of which one column at a time is in memory: what infer() needs of a DataFrame."""

    def __init__(self, path, columns):
        self.path = path
        self.columns = pd.Index(columns)
        self._rows = len(self[columns[0]])

    def __len__(self):
        return self._rows

    def __getitem__(self, name):
        return read_table(self.path, [name])[name]


def read_variables_file(path):
    """The table of variables; levels are text separated by commas."""
    return read_table(path)


def say_progress():
    """A progress function that logs what is done, at what rate, and the time left, every few seconds."""
    state = {"what": None, "start": 0.0, "last": 0.0}

    def progress(what, done, total):
        now = time.monotonic()
        if what != state["what"]:
            state.update(what=what, start=now, last=now)
        elif now - state["last"] >= EVERY_S and done < total:
            state["last"] = now
            logger.info("%s", progress_text(done, total, now - state["start"], what))

    return progress
