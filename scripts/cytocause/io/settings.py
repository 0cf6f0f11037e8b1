"""The configuration: its schema put together, checked, filled with defaults, and written out as a page.

    workflow/schemas/config.schema.yaml      what belongs to no stage
                     <stage>.schema.yaml     one section each: types, ranges, units, defaults  (defaults live here only)

`python -m cytocause.io.settings workflow/schemas > config/README.md` writes the reference that users read.
"""

import copy
import difflib
import json
import sys
from pathlib import Path

import jsonschema
import yaml

STAGES = ("simulate", "prepare", "segment", "track", "measure", "fate", "assemble", "infer", "report", "score")


class ConfigError(ValueError):
    """The configuration or a sheet cannot be used. The message is for the person who wrote it."""


def load_schema(folder):
    """The schema of the whole configuration: config.schema.yaml with each stage's fragment under its name. A dict."""
    folder = Path(folder)
    schema = load_yaml(folder / "config.schema.yaml")
    for stage in STAGES:
        path = folder / f"{stage}.schema.yaml"
        fragment = load_yaml(path) if path.is_file() else {"type": "object", "additionalProperties": False, "properties": {}}
        fragment.pop("$schema", None)
        fragment.setdefault("default", {})
        schema["properties"][stage] = fragment
    return schema


def load_yaml(path):
    """One YAML file as plain values."""
    with open(path, encoding="utf-8") as handle:
        return yaml.safe_load(handle) or {}


def check_config(config, schema, source):
    """Check a configuration and fill in what it leaves out.

    Parameters
    ----------
    config : dict
        As read from YAML.
    schema : dict
        JSON schema (`load_schema`).
    source : str
        Name of the file(s), for messages.

    Returns
    -------
    dict
        A copy with every default filled in.

    Raises
    ------
    ConfigError
        With one line per mistake: file, key, what was found and what is allowed.
    """
    config = copy.deepcopy(config)
    fill_defaults(config, schema)
    validator = jsonschema.Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: [str(part) for part in error.absolute_path])
    messages = [sentence for error in errors for sentence in explain(error, source)]
    if messages:
        raise ConfigError("\n".join(dict.fromkeys(messages)))
    return config


def fill_defaults(value, schema):
    """Put the schema's defaults into `value` (dicts and lists, in place), also inside what was itself a default."""
    if isinstance(value, dict):
        for key, sub in schema.get("properties", {}).items():
            if key not in value and "default" in sub:
                value[key] = copy.deepcopy(sub["default"])
            elif value.get(key, 0) is None and "default" in sub and not _allows(sub, "null"):
                value[key] = copy.deepcopy(sub["default"])  # `track:` with nothing under it
            if key in value:
                fill_defaults(value[key], sub)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            fill_defaults(item, schema["items"])


def _allows(schema, kind):
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    return kind in types or any(_allows(sub, kind) for sub in schema.get("anyOf", []) + schema.get("oneOf", []))


def explain(error, source, where=None):
    """Sentences for one jsonschema error: where, what was found, what is allowed. A list of str."""
    key = where or key_path(error.absolute_path)
    at = f"{source}: {key}" if key else source
    found = shown(error.instance)
    rule, value = error.validator, error.validator_value
    if rule == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = [name for name in error.instance if name not in known]
        return [f"{at}: unknown key {name!r}.{nearest(name, known)} Known here: {', '.join(known)}." for name in unknown]
    if rule == "required":
        missing = [name for name in value if name not in error.instance]
        return [f"{at}: {name!r} is missing." for name in missing]
    if rule == "enum":
        return [f"{at} is {found}; allowed: {', '.join(str(item) for item in value)}.{nearest(error.instance, value)}"]
    if rule == "const":
        return [f"{at} is {found}; allowed: {value}."]
    if rule == "type":
        return [f"{at} is {_kind(error.instance)} {found}; expected {expected(error.schema)}.{_text_hint(error)}"]
    if rule in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        return [f"{at} is {found}; expected {expected(error.schema)}."]
    if rule == "pattern":
        return [f"{at} is {found}; expected text that matches {value}{_meaning(error.schema)}."]
    if rule in ("anyOf", "oneOf"):
        branches = " or ".join(expected(sub) for sub in value)
        return [f"{at} is {found}; expected {branches}."]
    if rule == "uniqueItems":
        return [f"{at} has an entry twice: {found}."]
    if rule in ("minItems", "maxItems"):
        return [f"{at} has {len(error.instance)} entries; expected {'at least' if rule == 'minItems' else 'at most'} {value}."]
    return [f"{at}: {error.message}."]


def key_path(parts):
    """("segment", "populations", 0, "engine") -> "segment.populations[0].engine"."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def expected(schema):
    """What a schema allows, in words."""
    if "enum" in schema:
        return "one of " + ", ".join("nothing (null)" if item is None else str(item) for item in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(expected(sub) for sub in schema[word])
    types = schema.get("type", "a value")
    types = [types] if isinstance(types, str) else types
    names = {
        "number": "a number",
        "integer": "a whole number",
        "string": "text",
        "boolean": "true or false",
        "array": "a list",
        "object": "a section of keys",
        "null": "nothing (null)",
    }
    text = " or ".join(names.get(name, name) for name in types)
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))
        if key in schema
    ]
    return " ".join([text, *bounds])


def shown(value):
    """A value as its owner wrote it, cut short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _kind(value):
    names = {bool: "the truth value", int: "the number", float: "the number", str: "the text", list: "the list", dict: "the section"}
    return names.get(type(value), "the value")


def _text_hint(error):
    """A number that arrived as text is the commonest slip: quotes, --config, or 1e-3 without a dot."""
    if not isinstance(error.instance, str):
        return ""
    try:
        float(error.instance.replace(",", "."))
    except ValueError:
        return ""
    return " It is a number written as text: drop the quotes, write 1.0e-3 for 1e-3, and use --configfile, not --config, for nested values."


def nearest(name, known):
    """ " Did you mean 'track'?" where a known name is like this one, else ""."""
    close = difflib.get_close_matches(str(name), [str(item) for item in known], n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _meaning(schema):
    return f" ({schema['description'].rstrip('.')})" if "description" in schema else ""


def document(folder):
    """The page config/README.md: every key of the configuration and every column of the sheets. Markdown text."""
    folder = Path(folder)
    schema = load_schema(folder)
    top = {"type": "object", "properties": {k: v for k, v in schema["properties"].items() if k not in STAGES}}
    lines = [
        "# The configuration",
        "",
        "`config/config.yaml` runs the demo as it stands. Every key has a default, so a config holds only what differs from it.",
        "Unknown keys are refused. Made from `workflow/schemas` by `python -m cytocause.io.settings workflow/schemas > config/README.md`.",
        "",
        "- A file given by `--configfile` that names its own `samples` is an experiment of its own and replaces `config/config.yaml`;",
        "  one that does not is laid over it, key by key.",
        "- `--config` is for whole words only: Snakemake hands nested values over as text, which the check refuses.",
        "- Paths are relative to the folder that the workflow is started in. `${CYTOCAUSE_DATA}` and other variables of the environment",
        "  are filled in.",
        "- An edit reruns the stage whose section it is in, and what follows from it; nothing else.",
        "",
        "## Keys outside the sections",
        "",
        *_table(top),
    ]
    for stage in STAGES:
        section = schema["properties"][stage]
        lines += ["", f"## `{stage}`", "", section.get("description", ""), "", *_table(section)]
    sheets = (
        ("samples", "The sample sheet (`samples.tsv`)", _SAMPLES),
        ("exposures", "The exposures sheet (`exposures.tsv`)", _EXPOSURES),
        ("corrections", "A corrections file", _CORRECTIONS),
    )
    for name, title, text in sheets:
        lines += ["", f"## {title}", "", text, "", *_table(load_yaml(folder / f"{name}.schema.yaml"), column="column")]
    return "\n".join(lines) + "\n"


_SAMPLES = """Tab-separated, one row per movie (a position, or a region of one); lines that begin with `#` are skipped. The furthest stage given is where
the sample enters: `cells`, else `tracks`, else `labels`, else `movie`. What is given beside it is read by the stages that need it: masks with
their movie (intensities), tracks with their masks (shapes), events with tracks (no fates are called). `simulate` stands alone.
Columns that are neither listed here nor named under `conditions` are refused."""
_EXPOSURES = """Tab-separated. For treatments that change during the movie; the variable enters the graph as one that varies in time and has no parents."""
_CORRECTIONS = """Tab-separated, named in the sample sheet's column `corrections`. Corrections of tracks, and divisions, rerun `track` and what follows, the other
corrections of events `fate` and what follows."""


def _table(schema, column="key"):
    rows = list(_rows(schema))
    if not rows:
        return ["No keys."]
    return [f"| {column} | type and range | default | meaning |", "|---|---|---|---|", *rows]


def _rows(schema, prefix=""):
    required = schema.get("required", [])
    for key, sub in schema.get("properties", {}).items():
        name = f"{prefix}{key}"
        nested = sub.get("properties")
        default = "required" if key in required else "" if "default" not in sub else f"`{json.dumps(sub['default'], ensure_ascii=False)}`"
        if nested and sub.get("default", {}) == {}:
            default = ""
        meaning = " ".join(str(sub.get("description", "")).split()).replace("|", "\\|")
        yield f"| `{name}` | {expected(sub).replace('|', '')} | {default} | {meaning} |"
        if nested:
            yield from _rows(sub, f"{name}.")
        items = sub.get("items")
        if isinstance(items, dict) and items.get("properties"):
            yield from _rows(items, f"{name}[].")


if __name__ == "__main__":
    sys.stdout.write(document(sys.argv[1] if len(sys.argv) > 1 else "workflow/schemas"))
