"""Objects to fragments: trackpy, page by page, with a Hungarian link strategy.

    page 0  1  2  3  4
         o--o--o  .  o--      one fragment: the gap of one page is closed by `memory`
         o--o                 a fragment ends; divisions are found later, in divisions.py

trackpy is driven through its Linker, because only so a dropped frame can widen the search (time went on, the cell walked on).
"""

import numpy as np

from cytocause.track.gates import persistence
from cytocause.track.hungarian import hungarian_strategy

PREDICT_FROM = 0.25  # below this persistence a prediction adds more noise than it removes


def link_fragments(objects, elapsed, drift, *, search_range, memory, prediction="auto", area_weight=0.0):
    """Fragment number of every object.

    objects       Objects, sorted by page
    elapsed       (n_pages,) time since the page before, in frame intervals (element 0 is not used)
    drift         (n_pages, 2) movement of the field since the first page, dy, dx in px; taken off before linking
    search_range  px per frame interval
    memory        pages that an object may be missing
    prediction    share of the last step expected again, or "auto"
    area_weight   see hungarian_strategy
    Returns       (N,) int64 fragment numbers from 0 in the order of their first objects, and the share that was used
    """
    drift = np.asarray(drift, dtype=np.float64)
    y = objects.y - drift[objects.page, 0]
    x = objects.x - drift[objects.page, 1]
    log_area = np.log(objects.area)
    n_pages = len(elapsed)
    share = 0.0 if prediction == "auto" else float(prediction)
    link = _Pass(objects.page, y, x, log_area, np.asarray(elapsed, dtype=np.float64), n_pages, memory, area_weight)
    fragment = link(search_range, share)
    if prediction == "auto" and len(fragment):
        order = np.lexsort((objects.page, fragment))
        pages = objects.page[order]
        since = np.cumsum(np.r_[0.0, link.elapsed[1:]])[pages]
        step = np.r_[0.0, np.diff(since)]
        measured = persistence(fragment[order], y[order], x[order], step)
        if measured >= PREDICT_FROM:
            share = round(measured, 3)
            fragment = link(search_range, share)
    return fragment, share


class _Pass:
    """One run over all pages, for one search range and one prediction."""

    def __init__(self, page, y, x, log_area, elapsed, n_pages, memory, area_weight):
        self.bounds = np.searchsorted(page, np.arange(n_pages + 1))
        self.position = np.column_stack([y, x])
        self.log_area, self.elapsed = log_area, elapsed
        self.n_pages, self.memory, self.area_weight = n_pages, memory, area_weight

    def __call__(self, search_range, share):
        from trackpy.linking.linking import Linker

        n = len(self.position)
        if n == 0:
            return np.zeros(0, dtype=np.int64)
        fragment = np.empty(n, dtype=np.int64)
        last = np.full((n, 2), np.nan)  # by fragment; there are no more fragments than objects
        step = np.zeros((n, 2))
        last_page = np.zeros(n, dtype=np.int64)

        def predict(page, points):
            where = np.array([p.pos for p in points]).reshape(-1, 2)
            return where + share * step[[p.track.id for p in points]]

        linker = Linker(
            search_range,
            memory=self.memory,
            predictor=predict if share > 0 else None,
            link_strategy=hungarian_strategy(self.log_area, self.area_weight),
        )
        # a walk without direction spreads with the square root of time, a straight one with time
        power = 0.5 + 0.5 * share
        for page in range(self.n_pages):
            rows = slice(self.bounds[page], self.bounds[page + 1])
            if page == 0:
                linker.init_level(self.position[rows], page)
            else:
                linker.search_range = search_range * max(1.0, self.elapsed[page]) ** power
                linker.next_level(self.position[rows], page)
            found = np.array(linker.particle_ids[: rows.stop - rows.start], dtype=np.int64)
            fragment[rows] = found
            if share > 0 and len(found):
                here = self.position[rows]
                pages = np.maximum(page - last_page[found], 1)[:, None]
                step[found] = np.where(np.isnan(last[found]), 0.0, (here - last[found]) / pages)
                last[found], last_page[found] = here, page
        return fragment
