"""The causal model: a YAML file a biologist can read, checked into a plain object.

    treatment ----(+)----> death          variables   contextual (one value per chip), cell (one per cell and frame),
    treatment ----(-)----> mitosis                    hazard (a rate per hour that ends or divides the cell)
    contact --30 min (+)-> death          edges       source, target, lag_min, sign, strength, form

An edge adds `sign * strength * form(source, lag_min ago)` to the logarithm of its target (to the elongation itself for
`elongation`). Every variable has its place in the step, so an edge without lag must point forward in STEP_ORDER:

    size -> speed -> elongation -> contact -> mitosis, death

Errors are sentences with the line of the file.
"""

from dataclasses import dataclass, field, replace

import yaml

from cytocause.io import InputDefect

STEP_ORDER = ("size", "speed", "elongation", "contact", "mitosis", "death")
HAZARDS = ("mitosis", "death")
FORMS = ("linear", "saturating", "threshold")
POPULATIONS = ("tumour", "immune")

# Fields of each kind of variable: name -> (required, smallest value allowed or None)
# fmt: off
VARIABLE_FIELDS = {
    "contextual": {},
    "size": {
        "reference": (True, 1e-9), "doubling_h": (True, 1e-9), "regrow_min": (True, 1e-9), "largest": (True, 1e-9),
        "sd": (True, 0), "memory_min": (True, 0),
    },
    "speed": {"reference": (True, 1e-9), "sd": (True, 0), "memory_min": (True, 0)},
    "elongation": {"reference": (True, 0), "sd": (True, 0), "memory_min": (True, 0)},
    "contact": {"radius_um": (True, 1e-9), "vicinity_um": (True, 1e-9)},
    "mitosis": {"per_hour": (True, 0), "duration_min": (True, 1e-9), "duration_sd_min": (False, 0)},
    "death": {"per_hour": (True, 0), "shrink_min": (True, 1e-9), "body_min": (True, 1e-9)},
}
# fmt: on
OPTIONAL_VARIABLE_FIELDS = {"cell_sd": 0, "chip_sd": 0}
POPULATION_FIELDS = {
    "tumour": ("persistence_min",),
    "immune": (
        "diameter_um",
        "speed_um_min",
        "persistence_min",
        "sensing_um",
        "chemotaxis",
        "dwell_min",
        "arrest",
        "refractory_min",
    ),
}


class ModelError(InputDefect):
    """A causal model that cannot be run; the message names file, line and reason."""


@dataclass(frozen=True)
class Variable:
    """One variable. `observed` is its column in the cell and event tables, `proxies` others that share its formula."""

    name: str
    kind: str
    observed: str
    unit: str
    meaning: str
    proxies: tuple
    values: dict


@dataclass(frozen=True)
class Edge:
    """source at (t - lag) acts on target at t. `half` is the half-saturation or the threshold."""

    source: str
    target: str
    lag_min: float
    sign: int
    strength: float
    form: str
    half: float


@dataclass(frozen=True)
class CausalModel:
    """A checked model. Times in min, lengths in um, rates per hour."""

    name: str
    description: str
    variables: dict
    populations: dict
    edges: tuple
    source: str = field(default="", compare=False)

    def contextual(self):
        """Names of the conditions, in the order of the file."""
        return [v.name for v in self.variables.values() if v.kind == "contextual"]

    def without(self, *pairs):
        """The same model with the edges (source, target) in `pairs` switched off."""
        drop = set(pairs)
        kept = tuple(e for e in self.edges if (e.source, e.target) not in drop)
        return replace(self, edges=kept)


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
    _refuse_unknown(source, raw, {"name", "description", "variables", "populations", "edges"}, "the model")
    for key in ("name", "variables", "populations", "edges"):
        if raw.get(key) is None and key != "edges":
            _fail(source, raw["__line__"], f"the model has no '{key}'; give one")

    variables = _parse_variables(raw["variables"], source)
    populations = _parse_populations(raw["populations"], source)
    edges = _parse_edges(raw.get("edges") or [], variables, source)
    return CausalModel(
        str(raw["name"]), str(raw.get("description", "")).strip(), variables, populations, edges, source=source
    )


def _parse_variables(raw, source):
    if not isinstance(raw, dict):
        _fail(source, 1, "'variables' is a mapping from a variable's name to its fields")
    variables = {}
    for name in _keys(raw):
        entry, line = raw[name], raw["__lines__"][name]
        if not isinstance(entry, dict):
            _fail(source, line, f"variable '{name}' has no fields; it needs at least 'kind'")
        kind = entry.get("kind")
        expected = ("hazard",) if name in HAZARDS else ("cell",) if name in STEP_ORDER else ("contextual",)
        if kind not in expected:
            _fail(
                source,
                line,
                f"variable '{name}' has kind {kind!r}; expected is '{expected[0]}' "
                f"(cell variables are {', '.join(STEP_ORDER[:4])}; hazards are {', '.join(HAZARDS)}; "
                "every other name is a contextual condition)",
            )
        fields = VARIABLE_FIELDS["contextual" if kind == "contextual" else name]
        text_keys = {"kind", "observed", "unit", "meaning", "proxies", "source"}
        number_keys = set(fields) | (set(OPTIONAL_VARIABLE_FIELDS) if kind != "contextual" else set())
        _refuse_unknown(source, entry, text_keys | number_keys, f"variable '{name}'")
        values = {}
        for key, (required, low) in fields.items():
            if key in entry:
                values[key] = _number(source, entry, key, f"variable '{name}'", low)
            elif required:
                _fail(source, line, f"variable '{name}' lacks '{key}'; give a number")
        for key, default in OPTIONAL_VARIABLE_FIELDS.items():
            if kind != "contextual":
                values[key] = _number(source, entry, key, f"variable '{name}'", 0) if key in entry else float(default)
        variables[name] = Variable(
            name,
            kind,
            str(entry.get("observed", name)),
            str(entry.get("unit", "")),
            str(entry.get("meaning", "")),
            tuple(entry.get("proxies") or ()),
            values,
        )
    for name in STEP_ORDER:
        if name not in variables:
            _fail(source, raw["__line__"], f"the variable '{name}' is missing; a model needs {', '.join(STEP_ORDER)}")
    return variables


def _parse_populations(raw, source):
    if not isinstance(raw, dict):
        _fail(source, 1, "'populations' is a mapping with tumour and immune")
    _refuse_unknown(source, raw, set(POPULATIONS), "'populations'")
    populations = {}
    for name in POPULATIONS:
        if not isinstance(raw.get(name), dict):
            _fail(source, raw["__line__"], f"the population '{name}' is missing; a model needs tumour and immune")
        entry = raw[name]
        _refuse_unknown(source, entry, set(POPULATION_FIELDS[name]) | {"source"}, f"population '{name}'")
        values = {}
        for key in POPULATION_FIELDS[name]:
            if key not in entry:
                _fail(source, entry["__line__"], f"population '{name}' lacks '{key}'; give a number")
            low = 0 if key in ("chemotaxis", "arrest", "refractory_min", "sensing_um") else 1e-9
            values[key] = _number(source, entry, key, f"population '{name}'", low)
        populations[name] = values
    return populations


def _parse_edges(raw, variables, source):
    if not isinstance(raw, list):
        _fail(source, 1, "'edges' is a list of {source, target, lag_min, sign, strength, form}")
    edges, seen = [], {}
    for entry in raw:
        if not isinstance(entry, dict):
            _fail(source, 1, f"the edge {entry!r} is not a mapping with source and target")
        line = entry["__line__"]
        allowed = {"source", "target", "lag_min", "sign", "strength", "form", "half", "meaning"}
        _refuse_unknown(source, entry, allowed, "the edge")
        for key in ("source", "target", "sign", "strength"):
            if key not in entry:
                _fail(source, line, f"the edge lacks '{key}'")
        cause, effect = entry["source"], entry["target"]
        where = f"the edge {cause} -> {effect}"
        for end in (cause, effect):
            if end not in variables:
                _fail(source, line, f"{where} names the unknown variable '{end}'; known are {', '.join(variables)}")
        if variables[effect].kind == "contextual":
            _fail(source, line, f"{where} points at a condition, which nothing in the chip can change; turn it round")
        if cause in HAZARDS:
            _fail(source, line, f"{where} starts at an event; causes are conditions or {', '.join(STEP_ORDER[:4])}")
        sign = {"+": 1, "-": -1, 1: 1, -1: -1}.get(entry["sign"])
        if sign is None:
            _fail(source, line, f"{where} has sign {entry['sign']!r}; expected is '+' or '-'")
        strength = _number(source, entry, "strength", where, 0)
        lag = _number(source, entry, "lag_min", where, 0) if "lag_min" in entry else 0.0
        form = entry.get("form", "linear")
        if form not in FORMS:
            _fail(source, line, f"{where} has form {form!r}; expected is one of {', '.join(FORMS)}")
        half = _number(source, entry, "half", where, 1e-9) if "half" in entry else 1.0
        if variables[cause].kind == "contextual" and lag > 0:
            _fail(source, line, f"{where} has a lag, but a condition does not change in time; set lag_min to 0")
        instant = variables[cause].kind != "contextual" and lag == 0
        if instant and STEP_ORDER.index(cause) >= STEP_ORDER.index(effect):
            _fail(
                source,
                line,
                f"{where} closes a cycle at lag 0 (within a step the order is {' -> '.join(STEP_ORDER)}); "
                "give it a lag of at least one frame",
            )
        if (cause, effect, lag) in seen:
            _fail(source, line, f"{where} at this lag was already given on line {seen[cause, effect, lag]}")
        seen[cause, effect, lag] = line
        edges.append(Edge(cause, effect, lag, sign, strength, form, half))
    return tuple(edges)


def lag_frames(model, frame_interval_min):
    """Lags of the model's edges in frames.

    Returns
    -------
    list of int, in the order of model.edges

    Raises
    ------
    ModelError
        When a lag is no whole number of frame intervals.
    """
    frames = []
    for edge in model.edges:
        lag = edge.lag_min / frame_interval_min
        if abs(lag - round(lag)) > 1e-6:
            raise ModelError(
                f"{model.source}: the edge {edge.source} -> {edge.target} has a lag of {edge.lag_min:g} min, which is "
                f"no whole number of frames at {frame_interval_min:g} min a frame; use a multiple of the interval"
            )
        frames.append(round(lag))
    return frames
