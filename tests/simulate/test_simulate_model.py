"""The model file: what it becomes, and what each mistake is told."""

import pytest

from cytocause.io import InputDefect
from cytocause.simulate import ModelError, lag_frames, parse_model, truth_graph
from cytocause.simulate.cells import run_chip
from tests.simulate import worlds

TEXT = worlds.model_text("tumour_on_chip")


def line_of(text, part):
    return next(k for k, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_shipped_models_are_read():
    model = worlds.model()
    assert model.name == "tumour_on_chip"
    assert model.contextual() == ["treatment", "CAF_presence"]
    assert {(e.source, e.target) for e in model.edges} >= {("treatment", "death"), ("contact", "death"), ("CAF_presence", "speed")}


def test_null_is_the_same_chip_without_the_conditions_edges():
    model, null = worlds.model(), worlds.model("null")
    assert not [e for e in null.edges if e.source in null.contextual()]
    assert null.edges == tuple(e for e in model.edges if e.source not in model.contextual())
    assert null.variables == model.variables and null.populations == model.populations


def test_an_edge_can_be_switched_off():
    model = worlds.model().without(("contact", "death"))
    assert ("contact", "death") not in {(e.source, e.target) for e in model.edges}
    assert len(model.edges) == len(worlds.model().edges) - 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("target: contact,    sign", "target: contract,   sign", ["unknown variable 'contract'", "known are treatment"]),
        ("lag_min: 30, form", "lag_min: abc, form", ["'lag_min' is 'abc'", "a number is expected"]),
        ('target: elongation, sign: "+"', 'target: elongation, sign: "up"', ["sign 'up'", "'+' or '-'"]),
        ("strength: 0.8, lag_min: 20, form: threshold", "strength: 0.8, lag_min: 0, form: threshold", ["cycle at lag 0", "size -> speed"]),
        ("strength: 0.5}", "strength: -0.5}", ["'strength' is -0.5", "0 or more"]),
        ("strength: 0.5}", "strength: 0.5, lag_min: 20}", ["a condition does not change in time"]),
        ("strength: 0.5}", "strength: 0.5, from: wave}", ["unknown key 'from'", "allowed are"]),
        ("strength: 0.5}", "strength: 0.5, form: cubic}", ["form 'cubic'", "linear, saturating, threshold"]),
        ("{source: CAF_presence, target: speed, ", "{source: speed, target: CAF_presence, ", ["points at a condition", "turn it round"]),
        ("{source: contact,      target: speed, ", "{source: death,      target: speed, ", ["starts at an event"]),
        ("diameter_um: 6.6", "diameter_um: -6.6", ["population 'immune'", "'diameter_um' is -6.6"]),
        ("body_min: 190", "body_mins: 190", ["variable 'death' has the unknown key 'body_mins'"]),
        ("    persistence_min: 60", "    persistence_min: .inf", ["finite number"]),
        ("  treatment:\n    kind: contextual", "  treatment:\n    kind: dose", ["variable 'treatment' has kind 'dose'"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(old, new, words):
    assert TEXT.count(old) >= 1
    broken = TEXT.replace(old, new, 1)
    with pytest.raises(ModelError) as caught:
        parse_model(broken, "mine.yaml")
    message = str(caught.value)
    for word in words:
        assert word in message
    changed = next(k for k, (a, b) in enumerate(zip(TEXT.splitlines(), broken.splitlines()), 1) if a != b)
    assert message.startswith("mine.yaml, line ")
    assert abs(int(message.split("line ")[1].split(":")[0]) - changed) <= 1


def test_the_same_edge_twice_and_a_key_twice_are_refused():
    edge = '  - {source: CAF_presence, target: speed,      sign: "+", strength: 0.5}\n'
    with pytest.raises(ModelError, match=f"already given on line {line_of(TEXT, edge.strip())}"):
        parse_model(TEXT + edge)
    with pytest.raises(ModelError, match="'name' is given twice"):
        parse_model("name: again\n" + TEXT)


@pytest.mark.parametrize("text", ["", "[1, 2]", "name: x", "name: [unclosed"])
def test_a_file_that_is_no_model_is_refused_in_a_sentence(text):
    with pytest.raises(ModelError, match="line"):
        parse_model(text, "mine.yaml")


def test_a_model_error_is_a_defect_of_the_input():
    assert issubclass(ModelError, InputDefect)


def test_a_lag_must_be_a_whole_number_of_frames():
    assert lag_frames(worlds.model(), 10)[6:9] == [3, 2, 2]
    with pytest.raises(ModelError, match="lag of 20 min, which is no whole number of frames at 15 min a frame"):
        lag_frames(worlds.model(), 15)


def test_an_overfull_chip_and_an_impossible_rate_are_refused():
    with pytest.raises(ModelError, match="would cover 74 % of the chip.*lower simulate.tumour_density_mm2"):
        run_chip(worlds.model(), worlds.section(tumour_density_mm2=4000), "s", worlds.PLAIN)
    fast = parse_model(TEXT.replace("    per_hour:", "    per_hour: 40  #", 1))
    with pytest.raises(ModelError, match="'mitosis' of 40 per hour .* lower per_hour"):
        run_chip(fast, worlds.section(), "s", worlds.PLAIN)


def test_a_missing_condition_is_named():
    with pytest.raises(ModelError, match="sample 's'.*condition 'CAF_presence'.*add a column"):
        run_chip(worlds.model(), worlds.section(), "s", {"treatment": 1})


def test_the_truth_graph_speaks_of_observed_columns():
    graph = truth_graph(worlds.model(), 10.0)
    edges = {(e["source"], e["target"]): e for e in graph["scored_edges"]}
    assert edges["treatment", "division"]["lag_min"] is None and edges["treatment", "division"]["sign"] == "-"
    assert edges["n_immune_r1", "death"]["lag_min"] == 30 and edges["n_immune_r1", "death"]["lag_frames"] == 3
    assert edges["area_um2", "division"]["lag_min"] == 40  # the time between mitosis and the daughters
    assert edges["CAF_presence", "speed_um_min"]["kind"] == "condition"
    assert len(graph["edges"]) == len(graph["scored_edges"]) == len(worlds.model().edges)
    assert set(graph["variables"]) >= {e[k] for e in graph["scored_edges"] for k in ("source", "target")}
    scored = {frozenset((e["source"], e["target"])) for e in graph["scored_edges"]}
    assert not scored & {frozenset(pair) for pair in graph["definitional"]}
