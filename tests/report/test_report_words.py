"""Sentences and names: each mark says what it allows and no more."""

import pytest

from cytocause.report.marks import arrows, kind_of, lag_text
from cytocause.report.names import counted, listed, short, spoken, with_unit
from cytocause.report.sentences import claim, undecidable, verdict
from tests.report.experiment import edge

OPTIONS = {"conditions": ["CAF_presence"], "states": ["death"]}


def said(e, **options):
    (arrow,), _ = arrows([e])
    return claim(arrow, lag=lag_text(arrow.edges), **{**OPTIONS, **options})


def test_genuine_says_acts():
    text = said(edge("n_immune_r1", "death", 3, causal=True))
    assert text.startswith("More immune cells in contact makes death more likely 30 min (3 frames) later.")
    assert "hidden common cause of the two cannot explain this" in text and "assumptions" in text


def test_putative_says_may_and_names_the_hidden_cause():
    text = said(edge("area_um2", "speed_um_min", 2, sign="-"))
    assert text.startswith("Larger area may lower speed 20 min (2 frames) later.")
    assert "a hidden common cause of area and speed would look the same" in text


def test_undirected_claims_no_direction():
    text = said(edge("area_um2", "eccentricity", 0, head=(False, False)))
    assert "go together" in text and "do not say which acts on which" in text
    assert not any(word in text for word in ("raises", "lowers", "may ", "likely"))


def test_latent_denies_both_directions():
    text = said(edge("area_um2", "eccentricity", 1, head=(True, True)))
    assert "share a hidden common cause" in text and "rules out that either acts on the other" in text


def test_a_condition_is_compared_not_raised():
    assert said(edge("CAF_presence", "death", sign="-")) == (
        "Death is less likely with CAF_presence; the graph counts CAF_presence as a possible cause."
    )
    assert said(edge("CAF_presence", "area_um2", causal=True)).endswith("the graph counts CAF_presence as a cause.")


def test_an_edge_without_sign_claims_none():
    text = said({**edge("area_um2", "speed_um_min", 2), "sign": ""})
    assert text.startswith("Area may change speed")


@pytest.mark.parametrize(
    ("head", "causal", "kind"),
    [
        ((False, True), True, "genuine"),
        ((False, True), False, "putative"),
        ((False, True), None, "putative"),
        ((True, True), True, "latent"),
        ((False, False), False, "undirected"),
        ((True, False), False, "putative"),
    ],
)
def test_kinds_follow_the_marks(head, causal, kind):
    e = {**edge("a", "b", 1, head=head), "is_causal": causal}
    assert kind_of(e) == (kind, head == (True, False))
    by_code = {k: v for k, v in e.items() if not k.startswith("mark_")}
    assert kind_of(by_code)[0] == kind


def test_several_lags_of_one_pair_are_one_arrow_and_own_past_is_apart():
    found, own = arrows(
        [edge("a", "b", 2, info=5), edge("a", "b", 3, info=9), edge("a", "b", 4, sign="-"), edge("a", "a", 1), edge("a", "a", 2)]
    )
    assert [(a.source, a.target, a.sign, a.lag_steps) for a in found] == [("a", "b", "-", [4]), ("a", "b", "+", [2, 3])]
    assert found[1].strength == 9 and own == {"a": [1, 2]}


def test_a_head_at_the_source_turns_the_arrow_round():
    (arrow,), _ = arrows([edge("a", "b", 0, head=(True, False))])
    assert (arrow.source, arrow.target, arrow.kind) == ("b", "a", "putative")


def test_lags_are_said_in_minutes_and_frames():
    assert lag_text([edge("a", "b", 2), edge("a", "b", 1)]) == "10, 20 min (1, 2 frames)"
    assert lag_text([edge("a", "b", 1)]) == "10 min (1 frame)"
    assert lag_text([edge("a", "b", 0)]) == "same time"
    assert lag_text([edge("a", "b")]) == ""
    unknown = {**edge("a", "b", 2), "lag_min": None}
    assert lag_text([unknown]) == "2 frames"
    assert lag_text([{**unknown, "lag_frames": None}]) == "2 steps"


def test_the_verdict_over_chips():
    base = {"units": 8, "arrangements": 36, "exact": True, "smallest_p": 2 / 36}
    text = verdict({**base, "p": 0.5}, "chip")
    assert text.startswith("Eight chips cannot decide this: 8 chips could have been assigned in 36 ways")
    assert "smallest attainable p is 0.056 (here p = 0.50)" in text
    assert "the chips could not differ more clearly" in verdict({**base, "p": 2 / 36}, "chip")
    many = {"units": 12, "arrangements": 400, "exact": True, "smallest_p": 0.005}
    assert verdict({**many, "p": 0.005}, "chip").startswith("The chips bear it out: p = 0.0050")
    assert verdict({**many, "p": 0.3}, "sample").startswith("The samples alone do not bear it out: p = 0.30")
    assert verdict({**many, "p": 0.3, "exact": False}, "chip").count("p ≈ 0.30") == 1
    assert "no two could have changed places" in verdict({**many, "p": None}, "chip")


def test_undecidable_conditions_are_named():
    assert undecidable("CAF", 8, "chip", 2 / 36) == "Eight chips cannot decide a CAF effect (smallest attainable p 0.056)."


def test_names_as_a_reader_would_say_them():
    assert with_unit("area_um2") == "area (um²)"
    assert spoken("n_immune_r1") == "immune cells in contact"
    assert spoken("distance_immune_um") == "distance to immune cells"
    assert with_unit("speed_smooth_um_min") == "speed (smoothed) (um/min)"
    assert spoken("CAF_presence", ["CAF_presence"]) == "CAF_presence"
    assert spoken("intensity_mean_tumour") == "mean tumour intensity"
    assert listed(["a", "b", "c"]) == "a, b and c" and listed([]) == ""
    assert counted(1, "chip") == "1 chip" and counted(1204, "cell") == "1,204 cells"
    assert [short(v) for v in (0.0556, 1204.0, 3.14159, 0, None, float("nan"), 1e-9)] == ["0.0556", "1,204", "3.14", "0", "–", "–", "1.00e-09"]
