"""The model file: what it becomes, and what each mistake is told."""

from graphlib import TopologicalSorter

import numpy as np
import pytest

from cytocause.io import InputDefect
from cytocause.simulate import ModelError, lag_frames, parse_model, truth_graph
from cytocause.simulate.cells import form_value, run_chip
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
        ("strength: 2.5}", "strength: 2.5, centre: low}", ["'centre' is 'low'"]),
        ("target: elongation, sign", "target: elongation, lag_min: 0, sign", ["given twice"]),
        ("    reference: 185", "    reference: -185", ["variable 'size': 'reference' is -185", "above 0"]),
        ("    largest: 1.35", "    largest: 0.5", ["'largest' is 0.5 of the reference", "cells start at"]),
        ("    vicinity_um: 23.2", "    vicinity_um: 10", ["vicinity_um of 10 lies inside the radius_um of 12.9"]),
        ('strength: 0.20, lag_min: 20}', 'strength: 0.20}', ["'speed' is known only after the cells have moved", "cycle at lag 0"]),
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
    line = line_of(TEXT, "target: speed,      sign: \"-\"")
    with pytest.raises(ModelError, match=f"yaml, line {line}: .*lag of 20 min, which is no whole number of frames at 15 min a frame"):
        lag_frames(worlds.model(), 15)


@pytest.mark.parametrize(
    ("old", "new", "changes", "words", "at"),
    [
        ("", "", {"tumour_density_mm2": 4000}, ["would cover 74 % of the chip", "lower simulate.tumour_density_mm2"], "    reference: 185"),
        ("    diameter_um: 6.6", "    diameter_um: 41", {}, ["all cells together would cover 72 %", "59 % of it by population 'immune'", "lower diameter_um or simulate.immune_density_mm2"], "    diameter_um: 41"),
        ("    reference: 185", "    reference: 9000", {"height": 64, "tumour_density_mm2": 1}, ["does not fit into a field of 51.2 um"], "    reference: 9000"),
        ("    per_hour: 0.060", "    per_hour: 40", {}, ["'mitosis' of 40 per hour", "more than half of the cells", "lower per_hour"], "    per_hour: 40"),
        ("    per_hour: 0.0055", "    per_hour: 2", {}, ["fewer than one cell in a hundred", "the chip empties"], "    per_hour: 2"),
        ("    doubling_h: 36", "    doubling_h: 4", {"height": 160, "width": 160, "tumour_density_mm2": 2900}, ["the chip overfills: after", "would cover", "% of it", "'mitosis'"], "    per_hour: 0.060"),
        ("    per_hour: 0.060", "    per_hour: 1.5 #", {"height": 160, "width": 160, "size_counts": False}, ["the chip overfills: after", "cells per mm2", "'mitosis'"], "    per_hour: 1.5"),
    ],
)  # fmt: skip
def test_an_impossible_chip_is_refused_with_the_line_that_makes_it_so(old, new, changes, words, at):
    assert old in TEXT
    text = TEXT.replace(old, new, 1) if old else TEXT
    model = parse_model(text, "mine.yaml")
    if not changes.pop("size_counts", True):  # cells divide however small they are
        model = model.without(("size", "mitosis"))
    with pytest.raises(ModelError) as caught:
        run_chip(model, worlds.section(**changes), "s", worlds.PLAIN)
    for word in words:
        assert word in str(caught.value)
    assert str(caught.value).startswith(f"mine.yaml, line {line_of(text, at)}: ")


def test_fibroblasts_that_fill_the_chip_are_named_with_both_their_lines():
    text = worlds.model_text("full").replace("    density_mm2: 120", "    density_mm2: 2500", 1)
    with pytest.raises(ModelError) as caught:
        run_chip(parse_model(text, "mine.yaml"), worlds.section(), "s", worlds.PLAIN)
    said = str(caught.value)
    assert said.startswith(f"mine.yaml, line {line_of(text, '    density_mm2: 2500')}: all cells together would cover 71 % of the chip")
    assert f"lower density_mm2 or diameter_um (mine.yaml, line {line_of(text, '    diameter_um: 17')})" in said


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


SHIPPED = sorted(path.stem for path in (worlds.ROOT / "resources/causal_models").glob("*.yaml"))
FULL = worlds.model("full")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_read_under_its_own_name_and_lives(name):
    model = worlds.model(name)
    assert model.name == name and model.description
    history = run_chip(model, worlds.section(n_frames=4, height=128, width=128), "s", {"treatment": 1, "CAF_presence": 1})
    assert len(history.tumour) == 4 and history.tumour[0]["track_id"].size > 3
    assert bool(history.caf[0]["track_id"].size) == ("caf" in model.populations)


def test_the_shipped_models_are_the_same_chip_but_for_what_they_are_about():
    base = worlds.model()
    for name in SHIPPED:
        model = worlds.model(name)
        assert model.populations["tumour"] == base.populations["tumour"]
        for variable in ("size", "speed", "elongation", "contact"):
            own, common = model.variables[variable], base.variables[variable]
            assert {**own.values, "date_sd": 0.0} == common.values and own.observed == common.observed


@pytest.mark.parametrize("edge", FULL.edges, ids=lambda edge: edge.name)
def test_full_without_an_edge_is_full_without_that_edge(edge):
    less = FULL.named(f"full_minus_{edge.name}")
    assert less.name == f"full_minus_{edge.name}"
    assert [e for e in FULL.edges if e not in less.edges] == [edge]
    assert (less.variables, less.populations, less.tissue) == (FULL.variables, FULL.populations, FULL.tissue)


def test_names_of_models_that_take_nothing_away():
    assert FULL.named("full") is FULL and FULL.named("my/full_minus_x.yaml") is FULL
    with pytest.raises(ModelError, match="no edge 'drug_death' to take away; its edges are treatment_death, treatment_mitosis"):
        FULL.named("full_minus_drug_death")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.replace("    condition: CAF_presence", "    condition: stiffness"), ["population 'caf'", "'condition' is 'stiffness'", "treatment, CAF_presence"]),
        (lambda t: t.replace("    heritability: 0.7", "    heritability: 1.7"), ["'heritability' is above 1"]),
        (lambda t: t.replace("  drift_um_h: 1.5", "  drift_um_h: -1"), ["'tissue'", "'drift_um_h' is -1"]),
        (lambda t: t.replace("  scale_um: 250", "  scales_um: 250"), ["'tissue' has the unknown key 'scales_um'"]),
        (lambda t: t.replace("target: growth,      sign", "target: fitness,     sign", 1), ["points at 'fitness', on which nothing acts"]),
        (lambda t: t.replace("{source: stiffness,     target: speed,       sign: \"-\", strength: 0.1}", "{source: stiffness, target: speed, sign: \"-\", strength: 0.1, lag_min: 10}"), ["a property of the chip does not change in time"]),
        (lambda t: t.replace("    hidden: true\n    sd: 1.0", "    hidden: perhaps\n    sd: 1.0"), ["'hidden' is 'perhaps'"]),
    ],
)  # fmt: skip
def test_a_mistake_in_the_larger_model_is_named_with_its_line(change, words):
    text = worlds.model_text("full")
    broken = change(text)
    with pytest.raises(ModelError) as caught:
        parse_model(broken, "mine.yaml")
    for word in words:
        assert word in str(caught.value)
    changed = next(k for k, (a, b) in enumerate(zip(text.splitlines(), broken.splitlines()), 1) if a != b)
    assert str(caught.value).startswith(f"mine.yaml, line {changed}: ")


def test_a_schedule_must_run_forward_and_a_shield_needs_who_casts_it():
    text = worlds.model_text("drug_pulse")
    with pytest.raises(ModelError, match=r"line \d+: variable 'drug', schedule: end_min 18 is not after start_min 180"):
        parse_model(text.replace("end_min: 420", "end_min: 18"))
    with pytest.raises(ModelError, match=r"line \d+: variable 'shield' needs the population 'caf'"):
        parse_model(TEXT.replace("  size:\n", "  shield:\n    kind: cell\n    radius_um: 40\n  size:\n", 1))


def test_forms_of_an_edge():
    x = np.array([-2.0, 0.0, 1.0, 3.0])
    assert form_value("linear", x, 1.0).tolist() == x.tolist()
    assert form_value("saturating", x, 1.0).tolist() == pytest.approx([-2 / 3, 0, 0.5, 0.75])
    assert form_value("threshold", x, 1.0).tolist() == [0, 0, 1, 1]
    assert form_value("u_shaped", x, 1.0).tolist() == pytest.approx([0.8, 0, 0.5, 0.9])
    assert form_value("u_shaped", x, 2.0, centre=1.0).tolist() == pytest.approx([9 / 13, 0.2, 0, 0.5])


# ---- the true graph ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("noise", ["auto", "hidden"])
@pytest.mark.parametrize("name", SHIPPED)
def test_links_join_nodes_once_and_have_no_cycle_within_a_step(name, noise):
    model = worlds.model(name)
    nodes, links = model.nodes(noise), model.causal_links(10.0, noise)
    names = [node["name"] for node in nodes]
    assert len(set(names)) == len(names)
    assert {link[end] for link in links for end in ("source", "target")} <= set(names)
    assert len({(link["source"], link["target"], link["lag_frames"]) for link in links}) == len(links)
    assert all(set(link) == {"source", "target", "lag_frames", "sign", "strength", "form"} for link in links)
    assert all(node["observed"] is None for node in nodes if node["hidden"])
    TopologicalSorter({n: [k["source"] for k in links if k["target"] == n and k["lag_frames"] == 0] for n in names}).prepare()
    constant = {node["name"] for node in nodes if node["kind"] in ("contextual", "exogenous") or node["kind"] == "chip"}
    assert not [link for link in links if link["target"] in constant and link["source"] != link["target"]]


def test_links_say_what_is_written_what_cells_do_and_what_is_seen():
    links = {(k["source"], k["target"]): k for k in FULL.causal_links(10.0)}
    for edge in FULL.edges:
        link = links[edge.source, edge.target]
        assert (link["lag_frames"], link["strength"], link["form"]) == (edge.lag_min / 10, edge.strength, edge.form)
        assert link["sign"] == ("+" if edge.sign > 0 else "-")
    for structural in (("growth", "size"), ("contact", "contact_time"), ("CAF_presence", "shield"), ("death", "death_event")):
        assert links[structural]["lag_frames"] == 0
    assert links["mitosis", "division_event"]["lag_frames"] == 4
    for name in ("size", "speed", "elongation", "growth", "contact", "contact_time", "fitness", "density", "division_event"):
        assert links[name, name]["lag_frames"] == 1
    hidden = {node["name"] for node in FULL.nodes() if node["hidden"]}
    assert hidden == {"stiffness", "fitness", "cycle_age", "growth", "shield", "contact_time", "mitosis", "death"}
    kinds = {node["name"]: node["kind"] for node in FULL.nodes()}
    assert (kinds["stiffness"], kinds["death_event"], kinds["mitosis"], kinds["treatment"]) == ("chip", "event", "hazard", "contextual")
    assert {n["name"]: n["kind"] for n in worlds.model("drug_pulse").nodes()}["drug"] == "exogenous"


def test_hidden_noise_turns_memory_and_random_effects_into_nodes():
    links = {(k["source"], k["target"]) for k in FULL.causal_links(10.0, "hidden")}
    assert {("speed_memory", "speed_memory"), ("speed_memory", "speed"), ("death_date_effect", "death"), ("contact_chip_effect", "contact")} <= links
    assert ("speed", "speed") not in links and ("size", "size") in links
    with pytest.raises(ValueError, match="'auto' or 'hidden'"):
        FULL.nodes("some")
    with pytest.raises(ModelError, match="interval of 0 min is no step"):
        FULL.causal_links(0)
