"""From the text of a model file to a CausalModel; every mistake is a sentence with its line.

    variables    name -> kind and numbers          contextual   one value per chip, from the sample sheet
                                                   exogenous    a dose that changes in time, from the exposures sheet or `schedule`
                                                   chip         one hidden value per chip, drawn
                                                   cell         one per cell and frame
                                                   hazard       a rate per hour that ends or divides the cell
    populations  tumour, immune, caf -> numbers
    tissue       what moves all cells alike
                 each of these may say under `source` where its numbers are from
    edges        source, target, lag_min, sign, strength, form
"""

import yaml

from .model import (
    FORMS,
    HAZARDS,
    MOVED,
    NEEDED,
    POPULATIONS,
    STEP_ORDER,
    TARGETS,
    CausalModel,
    Edge,
    ModelError,
    Variable,
)

# Fields of each variable: name -> (required, smallest value allowed)
# fmt: off
VARIABLE_FIELDS = {
    "fitness": {"sd": (True, 0), "heritability": (False, 0)},
    "cycle_age": {},
    "growth": {"sd": (True, 0), "memory_min": (True, 0)},
    "shield": {"radius_um": (True, 1e-9)},
    "size": {
        "reference": (True, 1e-9), "doubling_h": (True, 1e-9), "regrow_min": (True, 1e-9), "largest": (True, 1e-9),
        "sd": (True, 0), "memory_min": (True, 0),
    },
    "speed": {"reference": (True, 1e-9), "sd": (True, 0), "memory_min": (True, 0)},
    "elongation": {"reference": (True, 0), "sd": (True, 0), "memory_min": (True, 0)},
    "density": {"radius_um": (True, 1e-9)},
    "contact": {"radius_um": (True, 1e-9), "vicinity_um": (True, 1e-9)},
    "contact_time": {"forget_min": (False, 1e-9)},
    "mitosis": {"per_hour": (True, 0), "duration_min": (True, 1e-9), "duration_sd_min": (False, 0), "cycle_h": (False, 1e-9)},
    "death": {"per_hour": (True, 0), "shrink_min": (True, 1e-9), "body_min": (True, 1e-9)},
}
OF_KIND = {"contextual": {}, "exogenous": {}, "chip": {"sd": (True, 0)}}
RANDOM_EFFECTS = ("cell_sd", "chip_sd", "date_sd")  # of cell variables and hazards, 0 where they are not given
POPULATION_FIELDS = {
    "tumour": {"persistence_min": (True, 1e-9)},
    "immune": {
        "diameter_um": (True, 1e-9), "speed_um_min": (True, 1e-9), "persistence_min": (True, 1e-9), "sensing_um": (True, 0),
        "chemotaxis": (True, 0), "dwell_min": (True, 1e-9), "arrest": (True, 0), "refractory_min": (True, 0),
        "exhaustion_min": (False, 1e-9),
    },
    "caf": {
        "density_mm2": (True, 0), "diameter_um": (True, 1e-9), "elongation": (True, 0), "speed_um_min": (True, 0),
        "persistence_min": (True, 1e-9),
    },
}
TISSUE_FIELDS = {"drift_um_h": 0, "scale_um": 1e-9, "memory_min": 1e-9, "depth_sd_um": 0, "depth_memory_min": 1e-9}
TISSUE = {"drift_um_h": 0.0, "scale_um": 200.0, "memory_min": 240.0, "depth_sd_um": 0.0, "depth_memory_min": 240.0}
# fmt: on


class _Lines(yaml.SafeLoader):
    """SafeLoader whose mappings remember their line and refuse a key given twice."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key_node, _), key in zip(node.value, keys):
            if keys.count(key) > 1:
                raise ModelError(f"line {key_node.start_mark.line + 1}: the key '{key}' is given twice; keep one")
        mapping = super().construct_mapping(node, deep=True)
        mapping["__line__"] = node.start_mark.line + 1
        mapping["__lines__"] = {key: kn.start_mark.line + 1 for (kn, _), key in zip(node.value, keys)}
        return mapping


_Lines.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, lambda loader, node: loader.construct_mapping(node)
)


def _keys(mapping):
    return [key for key in mapping if key not in ("__line__", "__lines__")]


def _fail(source, line, message):
    raise ModelError(f"{source}, line {line}: {message}")


def _refuse_unknown(source, mapping, allowed, where):
    for key in _keys(mapping):
        if key not in allowed:
            line = mapping["__lines__"].get(key, mapping["__line__"])
            _fail(source, line, f"{where} has the unknown key '{key}'; allowed are {', '.join(sorted(allowed))}")


def _number(source, mapping, key, where, low=None):
    value = mapping[key]
    line = mapping["__lines__"].get(key, mapping["__line__"])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _fail(source, line, f"{where}: '{key}' is {value!r}, but a number is expected")
    if not abs(value) < 1e12:
        _fail(source, line, f"{where}: '{key}' is {value!r}, but a finite number is expected")
    if low is not None and value < low:
        expected = "a number of 0 or more" if low == 0 else "a number above 0"
        _fail(source, line, f"{where}: '{key}' is {value:g}, but {expected} is expected")
    return float(value)


def _numbers(source, entry, fields, where, line):
    """The numbers of a mapping by `fields`: name -> (required, smallest value)."""
    values = {}
    for key, (required, low) in fields.items():
        if key in entry:
            values[key] = _number(source, entry, key, where, low)
        elif required:
            _fail(source, line, f"{where} lacks '{key}'; give a number")
    return values


def _check_source(entry, values, where, source):
    """`source` says where numbers come from: one text for all, or a text for one or several numbers ("sd, memory_min")."""
    if "source" not in entry:
        return
    told = entry["source"]
    parts = {"": told} if not isinstance(told, dict) else {key: told[key] for key in _keys(told)}
    for names, text in parts.items():
        line = told["__lines__"][names] if isinstance(told, dict) else entry["__lines__"]["source"]
        if not isinstance(text, str) or not text.strip():
            _fail(source, line, f"{where}: 'source' is {text!r}, but the study that a number is from (or 'ours: why') is expected")
        for name in str(names).split(", ") if names else ():
            if name not in entry or name not in values and name != "schedule":
                known = ", ".join(key for key in _keys(entry) if key in values) or "none"
                _fail(source, line, f"{where}: 'source' speaks of '{name}', which is not given here; the numbers are {known}")


def parse_model(text, source="model"):
    """Check the text of a model file.

    Parameters
    ----------
    text : str
        YAML.
    source : str
        Name shown in errors, usually the file's.

    Returns
    -------
    CausalModel

    Raises
    ------
    ModelError
        Names the line and the reason.
    """
    try:
        raw = yaml.load(text, Loader=_Lines)  # a SafeLoader: plain types only
    except ModelError as error:
        raise ModelError(f"{source}, {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        _fail(source, line, f"this is not readable YAML ({getattr(error, 'problem', error)})")
    if not isinstance(raw, dict):
        _fail(source, 1, "a causal model is a mapping with name, variables, populations and edges")
    allowed = {"name", "description", "variables", "populations", "tissue", "edges"}
    _refuse_unknown(source, raw, allowed, "the model")
    for key in ("name", "variables", "populations"):
        if raw.get(key) is None:
            _fail(source, raw["__line__"], f"the model has no '{key}'; give one")

    variables = _parse_variables(raw["variables"], source)
    populations, lines = _parse_populations(raw["populations"], variables, source)
    edges = _parse_edges(raw.get("edges") or [], variables, source)
    tissue = _parse_tissue(raw.get("tissue"), source)
    description = str(raw.get("description", "")).strip()
    return CausalModel(str(raw["name"]), description, variables, populations, edges, tissue, source, lines)


def _parse_variables(raw, source):
    if not isinstance(raw, dict):
        _fail(source, 1, "'variables' is a mapping from a variable's name to its fields")
    variables = {name: _parse_variable(name, raw[name], raw["__lines__"][name], source) for name in _keys(raw)}
    for name in NEEDED:
        if name not in variables:
            _fail(source, raw["__line__"], f"the variable '{name}' is missing; a model needs {', '.join(NEEDED)}")
    contact = variables["contact"]
    if contact.values["vicinity_um"] < contact.values["radius_um"]:
        _fail(
            source,
            contact.lines["vicinity_um"],
            f"variable 'contact': the vicinity_um of {contact.values['vicinity_um']:g} lies inside the radius_um of "
            f"{contact.values['radius_um']:g}, which cannot be; make the vicinity the larger one",
        )
    size = variables["size"]
    if size.values["largest"] <= 0.7:
        _fail(
            source,
            size.lines["largest"],
            f"variable 'size': 'largest' is {size.values['largest']:g} of the reference, but cells start at 0.66 to 1.25 of it; "
            "give a number above 0.7",
        )
    return variables


def _parse_variable(name, entry, line, source):
    if not isinstance(entry, dict):
        _fail(source, line, f"variable '{name}' has no fields; it needs at least 'kind'")
    kind = entry.get("kind")
    expected = ("hazard",) if name in HAZARDS else ("cell",) if name in STEP_ORDER else tuple(OF_KIND)
    if kind not in expected:
        _fail(
            source,
            line,
            f"variable '{name}' has kind {kind!r}; expected is {' or '.join(repr(k) for k in expected)} "
            f"(cell variables are {', '.join(n for n in STEP_ORDER if n not in HAZARDS)}; hazards are {', '.join(HAZARDS)}; "
            "every other name is a contextual condition, an exogenous dose or a hidden property of the chip)",
        )
    where = f"variable '{name}'"
    fields = OF_KIND[kind] if kind in OF_KIND else VARIABLE_FIELDS[name]
    effects = () if kind in OF_KIND else RANDOM_EFFECTS
    allowed = {"kind", "observed", "unit", "meaning", "proxies", "source", "hidden", *fields, *effects}
    _refuse_unknown(source, entry, allowed | ({"schedule"} if kind == "exogenous" else set()), where)
    values = _numbers(source, entry, fields, where, line)
    values |= {key: _number(source, entry, key, where, 0) if key in entry else 0.0 for key in effects}
    _check_source(entry, values, where, source)
    if values.get("heritability", 0.0) > 1:
        _fail(source, entry["__lines__"]["heritability"], f"{where}: 'heritability' is above 1; a share from 0 to 1 is expected")
    hidden = entry.get("hidden", kind == "chip" or name == "fitness")
    if not isinstance(hidden, bool):
        _fail(source, entry["__lines__"]["hidden"], f"{where}: 'hidden' is {hidden!r}, but true or false is expected")
    return Variable(
        name,
        kind,
        str(entry.get("observed", name)),
        str(entry.get("unit", "")),
        str(entry.get("meaning", "")),
        tuple(entry.get("proxies") or ()),
        values,
        hidden,
        _parse_schedule(entry.get("schedule"), where, line, source),
        {"name": line, **entry["__lines__"]},
    )


def _parse_schedule(raw, where, line, source):
    """The course of a dose: ((start_min, end_min, dose), ...)."""
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        _fail(source, line, f"{where}: 'schedule' is a list of {{start_min, end_min, dose}}")
    out = []
    for entry in raw:
        at = f"{where}, schedule"
        _refuse_unknown(source, entry, {"start_min", "end_min", "dose"}, at)
        fields = {"start_min": (True, None), "end_min": (True, None), "dose": (True, None)}
        values = _numbers(source, entry, fields, at, entry["__line__"])
        if values["end_min"] <= values["start_min"]:
            _fail(
                source, entry["__line__"], f"{at}: end_min {values['end_min']:g} is not after start_min {values['start_min']:g}"
            )
        out.append((values["start_min"], values["end_min"], values["dose"]))
    return tuple(out)


def _parse_populations(raw, variables, source):
    if not isinstance(raw, dict):
        _fail(source, 1, "'populations' is a mapping with tumour and immune")
    _refuse_unknown(source, raw, set(POPULATIONS), "'populations'")
    populations, lines = {}, {}
    for name in POPULATIONS:
        if name == "caf" and name not in raw:
            continue
        if not isinstance(raw.get(name), dict):
            _fail(source, raw["__line__"], f"the population '{name}' is missing; a model needs tumour and immune")
        entry, where = raw[name], f"population '{name}'"
        texts = {"source", "condition"} if name == "caf" else {"source"}
        _refuse_unknown(source, entry, set(POPULATION_FIELDS[name]) | texts, where)
        lines[name] = {"name": raw["__lines__"][name], **entry["__lines__"]}
        populations[name] = _numbers(source, entry, POPULATION_FIELDS[name], where, entry["__line__"])
        _check_source(entry, populations[name], where, source)
        if name == "caf":
            condition = entry.get("condition")
            if condition not in variables or variables[condition].kind != "contextual":
                known = ", ".join(n for n, v in variables.items() if v.kind == "contextual") or "none"
                _fail(
                    source,
                    entry["__lines__"].get("condition", entry["__line__"]),
                    f"{where}: 'condition' is {condition!r}; expected is the condition that says whether they are there ({known})",
                )
            populations[name]["condition"] = condition
    if "shield" in variables and "caf" not in populations:
        _fail(source, variables["shield"].lines["name"], "variable 'shield' needs the population 'caf', which casts it; add one")
    return populations, lines


def _parse_tissue(raw, source):
    if raw is None:
        return dict(TISSUE)
    if not isinstance(raw, dict):
        _fail(source, 1, f"'tissue' is a mapping with {', '.join(TISSUE)}")
    _refuse_unknown(source, raw, set(TISSUE) | {"source"}, "'tissue'")
    _check_source(raw, TISSUE, "'tissue'", source)
    return {key: _number(source, raw, key, "'tissue'", TISSUE_FIELDS[key]) if key in raw else TISSUE[key] for key in TISSUE}


def _parse_edges(raw, variables, source):
    if not isinstance(raw, list):
        _fail(source, 1, "'edges' is a list of {source, target, lag_min, sign, strength, form}")
    edges, seen = [], {}
    for entry in raw:
        if not isinstance(entry, dict):
            _fail(source, 1, f"the edge {entry!r} is not a mapping with source and target")
        edge = _parse_edge(entry, variables, source)
        key = (edge.source, edge.target, edge.lag_min)
        if key in seen:
            _fail(
                source, edge.line, f"the edge {edge.source} -> {edge.target} at this lag was already given on line {seen[key]}"
            )
        seen[key] = edge.line
        edges.append(edge)
    return tuple(edges)


def _parse_edge(entry, variables, source):
    line = entry["__line__"]
    allowed = {"source", "target", "lag_min", "sign", "strength", "form", "half", "centre", "meaning"}
    _refuse_unknown(source, entry, allowed, "the edge")
    for key in ("source", "target", "sign", "strength"):
        if key not in entry:
            _fail(source, line, f"the edge lacks '{key}'")
    cause, effect = entry["source"], entry["target"]
    where = f"the edge {cause} -> {effect}"
    for end in (cause, effect):
        if end not in variables:
            _fail(source, line, f"{where} names the unknown variable '{end}'; known are {', '.join(variables)}")
    kind = variables[cause].kind
    if variables[effect].kind == "contextual":
        _fail(source, line, f"{where} points at a condition, which nothing in the chip can change; turn it round")
    if effect not in TARGETS:
        _fail(source, line, f"{where} points at '{effect}', on which nothing acts; an edge ends at {', '.join(TARGETS)}")
    if cause in HAZARDS:
        causes = ", ".join(n for n in variables if n not in HAZARDS)
        _fail(source, line, f"{where} starts at an event; causes are {causes}")
    sign = {"+": 1, "-": -1, 1: 1, -1: -1}.get(entry["sign"])
    if sign is None:
        _fail(source, line, f"{where} has sign {entry['sign']!r}; expected is '+' or '-'")
    strength = _number(source, entry, "strength", where, 0)
    lag = _number(source, entry, "lag_min", where, 0) if "lag_min" in entry else 0.0
    form = entry.get("form", "linear")
    if form not in FORMS:
        _fail(source, line, f"{where} has form {form!r}; expected is one of {', '.join(FORMS)}")
    half = _number(source, entry, "half", where, 1e-9) if "half" in entry else 1.0
    centre = _number(source, entry, "centre", where) if "centre" in entry else 0.0
    if kind in ("contextual", "chip") and lag > 0:
        what = "a condition" if kind == "contextual" else "a property of the chip"
        _fail(source, line, f"{where} has a lag, but {what} does not change in time; set lag_min to 0")
    if cause in STEP_ORDER and lag == 0:
        _check_order(cause, effect, where, line, source)
    return Edge(cause, effect, lag, sign, strength, form, half, centre, line)


def _check_order(cause, effect, where, line, source):
    """An edge within a step must point forward in time."""
    if STEP_ORDER.index(cause) >= STEP_ORDER.index(effect):
        _fail(
            source,
            line,
            f"{where} closes a cycle at lag 0 (within a step the order is {' -> '.join(STEP_ORDER)}); "
            "give it a lag of at least one frame",
        )
    if cause in MOVED and effect not in HAZARDS:
        _fail(
            source,
            line,
            f"{where} has no lag, but '{cause}' is known only after the cells have moved, when '{effect}' is set already: "
            "a cycle at lag 0; give it a lag of at least one frame",
        )
