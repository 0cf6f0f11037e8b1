"""The data dictionary: what every column means, in which unit, and from which inputs it is computed.

One file, resources/data_dictionary.tsv. Names may be templates: `n_{population}_r1` describes `n_immune_r1`.
Lengths are written in um; a table in pixels uses the same rows with px in the place of um.
"""

import csv
import functools
import re
from pathlib import Path

PATH = Path(__file__).resolve().parents[3] / "resources" / "data_dictionary.tsv"
FIELDS = ("name", "unit", "dtype", "meaning", "source", "inputs")


def data_dictionary():
    """The dictionary as a DataFrame (name, unit, dtype, meaning, source, inputs), all text."""
    import pandas as pd

    return pd.DataFrame(_rows(), columns=list(FIELDS))


def describe(column):
    """The row (dict) for a column, templates and pixel names resolved; None when the column is not in the dictionary.

    An exact name wins over a template, and a template with more fixed letters over one with fewer.
    """
    found = _find(column)
    if found is not None:
        return dict(found)
    in_um = re.sub(r"_px(?=2?(?:_|$))", "_um", column)
    found = _find(in_um) if in_um != column else None
    if found is None:
        return None
    return {**found, "unit": found["unit"].replace("um", "px")}


def inputs_of(column, rows=None):
    """Inputs of a column as a list of texts, {population} and the like filled in; [] for a column that is not in the dictionary.

    rows : rows of the dictionary (dicts with name, inputs); default the project's
    """
    index = _index() if rows is None else _index_of(rows)
    for name in dict.fromkeys((column, re.sub(r"_px(?=2?(?:_|$))", "_um", column))):
        row, filled = _match(index, name)
        if row is not None:
            text = row["inputs"]
            for word, value in filled.items():
                text = text.replace("{" + word + "}", value)
            return [part.strip() for part in text.split(",") if part.strip()]
    return []


@functools.cache
def _rows():
    with open(PATH, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [{field: (row.get(field) or "") for field in FIELDS} for row in rows]


@functools.cache
def _index():
    return _index_of(_rows())


def _index_of(rows):
    exact, templates = {}, []
    for row in rows:
        if "{" in row["name"]:
            parts = re.split(r"\{[a-z_]+\}", row["name"])
            pattern = "(.+)".join(re.escape(part) for part in parts)
            templates.append((sum(map(len, parts)), re.compile(pattern), row))
        else:
            exact[row["name"]] = row
    templates.sort(key=lambda item: -item[0])
    return exact, templates


def _find(column):
    return _match(_index(), column)[0]


def _match(index, column):
    """(row, {word of the template: what stands there}), or (None, {})."""
    exact, templates = index
    if column in exact:
        return exact[column], {}
    for _, pattern, row in templates:
        found = pattern.fullmatch(column)
        if found:
            return row, dict(zip(re.findall(r"\{([a-z_]+)\}", row["name"]), found.groups()))
    return None, {}
