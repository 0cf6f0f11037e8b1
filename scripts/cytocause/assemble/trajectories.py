"""Which cells a trajectory consists of, from its first to its last time step.

    cut                    one                     mean_of_daughters
    m m m m d*d*d*|        m m m m a a a a         m m m m * * * *       m mother, a b daughters, * their mean
            a a a a ...            b b b b ...             (a, b)        | end, `keep` steps after the division
            b b b b ...

Rows are (trajectory, row of the cells table) pairs; where a frame has several, their mean is meant.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Trajectories:
    """Trajectories of one sample.

    root : (n,) int64, track_id of the first cell
    member, row : (m,) int64, trajectory number and row of the cells table, every pair once
    division, death : (n,) float64, frame of the event, NaN where it does not happen
    first, last : (n,) int64, first and last time step (frame // frames per step); last may lie behind the last row
    """

    root: np.ndarray
    member: np.ndarray
    row: np.ndarray
    division: np.ndarray
    death: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def lengths(self):
        """Number of time steps of each trajectory, (n,) int64."""
        return self.last - self.first + 1

    def select(self, keep):
        """The trajectories whose numbers are in `keep`, in that order."""
        keep = np.asarray(keep, np.int64)
        new = np.full(len(self.root), -1, np.int64)
        new[keep] = np.arange(len(keep))
        use = new[self.member] >= 0
        order = np.argsort(new[self.member[use]], kind="stable")
        return Trajectories(
            self.root[keep],
            new[self.member[use]][order],
            self.row[use][order],
            *(values[keep] for values in (self.division, self.death, self.first, self.last)),
        )


def follow(track, frame, position, parents, events, *, step, movie_last, settings, roots=None):
    """The trajectories of one sample.

    track, frame : (n,) integers, rows of the cells table in any order; position : (n, 2) y, x
    parents : dict track_id -> parent_id (0 none); events : dict "division" | "death" -> dict track_id -> frame
    step : frames per time step; movie_last : last frame of the movie
    settings : after_division, keep_after_division, keep_after_death
    roots : track ids to follow (focal), or None for every cell
    Returns Trajectories in the order of their roots.
    """
    rows = _rows_of(track, frame)
    daughters = {}
    for child in sorted(rows):
        mother = parents.get(child, 0)
        if mother in rows and mother in events["division"]:
            daughters.setdefault(mother, []).append(child)
    nearest = {m: _nearest(position, rows, m, children) for m, children in daughters.items()}
    how = settings["after_division"]
    if roots is None:
        taken = set()
        if how == "one":
            taken = set(nearest.values())
        elif how == "mean_of_daughters":
            taken = {child for children in daughters.values() for child in children}
        roots = [t for t in sorted(rows) if t not in taken]

    built = []
    for root in roots:
        if how == "cut":
            built.append(_cut(root, rows, frame, daughters, events, step, settings))
        elif how == "one":
            built.append(_one(root, rows, nearest, events))
        else:
            built.append(_mean(root, rows, frame, daughters, events))
    return _limited(roots, built, frame, step, movie_last, settings, how)


def _rows_of(track, frame):
    """Rows of each track in the order of their frames: dict track_id -> (k,) int64."""
    order = np.lexsort((frame, track))
    ids, begin = np.unique(np.asarray(track)[order], return_index=True)
    parts = np.split(order, begin[1:]) if len(ids) else []
    return {int(t): part for t, part in zip(ids, parts)}


def _nearest(position, rows, mother, children):
    """The daughter that appears nearest to the mother's last place (the smaller id of two equally near)."""
    place = position[rows[mother][-1]]
    away = [np.hypot(*(position[rows[child][0]] - place)) for child in children]
    return children[int(np.argmin(away))]


def _cut(root, rows, frame, daughters, events, step, settings):
    mine = rows[root]
    division = events["division"].get(root, np.nan)
    if np.isnan(division):
        return mine, division, events["death"].get(root, np.nan)
    stop = (int(division) // step + settings["keep_after_division"]) * step
    parts = [mine[frame[mine] < stop]]
    queue = list(daughters.get(root, []))
    while queue:
        child = queue.pop(0)
        part = rows[child][frame[rows[child]] < stop]
        if len(part):
            parts.append(part)
            queue += daughters.get(child, [])
    return np.concatenate(parts), division, events["death"].get(root, np.nan)


def _one(root, rows, nearest, events):
    chain = [root]
    while chain[-1] in nearest:
        chain.append(nearest[chain[-1]])
    division = next((events["division"][t] for t in chain if t in events["division"]), np.nan)
    return np.concatenate([rows[t] for t in chain]), division, events["death"].get(chain[-1], np.nan)


def _mean(root, rows, frame, daughters, events):
    """All descendants; the dead leave the mean while others live, and the trajectory dies with its last cell."""
    family, queue = [], [root]
    while queue:
        family.append(queue.pop(0))
        queue += daughters.get(family[-1], [])
    leaves = [t for t in family if t not in daughters]
    deaths = [events["death"].get(t, np.nan) for t in leaves]
    death = np.nan if np.isnan(deaths).any() else max(deaths)
    divisions = [events["division"][t] for t in family if t in events["division"]]
    living, dead = [], []
    for t in family:
        alive = frame[rows[t]] < events["death"].get(t, np.inf)
        living.append(rows[t][alive])
        dead.append(rows[t][~alive])
    living, dead = np.concatenate(living), np.concatenate(dead)
    dead = dead[~np.isin(frame[dead], frame[living])]
    return np.concatenate([living, dead]), min(divisions, default=np.nan), death


def _limited(roots, built, frame, step, movie_last, settings, how):
    """Last time steps by the events; rows behind them are dropped."""
    n = len(built)
    first, last = np.zeros(n, np.int64), np.zeros(n, np.int64)
    members, rows = [], []
    for k, (mine, division, death) in enumerate(built):
        steps = frame[mine] // step
        first[k], end = steps.min(), steps.max()
        if not np.isnan(division):
            first[k] = min(first[k], int(division) // step)
            if how == "cut":
                end = int(division) // step + settings["keep_after_division"] - 1
        if not np.isnan(death):
            onset = int(death) // step
            first[k] = min(first[k], onset)
            after_death = max(end, onset)
            if settings["keep_after_death"] is not None:
                after_death = onset + settings["keep_after_death"] - 1
            end = min(end, after_death) if how == "cut" and not np.isnan(division) else after_death
        last[k] = min(end, max(movie_last // step, steps.max()))
        inside = mine[steps <= last[k]]
        members.append(np.full(len(inside), k, np.int64))
        rows.append(inside.astype(np.int64))
    empty = np.zeros(0, np.int64)
    return Trajectories(
        np.asarray(roots, np.int64),
        np.concatenate([empty, *members]),
        np.concatenate([empty, *rows]),
        np.array([b[1] for b in built], float),
        np.array([b[2] for b in built], float),
        first,
        last,
    )
