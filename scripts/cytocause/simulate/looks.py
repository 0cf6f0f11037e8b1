"""How a cell looks: an outline that wobbles slowly and a texture that stays with the cell.

Everything here is a function of the cell's name and the time, so a frame can be drawn without the frames before it.
"""

import numpy as np

N_MODES = 5  # angular modes 2 .. 6 of the outline; mode 1 would only shift the cell
N_WAVES = 8  # chromatin texture
N_SPOTS = 5  # two nucleoli (dark), three lumps (bright, in dying cells)
MODE_SD = np.array([0.035, 0.032, 0.022, 0.014, 0.010])  # of the radius; nuclei are smooth, high modes small


def draw_look(rng, brightness_sd):
    """Constants of one cell's appearance, drawn from its own stream."""
    return {
        "base": rng.normal(0.0, 1.0, (2, N_MODES)) * MODE_SD,
        "sway": rng.normal(0.0, 0.6, (2, N_MODES)) * MODE_SD,
        "rate": 2 * np.pi / rng.uniform(90.0, 300.0, (2, N_MODES)),  # per min: outlines change over hours
        "shift": rng.uniform(0.0, 2 * np.pi, (2, N_MODES)),
        "waves": np.column_stack(
            [
                rng.normal(0.0, 4.0, N_WAVES),
                rng.normal(0.0, 4.0, N_WAVES),
                rng.uniform(0.0, 2 * np.pi, N_WAVES),
                np.abs(rng.normal(0.0, 0.07, N_WAVES)),
            ]
        ),
        "spots": np.column_stack(
            [
                rng.uniform(-0.5, 0.5, N_SPOTS),
                rng.uniform(-0.5, 0.5, N_SPOTS),
                rng.uniform(12.0, 40.0, N_SPOTS),
                np.concatenate([-rng.uniform(0.15, 0.45, 2), rng.uniform(0.6, 1.4, N_SPOTS - 2)]),
            ]
        ),
        "brightness": float(np.exp(rng.normal(0.0, brightness_sd))),
        "softness": float(rng.uniform(1.0, 1.8)),
        "fragments": np.column_stack(
            [rng.uniform(0, 2 * np.pi, 3), rng.uniform(1.25, 1.9, 3), rng.uniform(0.16, 0.3, 3), rng.uniform(0.3, 0.9, 3)]
        ),
    }


def outline(look, time_min, smooth=1.0):
    """Wobble coefficients (2, N_MODES) at a time; `smooth` scales the irregularity."""
    return smooth * (look["base"] + look["sway"] * np.cos(look["rate"] * time_min + look["shift"]))


def half_axes(area, aspect_ln, wobble):
    """Half axes (along, across) of an outline with this area: area = pi a b (1 + sum of squares / 2)."""
    mean = np.sqrt(area / np.pi / (1.0 + 0.5 * (wobble**2).sum(axis=(-2, -1))))
    return mean * np.exp(0.5 * aspect_ln), mean * np.exp(-0.5 * aspect_ln)


def eccentricity(aspect_ln):
    """Eccentricity of an ellipse whose axis ratio has this logarithm."""
    return np.sqrt(-np.expm1(-2.0 * np.abs(aspect_ln)))
