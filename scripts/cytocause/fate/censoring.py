"""Why a track ends that neither divides nor dies: the movie ends, the cell leaves, or it is lost.

    movie_end   seen in the movie's last frame
    border      last seen at the frame's edge or within a margin of it
    lost        anything else
"""

import numpy as np


def censor_reason(last_frame, y, x, touches, *, movie_last_frame, height, width, margin):
    """Reasons per track.

    last_frame (n,) int; y, x (n,) last position; touches (n,) bool, the last mask touches the edge
    height, width, margin  in the unit of y and x; the first and the last pixel centre are the edges
    Returns (n,) object
    """
    near = touches | (np.minimum.reduce([y, x, height - y, width - x]) <= margin)
    return np.where(last_frame >= movie_last_frame, "movie_end", np.where(near, "border", "lost")).astype(object)


def border_margin(wanted, areas, height, width):
    """The margin in the unit of the positions: the wanted one, or ("auto") one median diameter, or 2 % of the shorter side."""
    if wanted != "auto":
        return float(wanted)
    areas = areas[np.isfinite(areas)]
    if len(areas):
        return float(2 * np.sqrt(np.median(areas) / np.pi))
    return 0.02 * min(height, width)
