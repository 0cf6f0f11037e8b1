"""The design behind the table: how many independent units stand behind each condition, and what they can decide.

    date > donor > chip > position > region > cell       a unit's name includes those above it

The chip is what a condition is applied to: comparing cells counts the same chip many times.
"""

from itertools import combinations, product
from math import factorial, prod

LEVELS = ("date", "donor", "chip", "position", "region")


def units_of(sample, levels):
    """Names of the units a sample belongs to, {level: tuple or None}; `sample` included, `chip` is the sample's where not given.

    sample : name; levels : dict of the sheet's levels
    """
    given = {level: str(levels[level]) for level in LEVELS if levels.get(level) not in (None, "")}
    out, above = {}, ()
    for level in LEVELS:
        if level == "donor":  # donors are crossed with dates, not nested in them
            out[level] = (given["donor"],) if "donor" in given else None
            above += (given.get("donor", ""),)
            continue
        out[level] = (*above, given[level]) if level in given else None
        above += (given.get(level, ""),)
    out["sample"] = (sample,)
    return out


def design(samples, conditions, alpha=0.05):
    """Counts of units per condition, the factorial design, confounding, and what a permutation of chips could show.

    samples : list of dicts with sample, conditions {name: value}, levels {}, trajectories, rows, death, division (counts)
    conditions : config entries (name, kind, reference, levels)
    Returns the part of design.json that README.md describes from `chip_level` to `samples`.
    """
    for sample in samples:
        sample["units"] = units_of(sample["sample"], sample["levels"])
    has_chip = bool(samples) and all(sample["units"]["chip"] is not None for sample in samples)
    chip_level = "chip" if has_chip else "sample"
    discrete = [condition["name"] for condition in conditions if condition["kind"] != "continuous"]
    cells = _cells(samples, discrete, conditions, chip_level)
    entries = [_condition(samples, condition, discrete, chip_level, alpha) for condition in conditions]
    out = {
        "chip_level": chip_level,
        "levels": {level: _count(samples, level) for level in (*LEVELS, "sample")},
        "conditions": entries,
        "cells": cells,
        "empty_cells": [cell["conditions"] for cell in cells if cell["chips"] == 0],
        "confounded": _confounded(samples, entries, alpha),
        "undecidable": [
            {
                "condition": entry["name"],
                "smallest_p": entry["smallest_p"],
                "detail": (
                    f"{entry['name']} was given to {_numbers(entry)} {entry['permuted_unit']}s; they can be assigned in "
                    f"{entry['arrangements']} ways, so no permutation test can give p below {entry['smallest_p']:.3g}."
                ),
            }
            for entry in entries
            if entry["undecidable"]
        ],
        "samples": [
            {key: sample[key] for key in ("sample", "conditions", "levels", "trajectories", "rows", "death", "division")}
            for sample in samples
        ],
    }
    for sample in samples:
        del sample["units"]
    return out


def arrangements(groups):
    """Number of ways to give the units of each stratum their values: product of multinomials.

    groups : iterable of lists of counts (one list per stratum: units per value)
    """
    return prod(factorial(sum(counts)) // prod(map(factorial, counts)) for counts in groups)


def smallest_p(groups):
    """Smallest p that an exact two-sided permutation test within strata can give: the observed order and its mirror image."""
    return min(1.0, 2.0 / arrangements(groups))


def _count(samples, level):
    if any(sample["units"][level] is None for sample in samples) or not samples:
        return None
    return len({sample["units"][level] for sample in samples})


def _sum(samples, what):
    return sum(sample[what] for sample in samples)


def _values(samples, name, condition=None):
    listed = list((condition or {}).get("levels") or [])
    found = {sample["conditions"][name] for sample in samples} - set(listed)
    reference = (condition or {}).get("reference")
    return listed + sorted(found, key=lambda value: (value != reference, isinstance(value, str), value))


def _condition(samples, condition, discrete, chip_level, alpha):
    name = condition["name"]
    values = _values(samples, name, condition)
    inside = {}
    for sample in samples:
        inside.setdefault(sample["units"][chip_level], set()).add(sample["conditions"][name])
    unit = "sample" if any(len(found) > 1 for found in inside.values()) else chip_level
    rest = [other for other in discrete if other != name]
    groups = _strata(samples, name, values, rest, unit)
    p = smallest_p(groups)
    reference = values.index(condition["reference"]) if condition.get("reference") in values else 0
    within = {}
    for level in ("date", "donor"):
        if (_count(samples, level) or 0) > 1:
            inner = _strata(samples, name, values, rest, unit, level)
            within[level] = {"arrangements": arrangements(inner), "smallest_p": smallest_p(inner)}
    return {
        "name": name,
        "kind": condition["kind"],
        "reference": condition.get("reference"),
        "values": [_value(samples, name, value) for value in values],
        "permuted_unit": unit,
        "arrangements": arrangements(groups),
        "smallest_p": p,
        "within": within,
        "effective_units": sum(4 * a * b / (a + b) for a, b in (_sides(counts, reference) for counts in groups) if a + b),
        "undecidable": p > alpha,
    }


def _strata(samples, name, values, others, unit, level=None):
    """Units per value of `name`, one list for each combination of the other discrete conditions (and of a level)."""
    found = {}
    for sample in samples:
        stratum = tuple(str(sample["conditions"][other]) for other in others)
        stratum += (str(sample["units"][level]),) if level else ()
        found.setdefault(stratum, {}).setdefault(sample["conditions"][name], set()).add(sample["units"][unit])
    return [[len(stratum.get(value, ())) for value in values] for _, stratum in sorted(found.items())]


def _sides(counts, reference):
    """Units on the two sides of a condition: the reference (its place among the values) against all others."""
    return (counts[reference], sum(counts) - counts[reference]) if counts else (0, 0)


def _value(samples, name, value):
    mine = [sample for sample in samples if sample["conditions"][name] == value]
    return {
        "value": value,
        "units": {level: _count(mine, level) for level in (*LEVELS, "sample")} | {"cell": _sum(mine, "trajectories")},
        "rows": _sum(mine, "rows"),
        "death": _sum(mine, "death"),
        "division": _sum(mine, "division"),
    }


def _cells(samples, discrete, conditions, chip_level):
    if not discrete:
        return []
    by_name = {condition["name"]: condition for condition in conditions}
    out = []
    for values in product(*(_values(samples, name, by_name[name]) for name in discrete)):
        here = dict(zip(discrete, values))
        mine = [s for s in samples if all(s["conditions"][name] == value for name, value in here.items())]
        out.append(
            {
                "conditions": here,
                "chips": len({sample["units"][chip_level] for sample in mine}),
                "samples": len(mine),
                **{what: _sum(mine, what) for what in ("trajectories", "rows", "death", "division")},
            }
        )
    return out


def _confounded(samples, entries, alpha):
    out = []
    names = [entry["name"] for entry in entries]
    for entry in entries:
        name = entry["name"]
        for level in ("date", "donor"):
            by_level = {}
            for sample in samples:
                if sample["units"][level] is not None:
                    by_level.setdefault(sample["units"][level], set()).add(sample["conditions"][name])
            values = set().union(*by_level.values()) if by_level else set()
            if len(by_level) < 2 or len(values) < 2:
                continue
            single = sorted("/".join(unit) for unit, found in by_level.items() if len(found) == 1)
            if len(single) == len(by_level):
                detail = f"Every {level} has one value of {name} only: an effect of {name} cannot be told from one of the {level}."
                out.append({"condition": name, "level": level, "kind": "full", "detail": detail})
            elif any(found != values for found in by_level.values()):
                short = sorted("/".join(unit) for unit, found in by_level.items() if found != values)
                detail = f"{level} {', '.join(short)} has not all values of {name}: the comparison is not balanced over the {level}s."
                if level in entry["within"] and entry["within"][level]["smallest_p"] > alpha:
                    p = entry["within"][level]["smallest_p"]
                    detail += f" Within {level}s alone, no permutation test can give p below {p:.3g}."
                out.append({"condition": name, "level": level, "kind": "partial", "detail": detail})
        if entry["permuted_unit"] == "sample":
            out += _confounded_inside_chips(samples, name)
    for one, other in combinations(names, 2):
        pairs = {(str(sample["conditions"][one]), str(sample["conditions"][other])) for sample in samples}
        n_one, n_other = len({pair[0] for pair in pairs}), len({pair[1] for pair in pairs})
        if n_one > 1 and n_other > 1 and (len(pairs) == n_one or len(pairs) == n_other):
            detail = f"{one} and {other} never vary apart in this experiment: their effects cannot be told from each other."
            out.append({"condition": one, "with": other, "kind": "full", "detail": detail})
    return out


def _confounded_inside_chips(samples, name):
    """A condition that varies inside chips against the chips, and against the places on them.

    A condition that is constant in each chip is applied to chips: that is the design, and chips are its units. Positions and regions are
    told by their own names, which must come back on several chips to mean a place on the chip.
    """
    if any(sample["units"]["chip"] is None for sample in samples):
        return []
    out, by_chip, places = [], {}, {"position": {}, "region": {}}
    for sample in samples:
        value, chip = sample["conditions"][name], sample["units"]["chip"]
        by_chip.setdefault(chip, set()).add(value)
        for level, found in places.items():
            if sample["units"][level] is not None:
                found.setdefault(sample["units"][level][-1], []).append((chip, value))
    values = set().union(*by_chip.values())
    short = sorted("/".join(filter(None, chip)) for chip, found in by_chip.items() if found != values)
    if short:
        detail = f"chip {', '.join(short)} has not all values of {name}, and others have: the comparison is not balanced over the chips."
        out.append({"condition": name, "level": "chip", "kind": "partial", "detail": detail})
    for level, found in places.items():
        come_back = all(len({chip for chip, _ in here}) > 1 for here in found.values())
        one_value = all(len({value for _, value in here}) == 1 for here in found.values())
        if len(found) > 1 and come_back and one_value:
            detail = f"Every {level} has one value of {name} on all chips: an effect of {name} cannot be told from one of the place on the chip."
            out.append({"condition": name, "level": level, "kind": "full", "detail": detail})
    return out


def _numbers(entry):
    unit = entry["permuted_unit"]
    return " and ".join(str(value["units"][unit]) for value in entry["values"])
