"""Where the numbers of the shipped models are from: each names its study, or says that it is ours and why."""

import re

import pytest
import yaml

from cytocause.simulate import ModelError, parse_model
from tests.simulate import worlds

SHIPPED = sorted(path.stem for path in (worlds.ROOT / "resources/causal_models").glob("*.yaml"))
STUDY = re.compile(r"\b(19|20)\d\d, [A-Z][\w ]+ \w+:\w+|eLife \d+")  # year, journal and place


def numbers_of(entry):
    """Names of the fields that hold numbers."""
    return {key for key, value in entry.items() if key == "schedule" or isinstance(value, (int, float)) and not isinstance(value, bool)}


def entries(name):
    """(what, fields) of all variables and populations of a model that hold numbers, and of its tissue."""
    raw = yaml.safe_load(worlds.model_text(name))
    named = [(f"{part} {key}", entry) for part in ("variables", "populations") for key, entry in raw[part].items()]
    return [(what, entry) for what, entry in [*named, ("tissue", raw.get("tissue", {}))] if numbers_of(entry)]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_number_of_a_shipped_model_has_a_source(name):
    found = entries(name)
    assert len(found) >= 8
    for what, entry in found:
        told = entry.get("source")
        assert isinstance(told, dict), f"{name}: {what} has no source"
        assert {key for names in told for key in names.split(", ")} == numbers_of(entry), f"{name}: {what}"
        for names, text in told.items():
            ours = text.startswith("ours") and len(text) > 12  # "ours" alone says nothing
            assert ours or STUDY.search(text), f"{name}: {what}: {names}: {text!r}"


def test_one_number_has_one_source_in_all_models():
    seen = {}
    for name in SHIPPED:
        for what, entry in entries(name):
            for names, text in entry["source"].items():
                for key in names.split(", "):
                    if what != "variables stiffness":
                        assert seen.setdefault((what, key), text) == text, (name, what, key)


TEXT = worlds.model_text("tumour_on_chip")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("      regrow_min: ours,", "      regrows_min: ours,", ["variable 'size': 'source' speaks of 'regrows_min', which is not given here", "reference, doubling_h"]),
        ("      regrow_min: ours, daughters' nuclei swell within the first hour", "      regrow_min:", ["'source' is None", "the study that a number is from"]),
        ("      persistence_min: ours, so that a cell keeps its way for several frames of 10 min", "      persistence_min: 7", ["population 'tumour'", "'source' is 7"]),
        ("      persistence_min: ours, so that a cell", "      arrest: ours, so that a cell", ["population 'tumour'", "speaks of 'arrest'", "the numbers are persistence_min"]),
        ("      cell_sd, chip_sd: ours, small", "      cell_sd, date_sd: ours, small", ["speaks of 'date_sd'"]),
    ],
)  # fmt: skip
def test_a_source_of_nothing_is_named_with_its_line(old, new, words):
    assert old in TEXT
    broken = TEXT.replace(old, new, 1)
    with pytest.raises(ModelError) as caught:
        parse_model(broken, "mine.yaml")
    changed = next(k for k, (a, b) in enumerate(zip(TEXT.splitlines(), broken.splitlines()), 1) if a != b)
    assert str(caught.value).startswith(f"mine.yaml, line {changed}: ")
    for word in words:
        assert word in str(caught.value)


def test_a_source_may_be_one_text_for_all_numbers():
    text = TEXT.replace("    persistence_min: 60\n    source:\n", "    persistence_min: 60\n    source: a study\n    dropped:\n", 1)
    lines = [line for line in text.splitlines() if line != "    dropped:" and not line.startswith("      persistence_min: ours, so that a cell")]
    model = parse_model("\n".join(lines))
    assert model.populations == worlds.model().populations
    with pytest.raises(ModelError, match="population 'tumour': 'source' is ' '"):
        parse_model("\n".join(lines).replace("source: a study", "source: ' '"))
