"""Deaths, graphs, and the card that holds them all."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.report.scores import score
from cytocause.score.bootstrap import draws, intervals
from cytocause.score.card import pool_counts, rows_of_card, scorecard
from cytocause.score.events import event_counts
from cytocause.score.features import feature_counts, feature_figures, matched_rows, measured_features
from cytocause.score.graph import edge_counts, graph_counts, same_truth
from cytocause.score.onset import onset_figures
from cytocause.score.phase import phase_counts, phase_figures
from cytocause.score.ratios import ratios
from tests.score import naive


def test_a_death_counts_on_the_right_track_within_the_tolerance():
    belongs = {11: 1, 12: 2}
    counts, errors = event_counts([1, 2, 3], [100.0, 100.0, 50.0], [11, 12], [130.0, 131.0], belongs, 30.0)
    assert counts == {"tp": 1, "fp": 1, "fn": 2}
    assert errors.tolist() == [30.0]


def test_two_calls_on_one_death_are_one_hit_and_one_error():
    counts, errors = event_counts([1], [100.0], [11, 12], [90.0, 105.0], {11: 1, 12: 1}, 30.0)
    assert counts == {"tp": 1, "fp": 1, "fn": 0} and errors.tolist() == [5.0]


@settings(max_examples=40, deadline=None)
@given(
    true=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 20)), max_size=4, unique_by=lambda e: e[0]),
    found=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 20)), max_size=4, unique_by=lambda e: e[0]),
)
def test_deaths_are_paired_as_well_as_any_choice_would(true, found):
    belongs = {1: 1, 2: 2, 3: 3, 4: 1}
    pairs = [
        (i, j) for i, (a, t) in enumerate(true) for j, (b, u) in enumerate(found) if belongs.get(b) == a and abs(t - u) <= 5
    ]
    counts, _ = event_counts(*zip(*true), *zip(*found), belongs, 5) if true and found else ({"tp": 0}, None)
    assert counts["tp"] == naive.most_hits(pairs, len(true), len(found))


def edge(source, target, lag_min=None, **marks):
    return {"source": source, "target": target, "lag_min": lag_min, **marks}


TRUTH = [edge("drug", "death"), edge("contact", "death", 30.0), edge("speed", "shape", 20.0)]


def counted(found, **options):
    return edge_counts(TRUTH, found, conditions=["drug", "CAF"], tolerance_min=10.0, **options)


def test_the_truth_found_exactly_is_all_hits():
    counts = counted(TRUTH)
    assert {row: counts[row] for row in ("skeleton", "arrowhead", "lag", "condition")} == {
        "skeleton": {"tp": 3, "fp": 0, "fn": 0},
        "arrowhead": {"tp": 3, "fp": 0, "fn": 0},
        "lag": {"tp": 2, "fp": 0, "fn": 0},
        "condition": {"tp": 1, "fp": 0, "fn": 0},
    }


def test_each_question_has_its_own_answer():
    found = [
        edge("drug", "death", mark_source="tail", mark_target="tail"),  # joined, head missed
        edge("death", "contact", 0.0),  # turned round, at lag 0
        edge("speed", "shape", 30.0),  # one layer off
        edge("speed", "speed", 10.0),  # own past: outside
        edge("CAF", "shape"),  # false condition edge
        edge("weather", "death", 10.0),  # unknown to the truth
    ]
    counts = counted(found, variables=["drug", "CAF", "death", "contact", "speed", "shape"])
    assert counts["skeleton"] == {"tp": 3, "fp": 1, "fn": 0}
    assert counts["arrowhead"] == {"tp": 1, "fp": 2, "fn": 2}
    assert counts["lag"] == {"tp": 1, "fp": 1, "fn": 1}
    assert counts["condition"] == {"tp": 1, "fp": 1, "fn": 0}
    assert counts["unscored"] == 1


def test_layers_round_a_true_lag_are_one_hit_and_the_rest_of_a_pair_one_error():
    counts = counted([edge("contact", "death", lag) for lag in (20.0, 30.0, 40.0, 80.0, 90.0)])
    assert counts["lag"] == {"tp": 1, "fp": 1, "fn": 1}


def test_a_latent_edge_has_two_heads():
    counts = counted([edge("speed", "shape", 20.0, mark_source="arrow", mark_target="arrow")])
    assert counts["arrowhead"] == {"tp": 1, "fp": 1, "fn": 2}


@pytest.mark.parametrize(("delta_t", "hit"), [(2, 1), (1, 0), ({"a": 2, "b": 3, "drug": 0}, 1), (None, 1)])
def test_one_layer_is_read_from_the_found_graph_and_frames_become_minutes(delta_t, hit):
    truth = {
        "scored_edges": [{"source": "a", "target": "b", "lag_frames": 4}],
        "frame_interval_min": 10.0,
        "conditions": [],
        "variables": ["a", "b"],
    }
    found = {"edges": [{**edge("a", "b", 60.0), "lag_steps": 6}], "nodes": [], "parameters": {"delta_t": delta_t}}
    counts = graph_counts(truth, found, {"lag_tolerance_layers": 1})["lag"]
    assert counts == {"tp": hit, "fp": 1 - hit, "fn": 1 - hit}


def test_proxies_stand_for_what_they_measure_and_definitional_pairs_are_outside():
    truth = {
        "scored_edges": [edge("speed", "shape", 20.0)],
        "conditions": ["drug"],
        "variables": ["drug", "speed", "shape", "death"],
        "proxies": {"speed": ["speed_smooth"]},
        "definitional": [["death", "shape"]],
        "frame_interval_min": 10.0,
    }
    found = {
        "edges": [edge("speed_smooth", "shape", 20.0), edge("speed_smooth", "speed", 10.0), edge("death", "shape", 10.0)],
        "nodes": [],
    }
    counts = graph_counts(truth, found, {"lag_tolerance_layers": 1})
    assert counts["skeleton"] == {"tp": 1, "fp": 0, "fn": 0}
    assert counts["unscored"] == 1


def test_samples_of_different_models_have_no_common_truth():
    one, two = {"scored_edges": TRUTH}, {"scored_edges": TRUTH[:1]}
    assert same_truth([one, one])[0] is one
    graph, reason = same_truth([one, two])
    assert graph is None and "different causal models" in reason
    assert same_truth([])[0] is None


ROWS = {
    "segment": {"tp": 90, "fp": 5, "fn": 5},
    "link": {"n_edges": 100, "n_missing": 2, "n_superfluous": 1, "n_wrong_kind": 0},
    "division": {"tp": 8, "fp": 1, "fn": 2},
    "death": {"tp": 0, "fp": 0, "fn": 0},
}


def test_the_card_pools_counts_before_it_divides():
    other = {**ROWS, "segment": {"tp": 10, "fp": 0, "fn": 90}}
    card = scorecard({"a": {"tumour": ROWS}, "b": {"tumour": other}}, edge_counts(TRUTH, TRUTH, conditions=["drug"], tolerance_min=10))
    assert card["segment.ap50"] == pytest.approx(100 / 200)
    assert card["segment.ap50_precision"] == pytest.approx(100 / 105)
    assert card["track.lnk"] == pytest.approx(1 - (2 * 1.5 * 2 + 2) / (1.5 * 200))
    assert card["track.division_f1"] == pytest.approx(ratios({"tp": 16, "fp": 2, "fn": 4})["f1"])
    assert card["samples"]["b"]["tumour"]["segment.ap50"] == 0.1
    assert card["infer.lag_recall"] == 1.0 and card["infer.false_condition_edges"] == 0
    json.dumps(card, allow_nan=False)


def test_a_row_that_cannot_be_scored_says_why():
    card = scorecard({"a": {"tumour": ROWS}}, None, {"lag": "no graph was inferred"})
    assert card["fate.death_f1"] is None and card["notes"]["fate.death_f1"] == "no true death and no found one"
    assert card["infer.lag_f1"] is None and card["notes"]["infer.lag_f1"] == "no graph was inferred"
    empty = scorecard({})
    assert empty["segment.ap50"] is None and "no sample has a truth" in empty["notes"]["segment.ap50"]
    assert {row["score"]: row["note"] for row in rows_of_card(empty)}["track.lnk"] == "no sample has a truth to compare with"


def test_the_table_lists_pooled_population_and_sample_rows():
    card = scorecard({"a": {"tumour": ROWS, "immune": ROWS}}, None)
    rows = rows_of_card(card)
    keys = {(r["sample"], r["population"], r["score"]) for r in rows}
    assert len(keys) == len(rows)
    assert {("", "", "track.lnk"), ("", "immune", "track.lnk"), ("a", "tumour", "segment.ap50")} <= keys


def test_onset_errors_have_a_size_and_a_side():
    assert onset_figures([-10.0, 20.0, 20.0]) == (20.0, 10.0)
    assert onset_figures([]) == (None, None)
    one, two = {"death_onset": {"errors_min": [10.0]}}, {"death_onset": {"errors_min": [-30.0, 40.0]}}
    card = scorecard({"a": {"tumour": one}, "b": {"tumour": two}})
    assert card["fate.death_onset_error_min"] == 30.0 and card["fate.death_onset_bias_min"] == pytest.approx(20 / 3)
    assert card["counts"]["death_onset"] == {"n": 3}  # the errors themselves are no part of the card


def test_a_feature_is_judged_by_its_value_and_not_by_its_correlation():
    true = np.array([1.0, 2.0, 3.0, np.nan])
    assert feature_figures(feature_counts(true, true)) == (1.0, 0.0)
    assert feature_figures(feature_counts(true, true + 1)) == (pytest.approx(1 - 3 / 2), 1.0)
    assert feature_figures(feature_counts(true[:1], true[:1] + 2)) == (None, 2.0)
    assert feature_figures(feature_counts(true[3:], true[3:])) == (None, None)
    assert feature_figures(feature_counts([5.0, 5.0], [5.0, 6.0])) == (None, 0.5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=20), st.integers(1, 2))
def test_features_add_over_samples(rows, cut):
    true, found = np.array(rows).T
    r2, bias = feature_figures(pool_counts([feature_counts(true[:cut], found[:cut]), feature_counts(true[cut:], found[cut:])]))
    spread = ((true - true.mean()) ** 2).sum()
    assert bias == pytest.approx((found - true).mean(), abs=1e-9)
    if spread > 1e-3:
        assert r2 == pytest.approx(1 - ((found - true) ** 2).sum() / spread, rel=1e-6, abs=1e-6)


def test_the_card_names_the_features_that_are_measured_and_never_scored():
    columns = ["sample", "track_id", "label", "y_um", "area_um2", "perimeter_um", "intensity_mean_actin", "speed_um_min", "border", "phase"]
    truth = pd.DataFrame({"track_id": [1], "y_um": [2.0], "area_um2": [50.0], "speed_um_min": [np.nan]})
    tumour = measured_features(columns, truth)
    assert tumour == {"with": ["area_um2"], "without": ["perimeter_um", "intensity_mean_actin", "speed_um_min"]}
    later = measured_features(columns, truth.assign(speed_um_min=1.0))
    card = scorecard({}, features={"tumour": [tumour, later], "immune": [measured_features(columns, None)]})
    assert card["measure.features_without_truth"] == 2 + 4
    note = card["notes"]["measure.features_without_truth"]
    assert note == "measured and never scored, the truth has no value: tumour: perimeter_um, intensity_mean_actin; immune: all 4 features"
    assert {row["score"]: row["note"] for row in rows_of_card(card)}["measure.features_without_truth"] == note


def test_the_card_says_when_a_sample_was_simulated_with_what_models_are_trained_on():
    samples = {name: {"tumour": ROWS} for name in ("a", "b")}
    test, train = {"test_range": True, "training_values": []}, {"test_range": False, "training_values": ["seed 7", "photons 400"]}

    def said(**ranges):
        card = scorecard(samples, ranges=ranges)
        row = {row["score"]: row for row in rows_of_card(card)}["score.test_range"]
        assert row["note"] == card["notes"].get("score.test_range", "")
        return card["score.test_range"], row["value"], row["note"]

    assert said(a=test, b=test) == (True, 1, "")
    assert said(a=train, b=test) == (False, 0, "settings of the training range: not a test score: seed 7, photons 400 (a)")
    assert said(a=train, b=train) == (False, 0, "settings of the training range: not a test score: seed 7, photons 400")
    assert said(a=test, b={}) == (None, None, "it is not said of b")


def test_the_reports_table_shows_false_edges_by_class_and_what_the_card_is_no_score_of():
    graph = edge_counts(TRUTH, [*TRUTH, edge("CAF", "speed")], conditions=["drug", "CAF"], tolerance_min=10)
    features = {"tumour": [{"with": ["area_um2"], "without": ["perimeter_um"]}]}
    ranges = {"a": {"test_range": False, "training_values": ["seed 7"]}}
    rows = {row["key"]: row for row in score(scorecard({"a": {"tumour": ROWS}}, graph, features=features, ranges=ranges))["rows"]}
    assert [rows[f"infer.false_{name}"]["value"] for name in ("directed_edges", "edges_condition_to_x", "edges_same_cell")] == ["1", "1", "0"]
    assert rows["measure.features_without_truth"]["value"] == "1" and "perimeter_um" in rows["measure.features_without_truth"]["note"]
    assert rows["score.test_range"]["value"] == "no" and rows["score.test_range"]["note"].endswith("not a test score: seed 7")


def test_rows_are_matched_by_frame_and_number():
    truth = pd.DataFrame({"track_id": [1, 1, 2], "frame": [0, 1, 1]})
    cells = pd.DataFrame({"label": [7, 9, 7], "frame": [1, 1, 0]})
    pairs = np.array([[0, 1, 7], [1, 1, 9], [1, 2, 8], [5, 1, 7]])
    rows = matched_rows(truth, cells, pairs)
    assert [part.tolist() for part in rows] == [[0, 1], [2, 1]]


def test_phases_are_counted_by_what_is_true():
    counts = phase_counts(["interphase", "interphase", "mitosis", None], ["interphase", "mitosis", "mitosis", "dying"])
    figures = phase_figures(counts)
    assert figures["fate.phase_accuracy"] == pytest.approx(2 / 3)
    assert figures["fate.phase_interphase_recall"] == 0.5 and figures["fate.phase_mitosis_recall"] == 1.0
    assert figures["fate.phase_dying_recall"] is None
    card = scorecard({"a": {"tumour": {"phase": counts}}})
    assert card["notes"] | {"fate.phase_dying_recall": "no matched cell is in that phase"} == card["notes"]


def test_intervals_are_over_chips_and_seeded():
    samples = {name: {"tumour": {"segment": {"tp": tp, "fp": 0, "fn": 100 - tp}}} for name, tp in (("a", 90), ("b", 80), ("c", 50), ("d", 70))}
    card = scorecard(samples, resamples=400, seed=3)
    low, high = card["intervals"]["segment.ap50"]
    assert 0.5 <= low < card["segment.ap50"] < high <= 0.9
    assert scorecard(samples, resamples=400, seed=3) == card
    assert draws(4, 400, 3).tolist() == draws(4, 400, 3).tolist() != draws(4, 400, 4).tolist()
    # two samples of a chip are drawn together: with two chips the extremes are the chips themselves
    two = scorecard(samples, chips={"a": "A", "b": "A", "c": "C", "d": "C"}, resamples=400, seed=3)
    assert two["intervals"]["segment.ap50"] == pytest.approx([0.6, 0.85]) and two["bootstrap"]["chips"] == 2
    one = scorecard(samples, chips=dict.fromkeys(samples, "A"), resamples=400)
    assert one["intervals"] == {} and "fewer than two chips" in one["bootstrap"]["note"]


def test_a_figure_that_rarely_exists_has_no_interval():
    def figures_of(units):
        return {"often": sum(units), "rare": 1.0 if sum(units) == 0 else None}

    assert set(intervals(figures_of, [0, 1, 1, 1], 200, 1)) == {"often"}


def test_ratios_of_nothing_are_none():
    assert ratios({"tp": 0, "fp": 0, "fn": 0}) == {"precision": None, "recall": None, "f1": None, "jaccard": None}
    assert np.isclose(ratios({"tp": 1, "fp": 1, "fn": 0})["f1"], 2 / 3)
