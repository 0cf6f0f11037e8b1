"""Cells of one chip: they grow, move, meet, divide and die as the causal model says.

    frame f:  mothers at the end of mitosis become daughters
              size, speed, elongation  <- edges, memory, cell and chip offsets
              motion in SUBSTEPS (tumour walk, immune walk, chemotaxis, arrest, soft repulsion, borders)
              contact                  <- immune cells within the radius
              mitosis, death           <- competing hazards, edges

One causal step is one frame interval. Tumour cells turn back at the border or, rarely, leave for good; immune cells cross it
and others enter. Daughters start with the mother's history, so what acts with a lag acts through them too.

A dying cell keeps its track while its body is seen: it shrinks, condenses, stops, breaks up, fades, and the track ends
when the body is lost; specks that stay are debris, without label or track.
"""

from dataclasses import dataclass

import numpy as np

from .kernels import push_apart
from .model import ModelError, lag_frames
from .seeds import stream

SUBSTEPS = 5  # of a frame interval: 2 min each at 10 min, short against contacts of tens of minutes
BURN_IN_MIN = 240.0  # contacts and memories are stationary after this, before the first frame
EXIT_CHANCE = 0.10  # of a tumour cell that reaches the border; the others turn back
TUMOUR_MARGIN_UM = 2.0  # how near the border a tumour cell's centre may come
GAP_UM = 0.8  # kept free between nuclei: two membranes and a little cytoplasm
# An immune cell lies on the rim of a tumour cell whatever the nucleus' size (in projection it may cover a part of it), so that
# size does not decide who is counted within the contact radius. Shares of that radius: caught below, held at, let go above.
CATCH, HOLD, LET_GO = 0.92, 0.80, 1.15
JITTER_UM = 0.25  # per root minute, of everything that is alive
SISTER_GAP_UM = 2.2  # between the two plates of an anaphase pair
SISTER_SPEED = 0.22  # um/min, sisters moving apart during the first frames
SWELLING = 0.28  # of ln area, from 1/2 of the mother's area to (1/2)^(2/3), as for half of her volume
MAX_CELLS_PER_MM2 = 6000.0  # beyond this nuclei no longer fit side by side

INTERPHASE, MITOSIS, DYING = 0, 1, 2
PHASES = ("interphase", "mitosis", "dying")

# Fields of a tumour row and of an immune row in History.frames
TUMOUR_FIELDS = (
    "track_id", "y_um", "x_um", "angle", "area_um2", "aspect_ln", "phase", "progress", "condensation", "speed_um_min",
    "size_um2", "n_immune_r1", "n_immune_r2", "distance_immune_um", "hazard_division_per_h", "hazard_death_per_h", "age_min",
)  # fmt: skip
IMMUNE_FIELDS = ("track_id", "y_um", "x_um", "angle", "area_um2", "aspect_ln", "speed_um_min", "attached")


@dataclass
class History:
    """What happened in one chip.

    tumour, immune : list over frames of dicts of equal-length arrays (TUMOUR_FIELDS, IMMUNE_FIELDS)
    parents : dict population -> dict track_id -> parent track_id (0 for none)
    events : list of (population, track_id, event, frame, reason)
    debris : list of (frame, y_um, x_um, area_um2): where and when a body was lost
    """

    tumour: list
    immune: list
    parents: dict
    events: list
    debris: list


def form_value(form, x, half):
    """What a cause counts as: linear x, saturating x/(x + half), threshold 1 where x >= half."""
    if form == "linear":
        return x
    if form == "saturating":
        return x / (x + half)
    return (x >= half).astype(float)


def check_geometry(model, cfg):
    """Refuse a chip whose cells cannot fit or whose rates cannot be stepped. Raises ModelError."""
    tumour = cfg["tumour_density_mm2"] * model.variables["size"].values["reference"] * 1e-6
    if tumour > 0.55:
        raise ModelError(
            f"{cfg['tumour_density_mm2']:g} tumour cells per mm2 of {model.variables['size'].values['reference']:g} um2 would "
            f"cover {100 * tumour:.0f} % of the chip, but at most 55 % can be filled; lower simulate.tumour_density_mm2 or "
            "the reference of 'size'"
        )
    immune_area = np.pi * model.populations["immune"]["diameter_um"] ** 2 / 4
    immune = cfg["immune_density_mm2"] * immune_area * 1e-6
    if tumour + immune > 0.7:
        raise ModelError(
            f"tumour and immune cells together would cover {100 * (tumour + immune):.0f} % of the chip, but at most 70 % can be "
            "filled; lower simulate.immune_density_mm2"
        )
    for name in ("mitosis", "death"):
        rate = model.variables[name].values["per_hour"]
        if rate * cfg["frame_interval_min"] / 60 > 0.5:
            raise ModelError(
                f"the hazard '{name}' of {rate:g} per hour happens to more than half of the cells within one frame of "
                f"{cfg['frame_interval_min']:g} min: the chip would empty or overfill at once; lower per_hour"
            )


def run_chip(model, cfg, sample, conditions):
    """Let one chip live.

    Parameters
    ----------
    model : CausalModel
    cfg : dict
        Section `simulate` of the config.
    sample : str
        Names the random streams.
    conditions : dict
        Value of every contextual variable of the model, e.g. {"treatment": 1, "CAF_presence": 0}.

    Returns
    -------
    History
    """
    check_geometry(model, cfg)
    for name in model.contextual():
        if name not in conditions:
            raise ModelError(
                f"sample '{sample}': the model '{model.name}' has the condition '{name}', but the sample gives no value for "
                "it; add a column of that name to the sample sheet"
            )
        if not isinstance(conditions[name], (int, float, np.integer, np.floating)):
            raise ModelError(
                f"sample '{sample}': the condition '{name}' is '{conditions[name]}'; the model '{model.name}' needs a number "
                "(0 without, 1 with)"
            )
    return _Chip(model, cfg, sample, {k: float(conditions[k]) for k in model.contextual()}).run()


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
        self.v = {name: model.variables[name].values for name in ("size", "speed", "elongation", "contact", "mitosis", "death")}
        self.edges = {}
        lags = lag_frames(model, self.dt)
        for edge, lag in zip(model.edges, lags):
            self.edges.setdefault(edge.target, []).append((edge, lag))
        self.rng = stream(cfg["seed"], sample, "cells")
        self.burn_in = int(np.ceil(BURN_IN_MIN / self.dt)) + max(lags, default=0)
        self.n_steps = self.burn_in + int(cfg["n_frames"])
        self.chip_offset = {name: self.rng.normal(0.0, self.v[name]["chip_sd"]) for name in self.v}
        self.parents = {"tumour": {}, "immune": {}}
        self.events, self.debris = [], []
        self.next_id = {"tumour": 1, "immune": 1}
        self._place_tumour()
        self._place_immune()

    # ---- start ------------------------------------------------------------------------------------------------------
    def _place_tumour(self):
        n = round(self.cfg["tumour_density_mm2"] * self.area_mm2)
        self.n = 0
        room = max(64, 6 * n)
        self.t = {
            key: np.zeros(room)
            for key in (
                "y", "x", "heading", "angle", "ln_size", "ar_size", "ar_speed", "ar_elongation", "off_size", "off_speed",
                "off_elongation", "start", "length", "onset", "body", "born", "age0", "split",
            )
        }  # fmt: skip
        self.phase = np.zeros(room, np.int64)
        self.here = np.zeros(room, bool)
        self.ids = np.zeros(room, np.int64)
        self.hist = {name: np.zeros((self.n_steps, room)) for name in ("size", "speed", "elongation", "contact")}
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
        t["born"][i] = step
        t["split"][i] = -1e9
        t["ln_size"][i] = np.log(self.v["size"]["reference"])
        self.here[i] = True
        self.ids[i] = self.next_id["tumour"]
        self.parents["tumour"][int(self.ids[i])] = int(parent)
        self.next_id["tumour"] += 1
        return i

    def _enlarge(self):
        if self.n > max(64, MAX_CELLS_PER_MM2 * self.area_mm2 * 4):
            raise ModelError(
                f"{self.model.source}: the chip overfills ({self.n} tumour cells so far in {self.area_mm2:.3g} mm2); lower the "
                "rate of 'mitosis'"
            )
        for key in self.t:
            self.t[key] = np.concatenate([self.t[key], np.zeros_like(self.t[key])])
        self.phase = np.concatenate([self.phase, np.zeros_like(self.phase)])
        self.here = np.concatenate([self.here, np.zeros_like(self.here)])
        self.ids = np.concatenate([self.ids, np.zeros_like(self.ids)])
        for key in self.hist:
            self.hist[key] = np.concatenate([self.hist[key], np.zeros_like(self.hist[key])], axis=1)

    def _place_immune(self):
        self.n_immune = round(self.cfg["immune_density_mm2"] * self.area_mm2)
        self.i = {key: np.zeros(0) for key in ("y", "x", "heading", "attached", "wait", "area", "aspect", "y0", "x0")}
        self.i_ids = np.zeros(0, np.int64)
        for _ in range(self.n_immune):
            self._new_immune(
                self.rng.uniform(self.low, self.top), self.rng.uniform(self.low, self.right), self.rng.uniform(-np.pi, np.pi)
            )

    def _new_immune(self, y, x, heading):
        diameter = self.model.populations["immune"]["diameter_um"] * np.exp(self.rng.normal(0, 0.06))
        new = {
            "y": y, "x": x, "heading": heading, "attached": -1.0, "wait": 0.0, "area": np.pi * diameter**2 / 4,
            "aspect": abs(self.rng.normal(0.0, 0.08)) + 0.05, "y0": np.nan, "x0": np.nan,
        }  # fmt: skip
        for key, value in new.items():
            self.i[key] = np.append(self.i[key], value)
        self.i_ids = np.append(self.i_ids, self.next_id["immune"])
        self.parents["immune"][self.next_id["immune"]] = 0
        self.next_id["immune"] += 1

    # ---- the causal part --------------------------------------------------------------------------------------------
    def _effect(self, target, step):
        """Sum of the edges into `target` for every tumour cell so far: (n,) float64."""
        total = np.zeros(self.n)
        for edge, lag in self.edges.get(target, []):
            if edge.source in self.conditions:
                cause = np.full(self.n, self.conditions[edge.source])
            else:
                cause = self.hist[edge.source][max(step - lag, 0), : self.n]
            total += edge.sign * edge.strength * form_value(edge.form, cause, edge.half)
        return total

    def _memory(self, name):
        """One step of the variable's own memory: an AR(1) of standard deviation sd and time constant memory_min."""
        n, key = self.n, "ar_" + name
        keep = np.exp(-self.dt / self.v[name]["memory_min"]) if self.v[name]["memory_min"] > 0 else 0.0
        noise = self.rng.normal(0.0, 1.0, n) * self.v[name]["sd"]
        self.t[key][:n] = keep * self.t[key][:n] + np.sqrt(1 - keep * keep) * noise
        return self.t[key][:n] + self.t["off_" + name][:n] + self.chip_offset[name]

    def _features(self, step, living):
        """Size, speed and elongation of this step; the realised speed replaces the intended one after the motion."""
        n, t = self.n, self.t
        if living:
            grows = self.here[:n] & (self.phase[:n] == INTERPHASE)
            since = (step - t["split"][:n]) * self.dt
            swell = SWELLING * np.exp(-since / self.v["size"]["regrow_min"]) * -np.expm1(-self.dt / self.v["size"]["regrow_min"])
            swell = np.where(since > 0, swell * np.exp(self.dt / self.v["size"]["regrow_min"]), 0.0)
            room = 1.0 - np.exp(t["ln_size"][:n]) / (self.v["size"]["largest"] * self.v["size"]["reference"])
            t["ln_size"][:n] += np.where(grows, swell + 2.0 * self._growth() * self.dt * np.clip(room, 0.0, 0.5), 0.0)
        ln_area = t["ln_size"][:n] + self._effect("size", step) + self._memory("size")
        self.size = np.exp(ln_area)
        self.hist["size"][step, :n] = ln_area - np.log(self.v["size"]["reference"])
        self.drive = self.v["speed"]["reference"] * np.exp(self._effect("speed", step) + self._memory("speed"))
        aspect = self.v["elongation"]["reference"] + self._effect("elongation", step) + self._memory("elongation")
        self.aspect = np.clip(aspect, 0.02, 1.2)
        self.hist["elongation"][step, :n] = self.aspect - self.v["elongation"]["reference"]

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
                for key in self.hist:
                    self.hist[key][:step, j] = self.hist[key][:step, i]
            for k in np.flatnonzero(self.i["attached"] == i):  # immune cells stay with the nearer daughter
                pair = np.array([self.n - 2, self.n - 1])
                gap = np.hypot(t["y"][pair] - self.i["y"][k], t["x"][pair] - self.i["x"][k])
                self.i["attached"][k] = pair[np.argmin(gap)]

    # ---- motion -----------------------------------------------------------------------------------------------------
    def _drawn(self, step):
        """Area, axis ratio, direction, progress and condensation as seen, given the phase."""
        n, t = self.n, self.t
        area, aspect = self.size.copy(), self.aspect.copy()
        angle = t["angle"][:n].copy()
        progress, condensed = np.zeros(n), np.ones(n)
        mitosis = self.phase[:n] == MITOSIS
        p = np.where(mitosis, (step - t["start"][:n]) / np.maximum(t["length"][:n], 1), 0.0)
        rounding, plate = mitosis & (p < 0.5), mitosis & (p >= 0.5)
        area[rounding] *= 0.95 - 0.35 * p[rounding]
        aspect[rounding] *= 0.4
        condensed[rounding] = 1.1 + 0.6 * p[rounding]
        area[plate] *= 0.60
        aspect[plate] = 0.75
        angle[plate] += np.pi / 2
        condensed[plate] = 1.75
        progress[mitosis] = p[mitosis]
        since = step - t["split"][:n]
        for k, (factor, ratio, bright) in enumerate(((0.60, 0.60, 1.75), (0.76, 0.35, 1.40), (0.90, None, 1.15))):
            young = (since == k) & (self.phase[:n] == INTERPHASE)
            area[young] *= factor
            condensed[young] = bright
            if ratio is not None:
                aspect[young] = ratio
                angle[young] += np.pi / 2
        dying = self.phase[:n] == DYING
        minutes = (step - t["onset"][:n][dying]) * self.dt
        decay = np.exp(-minutes / self.v["death"]["shrink_min"])
        area[dying] *= 0.38 + 0.62 * decay
        aspect[dying] *= 0.4 + 0.6 * decay
        left = np.clip((t["body"][:n][dying] - minutes) / 40.0, 0.0, 1.0)
        condensed[dying] = (1.0 + 0.9 * (1.0 - decay)) * (0.4 + 0.6 * left)
        progress[dying] = 1.0 - decay
        return area, aspect, angle, progress, condensed

    def _radii(self, step):
        area = self._drawn(step)[0] if hasattr(self, "size") else np.exp(self.t["ln_size"][: self.n])
        return np.sqrt(area / np.pi)

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
        radius = self._radii(step)
        weight = np.where(dying, 0.1, 1.0) * self.here[:n]
        attraction = self._effect("contact", step) + self.chip_offset["contact"]
        there = np.flatnonzero(self.here[:n])
        for _ in range(SUBSTEPS):
            t["y"][:n] += speed * np.sin(t["heading"][:n]) * self.dt / SUBSTEPS
            t["x"][:n] += speed * np.cos(t["heading"][:n]) * self.dt / SUBSTEPS
            self._move_immune(attraction, self.dt / SUBSTEPS)
            y, x = t["y"][there], t["x"][there]
            push_apart(y, x, radius[there], weight[there], GAP_UM, 2)
            t["y"][there], t["x"][there] = y, x
            push_apart(self.i["y"], self.i["x"], np.sqrt(self.i["area"] / np.pi), np.ones(self.i["y"].size), GAP_UM, 2)
        self._tumour_border(step, living)
        self._immune_border(step, living)
        n = before_y.size
        realised = np.hypot(t["y"][:n] - before_y, t["x"][:n] - before_x) / self.dt
        self.realised = np.zeros(self.n)
        self.realised[:n] = realised
        if self.n > n:
            self.realised[n:] = self.drive.mean() if self.drive.size else self.v["speed"]["reference"]
        floor = 0.1 * self.v["speed"]["reference"]
        self.hist["speed"][step, : self.n] = np.log(np.maximum(self.realised, floor) / self.v["speed"]["reference"])

    def _move_immune(self, attraction, minutes):
        """One substep of the immune cells: walk, chemotaxis, arrest on contact, letting go."""
        p, i, t, n = self.model.populations["immune"], self.i, self.t, attraction.size
        m = i["y"].size
        if m == 0:
            return
        noise = self.rng.normal(0.0, 1.0, (3, m))
        chance = self.rng.random(m)
        alive = np.flatnonzero(self.here[:n] & (self.phase[:n] != DYING))
        contact = self.v["contact"]["radius_um"]
        if alive.size:
            dy = t["y"][alive][None, :] - i["y"][:, None]
            dx = t["x"][alive][None, :] - i["x"][:, None]
            gap = np.hypot(dy, dx)
            near = np.argmin(gap, axis=1)
            rows = np.arange(m)
            gap, dy, dx, nearest = gap[rows, near], dy[rows, near], dx[rows, near], alive[near]
        else:
            gap, dy, dx, nearest = np.full(m, np.inf), np.zeros(m), np.ones(m), np.full(m, -1)
        held = i["attached"] >= 0
        target = i["attached"].astype(int)
        if held.any():
            k = np.flatnonzero(held)
            j = target[k]
            far = np.hypot(t["y"][j] - i["y"][k], t["x"][j] - i["x"][k]) > LET_GO * contact
            lost = ~self.here[j] | (self.phase[j] == DYING) | far
            dwell = p["dwell_min"] * np.exp(attraction[j])
            leave = lost | (chance[k] < -np.expm1(-minutes / dwell))
            gone = k[leave]
            i["attached"][gone] = -1.0
            i["wait"][gone] = p["refractory_min"]
            i["heading"][gone] = np.arctan2(i["y"][gone] - t["y"][target[gone]], i["x"][gone] - t["x"][target[gone]])
        free = i["attached"] < 0
        i["wait"] = np.maximum(i["wait"] - minutes, 0.0)
        catch = free & (i["wait"] <= 0) & (gap < CATCH * contact) & (nearest >= 0)
        i["attached"][catch] = nearest[catch]
        free &= ~catch
        i["heading"] += np.sqrt(2 * minutes / p["persistence_min"]) * noise[0]
        drawn = free & (i["wait"] <= 0) & (gap < p["sensing_um"]) & (nearest >= 0)
        pull = np.zeros(m)
        pull[drawn] = -np.expm1(-p["chemotaxis"] * np.exp(attraction[nearest[drawn]]) * minutes / 10.0)
        length = np.maximum(np.hypot(dy, dx), 1e-9)
        hy = (1 - pull) * np.sin(i["heading"]) + pull * dy / length
        hx = (1 - pull) * np.cos(i["heading"]) + pull * dx / length
        i["heading"] = np.arctan2(hy, hx)
        speed = np.where(free, p["speed_um_min"], p["speed_um_min"] * p["arrest"])
        wobble = JITTER_UM * np.sqrt(minutes) * np.where(free, 1.0, 0.3)
        i["y"] += speed * np.sin(i["heading"]) * minutes + wobble * noise[1]
        i["x"] += speed * np.cos(i["heading"]) * minutes + wobble * noise[2]
        k = np.flatnonzero(i["attached"] >= 0)
        if k.size:  # an attached cell stays at the membrane of its tumour cell and moves with it
            j = i["attached"][k].astype(int)
            oy, ox = i["y"][k] - t["y"][j], i["x"][k] - t["x"][j]
            distance = np.maximum(np.hypot(oy, ox), 1e-9)
            shift = 0.7 * (HOLD * contact - distance) / distance
            i["y"][k] += shift * oy
            i["x"][k] += shift * ox

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
        self.hist["size"][: step + 1, i] = self.t["ln_size"][i] - np.log(self.v["size"]["reference"])

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
        n, c = self.n, self.v["contact"]
        distance = np.hypot(
            self.t["y"][:n, None] - self.i["y"][None, :], self.t["x"][:n, None] - self.i["x"][None, :]
        )
        self.r1 = (distance <= c["radius_um"]).sum(axis=1).astype(float)
        self.r2 = (distance <= c["vicinity_um"]).sum(axis=1).astype(float)
        self.nearest = np.full(n, np.nan)
        if distance.shape[1]:
            least = distance.min(axis=1)
            self.nearest = np.where(least <= c["vicinity_um"], least, np.nan)
        self.hist["contact"][step, :n] = self.r1

    # ---- a frame ----------------------------------------------------------------------------------------------------
    def run(self):
        tumour, immune = [], []
        for step in range(self.n_steps):
            living = step >= self.burn_in
            if living:
                self._divide(step)
                self._lose_bodies(step)
            self._features(step, living)
            self._move(step, living)
            self._contacts(step)
            if living:
                self._events(step)
                tumour.append(self._tumour_rows(step))
                immune.append(self._immune_rows())
        last = self.n_steps - 1 - self.burn_in
        for i in np.flatnonzero(self.here[: self.n]):
            if self.phase[i] != DYING:
                self.events.append(("tumour", int(self.ids[i]), "censored", last, "movie_end"))
        for k in self.i_ids:
            self.events.append(("immune", int(k), "censored", last, "movie_end"))
        seen = {name: self._seen(rows) for name, rows in (("tumour", tumour), ("immune", immune))}
        parents = {name: {k: v for k, v in self.parents[name].items() if k in seen[name]} for name in seen}
        events = [event for event in self.events if event[1] in seen[event[0]]]
        return History(tumour, immune, parents, events, self.debris)

    @staticmethod
    def _seen(rows):
        return set(np.unique(np.concatenate([row["track_id"] for row in rows])).tolist()) if rows else set()

    def _lose_bodies(self, step):
        n, t = self.n, self.t
        minutes = (step - t["onset"][:n]) * self.dt
        for i in np.flatnonzero(self.here[:n] & (self.phase[:n] == DYING) & (minutes > t["body"][:n])):
            self.here[i] = False
            self.debris.append((step - self.burn_in, t["y"][i], t["x"][i], float(self.size[i])))

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
            "hazard_death_per_h": self.hazard["death"], "age_min": (step - self.t["born"][:n]) * self.dt + self.t["age0"][:n],
        }  # fmt: skip
        return {key: column[keep].copy() for key, column in columns.items()}

    def _immune_rows(self):
        i = self.i
        speed = np.hypot(i["y"] - i["y0"], i["x"] - i["x0"]) / self.dt if i["y0"].size == i["y"].size else np.full(i["y"].size, np.nan)
        return {
            "track_id": self.i_ids.copy(), "y_um": i["y"].copy(), "x_um": i["x"].copy(), "angle": i["heading"].copy(),
            "area_um2": i["area"].copy(), "aspect_ln": i["aspect"].copy(), "speed_um_min": speed,
            "attached": (i["attached"] >= 0).copy(),
        }  # fmt: skip
