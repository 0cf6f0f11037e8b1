"""One simulated chip, from the causal model to every truth, streamed frame by frame.

    chip = SimulatedChip(model, cfg, sample, conditions)
    chip.label_frames()  -> (C, Y, X) masks, one channel per population; afterwards chip.tracks() knows every centroid
    chip.image_frames()  -> (C, Y, X) counts, one channel per dye (fluorescence) or one grey image (brightfield_chip)
    chip.events(), chip.variables(), chip.variables_hidden(), chip.contacts(), chip.provenance()
"""

import numpy as np
import pandas as pd

from . import kernels, truths
from .cells import run_chip
from .difficulty import of_training
from .imaging import BRIGHTFIELD, settled
from .pixels import CHANNELS, Looks, cell_scene, render_labels
from .scenery import BrightfieldView, FluorescenceView
from .spool import Spool
from .stage import frames_taken, shifts_px

POPULATIONS = ("tumour", "immune", "caf")  # in the order of the masks' channels
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
        cfg = settled(cfg, model)
        self.model, self.cfg, self.sample, self.conditions = model, cfg, sample, conditions
        self.history = run_chip(model, cfg, sample, conditions, Spool)
        self.height, self.width, self.n_frames = int(cfg["height"]), int(cfg["width"]), int(cfg["n_frames"])
        self.pixel_um, self.interval = float(cfg["pixel_size_um"]), float(cfg["frame_interval_min"])
        imaging = cfg["imaging"]
        self.looks = Looks(cfg["seed"], sample, imaging["brightness_sd"], self.history.parents, imaging["unstained"])
        self.populations = [name for name in POPULATIONS if name in CHANNELS or name in model.populations]
        self.frames = frames_taken(cfg, sample)  # numbers on the time grid; a number that lacks was dropped
        self.shifts = shifts_px(cfg, sample)
        self.view = (BrightfieldView if imaging["mode"] == BRIGHTFIELD else FluorescenceView)(self)
        self.seen = None

    def time_min(self):
        """Time of each frame of the movie in min, 0 at the first: (len(frames),) float64, uneven where frames were dropped."""
        return np.array(self.frames) * self.interval

    def channel_names(self):
        """Names of the channels of image_frames."""
        return [channel["name"] for channel in self.cfg["imaging"]["channels"]]

    def label_dtype(self):
        """Smallest unsigned type that holds every track_id."""
        largest = max((max(known, default=0) for known in self.history.parents.values()), default=0)
        return "uint16" if largest < 2**16 else "uint32"

    def scenes(self, frame):
        """Cells of each population in a frame, in px of the image: (scenes, specks, rows), dicts by population."""
        scenes, specks, rows = {}, {}, {}
        dy, dx = self.shifts[frame]
        for name in self.populations:
            rows[name] = self.view.rows(self.history.rows(name)[frame], name)
            scene, bits = cell_scene(rows[name], name, self.looks, frame * self.interval, self.pixel_um)
            scene = self.view.scene(scene)
            scene["geometry"][:, 0] += dy
            scene["geometry"][:, 1] += dx
            scenes[name] = scene
            specks[name] = [(y + dy, x + dx, radius, light) for y, x, radius, light in bits]
        return scenes, specks, rows

    def label_frames(self):
        """Masks, (C, Y, X) int32 in the order of `populations`; pixel = track_id. Remembers the centroids for `tracks`."""
        seen = {name: [] for name in self.populations}
        for frame in self.frames:
            scenes, _, _ = self.scenes(frame)
            scenes = [scenes[name] for name in self.populations]
            labels = render_labels(scenes, self.height, self.width)
            for channel, name in enumerate(self.populations):
                ids = scenes[channel]["ids"]
                moments = kernels.label_moments(labels[channel], int(ids.max()) if ids.size else 0)
                count = moments[ids, 0]
                small = ids[(count > 0) & (count < MIN_PIXELS)]
                if small.size:
                    labels[channel][np.isin(labels[channel], small)] = 0
                keep = ids[count >= MIN_PIXELS]
                at = moments[keep]
                seen[name].append((keep.astype(np.int32), at[:, 1] / at[:, 0], at[:, 2] / at[:, 0]))
            yield labels
        self.seen = seen

    def image_frames(self):
        """Counts of the camera, (C, Y, X) uint16 in the order of channel_names()."""
        for frame in self.frames:
            yield self.view.image(frame)

    def tracks(self):
        """Truth tracks: one row per label and frame, centroid of the visible mask.

        Returns
        -------
        DataFrame: sample, population, track_id, parent_id, frame, time_min, label, y_um, x_um, cell_type, source
        """
        return pd.concat(self.tracks_parts(), ignore_index=True)

    def tracks_parts(self):
        """The rows of `tracks`, at most truths.BLOCK of one population at a time."""
        for name in self.populations:
            ids, frame, y_um, x_um = self._seen_of(name)
            for start in range(0, max(ids.size, 1), truths.BLOCK):
                part = slice(start, start + truths.BLOCK)
                yield self._track_rows(name, ids[part], frame[part], y_um[part], x_um[part])

    def lineage(self, name):
        """track_id, parent_id, frame, time_min, label, y_um, x_um of the rows of one population."""
        ids, frame, y_um, x_um = self._seen_of(name)
        return pd.DataFrame(
            {
                "track_id": ids, "parent_id": self._mothers(name, ids), "frame": frame, "time_min": frame * self.interval, "label": ids,
                "y_um": y_um, "x_um": x_um,
            }
        )  # fmt: skip

    def _seen_of(self, name):
        """Number, frame (int32) and centroid in um (float64) of every mask of one population, by number and frame: (rows,) each."""
        if self.seen is None:
            for _ in self.label_frames():
                pass
        ids, y, x = (np.concatenate(column) for column in zip(*self.seen[name]))
        frame = np.repeat(np.array(self.frames, np.int32), [len(one[0]) for one in self.seen[name]])
        order = np.lexsort((frame, ids))
        return ids[order], frame[order], y[order] * self.pixel_um, x[order] * self.pixel_um

    def _mothers(self, name, ids):
        """Mother of each track, 0 for none: (rows,) int64, for ids (rows,) ascending."""
        known, which = np.unique(ids, return_inverse=True)
        mothers = self.history.parents.get(name, {})
        return np.array([mothers.get(int(k), 0) for k in known], "int64")[which]

    def _track_rows(self, name, ids, frame, y_um, x_um):
        return pd.DataFrame(
            {
                "sample": self.sample,
                "population": name,
                "track_id": ids.astype("int64"),
                "parent_id": self._mothers(name, ids),
                "frame": frame,
                "time_min": frame * self.interval,
                "label": ids,
                "y_um": y_um,
                "x_um": x_um,
                "cell_type": name,
                "source": "given",
            }
        )

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
        order = {name: k for k, name in enumerate(self.populations)}
        key = table["population"].map(order)
        return table.assign(_k=key).sort_values(["_k", "track_id", "frame"], kind="stable").drop(columns="_k").reset_index(drop=True)

    def variables(self):
        """True variables of every tumour cell and frame that a movie could show; see truths.variables."""
        return pd.concat(self.variables_parts(), ignore_index=True)

    def variables_hidden(self):
        """What nobody sees of every tumour cell and frame; see truths.variables_hidden."""
        return pd.concat(self.variables_hidden_parts(), ignore_index=True)

    def variables_parts(self):
        """The rows of `variables`, some tracks at a time."""
        given = {name: self.conditions[name] for name in self.model.contextual()}
        for frames in truths.blocks(self.history.tumour):
            yield truths.variables(frames, self.sample, self.interval, given)

    def variables_hidden_parts(self):
        """The rows of `variables_hidden`, some tracks at a time."""
        for frames in truths.blocks(self.history.tumour):
            yield truths.variables_hidden(frames, self.sample, self.interval, self.model, self.history.constants)

    def contacts(self):
        """Contacts of tumour and immune cells, first to last frame; see truths.contact_intervals."""
        return truths.contact_intervals(self.history.touches, self.sample, self.interval)

    def provenance(self):
        """From what the chip was drawn, so that anybody can draw it again, where the stage was, and whether it may be scored: plain values."""
        trained = of_training(self.cfg)
        return {
            "sample": self.sample,
            "model": self.model.name,
            "seed": int(self.cfg["seed"]),
            "streams": "Philox keyed by SHA-256 of (seed, sample, purpose, number)",
            "difficulty": self.cfg.get("difficulty"),
            "conditions": dict(self.conditions),
            "settings": {key: value for key, value in self.cfg.items() if key not in ("sample", "model", "conditions")},
            "populations": list(self.populations),
            "frames": list(self.frames),
            "stage_shift_px": [[float(y), float(x)] for y, x in self.shifts[self.frames]],
            "offsets": {name: float(value) for name, value in self.history.offsets.items()},
            "test_range": not trained,
            "training_values": trained,
        }
