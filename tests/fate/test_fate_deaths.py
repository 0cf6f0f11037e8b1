"""Deaths: the kernel against its twin, planted onsets, what looks like a death and is none, what cannot be known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.fate import find_fates
from cytocause.fate.deaths import confidence
from cytocause.fate.kernels import onset_scan
from cytocause.fate.signals import SIGN, cell_signals, choose_channel, noise
from tests.fate import naive
from tests.fate.traces import cells_of, meta, trace


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 25), gaps=st.floats(0, 0.6))
def test_scan_equals_the_naive_twin(seed, n, gaps):
    rng = np.random.default_rng(seed)
    time = np.cumsum(rng.uniform(1, 30, n))
    signals = rng.normal(size=(4, n)) - np.linspace(0, 1, n) * rng.uniform(-2, 2, (4, 1)) + 5
    signals[rng.random((4, n)) < gaps] = np.nan
    sigma, taus = rng.uniform(0.05, 1, 4), np.array([15.0, 40.0, 80.0])
    for ours, theirs in zip(onset_scan(time, signals, sigma, SIGN, taus), naive.onset_scan(time, signals, sigma, SIGN, taus)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def population(seed=0, n=12, **kwargs):
    rng = np.random.default_rng(seed)
    return {k: trace(rng, 90, **kwargs) for k in range(1, n + 1)}


def deaths_of(traces, cfg, **kwargs):
    events, facts = find_fates(*cells_of(traces, **kwargs), meta(), cfg)
    died = events[events["event"] == "death"]
    return dict(zip(died["track_id"], died["frame"])), events, facts


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.15])
def test_planted_onsets_are_found_within_three_frames(noise, fate_cfg):
    rng = np.random.default_rng(1)
    onsets = {k: int(rng.integers(15, 75)) for k in range(1, 13)}
    traces = {k: trace(rng, 90, onset=f, noise=noise) for k, f in onsets.items()}
    traces |= {k + 100: trace(rng, 90, noise=noise) for k in range(12)}
    traces |= {k + 200: trace(rng, 90, noise=noise, defocus=int(rng.integers(10, 80))) for k in range(6)}
    traces |= {k + 300: trace(rng, int(rng.integers(30, 90)), noise=noise, mitosis_at_end=True) for k in range(6)}
    found, events, _ = deaths_of(traces, fate_cfg)
    hits = [k for k, f in found.items() if k in onsets and abs(onsets[k] - f) <= 3]
    assert 2 * len(hits) / (len(found) + len(onsets)) >= 0.9
    assert set(events["track_id"]) == set(traces)  # everyone has a fate


def test_living_cells_and_defocus_and_rounding_give_no_death(fate_cfg):
    rng = np.random.default_rng(2)
    traces = {k: trace(rng, 90, defocus=20 + k) for k in range(10)} | {k + 50: trace(rng, 70, mitosis_at_end=True) for k in range(10)}
    assert deaths_of(traces, fate_cfg)[0] == {}


def test_a_death_just_before_the_end_is_censored_not_guessed(fate_cfg):
    rng = np.random.default_rng(3)
    found, events, _ = deaths_of({1: trace(rng, 90, onset=86)}, fate_cfg)
    assert found == {}
    assert events[["event", "frame", "reason"]].to_numpy().tolist() == [["censored", 89, "movie_end"]]


def test_two_daughters_veto_a_death(fate_cfg):
    rng = np.random.default_rng(4)
    traces = {1: trace(rng, 50, onset=30)} | {k: trace(rng, 40) for k in (2, 3)}
    first, parent = {2: 50, 3: 50}, {2: 1, 3: 1}
    found, events, _ = deaths_of(traces, fate_cfg, first=first, parent=parent)
    assert found == {}
    assert events.loc[events["track_id"] == 1, "event"].tolist() == ["division"]
    assert deaths_of(traces, fate_cfg, first=first)[0] == {1: pytest.approx(30, abs=3)}


def test_without_intensities_area_and_speed_decide(fate_cfg):
    rng = np.random.default_rng(5)
    cells, tracks = cells_of({1: trace(rng, 90, onset=40), 2: trace(rng, 90)})
    cells = cells.drop(columns=["intensity_mean_tumour", "intensity_sd_tumour"])
    events, facts = find_fates(cells, tracks, meta(), fate_cfg)
    died = events[events["event"] == "death"]
    assert died["track_id"].tolist() == [1] and abs(died["frame"].iloc[0] - 40) <= 3
    assert facts["signals"] == ["area", "speed"]


def test_positions_alone_call_no_death_and_the_status_says_so(fate_cfg):
    rng = np.random.default_rng(6)
    cells, tracks = cells_of({1: trace(rng, 90, onset=40)})
    cells = cells.drop(columns=["intensity_mean_tumour", "intensity_sd_tumour", "area_um2"])
    events, facts = find_fates(cells, tracks, meta(), fate_cfg)
    assert events["event"].tolist() == ["censored"]
    assert "positions alone do not tell a death" in facts["death_status"]


def test_death_can_be_switched_off(fate_cfg):
    rng = np.random.default_rng(7)
    cfg = {**fate_cfg, "death": {**fate_cfg["death"], "enabled": False}}
    found, _, facts = deaths_of({1: trace(rng, 90, onset=40)}, cfg)
    assert found == {} and "enabled is false" in facts["death_status"]


def test_confidence_rises_from_one_half_at_the_threshold():
    assert confidence(45, 45) == pytest.approx(0.5)
    assert confidence(90, 45) == pytest.approx(0.816, abs=1e-3)
    assert 0.99 < confidence(900, 45) < 1


def test_the_channel_is_the_populations_or_the_first():
    columns = ["intensity_mean_a", "intensity_mean_tumour", "area_um2"]
    assert choose_channel(columns, "tumour") == "tumour"
    assert choose_channel(columns, "immune") == "a"
    assert choose_channel(columns, "immune", "tumour") == "tumour"
    assert choose_channel(["area_um2"], "tumour") is None
    # T cells in a channel of another name: their own, not the first
    assert choose_channel(["intensity_mean_nuclei", "intensity_mean_tcells"], "immune", None, "tcells") == "tcells"


def test_noise_is_that_of_the_differences_and_never_zero():
    rng = np.random.default_rng(8)
    signals = np.stack([np.linspace(0, 1, 2000) + rng.normal(0, s, 2000) for s in (0.2, 0.3, 0.5, 0.001)])
    assert noise(signals) == pytest.approx([0.2, 0.3, 0.5, 0.45], rel=0.1)
    assert noise(np.full((4, 3), np.nan)).tolist() == [0.05, 0.05, 0.08, 0.45]


def test_signals_leave_out_what_has_no_logarithm():
    cells, _ = cells_of({1: trace(np.random.default_rng(0), 5)})
    cells.loc[0, "intensity_mean_tumour"] = -3.0
    signals, known = cell_signals(cells, "um", "tumour")
    assert np.isnan(signals[1, 0]) and np.isfinite(signals[1, 1:]).all()
    assert known == ["area", "mean", "sd", "speed"]
