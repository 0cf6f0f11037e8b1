"""What the camera sees of a chip in each frame: the cells, and all that is not a cell.

    FluorescenceView   dyes (stains.py) + dust, walls, bleaching -> pixels.render_frame -> hot pixels
    BrightfieldView    gel with fibres, pale things out of focus, cells, bubbles, walls -> one grey image -> hot pixels

What lies in the chip (dust, walls, fibres, bubbles) moves with the stage, the light and the camera's bad pixels do not. A view
keeps only what is constant over the movie; every frame is drawn by itself.
"""

import numpy as np

from . import brightfield, kernels
from .pixels import (
    blurred,
    illumination,
    joined,
    lost_bodies,
    mottle,
    render_frame,
    speck_scene,
    wall_field,
)
from .seeds import stream
from .stains import stained

HOT_COUNTS = (300.0, 6000.0)  # that a bad pixel adds, from the weakest to the strongest


class _View:
    """What both modes share: dust, walls, bad pixels."""

    def __init__(self, chip):
        self.chip, self.cfg, self.imaging = chip, chip.cfg, chip.cfg["imaging"]
        self.height, self.width = chip.height, chip.width
        self.area_mm2 = chip.height * chip.width * chip.pixel_um**2 * 1e-6
        self.ready = False

    def rng(self, *names):
        return stream(self.cfg["seed"], self.chip.sample, *names)

    def rows(self, rows, population):
        """Rows of the cells as this mode draws them."""
        return rows

    def scene(self, scene):
        """Scene of the cells as this mode draws them."""
        return scene

    def image(self, frame):
        """(C, Y, X) uint16."""
        if not self.ready:
            self.prepare()
            n_channels = len(self.imaging["channels"])
            n = int(self.rng("hot", "number").poisson(self.imaging["hot_pixels_per_mp"] * self.height * self.width * 1e-6))
            rng = self.rng("hot")
            self.hot = rng.integers(0, self.height * self.width, (n_channels, n))
            self.hot_counts = np.exp(rng.uniform(*np.log(HOT_COUNTS), (n_channels, n))).astype(np.int64)
            self.ready = True
        image = self.draw(frame)
        if self.hot.size:
            for channel, (at, extra) in enumerate(zip(self.hot, self.hot_counts)):
                flat = image[channel].reshape(-1)
                flat[at] = np.minimum(flat[at] + extra, 65535)
        return image

    def walls(self):
        """Walls of the chip at the field's borders: list of (angle, place, step)."""
        rng = self.rng("walls")
        return [
            (rng.uniform(-np.pi, np.pi), rng.uniform(0.36, 0.48), rng.uniform(-0.5, 1.2)) for _ in range(int(self.imaging["walls"]))
        ]

    def dust(self, name):
        """Motionless specks of the whole movie, as (y, x, radius px, light)."""
        rng = self.rng("dust", name)
        n = rng.poisson(self.imaging["debris"] * self.area_mm2)
        pixel = self.chip.pixel_um
        return [
            (rng.uniform(0, self.height), rng.uniform(0, self.width), rng.uniform(0.5, 1.1) / pixel, rng.uniform(0.1, 0.4))
            for _ in range(n)
        ]

    def lost(self, frame):
        """Specks that dead cells have left behind."""
        chip = self.chip
        return lost_bodies(chip.history.debris, frame, chip.interval, chip.pixel_um, self.cfg["seed"], chip.sample)

    def moved(self, specks, frame):
        """Specks of the chip at their place in the image."""
        dy, dx = self.chip.shifts[frame]
        return [(y + dy, x + dx, radius, light) for y, x, radius, light in specks]


class FluorescenceView(_View):
    """One to four dyes."""

    def prepare(self):
        channels, rng = self.imaging["channels"], self.rng("field")
        self.lit = np.stack([illumination(self.height, self.width, self.imaging["uneven_light"], rng) for _ in channels])
        # the background is of the chip: a margin is drawn too, so that it can move with the stage by whole pixels
        self.margin = int(np.ceil(np.abs(self.chip.shifts).max(initial=0.0))) if self.chip.shifts.any() else 0
        height, width = self.height + 2 * self.margin, self.width + 2 * self.margin
        auto = np.stack([mottle(height, width, rng) for _ in channels])
        for angle, place, step in self.walls():
            auto *= wall_field(height, width, angle, place * self.height / height, step).astype(np.float32)
        self.auto = auto
        self.specks = {channel["name"]: self.dust(channel["name"]) for channel in channels}

    def draw(self, frame):
        chip, imaging = self.chip, self.imaging
        scenes, bits, rows = chip.scenes(frame)
        per_um = imaging["blur_per_depth"] / chip.pixel_um
        if per_um > 0:
            for scene in scenes.values():
                scene["blur"] = per_um * np.abs(scene["depth_um"])
        shown, specks = [], []
        for channel in imaging["channels"]:
            names = [name for name in channel["shows"] if name in scenes]
            cells = [stained(scenes[name], rows[name], channel["stain"], channel["brightness"]) for name in names]
            small = self.moved(self.specks[channel["name"]], frame)
            if channel["stain"] in ("nuclear", "death"):
                for name in names:
                    small += bits[name]
                if "tumour" in names:
                    small += self.moved(self.lost(frame), frame)
            shown.append(joined(cells))
            specks.append(speck_scene(small))
        kept = np.exp(-imaging["bleaching_per_h"] * frame * chip.interval / 60)
        return render_frame(shown, specks, imaging, chip.pixel_um, (self.lit, self._background(frame)), self.rng("noise", frame), kept)

    def _background(self, frame):
        if self.margin == 0:
            return self.auto
        top, left = self.margin - np.rint(self.chip.shifts[frame]).astype(int)
        return np.ascontiguousarray(self.auto[:, top : top + self.height, left : left + self.width])


class BrightfieldView(_View):
    """Transmitted light; cells are drawn whole, larger than their nuclei."""

    def __init__(self, chip):
        super().__init__(chip)
        bright, model = self.imaging["brightfield"], chip.model
        nucleus = {
            "tumour": 2 * np.sqrt(model.variables["size"].values["reference"] / np.pi),
            "immune": model.populations["immune"]["diameter_um"],
        }
        self.grow = {name: (2 * bright[f"{name}_radius_um"] / size) ** 2 for name, size in nucleus.items()}

    def rows(self, rows, population):
        """Areas of the whole cells; in mitosis a cell is round, in fluorescence its chromatin is a plate."""
        rows = {**rows, "area_um2": rows["area_um2"] * self.grow.get(population, 1.0)}
        return brightfield.rounded(rows) if population == "tumour" else rows

    def scene(self, scene):
        """Smooth outlines."""
        return brightfield.smoothed(scene)

    def prepare(self):
        chip, bright = self.chip, self.imaging["brightfield"]
        size = (self.height, self.width, chip.pixel_um)
        rng = self.rng("gel")
        self.web = brightfield.fibres(rng, rng.poisson(bright["fibres_per_mm2"] * self.area_mm2), *size, bright["fibre_contrast"])
        self.haze = brightfield.haze(rng, rng.poisson(bright["haze_per_mm2"] * self.area_mm2), *size)
        self.bubbles = brightfield.bubbles(rng, rng.poisson(bright["bubbles_per_mm2"] * self.area_mm2), *size)
        self.specks = self.dust("brightfield")
        rng = self.rng("field")
        light = illumination(self.height, self.width, self.imaging["uneven_light"], rng) * mottle(self.height, self.width, rng) ** 0.12
        self.lit = (bright["medium_photons"] * light).astype(np.float32)

    def draw(self, frame):
        chip, imaging, bright = self.chip, self.imaging, self.imaging["brightfield"]
        pixel, shift = chip.pixel_um, chip.shifts[frame]
        field = np.zeros((self.height, self.width), np.float32)
        brightfield.paint_haze(field, self.moved(self.haze, frame))
        nodes = brightfield.moved(self.web, frame * chip.interval) + shift
        kernels.paint_fibres(field, nodes, self.web["wide"], self.web["strength"])
        scenes, bits, _ = chip.scenes(frame)
        small = self.moved(self.specks + self.lost(frame), frame)
        for name in imaging["channels"][0]["shows"]:
            if name in scenes:
                brightfield.paint_cells(field, scenes[name], name, self._depth(name, scenes[name]), pixel)
                small += bits[name]
        brightfield.paint_specks(field, small, pixel)
        brightfield.paint_bubbles(field, self.moved(self.bubbles, frame))
        for angle, place, step in self.walls():
            brightfield.wall(field, angle, place, step, 2.0 / pixel, shift)
        field = blurred(field, imaging["psf_sigma_um"] / pixel)
        photons = (self.lit * np.clip(1.0 + bright["contrast"] * field, 0.03, 6.0)).astype(np.float32)
        noise = self.rng("noise", frame).standard_normal((self.height, self.width), dtype=np.float32)
        return kernels.expose(photons, noise, float(imaging["read_noise"]), float(imaging["gain"]), float(imaging["offset"]))[None]

    def _depth(self, name, scene):
        """Distance of the cells from the plane in um: the model's where cells have one, else one drawn for each cell."""
        if scene["depth_um"].any() or self.imaging["brightfield"]["defocus_um"] == 0:
            return scene["depth_um"]
        sd = self.imaging["brightfield"]["defocus_um"]
        return np.array([self._own_depth(name, int(track)) for track in scene["ids"]]) * sd

    def _own_depth(self, name, track):
        mother = self.chip.history.parents.get(name, {}).get(track, 0)
        return self._own_depth(name, mother) if mother else float(self.rng("depth", name, track).normal())
