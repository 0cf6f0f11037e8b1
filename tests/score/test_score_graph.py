"""The rows of a learned graph, and its false edges, on a world whose answer is known."""

import numpy as np
import pytest
from scipy.stats import binom, poisson

from cytocause.score.card import rows_of_card, scorecard
from cytocause.score.false_edges import CLASSES, false_edges, pool_false_edges, upper_share
from cytocause.score.graph import graph_counts, graph_figures, same_truth
from cytocause.score.target import target

CFG = {"lag_tolerance_layers": 1, "death_tolerance_min": 30, "death_tolerance_frames": 3}
COLUMNS = ("drug", "CAF", "area_um2", "speed_um_min", "eccentricity", "n_immune_r1", "death")


def node(name, kind="cell", observed=None, **more):
    return {"name": name, "kind": kind, "hidden": observed is None, "observed": observed, "constant": kind == "contextual"} | more


def link(source, target, lag=0):
    return {"source": source, "target": target, "lag_frames": lag}


def world(*without, extra=()):
    """drug -> death, drug -> speed -20 min-> elongation, contact -20 min-> death, a hidden cause of speed and contact, drug -> earlier -> size."""
    nodes = [
        node("drug", "contextual", "drug"), node("CAF", "contextual", "CAF"), node("size", observed="area_um2"),
        node("speed", observed="speed_um_min"), node("elongation", observed="eccentricity"), node("contact", observed="n_immune_r1"),
        node("death", "hazard"), node("death_event", "event", "death"), node("crowd"),
        node("earlier", induced=True, constant=True),
    ]  # fmt: skip
    links = [
        link("drug", "death"), link("drug", "speed"), link("speed", "elongation", 2), link("contact", "death", 2), link("crowd", "speed"),
        link("crowd", "contact"), link("death", "death_event"), link("drug", "earlier"), link("earlier", "size"),
        *(link(name, name, 1) for name in ("size", "speed", "elongation", "contact", "death_event")),
    ]  # fmt: skip
    kept = [*(e for e in links if (e["source"], e["target"]) not in without), *extra]
    return {
        "dag": {"nodes": nodes, "links": kept, "step_min": 10.0},
        "scored_edges": [],
        "conditions": ["drug", "CAF"],
        "frame_interval_min": 10.0,
        "proxies": {"speed_um_min": ["speed_smooth_um_min", "directionality"]},
    }


def found(*edges, columns=COLUMNS, layers=4, stride=1):
    """A found graph; an edge is (source, "o->" and the like, target, lag in min or None)."""
    marks = {"<": "arrow", ">": "arrow", "-": "tail", "o": "circle"}
    lagged = {name: {"n_layers": layers, "delta_t": stride} for name in columns}
    return {
        "nodes": [{"name": n, "role": "contextual" if n in ("drug", "CAF") else "dynamic"} for n in columns],
        "edges": [
            {"source": a, "target": b, "lag_min": lag, "mark_source": marks[way[0]], "mark_target": marks[way[-1]]}
            for a, way, b, lag in edges
        ],
        "parameters": {"frame_interval_min": 10.0, "frames_per_step": 1.0, "n_layers": layers, "delta_t": stride, "variables": lagged},
    }


def as_known(truth, graph):
    """The best that can be found: every joined pair, with the marks that can be known."""
    ends = {"arrow": "arrow", "tail": "tail", "circle": "circle"}
    edges = [
        {**{k: e[k] for k in ("source", "target", "lag_min")}, "mark_source": ends[e["known_source"]], "mark_target": ends[e["known_target"]]}
        for e in target(truth, graph).edges
    ]
    return {**graph, "edges": edges}


PERFECT = (("drug", "-->", "death", None), ("drug", "-->", "speed_um_min", None), ("speed_um_min", "-->", "eccentricity", 20.0),
           ("n_immune_r1", "-->", "death", 20.0), ("n_immune_r1", "<->", "speed_um_min", 0.0))  # fmt: skip


def test_the_best_that_can_be_found_is_all_hits_and_no_false_edge():
    truth = world()
    graph = as_known(truth, found())
    counts = graph_counts(truth, graph, CFG)
    for row in ("summary", "skeleton", "lag", "arrowhead", "tail", "condition"):
        assert counts[row]["tp"] > 0 and counts[row]["fp"] == counts[row]["fn"] == 0, row
    assert counts["direct"]["tp"] == 4 and counts["direct"]["fn"] == 0
    assert counts["unsupported"] == {"arrowhead": 0, "tail": 0} and counts["lag_errors_min"] == [0.0, 0.0]
    assert false_edges(truth, graph, CFG)["total"] == 0


def test_a_pair_that_no_set_separates_is_true_but_not_direct():
    counts = graph_counts(world(), found(*PERFECT), CFG)
    assert counts["skeleton"] == {"tp": 5, "fp": 0, "fn": 0}
    assert counts["direct"] == {"tp": 4, "fp": 1, "fn": 0}  # contact and speed share a hidden cause, neither acts
    assert counts["summary"] == {"tp": 4, "fp": 0, "fn": 0}


def test_a_hidden_cause_called_a_cause_is_false_and_left_open_is_not():
    truth = world()
    for way, n in (("<->", 0), ("o->", 0), ("-->", 1)):
        said = false_edges(truth, found(("n_immune_r1", way, "speed_um_min", 0.0)), CFG)
        assert said["total"] == n, way
    assert graph_counts(truth, found(("n_immune_r1", "-->", "speed_um_min", 0.0)), CFG)["summary"]["fp"] == 1


def test_a_mark_that_nobody_can_know_is_unsupported_and_not_false():
    # nothing but x -> y: time gives the head at y, nothing the tail at x
    nodes = [node("x", observed="x"), node("y", observed="y")]
    truth = {"dag": {"nodes": nodes, "links": [link("x", "y", 1)], "step_min": 10.0}, "scored_edges": [], "frame_interval_min": 10.0}

    def counts(way):
        return graph_counts(truth, found(("x", way, "y", 10.0), columns=("x", "y"), layers=2), CFG)

    assert counts("o->")["arrowhead"] == {"tp": 1, "fp": 0, "fn": 0} and counts("o->")["tail"] == {"tp": 0, "fp": 0, "fn": 0}
    assert counts("-->")["unsupported"] == {"arrowhead": 0, "tail": 1} and counts("-->")["tail"]["fp"] == 0
    assert counts("<->")["unsupported"] == {"arrowhead": 1, "tail": 0} and counts("<->")["arrowhead"]["fp"] == 0
    assert graph_figures(counts("<->"))["infer.unsupported_marks"] == 1


def test_a_head_where_the_tail_can_be_known_is_false():
    counts = graph_counts(world(), found(("drug", "<->", "death", None)), CFG)
    assert counts["arrowhead"]["tp"] == 1 and counts["arrowhead"]["fp"] == 1
    assert counts["tail"]["tp"] == 0


def test_definitional_pairs_are_outside_and_named():
    columns = (*COLUMNS, "perimeter_um")
    graph = found(
        ("area_um2", "o->", "death", 20.0), ("death", "-->", "area_um2", 30.0), ("area_um2", "o-o", "eccentricity", 0.0),
        ("perimeter_um", "o-o", "area_um2", 0.0), ("area_um2", "-->", "death", 40.0), columns=columns,
    )  # fmt: skip
    counts = graph_counts(world(), graph, CFG)
    assert counts["outside"] == {"unknown": 0, "definitional": 4, "induced": 0}
    assert counts["skeleton"]["fp"] == 1  # 40 min before a death nothing was called from the area
    assert ["area_um2", "perimeter_um", "one mask"] in counts["definitional"]
    assert ["area_um2", "death", "death"] in counts["definitional"]
    assert false_edges(world(), graph, CFG)["edges"] == [["area_um2", "death", "same_cell"]]


def test_two_columns_of_one_quantity_are_definitional_and_both_stand_for_it():
    columns = (*COLUMNS, "speed_smooth_um_min")
    graph = found(("speed_smooth_um_min", "-->", "eccentricity", 20.0), ("speed_smooth_um_min", "o-o", "speed_um_min", 0.0), columns=columns)
    counts = graph_counts(world(), graph, CFG)
    assert counts["summary"]["tp"] == 1 and counts["outside"]["definitional"] == 1


def test_what_earlier_lives_join_is_neither_a_hit_nor_false():
    truth = world()
    edges = target(truth, found()).edges
    assert {e["source"] for e in edges if e["target"] == "area_um2" != e["source"] and e["induced"]} == {"drug"}
    counts = graph_counts(truth, found(("drug", "-->", "area_um2", None)), CFG)
    assert counts["outside"]["induced"] == 1 and counts["condition"] == {"tp": 0, "fp": 0, "fn": 2}
    acts_itself = world(extra=[link("drug", "size")])
    assert graph_counts(acts_itself, found(("drug", "-->", "area_um2", None)), CFG)["condition"] == {"tp": 1, "fp": 0, "fn": 2}


@pytest.mark.parametrize(
    ("source", "lag", "windows", "hit"),
    [
        ("speed_um_min", 30.0, None, True),  # one layer off
        ("speed_um_min", 40.0, None, False),
        ("directionality", 80.0, {"directionality_window_min": 60}, True),  # looks back an hour
        ("directionality", 90.0, {"directionality_window_min": 60}, False),
        ("directionality", 90.0, {"directionality_window_min": None}, True),  # since the start of the track
    ],
)
def test_a_lag_may_be_off_by_a_layer_or_by_what_the_feature_looks_back(source, lag, windows, hit):
    columns = tuple(source if name == "speed_um_min" else name for name in COLUMNS)
    graph = found((source, "-->", "eccentricity", lag), columns=columns, layers=10)
    counts = graph_counts(world(), graph, {**CFG, "windows": windows})
    assert counts["lag"]["tp"] == hit and counts["lag"]["fp"] == (not hit)
    assert counts["lag_errors_min"] == [lag - 20.0]


@pytest.mark.parametrize("window", [60, None])
def test_a_column_that_looks_back_further_widens_no_edge_of_another_column_of_the_same_quantity(window):
    columns, cfg = (*COLUMNS, "directionality"), {**CFG, "windows": {"directionality_window_min": window}}

    def counts(source):
        return graph_counts(world(), found((source, "-->", "eccentricity", 80.0), columns=columns, layers=10), cfg)

    slow, quick = counts("directionality"), counts("speed_um_min")
    assert slow["lag"] == {"tp": 1, "fp": 0, "fn": 1} and slow["arrowhead"]["fp"] == 0
    assert quick["lag"] == {"tp": 0, "fp": 1, "fn": 2} and quick["arrowhead"]["fp"] == 1
    both = found(*((source, "-->", "eccentricity", 80.0) for source in ("directionality", "speed_um_min")), columns=columns, layers=10)
    assert graph_counts(world(), both, cfg)["lag"] == {"tp": 1, "fp": 1, "fn": 1}  # each by its own look-back


def test_a_long_lag_may_be_off_by_a_fifth():
    truth = world(("contact", "death"), extra=[link("contact", "death", 20)])
    for lag, hit in ((160.0, 1), (150.0, 0)):
        assert graph_counts(truth, found(("n_immune_r1", "o->", "death", lag), layers=22), CFG)["lag"]["tp"] == hit


def test_several_layers_of_one_pair_count_once():
    graph = found(*(("n_immune_r1", "o->", "death", lag) for lag in (10.0, 20.0, 30.0)), *(("drug", "-->", "death", None),) * 2)
    counts = graph_counts(world(), graph, CFG)
    assert counts["lag"] == {"tp": 1, "fp": 0, "fn": 1} and counts["lag_errors_min"] == [0.0]
    assert counts["arrowhead"]["tp"] == 2


FALSE = (("CAF", "-->", "speed_um_min", None), ("n_immune_r1", "o->", "death", 20.0), ("eccentricity", "o->", "n_immune_r1", 20.0),
         ("area_um2", "-->", "speed_um_min", 0.0), ("area_um2", "o-o", "n_immune_r1", 0.0))  # fmt: skip


def test_false_edges_by_class_and_the_link_that_was_taken_away():
    truth = world(("contact", "death"))
    said = false_edges(truth, found(*FALSE), CFG, removed=("n_immune_r1", "death"))
    assert said["edges"] == [
        ["CAF", "speed_um_min", "condition_to_x"],
        ["area_um2", "speed_um_min", "lag_0"],
        ["eccentricity", "n_immune_r1", "same_cell"],
        ["n_immune_r1", "death", "contact_to_fate"],
    ]
    assert [said[name] for name in CLASSES] == [1, 1, 1, 1] and said["total"] == 4
    assert said["removed"] == {"source": "n_immune_r1", "target": "death", "joined": True, "directed": True, "false": True}
    absent = false_edges(truth, found(), CFG, removed=("n_immune_r1", "death"))
    assert absent["total"] == 0 and not any(absent["removed"][k] for k in ("joined", "directed", "false"))


def test_pooled_false_edges_have_exact_upper_bounds():
    nothing = {"total": 0, **dict.fromkeys(CLASSES, 0)}
    pooled = pool_false_edges([nothing] * 500)
    assert pooled["total"]["probability"] == 0 and pooled["total"]["probability_upper95"] == pytest.approx(1 - 0.05 ** (1 / 500))
    assert pooled["total"]["mean_upper95"] == pytest.approx(-np.log(0.05) / 500)
    some = [{**nothing, "total": k, "lag_0": k, "removed": {"joined": True, "directed": k > 1, "false": False}} for k in (0, 1, 5, 0)]
    pooled = pool_false_edges(some)
    assert pooled["lag_0"]["with"] == 2 and pooled["total"]["mean"] == 1.5 and pooled["same_cell"]["with"] == 0
    assert binom.cdf(2, 4, pooled["total"]["probability_upper95"]) == pytest.approx(0.05)
    assert poisson.cdf(6, 4 * pooled["total"]["mean_upper95"]) <= 0.05 + 1e-9
    assert pooled["removed"]["joined"]["probability"] == 1.0 and pooled["removed"]["directed"]["with"] == 1
    assert pool_false_edges(some) == pooled and pool_false_edges([])["total"]["mean"] is None
    assert upper_share(4, 4) == 1.0 and upper_share(0, 0) is None


def test_clustered_false_edges_widen_the_bound_of_their_mean():
    def one(k):
        return {"total": k, **dict.fromkeys(CLASSES, 0)}

    even, heaped = pool_false_edges([one(1)] * 40), pool_false_edges([one(20)] * 2 + [one(0)] * 38)
    assert even["total"]["mean"] == heaped["total"]["mean"] and heaped["total"]["mean_upper95"] > even["total"]["mean_upper95"]


def test_the_card_has_the_graphs_rows_and_what_is_counted_apart():
    counts = graph_counts(world(), found(*PERFECT, ("area_um2", "o-o", "eccentricity", 0.0)), CFG)
    card = scorecard({}, counts)
    assert card["infer.summary_f1"] == card["infer.skeleton_f1"] == card["infer.lag_f1"] == 1.0
    assert card["infer.direct_precision"] == 0.8 and card["infer.lag_error_min"] == 0.0
    assert card["infer.definitional_edges"] == 1 and ["area_um2", "eccentricity", "one mask"] in card["definitional"]
    listed = {row["score"] for row in rows_of_card(card)}
    assert {"infer.summary_f1", "infer.tail_f1", "infer.unsupported_marks", "infer.lag_error_min"} <= listed
    wrong = scorecard({}, graph_counts(world(("contact", "death")), found(*FALSE), CFG))
    table = {row["score"]: row["value"] for row in rows_of_card(wrong)}
    assert table["infer.false_directed_edges"] == 4 and [table[f"infer.false_edges_{name}"] for name in CLASSES] == [1, 1, 1, 1]
    empty = scorecard({}, graph_counts(world(), found(), CFG))
    assert empty["infer.lag_error_min"] is None and empty["notes"]["infer.lag_error_min"] == "no true lagged edge was found"


def test_samples_whose_links_differ_have_no_common_truth():
    assert same_truth([world(), world()])[0] is not None
    assert "different causal models" in same_truth([world(), world(("contact", "death"))])[1]
