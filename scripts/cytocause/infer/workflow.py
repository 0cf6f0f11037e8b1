"""Between the workflow's files and infer(): units of time from the design, levels from text, progress into the log."""

import logging
import time

import pandas as pd

from cytocause.io import read_json, read_table
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
    if isinstance(interval, (int, float)) and interval > 0:
        config.setdefault("frame_interval_min", float(interval))
    config.setdefault("frames_per_step", float(frames) if isinstance(frames, (int, float)) and frames > 0 else 1.0)
    variables = read_variables_file(variables)
    return TableFile(table, ["trajectory", "time_step", *variables["name"].astype(str)]), variables, config


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
