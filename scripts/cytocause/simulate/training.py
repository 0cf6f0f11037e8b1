"""Frames to train a segmentation model on: every range wider than a chip's.

Each frame is its own small world, drawn from (seed, "train", index): sizes, density, clusters, blur, halo, brightness up to
30:1, photons, uneven light, debris, a chip wall. Mitotic cells (rounded, plate, anaphase pair) and dying cells (shrunken,
lumpy, with fragments) are cells; fragments and debris are not. In a share of the frames the first channel shows both
populations, as with one dye for all nuclei.
"""

import numpy as np

from . import kernels
from .cells import DYING, INTERPHASE, MITOSIS
from .looks import draw_look
from .pixels import cell_scene, empty_scene, illumination, mottle, render_frame, render_labels, speck_scene
from .seeds import stream

# Lowest and highest value of each range; lengths in px. `log` ranges are even in the logarithm.
RANGES = {
    "tumour_diameter": (13.0, 25.0),
    "immune_diameter": (6.0, 10.5),
    "tumour_cover": (0.02, 0.42),
    "immune_cover": (0.002, 0.05),
    "gap": (-0.6, 2.5),
    "size_sd": (0.05, 0.22),
    "brightness_sd": (0.10, 0.85),
    "halo": (0.0, 0.40),
    "uneven_light": (0.0, 0.6),
    "crosstalk": (0.0, 0.06),
    "texture": (0.3, 1.6),
    "softness": (1.0, 3.0),
}
LOG_RANGES = {
    "psf_sigma": (0.6, 4.0),
    "photons": (40.0, 3000.0),
    "background_ratio": (0.02, 0.6),
    "read_noise": (1.0, 12.0),
    "gain": (0.5, 10.0),
    "debris": (1.0, 60.0),
}
BRIGHTNESS_RANGE = 30.0  # brightest over dimmest nucleus
DEFAULTS = {"height": 256, "width": 256, "mixed": 0.3, "empty": 0.03, "mitotic": 0.12, "dying": 0.10, "wall": 0.12}


def training_frames(seed, n, cfg=None):
    """Yield n varied frames with their masks.

    Parameters
    ----------
    seed : int
    n : int
    cfg : dict, optional
        Any of height, width (px), mixed (share of frames whose first channel shows both populations), empty, mitotic,
        dying, wall (shares). A key of RANGES or LOG_RANGES with [low, high] narrows that range.

    Yields
    ------
    image : (2, Y, X) uint16, channels tumour and immune
    labels : (2, Y, X) int32, 1 .. n without gaps in each channel, 0 background
    """
    cfg = dict(cfg or {})
    for key in cfg:
        if key not in DEFAULTS and key not in RANGES and key not in LOG_RANGES:
            known = ", ".join(sorted([*DEFAULTS, *RANGES, *LOG_RANGES]))
            raise ValueError(f"training_frames does not know the key '{key}'; known are {known}")
    for index in range(n):
        yield training_frame(stream(seed, "train", index), cfg)


def training_frame(rng, cfg=None):
    """One frame of training_frames from its generator: (image, labels)."""
    cfg = {**DEFAULTS, **(cfg or {})}
    height, width = int(cfg["height"]), int(cfg["width"])
    p = {key: rng.uniform(*cfg.get(key, span)) for key, span in RANGES.items()}
    p |= {key: np.exp(rng.uniform(*np.log(cfg.get(key, span)))) for key, span in LOG_RANGES.items()}
    if rng.random() < cfg["empty"]:
        p["tumour_cover"] = p["immune_cover"] = 0.0
    mixed = rng.random() < cfg["mixed"]
    rows, looks = _cells(rng, p, cfg, height, width)
    scenes, specks = [], []
    for name in ("tumour", "immune"):
        scene, bits = cell_scene(rows[name], name, lambda _, k, own=looks[name]: own[int(k) - 1], 0.0, 1.0)
        scene["waves"][..., 3] *= p["texture"]
        scene["spots"][:, :2, 3] *= p["texture"]
        scene["softness"] *= p["softness"] / 1.4
        scenes.append(scene)
        specks.append(bits + _debris(rng, p, height, width))
    if mixed:
        scenes[0] = _join(scenes[0], scenes[1])
    labels = render_labels(scenes, height, width)
    imaging = {
        "psf_sigma_um": p["psf_sigma"], "halo": p["halo"], "signal_photons": p["photons"],
        "background_photons": p["photons"] * p["background_ratio"], "read_noise": p["read_noise"], "gain": p["gain"],
        "offset": rng.uniform(0, 500), "crosstalk": p["crosstalk"],
    }  # fmt: skip
    lit = np.stack([illumination(height, width, p["uneven_light"], rng) for _ in range(2)])
    auto = np.stack([_wall(mottle(height, width, rng), rng, cfg["wall"]) for _ in range(2)])
    image = render_frame(scenes, [speck_scene(bits) for bits in specks], imaging, 1.0, (lit, auto), rng)
    return image, np.stack([compact(channel) for channel in labels])


def compact(labels, smallest=6):
    """Drop labels of fewer than `smallest` pixels and number the others 1 .. n in their order: (Y, X) int32."""
    count = np.bincount(labels.ravel())
    keep = count >= smallest
    keep[0] = False
    new = np.zeros(count.size, np.int32)
    new[keep] = np.arange(1, keep.sum() + 1)
    return new[labels]


def _place(rng, n, radius, gap, height, width):
    """n discs, a part of them in clusters, pushed apart to about `gap`: y, x."""
    clustered = rng.random() < 0.5
    margin = 4.0
    y = rng.uniform(-margin, height + margin, n)
    x = rng.uniform(-margin, width + margin, n)
    if clustered and n > 4:
        seeds = max(1, n // int(rng.integers(4, 12)))
        pick = rng.integers(0, seeds, n)
        join = rng.random(n) < 0.7
        spread = radius.mean() * rng.uniform(1.5, 4.0)
        y = np.where(join, y[pick] + rng.normal(0, spread, n), y)
        x = np.where(join, x[pick] + rng.normal(0, spread, n), x)
    kernels.push_apart(y, x, radius.copy(), np.ones(n), gap, 40)
    inside = (y > -radius * 0.6) & (y < height + radius * 0.6) & (x > -radius * 0.6) & (x < width + radius * 0.6)
    return y, x, inside


def _cells(rng, p, cfg, height, width):
    """Rows for cell_scene and the looks of both populations."""
    rows, looks = {}, {}
    for name in ("tumour", "immune"):
        diameter = p[name + "_diameter"]
        n = int(rng.poisson(p[name + "_cover"] * height * width / (np.pi * diameter**2 / 4)))
        area = np.pi * diameter**2 / 4 * np.exp(rng.normal(0.0, 2 * p["size_sd"] if name == "tumour" else 0.12, n))
        aspect = np.clip(np.abs(rng.normal(0.22, 0.16, n)), 0.0, 0.9) if name == "tumour" else np.abs(rng.normal(0.05, 0.1, n))
        y, x, inside = _place(rng, n, np.sqrt(area / np.pi), p["gap"], height, width)
        cell = {
            "y_um": y, "x_um": x, "area_um2": area, "aspect_ln": aspect, "angle": rng.uniform(-np.pi, np.pi, n),
            "phase": np.full(n, INTERPHASE), "progress": np.zeros(n), "condensation": np.ones(n),
        }  # fmt: skip
        cell = {key: value[inside] for key, value in cell.items()}
        if name == "tumour":
            cell = _fates(rng, cell, cfg)
        m = cell["y_um"].size
        cell["track_id"] = np.arange(1, m + 1)
        rows[name] = cell
        looks[name] = []
        for _ in range(m):
            look = draw_look(rng, p["brightness_sd"])
            half = 0.5 * np.log(BRIGHTNESS_RANGE)
            look["brightness"] = float(np.exp(np.clip(np.log(look["brightness"]), -half, half)))
            looks[name].append(look)
    return rows, looks


def _fates(rng, cell, cfg):
    """Turn a share of the cells mitotic (rounded, plate, anaphase pair) or dying."""
    n = cell["y_um"].size
    draw, form = rng.random(n), rng.random(n)
    pairs = []
    for k in range(n):
        if draw[k] < cfg["mitotic"]:
            cell["phase"][k] = MITOSIS
            if form[k] < 0.35:
                cell["area_um2"][k] *= rng.uniform(0.65, 0.9)
                cell["aspect_ln"][k] *= 0.4
                cell["condensation"][k] = rng.uniform(1.1, 1.7)
            elif form[k] < 0.65:
                cell["area_um2"][k] *= rng.uniform(0.45, 0.65)
                cell["aspect_ln"][k] = rng.uniform(0.5, 1.0)
                cell["condensation"][k] = rng.uniform(1.5, 2.2)
            else:
                area = cell["area_um2"][k] * rng.uniform(0.25, 0.42)
                ratio = rng.uniform(0.3, 0.7)
                half = np.sqrt(area / np.pi / np.exp(ratio)) + rng.uniform(0.7, 4.0)
                axis = cell["angle"][k]
                pairs.append({**{key: cell[key][k] for key in cell}})
                bright = rng.uniform(1.3, 2.0)
                for target, side in ((cell, 1.0), (pairs[-1], -1.0)):
                    at = k if target is cell else None
                    new = {
                        "y_um": cell["y_um"][k] if side < 0 else cell["y_um"][k] + half * np.sin(axis),
                        "x_um": cell["x_um"][k] if side < 0 else cell["x_um"][k] + half * np.cos(axis),
                        "area_um2": area, "aspect_ln": ratio, "angle": axis + np.pi / 2, "condensation": bright,
                    }  # fmt: skip
                    if side < 0:  # the cell has moved by +half already; its sister lies at the other side
                        new["y_um"] -= 2 * half * np.sin(axis)
                        new["x_um"] -= 2 * half * np.cos(axis)
                    for key, value in new.items():
                        if at is None:
                            target[key] = value
                        else:
                            target[key][at] = value
        elif draw[k] < cfg["mitotic"] + cfg["dying"]:
            progress = rng.uniform(0.1, 1.0)
            cell["phase"][k] = DYING
            cell["progress"][k] = progress
            cell["area_um2"][k] *= 1.0 - 0.68 * progress
            cell["condensation"][k] = 1.0 + rng.uniform(0.3, 1.1) * progress
    if pairs:
        cell = {key: np.concatenate([value, [pair[key] for pair in pairs]]) for key, value in cell.items()}
    return cell


def _debris(rng, p, height, width):
    n = rng.poisson(p["debris"])
    size = np.exp(rng.uniform(np.log(0.6), np.log(2.0), n))
    light = rng.uniform(0.05, 0.6, n)
    return list(zip(rng.uniform(0, height, n), rng.uniform(0, width, n), size, light))


def _wall(field, rng, chance):
    """Sometimes a straight wall of the chip, brighter or darker than the medium."""
    if rng.random() >= chance:
        return field
    height, width = field.shape
    angle, place = rng.uniform(-np.pi, np.pi), rng.uniform(0.3, 0.48)
    y = (np.arange(height) / height - 0.5)[:, None]
    x = (np.arange(width) / width - 0.5)[None, :]
    edge = 1.0 / (1.0 + np.exp(-(np.sin(angle) * y + np.cos(angle) * x - place) * 120.0))
    return (field * (1.0 + rng.uniform(-0.6, 1.5) * edge)).astype(np.float32)


def _join(first, second):
    """Two scenes as one; labels of the second follow those of the first."""
    out = {key: np.concatenate([first[key], second[key]]) for key in empty_scene()}
    shift = int(first["ids"].max()) if first["ids"].size else 0
    out["ids"] = np.concatenate([first["ids"], second["ids"] + shift])
    return out
