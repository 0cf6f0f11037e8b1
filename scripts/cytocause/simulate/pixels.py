"""From cells to pixels: masks, light, microscope, camera (mode `fluorescence`).

    rows of cells --scene--> geometry, wobble, texture --paint--> light --blur, halo, uneven light--> photons --expose--> counts

A scene holds, per population or channel, what the kernels need, in px. Masks have one channel per population (CHANNELS).
"""

import numpy as np

from . import kernels
from .cells import DYING, MITOSIS
from .looks import N_MODES, N_SPOTS, N_WAVES, draw_look, half_axes, outline
from .seeds import stream

CHANNELS = ("tumour", "immune")
HALO_UM = 9.0  # standard deviation of the out-of-focus light
HALO_STEP = 4  # the halo is smooth and computed on blocks of this many px
DEBRIS_FADE_MIN = 90.0
SISTER_SD = 0.06
BRIGHTNESS_RANGE = 30.0  # brightest over dimmest nucleus of a movie
UNSTAINED = 0.04  # of its light, in a cell that took no dye up
LARGEST_SIGMA_PX = 4.0  # of the blur of a cell far from the focal plane; beyond it a cell is part of the haze
BLUR_LADDER_PX = (1.0, 1.5, 2.2, 3.0, LARGEST_SIGMA_PX)  # cells of nearly the same blur are blurred together
COARSE_SIGMA_PX = 2.0  # from here on a blur is computed at half the resolution


def gaussian(sigma_px):
    """Half a Gaussian kernel, centre first, that sums to 1 over both sides: (R + 1,) float32."""
    radius = max(int(np.ceil(3.0 * sigma_px)), 1)
    weights = np.exp(-0.5 * (np.arange(radius + 1) / max(sigma_px, 1e-3)) ** 2)
    weights[weights < 1e-12] = 0.0
    return (weights / (weights[0] + 2 * weights[1:].sum())).astype(np.float32)


def empty_scene():
    """No cells: a dict of arrays with zero rows."""
    return {
        "ids": np.zeros(0, np.int64),
        "geometry": np.zeros((0, 6)),
        "wobble": np.zeros((0, 2, N_MODES)),
        "brightness": np.zeros(0),
        "softness": np.zeros(0),
        "waves": np.zeros((0, N_WAVES, 4)),
        "spots": np.zeros((0, N_SPOTS, 4)),
        "blur": np.zeros(0),  # standard deviation in px, beside the microscope's own
        "depth_um": np.zeros(0),
        "phase": np.zeros(0, np.int64),
        "progress": np.zeros(0),
    }


class Looks:
    """Appearance of every cell of a sample, drawn at first use from a stream that carries the cell's name.

    A daughter is as bright as her mother, up to SISTER_SD of the logarithm: both carry the mother's dye.
    """

    def __init__(self, seed, sample, brightness_sd, parents=None, unstained=0.0):
        self.seed, self.sample, self.brightness_sd, self.unstained = seed, sample, brightness_sd, unstained
        self.parents = parents or {}
        self.known = {}

    def __call__(self, population, track_id):
        key = (population, int(track_id))
        if key not in self.known:
            rng = stream(self.seed, self.sample, "look", *key)
            look = draw_look(rng, self.brightness_sd)
            mother = self.parents.get(population, {}).get(int(track_id), 0)
            if mother:
                look["brightness"] = self(population, mother)["brightness"] * float(np.exp(rng.normal(0.0, SISTER_SD)))
            elif self.unstained > 0 and stream(self.seed, self.sample, "dye", *key).random() < self.unstained:
                look["brightness"] *= UNSTAINED  # and so have her daughters
            else:
                half = 0.5 * np.log(BRIGHTNESS_RANGE)
                look["brightness"] = float(np.exp(np.clip(np.log(look["brightness"]), -half, half)))
            self.known[key] = look
        return self.known[key]


def cell_scene(rows, population, looks, time_min, pixel_um):
    """What the kernels need to draw one population in one frame.

    Parameters
    ----------
    rows : dict of arrays, one entry of History.tumour or History.immune
    population : "tumour" | "immune"
    looks : Looks
    time_min, pixel_um : float

    Returns
    -------
    (cells, specks) : two scenes; specks carry light and no label
    """
    n = rows["track_id"].size
    if n == 0:
        return empty_scene(), []
    found = [looks(population, track) for track in rows["track_id"]]
    look = {key: np.array([one[key] for one in found]) for key in found[0]}
    phase, progress, condensed, depth = (
        np.asarray(rows.get(key, np.full(n, usual)), float)
        for key, usual in (("phase", 0), ("progress", 0), ("condensation", 1), ("depth_um", 0))
    )
    dying = phase == DYING
    smooth = np.where((phase == MITOSIS) | (population == "immune"), 0.6, 1.0 + 1.2 * progress)
    wobble = outline(look, time_min, smooth[:, None, None])
    a, b = half_axes(rows["area_um2"] / pixel_um**2, rows["aspect_ln"], wobble)
    y, x, angle = rows["y_um"] / pixel_um, rows["x_um"] / pixel_um, rows["angle"]
    open_chromatin = np.where(dying, 1.0 - progress, np.clip(2.0 - condensed, 0.0, 1.0))
    waves, spots = look["waves"], look["spots"]
    waves[:, :, 3] *= (0.4 + 0.6 * open_chromatin)[:, None]
    spots[:, :2, 3] *= open_chromatin[:, None]
    spots[:, 2:, 3] *= np.where(dying, progress, 0.0)[:, None]
    scene = {
        "ids": rows["track_id"].astype(np.int64),
        "geometry": np.column_stack([y, x, a, b, np.cos(angle), np.sin(angle)]),
        "wobble": wobble,
        "brightness": look["brightness"] * condensed,
        "softness": look["softness"],
        "waves": waves,
        "spots": spots,
        "blur": np.zeros(n),
        "depth_um": depth,
        "phase": phase.astype(np.int64),
        "progress": progress,
    }
    specks = []
    for k in np.flatnonzero(dying & (progress > 0.75)):  # fragments beside the body
        mean = np.sqrt(a[k] * b[k])
        for turn, far, size, light in look["fragments"][k]:
            radius = max(size * mean * 1.4, 0.8)
            specks.append(
                (y[k] + far * mean * np.sin(turn), x[k] + far * mean * np.cos(turn), radius, light * scene["brightness"][k] * 0.6)
            )
    return scene, specks


def speck_scene(specks):
    """Scene of unlabelled round specks given as (y, x, radius px, light)."""
    scene = empty_scene()
    if not specks:
        return scene
    specks = np.asarray(specks, float).reshape(-1, 4)
    n = len(specks)
    scene["ids"] = np.zeros(n, np.int64)
    scene["geometry"] = np.column_stack([specks[:, :3], specks[:, 2], np.ones(n), np.zeros(n)])
    scene["wobble"] = np.zeros((n, 2, N_MODES))
    scene["brightness"] = specks[:, 3]
    scene["softness"] = np.ones(n)
    scene["waves"] = np.zeros((n, 0, 4))
    scene["spots"] = np.zeros((n, 0, 4))
    for key in ("blur", "depth_um", "progress"):
        scene[key] = np.zeros(n)
    scene["phase"] = np.zeros(n, np.int64)
    return scene


def joined(scenes):
    """Scenes as one, ids as they are."""
    if len(scenes) == 1:
        return scenes[0]
    return {key: np.concatenate([scene[key] for scene in scenes]) for key in empty_scene()}


def lost_bodies(debris, frame, interval_min, pixel_um, looks_seed, sample):
    """Specks left by dead cells whose body is lost, fading over DEBRIS_FADE_MIN."""
    specks = []
    for number, (lost, y, x, area) in enumerate(debris):
        age = (frame - lost) * interval_min
        if 0 <= age < 3 * DEBRIS_FADE_MIN:
            rng = stream(looks_seed, sample, "debris", number)
            for _ in range(2):
                dy, dx = rng.normal(0.0, 0.35, 2) * np.sqrt(area)
                radius = rng.uniform(0.07, 0.12) * np.sqrt(area) / pixel_um
                specks.append(((y + dy) / pixel_um, (x + dx) / pixel_um, radius, 0.35 * np.exp(-age / DEBRIS_FADE_MIN)))
    return specks


def render_labels(scenes, height, width):
    """Label images of the populations: (C, Y, X) int32."""
    out = np.zeros((len(scenes), height, width), np.int32)
    depth = np.empty((height, width), np.float32)
    for channel, scene in enumerate(scenes):
        depth.fill(1.0)
        kernels.paint_labels(out[channel], depth, scene["ids"], scene["geometry"], scene["wobble"])
    return out


def illumination(height, width, fall, rng):
    """Light over the field, 1 at its brightest, 1 - fall in the farthest corner: (Y, X) float32."""
    cy, cx = 0.5 + rng.uniform(-0.2, 0.2, 2)
    y = (np.arange(height) / max(height - 1, 1) - cy)[:, None]
    x = (np.arange(width) / max(width - 1, 1) - cx)[None, :]
    square = y * y + x * x
    return (1.0 - fall * square / square.max()).astype(np.float32)


def mottle(height, width, rng, n_waves=5):
    """Smooth autofluorescence around 1: (Y, X) float32."""
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    out = np.ones((height, width))
    for _ in range(n_waves):
        ky, kx = rng.normal(0.0, 2 * np.pi / 120.0, 2)
        out += 0.06 * np.cos(ky * y + kx * x + rng.uniform(0, 2 * np.pi))
    return out.astype(np.float32)


def light_of(cells, specks, height, width, sigma_px):
    """Light of one population before the microscope's blur, sorted by how far out of focus it is.

    Returns
    -------
    list of (sigma px, (Y, X) float32), the sharpest first; light is 1 in the middle of an average nucleus
    """
    step = _ladder_steps(cells["blur"], sigma_px)
    found = []
    for number, sigma in enumerate(_ladder(sigma_px)):
        scenes = [_some(cells, step == number)] + ([specks] if number == 0 else [])
        if number and not scenes[0]["ids"].size:
            continue
        light = np.zeros((height, width), np.float32)
        for scene in scenes:
            if scene["ids"].size:
                kernels.paint_light(
                    light, scene["geometry"], scene["wobble"], scene["brightness"], scene["softness"], scene["waves"], scene["spots"]
                )
        found.append((sigma, light))
    return found


def _ladder(sigma_px):
    """Blurs that are computed, in px: the microscope's own and those of BLUR_LADDER_PX that differ from it."""
    return [sigma_px, *(sigma for sigma in BLUR_LADDER_PX if sigma > 1.15 * sigma_px)]


def _ladder_steps(blur, sigma_px):
    """Number of the step in _ladder that is nearest (by ratio) to each cell's whole blur: (n,) int64."""
    whole = np.minimum(np.sqrt(sigma_px**2 + np.asarray(blur) ** 2), max(LARGEST_SIGMA_PX, sigma_px))
    steps = np.log(np.maximum(_ladder(sigma_px), 0.05))
    return np.abs(np.log(np.maximum(whole, 0.05))[:, None] - steps[None, :]).argmin(axis=1)


def _some(scene, keep):
    """The cells of a scene where `keep` holds; the scene itself where all do."""
    return scene if keep.all() else {key: value[keep] for key, value in scene.items()}


def blurred(light, sigma_px):
    """A (Y, X) float32 image blurred by a Gaussian; wide ones at half the resolution."""
    if sigma_px <= 0.05:
        return light.copy()
    if sigma_px < COARSE_SIGMA_PX:
        return kernels.blur(light, gaussian(sigma_px))
    out = np.zeros_like(light)  # halving and enlarging blur by themselves, by a variance of 0.25 + 0.67 px^2
    small = kernels.blur(kernels.shrink(light, 2), gaussian(0.5 * np.sqrt(sigma_px**2 - 0.92)))
    kernels.add_enlarged(out, small, 2, 1.0)
    return out


def microscope(layers, halo, pixel_um):
    """Blur layers of light, (sigma px, (Y, X) float32), add them and their out-of-focus share: (Y, X) float32."""
    out = blurred(layers[0][1], layers[0][0])
    for sigma, light in layers[1:]:
        out += blurred(light, sigma)
    if halo > 0:
        whole = layers[0][1] if len(layers) == 1 else sum(light for _, light in layers)
        small = kernels.shrink(whole, HALO_STEP)
        small = kernels.blur(small, gaussian(HALO_UM / pixel_um / HALO_STEP))
        kernels.add_enlarged(out, small, HALO_STEP, float(halo))
    return out


def wall_field(height, width, angle, place, step, shift=(0.0, 0.0)):
    """A straight wall of the chip, as a factor on the background: 1 before it, 1 + step behind, soft over 1 % of the frame.

    angle : direction of the wall's normal; place : distance from the centre in frames; shift (y, x) : px
    """
    y = ((np.arange(height) - shift[0]) / height - 0.5)[:, None]
    x = ((np.arange(width) - shift[1]) / width - 0.5)[None, :]
    edge = 1.0 / (1.0 + np.exp(-(np.sin(angle) * y + np.cos(angle) * x - place) * 120.0))
    return 1.0 + step * edge


def render_frame(scenes, specks, imaging, pixel_um, fields, rng, kept=1.0):
    """One frame as the camera stores it.

    Parameters
    ----------
    scenes, specks : list over channels of scenes
    imaging : dict
        simulate.imaging of the config.
    pixel_um : float
    fields : (illumination, mottle)
        (C, Y, X) float32 each.
    rng : numpy.random.Generator
        Of this frame's noise.
    kept : float
        Share of the dye that is not bleached.

    Returns
    -------
    (C, Y, X) uint16
    """
    lit, auto = fields
    _, height, width = lit.shape
    sigma = imaging["psf_sigma_um"] / pixel_um
    light = [microscope(light_of(c, s, height, width, sigma), imaging["halo"], pixel_um) for c, s in zip(scenes, specks)]
    out = np.empty(lit.shape, np.uint16)
    cross, signal, background = (
        np.float32(value) for value in (imaging["crosstalk"], imaging["signal_photons"] * kept, imaging["background_photons"])
    )
    dark = np.zeros((height, width), np.float32)
    for channel in range(len(light)):
        others = sum((light[k] for k in range(len(light)) if k != channel), dark) if cross > 0 else dark
        photons = kernels.mix_light(light[channel], others, cross, signal, background, auto[channel], lit[channel])
        deviates = rng.standard_normal((height, width), dtype=np.float32)
        out[channel] = kernels.expose(
            photons, deviates, float(imaging["read_noise"]), float(imaging["gain"]), float(imaging["offset"])
        )
    return out
