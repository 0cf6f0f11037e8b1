"""One simulated chip, from the causal model to every truth, streamed frame by frame.

    chip = SimulatedChip(model, cfg, sample, conditions)
    chip.label_frames()  -> (C, Y, X) masks; afterwards chip.tracks() knows every centroid
    chip.image_frames()  -> (C, Y, X) counts
    chip.events(), chip.variables(), chip.variables_hidden(), chip.contacts()
"""

import numpy as np
import pandas as pd

from . import kernels, truths
from .cells import run_chip
from .pixels import (
    CHANNELS,
    Looks,
    cell_scene,
    illumination,
    lost_bodies,
    mottle,
    render_frame,
    render_labels,
    speck_scene,
)
from .seeds import stream

MIN_PIXELS = 6  # a cell of which less is seen has no label and no track row in that frame


class SimulatedChip:
    """Everything about one chip. Nothing is drawn before it is asked for; frames are made one at a time.

    Parameters
    ----------
    model : CausalModel
    cfg : dict
        Section `simulate` of the config, defaults filled in.
    sample : str
    conditions : dict
        Value of each contextual variable.
    """

    def __init__(self, model, cfg, sample, conditions):
        self.model, self.cfg, self.sample, self.conditions = model, cfg, sample, conditions
        self.history = run_chip(model, cfg, sample, conditions)
        self.height, self.width, self.n_frames = int(cfg["height"]), int(cfg["width"]), int(cfg["n_frames"])
        self.pixel_um, self.interval = float(cfg["pixel_size_um"]), float(cfg["frame_interval_min"])
        self.looks = Looks(cfg["seed"], sample, cfg["imaging"]["brightness_sd"], self.history.parents)
        self.seen = None

    def time_min(self):
        """Time of each frame in min, 0 at the first: (T,) float64."""
        return np.arange(self.n_frames) * self.interval

    def label_dtype(self):
        """Smallest unsigned type that holds every track_id."""
        largest = max((max(known, default=0) for known in self.history.parents.values()), default=0)
        return "uint16" if largest < 2**16 else "uint32"

    def _scenes(self, frame):
        time = frame * self.interval
        both = [
            cell_scene(rows[frame], name, self.looks, time, self.pixel_um)
            for name, rows in (("tumour", self.history.tumour), ("immune", self.history.immune))
        ]
        return [cells for cells, _ in both], [specks for _, specks in both]

    def label_frames(self):
        """Masks, (C, Y, X) int32 in the order of CHANNELS; pixel = track_id. Remembers the centroids for `tracks`."""
        seen = {name: [] for name in CHANNELS}
        for frame in range(self.n_frames):
            scenes, _ = self._scenes(frame)
            labels = render_labels(scenes, self.height, self.width)
            for channel, name in enumerate(CHANNELS):
                ids = scenes[channel]["ids"]
                moments = kernels.label_moments(labels[channel], int(ids.max()) if ids.size else 0)
                count = moments[ids, 0]
                small = ids[(count > 0) & (count < MIN_PIXELS)]
                if small.size:
                    labels[channel][np.isin(labels[channel], small)] = 0
                keep = ids[count >= MIN_PIXELS]
                at = moments[keep]
                seen[name].append((keep, at[:, 1] / at[:, 0], at[:, 2] / at[:, 0], at[:, 0]))
            yield labels
        self.seen = seen

    def image_frames(self):
        """Counts of the camera, (C, Y, X) uint16 in the order of CHANNELS."""
        cfg, imaging = self.cfg, self.cfg["imaging"]
        rng = stream(cfg["seed"], self.sample, "field")
        lit = np.stack([illumination(self.height, self.width, imaging["uneven_light"], rng) for _ in CHANNELS])
        auto = np.stack([mottle(self.height, self.width, rng) for _ in CHANNELS])
        dust = [self._dust(name) for name in CHANNELS]
        for frame in range(self.n_frames):
            scenes, specks = self._scenes(frame)
            specks[0] = specks[0] + lost_bodies(
                self.history.debris, frame, self.interval, self.pixel_um, cfg["seed"], self.sample
            )
            specks = [speck_scene(dust[k] + specks[k]) for k in range(len(CHANNELS))]
            noise = stream(cfg["seed"], self.sample, "noise", frame)
            yield render_frame(scenes, specks, imaging, self.pixel_um, (lit, auto), noise)

    def _dust(self, name):
        """Motionless specks of the whole movie, as (y, x, radius px, light)."""
        rng = stream(self.cfg["seed"], self.sample, "dust", name)
        area = self.height * self.width * self.pixel_um**2 * 1e-6
        n = rng.poisson(self.cfg["imaging"]["debris"] * area)
        return [
            (rng.uniform(0, self.height), rng.uniform(0, self.width), rng.uniform(0.5, 1.1) / self.pixel_um, rng.uniform(0.1, 0.4))
            for _ in range(n)
        ]

    def tracks(self):
        """Truth tracks: one row per label and frame, centroid of the visible mask.

        Returns
        -------
        DataFrame: sample, population, track_id, parent_id, frame, time_min, label, y_um, x_um, cell_type, source
        """
        if self.seen is None:
            for _ in self.label_frames():
                pass
        parts = []
        for name in CHANNELS:
            for frame, (ids, y, x, _) in enumerate(self.seen[name]):
                parts.append(pd.DataFrame({"population": name, "track_id": ids, "frame": frame, "y": y, "x": x}))
        rows = pd.concat(parts, ignore_index=True)
        parents = [self.history.parents[p][int(i)] for p, i in zip(rows["population"], rows["track_id"])]
        table = pd.DataFrame(
            {
                "sample": self.sample,
                "population": rows["population"].astype(str),
                "track_id": rows["track_id"].astype("int64"),
                "parent_id": np.asarray(parents, "int64"),
                "frame": rows["frame"].astype("int32"),
                "time_min": rows["frame"].to_numpy() * self.interval,
                "label": rows["track_id"].astype("int32"),
                "y_um": rows["y"].to_numpy(float) * self.pixel_um,
                "x_um": rows["x"].to_numpy(float) * self.pixel_um,
                "cell_type": rows["population"].astype(str),
                "source": "given",
            }
        )
        order = {name: k for k, name in enumerate(CHANNELS)}
        key = table["population"].map(order)
        return table.assign(_k=key).sort_values(["_k", "track_id", "frame"], kind="stable").drop(columns="_k").reset_index(drop=True)

    def events(self):
        """Truth events of both populations, in the columns of the events table plus `population`.

        division: first frame of the daughters; death: onset; censored: last frame seen, with the reason.
        """
        rows = [
            (self.sample, population, track, event, frame, frame * self.interval, 1.0, "given", reason)
            for population, track, event, frame, reason in self.history.events
        ]
        names = ["sample", "population", "track_id", "event", "frame", "time_min", "confidence", "source", "reason"]
        table = pd.DataFrame(rows, columns=names)
        table = table.astype({"track_id": "int64", "frame": "int32", "time_min": "float64", "confidence": "float64"})
        order = {name: k for k, name in enumerate(CHANNELS)}
        key = table["population"].map(order)
        return table.assign(_k=key).sort_values(["_k", "track_id", "frame"], kind="stable").drop(columns="_k").reset_index(drop=True)

    def variables(self):
        """True variables of every tumour cell and frame that a movie could show; see truths.variables."""
        given = {name: self.conditions[name] for name in self.model.contextual()}
        return truths.variables(self.history.tumour, self.sample, self.interval, given)

    def variables_hidden(self):
        """What nobody sees of every tumour cell and frame; see truths.variables_hidden."""
        history = self.history
        return truths.variables_hidden(history.tumour, self.sample, self.interval, self.model, history.constants)

    def contacts(self):
        """Contacts of tumour and immune cells, first to last frame; see truths.contact_intervals."""
        return truths.contact_intervals(self.history.touches, self.sample, self.interval)
