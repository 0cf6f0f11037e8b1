"""From cells to pixels: masks, light, microscope, camera.

    rows of cells --scene--> geometry, wobble, texture --paint--> light --blur, halo, uneven light--> photons --expose--> counts

Channels are (tumour, immune) everywhere. A scene holds, per population, what the kernels need, in px.
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

    def __init__(self, seed, sample, brightness_sd, parents=None):
        self.seed, self.sample, self.brightness_sd = seed, sample, brightness_sd
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
    scene = {key: np.zeros((n, *value.shape[1:])) for key, value in empty_scene().items()}
    scene["ids"] = rows["track_id"].astype(np.int64)
    scene["depth_um"] = np.asarray(rows.get("depth_um", np.zeros(n)), float)
    scene["phase"] = np.asarray(rows.get("phase", np.zeros(n)), np.int64)
    scene["progress"] = np.asarray(rows.get("progress", np.zeros(n)), float)
    specks = []
    tumour = population == "tumour"
    for k in range(n):
        look = looks(population, rows["track_id"][k])
        phase = int(rows["phase"][k]) if tumour else 0
        progress = float(rows["progress"][k]) if tumour else 0.0
        condensed = float(rows["condensation"][k]) if tumour else 1.0
        smooth = 0.6 if phase == MITOSIS or not tumour else 1.0 + 1.2 * progress
        wobble = outline(look, time_min, smooth)
        a, b = half_axes(rows["area_um2"][k] / pixel_um**2, rows["aspect_ln"][k], wobble)
        y, x, angle = rows["y_um"][k] / pixel_um, rows["x_um"][k] / pixel_um, rows["angle"][k]
        scene["geometry"][k] = (y, x, a, b, np.cos(angle), np.sin(angle))
        scene["wobble"][k] = wobble
        scene["softness"][k] = look["softness"]
        scene["brightness"][k] = look["brightness"] * condensed
        scene["waves"][k] = look["waves"]
        scene["spots"][k] = look["spots"]
        open_chromatin = np.clip(2.0 - condensed, 0.0, 1.0) if phase != DYING else 1.0 - progress
        scene["waves"][k, :, 3] *= 0.4 + 0.6 * open_chromatin
        scene["spots"][k, :2, 3] *= open_chromatin
        scene["spots"][k, 2:, 3] *= progress if phase == DYING else 0.0
        if phase == DYING and progress > 0.75:  # fragments beside the body
            mean = np.sqrt(a * b)
            for turn, far, size, light in look["fragments"]:
                radius = max(size * mean * 1.4, 0.8)
                specks.append((y + far * mean * np.sin(turn), x + far * mean * np.cos(turn), radius, light * condensed * look["brightness"] * 0.6))
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


def render_frame(scenes, specks, imaging, pixel_um, fields, rng):
    """One frame as the camera stores it.

    Parameters
    ----------
    scenes, specks : list over channels of scenes
    imaging : dict
        simulate.imaging of the config.
    pixel_um : float
    fields : (illumination, mottle)
        (C, Y, X) float32 each, constant over the movie.
    rng : numpy.random.Generator
        Of this frame's noise.

    Returns
    -------
    (C, Y, X) uint16
    """
    lit, auto = fields
    _, height, width = lit.shape
    sigma = imaging["psf_sigma_um"] / pixel_um
    light = [microscope(light_of(c, s, height, width, sigma), imaging["halo"], pixel_um) for c, s in zip(scenes, specks)]
    out = np.empty(lit.shape, np.uint16)
    cross = np.float32(imaging["crosstalk"])
    for channel in range(len(light)):
        photons = light[channel]
        if cross > 0 and len(light) > 1:
            others = sum(light[k] for k in range(len(light)) if k != channel)
            photons = photons + cross * others
        photons = np.float32(imaging["signal_photons"]) * photons + np.float32(imaging["background_photons"]) * auto[channel]
        photons = photons * lit[channel]
        deviates = rng.standard_normal((height, width), dtype=np.float32)
        out[channel] = kernels.expose(
            photons, deviates, float(imaging["read_noise"]), float(imaging["gain"]), float(imaging["offset"])
        )
    return out
