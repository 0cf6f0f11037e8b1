"""The optimum of one subnet by the Hungarian method, as a `link_strategy` for trackpy 0.7.

    sources  o o o        each source may go to one of its candidates, or be lost at the price search_range^2;
              \\|/ \\       the sum of prices is least
    targets   o   o

trackpy's own strategies search all combinations and raise SubnetOversizeException beyond 30 points or 10 candidates; this one
finds the same optimum for any size. Source: Crocker & Grier 1996 (the cost), Kuhn 1955 (the method), scipy.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment


def hungarian_strategy(log_area=None, area_weight=0.0):
    """A callable for trackpy's `link_strategy`.

    log_area     (N,) float64, ln area of the points in the order in which the linker gets them (trackpy counts them in `uuid`)
    area_weight  a pair costs distance^2 + (area_weight * search_range * difference of log_area)^2
    """
    priced = log_area is not None and area_weight > 0

    def link_subnet(source_set, dest_set, search_range, max_size=None):
        # sets of objects have no fixed order: sort, or ties would fall differently from run to run
        sources = sorted(source_set, key=lambda p: p.uuid)
        dests = sorted(dest_set, key=lambda p: p.uuid)
        null = search_range**2
        if len(sources) == len(dests) == 1 and sources[0].forward_cands:  # nine of ten subnets
            (source,), (dest,) = sources, dests
            price = source.forward_cands[0][1] ** 2
            if priced:
                price += (area_weight * search_range * (log_area[dest.uuid] - log_area[source.uuid])) ** 2
            return ([source], [dest]) if price < null else ([source, None], [None, dest])
        # every price is counted relative to being lost; what is not cheaper than that is no link
        gain = np.zeros((len(sources), len(dests)))
        column = {p.uuid: j for j, p in enumerate(dests)}
        for i, source in enumerate(sources):
            for dest, distance in source.forward_cands:
                price = distance**2
                if priced:
                    price += (area_weight * search_range * (log_area[dest.uuid] - log_area[source.uuid])) ** 2
                gain[i, column[dest.uuid]] = min(price - null, 0.0)
        rows, columns = linear_sum_assignment(gain)
        from_list, to_list = [], []
        for i, j in zip(rows, columns):
            if gain[i, j] < 0:
                from_list.append(sources[i])
                to_list.append(dests[j])
        linked_from = {p.uuid for p in from_list}
        linked_to = {p.uuid for p in to_list}
        lost = [p for p in sources if p.uuid not in linked_from]
        born = [p for p in dests if p.uuid not in linked_to]
        return from_list + lost + [None] * len(born), to_list + [None] * len(lost) + born

    return link_subnet
