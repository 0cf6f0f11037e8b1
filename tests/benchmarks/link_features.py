"""Linking and shape features beside their peers, in the same process and on the same input; medians of five runs.

    links     our Hungarian strategy   against   trackpy's own (its default, numba `hybrid`), the same linker around both
    features  our kernels              against   skimage.measure.regionprops_table

    python tests/benchmarks/link_features.py

Ratios are peer / ours: above 1 we are faster. CPU time of this process, one thread; compilation is not counted.
"""

import time
import warnings

import bench
import numpy as np

RUNS = 5
SEED = 101


def timed(*functions):
    """Median CPU seconds of each function over RUNS rounds in turn, after a first round that is not counted."""
    taken = [[] for _ in functions]
    for k in range(RUNS + 1):
        for times, function in zip(taken, functions):
            began = time.process_time()
            function()
            if k:
                times.append(time.process_time() - began)
    return [bench.median(times) for times in taken]


# --- linking -------------------------------------------------------------------------------------------------------------


def walkers(n, pages, step, side, rng):
    """Positions of n random walkers, list of (n, 2), each page in an order of its own; 3 % are missing in each page."""
    here = rng.uniform(0, side, (n, 2))
    out = []
    for _ in range(pages):
        seen = here[rng.random(n) > 0.03]
        out.append(seen[rng.permutation(len(seen))])
        here = here + rng.normal(0, step, here.shape)
    return out


def link(pages, search_range, strategy):
    """Track number of every point, page by page, by trackpy's linker with a link strategy; memory of two pages."""
    from trackpy.linking.linking import Linker

    linker = Linker(search_range, memory=2, link_strategy=strategy)
    out = []
    for number, points in enumerate(pages):
        linker.init_level(points, number) if number == 0 else linker.next_level(points, number)
        out.append(np.array(linker.particle_ids[: len(points)]))
    return out


def edges(pages, ids):
    """The links as a set of (page, point, page, point)."""
    last, out = {}, set()
    for number, found in enumerate(ids):
        for place, track in enumerate(found.tolist()):
            if track in last:
                out.add((*last[track], number, place))
            last[track] = (number, place)
    return out


def total_cost(pages, links):
    return sum(float(((pages[a][i] - pages[b][j]) ** 2).sum()) for a, i, b, j in links)


def linking():
    from trackpy.linking.utils import SubnetOversizeException

    from cytocause.track.hungarian import hungarian_strategy

    print("| walkers | step (px) | search range (px) | links equal | CPU s, ours | CPU s, trackpy | trackpy / ours |\n|---|---|---|---|---|---|---|")
    for n, side, step, reach in ((1000, 1024, 2.0, 8.0), (1000, 1024, 3.0, 12.0), (1000, 512, 2.0, 8.0), (1000, 512, 4.0, 16.0)):
        pages = walkers(n, 40, step, side, np.random.default_rng(SEED))
        try:
            theirs = edges(pages, link(pages, reach, None))
        except SubnetOversizeException as error:
            ours = timed(lambda pages=pages, reach=reach: link(pages, reach, hungarian_strategy()))[0]
            print(f"| {n} in {side}^2 | {step:g} | {reach:g} | trackpy stops: {type(error).__name__} | {ours:.2f} | - | - |")
            continue
        found = edges(pages, link(pages, reach, hungarian_strategy()))
        same = len(found & theirs) / max(len(found | theirs), 1)
        ours, peer = timed(
            lambda pages=pages, reach=reach: link(pages, reach, hungarian_strategy()),
            lambda pages=pages, reach=reach: link(pages, reach, None),
        )
        print(f"| {n} in {side}^2 | {step:g} | {reach:g} | {same:.5f} of {len(theirs)} | {ours:.2f} | {peer:.2f} | {peer / ours:.2f} |", flush=True)


# --- features ------------------------------------------------------------------------------------------------------------


def nuclei(side=2048, rows=32, rng=None):
    """A label image of rows^2 ellipses on a grid (1024 for 32) and an image with two channels."""
    labels = np.zeros((side, side), np.int32)
    pitch = side / rows
    for number in range(rows * rows):
        y, x = ((number // rows + 0.5) * pitch, (number % rows + 0.5) * pitch) + rng.uniform(-6, 6, 2)
        a, b, angle = rng.uniform(9, 14), rng.uniform(7, 10), rng.uniform(0, np.pi)
        top, left = int(y) - 16, int(x) - 16
        yy, xx = np.mgrid[top : top + 33, left : left + 33]
        u = (yy - y) * np.cos(angle) + (xx - x) * np.sin(angle)
        v = (xx - x) * np.cos(angle) - (yy - y) * np.sin(angle)
        labels[top : top + 33, left : left + 33][(u / a) ** 2 + (v / b) ** 2 < 1] = number + 1
    image = rng.poisson(100, (side, side, 2)).astype(np.uint16)
    image[labels > 0] += 200
    return labels, image


def features():
    from skimage.measure import regionprops_table

    from cytocause.measure.intensity import region_intensities
    from cytocause.measure.shape import region_shapes

    labels, image = nuclei(rng=np.random.default_rng(SEED))
    planes = [np.ascontiguousarray(image[..., c]) for c in range(2)]
    shape = ("label", "area", "centroid", "equivalent_diameter_area", "axis_major_length", "axis_minor_length", "eccentricity", "perimeter")
    light = ("intensity_mean", "intensity_std", "intensity_max")

    def ours():
        return region_shapes(labels), [region_intensities(labels, plane) for plane in planes]

    def shapes_only():
        return region_shapes(labels)

    def peer():
        return regionprops_table(labels, image, properties=(*shape, *light))

    def peer_shapes():
        return regionprops_table(labels, properties=shape)

    (mine, lights), theirs = ours(), peer()
    at = theirs["label"]
    print(f"\n{len(at)} regions in {labels.shape[0]} x {labels.shape[1]} pixels; largest relative difference:")
    pairs = [("area_um2", "area"), ("centroid_y", "centroid-0"), ("equivalent_diameter_um", "equivalent_diameter_area"), ("eccentricity", "eccentricity")]
    pairs += [("major_axis_um", "axis_major_length"), ("minor_axis_um", "axis_minor_length"), ("perimeter_um", "perimeter")]
    for own, name in pairs:
        print(f"  {name}: {np.max(np.abs(mine[own][at] / theirs[name] - 1)):.2g}")
    for c, values in enumerate(lights):
        for own, name in (("mean", "intensity_mean"), ("sd", "intensity_std"), ("max", "intensity_max")):
            print(f"  {name}-{c}: {np.max(np.abs(values[own][at] / theirs[f'{name}-{c}'] - 1)):.2g}")
    print("\n| features of one frame | CPU s, ours | CPU s, regionprops_table | regionprops_table / ours |\n|---|---|---|---|")
    for title, functions in (("shape", (shapes_only, peer_shapes)), ("shape and 2 channels", (ours, peer))):
        fast, slow = timed(*functions)
        print(f"| {title} | {fast:.4f} | {slow:.3f} | {slow / fast:.1f} |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(bench.load())
    linking()
    features()
