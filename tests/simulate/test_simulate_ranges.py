"""Training and scores: the same reach, no value in common, and nothing scored that could have been trained on."""

from itertools import pairwise

import numpy as np
import pytest

from cytocause.simulate import ranges, training
from cytocause.simulate.training import training_frames

EVERY = [(mode, name) for mode in ranges.MODES for name in ranges.COMBED[mode]]


def inside(value, parts):
    return any(low <= value <= high for low, high in parts)


@pytest.mark.parametrize(("mode", "name"), EVERY)
def test_no_value_can_be_drawn_by_both_sides_and_a_gap_lies_between_them(mode, name):
    parts = sorted([(*part, side) for side in ranges.SIDES for part in ranges.teeth(mode, name, side)])
    assert len(parts) == ranges.TEETH
    for (_, high, first), (low, _, second) in pairwise(parts):
        assert high < low and first != second


@pytest.mark.parametrize(("mode", "name"), EVERY)
def test_both_sides_reach_over_the_whole_range(mode, name):
    _, low, high = ranges.COMBED[mode][name][:3]
    for side in ranges.SIDES:
        parts = ranges.teeth(mode, name, side)
        to = np.log if ranges.COMBED[mode][name][0] == ranges.LOG else float
        tooth = (to(high) - to(low)) / ranges.TEETH
        assert to(parts[0][0]) - to(low) < 1.2 * tooth and to(high) - to(parts[-1][1]) < 1.2 * tooth


@pytest.mark.parametrize(("mode", "name"), EVERY)
@pytest.mark.parametrize("level", ranges.LEVELS)
def test_every_difficulty_has_test_values_and_none_of_training(mode, name, level):
    parts = ranges.allowed(mode, name, "test", level)
    assert parts
    low, high = ranges.COMBED[mode][name][3 + ranges.LEVELS.index(level)]
    for a, b in parts:
        assert low <= a < b <= high
        assert inside(a, ranges.teeth(mode, name, "test")) and not inside(0.5 * (a + b), ranges.teeth(mode, name, "train"))


@pytest.mark.parametrize("mode", ranges.MODES)
def test_what_is_drawn_lies_in_the_teeth_of_its_side(mode):
    for side in ranges.SIDES:
        rng = np.random.default_rng(7)
        for _ in range(300):
            values = ranges.draw(rng, mode, side)
            assert set(values) == set(ranges.known_names(mode))
            for name in ranges.COMBED[mode]:
                assert inside(values[name], ranges.teeth(mode, name, side)), (side, name, values[name])


def test_what_real_data_have_is_within_reach_of_both_sides():
    wanted = {"tumour_diameter": (8.1, 45.0), "psf_sigma": (0.7, 4.0), "brightness_sd": (0.15, 0.87), "halo": (0.05, 0.45)}
    for side in ranges.SIDES:
        for name, (low, high) in wanted.items():
            parts = ranges.teeth("fluorescence", name, side)
            assert parts[0][0] <= low and parts[-1][1] >= high, (side, name)
    assert training.BRIGHTNESS_RANGE == 30.0


def test_a_harder_level_is_harder_in_every_parameter():
    for mode, name in EVERY:
        spans = ranges.COMBED[mode][name][3:]
        middle = [0.5 * (low + high) for low, high in spans]
        assert len(spans) == len(ranges.LEVELS) and all(low < high for low, high in spans)
        if name in ("photons", "contrast"):
            assert middle == sorted(middle, reverse=True)
        elif name != "tumour_diameter":  # small cells and large ones are both hard: its spans grow
            assert middle == sorted(middle)


def test_no_frame_for_a_score_comes_from_a_training_range(monkeypatch):
    """Whatever training_frames draws for a score is caught on the way and looked up in both combs."""
    drawn = []
    real = ranges.draw

    def catch(rng, mode, side, level=None, narrowed=None):
        values = real(rng, mode, side, level, narrowed)
        drawn.append((mode, side, values))
        return values

    monkeypatch.setattr(ranges, "draw", catch)
    for mode in ranges.MODES:
        for level in (None, *ranges.LEVELS):
            for seed in (100, 101):
                list(training_frames(seed, 2, {"mode": mode, "range": "test", "difficulty": level, "height": 64, "width": 64}))
    assert len(drawn) == 2 * 5 * 2 * 2
    for mode, side, values in drawn:
        assert side == "test"
        for name in ranges.COMBED[mode]:
            assert not inside(values[name], ranges.teeth(mode, name, "train")), name
    for seed in ranges.TRAIN_SEEDS:
        with pytest.raises(ranges.RangeError, match="a score may not use it"):
            next(training_frames(seed, 1, {"range": "test"}))
