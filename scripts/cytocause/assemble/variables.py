"""The variables of the table: which they are, where they come from, and of what kind.

Order: conditions, exposures, then those of the config; a condition that the config lists keeps the config's place.
"""


from cytocause.io import InputDefect, describe, in_unit

from .conditions import word_of

STATES = ("death", "division")
FEW = 5  # numbers with fewer different values are discrete, as in the reference's type rule
MANY = 1000  # more different values than this are not listed


def resolve(entries, population, others, conditions, exposures):
    """The variables as a list of dicts with every key: name (source), as, origin, of, kind, role, levels, n_layers, ...

    entries : section assemble.variables (names or objects), empty for the default; conditions, exposures : names
    origin : "column" | "state" | "condition" | "exposure"
    Raises InputDefect for two variables of one name.
    """
    if not entries:
        entries = [*STATES, "area_um2", "eccentricity", "speed_smooth_um_min"]
        entries += [name for q in others for name in (f"n_{q}_r1", f"distance_{q}_um")]
    entries = [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in entries]
    listed = {entry["name"] for entry in entries if not entry.get("of")}
    entries = [{"name": name} for name in (*conditions, *exposures) if name not in listed] + entries
    out = []
    for entry in entries:
        name = entry["name"]
        origin = (
            "column"
            if entry.get("of")
            else "condition"
            if name in conditions
            else "exposure"
            if name in exposures
            else "state"
            if name in STATES
            else "column"
        )
        role = {"condition": "contextual", "exposure": "exogenous"}.get(origin, "dynamic")
        default_as = f"{entry['of']}_{name}" if entry.get("of") else name
        out.append(
            {
                "name": name,
                "as": entry.get("as") or default_as,
                "origin": origin,
                "of": entry.get("of") or "",
                "kind": entry.get("kind") or "",
                "role": entry.get("role") or role,
                "levels": list(entry.get("levels") or []),
                **{key: entry.get(key) for key in ("n_layers", "delta_t", "mov_avg")},
            }
        )
    names = [variable["as"] for variable in out]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputDefect(
            f"assemble.variables gives the name {', '.join(twice)} to more than one variable; names must differ.",
            todo="Give one of them another name with `as`.",
        )
    reserved = {"trajectory", "time_step", "sample"} & set(names)
    if reserved:
        raise InputDefect(
            f"assemble.variables calls a variable {min(reserved)}, which is a column of the table with a meaning of its own.",
            todo="Give it another name with `as`.",
        )
    return out


def settle(variables, table, unit, conditions):
    """Fill in kind and levels from the finished table.

    variables : of `resolve`; table : DataFrame; unit : "um" | "px"; conditions : config entries
    Returns (list of rows for variables.tsv, warnings).
    """
    by_name = {condition["name"]: condition for condition in conditions}
    rows, warnings = [], []
    for variable in variables:
        values = table[variable["as"]].dropna()
        distinct = values.unique()
        if len(distinct) <= MANY or variable["kind"] == "discrete" or values.dtype.kind not in "fiu":
            distinct = sorted(distinct.tolist(), key=lambda v: (isinstance(v, str), v))
        kind, levels = variable["kind"], variable["levels"]
        condition = by_name.get(variable["name"]) if variable["origin"] == "condition" else None
        if not kind:
            if condition is not None:
                kind = "continuous" if condition["kind"] == "continuous" else "discrete"
            elif variable["origin"] == "state":
                kind = "discrete"
            else:
                number = values.dtype.kind in "fiu"
                kind = "continuous" if number and (len(distinct) >= FEW or len(distinct) == 0) else "discrete"
        if kind == "discrete" and not levels:
            levels = condition_levels(condition, distinct) if condition else ([0, 1] if variable["origin"] == "state" else distinct)
        if len(values) == 0 and len(table):
            warnings.append(f"Variable {variable['as']} is missing in every row of the table.")
        elif len(distinct) == 1:
            warnings.append(f"Variable {variable['as']} has the value {word_of(distinct[0])} in every row of the table.")
        source = in_unit(variable["name"], unit) if variable["origin"] == "column" else variable["name"]
        entry = describe(source) if variable["origin"] in ("column", "state") else None
        meaning = (entry or {}).get("meaning", "")
        if condition is not None:
            meaning = f"Condition of the sample sheet ({condition['kind']}), reference {word_of(condition.get('reference'))}"
        if variable["of"]:
            meaning = f"Mean over the {variable['of']} cells near the cell of: {meaning}"
        rows.append(
            {
                "name": variable["as"],
                "kind": kind,
                "role": variable["role"],
                "levels": ",".join(word_of(level) for level in levels) if kind == "discrete" else "",
                **{key: "" if variable[key] is None else str(variable[key]) for key in ("n_layers", "delta_t", "mov_avg")},
                "unit": variable.get("unit") or (entry or {}).get("unit", ""),
                "source": f"{variable['of']}:{source}" if variable["of"] else source,
                "meaning": variable.get("meaning") or meaning,
            }
        )
    return rows, warnings


def condition_levels(condition, distinct):
    """Values of a condition in increasing order: as listed; numbers by size; else the reference first."""
    if condition.get("levels"):
        return list(condition["levels"])
    if condition["kind"] == "binary" or any(isinstance(value, str) for value in distinct):
        reference = condition.get("reference")
        rest = [value for value in distinct if word_of(value) != word_of(reference)]
        return [reference, *rest] if reference is not None else rest
    return distinct
