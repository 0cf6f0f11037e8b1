"""Kernels of the simulator: outlines to masks, outlines to light, light to counts, cells pushing each other.

    y,x of a pixel -> turned into the cell's frame, divided by its half axes -> (u, v)
    rho = |(u, v)| / (1 + wobble(angle));  rho < 1 is inside; the angle's cosines come by recurrence, without trigonometry

Arrays only; the slow twins are in tests/simulate/naive.py. Sums run in one fixed order on one thread, so the bytes do
not depend on the machine's load.

A cell is one row of `geometry` (float64): y, x, half axis a (along the cell), half axis b, cos, sin of its direction
(angle from the x axis towards y), all lengths in px; and one row of `wobble` (float64, n x 2 x K): cosine and sine coefficients of
angular modes 2 .. K + 1.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def relative_radius(u, v, wobble):
    """Distance from the centre over the outline's distance in that direction; u, v in half axes, wobble (2, K)."""
    radius = np.sqrt(u * u + v * v)
    if radius < 1e-9:
        return 0.0
    c1 = u / radius
    s1 = v / radius
    c, s = c1, s1
    outline = 1.0
    for k in range(wobble.shape[1]):
        c, s = c * c1 - s * s1, s * c1 + c * s1
        outline += wobble[0, k] * c + wobble[1, k] * s
    return radius / max(outline, 0.1)


@njit(cache=True)
def box(y, x, reach, height, width):
    """Rows and columns (first, past the last) of the square of half side `reach` px, cut to the frame."""
    y0 = max(0, int(np.floor(y - reach)))
    y1 = min(height, int(np.ceil(y + reach)) + 1)
    x0 = max(0, int(np.floor(x - reach)))
    x1 = min(width, int(np.ceil(x + reach)) + 1)
    return y0, y1, x0, x1


@njit(cache=True)
def farthest(wobble):
    """No outline with this wobble (2, K) lies farther than this from the centre, in half axes."""
    far = 1.0
    for k in range(wobble.shape[1]):
        far += np.sqrt(wobble[0, k] ** 2 + wobble[1, k] ** 2)
    return far


@njit(cache=True)
def paint_labels(labels, depth, ids, geometry, wobble):
    """Write cells into a label image, a shared pixel to the cell it lies deeper in.

    Parameters
    ----------
    labels : (Y, X) int32, changed in place
    depth : (Y, X) float32, changed in place; 1 where nothing is painted
    ids : (n,) int64, label of each cell
    geometry : (n, 6) float64
    wobble : (n, 2, K) float64
    """
    height, width = labels.shape
    for i in range(ids.shape[0]):
        y, x, a, b, cos, sin = geometry[i]
        far = farthest(wobble[i])
        y0, y1, x0, x1 = box(y, x, far * max(a, b) + 1.0, height, width)
        for r in range(y0, y1):
            for c in range(x0, x1):
                dy = r - y
                dx = c - x
                u = (dx * cos + dy * sin) / a
                v = (dy * cos - dx * sin) / b
                if u * u + v * v > far * far:
                    continue
                rho = relative_radius(u, v, wobble[i])
                if rho < depth[r, c]:
                    depth[r, c] = rho
                    labels[r, c] = ids[i]


@njit(cache=True)
def paint_light(light, geometry, wobble, brightness, softness, waves, spots):
    """Add the light of cells to an image: a dome with texture that sits in the cell's own frame.

    Along a row the phase of a wave grows by the same step from pixel to pixel, so its sine is turned on, not computed anew.

    Parameters
    ----------
    light : (Y, X) float32, changed in place; overlapping cells show the brighter one
    geometry, wobble : see the module
    brightness : (n,) float64, mean light of the cell's middle
    softness : (n,) float64, width of the edge in px, at least 1
    waves : (n, M, 4) float64, texture: wave number along u, along v, phase, amplitude
    spots : (n, S, 4) float64, round spots: u, v, 1/width^2 (per half axis squared), depth (negative darkens)
    """
    height, width = light.shape
    rho = np.empty(width)
    texture = np.empty(width)
    for i in range(geometry.shape[0]):
        y, x, a, b, cos, sin = geometry[i]
        size = 0.5 * (a + b)
        edge = 0.5 * softness[i] / size  # beyond 1 + edge there is no light
        far = farthest(wobble[i]) * (1.0 + edge)
        y0, y1, x0, x1 = box(y, x, far * max(a, b) + 1.0, height, width)
        for r in range(y0, y1):
            dy = r - y
            first, last = width, -1
            for c in range(x0, x1):
                dx = c - x
                u = (dx * cos + dy * sin) / a
                v = (dy * cos - dx * sin) / b
                rho[c] = 1e9
                if u * u + v * v > far * far:
                    continue
                rho[c] = relative_radius(u, v, wobble[i])
                if (1.0 - rho[c]) * size / softness[i] + 0.5 > 0.0:
                    first = min(first, c)
                    last = c
            if last < first:
                continue
            for c in range(first, last + 1):
                texture[c] = 1.0
            dx = first - x
            u = (dx * cos + dy * sin) / a
            v = (dy * cos - dx * sin) / b
            for m in range(waves.shape[1]):
                if waves[i, m, 3] == 0.0:
                    continue
                phase = waves[i, m, 0] * u + waves[i, m, 1] * v + waves[i, m, 2]
                step = waves[i, m, 0] * cos / a - waves[i, m, 1] * sin / b
                s, k = np.sin(phase), np.cos(phase)
                s1, k1 = np.sin(step), np.cos(step)
                for c in range(first, last + 1):
                    texture[c] += waves[i, m, 3] * s
                    s, k = s * k1 + k * s1, k * k1 - s * s1
            for m in range(spots.shape[1]):
                if spots[i, m, 3] == 0.0:
                    continue
                for c in range(first, last + 1):
                    su = ((c - x) * cos + dy * sin) / a - spots[i, m, 0]
                    sv = (dy * cos - (c - x) * sin) / b - spots[i, m, 1]
                    texture[c] += spots[i, m, 3] * np.exp(-(su * su + sv * sv) * spots[i, m, 2])
            for c in range(first, last + 1):
                cover = (1.0 - rho[c]) * size / softness[i] + 0.5
                if cover <= 0.0:
                    continue
                value = 0.62 + 0.38 * np.sqrt(max(0.0, 1.0 - rho[c] * rho[c]))
                value *= min(cover, 1.0) * brightness[i] * max(texture[c], 0.05)
                light[r, c] = max(light[r, c], value)


@njit(cache=True)
def blur(image, weights):
    """Separable convolution of a (Y, X) float32 image with a symmetric kernel; the border repeats its last pixel.

    weights : (R + 1,) float32, centre first. Returns a new array.
    """
    height, width = image.shape
    radius = weights.shape[0] - 1
    rows = np.empty_like(image)
    line = np.empty(width + 2 * radius, np.float32)
    for r in range(height):
        line[:radius] = image[r, 0]
        line[radius : radius + width] = image[r]
        line[radius + width :] = image[r, width - 1]
        _weigh(rows[r], line[radius : radius + width], weights[0])
        for k in range(1, radius + 1):
            _add_pair(rows[r], line[radius - k : radius - k + width], line[radius + k : radius + k + width], weights[k])
    out = np.empty_like(image)
    for r in range(height):
        _weigh(out[r], rows[r], weights[0])
        for k in range(1, radius + 1):
            _add_pair(out[r], rows[max(r - k, 0)], rows[min(r + k, height - 1)], weights[k])
    return out


@njit(cache=True)
def _weigh(out, row, weight):
    for c in range(out.shape[0]):
        out[c] = weight * row[c]


@njit(cache=True)
def _add_pair(out, one, other, weight):
    for c in range(out.shape[0]):
        out[c] += weight * (one[c] + other[c])


@njit(cache=True)
def shrink(image, step):
    """Means of step x step blocks (the last ones may be smaller): (Y, X) float32 -> (ceil(Y/step), ceil(X/step))."""
    height, width = image.shape
    out = np.zeros(((height + step - 1) // step, (width + step - 1) // step), np.float32)
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            total = np.float32(0.0)
            count = 0
            for y in range(r * step, min(r * step + step, height)):
                for x in range(c * step, min(c * step + step, width)):
                    total += image[y, x]
                    count += 1
            out[r, c] = total / np.float32(count)
    return out


@njit(cache=True)
def add_enlarged(image, small, step, weight):
    """image += weight * small enlarged `step` times, bilinear between block centres; image changed in place."""
    height, width = image.shape
    n, m = small.shape
    wide = np.empty((n, width))  # enlarged along the rows only
    for c in range(width):
        fx = min(max((c + 0.5) / step - 0.5, 0.0), m - 1.0)
        j = min(int(fx), max(m - 2, 0))
        k1 = min(j + 1, m - 1)
        wx = fx - j
        for i in range(n):
            wide[i, c] = (1.0 - wx) * small[i, j] + wx * small[i, k1]
    for r in range(height):
        fy = min(max((r + 0.5) / step - 0.5, 0.0), n - 1.0)
        i = min(int(fy), max(n - 2, 0))
        j1 = min(i + 1, n - 1)
        wy = fy - i
        for c in range(width):
            image[r, c] += np.float32(weight * ((1.0 - wy) * wide[i, c] + wy * wide[j1, c]))


@njit(cache=True)
def mix_light(own, others, cross, signal, background, auto, lit):
    """Photons of a channel: (signal * (own + cross * others) + background * auto) * lit.

    own, others, auto, lit : (Y, X) float32; cross, signal, background : float32. Returns (Y, X) float32.
    """
    height, width = own.shape
    out = np.empty((height, width), np.float32)
    for r in range(height):
        for c in range(width):
            out[r, c] = (signal * (own[r, c] + cross * others[r, c]) + background * auto[r, c]) * lit[r, c]
    return out


@njit(cache=True)
def expose(photons, deviates, read_noise, gain, offset):
    """Counts of a camera: shot noise as a normal deviate of the photons' spread, read noise, gain, offset, 16 bits.

    photons, deviates : (Y, X) float32. Returns (Y, X) uint16.
    """
    height, width = photons.shape
    out = np.empty((height, width), np.uint16)
    for r in range(height):
        for c in range(width):
            mean = max(photons[r, c], np.float32(0.0))
            value = offset + gain * (mean + np.sqrt(mean + read_noise * read_noise) * deviates[r, c])
            out[r, c] = np.uint16(min(max(np.rint(value), 0.0), 65535.0))
    return out


@njit(cache=True)
def label_moments(labels, n_labels):
    """Pixels, sum of rows and sum of columns of labels 0 .. n_labels: (n_labels + 1, 3) float64."""
    out = np.zeros((n_labels + 1, 3))
    for r in range(labels.shape[0]):
        for c in range(labels.shape[1]):
            k = labels[r, c]
            if k > 0:
                out[k, 0] += 1.0
                out[k, 1] += r
                out[k, 2] += c
    return out


@njit(cache=True)
def push_apart(y, x, radius, weight, gap, n_rounds):
    """Soft repulsion: overlapping discs move apart along their line of centres, `weight` shares the way between them.

    y, x : (n,) float64 um, changed in place; radius (n,) um; weight (n,) mobility, 0 holds a cell still; gap um kept free.
    """
    n = y.shape[0]
    for _ in range(n_rounds):
        for i in range(n):
            for j in range(i + 1, n):
                total = weight[i] + weight[j]
                if total <= 0.0:
                    continue
                dy = y[j] - y[i]
                dx = x[j] - x[i]
                reach = radius[i] + radius[j] + gap
                square = dy * dy + dx * dx
                if square >= reach * reach:
                    continue
                distance = np.sqrt(square)
                if distance < 1e-6:
                    dy, dx, distance = 0.0, 1e-6, 1e-6
                move = 0.5 * (reach - distance) / distance
                y[i] -= move * dy * weight[i] / total
                x[i] -= move * dx * weight[i] / total
                y[j] += move * dy * weight[j] / total
                x[j] += move * dx * weight[j] / total


@njit(cache=True)
def paint_phase(field, geometry, wobble, profile, waves):
    """Add cells as a brightfield microscope shows them: a body, a rim and rings along the outline, relative to the medium.

    d = (rho - 1) * mean half axis is the distance from the outline in px, outside positive:

        body inside, granular | rim: Gaussian at d = rim_at | ring: at ring_at | outer: at outer_at | centre: Gaussian of rho

    Parameters
    ----------
    field : (Y, X) float32, changed in place; 0 is the medium
    geometry, wobble : see the module
    profile : (n, 10) float64: body, centre, centre_width (half axes), rim, rim_at, ring, ring_at, outer, outer_at, width (px)
    waves : (n, M, 4) float64, grains of the body: wave number along u, along v, phase, amplitude
    """
    height, width = field.shape
    for i in range(geometry.shape[0]):
        y, x, a, b, cos, sin = geometry[i]
        body, centre, centre_width, rim, rim_at, ring, ring_at, outer, outer_at, wide = profile[i]
        size = 0.5 * (a + b)
        far = max(max(rim_at, ring_at), outer_at) + 4.0 * wide
        y0, y1, x0, x1 = box(y, x, farthest(wobble[i]) * max(a, b) * (1.0 + max(far, 0.0) / size) + 1.0, height, width)
        for r in range(y0, y1):
            for c in range(x0, x1):
                dy = r - y
                dx = c - x
                u = (dx * cos + dy * sin) / a
                v = (dy * cos - dx * sin) / b
                rho = relative_radius(u, v, wobble[i])
                d = (rho - 1.0) * size
                if d > far:
                    continue
                value = 0.0
                inside = min(max(0.5 - d / max(wide, 1.0), 0.0), 1.0)
                if inside > 0.0:
                    grain = 0.0
                    for m in range(waves.shape[1]):
                        grain += waves[i, m, 3] * np.sin(waves[i, m, 0] * u + waves[i, m, 1] * v + waves[i, m, 2])
                    value += inside * (body + grain)
                    value += centre * np.exp(-0.5 * (rho / centre_width) ** 2)
                value += rim * np.exp(-0.5 * ((d - rim_at) / wide) ** 2)
                value += ring * np.exp(-0.5 * ((d - ring_at) / wide) ** 2)
                value += outer * np.exp(-0.5 * ((d - outer_at) / (1.6 * wide)) ** 2)
                field[r, c] += value


@njit(cache=True)
def paint_fibres(field, nodes, wide, strength):
    """Add thin fibres: along each chain of straight pieces a bright line with a dark one beside it, as refraction makes them.

    field : (Y, X) float32, changed in place
    nodes : (F, K, 2) float64, y and x of K points of each fibre in px
    wide : (F,) float64 px, width of either line; strength : (F,) float64
    """
    height, width = field.shape
    for f in range(nodes.shape[0]):
        w = wide[f]
        for k in range(nodes.shape[1] - 1):
            ay, ax = nodes[f, k, 0], nodes[f, k, 1]
            by, bx = nodes[f, k + 1, 0], nodes[f, k + 1, 1]
            length = np.sqrt((by - ay) ** 2 + (bx - ax) ** 2)
            if length < 1e-9:
                continue
            ty = (by - ay) / length
            tx = (bx - ax) / length
            reach = 4.0 * w
            y0 = max(0, int(np.floor(min(ay, by) - reach)))
            y1 = min(height, int(np.ceil(max(ay, by) + reach)) + 1)
            x0 = max(0, int(np.floor(min(ax, bx) - reach)))
            x1 = min(width, int(np.ceil(max(ax, bx) + reach)) + 1)
            for r in range(y0, y1):
                for c in range(x0, x1):
                    along = (r - ay) * ty + (c - ax) * tx
                    if along < 0.0 or along >= length:
                        continue
                    side = (r - ay) * tx - (c - ax) * ty
                    if abs(side) > reach:
                        continue
                    bright = np.exp(-0.5 * ((side - 0.8 * w) / w) ** 2)
                    dark = np.exp(-0.5 * ((side + 0.8 * w) / w) ** 2)
                    field[r, c] += strength[f] * (bright - 0.8 * dark)
