"""Which trajectories stay when the table may not have more rows: whole ones, fairly over the chips.

A trajectory's place in the queue comes from a hash of its name, so it is the same on every machine and knows nothing
of what happens to the cell. Short lives are often those that end in an event: taking the longest would lose them.
"""

import hashlib


def choose(names, lengths, chips, max_rows, how="fair"):
    """Numbers of the trajectories that stay, ascending.

    names, lengths, chips : lists, one entry per trajectory; how : "fair" | "longest"
    The chip with the fewest rows so far gives its next trajectory, until the next one would not fit.
    """
    if max_rows is None or sum(lengths) <= max_rows:
        return list(range(len(names)))
    queues = {}
    for k in sorted(range(len(names)), key=lambda k: _place(names[k], lengths[k], how), reverse=True):
        queues.setdefault(chips[k], []).append(k)  # the last of a queue comes first
    rows = dict.fromkeys(sorted(queues), 0)
    kept, total = [], 0
    while queues:
        chip = min(queues, key=lambda chip: (rows[chip], chip))
        k = queues[chip].pop()
        if total + lengths[k] > max_rows:
            break
        kept.append(k)
        rows[chip] += lengths[k]
        total += lengths[k]
        if not queues[chip]:
            del queues[chip]
    return sorted(kept)


def _place(name, length, how):
    drawn = hashlib.sha256(name.encode()).hexdigest()
    return (-length, drawn) if how == "longest" else (0, drawn)
