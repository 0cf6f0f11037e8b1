"""What a dye shows of a cell: the scene of a population as one channel of a fluorescence microscope sees it.

    nuclear        the nucleus, with its chromatin
    cytoplasmic    the whole cell, smooth, dimmer where the nucleus is
    death          nothing until a cell dies, then its nucleus, the brighter the farther death has come
    fucci_g1, fucci_g2   the pair of the cell cycle: the first from birth to S phase, the second from S phase to division
                   (Sakaue-Sawano et al. 2008, Cell 132:487)
"""

import numpy as np

from .cells import DYING, MITOSIS

CELL_OVER_NUCLEUS = 1.45  # of the half axes
LEAK = 0.03  # of the light, in cells that a dye should not stain
G1_RISES, G1_ENDS, G2_STARTS, G2_FULL = 0.25, 0.45, 0.40, 0.85  # of the cell cycle


def stained(scene, rows, stain, brightness=1.0):
    """The scene of pixels.cell_scene as a dye shows it: a copy where anything changes.

    Parameters
    ----------
    scene : dict of arrays (n, ...)
    rows : dict of arrays (n,), of which "cycle" is used where there is one
    stain : "nuclear" | "cytoplasmic" | "death" | "fucci_g1" | "fucci_g2"
    brightness : float
        Of this channel, 1 is simulate.imaging.signal_photons.
    """
    n = scene["ids"].size
    if stain == "nuclear" and brightness == 1.0:
        return scene
    light = np.full(n, float(brightness))
    scene = dict(scene)
    if stain == "cytoplasmic":
        geometry = scene["geometry"].copy()
        geometry[:, 2:4] *= CELL_OVER_NUCLEUS
        waves, spots = scene["waves"].copy(), np.zeros_like(scene["spots"])
        waves[:, :, 3] *= 0.6
        spots[:, 0] = (0.0, 0.0, 3.2, -0.35)  # the nucleus takes the dye up less
        scene |= {"geometry": geometry, "waves": waves, "spots": spots, "softness": scene["softness"] * 1.8}
        light *= 0.7
    elif stain == "death":
        light *= np.where(scene["phase"] == DYING, LEAK + scene["progress"], LEAK)
    elif stain in ("fucci_g1", "fucci_g2"):
        cycle = np.asarray(rows.get("cycle", np.zeros(n)), float)
        light *= cycle_light(cycle, scene["phase"] == MITOSIS, stain)
    scene["brightness"] = scene["brightness"] * light
    return scene


def cycle_light(cycle, mitotic, stain):
    """Light of one of the FUCCI pair: (n,) from LEAK to 1.

    cycle : (n,) fraction of the cell cycle since birth; mitotic : (n,) bool
    """
    if stain == "fucci_g1":
        rise = np.clip(cycle / G1_RISES, 0.0, 1.0)
        fall = np.clip((G1_ENDS - cycle) / 0.1, 0.0, 1.0)
        return np.maximum(np.where(mitotic, 0.0, rise * fall), LEAK)
    grown = np.clip((cycle - G2_STARTS) / (G2_FULL - G2_STARTS), 0.0, 1.0)
    return np.maximum(np.where(mitotic, 1.0, grown), LEAK)
