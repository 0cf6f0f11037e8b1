"""From rows per frame to rows per time step, without holes and without filling in."""

import numpy as np


def mean_by(group, values, n_groups):
    """Mean of the present values of each group.

    group : (m,) int64 in 0 .. n_groups - 1; values : (m,) float64; returns (n_groups,) float64, NaN where none is present
    """
    present = ~np.isnan(values)
    count = np.bincount(group[present], minlength=n_groups)
    total = np.bincount(group[present], weights=values[present], minlength=n_groups)
    return np.divide(total, count, out=np.full(n_groups, np.nan), where=count > 0)


def last_by(group, order, values, n_groups):
    """Value of each group's last row by `order`, NaN where that group is empty; all (m,) arrays."""
    out = np.full(n_groups, np.nan)
    by = np.lexsort((order, group))
    out[group[by]] = values[by]  # later assignments win
    return out


class Grid:
    """The rows of the table that a set of trajectories fills: one per trajectory and time step, sorted.

    member, frame : (m,) trajectory number and frame of every observed (trajectory, cell row) pair
    first, last : (n,) first and last time step of each trajectory; step : frames per time step
    """

    def __init__(self, member, frame, first, last, step):
        self.step = step
        self.length = last - first + 1
        self.start = np.concatenate([[0], np.cumsum(self.length)])
        self.n_rows = int(self.start[-1])
        self.trajectory = np.repeat(np.arange(len(first)), self.length)
        self.time_step = np.arange(self.n_rows) - self.start[self.trajectory] + first[self.trajectory]
        # every (trajectory, frame) that was observed is a slot: cells of one frame are averaged before frames are
        key = member * (int(frame.max(initial=0)) + 1) + frame
        slots, where = np.unique(key, return_inverse=True)
        self.slot = where
        self.slot_member = slots // (int(frame.max(initial=0)) + 1)
        self.slot_frame = slots % (int(frame.max(initial=0)) + 1)
        self.slot_row = self.start[self.slot_member] + self.slot_frame // step - first[self.slot_member]

    def per_frame(self, values):
        """Mean over the cells of one trajectory in one frame: (m,) -> (slots,)."""
        return mean_by(self.slot, values, len(self.slot_frame))

    def per_step(self, values, aggregate):
        """One value per table row from one per slot; aggregate "mean" (of the present) or "last" (frame observed)."""
        if aggregate == "mean":
            return mean_by(self.slot_row, values, self.n_rows)
        return last_by(self.slot_row, self.slot_frame, values, self.n_rows)

    def state(self, onset):
        """0 before an event's time step, 1 from it on: (n,) frames (NaN: never) -> (rows,) int64."""
        steps = np.floor(onset / self.step)[self.trajectory]
        return (self.time_step >= steps).astype(np.int64)  # comparisons with NaN are False


def way_since_start(member, y, x):
    """Displacement and path from each trajectory's first slot; slots sorted by trajectory, then frame.

    member : (s,) int64; y, x : (s,) float64; returns two (s,) float64
    """
    new = np.concatenate([[True], member[1:] != member[:-1]]) if len(member) else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(new, np.arange(len(member)), 0)) if len(member) else np.zeros(0, int)
    steps = np.hypot(np.diff(y, prepend=y[:1]), np.diff(x, prepend=x[:1]))
    steps[new] = 0.0
    way = np.cumsum(steps)
    return np.hypot(y - y[first], x - x[first]), way - way[first]
