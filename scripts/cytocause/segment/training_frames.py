"""Single frames with known labels, more varied than any one experiment, to train the network on.

    place ─▶ draw: interphase · small round · metaphase · anaphase pair · shrunken · fragmented ─▶ debris
          ─▶ light: halo, focus, haze, uneven field, chip wall ─▶ photons and read noise

Nothing moves here: a movie with causes is the business of stage `simulate`, whose frames the target train_model adds.
The ranges are wide on purpose (focus up to 3 px, brightness up to 30 : 1, diameters of 11 to 32 px), because a network
trained on one look fails on the next.
"""

import math

import numpy as np
from scipy.ndimage import binary_closing, gaussian_filter

SIDE_PX = 256
# Kind of cell -> share of all cells. Mitotic and dying cells are rarer in life, and matter more for what follows.
KINDS = {"interphase": 0.62, "small": 0.10, "metaphase": 0.08, "anaphase": 0.06, "shrunken": 0.08, "fragmented": 0.06}


def training_frames(n, seed):
    """n frames, each (image, labels, diameter): (Y, X) float32 grey values >= 0, (Y, X) int32, px.

    Frame i depends on the seed and on i alone.
    """
    return [training_frame(np.random.default_rng([seed, i])) for i in range(n)]


def training_frame(rng, side=SIDE_PX):
    """One frame, see `training_frames`."""
    diameter = rng.uniform(11, 32)
    signal, labels = _cells(rng, side, diameter)
    return _photograph(rng, signal, diameter), labels, diameter


def _cells(rng, side, diameter):
    """Brightness (cells about 1, background 0) and labels."""
    signal, labels = np.zeros((side, side), np.float32), np.zeros((side, side), np.int32)
    spread = rng.uniform(0.1, 0.9)
    wanted = int(rng.uniform(0.02, 0.75) * side**2 / diameter**2)
    kinds = rng.choice(list(KINDS), size=wanted, p=list(KINDS.values()))
    centre = rng.uniform(0, side, 2)
    number = 0
    for kind in kinds:
        if rng.random() < 0.35:  # beside the one before, so that many touch
            centre = centre + rng.normal(0, 0.9 * diameter, 2)
        else:
            centre = rng.uniform(-0.2 * diameter, side + 0.2 * diameter, 2)
        brightness = float(np.clip(math.exp(rng.normal(0, spread)), 1 / 6, 5))
        for offset, mask_of, light_of in _draw(kind, rng, diameter, brightness):
            number += _put(signal, labels, number + 1, centre + offset, mask_of, light_of)
    for _ in range(rng.poisson(0.15 * max(wanted, 2))):  # debris: light without a label
        _add(signal, rng.uniform(0, side, 2), _disc(rng, rng.uniform(0.04, 0.11) * diameter, 1.0)[1], rng.uniform(0.3, 2))
    return signal, labels


def _draw(kind, rng, diameter, brightness):
    """Bodies of one cell: [(offset, mask, light)], mask and light on a square around the body's centre."""
    radius = diameter / 2
    here = np.zeros(2)
    if kind == "interphase":
        return [(here, *_nucleus(rng, radius * rng.uniform(0.8, 1.2), rng.uniform(0.6, 1), brightness))]
    if kind == "small":
        mask, light = _disc(rng, radius * rng.uniform(0.4, 0.6), rng.uniform(0.85, 1))
        return [(here, mask, light * brightness)]
    if kind == "metaphase":
        mask, light = _disc(rng, radius * rng.uniform(0.7, 0.95), rng.uniform(0.35, 0.6))
        return [(here, mask, light * brightness * rng.uniform(1.5, 3))]
    if kind == "anaphase":
        angle, gap = rng.uniform(0, math.pi), radius * rng.uniform(0.55, 1.0)
        apart = np.array([math.sin(angle), math.cos(angle)]) * gap
        gain, size, aspect = brightness * rng.uniform(1.3, 2.5), radius * rng.uniform(0.5, 0.7), rng.uniform(0.45, 0.9)
        pair = [_disc(rng, size, aspect, angle=angle + math.pi / 2) for _ in range(2)]
        return [(sign * apart, mask, light * gain) for sign, (mask, light) in zip((-1, 1), pair)]
    if kind == "shrunken":
        mask, light = _disc(rng, radius * rng.uniform(0.4, 0.7), rng.uniform(0.75, 1))
        return [(here, mask, light * brightness * rng.uniform(1.2, 3.5))]
    return [(here, *_fragments(rng, radius, brightness * rng.uniform(0.8, 2.5)))]


def _grid(radius):
    half = int(math.ceil(1.7 * radius)) + 2
    return np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)


def _outline(rng, radius, aspect, angle, rough):
    """Distance from the centre in units of the outline's radius there (1 on the outline)."""
    y, x = _grid(radius)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    along, across = along * math.sqrt(aspect), across / math.sqrt(aspect)
    theta = np.arctan2(across, along)
    edge = np.ones_like(theta)
    for k in (2, 3, 4):
        edge += rng.normal(0, rough / k) * np.cos(k * theta + rng.uniform(0, 2 * math.pi))
    return np.hypot(along, across) / (radius * np.clip(edge, 0.6, 1.4))


def _nucleus(rng, radius, aspect, brightness):
    """A textured nucleus: flat or domed, mottled, with dark nucleoli or a dark middle."""
    r = _outline(rng, radius, aspect, rng.uniform(0, math.pi), 0.07)
    mask = r < 1
    dome = np.clip(1 - r**2, 0, 1) ** rng.choice([0.08, 0.25, 0.5])
    mottle = gaussian_filter(rng.normal(0, 1, r.shape), max(0.6, radius * rng.uniform(0.08, 0.25)))
    light = dome * (1 + rng.uniform(0, 0.35) * mottle / max(mottle.std(), 1e-6))
    if rng.random() < 0.4:
        light = light * (1 - rng.uniform(0.2, 0.6) * np.exp(-(r**2) / rng.uniform(0.05, 0.3)))
    return mask, (np.clip(light, 0.15, None) * mask * brightness).astype(np.float32)


def _disc(rng, radius, aspect, angle=None):
    r = _outline(rng, radius, aspect, rng.uniform(0, math.pi) if angle is None else angle, 0.04)
    return r < 1, (np.clip(1 - r**2, 0, 1) ** 0.3 * (r < 1)).astype(np.float32)


def _fragments(rng, radius, brightness):
    """A dead cell in pieces under one label."""
    y, x = _grid(radius)
    light = np.zeros_like(y)
    for _ in range(rng.integers(3, 7)):
        cy, cx = rng.normal(0, 0.33 * radius, 2)
        size = radius * rng.uniform(0.16, 0.38)
        light = np.maximum(light, rng.uniform(0.5, 1) * (np.hypot(y - cy, x - cx) < size))
    return binary_closing(light > 0, iterations=2), (light * brightness).astype(np.float32)


def _window(shape, centre, frame):
    half = shape[0] // 2
    top, left = int(round(centre[0])) - half, int(round(centre[1])) - half
    y0, y1, x0, x1 = max(top, 0), min(top + shape[0], frame[0]), max(left, 0), min(left + shape[1], frame[1])
    if y1 <= y0 or x1 <= x0:
        return None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _put(signal, labels, number, centre, mask, light):
    """Add one body unless it would lie too much on others; 1 when it was added."""
    window = _window(mask.shape, centre, labels.shape)
    if window is None:
        return 0
    there, part = window
    mask, light, under = mask[part], light[part], labels[there]
    if mask.sum() < 12 or (under[mask] > 0).mean() > 0.12:
        return 0
    new = mask & (under == 0)
    under[new] = number
    spot = signal[there]
    np.maximum(spot, light, out=spot, where=new)
    return 1


def _add(signal, centre, light, gain):
    window = _window(light.shape, centre, signal.shape)
    if window is not None:
        there, part = window
        signal[there] += gain * light[part]


def _photograph(rng, signal, diameter):
    """What a camera sees of the signal."""
    side = signal.shape[0]
    focus = diameter / 18 * math.exp(rng.uniform(math.log(0.4), math.log(2.2)))
    image = gaussian_filter(signal, focus)
    if rng.random() < 0.5:
        image += rng.uniform(0.05, 0.35) * gaussian_filter(signal, diameter * rng.uniform(0.4, 1.2))
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    if rng.random() < 0.5:
        image += rng.uniform(0.02, 0.3) * gaussian_filter(rng.normal(0, 1, signal.shape), side / 6) * side / 3
    if rng.random() < 0.2:  # a wall of the chip: a bright or dark band
        angle = rng.uniform(0, math.pi)
        across = x * math.cos(angle) + y * math.sin(angle) - rng.uniform(-0.4, 0.4)
        image += rng.uniform(-0.1, 0.3) / (1 + np.exp(-across * rng.uniform(20, 200)))
    image *= 1 + rng.uniform(0, 0.5) * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) - rng.uniform(0, 1) * (x**2 + y**2))
    image = np.clip(image + rng.uniform(0.02, 0.3), 0, None)
    photons = math.exp(rng.uniform(math.log(40), math.log(4000)))
    return (rng.poisson(image * photons) / photons + rng.normal(0, rng.uniform(0.001, 0.03), image.shape)).astype(np.float32)
