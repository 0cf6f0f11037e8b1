"""Shape of every region of one label image, in pixels.

    counts and moments -> area, equivalent diameter, axes of the ellipse with the same second moments,
    eccentricity, perimeter, circularity = 4 pi area / perimeter^2 (1 for a disc, above 1 possible on few pixels)
"""

import numpy as np

from .kernels import region_sums

SHAPE_COLUMNS = (
    "area_um2",
    "equivalent_diameter_um",
    "major_axis_um",
    "minor_axis_um",
    "eccentricity",
    "perimeter_um",
    "circularity",
)
# how each scales with the pixel size
POWER = {"area_um2": 2, "equivalent_diameter_um": 1, "major_axis_um": 1, "minor_axis_um": 1, "perimeter_um": 1}


def region_shapes(labels):
    """Shape of the regions of one frame.

    labels : (height, width) int32, 0 background
    returns dict of arrays indexed by label, length max(labels) + 1, NaN where a label is absent: SHAPE_COLUMNS
            (values in px in spite of the names: the caller scales), `centroid_y`, `centroid_x` (px), `border` (bool)
    """
    n_labels = int(labels.max()) if labels.size else 0
    counts, perimeter, border = region_sums(np.ascontiguousarray(labels, dtype=np.int32), n_labels)
    area = np.where(counts[:, 0] > 0, counts[:, 0], np.nan).astype(float)
    mean_y, mean_x = counts[:, 3] / area, counts[:, 4] / area
    yy = counts[:, 5] / area - mean_y**2
    xx = counts[:, 6] / area - mean_x**2
    yx = counts[:, 7] / area - mean_y * mean_x
    half_sum, half_gap = (yy + xx) / 2, np.sqrt(((yy - xx) / 2) ** 2 + yx**2)
    large = np.maximum(half_sum + half_gap, 0)
    small = np.maximum(half_sum - half_gap, 0)
    small = np.where(small < 1e-12 * large, 0.0, small)
    with np.errstate(divide="ignore", invalid="ignore"):
        eccentricity = np.where(large > 0, np.sqrt(1 - small / large), 0.0)
        circularity = np.where(perimeter > 0, 4 * np.pi * area / perimeter**2, np.nan)
    absent = np.isnan(area)
    eccentricity[absent] = np.nan
    return {
        "area_um2": area,
        "equivalent_diameter_um": np.sqrt(4 * area / np.pi),
        "major_axis_um": 4 * np.sqrt(large),
        "minor_axis_um": 4 * np.sqrt(small),
        "eccentricity": eccentricity,
        "perimeter_um": np.where(absent, np.nan, perimeter),
        "circularity": circularity,
        "centroid_y": counts[:, 1] + mean_y,
        "centroid_x": counts[:, 2] + mean_x,
        "border": border,
    }
