"""Cells of one chip: they grow, move, meet, divide and die as the causal model says.

    frame f:  mothers at the end of mitosis become daughters
              growth, size, speed, elongation  <- edges, memory, cell, chip and date offsets
              motion in SUBSTEPS (tumour walk, immune walk, chemotaxis, arrest, fibroblasts, soft repulsion), drift, borders
              density, contact, contact_time   <- who is near whom
              mitosis, death                   <- competing hazards, edges

One causal step is one frame interval. Tumour cells turn back at the border or, rarely, leave for good, and others enter; immune
cells cross it freely. Daughters start with the mother's history, so what acts with a lag acts through them too.

A dying cell keeps its track while its body is seen: it shrinks, condenses, stops, breaks up, fades, and the track ends
when the body is lost; specks that stay are debris, without label or track.

Memory: the past is a ring of as many frames as the longest lag; what grows with the movie is a few numbers per cell and frame,
which a Spool keeps on disk.
"""

from dataclasses import dataclass

import numpy as np

from .checks import check_conditions, check_crowd, check_geometry
from .model import POPULATIONS, lag_frames
from .motion import pairs_within, push_apart, walk
from .seeds import stream
from .tissue import Depth, Drift, Fibroblasts

# Where a number below has no study it is ours, chosen as said; those of the model file have their `source` there.
SUBSTEPS = 5  # ours: of a frame interval, 2 min each at 10 min, short against contacts of tens of minutes
BURN_IN_MIN = 240.0  # ours: contacts and memories are stationary after this, before the first frame
EXIT_CHANCE = 0.10  # ours, so that most tracks last: of a tumour cell that reaches the border; the others turn back
TUMOUR_MARGIN_UM = 2.0  # ours, so that a nucleus at the border still shows: how near the border a tumour cell's centre may come
GAP_UM = 0.8  # ours: kept free between nuclei, two membranes and a little cytoplasm
# An immune cell lies on the rim of a tumour cell whatever the nucleus' size (in projection it may cover a part of it), so that
# size does not decide who is counted within the contact radius. Shares of that radius, ours: caught below, held at, let go above.
CATCH, HOLD, LET_GO = 0.92, 0.80, 1.15
JITTER_UM = 0.25  # ours, 0.8 um in 10 min: um per root minute, of everything that is alive
SISTER_GAP_UM = 2.2  # ours, so that both plates can be told apart: between the two plates of an anaphase pair
# ours, plates that part and fill out within three frames: daughters' first frames
YOUNG = ((0.60, 0.60, 1.75), (0.76, 0.35, 1.40), (0.90, None, 1.15))  # area, axis ratio (ln), brightness
SISTER_SPEED = 0.22  # ours, each sister 2 um a frame of 10 min: um/min, sisters moving apart during the first frames
SWELLING = 0.28  # ours, a little over the 0.23 of ln area from 1/2 of the mother's area to (1/2)^(2/3), as for half of her volume
MITOSIS_SHARE = 0.95  # ours, about an hour of twenty: of the cycle that is over when mitosis begins
OFFSET = ("size", "speed", "elongation", "contact", "mitosis", "death")  # may differ from chip to chip

INTERPHASE, MITOSIS, DYING = 0, 1, 2

# Fields of a tumour row and of an immune row in History.frames
TUMOUR_FIELDS = (
    "track_id", "y_um", "x_um", "angle", "area_um2", "aspect_ln", "phase", "progress", "condensation", "speed_um_min",
    "size_um2", "n_immune_r1", "n_immune_r2", "distance_immune_um", "hazard_division_per_h", "hazard_death_per_h", "age_min",
    "depth_um", "cycle", "n_tumour_r2",
)  # fmt: skip
IMMUNE_FIELDS = (
    "track_id", "y_um", "x_um", "angle", "area_um2", "aspect_ln", "speed_um_min", "attached", "depth_um", "phase", "progress",
    "condensation", "cycle",
)  # fmt: skip


@dataclass
class History:
    """What happened in one chip.

    tumour, immune, caf : list or Spool over frames of dicts of equal-length arrays (TUMOUR_FIELDS and the model's hidden
        variables; IMMUNE_FIELDS; the same without `attached`)
    parents : dict population -> dict track_id -> parent track_id (0 for none)
    events : list of (population, track_id, event, frame, reason)
    debris : list of (frame, y_um, x_um, area_um2): where and when a body was lost
    touches : list over frames of (k, 2) int64: track_ids of a tumour and an immune cell within the contact radius
    constants : dict, hidden properties of the chip
    offsets : dict variable -> float, random effects of chip and date together, added to the variable (its logarithm, but for elongation)
    """

    tumour: list
    immune: list
    parents: dict
    events: list
    debris: list
    caf: list
    touches: list
    constants: dict
    offsets: dict

    def rows(self, population):
        """List over frames of one population's rows."""
        return {"tumour": self.tumour, "immune": self.immune, "caf": self.caf}[population]


def form_value(form, x, half, centre=0.0):
    """What a cause counts as.

    linear x | saturating x/(|x| + half) | threshold 1 where x >= half | u_shaped d^2/(d^2 + half^2), d = x - centre
    """
    if form == "linear":
        return x
    if form == "saturating":
        return x / (np.abs(x) + half)
    if form == "u_shaped":
        square = (x - centre) ** 2
        return square / (square + half * half)
    return (x >= half).astype(float)


def run_chip(model, cfg, sample, conditions, store=list):
    """Let one chip live.

    Parameters
    ----------
    model : CausalModel
    cfg : dict
        Section `simulate` of the config. Further keys: "exposures", rows {variable, start_min, end_min, dose} of this sample's
        doses (without the key the model's own schedules run); "date", the level whose effects the chip shares.
    sample : str
        Names the random streams.
    conditions : dict
        Value of every contextual variable of the model, e.g. {"treatment": 1, "CAF_presence": 0}.
    store : type
        What keeps the rows of all frames: list, or Spool, for a movie so long that they would fill the memory.

    Returns
    -------
    History
    """
    check_geometry(model, cfg)
    return _Chip(model, cfg, sample, check_conditions(model, sample, conditions)).run(store)


def dose_at(spans, minute):
    """Dose at a time (min): that of the span it lies in, its start included and its end not; 0 outside."""
    return sum(dose for start, end, dose in spans if start <= minute < end)


class _Chip:
    """The state of a chip between two frames. Columns of the arrays are tumour cells, in order of appearance."""

    def __init__(self, model, cfg, sample, conditions):
        self.model, self.cfg, self.conditions = model, cfg, conditions
        self.dt = float(cfg["frame_interval_min"])
        self.px = float(cfg["pixel_size_um"])
        self.low = -0.5 * self.px  # the outer edge of pixel 0
        self.top = (cfg["height"] - 0.5) * self.px
        self.right = (cfg["width"] - 0.5) * self.px
        self.area_mm2 = cfg["height"] * cfg["width"] * self.px**2 * 1e-6
        self.v = {name: v.values for name, v in model.variables.items()}
        lags = lag_frames(model, self.dt)
        self.depth_of_past = max(lags, default=0) + 1
        self.past = [name for name, v in model.variables.items() if v.kind == "cell"]
        self.rng = stream(cfg["seed"], sample, "cells")
        self.burn_in = int(np.ceil(BURN_IN_MIN / self.dt)) + max(lags, default=0)
        self.n_steps = self.burn_in + int(cfg["n_frames"])
        self.chip_offset = {name: self.rng.normal(0.0, self.v[name]["chip_sd"]) for name in OFFSET}
        self._constants(sample)
        self.fixed, self.edges = {}, {}  # what conditions and the chip add to each target; the edges that change in time
        for edge, lag in zip(model.edges, lags):
            if edge.source in self.constant:
                effect = edge.sign * edge.strength * form_value(edge.form, np.float64(self.constant[edge.source]), edge.half, edge.centre)
                self.fixed[edge.target] = self.fixed.get(edge.target, 0.0) + float(effect)
            else:
                self.edges.setdefault(edge.target, []).append((edge, lag))
        self.parents = {name: {} for name in POPULATIONS}
        self.events, self.debris, self.touches = [], [], []
        self.next_id = {"tumour": 1, "immune": 1}
        self.drift = Drift(model.tissue, stream(cfg["seed"], sample, "drift"))
        self.depth = Depth(model.tissue, self.dt, stream(cfg["seed"], sample, "depth"))
        self.own = stream(cfg["seed"], sample, "fitness")
        self._place_caf(sample)
        self._place_tumour()
        self._place_immune()

    def _constants(self, sample):
        """What stays for the whole chip: conditions, hidden properties, doses, offsets of chip and date."""
        seed, model = self.cfg["seed"], self.model
        self.constant = dict(self.conditions)
        for name in model.of_kind("chip"):
            self.constant[name] = float(stream(seed, sample, "chip", name).normal(0.0, 1.0)) * self.v[name]["sd"]
        self.dose = {name: model.variables[name].schedule for name in model.of_kind("exogenous")}
        if "exposures" in self.cfg:
            rows = self.cfg["exposures"]
            self.dose = {
                name: [(row["start_min"], row["end_min"], row["dose"]) for row in rows if row["variable"] == name] for name in self.dose
            }
        if "growth" in self.v:
            self.chip_offset["growth"] = float(stream(seed, sample, "chip", "growth").normal(0.0, 1.0)) * self.v["growth"]["chip_sd"]
        date = self.cfg.get("date")
        for name in self.chip_offset:
            if date is not None and self.v[name]["date_sd"] > 0:
                self.chip_offset[name] += float(stream(seed, "date", date, name).normal(0.0, 1.0)) * self.v[name]["date_sd"]

    # ---- start ------------------------------------------------------------------------------------------------------
    def _place_caf(self, sample):
        """Fibroblasts, where the chip's condition says that there are some."""
        population = self.model.populations.get("caf")
        here = population is not None and self.conditions[population["condition"]] != 0
        count = round(population["density_mm2"] * self.area_mm2) if here else 0
        self.caf = Fibroblasts(population, count, (self.low, self.top, self.right), stream(self.cfg["seed"], sample, "caf"))
        self.caf.depth = np.array([self.depth.start() for _ in range(self.caf.y.size)])
        self.parents["caf"] = dict.fromkeys(range(1, self.caf.y.size + 1), 0)

    def _place_tumour(self):
        n = round(self.cfg["tumour_density_mm2"] * self.area_mm2)
        self.n = 0
        room = max(64, 6 * n)
        self.t = {
            key: np.zeros(room)
            for key in (
                "y", "x", "heading", "angle", "ln_size", "ar_size", "ar_speed", "ar_elongation", "off_size", "off_speed",
                "off_elongation", "start", "length", "onset", "body", "born", "age0", "split", "ar_growth", "off_growth", "fitness",
                "contact_time", "depth",
            )
        }  # fmt: skip
        self.phase = np.zeros(room, np.int64)
        self.here = np.zeros(room, bool)
        self.ids = np.zeros(room, np.int64)
        self.hist = {name: np.zeros((self.depth_of_past, room)) for name in self.past}
        for _ in range(n):
            i = self._new_tumour(
                self.rng.uniform(self.low + 4, self.top - 4), self.rng.uniform(self.low + 4, self.right - 4), 0, 0
            )
            self.t["ln_size"][i] = np.log(self.v["size"]["reference"]) + self.rng.uniform(-0.42, 0.22)
            self.t["age0"][i] = (self.t["ln_size"][i] - np.log(0.63 * self.v["size"]["reference"])) / self._growth()
        self._relax(60)

    def _growth(self):
        return np.log(2.0) / (60.0 * self.v["size"]["doubling_h"])  # per min

    def _new_tumour(self, y, x, parent, step):
        if self.n == self.phase.size:
            self._enlarge()
        i = self.n
        self.n += 1
        t = self.t
        t["y"][i], t["x"][i] = y, x
        t["heading"][i] = self.rng.uniform(-np.pi, np.pi)
        t["angle"][i] = t["heading"][i]
        for name, key in (("size", "size"), ("speed", "speed"), ("elongation", "elongation")):
            t["ar_" + key][i] = self.rng.normal(0.0, 1.0) * self.v[name]["sd"]
            t["off_" + key][i] = self.rng.normal(0.0, 1.0) * self.v[name]["cell_sd"]
        if "growth" in self.v:
            t["ar_growth"][i] = self.own.normal(0.0, 1.0) * self.v["growth"]["sd"]
            t["off_growth"][i] = self.own.normal(0.0, 1.0) * self.v["growth"]["cell_sd"]
        if "fitness" in self.v:
            t["fitness"][i] = self.own.normal(0.0, 1.0) * self.v["fitness"]["sd"]
        t["depth"][i] = self.depth.start()
        t["born"][i] = step
        t["split"][i] = -1e9
        t["ln_size"][i] = np.log(self.v["size"]["reference"])
        self.here[i] = True
        self.ids[i] = self.next_id["tumour"]
        self.parents["tumour"][int(self.ids[i])] = int(parent)
        self.next_id["tumour"] += 1
        return i

    def _enlarge(self):
        for key in self.t:
            self.t[key] = np.concatenate([self.t[key], np.zeros_like(self.t[key])])
        self.phase = np.concatenate([self.phase, np.zeros_like(self.phase)])
        self.here = np.concatenate([self.here, np.zeros_like(self.here)])
        self.ids = np.concatenate([self.ids, np.zeros_like(self.ids)])
        for key in self.hist:
            self.hist[key] = np.concatenate([self.hist[key], np.zeros_like(self.hist[key])], axis=1)

    def _place_immune(self):
        self.n_immune = round(self.cfg["immune_density_mm2"] * self.area_mm2)
        self.i = {key: np.zeros(0) for key in ("y", "x", "heading", "attached", "wait", "area", "aspect", "y0", "x0", "used", "depth")}
        self.i_ids = np.zeros(0, np.int64)
        for _ in range(self.n_immune):
            self._new_immune(
                self.rng.uniform(self.low, self.top), self.rng.uniform(self.low, self.right), self.rng.uniform(-np.pi, np.pi)
            )

    def _new_immune(self, y, x, heading):
        diameter = self.model.populations["immune"]["diameter_um"] * np.exp(self.rng.normal(0, 0.06))
        new = {
            "y": y, "x": x, "heading": heading, "attached": -1.0, "wait": 0.0, "area": np.pi * diameter**2 / 4,
            "aspect": abs(self.rng.normal(0.0, 0.08)) + 0.05, "y0": np.nan, "x0": np.nan, "used": 0.0, "depth": self.depth.start(),
        }  # fmt: skip
        for key, value in new.items():
            self.i[key] = np.append(self.i[key], value)
        self.i_ids = np.append(self.i_ids, self.next_id["immune"])
        self.parents["immune"][self.next_id["immune"]] = 0
        self.next_id["immune"] += 1

    # ---- the causal part --------------------------------------------------------------------------------------------
    def _effect(self, target, step):
        """Sum of the edges into `target` for every tumour cell so far: (n,) float64."""
        total = np.full(self.n, self.fixed.get(target, 0.0))
        for edge, lag in self.edges.get(target, []):
            if edge.source in self.dose:
                cause = np.float64(dose_at(self.dose[edge.source], (step - self.burn_in - lag) * self.dt))
            else:
                cause = self.hist[edge.source][max(step - lag, 0) % self.depth_of_past, : self.n]
            total += edge.sign * edge.strength * form_value(edge.form, cause, edge.half, edge.centre)
        return total

    def _remember(self, name, step, values):
        """Keep a variable of this step for the edges that start at it."""
        if name in self.hist:
            self.hist[name][step % self.depth_of_past, : self.n] = values

    def _memory(self, name, rng):
        """One step of the variable's own memory: an AR(1) of standard deviation sd and time constant memory_min."""
        n, key = self.n, "ar_" + name
        keep = np.exp(-self.dt / self.v[name]["memory_min"]) if self.v[name]["memory_min"] > 0 else 0.0
        noise = rng.normal(0.0, 1.0, n) * self.v[name]["sd"]
        self.t[key][:n] = keep * self.t[key][:n] + np.sqrt(1 - keep * keep) * noise
        return self.t[key][:n] + self.t["off_" + name][:n] + self.chip_offset[name]

    def _features(self, step, living):
        """Growth, size, speed and elongation of this step; the realised speed replaces the intended one after the motion."""
        n, t, rng = self.n, self.t, self.rng
        self._remember("fitness", step, t["fitness"][:n])
        self._remember("cycle_age", step, self._age(step) / 60.0)
        growth = 1.0
        if "growth" in self.v:
            ln_growth = np.clip(self._effect("growth", step) + self._memory("growth", self.own), -4.0, 2.0)
            self._remember("growth", step, ln_growth)
            growth = np.exp(ln_growth)
        self._shields(step)
        if living:
            grows = self.here[:n] & (self.phase[:n] == INTERPHASE)
            since = (step - t["split"][:n]) * self.dt
            swell = SWELLING * np.exp(-since / self.v["size"]["regrow_min"]) * -np.expm1(-self.dt / self.v["size"]["regrow_min"])
            swell = np.where(since > 0, swell * np.exp(self.dt / self.v["size"]["regrow_min"]), 0.0)
            room = 1.0 - np.exp(t["ln_size"][:n]) / (self.v["size"]["largest"] * self.v["size"]["reference"])
            t["ln_size"][:n] += np.where(grows, swell + 2.0 * self._growth() * self.dt * growth * np.clip(room, 0.0, 0.5), 0.0)
        ln_area = t["ln_size"][:n] + self._effect("size", step) + self._memory("size", rng)
        self.size = np.exp(ln_area)
        self._remember("size", step, ln_area - np.log(self.v["size"]["reference"]))
        self.drive = self.v["speed"]["reference"] * np.exp(self._effect("speed", step) + self._memory("speed", rng))
        aspect = self.v["elongation"]["reference"] + self._effect("elongation", step) + self._memory("elongation", rng)
        self.aspect = np.clip(aspect, 0.02, 1.2)
        self._remember("elongation", step, self.aspect - self.v["elongation"]["reference"])
        t["depth"][:n] = self.depth.step(t["depth"][:n])
        self.i["depth"], self.caf.depth = self.depth.step(self.i["depth"]), self.depth.step(self.caf.depth)

    def _age(self, step):
        """Minutes since birth: (n,) float64."""
        return (step - self.t["born"][: self.n]) * self.dt + self.t["age0"][: self.n]

    def _shields(self, step):
        """How many fibroblasts lie near enough to shield each tumour cell."""
        if "shield" in self.v:
            n = self.n
            near, _ = pairs_within(self.t["y"][:n], self.t["x"][:n], self.caf.y, self.caf.x, self.v["shield"]["radius_um"])
            self.shield = np.bincount(near, minlength=n).astype(float)
            self._remember("shield", step, self.shield)

    def _events(self, step):
        """Competing hazards of mitosis and death for cells in interphase."""
        n, dt_h = self.n, self.dt / 60.0
        free = self.here[:n] & (self.phase[:n] == INTERPHASE)
        offset = self.chip_offset
        divide = self.v["mitosis"]["per_hour"] * np.exp(self._effect("mitosis", step) + offset["mitosis"])
        die = self.v["death"]["per_hour"] * np.exp(self._effect("death", step) + offset["death"])
        self.hazard = {"mitosis": np.where(free, divide, 0.0), "death": np.where(free, die, 0.0)}
        total = self.hazard["mitosis"] + self.hazard["death"]
        draw, which = self.rng.random(n), self.rng.random(n)
        for i in np.flatnonzero(draw < -np.expm1(-total * dt_h)):
            if which[i] * total[i] < self.hazard["death"][i]:
                self.phase[i] = DYING
                self.t["onset"][i] = step
                self.t["body"][i] = self.v["death"]["body_min"] * self.rng.uniform(0.75, 1.25)
                self.events.append(("tumour", int(self.ids[i]), "death", step - self.burn_in, ""))
            else:
                minutes = self.rng.normal(self.v["mitosis"]["duration_min"], self.v["mitosis"]["duration_sd_min"])
                self.phase[i] = MITOSIS
                self.t["start"][i] = step
                self.t["length"][i] = max(2, round(minutes / self.dt))

    def _divide(self, step):
        """Mothers at the end of mitosis become two daughters along the long axis the mother had."""
        n, t = self.n, self.t
        ready = self.here[:n] & (self.phase[:n] == MITOSIS) & (step >= t["start"][:n] + t["length"][:n])
        for i in np.flatnonzero(ready):
            share = np.clip(self.rng.normal(0.5, 0.02), 0.42, 0.58)
            axis = t["angle"][i]
            self.here[i] = False
            self.events.append(("tumour", int(self.ids[i]), "division", step - self.burn_in, ""))
            for part, side in ((share, 1.0), (1.0 - share, -1.0)):
                size = part * self.size[i] if i < self.size.size else part * np.exp(t["ln_size"][i])
                half_gap = np.sqrt(0.6 * size / np.pi / np.exp(0.6)) + SISTER_GAP_UM / 2
                j = self._new_tumour(
                    t["y"][i] + side * half_gap * np.sin(axis), t["x"][i] + side * half_gap * np.cos(axis), self.ids[i], step
                )
                t = self.t
                t["ln_size"][j] = t["ln_size"][i] + np.log(part)
                t["ar_size"][j] = t["ar_size"][i]
                t["off_size"][j] = t["off_size"][i]
                t["off_speed"][j] = 0.7 * t["off_speed"][i] + 0.7 * t["off_speed"][j]
                t["heading"][j] = axis if side > 0 else axis + np.pi
                t["angle"][j] = axis
                t["split"][j] = step
                t["contact_time"][j] = t["contact_time"][i]
                t["depth"][j] = t["depth"][i]
                t["ar_growth"][j] = t["ar_growth"][i]
                if "fitness" in self.v:
                    kept = self.v["fitness"].get("heritability", 1.0)
                    t["fitness"][j] = kept * t["fitness"][i] + np.sqrt(1.0 - kept * kept) * t["fitness"][j]
                for past in self.hist.values():
                    past[:, j] = past[:, i]
            for k in np.flatnonzero(self.i["attached"] == i):  # immune cells stay with the nearer daughter
                pair = np.array([self.n - 2, self.n - 1])
                gap = np.hypot(t["y"][pair] - self.i["y"][k], t["x"][pair] - self.i["x"][k])
                self.i["attached"][k] = pair[np.argmin(gap)]

    # ---- motion -----------------------------------------------------------------------------------------------------
    def _drawn(self, step):
        """Area, axis ratio, direction, progress and condensation as seen, given the phase."""
        n, t, phase = self.n, self.t, self.phase[: self.n]
        area, aspect = self.size * self._shrunk(step), self.aspect.copy()
        angle = t["angle"][:n].copy()
        progress, condensed = np.zeros(n), np.ones(n)
        k = np.flatnonzero(phase == MITOSIS)
        p = (step - t["start"][k]) / np.maximum(t["length"][k], 1)
        progress[k] = p
        rounding, plate = k[p < 0.5], k[p >= 0.5]
        aspect[rounding] *= 0.4
        condensed[rounding] = 1.1 + 0.6 * progress[rounding]
        aspect[plate] = 0.75
        angle[plate] += np.pi / 2
        condensed[plate] = 1.75
        since = step - t["split"][:n]
        for age, (_, ratio, bright) in enumerate(YOUNG):
            young = np.flatnonzero((since == age) & (phase == INTERPHASE))
            condensed[young] = bright
            if ratio is not None:
                aspect[young] = ratio
                angle[young] += np.pi / 2
        k = np.flatnonzero(phase == DYING)
        minutes = (step - t["onset"][k]) * self.dt
        decay = np.exp(-minutes / self.v["death"]["shrink_min"])
        aspect[k] *= 0.4 + 0.6 * decay
        left = np.clip((t["body"][k] - minutes) / 40.0, 0.0, 1.0)
        condensed[k] = (1.0 + 0.9 * (1.0 - decay)) * (0.4 + 0.6 * left)
        progress[k] = 1.0 - decay
        return area, aspect, angle, progress, condensed

    def _radii(self, step):
        if not hasattr(self, "size"):
            return np.sqrt(np.exp(self.t["ln_size"][: self.n]) / np.pi)
        return np.sqrt(self.size * self._shrunk(step) / np.pi)

    def _shrunk(self, step):
        """Area as seen over the area in interphase: rounding and plate, young daughters, dying bodies; (n,) float64."""
        n, t = self.n, self.t
        share, phase = np.ones(n), self.phase[:n]
        k = np.flatnonzero(phase == MITOSIS)
        p = (step - t["start"][k]) / np.maximum(t["length"][k], 1)
        share[k] = np.where(p < 0.5, 0.95 - 0.35 * p, 0.60)
        k = np.flatnonzero((step - t["split"][:n] < len(YOUNG)) & (phase == INTERPHASE))
        share[k] = np.array([factor for factor, _, _ in YOUNG])[(step - t["split"][k]).astype(int)]
        k = np.flatnonzero(phase == DYING)
        share[k] = 0.38 + 0.62 * np.exp(-(step - t["onset"][k]) * self.dt / self.v["death"]["shrink_min"])
        return share

    def _relax(self, rounds):
        n = self.n
        push_apart(self.t["y"][:n], self.t["x"][:n], self._radii(0)[:n], np.ones(n), GAP_UM, rounds)
        self.t["y"][:n] = np.clip(self.t["y"][:n], self.low + TUMOUR_MARGIN_UM, self.top - TUMOUR_MARGIN_UM)
        self.t["x"][:n] = np.clip(self.t["x"][:n], self.low + TUMOUR_MARGIN_UM, self.right - TUMOUR_MARGIN_UM)

    def _move(self, step, living):
        n, t = self.n, self.t
        before_y, before_x = t["y"][:n].copy(), t["x"][:n].copy()
        self.i["y0"], self.i["x0"] = self.i["y"].copy(), self.i["x"].copy()
        speed = np.where(self.phase[:n] == MITOSIS, 0.3, 1.0) * self.drive
        dying = self.phase[:n] == DYING
        calm = np.exp(-(step - t["onset"][:n]) * self.dt / 20.0)
        speed = np.where(dying, speed * calm, speed)
        turn = np.sqrt(2 * self.dt / self.model.populations["tumour"]["persistence_min"])
        young = (step - t["split"][:n] >= 1) & (step - t["split"][:n] <= 2)
        speed = np.where(young, SISTER_SPEED, speed)
        t["heading"][:n] += np.where(young, 0.0, turn) * self.rng.normal(0.0, 1.0, n)
        settle = 1.0 - np.exp(-self.dt / 40.0)
        away = np.angle(np.exp(2j * (t["heading"][:n] - t["angle"][:n]))) / 2
        free = (self.phase[:n] == INTERPHASE) & ~young
        t["angle"][:n] += np.where(free, settle * away + 0.08 * self.rng.normal(0.0, 1.0, n), 0.0)
        weight = np.where(dying, 0.1, 1.0)
        attraction = self._effect("contact", step) + self.chip_offset["contact"]
        self.drift.step(self.dt)
        self._walk(step, speed, weight, attraction)
        self._drift()
        self._tumour_border(step, living)
        self._immune_border(step, living)
        n = before_y.size
        realised = np.hypot(t["y"][:n] - before_y, t["x"][:n] - before_x) / self.dt
        self.realised = np.zeros(self.n)
        self.realised[:n] = realised
        if self.n > n:
            self.realised[n:] = self.drive.mean() if self.drive.size else self.v["speed"]["reference"]
        floor = 0.1 * self.v["speed"]["reference"]
        self._remember("speed", step, np.log(np.maximum(self.realised, floor) / self.v["speed"]["reference"]))

    def _walk(self, step, speed, weight, attraction):
        """Motion within the step: tumour cells that are here, fibroblasts and immune cells."""
        t, i, caf = self.t, self.i, self.caf
        there = np.flatnonzero(self.here[: self.n])
        k, m, p = there.size, i["y"].size, self.model.populations["immune"]
        place = np.full(self.n + 1, -2)  # of a cell among those that are here; the last entry is for "none"
        place[there] = np.arange(k)
        place[-1] = -1
        noise, chance = np.empty((SUBSTEPS, 3, m)), np.empty((SUBSTEPS, m))
        for s in range(SUBSTEPS):
            noise[s], chance[s] = self.rng.normal(0.0, 1.0, (3, m)), self.rng.random(m)
        pace = caf.turn(self.dt)
        y, x = np.concatenate([t["y"][there], caf.y]), np.concatenate([t["x"][there], caf.x])
        heading = np.concatenate([t["heading"][there], caf.heading])
        held = place[np.where(i["attached"] >= 0, i["attached"], -1).astype(np.int64)]
        contact = self.v["contact"]["radius_um"]
        walk(
            y, x, heading, np.concatenate([speed[there], pace]),
            np.concatenate([self._radii(step)[there], caf.radius]), np.concatenate([weight[there], np.ones(pace.size)]),
            np.concatenate([self.phase[there] != DYING, np.zeros(pace.size, bool)]),
            np.concatenate([attraction[there], np.zeros(pace.size)]),
            i["y"], i["x"], i["heading"], held, i["wait"], np.sqrt(i["area"] / np.pi), noise, chance,
            np.array([p["speed_um_min"], p["persistence_min"], p["sensing_um"], p["chemotaxis"], p["dwell_min"], p["arrest"],
                      p["refractory_min"], CATCH * contact, HOLD * contact, LET_GO * contact, JITTER_UM]),
            self.dt / SUBSTEPS, GAP_UM,
        )  # fmt: skip
        t["y"][there], t["x"][there] = y[:k], x[:k]
        i["attached"] = np.where(held >= 0, np.append(there, -1)[held] if m else -1, -1).astype(float)
        caf.settle(y[k:], x[k:], self.dt)

    def _drift(self):
        """The gel carries all cells."""
        n, t, i, caf = self.n, self.t, self.i, self.caf
        if self.drift.rms == 0:
            return
        places = ((t["y"][:n], t["x"][:n]), (i["y"], i["x"]), (caf.y, caf.x))
        dy, dx = self.drift.displacement(*(np.concatenate(part) for part in zip(*places)), self.dt)
        start = 0
        for y, x in places:
            y += dy[start : start + y.size]
            x += dx[start : start + x.size]
            start += y.size

    def _tumour_border(self, step, living):
        n, t = self.n, self.t
        low, m = self.low, TUMOUR_MARGIN_UM
        chance = self.rng.random(n)
        y, x = t["y"][:n], t["x"][:n]
        out = self.here[:n] & ((y < low + m) | (y > self.top - m) | (x < low + m) | (x > self.right - m))
        leave = out & living & (chance < EXIT_CHANCE) & (self.phase[:n] == INTERPHASE)
        leave &= step - t["split"][:n] > 3  # both daughters are seen before one can go
        for i in np.flatnonzero(leave):
            self.here[i] = False
            if step - 1 >= self.burn_in and t["born"][i] < step:
                self.events.append(("tumour", int(self.ids[i]), "censored", step - 1 - self.burn_in, "border"))
        over_y, over_x = (y < low + m) | (y > self.top - m), (x < low + m) | (x > self.right - m)
        t["heading"][:n] = np.where(over_y, -t["heading"][:n], t["heading"][:n])
        t["heading"][:n] = np.where(over_x, np.pi - t["heading"][:n], t["heading"][:n])
        t["y"][:n] = np.clip(y, low + m, self.top - m)
        t["x"][:n] = np.clip(x, low + m, self.right - m)
        if living and self.cfg["tumour_density_mm2"] > 0:
            side = self.cfg["height"] * self.px * 2 + self.cfg["width"] * self.px * 2
            rate = self.cfg["tumour_density_mm2"] * 1e-6 * side * self.v["speed"]["reference"] * self.dt * EXIT_CHANCE / np.pi
            if self.rng.random() < rate:
                self._enter_tumour(step)

    def _entry(self, margin):
        """A random place just inside the border and the direction inwards."""
        side, along = self.rng.integers(4), self.rng.random()
        y, x = self.low + along * (self.top - self.low), self.low + along * (self.right - self.low)
        turn = self.rng.uniform(-0.8, 0.8)
        if side == 0:
            return self.low + margin, x, np.pi / 2 + turn
        if side == 1:
            return self.top - margin, x, -np.pi / 2 + turn
        if side == 2:
            return y, self.low + margin, turn
        return y, self.right - margin, np.pi + turn

    def _enter_tumour(self, step):
        y, x, heading = self._entry(TUMOUR_MARGIN_UM)
        n = self.n
        near = np.hypot(self.t["y"][:n] - y, self.t["x"][:n] - x)[self.here[:n]]
        if near.size and near.min() < 18.0:
            return
        i = self._new_tumour(y, x, 0, step)
        self.t["heading"][i] = self.t["angle"][i] = heading
        self.t["ln_size"][i] = np.log(self.v["size"]["reference"]) + self.rng.uniform(-0.3, 0.1)
        self.t["age0"][i] = (self.t["ln_size"][i] - np.log(0.63 * self.v["size"]["reference"])) / self._growth()
        self.size = np.append(self.size, np.exp(self.t["ln_size"][i]))
        self.aspect = np.append(self.aspect, self.v["elongation"]["reference"])
        self.hist["size"][:, i] = self.t["ln_size"][i] - np.log(self.v["size"]["reference"])

    def _immune_border(self, step, living):
        i = self.i
        inside = (i["y"] > self.low) & (i["y"] < self.top) & (i["x"] > self.low) & (i["x"] < self.right)
        if not inside.all():
            for k in np.flatnonzero(~inside):
                if step - 1 >= self.burn_in:
                    self.events.append(("immune", int(self.i_ids[k]), "censored", step - 1 - self.burn_in, "border"))
            for key in i:
                i[key] = i[key][inside]
            self.i_ids = self.i_ids[inside]
        lacking = self.n_immune - i["y"].size
        for _ in range(self.rng.binomial(lacking, 0.3) if lacking > 0 else 0):
            y, x, heading = self._entry(1.0)
            if i["y"].size == 0 or np.hypot(i["y"] - y, i["x"] - x).min() > 12.0:
                self._new_immune(y, x, heading)

    def _contacts(self, step):
        """Who is near whom after the motion: immune cells within both radii, tumour neighbours, minutes of contact."""
        n, c, t = self.n, self.v["contact"], self.t
        y, x = t["y"][:n], t["x"][:n]
        cell, other = pairs_within(y, x, self.i["y"], self.i["x"], c["vicinity_um"])
        distance = np.hypot(y[cell] - self.i["y"][other], x[cell] - self.i["x"][other])
        self.r2 = np.bincount(cell, minlength=n).astype(float)
        self.nearest = np.full(n, np.inf)
        np.minimum.at(self.nearest, cell, distance)
        self.nearest[np.isinf(self.nearest)] = np.nan
        close = distance <= c["radius_um"]
        cell, other = cell[close], other[close]
        self.r1 = np.bincount(cell, minlength=n).astype(float)
        self.touching = cell, other
        self._remember("contact", step, self.r1)
        if "contact_time" in self.v:
            self._accumulate(step, cell, other)
        self._neighbours(step)

    def _accumulate(self, step, cell, other):
        """Contact minutes, each immune cell's weighed by what exhaustion has left of it."""
        used, limit = self.i["used"], self.model.populations["immune"].get("exhaustion_min")
        potency = np.exp(-used / limit) if limit else np.ones(used.size)
        forget = self.v["contact_time"].get("forget_min")
        kept = np.exp(-self.dt / forget) if forget else 1.0
        minutes = self.t["contact_time"][: self.n]
        minutes *= kept
        minutes += self.dt * np.bincount(cell, weights=potency[other], minlength=self.n)
        busy = np.zeros(used.size, bool)
        busy[other] = True
        used += self.dt * busy
        self._remember("contact_time", step, minutes)

    def _neighbours(self, step):
        """Living tumour cells within the radius of `density` (or the vicinity), the cell itself left out."""
        radius = self.v["density"]["radius_um"] if "density" in self.v else self.v["contact"]["vicinity_um"]
        alive = np.flatnonzero(self.here[: self.n] & (self.phase[: self.n] != DYING))
        first, _ = pairs_within(self.t["y"][alive], self.t["x"][alive], self.t["y"][alive], self.t["x"][alive], radius)
        self.crowd = np.zeros(self.n)
        self.crowd[alive] = np.bincount(first, minlength=alive.size) - 1.0
        self._remember("density", step, self.crowd)

    # ---- a frame ----------------------------------------------------------------------------------------------------
    def run(self, store):
        tumour, immune, caf, touches = store(), store(), store(), []
        for step in range(self.n_steps):
            living = step >= self.burn_in
            if living:
                self._divide(step)
                self._lose_bodies(step)
                self._check_crowd(step)
            self._features(step, living)
            self._move(step, living)
            self._contacts(step)
            if living:
                self._events(step)
                tumour.append(self._tumour_rows(step))
                immune.append(self._immune_rows())
                caf.append(self.caf.rows())
                touches.append(self._touches())
        last = self.n_steps - 1 - self.burn_in
        for i in np.flatnonzero(self.here[: self.n]):
            if self.phase[i] != DYING:
                self.events.append(("tumour", int(self.ids[i]), "censored", last, "movie_end"))
        for k in self.i_ids:
            self.events.append(("immune", int(k), "censored", last, "movie_end"))
        self.events += [("caf", int(k), "censored", last, "movie_end") for k in self.parents["caf"]]
        seen = {name: self._seen(rows) for name, rows in (("tumour", tumour), ("immune", immune), ("caf", caf))}
        parents = {name: {k: v for k, v in self.parents[name].items() if k in seen[name]} for name in seen}
        events = [event for event in self.events if event[1] in seen[event[0]]]
        hidden = {name: self.constant[name] for name in self.model.of_kind("chip")}
        return History(tumour, immune, parents, events, self.debris, caf, touches, hidden, dict(self.chip_offset))

    @staticmethod
    def _seen(rows):
        return set(np.unique(np.concatenate([row["track_id"] for row in rows])).tolist()) if rows else set()

    def _lose_bodies(self, step):
        n, t = self.n, self.t
        minutes = (step - t["onset"][:n]) * self.dt
        for i in np.flatnonzero(self.here[:n] & (self.phase[:n] == DYING) & (minutes > t["body"][:n])):
            self.here[i] = False
            self.debris.append((step - self.burn_in, t["y"][i], t["x"][i], float(self.size[i])))

    def _check_crowd(self, step):
        alive = self.here[: self.n] & (self.phase[: self.n] != DYING)
        area = float(np.exp(self.t["ln_size"][: self.n][alive]).sum())
        check_crowd(self.model, self.cfg, area, int(alive.sum()), (step - self.burn_in) * self.dt / 60.0)

    def _touches(self):
        """Pairs of a tumour and an immune cell in contact: (k, 2) int64 track_ids."""
        cell, other = self.touching
        here = self.here[cell]
        return np.column_stack([self.ids[cell[here]], self.i_ids[other[here]]])

    def _cycle(self, step):
        """Fraction of the cell cycle since birth, for markers of the cycle: (n,) float64 in 0 .. 1."""
        hours = self.v["mitosis"].get("cycle_h") or 1.0 / max(self.v["mitosis"]["per_hour"], 1e-9)
        n, t = self.n, self.t
        share = np.clip(self._age(step) / (60.0 * hours), 0.0, 1.0) * MITOSIS_SHARE
        p = np.clip((step - t["start"][:n]) / np.maximum(t["length"][:n], 1), 0.0, 1.0)
        return np.where(self.phase[:n] == MITOSIS, MITOSIS_SHARE + (1.0 - MITOSIS_SHARE) * p, share)

    def _hidden(self, step):
        """Hidden variables of the model at this step, for the truth: dict name -> (n,)."""
        n, t = self.n, self.t
        known = {"fitness": t["fitness"][:n], "contact_time": t["contact_time"][:n]}
        if "growth" in self.v:
            known["growth"] = self.hist["growth"][step % self.depth_of_past, :n]
        if "shield" in self.v:
            known["shield"] = np.concatenate([self.shield, np.zeros(n - self.shield.size)])
        return {name: column for name, column in known.items() if name in self.v}

    def _tumour_rows(self, step):
        n = self.n
        keep = np.flatnonzero(self.here[:n])
        area, aspect, angle, progress, condensed = self._drawn(step)
        first = (self.t["born"][:n] == step) & (step > 0)
        speed = np.where(first | (step == self.burn_in), np.nan, self.realised)
        columns = {
            "track_id": self.ids[:n], "y_um": self.t["y"][:n], "x_um": self.t["x"][:n], "angle": angle, "area_um2": area,
            "aspect_ln": aspect, "phase": self.phase[:n], "progress": progress, "condensation": condensed,
            "speed_um_min": speed, "size_um2": self.size, "n_immune_r1": self.r1, "n_immune_r2": self.r2,
            "distance_immune_um": self.nearest, "hazard_division_per_h": self.hazard["mitosis"],
            "hazard_death_per_h": self.hazard["death"], "age_min": self._age(step), "depth_um": self.t["depth"][:n],
            "cycle": self._cycle(step), "n_tumour_r2": self.crowd, **self._hidden(step),
        }  # fmt: skip
        return {key: column[keep].copy() for key, column in columns.items()}

    def _immune_rows(self):
        i = self.i
        speed = np.hypot(i["y"] - i["y0"], i["x"] - i["x0"]) / self.dt if i["y0"].size == i["y"].size else np.full(i["y"].size, np.nan)
        return {
            "track_id": self.i_ids.copy(), "y_um": i["y"].copy(), "x_um": i["x"].copy(), "angle": i["heading"].copy(),
            "area_um2": i["area"].copy(), "aspect_ln": i["aspect"].copy(), "speed_um_min": speed,
            "attached": (i["attached"] >= 0).copy(), "depth_um": i["depth"].copy(), "phase": np.zeros(i["y"].size, np.int64),
            "progress": np.zeros(i["y"].size), "condensation": np.ones(i["y"].size), "cycle": np.zeros(i["y"].size),
        }  # fmt: skip
