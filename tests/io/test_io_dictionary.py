"""The data dictionary knows every column of every table that the stages write, and every row of it is whole."""

import runpy
from pathlib import Path

import pytest

from cytocause.assemble import assemble_table, failed_samples
from cytocause.infer.summary import EDGES, RAW, TRIPLES
from cytocause.io import data_dictionary, describe
from cytocause.simulate import truths
from tests.assemble import worlds

ROOT = Path(__file__).parents[2]


def columns_of(table):
    """Names of the columns of a table of the results."""
    if table in ("edges", "raw", "triples"):
        return {"edges": EDGES, "raw": RAW, "triples": TRIPLES}[table]
    if table == "segment":
        return runpy.run_path(str(ROOT / "scripts" / "segment.py"))["_count_table"]([], [], []).columns
    if table == "truth":
        return [*truths.VARIABLES, *truths.HIDDEN, *truths.OF_MODEL.values(), *truths.CONTACTS]
    if table == "failed":
        return failed_samples([]).columns
    return assemble_table([worlds.sample()], worlds.config())[1].columns


@pytest.mark.parametrize("table", ["edges", "raw", "triples", "segment", "truth", "failed", "variables"])
def test_every_column_is_in_the_dictionary(table):
    columns = list(columns_of(table))
    assert columns
    assert [name for name in columns if describe(name) is None] == []


def test_every_row_has_a_type_a_meaning_and_a_source_and_stands_once():
    dictionary = data_dictionary()
    for field in ("name", "dtype", "meaning", "source"):
        assert (dictionary[field] != "").all(), field
    assert dictionary["name"].is_unique
    numbers = dictionary[dictionary["name"].str.contains(r"_(?:um2?|px|min|frames|steps)$")]
    assert (numbers["unit"] != "").all()


def test_every_line_of_the_file_has_all_fields():
    lines = (ROOT / "resources" / "data_dictionary.tsv").read_text().splitlines()
    assert {line.count("\t") for line in lines} == {lines[0].count("\t")}
