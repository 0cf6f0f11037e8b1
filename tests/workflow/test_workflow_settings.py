"""The configuration's check: defaults, refusals and their sentences."""

import copy

import pytest
import yaml

from cytocause.io.settings import STAGES, ConfigError, check_config, document, load_schema
from tests.workflow.lab import ROOT

SCHEMAS = ROOT / "workflow" / "schemas"


@pytest.fixture(scope="module")
def schema():
    return load_schema(SCHEMAS)


@pytest.fixture
def demo():
    return yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


def refused(config, schema):
    with pytest.raises(ConfigError) as caught:
        check_config(config, schema, "my.yaml")
    return str(caught.value)


def test_every_default_is_filled_in_and_is_allowed_itself(schema, demo):
    checked = check_config(demo, schema, "my.yaml")
    assert set(STAGES) <= set(checked)
    assert check_config(checked, schema, "my.yaml") == checked
    for stage in STAGES:
        assert set(checked[stage]) >= {key for key, sub in schema["properties"][stage]["properties"].items() if "default" in sub}


def test_a_config_that_names_only_its_samples_is_whole(schema):
    checked = check_config({"samples": "mine.tsv"}, schema, "my.yaml")
    assert [entry["name"] for entry in checked["segment"]["populations"]] == ["cells"]
    assert checked["conditions"] == []


def test_an_empty_section_means_its_defaults(schema):
    assert check_config({"track": None}, schema, "my.yaml")["track"] == check_config({}, schema, "my.yaml")["track"]


def test_the_check_leaves_its_argument_alone(schema, demo):
    before = copy.deepcopy(demo)
    check_config(demo, schema, "my.yaml")
    assert demo == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trak": {}}, ["my.yaml", "'trak'", "Did you mean 'track'?", "simulate"]),
        ({"segment": {"populations": [{"name": "cells", "engine": "celpose"}]}},
         ["my.yaml: segment.populations[0].engine", '"celpose"', "cellpose, threshold, precomputed"]),
        ({"segment": {"flow_treshold": 1}}, ["my.yaml: segment: unknown key 'flow_treshold'", "Did you mean 'flow_threshold'?"]),
        ({"segment": {"flow_threshold": "0.4"}}, ["segment.flow_threshold", 'the text "0.4"', "a number", "drop the quotes"]),
        ({"segment": {"flow_threshold": 40}}, ["segment.flow_threshold is 40", "from 0 to 10"]),
        ({"conditions": [{"name": "drug", "kind": "binary"}]}, ["conditions[0]", "'reference' is missing"]),
        ({"conditions": [{"name": "drug", "kind": "yes", "reference": 0}]}, ["conditions[0].kind", "binary, ordered, continuous"]),
        ({"channels": ["a", "a"]}, ["channels has an entry twice"]),
        ({"channels": ["a", "b", "c", "d", "e"]}, ["channels has 5 entries", "at most 4"]),
        ({"channels": "tumour"}, ["channels is the text", "a list"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_key_value_and_what_is_allowed(schema, change, words):
    message = refused(change, schema)
    for word in words:
        assert word in message, message


def test_all_mistakes_are_named_at_once(schema):
    assert len(refused({"trak": {}, "mesure": {}, "channels": 3}, schema).splitlines()) == 3


def test_every_key_has_a_meaning_and_unknown_ones_are_refused_at_every_level(schema):
    def walk(node, path):
        for key, sub in node.get("properties", {}).items():
            here = f"{path}.{key}"
            assert sub.get("description") or sub.get("properties"), f"{here} has no description"
            yield here, sub
            yield from walk(sub, here)
            if isinstance(sub.get("items"), dict):
                yield from walk(sub["items"], f"{here}[]")

    for stage in STAGES:
        section = schema["properties"][stage]
        assert section.get("additionalProperties") is False, f"{stage} lets unknown keys pass"
        for here, sub in walk(section, stage):
            if sub.get("properties"):
                assert sub.get("additionalProperties") is False, f"{here} lets unknown keys pass"
                assert sub.get("default") == {}, f"{here} needs default: {{}} so that its own defaults fill in"


def test_the_page_of_the_configuration_is_up_to_date():
    page = (ROOT / "config" / "README.md").read_text()
    assert page == document(SCHEMAS), "run: python -m cytocause.io.settings workflow/schemas > config/README.md"


@pytest.mark.parametrize("stage", STAGES)
def test_every_section_says_what_it_is_about(schema, stage):
    assert len(schema["properties"][stage].get("description", "").split()) >= 5
