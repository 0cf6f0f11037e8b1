"""Frames to train and to test a segmentation model on: every range wider than a chip's.

    ranges.draw (side train or test, difficulty) -> one small world -> image, masks

Each frame is its own small world, drawn from (seed, mode, side, index): sizes, density, clusters, blur by depth, halo, brightness up
to 30:1, photons, uneven light, debris, a chip wall. Mitotic cells (rounded, plate, anaphase pair) and dying cells (shrunken,
lumpy, with fragments) are cells; fragments, debris, fibres and bubbles are not. In a share of the fluorescence frames the first channel shows both
populations, as with one dye for all nuclei; in mode brightfield_chip the one image shows both always.
"""

import numpy as np

from . import brightfield, kernels, ranges
from .cells import DYING, INTERPHASE, MITOSIS
from .looks import draw_look
from .pixels import (
    BRIGHTNESS_RANGE,
    blurred,
    cell_scene,
    illumination,
    joined,
    mottle,
    render_frame,
    render_labels,
    speck_scene,
    wall_field,
)
from .seeds import stream

DEFAULTS = {"height": 256, "width": 256, "mixed": None, "empty": 0.03, "mitotic": 0.12, "dying": 0.10, "wall": 0.12}
CHOICES = {"mode": "fluorescence", "range": "train", "difficulty": None}
STRONGEST_TEXTURE = 0.8  # sum of a cell's waves: stripes as strong as the nucleus itself are no chromatin
SMALLEST_CELL_PX = 5.0  # of an immune cell: of fewer pixels no outline can be told
TUMOUR_UM = 18.0  # a tumour cell's diameter in a chip: sets the scale of rims, fibres and bubbles in brightfield_chip


def training_frames(seed, n, cfg=None):
    """Yield n varied frames with their masks.

    Parameters
    ----------
    seed : int
        Of the side that is asked for, see ranges.TRAIN_SEEDS.
    n : int
    cfg : dict, optional
        mode : "fluorescence" | "brightfield_chip"
        range : "train" (the default) | "test"
        difficulty : one of ranges.LEVELS, or None for the whole reach of the range
        height, width : px
        mixed (share of frames whose first channel shows both populations; ranges.MIXED of the difficulty), empty, mitotic, dying, wall : shares
        A parameter of ranges.COMBED or ranges.SHARED with [low, high] takes the place of its range.

    Yields
    ------
    image : (C, Y, X) uint16; channels tumour and immune in fluorescence, the one grey image in brightfield_chip
    labels : (2, Y, X) int32 of tumour and immune cells, 1 .. n without gaps in each, 0 background

    Raises
    ------
    ranges.RangeError
        For an unknown mode, range or difficulty and a seed of the other side.
    """
    cfg = {**CHOICES, **(cfg or {})}
    mode, side, level = (cfg.pop(key) for key in CHOICES)
    ranges.check(mode, side, level, seed)
    names = ranges.known_names(mode)
    for key in cfg:
        if key not in DEFAULTS and key not in names:
            known = ", ".join(sorted([*CHOICES, *DEFAULTS, *names]))
            raise ValueError(f"training_frames does not know the key '{key}'; known are {known}")
    cfg = {**DEFAULTS, "mixed": ranges.MIXED[level], **cfg}
    draw_frame = {"fluorescence": fluorescence_frame, "brightfield_chip": brightfield_frame}[mode]
    for index in range(n):
        rng = stream(seed, mode, side, level, index)
        values = ranges.draw(rng, mode, side, level, {key: cfg[key] for key in names if key in cfg})
        yield draw_frame(rng, values, cfg)


def fluorescence_frame(rng, p, cfg):
    """One fluorescence frame from its parameters (of ranges.draw, in px) and shares: (image (2, Y, X), labels)."""
    height, width = int(cfg["height"]), int(cfg["width"])
    if rng.random() < cfg["empty"]:
        p["tumour_cover"] = p["immune_cover"] = 0.0
    mixed = rng.random() < cfg["mixed"]
    rows, looks = _cells(rng, p, cfg, height, width)
    scenes, specks = [], []
    for name in ("tumour", "immune"):
        scene, bits = _scene(rows, looks, name, p)
        scene["softness"] *= p["softness"] / 1.4
        scene["blur"] = p["depth_blur"] * np.abs(rng.normal(0.0, 1.0, scene["ids"].size))
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


def brightfield_frame(rng, p, cfg):
    """One frame of a chip in transmitted light from its parameters and shares: (image (1, Y, X), labels (2, Y, X))."""
    height, width = int(cfg["height"]), int(cfg["width"])
    if rng.random() < cfg["empty"]:
        p["tumour_cover"] = p["immune_cover"] = 0.0
    pixel_um = TUMOUR_UM / p["tumour_diameter"]
    rows, looks = _cells(rng, {**p, "brightness_sd": 0.18}, cfg, height, width)
    rows["tumour"] = brightfield.rounded(rows["tumour"])
    field = np.zeros((height, width), np.float32)
    brightfield.paint_haze(field, brightfield.haze(rng, rng.poisson(p["haze"]), height, width, pixel_um))
    tissue = height * width * pixel_um**2 * 1e-6 / 0.04  # fibres are counted in a field of 200 um x 200 um
    web = brightfield.fibres(rng, rng.poisson(p["fibres"] * min(tissue, 4.0)), height, width, pixel_um, p["fibre_contrast"])
    kernels.paint_fibres(field, web["nodes"], web["wide"], web["strength"])
    focus = rng.normal(0.0, 0.5) * p["defocus_um"]
    scenes = []
    for name in ("tumour", "immune"):
        scene, bits = _scene(rows, looks, name, p)
        scene = brightfield.smoothed(scene)
        depth = focus + p["defocus_um"] * rng.normal(0.0, 0.6, scene["ids"].size)
        brightfield.paint_cells(field, scene, name, depth, pixel_um)
        brightfield.paint_specks(field, bits + (_debris(rng, p, height, width) if name == "tumour" else []), pixel_um)
        scenes.append(scene)
    brightfield.paint_bubbles(field, brightfield.bubbles(rng, rng.poisson(p["bubbles"] * min(tissue, 1.0)), height, width, pixel_um))
    if rng.random() < cfg["wall"]:
        brightfield.wall(
            field, rng.uniform(-np.pi, np.pi), rng.uniform(0.25, 0.48), rng.uniform(0.3, 1.2) * rng.choice([-1, 1]), rng.uniform(2, 9)
        )
    field = blurred(field, p["psf_sigma"])
    medium = p["photons"] * illumination(height, width, p["uneven_light"], rng) * mottle(height, width, rng) ** 0.25
    photons = (medium * np.clip(1.0 + p["contrast"] * field, 0.03, 6.0)).astype(np.float32)
    noise = rng.standard_normal((height, width), dtype=np.float32)
    image = kernels.expose(photons, noise, p["read_noise"], p["gain"], rng.uniform(0, 500))
    return image[None], np.stack([compact(channel) for channel in render_labels(scenes, height, width)])


def _scene(rows, looks, name, p):
    """Scene and specks of one population, its texture as strong as the frame's."""
    scene, bits = cell_scene(rows[name], name, lambda _, k, own=looks[name]: own[int(k) - 1], 0.0, 1.0)
    scene["waves"][..., 3] *= p["texture"]
    whole = scene["waves"][..., 3].sum(axis=1, keepdims=True)
    scene["waves"][..., 3] *= np.minimum(1.0, STRONGEST_TEXTURE / np.maximum(whole, 1e-9))
    scene["spots"][:, :2, 3] *= p["texture"]
    return scene, bits


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
        diameter = p["tumour_diameter"] * (1.0 if name == "tumour" else p["immune_diameter_ratio"])
        diameter = max(diameter, SMALLEST_CELL_PX)
        n = int(rng.poisson(p[name + "_cover"] * height * width / (np.pi * diameter**2 / 4)))
        area = np.pi * diameter**2 / 4 * np.exp(rng.normal(0.0, 2 * p["size_sd"] if name == "tumour" else 0.12, n))
        usual, spread = (p["aspect"], 0.7 * p["aspect"]) if name == "tumour" else (0.05, 0.1)
        aspect = np.clip(np.abs(rng.normal(usual, spread, n)), 0.0, 0.9)
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
    return (field * wall_field(height, width, angle, place, rng.uniform(-0.6, 1.5))).astype(np.float32)


def _join(first, second):
    """Two scenes as one; labels of the second follow those of the first."""
    shift = int(first["ids"].max()) if first["ids"].size else 0
    return joined([first, {**second, "ids": second["ids"] + shift}])
