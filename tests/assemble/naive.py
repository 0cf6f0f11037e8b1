"""The table of one sample, one trajectory and one time step at a time (unit cell, aggregate mean, after_division cut)."""

import numpy as np


def table(cells, parents, events, *, step, movie_last, keep_division, keep_death, column):
    """List of (track, time_step, death, division, mean of `column`) rows.

    cells : dict track -> dict frame -> dict of values; parents : dict track -> mother; events : dict event -> dict track -> frame
    """
    out = []
    for track in sorted(cells):
        own = dict(cells[track])
        seen = {frame: [values] for frame, values in own.items()}
        division, death = events["division"].get(track), events["death"].get(track)
        first, last = min(own) // step, max(own) // step
        if division is not None:
            family = [t for t in cells if parents.get(t) == track]
            while family:
                child = family.pop()
                for frame, values in cells[child].items():
                    seen.setdefault(frame, []).append(values)
                if child in events["division"]:
                    family += [t for t in cells if parents.get(t) == child]
            last = division // step + keep_division - 1
            first = min(first, division // step)
        if death is not None:
            ended = death // step + keep_death - 1
            last = ended if division is None else min(last, ended)
            first = min(first, death // step)
        observed = max(f // step for f in seen if division is None or f // step <= division // step + keep_division - 1)
        last = min(last, max(movie_last // step, observed))
        for k in range(first, last + 1):
            frames = [np.mean([v[column] for v in seen[f]]) for f in range(k * step, (k + 1) * step) if f in seen]
            row_death = int(death is not None and k >= death // step)
            row_division = int(division is not None and k >= division // step)
            out.append((track, k, row_death, row_division, np.mean(frames) if frames else np.nan))
    return out
