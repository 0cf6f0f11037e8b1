"""The sheets that describe an experiment: samples, exposures, corrections. Read and checked before any job starts.

    samples.tsv   one row per movie   -> {"sample", "entry", "movie": [files], "labels": {population: file}, ..., "conditions", "levels"}
    exposures.tsv one row per dose    -> {"sample", "variable", "start_min", "end_min", "dose", "unit"}
    corrections   one row per edit    -> {"population", "track_id", "frame", "action", "value"}

Plain Python (no pandas): this runs at every start of the workflow, on every node.
"""

import csv
import os
import re
from pathlib import Path

import jsonschema
import yaml

from cytocause.io.model_names import CELLPOSE_FILES, is_path, shipped_models
from cytocause.io.settings import ConfigError, explain, load_yaml, nearest, shown

ENTRIES = ("movie", "labels", "tracks", "cells")  # from the raw to the refined; the last one given is where a sample enters
LEVELS = ("date", "donor", "chip", "position", "region", "control")
FIELDS = ("pixel_size_um", "frame_interval_min", "axes")
TRACK_ACTIONS = ("link", "cut", "exclude", "type", "division", "not_division")
FATE_ACTIONS = ("death", "not_death", "division", "not_division")
NOT_POPULATIONS = ("simulate", "prepare", "status", "truth")  # folders beside the populations'
LEFT_OUT_CONTROLS = ("blank", "death_positive")  # unless assemble.controls keeps them
TAKEN = ("trajectory", "time_step", "death", "division")  # columns of the table with a meaning of their own
IMAGES = (".tif", ".tiff", ".btf", ".tf8", ".stk", ".lsm")  # as in frame_files; a preview beside the frames is no frame


def read_experiment(config, schemas, models="resources/causal_models"):
    """Samples and exposures of a checked configuration.

    Parameters
    ----------
    config : dict
        With every default filled in.
    schemas : path
        Folder of the schemas.
    models : path
        Folder of the causal models that a sheet may name.

    Returns
    -------
    (samples, exposures) : (list of dict, list of dict)
        In the sheets' order; see the module's docstring.

    Raises
    ------
    ConfigError
        One line per mistake, with file, row, column, what was found and what is allowed.
    """
    problems = []
    populations = check_populations(config, problems)
    check_radii(config, problems)
    check_conditions(config, schemas, problems)
    samples = []
    if not problems:
        samples = read_samples(config, schemas, populations, models, problems)
    exposures = []
    if config["exposures"] and not problems:
        path = expand(config["exposures"], "config: exposures", problems)
        exposures = read_exposures(path, schemas, samples, config, problems)
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))
    return samples, exposures


def check_populations(config, problems):
    """Names of the populations, in order; what is wrong with them goes to `problems`."""
    names = []
    for k, population in enumerate(config["segment"].get("populations") or [{"name": "cells"}]):
        name = population["name"]
        at = f"config: segment.populations[{k}].name is {shown(name)}"
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            problems.append(f"{at}; expected a lower-case word (letters, digits, underscore; a letter first).")
        elif name in NOT_POPULATIONS:
            problems.append(f"{at}, which is the name of a folder beside the populations'; choose another.")
        elif name in names:
            problems.append(f"{at}, as an earlier population; names must differ.")
        names.append(name)
        channel = population.get("channel")
        if isinstance(channel, str) and config["channels"] and channel not in config["channels"]:
            problems.append(
                f"config: segment.populations[{k}].channel is {shown(channel)}; the config's channels are {', '.join(config['channels'])}."
            )
        if isinstance(channel, int) and config["channels"] and not 0 <= channel < len(config["channels"]):
            problems.append(
                f"config: segment.populations[{k}].channel is {channel}; the config names {len(config['channels'])} channels, counted from 0."
            )
        if population.get("engine") == "cellpose":
            check_model(population["model"], f"config: segment.populations[{k}].model is {shown(population['model'])}", problems)
    return names


def check_model(model, at, problems):
    """A model is a shipped one, one of Cellpose's own by name, or a file that is there."""
    shipped = list(shipped_models())
    if is_path(model):
        if not os.path.isfile(os.path.expanduser(model)):
            problems.append(f"{at}, and there is no such file. Give the path of a file with weights, or a shipped model: {', '.join(shipped)}.")
    elif model not in shipped and model not in CELLPOSE_FILES:
        problems.append(
            f"{at}; allowed: {', '.join(shipped)} (shipped), {', '.join(CELLPOSE_FILES)} (Cellpose's own), or the path of a file with weights."
            f"{nearest(model, [*shipped, *CELLPOSE_FILES])}"
        )


def check_radii(config, problems):
    """Contact lies inside vicinity."""
    for unit in ("um", "px"):
        near, far = config["measure"][f"r1_{unit}"], config["measure"][f"r2_{unit}"]
        if near > far:
            problems.append(f"config: measure.r1_{unit} is {near}, larger than measure.r2_{unit}, which is {far}; expected contact inside vicinity.")


def check_conditions(config, schemas, problems):
    """Names of conditions must differ and must not be columns with a meaning of their own."""
    reserved = set(load_yaml(Path(schemas) / "samples.schema.yaml")["properties"])
    seen = set()
    for k, condition in enumerate(config["conditions"]):
        name = condition["name"]
        if name in TAKEN:
            problems.append(f"config: conditions[{k}].name is {name!r}, which is a column of the table with a meaning of its own; choose another name.")
        if name in reserved:
            why = "a level, carried to every table and never a cause" if name in LEVELS else "a column with a meaning of its own"
            problems.append(f"config: conditions[{k}].name is {name!r}, which is {why}; choose another name.")
        if name in seen:
            problems.append(f"config: conditions[{k}].name is {name!r}, as an earlier condition; names must differ.")
        seen.add(name)
        for key, value in (("reference", condition["reference"]), *((f"levels[{n}]", level) for n, level in enumerate(condition["levels"]))):
            if condition["kind"] != "continuous" and isinstance(value, str) and "," in value:
                problems.append(
                    f"config: conditions[{k}].{key} is {shown(value)}; a value must not hold a comma, which separates levels in variables.tsv."
                )
        if condition["kind"] == "continuous" and not is_number(condition["reference"]):
            problems.append(f"config: conditions[{k}].reference is {shown(condition['reference'])}; a continuous condition needs a number.")
        if condition["kind"] == "ordered" and condition["levels"] and condition["reference"] not in condition["levels"]:
            problems.append(
                f"config: conditions[{k}].reference is {shown(condition['reference'])}; expected one of its levels: "
                f"{', '.join(map(str, condition['levels']))}."
            )


def read_table(path, schema, problems, *, extra=(), what="table"):
    """Rows of a TSV as dicts of text, blank cells left out, checked against `schema` and typed.

    extra : names of further columns that are allowed, left as text.
    Returns a list of (line number in the file, dict).
    """
    if not os.path.isfile(path):
        problems.append(f"{path}: the {what} is not there.")
        return []
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            lines = [(number, line) for number, line in enumerate(handle.read().splitlines(), 1) if line.strip() and line[0] != "#"]
    except UnicodeDecodeError:
        problems.append(f"{path}: not a text file in UTF-8; save the {what} as tab-separated text.")
        return []
    if not lines:
        problems.append(f"{path}: empty; the {what} needs a header and at least one row.")
        return []
    header = [name.strip() for name in next(csv.reader([lines[0][1]], delimiter="\t"))]
    known = [*schema["properties"], *extra]
    for name in dict.fromkeys(name for name in header if header.count(name) > 1):
        problems.append(f"{path}, row {lines[0][0]}: column {name!r} is there twice.")
    for name in header:
        if name not in known:
            hint = " Columns must be separated by tabs." if "," in name or " " in name or ";" in name else ""
            more = f" Conditions are named in the config under `conditions` (now: {', '.join(extra) or 'none'})." if what == "sample sheet" else ""
            problems.append(f"{path}: unknown column {name!r}.{hint} Known: {', '.join(known)}.{more}")
    for name in (*schema.get("required", []), *extra):
        if name not in header:
            problems.append(f"{path}: column {name!r} is missing.{' It is a condition of the config.' if name in extra else ''}")
    validator = jsonschema.Draft202012Validator(schema)
    rows = []
    for number, line in lines[1:]:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter="\t"))]
        if len(cells) > len(header):
            problems.append(f"{path}, row {number}: {len(cells)} cells under {len(header)} columns.")
            continue
        row = {name: cell for name, cell in zip(header, cells) if cell != ""}
        for name in schema.get("required", []):
            if name in header and name not in row:
                problems.append(f"{path}, row {number}: {name!r} is blank.")
        typed = {name: typed_cell(cell, schema["properties"].get(name, {})) for name, cell in row.items()}
        checked = {name: value for name, value in typed.items() if name in schema["properties"]}
        for error in validator.iter_errors(checked):
            if error.validator != "required":
                problems.extend(explain(error, f"{path}, row {number}"))
        rows.append((number, typed))
    return rows


def typed_cell(text, schema):
    """A cell's text as the number the schema asks for, where it is one; else the text as it stands."""
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else types
    if "integer" in types and re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if "number" in types and is_number(text):
        return number(text)
    return text


def is_number(value):
    """Whether a value is a finite number or the text of one."""
    if isinstance(value, bool):
        return False
    try:
        return abs(float(value)) != float("inf") and float(value) == float(value) and "_" not in str(value)
    except (TypeError, ValueError):
        return False


def number(value):
    """The text of a number as int where it is whole and written so, else float."""
    return int(value) if re.fullmatch(r"[+-]?\d+", str(value)) else float(value)


def read_samples(config, schemas, populations, models, problems):
    """Rows of the sample sheet as records; mistakes go to `problems`."""
    path = expand(config["samples"], "config: samples", problems)
    schema = load_yaml(Path(schemas) / "samples.schema.yaml")
    conditions = config["conditions"]
    names = [condition["name"] for condition in conditions]
    rows = read_table(path, schema, problems, extra=names, what="sample sheet")
    if not rows and not problems:
        problems.append(f"{path}: no row below the header; nothing to do.")
    corrections_schema = load_yaml(Path(schemas) / "corrections.schema.yaml")
    samples, seen, compared = [], {}, []
    for number_, row in rows:
        at = f"{path}, row {number_}"
        name = row.get("sample")
        if name is None:
            continue
        if name in seen:
            problems.append(f"{at}: sample {name!r} is there already in row {seen[name]}; names must differ.")
        seen.setdefault(name, number_)
        record = {
            "sample": name,
            "row": {field: row[field] for field in FIELDS if field in row},
            "levels": {level: row[level] for level in LEVELS if level in row},
            "conditions": {},
            "times": files(row["times"], f"{at}, column times", problems)[:1] if "times" in row else [],
        }
        for condition in conditions:
            value = condition_value(row.get(condition["name"]), condition, at, problems)
            record["conditions"][condition["name"]] = value
        read_entry(record, row, populations, models, at, problems)
        record["corrections"] = (
            read_corrections(row["corrections"], corrections_schema, populations, f"{at}, column corrections", problems)
            if "corrections" in row
            else []
        )
        samples.append(record)
        if config["assemble"]["controls"] != "exclude" or row.get("control") not in LEFT_OUT_CONTROLS:
            compared.append((number_, record))
    check_levels_of_conditions(samples, conditions, path, problems)
    check_one_unit(compared, path, problems)
    check_one_interval(compared, config["assemble"], path, problems)
    return samples


def check_one_unit(samples, path, problems):
    """Samples of one table are all in um or all in px. Blank sizes are known from the files only, and tables may be in um themselves.

    samples : list of (row in the sheet, record)
    """
    sized = [(number_, record["row"]["pixel_size_um"], record) for number_, record in samples if "pixel_size_um" in record["row"]]
    unknown = [
        number_ for number_, size, record in sized if size == "unknown" and (record["movie"] or record["labels"] or record["simulate"])
    ]
    known = [(number_, size) for number_, size, _ in sized if is_number(size)]
    if unknown and known:
        problems.append(
            f"{path}, row {unknown[0]}: pixel_size_um is `unknown`, and {known[0][1]} in row {known[0][0]}: one sample would be measured in px, "
            "the other in um. Give it for all samples, or `unknown` for all."
        )


def check_one_interval(samples, assemble, path, problems):
    """Frame intervals that the sheet gives fit one time step, as `assemble` needs it. Samples with a table of times are left to `prepare`.

    samples : list of (row in the sheet, record); assemble : the config's section
    """
    given = [
        (number_, record["row"]["frame_interval_min"])
        for number_, record in samples
        if is_number(record["row"].get("frame_interval_min")) and record["row"]["frame_interval_min"] > 0 and not record["times"]
    ]
    step = assemble["time_step_min"]
    if step is None:
        intervals = [interval for _, interval in given]
        if given and max(intervals) > 1.01 * min(intervals):  # the tolerance of `assemble`
            (low, first), (high, second) = (given[intervals.index(choose(intervals))] for choose in (min, max))
            problems.append(
                f"{path}, row {high}: frame_interval_min is {second:g}, and {first:g} in row {low}; one table needs one time step. "
                "Set assemble.time_step_min to a common multiple, or mend the sheet."
            )
        return
    for number_, interval in given:
        if abs(max(1, round(step / interval)) * interval - step) > 0.01 * step:
            problems.append(
                f"{path}, row {number_}: frame_interval_min is {interval:g}, and assemble.time_step_min is {step:g}, which is no whole number of "
                "such frames. Choose a common multiple of the samples' frame intervals."
            )


def condition_value(text, condition, at, problems):
    """One sample's value of a condition: a number where it is one, else text."""
    name = condition["name"]
    if text is None:
        problems.append(f"{at}: condition {name!r} is blank; write its value, or {shown(condition['reference'])} for its reference.")
        return None
    value = number(text) if is_number(text) else text
    if condition["kind"] == "continuous" and not is_number(value):
        problems.append(f"{at}: condition {name!r} is the text {shown(text)}; it is continuous and needs a number.")
    if condition["kind"] != "continuous" and isinstance(value, str) and "," in value:
        problems.append(
            f"{at}: condition {name!r} is {shown(value)}; a value must not hold a comma, which separates levels in variables.tsv. "
            "Write a decimal number with a point, or another word."
        )
    if condition["kind"] == "ordered" and condition["levels"] and value not in condition["levels"]:
        problems.append(f"{at}: condition {name!r} is {shown(value)}; its levels are {', '.join(map(str, condition['levels']))}.")
    return value


def check_levels_of_conditions(samples, conditions, path, problems):
    """Binary conditions have at most two values; ordered ones are numbers, unless their levels are listed."""
    for condition in conditions:
        name = condition["name"]
        found = list(dict.fromkeys(s["conditions"].get(name) for s in samples if s["conditions"].get(name) is not None))
        values = list(dict.fromkeys([condition["reference"], *found]))
        if condition["kind"] == "binary" and len(values) > 2:
            problems.append(
                f"{path}: condition {name!r} is binary and has {len(values)} values with its reference {shown(condition['reference'])}: "
                f"{', '.join(map(str, values))}. Make it ordered or continuous, or mend the sheet."
            )
        if condition["kind"] == "ordered" and not condition["levels"] and not all(is_number(value) for value in found):
            problems.append(f"{path}: condition {name!r} is ordered with words as values; give their order in the config under levels.")


def read_entry(record, row, populations, models, at, problems):
    """Where a sample enters, and the files it brings."""
    given = [column for column in ENTRIES if column in row]
    if "simulate" in row:
        clash = [column for column in (*ENTRIES, "events") if column in row]
        if clash:
            problems.append(f"{at}: `simulate` stands alone; drop it or {', '.join(clash)}.")
        model = row["simulate"]
        path = model_file(model, models, f"{at}, column simulate", problems)
        record.update(simulate=model, model=path, entry="simulate", doses=doses_of_model(path))
    else:
        record.update(simulate=None, model=None, entry=given[-1] if given else None, doses=[])
        if not given:
            problems.append(f"{at}: no entry; give one of movie, labels, tracks, cells or simulate.")
    record["movie"] = movie_files(row["movie"], f"{at}, column movie", problems) if "movie" in row else []
    for column in ("labels", "tracks", "cells", "events"):
        record[column] = per_population(row[column], populations, f"{at}, column {column}", problems) if column in row else {}
    if len(populations) > 1 and len(set(record["labels"].values())) == 1:
        check_label_channels(row["labels"], record["labels"], f"{at}, column labels", problems)


def model_file(model, models, at, problems):
    """The file of a causal model: a path, a name in `models`, or <name>_minus_<edge>, which is <name> without that edge."""
    path = expand(model, at, problems)
    if re.search(r"[/\\]|\.ya?ml$", path):
        base, edge = path, ""
    else:
        base, _, edge = path.partition("_minus_")
        path = os.path.join(models, f"{base}.yaml")
    if not os.path.isfile(path):
        folder = Path(models)
        known = sorted(file.stem for file in folder.glob("*.yaml")) if folder.is_dir() else []
        problems.append(f"{at}: no causal model {base!r} ({path}). Known: {', '.join(known) or 'none'}.")
    elif edge:
        edges = edges_of_model(path)
        if edge not in edges:
            problems.append(f"{at}: {model!r} takes away the edge {edge!r}, which {path} does not have. Its edges: {', '.join(edges) or 'none'}.")
    return path


def model_of_power(model, models="resources/causal_models"):
    """{"name", "file"} of the causal model that the config names for the target power; raises ConfigError when there is none."""
    problems = []
    path = model_file(model, models, "config: score.power.model", problems)
    if problems:
        raise ConfigError("\n".join(problems))
    return {"name": model, "file": path}


def edges_of_model(path):
    """Names <source>_<target> of the edges in a causal model's file."""
    return list(dict.fromkeys(f"{edge['source']}_{edge['target']}" for edge in part_of_model(path, "edges")))


def doses_of_model(path):
    """Names of the variables of a causal model whose course the exposures sheet gives."""
    variables = part_of_model(path, "variables")
    return [name for name in variables if variables[name].get("kind") == "exogenous"] if isinstance(variables, dict) else []


def part_of_model(path, part):
    """Edges or variables as the file has them; none where they cannot be read: the model's own check then names the line."""
    try:
        model = load_yaml(Path(path))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []
    found = model.get(part) if isinstance(model, dict) else None
    entries = found.values() if isinstance(found, dict) else found if isinstance(found, list) else []
    keys = ("source", "target") if part == "edges" else ()
    return found if found and all(isinstance(entry, dict) and all(key in entry for key in keys) for entry in entries) else []


def expand(text, at, problems):
    """A path with its ${VARIABLES} and ~ filled in."""
    path = os.path.expanduser(os.path.expandvars(text))
    for name in re.findall(r"\$\{?(\w+)\}?", path):
        problems.append(f"{at}: the environment has no variable {name}, which {text!r} needs; set it: export {name}=...")
    return path


def files(text, at, problems):
    """[path] of one file that must be there and not empty."""
    before = len(problems)
    path = expand(text, at, problems)
    if len(problems) == before:
        if os.path.isdir(path):
            problems.append(f"{at}: {path} is a folder; a file is expected.")
        elif not os.path.exists(path):
            problems.append(f"{at}: {path} is not there.")
        elif not os.access(path, os.R_OK):
            problems.append(f"{at}: {path} cannot be read; check its permissions.")
    return [path]


def per_population(text, populations, at, problems):
    """{population: file}; {population} in the path is filled in, else all populations read the same file."""
    if "{population}" not in text:
        path = label_source(text, at, problems)
        return {population: path for population in populations}
    return {population: label_source(text.replace("{population}", population), at, problems) for population in populations}


def check_label_channels(text, labels, at, problems):
    """Labels shared by several populations must have a channel of each one's name: else all populations were the same cells."""
    from cytocause.io.errors import InputDefect
    from cytocause.io.labels import open_labels  # numpy and tifffile: only where there is a file to look into

    path = next(iter(labels.values()))
    if not os.path.exists(path):
        return  # said already
    try:
        with open_labels(path) as stack:
            names = stack.channel_names
    except InputDefect:
        return  # a broken file is the sample's defect: `segment` says what is wrong with it, and the others go on
    missing = [name for name in labels if name not in names]
    if missing:
        has = "one channel" if len(names) == 1 else f"the channels {', '.join(names)}"
        problems.append(
            f"{at}: {text} is given for the populations {', '.join(labels)} and has {has}, none for {', '.join(missing)}. "
            "Give each population its own file, with {population} in the path, or a TIFF with a channel of each one's name."
        )


def label_source(text, at, problems):
    """A file, or a folder of label images, that must be there."""
    before = len(problems)
    path = expand(text, at, problems)
    if len(problems) == before and os.path.isdir(path):
        if not any(os.scandir(path)):
            problems.append(f"{at}: the folder {path} is empty.")
        return path
    return files(text, at, problems)[0] if len(problems) == before else path


def movie_files(text, at, problems):
    """The files of one movie: the file itself, or a folder's images sorted by the numbers in their names."""
    before = len(problems)
    path = expand(text, at, problems)
    if len(problems) > before:
        return []
    if os.path.isdir(path):
        names = sorted((name for name in os.listdir(path) if name.lower().endswith(IMAGES) and name[0] != "."), key=natural)
        if not names:
            problems.append(f"{at}: the folder {path} has no image ({', '.join(IMAGES)}); convert frames of other formats to TIFF.")
        return [os.path.join(path, name) for name in names]
    return files(text, at, problems)


def natural(name):
    """Sort key that counts: frame2 before frame10."""
    return [(0, int(part), part) if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def read_exposures(path, schemas, samples, config, problems):
    """Rows of the exposures sheet; mistakes (unknown sample, end before start, overlap, two units) go to `problems`."""
    schema = load_yaml(Path(schemas) / "exposures.schema.yaml")
    names = {sample["sample"] for sample in samples}
    conditions = {condition["name"] for condition in config["conditions"]}
    records, spans, units = [], {}, {}
    for number_, row in read_table(path, schema, problems, what="exposures sheet"):
        at = f"{path}, row {number_}"
        if any(key not in row for key in schema["required"]):
            continue
        sample, variable, start, end = row["sample"], row["variable"], row["start_min"], row["end_min"]
        if sample not in names:
            problems.append(f"{at}: sample {sample!r} is not in {config['samples']}.")
        if variable in (*TAKEN, "sample", *LEVELS):
            problems.append(f"{at}: variable {variable!r} is a column of the table with a meaning of its own; choose another name.")
        if variable in conditions:
            problems.append(f"{at}: variable {variable!r} is also a condition; a treatment either changes in time or does not.")
        if not is_number(start) or not is_number(end):
            continue
        if end <= start:
            problems.append(f"{at}: end_min {end} is not after start_min {start}.")
        for other, other_start, other_end in spans.get((sample, variable), []):
            if start < other_end and other_start < end:
                problems.append(
                    f"{at}: overlaps row {other}: {variable} of sample {sample!r} is given for {start} to {end} min "
                    f"and for {other_start} to {other_end} min."
                )
        spans.setdefault((sample, variable), []).append((number_, start, end))
        first = units.setdefault(variable, (row["unit"], number_))
        if first[0] != row["unit"]:
            problems.append(f"{at}: {variable} is in {row['unit']!r}, and in {first[0]!r} in row {first[1]}; one unit per variable.")
        records.append({key: row[key] for key in schema["required"]})
    return records


def read_corrections(text, schema, populations, at, problems):
    """Rows of one corrections file. Who made them and when is checked but not handed on: it changes no result."""
    before = len(problems)
    path = files(text, at, problems)[0]
    if len(problems) > before:
        return []
    records = []
    for number_, row in read_table(path, schema, problems, what="corrections file"):
        if any(key not in row for key in schema["required"]):
            continue
        here = f"{path}, row {number_}"
        if row["population"] not in populations:
            problems.append(f"{here}: population is {row['population']!r}; the config's populations are {', '.join(populations)}.")
        if row["action"] in ("link", "type") and "value" not in row:
            need = "the earlier track that it continues" if row["action"] == "link" else "the cell type"
            problems.append(f"{here}: action {row['action']} needs `value`: {need}.")
        if row["action"] == "link" and "value" in row and not str(row["value"]).isdigit():
            problems.append(f"{here}: action link has the value {shown(row['value'])}; expected a track_id.")
        if row["action"] == "division" and not re.fullmatch(r"\d+( *, *\d+)*", str(row.get("value", 1))):
            problems.append(f"{here}: action division has the value {shown(row['value'])}; expected the daughters' track_ids, separated by commas.")
        records.append({key: row[key] for key in ("population", "track_id", "frame", "action", "value") if key in row} | {"file": path})
    return records
