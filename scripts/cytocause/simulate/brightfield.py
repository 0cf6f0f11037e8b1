"""Mode `brightfield_chip`: cells in a gel under transmitted light, one grey image.

            in focus              above the focal plane       below it
        .- dark ring -.            .- dark ring -.          .- bright ring -.
        |  bright rim |            |  wide rim   |          |  dark rim     |
        |    body     |            | bright core |          |  dark core    |
        '-------------'            '-------------'          '---------------'

A living round cell is a lens: in focus its edge is bright inside and dark outside; above the plane it gathers light in its middle, below
it the contrast turns round, and either way the rings widen. Everything is relative to the light of the medium:
    photons = medium * illumination * (1 + contrast * field)
"""

import numpy as np

from . import kernels
from .cells import DYING, MITOSIS

DEPTH_OF_FIELD_UM = 6.0  # rings are twice as wide at 1.7 times this distance (a low-aperture air objective)
RIM_UM = 0.85  # half width of the rim of a tumour cell in focus
IMMUNE_RIM_UM = 0.5
ROUNDNESS = 0.6  # of ln(axis ratio) of the nucleus, in the whole cell
SMOOTHNESS = 0.55  # of the outline's irregularity
FIBRE_NODES = 14
FIBRE_SWAY_UM = 1.5  # how far a fibre wanders over hours


def rounded(rows):
    """Rows of tumour cells as whole cells: rounder than their nuclei, in mitosis round and not the bright plate of chromatin."""
    mitotic = np.asarray(rows["phase"]) == MITOSIS
    return {
        **rows,
        "area_um2": rows["area_um2"] * np.where(mitotic, 1.3, 1.0),
        "aspect_ln": rows["aspect_ln"] * np.where(mitotic, 0.25, ROUNDNESS),
    }


def smoothed(scene):
    """A scene whose outlines are those of cells in a gel, smoother than nuclei on glass. The scene itself, changed."""
    scene["wobble"] = scene["wobble"] * SMOOTHNESS
    return scene


def phase_profile(scene, population, depth_um, pixel_um):
    """Profiles of the cells of a scene for kernels.paint_phase: (n, 10) float64.

    scene : of pixels.cell_scene, with "phase" and "progress"
    depth_um : (n,) signed distance of each cell from the focal plane
    """
    n = scene["ids"].size
    out = np.zeros((n, 10))
    if not n:
        return out
    turn = np.tanh(depth_um / 5.0)  # -1 below .. 1 above the plane
    wide = np.sqrt(1.0 + (depth_um / DEPTH_OF_FIELD_UM) ** 2)
    sharp = 1.0 / wide
    strength = np.clip(scene["brightness"], 0.25, 2.5)
    if population == "tumour":
        width = RIM_UM / pixel_um * wide
        body = -0.05 - 0.06 * turn
        centre = 0.06 + 0.42 * turn
        rim = (0.62 + 0.28 * np.minimum(turn, 0.0) * 2.0) * sharp
        ring = -(0.45 + 0.15 * turn) * np.sqrt(sharp)
        outer = 0.14 - 0.05 * turn
        core = 0.42 + 0.10 * np.abs(turn)
    else:
        width = IMMUNE_RIM_UM / pixel_um * wide
        body = 0.06 + 0.12 * turn
        centre = 0.30 + 0.40 * turn
        rim = 0.10 * sharp
        ring = -(0.38 + 0.18 * turn) * np.sqrt(sharp)
        outer = 0.10 - 0.04 * turn
        core = np.full(n, 0.55)
    mitotic, dying = scene["phase"] == MITOSIS, scene["phase"] == DYING
    fade = 1.0 - 0.6 * scene["progress"] * dying
    rim = rim * np.where(mitotic, 1.35, fade)
    centre = centre * np.where(mitotic, 1.25, fade)
    body = body - 0.12 * scene["progress"] * dying
    width = np.maximum(width, 0.6)
    out[:] = np.column_stack(
        [
            strength * body,
            strength * centre,
            core,
            strength * rim,
            -1.3 * width,
            strength * ring,
            0.9 * width,
            strength * outer,
            3.4 * width,
            width,
        ]
    )
    return out


def fibres(rng, n, height, width, pixel_um, strength):
    """Fibres of the gel: (nodes (n, K, 2) px, half width px (n,), strength (n,)), and how they sway (n, K, 4)."""
    n = int(n)
    length = np.exp(rng.uniform(np.log(30.0), np.log(260.0), n)) / pixel_um
    angle = rng.normal(rng.uniform(-np.pi, np.pi), 0.9, n)
    bend = rng.normal(0.0, 0.9, n)
    y0 = rng.uniform(-0.2, 1.2, n) * height
    x0 = rng.uniform(-0.2, 1.2, n) * width
    s = np.linspace(-0.5, 0.5, FIBRE_NODES)[None, :]
    turn = angle[:, None] + bend[:, None] * s
    step = length[:, None] / (FIBRE_NODES - 1)
    nodes = np.stack([y0[:, None] + np.cumsum(step * np.sin(turn), axis=1), x0[:, None] + np.cumsum(step * np.cos(turn), axis=1)], axis=2)
    nodes += np.cumsum(rng.normal(0.0, 0.25 / pixel_um, nodes.shape), axis=1)
    wide = np.exp(rng.uniform(np.log(0.45), np.log(2.2), n)) / pixel_um
    power = strength * np.exp(rng.normal(0.0, 0.5, n)) * np.minimum(1.0, 0.8 / np.maximum(wide * pixel_um, 1e-9)) * rng.choice([-1.0, 1.0], n)
    sway = np.stack(
        [
            rng.normal(0.0, FIBRE_SWAY_UM / pixel_um, (n, 2)),
            2 * np.pi / rng.uniform(120.0, 600.0, (n, 2)),
            rng.uniform(0, 2 * np.pi, (n, 2)),
        ],
        axis=2,
    )
    return {"nodes": nodes, "wide": np.maximum(wide, 0.5), "strength": power, "sway": sway}


def moved(web, time_min):
    """Nodes of the fibres at a time: each fibre wanders as a whole, over hours."""
    size, rate, shift = web["sway"][..., 0], web["sway"][..., 1], web["sway"][..., 2]
    return web["nodes"] + (size * (np.cos(rate * time_min + shift) - np.cos(shift)))[:, None, :]


def bubbles(rng, n, height, width, pixel_um):
    """Gas bubbles, as (y, x, radius px, strength): a thick black edge around a bright inside."""
    return [
        (
            rng.uniform(-0.1, 1.1) * height,
            rng.uniform(-0.1, 1.1) * width,
            np.exp(rng.uniform(np.log(12.0), np.log(55.0))) / pixel_um,
            rng.uniform(0.6, 1.2),
        )
        for _ in range(int(n))
    ]


def haze(rng, n, height, width, pixel_um):
    """Cells and dirt far from the plane: pale wide discs, as (y, x, radius px, strength with sign)."""
    return [
        (
            rng.uniform(-0.1, 1.1) * height,
            rng.uniform(-0.1, 1.1) * width,
            rng.uniform(8.0, 30.0) / pixel_um,
            rng.uniform(0.04, 0.22) * rng.choice([-1.0, 1.0]),
        )
        for _ in range(int(n))
    ]


def _discs(discs):
    """Geometry, wobble and no grains for round things."""
    at = np.asarray(discs, float).reshape(-1, 4)
    n = len(at)
    geometry = np.column_stack([at[:, :3], at[:, 2], np.ones(n), np.zeros(n)])
    return geometry, np.zeros((n, 2, 1)), np.zeros((n, 0, 4)), at[:, 3], at[:, 2]


def paint_bubbles(field, found):
    """Add bubbles to a field (Y, X) float32, in place."""
    geometry, wobble, waves, power, radius = _discs(found)
    wide = np.maximum(0.09 * radius, 1.0)
    none = np.zeros_like(power)
    profile = np.column_stack(
        [0.18 * power, 0.5 * power, none + 0.3, -0.95 * power, -1.6 * wide, 0.5 * power, -0.1 * wide, -0.25 * power, 1.8 * wide, wide]
    )
    kernels.paint_phase(field, geometry, wobble, profile, waves)


def paint_haze(field, found):
    """Add pale discs without an edge to a field (Y, X) float32, in place."""
    geometry, wobble, waves, power, radius = _discs(found)
    none = np.zeros_like(power)
    wide = np.maximum(0.35 * radius, 2.0)
    profile = np.column_stack([0.8 * power, none, none + 1.0, none, none, -0.5 * power, 1.2 * wide, none, none, wide])
    kernels.paint_phase(field, geometry, wobble, profile, waves)


def paint_specks(field, specks, pixel_um):
    """Add specks given as (y, x, radius px, light): small lenses, bright with a dark ring. In place."""
    if not specks:
        return
    geometry, wobble, waves, power, radius = _discs(specks)
    none = np.zeros_like(power)
    wide = np.maximum(0.5 * radius, 0.6)
    profile = np.column_stack([none, 0.7 * power, none + 0.8, none, none, -0.6 * power, 0.8 * wide, none, none, wide])
    kernels.paint_phase(field, geometry, wobble, profile, waves)


def paint_cells(field, scene, population, depth_um, pixel_um):
    """Add the cells of a scene, in place."""
    if not scene["ids"].size:
        return
    grains = scene["waves"].copy()
    grains[..., :2] *= 1.6  # cytoplasm is finer grained than chromatin
    grains[..., 3] *= 0.55 / np.sqrt(1.0 + (np.asarray(depth_um)[:, None] / DEPTH_OF_FIELD_UM) ** 2)
    kernels.paint_phase(
        field, scene["geometry"], scene["wobble"], phase_profile(scene, population, np.asarray(depth_um, float), pixel_um), grains
    )


def wall(field, angle, place, strength, wide, shift=(0.0, 0.0)):
    """Add a straight wall of the chip: a dark and a bright line, and a step in brightness behind it. In place.

    angle : direction of the wall's normal; place : distance from the centre as a share of the frame; wide, shift (y, x) : px
    """
    height, width = field.shape
    y = (np.arange(height) - shift[0] - 0.5 * height)[:, None]
    x = (np.arange(width) - shift[1] - 0.5 * width)[None, :]
    d = np.sin(angle) * y + np.cos(angle) * x - place * min(height, width)
    line = np.exp(-0.5 * (d / wide) ** 2) - 0.8 * np.exp(-0.5 * ((d - 2.4 * wide) / wide) ** 2)
    field += (strength * (line - 0.25 / (1.0 + np.exp(-np.clip(d / wide, -30, 30))))).astype(np.float32)
