"""Pairs of variables that are related by what they are, whatever the cells do: from the data dictionary's column `inputs`.

    area_um2      labels                             one mask            area, perimeter, mean intensity
    speed_um_min  tracks, position, frame before     one position        speed, displacement, directionality
    n_immune_r1   tracks, positions of immune        one neighbourhood   contacts, distance
    death         events, labels at onset, ...       called from it      death, area: only around the death's onset
    division      events, labels at onset, ...       two fates           a track that divided cannot die

An input with "before" says how far a feature looks back: the frame before, a window of the section `measure`, or the start of
the track.
"""

import math

from cytocause.io.dictionary import inputs_of

MASK, POSITION, NEIGHBOURS, ONSET = "labels", "position", "positions of ", " at onset"


def definitional_pairs(names, rows=None):
    """Pairs of columns that share a mask, a position or a formula.

    Parameters
    ----------
    names : columns; those that the dictionary does not know (conditions, exposures) are in no pair
    rows : rows of the dictionary (dicts with name and inputs); default the project's

    Returns
    -------
    {frozenset of two names: reason}, reason "one mask", "one position", "one neighbourhood", "two fates", or the name of the
    event that was called from the other column: the last only around the event's onset, see `is_definitional`
    """
    inputs = {name: set(inputs_of(name, rows)) for name in dict.fromkeys(names)}
    listed = list(inputs)
    pairs = {}
    for i, a in enumerate(listed):
        for b in listed[:i]:
            reason = _reason(a, b, inputs[a], inputs[b])
            if reason:
                pairs[frozenset((a, b))] = reason
    return pairs


def _reason(a, b, of_a, of_b):
    called = {name: {x.removesuffix(ONSET) for x in own if x.endswith(ONSET)} for name, own in ((a, of_a), (b, of_b))}
    if called[a] and called[b]:
        return "two fates"
    for event, other in ((a, of_b), (b, of_a)):
        if called[event] & other:
            return event
    shared = of_a & of_b
    if MASK in shared:
        return "one mask"
    if POSITION in shared:
        return "one position"
    return "one neighbourhood" if any(x.startswith(NEIGHBOURS) for x in shared) else ""


def is_definitional(pairs, source, target, lag_min, onset_min):
    """Whether an edge of the graph joins such a pair.

    pairs : as of `definitional_pairs`; source is the older end. An event and what it was called from are such a pair when the
    feature is not older than the event (it shows the event), or older by at most `onset_min` (min).
    """
    reason = pairs.get(frozenset((source, target)))
    if reason is None or reason not in (source, target):
        return reason is not None
    return reason == source or lag_min is None or lag_min <= onset_min + 1e-9


def look_back_min(name, frame_interval_min, windows=None, rows=None):
    """How far a column looks back (min): 0, the frame before, its window, or infinity for the start of the track.

    windows : {"speed_window_min": .., "directionality_window_min": .. or None for the start of the track}
    """
    longest = 0.0
    for given in inputs_of(name, rows):
        if given == "frame before":
            longest = max(longest, float(frame_interval_min or 0.0))
        elif given == "start of the track":
            longest = math.inf
        elif given.startswith("measure.") and given.endswith(" before"):
            key = given.removeprefix("measure.").removesuffix(" before")
            if key in (windows or {}):
                longest = max(longest, math.inf if windows[key] is None else float(windows[key]))
            else:
                longest = max(longest, float(frame_interval_min or 0.0))
    return longest
