"""The kernels of cytocause.simulate, slowly, for a reader."""

from itertools import pairwise

import numpy as np


def relative_radius(u, v, wobble):
    """Distance over the outline's distance at that angle, by trigonometry."""
    angle = np.arctan2(v, u)
    outline = 1.0
    for k in range(wobble.shape[1]):
        outline = outline + wobble[0, k] * np.cos((k + 2) * angle) + wobble[1, k] * np.sin((k + 2) * angle)
    return np.hypot(u, v) / np.maximum(outline, 0.1)


def cell_frame(shape, geometry):
    """Coordinates of all pixels in the cell's half axes."""
    y, x, a, b, cos, sin = geometry
    dy, dx = np.mgrid[: shape[0], : shape[1]].astype(float)
    dy, dx = dy - y, dx - x
    return (dx * cos + dy * sin) / a, (dy * cos - dx * sin) / b


def paint_labels(shape, ids, geometry, wobble):
    """Every pixel belongs to the cell it lies deepest in, if it lies in one."""
    rho = np.array([relative_radius(*cell_frame(shape, g), w) for g, w in zip(geometry, wobble)])
    rho = np.concatenate([np.ones((1, *shape)), rho.astype(np.float32).reshape(-1, *shape)])
    return np.concatenate([[0], ids])[rho.argmin(axis=0)]


def paint_light(shape, geometry, wobble, brightness, softness, waves, spots):
    """The brightest cell at every pixel, whole frames at a time."""
    light = np.zeros(shape)
    for i, g in enumerate(geometry):
        u, v = cell_frame(shape, g)
        rho = relative_radius(u, v, wobble[i])
        cover = np.clip((1 - rho) * 0.5 * (g[2] + g[3]) / softness[i] + 0.5, 0, 1)
        dome = 0.62 + 0.38 * np.sqrt(np.clip(1 - rho**2, 0, None))
        texture = np.ones(shape)
        for p, q, phase, size in waves[i]:
            texture += size * np.sin(p * u + q * v + phase)
        for su, sv, inverse, depth in spots[i]:
            texture += depth * np.exp(-((u - su) ** 2 + (v - sv) ** 2) * inverse)
        light = np.maximum(light, dome * cover * brightness[i] * np.maximum(texture, 0.05))
    return light


def blur(image, weights):
    """Direct double sum over a repeated border."""
    radius = len(weights) - 1
    padded = np.pad(image.astype(float), radius, mode="edge")
    out = np.zeros(image.shape)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            block = padded[radius + dy : radius + dy + image.shape[0], radius + dx : radius + dx + image.shape[1]]
            out += float(weights[abs(dy)]) * float(weights[abs(dx)]) * block
    return out


def shrink(image, step):
    rows = range(0, image.shape[0], step)
    return np.array([[image[r : r + step, c : c + step].mean() for c in range(0, image.shape[1], step)] for r in rows])


def enlarge(small, step, shape):
    """Bilinear between block centres, constant beyond the outer ones."""
    y = np.clip((np.arange(shape[0]) + 0.5) / step - 0.5, 0, small.shape[0] - 1)
    x = np.clip((np.arange(shape[1]) + 0.5) / step - 0.5, 0, small.shape[1] - 1)
    along = np.array([np.interp(x, np.arange(small.shape[1]), row) for row in small])
    return np.array([np.interp(y, np.arange(small.shape[0]), column) for column in along.T]).T


def expose(photons, deviates, read_noise, gain, offset):
    mean = np.maximum(photons.astype(float), 0)
    return np.clip(np.rint(offset + gain * (mean + np.sqrt(mean + read_noise**2) * deviates)), 0, 65535)


def label_moments(labels, n_labels):
    y, x = np.indices(labels.shape)
    rows = [(0, 0, 0)] + [((labels == k).sum(), y[labels == k].sum(), x[labels == k].sum()) for k in range(1, n_labels + 1)]
    return np.array(rows, float)


def push_apart(y, x, radius, weight, gap, n_rounds):
    """Pair by pair, with vectors."""
    at = np.column_stack([y, x]).astype(float)
    for _ in range(n_rounds):
        for i in range(len(at)):
            for j in range(i + 1, len(at)):
                way = at[j] - at[i]
                distance = np.linalg.norm(way)
                lack = radius[i] + radius[j] + gap - distance
                total = weight[i] + weight[j]
                if lack <= 0 or total <= 0:
                    continue
                direction = way / distance
                at[i] = at[i] - 0.5 * lack * direction * weight[i] / total
                at[j] = at[j] + 0.5 * lack * direction * weight[j] / total
    return at[:, 0], at[:, 1]


def paint_phase(shape, geometry, wobble, profile, waves):
    """Body, centre, rim, ring and outer ring of every cell, whole frames at a time."""
    field = np.zeros(shape)
    for g, w, p, grains in zip(geometry, wobble, profile, waves):
        body, centre, centre_width, rim, rim_at, ring, ring_at, outer, outer_at, wide = p
        u, v = cell_frame(shape, g)
        rho = relative_radius(u, v, w)
        d = (rho - 1) * 0.5 * (g[2] + g[3])
        grain = sum(size * np.sin(a * u + b * v + phase) for a, b, phase, size in grains)
        inside = np.clip(0.5 - d / max(wide, 1.0), 0, 1)
        value = inside * (body + grain) + (inside > 0) * centre * np.exp(-0.5 * (rho / centre_width) ** 2)
        for size, at, width in ((rim, rim_at, wide), (ring, ring_at, wide), (outer, outer_at, 1.6 * wide)):
            value = value + size * np.exp(-0.5 * ((d - at) / width) ** 2)
        field += np.where(d <= max(rim_at, ring_at, outer_at) + 4 * wide, value, 0)
    return field


def paint_fibres(shape, nodes, wide, strength):
    """A bright and a dark line along every piece of every fibre."""
    field = np.zeros(shape)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    for chain, w, power in zip(nodes, wide, strength):
        for a, b in pairwise(chain):
            length = np.hypot(*(b - a))
            along = ((y - a[0]) * (b[0] - a[0]) + (x - a[1]) * (b[1] - a[1])) / length
            side = ((y - a[0]) * (b[1] - a[1]) - (x - a[1]) * (b[0] - a[0])) / length
            line = np.exp(-0.5 * (side / w - 0.8) ** 2) - 0.8 * np.exp(-0.5 * (side / w + 0.8) ** 2)
            field += np.where((along >= 0) & (along < length) & (np.abs(side) <= 4 * w), power * line, 0)
    return field


def mix_light(own, others, cross, signal, background, auto, lit):
    return (signal * (own + cross * others) + background * auto) * lit
