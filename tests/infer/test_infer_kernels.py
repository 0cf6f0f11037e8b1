"""Every kernel equals its slow twin; and the properties that hold for any data."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.infer import infer, mutual_information
from cytocause.infer.cuts import (
    add_corners,
    add_far_levels,
    add_rows,
    add_table,
    best_cuts,
    best_cuts_of_table,
    count_table,
    cut_price,
    largest,
    sort_by_unit,
    sum_levels,
    worth_of_given,
)
from cytocause.infer.dynamics import autocorrelation, smooth
from cytocause.infer.estimate import SUMS, Options, complete_rows, subset, sums
from cytocause.infer.estimates import Book
from cytocause.infer.keyed_random import key_of, mix, permutation, uniform
from cytocause.infer.missing import frequency_divergence, jitter, neighbour_divergence_1d, neighbour_divergence_2d
from cytocause.infer.nml import build_costs, log_complexity, price, price_row
from cytocause.infer.ranks import (
    atom_type,
    bins_asked_for,
    densify,
    encode,
    equal_frequency,
    multiply,
    rank_columns,
    recode,
    unit_width,
)
from cytocause.infer.settings import Settings
from cytocause.infer.summary import average_ranks
from cytocause.infer.table import read_data
from cytocause.infer.unfolding import unfold
from tests.infer import naive

few = settings(deadline=None, max_examples=25)
NOTHING = np.empty((0, 0, 0))  # no values kept from another search
seeds = st.integers(0, 10_000)


@few
@given(n=st.integers(1, 25), levels=st.integers(1, 4))
def test_recurrence_equals_the_sum_over_all_splits(n, levels):
    assert log_complexity(n, levels) == pytest.approx(naive.log_complexity(n, levels), rel=1e-12, abs=1e-12)


def test_row_beyond_the_table_continues_the_recurrence():
    costs = build_costs(100)
    row, _ = price_row(costs, 60)
    assert row[50] == pytest.approx(log_complexity(50, 60), rel=1e-12)
    assert row[0] == 0


@few
@given(seed=seeds, n=st.integers(2, 60), bins=st.integers(2, 12), spread=st.integers(1, 40), legacy=st.booleans())
def test_equal_frequency_walks_the_sorted_rows(seed, n, bins, spread, legacy):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(n) < 0.4, 3, rng.integers(0, spread, n)).astype(float)
    codes, distinct = encode(values)
    first_row = np.concatenate(([0], np.cumsum(np.bincount(codes)))).astype(np.int32)
    starts = np.zeros(bins, np.int64)
    used = equal_frequency(first_row, bins, starts, legacy)
    of = np.searchsorted(starts[:used], np.arange(len(distinct)), side="right") - 1
    assert of[codes].tolist() == naive.equal_frequency(values.tolist(), bins, legacy)


def test_unit_bins_are_at_most_the_limit():
    assert [-(-levels // unit_width(levels, 50)) for levels in (3, 50, 51, 500, 1025)] == [3, 50, 26, 50, 49]


@few
@given(seed=seeds, n=st.integers(5, 40), units=st.integers(2, 7), g=st.integers(1, 3), k=st.integers(2, 4))
def test_best_cuts_score_as_high_as_any(seed, n, units, g, k):
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, units, n).astype(np.int32)
    label_g = rng.integers(0, g, n).astype(np.int32)
    label_k = ((unit * k) // units + (rng.random(n) < 0.3)).astype(np.int32) % k
    costs = build_costs(n)
    options = Options(False, False, True, 50)
    order, first = np.empty(n, np.int32), np.zeros(units + 1, np.int32)
    sort_by_unit(unit, units, order, first)
    of = np.zeros(units, np.int32)
    bins = best_cuts(unit, order, first, units, label_g, g, label_k, k, 3, np.empty(0), costs, options, NOTHING, -1, of)
    pen = cut_price(costs.lfact, units, 3, False, False)
    value = -pen * (bins - 1)
    for b in range(bins):
        value += naive.phi([i for i in range(n) if of[unit[i]] == b], label_g, label_k, k, log_complexity)
    best = naive.best_cuts(unit, units, label_g, label_k, k, pen, log_complexity)
    # a cut must gain more than 1e-5 each
    assert value == pytest.approx(best, abs=1e-5 * units)
    assert of.tolist() == sorted(of.tolist()) and of[0] == 0 and of[-1] == bins - 1


@few
@given(
    seed=seeds, n=st.integers(5, 40), units=st.integers(2, 6), g=st.integers(1, 3), k=st.integers(2, 4),
    weighted=st.booleans(), bic=st.booleans(),
)  # fmt: skip
def test_cuts_of_weighted_rows_and_with_bic_score_as_high_as_any(seed, n, units, g, k, weighted, bic):
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, units, n).astype(np.int32)
    label_g = rng.integers(0, g, n).astype(np.int32)
    label_k = ((unit * k) // units + (rng.random(n) < 0.3)).astype(np.int32) % k
    # every occupied cell counts for a sample or more
    weights = rng.uniform(0.6, 2.5, n) if weighted else np.empty(0)
    samples = weights.sum() if weighted else n
    costs = build_costs(n, None, math.ceil(samples) + 1) if weighted else build_costs(n)
    order, first = np.empty(n, np.int32), np.zeros(units + 1, np.int32)
    sort_by_unit(unit, units, order, first)
    of = np.zeros(units, np.int32)
    options = Options(bic, False, True, 50)
    bins = best_cuts(unit, order, first, units, label_g, g, label_k, k, 3, weights, costs, options, NOTHING, -1, of)
    pen = cut_price(costs.lfact, units, 3, bic, False)

    def price_of(c, levels):
        return 0.5 * (levels - 1) * math.log(samples) if bic else log_complexity(c, levels)

    weight = weights if weighted else 1.0
    value = -pen * (bins - 1)
    for b in range(bins):
        value += naive.phi([i for i in range(n) if of[unit[i]] == b], label_g, label_k, k, price_of, weight)
    best = naive.best_cuts(unit, units, label_g, label_k, k, pen, price_of, weight)
    assert value == pytest.approx(best, abs=1e-5 * units)


@few
@given(
    seed=seeds,
    n=st.integers(3, 600),
    units=st.integers(1, 13),
    g=st.integers(1, 30),
    k=st.integers(2, 4),
    share=st.sampled_from([1.0, 0.4]),
)
def test_interval_values_equal_the_definition_from_rows_and_from_tables(seed, n, units, g, k, share):
    rng = np.random.default_rng(seed)
    unit, label_g, label_k = (rng.integers(0, r, n).astype(np.int32) for r in (units, g, k))
    costs = build_costs(n, None if share == 1 else share * n)
    options = Options(False, False, True, 50)
    order, first = np.empty(n, np.int32), np.zeros(units + 1, np.int32)
    sort_by_unit(unit, units, order, first)
    both = label_g * k + label_k
    worth = worth_of_given(label_g, g, n, n, k, costs, options)
    from_rows, from_table = np.zeros((units + 1, units + 1)), np.zeros((units + 1, units + 1))
    corner = np.zeros(units * units)
    add_rows(both, g * k, order, first, units, costs.plogp_rounded, costs, k, corner, from_rows)
    add_rows(label_g, g, order, first, units, worth, costs, k, corner, from_rows)
    add_corners(corner, units, from_rows)
    corner[:] = 0
    table = count_table(unit, units, both, g * k)
    add_table(table, g * k, units, largest(table, g * k, units), costs.plogp_rounded, corner, from_table)
    sum_levels(table, g, k, units)
    add_table(table, g, units, largest(table, g, units), worth, corner, from_table)
    add_corners(corner, units, from_table)
    for a in range(units):
        for b in range(a + 1, units + 1):
            rows = [i for i in range(n) if a <= unit[i] < b]
            expected = naive.phi(rows, label_g, label_k, k, log_complexity, share)
            assert from_rows[a, b] == pytest.approx(expected, abs=1e-9)
            assert from_table[a, b] == pytest.approx(expected, abs=1e-9)


@few
@given(seed=seeds, n=st.sampled_from([60, 300, 900]), units=st.integers(2, 20), g=st.integers(1, 12), k=st.integers(2, 4))
def test_values_kept_from_a_search_with_the_labels_exchanged_give_the_same_cuts(seed, n, units, g, k):
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, units, n).astype(np.int32)
    one = rng.integers(0, g, n).astype(np.int32)
    two = (((unit * k) // units + (rng.random(n) < 0.3)).astype(np.int32) + one) % k
    costs, options = build_costs(n), Options(False, False, True, 50)
    order, first = np.empty(n, np.int32), np.zeros(units + 1, np.int32)
    sort_by_unit(unit, units, order, first)
    kept = np.full((2, units + 3, units + 3), np.nan)  # may be larger than needed
    found = []
    for given_, levels, joint, joint_levels in ((one, g, two, k), (two, k, one, g)):
        for place in (-1, 1):
            of = np.zeros(units, np.int32)
            best_cuts(
                unit, order, first, units, given_, levels, joint, joint_levels, 3, np.empty(0), costs, options, kept, place, of
            )
            found.append(of.tolist())
    assert found[0] == found[1] and found[2] == found[3]
    plogp = [c * math.log(c) if c else 0.0 for c in range(n + 1)]
    for a in range(units):
        for b in range(a + 1, units + 1):
            inside = (unit >= a) & (unit < b)
            expected = sum(plogp[c] for c in np.bincount(one[inside] * k + two[inside]))
            assert kept[1, a, b] == pytest.approx(expected, abs=1e-8)
    assert np.isnan(kept[0]).all()


def test_levels_of_more_rows_than_prices_are_tabled_for_have_their_values():
    n, units, k = 9000, 7, 3
    rng = np.random.default_rng(2)
    unit = rng.integers(0, units, n).astype(np.int32)
    label = (rng.random(n) < 0.2).astype(np.int32)  # one level beyond the table of prices, one within
    costs, options = build_costs(n), Options(False, False, True, 50)
    table = count_table(unit, units, label, 2)
    most = largest(table, 2, units)
    worth = worth_of_given(label, 2, n, most, k, costs, options)
    assert worth.size < most
    phi, corner = np.zeros((units + 1, units + 1)), np.zeros(units * units)
    add_far_levels(table, 2, units, worth, costs, k, phi)
    add_table(table, 2, units, most, worth, corner, phi)
    add_corners(corner, units, phi)
    order, first = np.empty(n, np.int32), np.zeros(units + 1, np.int32)
    sort_by_unit(unit, units, order, first)
    from_rows, corner = np.zeros((units + 1, units + 1)), np.zeros(units * units)
    add_rows(label, 2, order, first, units, worth, costs, k, corner, from_rows)
    add_corners(corner, units, from_rows)
    for a in range(units):
        for b in range(a + 1, units + 1):
            counts = np.bincount(label[(unit >= a) & (unit < b)], minlength=2)
            expected = -sum(c * math.log(c) + log_complexity(c, k) for c in counts)
            assert phi[a, b] == pytest.approx(expected, abs=1e-6) and from_rows[a, b] == pytest.approx(expected, abs=1e-6)


def test_cuts_of_a_table_are_those_of_its_rows():
    rng = np.random.default_rng(5)
    n, units, k = 5000, 20, 6
    unit = rng.integers(0, units, n).astype(np.int32)
    label = ((unit * k) // units + rng.integers(0, 2, n)).astype(np.int32)
    costs, options = build_costs(n), Options(False, False, True, 50)
    order, first = np.empty(n, np.int32), np.zeros(units + 1, np.int32)
    sort_by_unit(unit, units, order, first)
    for weights in (np.empty(0), np.full(n, 0.5)):
        of, again = np.zeros(units, np.int64), np.zeros(units, np.int64)
        zero = np.zeros(n, np.int32)
        bins = best_cuts(unit, order, first, units, zero, 1, label, k + 1, 5, weights, costs, options, NOTHING, -1, of)
        table = np.zeros((k + 1, units), np.int32)
        np.add.at(table, (label, unit), 1)
        by_unit = np.bincount(unit) * 0.5 if weights.size else weights
        assert best_cuts_of_table(table, 5, by_unit, costs, options, again) == bins > 1
        assert of.tolist() == again.tolist()


def test_prices_above_the_table_are_those_of_the_recurrence():
    costs = build_costs(200_000)
    rng = np.random.default_rng(0)
    borders = 2 ** np.arange(11, 18)
    whole = np.unique(np.concatenate((np.arange(2040, 2060), borders, borders - 1, rng.integers(2048, 200_001, 300))))
    for levels in (2, 3, 10, 50, 70):
        row, pieces = price_row(costs, levels)
        errors = [abs(price(row, pieces, int(n)) - log_complexity(n, levels)) for n in whole]
        assert max(errors) < 1e-9


@few
@given(seed=seeds, n=st.integers(3, 60), ru=st.integers(1, 40), weighted=st.booleans())
def test_sums_equal_the_definition(seed, n, ru, weighted):
    rng = np.random.default_rng(seed)
    u, x, y = (rng.integers(0, r, n).astype(np.int32) for r in (ru, 12, 11))
    weights = rng.random(n) + 0.1 if weighted else np.empty(0)
    costs = build_costs(n, None, 2 * n)
    for levels in (ru, 20_000):  # as a table, and joined label by label
        out = np.empty(SUMS)
        sums(u, levels, x, 12, y, 11, weights, costs, 1, out)
        expected = [
            naive.entropy_sum(*labels, weights=weights if weighted else None)
            for labels in ((x, y, u), (x, u), (y, u), (u,), (x,), (y,))
        ]
        np.testing.assert_allclose(out[:6], expected, atol=1e-9)
        assert out[11:14].tolist() == [len(set(zip(x, u))), len(set(zip(y, u))), len(set(u))]
        if not weighted:
            assert out[7] == pytest.approx(sum(log_complexity(int(c), 11) for c in np.unique(x * 100 + u, return_counts=True)[1]))


@few
@given(seed=seeds, n=st.integers(1, 50), levels=st.sampled_from([3, 70, 5_000_000]))
def test_recoding_keeps_the_partition(seed, n, levels):
    labels = np.random.default_rng(seed).integers(0, levels, n).astype(np.int32)
    new = labels.copy()
    used = recode(new, levels)
    assert used == len(set(labels.tolist())) == new.max() + 1
    assert len(set(zip(labels.tolist(), new.tolist()))) == used
    dense = labels % 70
    before = dense.copy()
    assert densify(dense, 70) == len(set(before.tolist()))
    assert dense.tolist() == np.unique(before, return_inverse=True)[1].tolist()


@few
@given(seed=seeds, n=st.integers(1, 50))
def test_joining_labels_is_the_product_of_partitions(seed, n):
    rng = np.random.default_rng(seed)
    parts = [rng.integers(0, 400, n).astype(np.int32) for _ in range(4)]
    joint, levels = np.zeros(n, np.int32), 1
    for part in parts:
        levels = multiply(joint, levels, part, 400)
    assert joint.max() < levels
    assert len(set(joint.tolist())) == len(set(zip(*(p.tolist() for p in parts))))


@few
@given(seed=seeds, n=st.integers(4, 60), gaps=st.booleans())
def test_autocorrelation_and_moving_average(seed, n, gaps):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    if gaps:
        x[rng.random(n) < 0.2] = np.nan
    if np.isfinite(x).sum() > 2:
        np.testing.assert_allclose(autocorrelation(x, n // 2), naive.autocorrelation(x, n // 2), atol=1e-9)
    for width in (2, 3, 6):
        np.testing.assert_allclose(smooth(x, np.array([0, n]), width), naive.smooth(x, width), atol=1e-9)


@few
@given(seed=seeds, n=st.integers(12, 60))
def test_neighbour_divergence_equals_all_distances(seed, n):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 2))
    inside = rng.random(n) < 0.7
    if inside.sum() > 6:
        expected = naive.neighbour_divergence(points, inside)
        assert neighbour_divergence_2d(points[:, 0], points[:, 1], inside) == pytest.approx(expected, abs=1e-9)
        expected = naive.neighbour_divergence(points[:, :1], inside)
        assert neighbour_divergence_1d(points[:, 0].copy(), inside) == pytest.approx(expected, abs=1e-9)


def test_frequency_divergence_is_zero_for_a_fair_half():
    labels = np.repeat([0, 1, 2], 20)
    assert frequency_divergence(labels, np.tile([True, False], 30)) == pytest.approx(0, abs=1e-12)
    assert frequency_divergence(labels, labels < 2) == pytest.approx(40 * math.log(1.5))


# SplitMix64 as published (Vigna): the first outputs from two seeds
SPLITMIX = {
    0: [16294208416658607535, 7960286522194355700, 487617019471545679],
    1234567: [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821],
}


@pytest.mark.parametrize("seed", SPLITMIX)
def test_mixing_is_that_of_splitmix(seed):
    states = [(seed + k * 0x9E3779B97F4A7C15) % 2**64 for k in range(len(SPLITMIX[seed]))]
    assert [naive.mix(state) for state in states] == SPLITMIX[seed]
    assert [int(mix(np.uint64(state))) for state in states] == SPLITMIX[seed]


@few
@given(seed=st.integers(0, 2**64 - 1), shuffle=st.integers(0, 2**32 - 1), variable=st.integers(0, 2**20), n=st.integers(1, 40))
def test_keyed_numbers_equal_their_slow_twins(seed, shuffle, variable, n):
    assert int(mix(np.uint64(seed))) == naive.mix(seed)
    key = np.uint64(key_of(np.uint64(seed), np.uint64(shuffle), np.uint64(variable)))
    assert int(key) == naive.key_of(seed, shuffle, variable)
    assert [uniform(key, i) for i in range(n)] == [naive.uniform(int(key), i) for i in range(n)]
    assert permutation(key, n).tolist() == naive.permutation(int(key), n)
    assert jitter(n, np.uint64(seed), np.uint64(variable)).tolist() == pytest.approx(naive.jitter(n, seed, variable), abs=1e-18)


@few
@given(seed=seeds, n=st.integers(1, 30), extra=st.integers(0, 2), shuffled=st.booleans())
def test_complete_rows_equal_their_slow_twin(seed, n, extra, shuffled):
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 3, (5, n)).astype(np.int32)
    nodes, among = np.array([3, 0, 2], np.int32), np.array([4, 1][:extra], np.int32)
    order = rng.permutation(n).astype(np.int32) if shuffled else np.empty(0, np.int32)
    assert complete_rows(codes, nodes, among, order).tolist() == naive.complete_rows(codes, nodes, among, order)


@few
@given(seed=seeds, n=st.integers(4, 60), shuffled=st.booleans(), legacy=st.booleans(), most=st.sampled_from([50, 7]))
def test_a_subset_is_ranked_like_its_values_alone(seed, n, shuffled, legacy, most):
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=n), np.round(rng.normal(size=n), 1), np.floor(rng.normal(size=n)), rng.integers(0, 2, n) * 1.0]
    codes = np.vstack([encode(column)[0] for column in values]).astype(np.int32)
    levels = codes.max(axis=1).astype(np.int64) + 1
    kinds = np.array([1, 1, 0, 1], np.uint8)
    rows = np.flatnonzero(rng.random(n) < 0.6).astype(np.int32)
    if rows.size < 3:
        return
    order = rng.permutation(n).astype(np.int32) if shuffled else np.empty(0, np.int32)
    costs, options = build_costs(n), Options(False, legacy, True, most)
    nodes = np.array([2, 1, 0, 3], np.int32)
    wanted = bins_asked_for(n, float(n), 4)
    kinds_of_all = np.where(levels > 2, kinds, 0).astype(np.uint8)
    everything = rank_columns(
        codes, levels, kinds_of_all, np.zeros(4, bool), wanted, most, legacy, np.empty(codes.shape, atom_type(levels, kinds_of_all))
    )
    found = subset(codes, everything, nodes, rows, order, costs, float(rows.size), options)
    for k, node in enumerate(nodes):
        taken = order[rows] if k == 1 and shuffled else rows  # the second column only is in another order
        column = values[node][taken].tolist()
        distinct = sorted(set(column))
        code = np.array([distinct.index(v) for v in column])
        assert found.levels[k] == len(distinct)
        assert found.kinds[k] == (kinds[node] == 1 and len(distinct) > 2)
        atoms = found.atoms[k].astype(int)
        if not found.kinds[k]:
            assert atoms.tolist() == code.tolist()
            continue
        unit, units = naive.How(max_bins=most, rows=most).units(column)
        assert found.units[k] == units and found.unit[k][atoms].tolist() == unit
        for bins in np.flatnonzero(bins_asked_for(n, float(rows.size), 4)):
            expected = naive.equal_frequency(column, int(bins), legacy)
            assert found.part[k, bins][atoms].tolist() == expected and found.parts[k, bins] == len(set(expected))


def test_permutations_are_keyed():
    key = [np.uint64(key_of(np.uint64(1), np.uint64(b), np.uint64(v))) for b in range(3) for v in range(3)]
    orders = [permutation(k, 200).tolist() for k in key]
    assert all(sorted(order) == list(range(200)) for order in orders)
    assert len({tuple(order) for order in orders}) == 9
    assert permutation(key[4], 200).tolist() == orders[4]
    numbers = np.array([uniform(key[0], i) for i in range(2000)])
    assert 0 <= numbers.min() and numbers.max() < 1 and abs(numbers.mean() - 0.5) < 0.03
    # first place of many permutations: every row about as often
    first = np.bincount([permutation(np.uint64(key_of(np.uint64(9), np.uint64(b), np.uint64(0))), 5)[0] for b in range(2000)])
    assert first.min() > 320


@few
@given(seed=seeds, n=st.integers(1, 40))
def test_average_ranks(seed, n):
    from scipy.stats import rankdata

    codes = encode(np.random.default_rng(seed).integers(0, 9, n).astype(float))[0]
    assert average_ranks(codes).tolist() == rankdata(codes).tolist()


# --- properties of informations -------------------------------------------------------------------------------------


def draw(seed, n, kinds):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=n)
    columns = []
    for kind in kinds:
        column = base * rng.uniform(0, 1.5) + rng.normal(size=n)
        columns.append(np.floor(column) if kind == "discrete" else column)
    return columns


def how_rows_count(counted, n, rng):
    """(arguments of mutual_information, weights of the twin): every row for one, all for fewer samples, each for its weight."""
    if counted == "fewer":
        n_eff = rng.uniform(0.4, 0.95) * n
        return {"n_eff": n_eff}, n_eff / n
    if counted == "weights":
        weights = rng.uniform(0.2, 1.7, n)
        return {"weights": weights}, weights.tolist()
    return {}, 1.0


kind = st.sampled_from(["continuous", "discrete"])


@few
@given(seed=seeds, n=st.integers(4, 120), kinds=st.lists(kind, min_size=2, max_size=4), legacy=st.booleans())
def test_information_is_never_negative_and_is_symmetric(seed, n, kinds, legacy):
    x, y, *u = draw(seed, n, kinds)
    found = mutual_information(x, y, u, kinds=kinds, legacy=legacy)
    assert found.info >= 0 and found.n == n
    assert found.info_shifted >= 0 or set(kinds) == {"discrete"}
    turned = mutual_information(y, x, u, kinds=[kinds[1], kinds[0], *kinds[2:]], legacy=legacy)
    assert (turned.info, turned.info_shifted) == pytest.approx((found.info, found.info_shifted), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    seed=seeds, n=st.integers(4, 100), size=st.integers(0, 2), counted=st.sampled_from(["one", "fewer", "weights"]), bic=st.booleans()
)
def test_discrete_information_equals_the_definition(seed, n, size, counted, bic):
    x, y, *u = draw(seed, n, ["discrete"] * (2 + size))
    more, weights = how_rows_count(counted, n, np.random.default_rng(seed))
    expected = naive.discrete_information(x, y, u, naive.How(weights, bic))
    more["complexity"] = "bic" if bic else "nml"
    found = mutual_information(x, y, u, kinds=["discrete"] * (2 + size), clamp=False, **more)
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert found.info == pytest.approx(expected[0], abs=1e-9)
        assert found.complexity == pytest.approx(expected[1], abs=1e-9)


@pytest.mark.parametrize("more", [{"n_eff": 4}, {"weights": np.full(16, 0.25)}])
def test_levels_of_less_than_half_a_sample_cost_nothing_given_others(more):
    x, y, u = np.arange(16) % 2, np.arange(16) // 2 % 2, np.arange(16) // 4
    found = mutual_information(x, y, [u], kinds=["discrete"] * 3, clamp=False, **more)
    # each (x, u) has two rows, half a sample, which rounds up to one; each u has one sample
    assert found.complexity == pytest.approx(naive.discrete_information(x, y, [u], naive.How(0.25))[1], abs=1e-9)
    x = np.arange(16) % 4  # each (x, u) has one row, a quarter of a sample
    found = mutual_information(x, y, [u], kinds=["discrete"] * 3, clamp=False, **more)
    assert found.complexity == pytest.approx(naive.discrete_information(x, y, [u], naive.How(0.25))[1], abs=1e-9)


@few
@given(seed=seeds, n=st.integers(10, 150))
def test_merging_levels_never_adds_information(seed, n):
    x, y = draw(seed, n, ["discrete"] * 2)
    fine = mutual_information(x, y, kinds=["discrete"] * 2).info
    coarse = mutual_information(np.floor(x / 2), y, kinds=["discrete"] * 2).info
    assert coarse <= fine + 1e-9


@few
@given(seed=seeds, n=st.integers(10, 100), kinds=st.lists(kind, min_size=2, max_size=3))
def test_labels_rows_and_unit_weights_do_not_matter(seed, n, kinds):
    columns = draw(seed, n, kinds)
    order = np.random.default_rng(seed).permutation(n)
    base = mutual_information(*columns[:2], columns[2:], kinds=kinds)
    renamed = [
        np.array([f"k{(-v) % 97}" for v in c]) if kind == "discrete" else c for c, kind in zip(columns, kinds)
    ]
    moved = [c[order] for c in renamed]
    weighted = mutual_information(*columns[:2], columns[2:], kinds=kinds, weights=np.ones(n))
    for other in (mutual_information(*moved[:2], moved[2:], kinds=kinds), weighted):
        assert (other.info, other.info_shifted) == pytest.approx((base.info, base.info_shifted), abs=1e-9)


counted = st.sampled_from(["one", "fewer", "weights"])
max_bins = st.sampled_from([50, 6])


@settings(deadline=None, max_examples=60)
@given(
    seed=seeds, n=st.integers(8, 30), strength=st.sampled_from([0.0, 1.0, 5.0]), second=kind, ties=st.booleans(), counted=counted,
    bic=st.booleans(), legacy=st.booleans(), bins=max_bins,
)  # fmt: skip
def test_information_of_a_pair_equals_its_slow_twin(seed, n, strength, second, ties, counted, bic, legacy, bins):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = strength * x + rng.normal(size=n)
    if ties:
        x = np.round(x)
    if second == "discrete":
        y = np.floor(y)
    if len(set(x)) < 3 or (second == "continuous" and len(set(y)) < 3):
        return
    more, weights = how_rows_count(counted, n, rng)
    how = naive.How(weights, bic, legacy, max_bins=bins)
    expected = naive.pair_information([x.tolist(), y.tolist()], [True, second == "continuous"], how)
    more |= {"complexity": "bic" if bic else "nml", "legacy": legacy, "max_bins": bins}
    found = mutual_information(x, y, kinds=["continuous", second], **more)
    assert (found.info, found.info_shifted) == pytest.approx(expected, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    seed=seeds, n=st.integers(8, 22), strength=st.sampled_from([0.0, 1.0, 4.0]), kinds=st.lists(kind, min_size=3, max_size=4),
    ties=st.booleans(), counted=counted, bic=st.booleans(), legacy=st.booleans(), bins=max_bins,
)  # fmt: skip
def test_information_given_others_equals_its_slow_twin(seed, n, strength, kinds, ties, counted, bic, legacy, bins):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=n)
    columns = [strength * base * (rng.random() < 0.7) + rng.normal(size=n) for _ in kinds]
    columns = [np.floor(c) if kind == "discrete" else np.round(c, 1) if ties else c for c, kind in zip(columns, kinds)]
    flags = [kind == "continuous" for kind in kinds]
    few_values = any(flag and len(set(c)) < 3 for c, flag in zip(columns, flags))
    if few_values or not any(flags) or min(len(set(c)) for c in columns[:2]) < 2:
        return
    more, weights = how_rows_count(counted, n, rng)
    how = naive.How(weights, bic, legacy, max_bins=bins)
    *expected, _ = naive.conditioned_information([c.tolist() for c in columns], flags, how)
    more |= {"complexity": "bic" if bic else "nml", "legacy": legacy, "max_bins": bins}
    found = mutual_information(*columns[:2], columns[2:], kinds=kinds, **more)
    assert (found.info, found.info_shifted) == pytest.approx(expected, abs=1e-6)


@few
@given(seed=seeds, n=st.integers(8, 60), kinds=st.lists(kind, min_size=2, max_size=4), share=st.floats(0.2, 1.0), bic=st.booleans())
def test_equal_weights_are_an_effective_number_of_rows(seed, n, kinds, share, bic):
    x, y, *u = draw(seed, n, kinds)
    complexity = "bic" if bic else "nml"
    weighted = mutual_information(x, y, u, kinds=kinds, weights=np.full(n, share), complexity=complexity)
    fewer = mutual_information(x, y, u, kinds=kinds, n_eff=share * n, complexity=complexity)
    assert (weighted.info, weighted.info_shifted) == pytest.approx((fewer.info, fewer.info_shifted), abs=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_table_with_gaps_holds_what_the_twin_says_of_the_complete_rows(seed):
    rng = np.random.default_rng(seed)
    n = 120
    x, y = rng.normal(size=(2, n))
    frame = pd.DataFrame({"x": x, "y": y, "z": x + y + 0.1 * rng.normal(size=n), "d": np.floor(2 * x) + np.floor(2 * y)})
    frame = frame.mask(rng.random(frame.shape) < [0.0, 0.1, 0.2, 0.1])
    roles = [{"name": "x"}, {"name": "y"}, {"name": "z"}, {"name": "d", "kind": "discrete"}]
    chosen = Settings(test_mar=False, max_bins=10)
    graph = infer(frame, roles, {"test_mar": False, "max_bins": 10}, time=None, threads=1)
    how = naive.How(rows=n, max_bins=10)  # starting bins come from all rows (spec 3.9)

    def complete(*names):
        part = frame[list(names)].dropna()
        return [part[name].tolist() for name in names], [name != "d" for name in names]

    assert len(graph.raw) == 6
    for row in graph.raw.to_dict("records"):
        columns, flags = complete(row["x"], row["y"])
        assert row["n_xy"] == len(columns[0])
        assert row["i_xy"] == pytest.approx(naive.pair_information(columns, flags, how)[0], abs=1e-6)
    # with conditions, and on the rows complete in a fourth column too
    laid = read_data(frame, roles, trajectory=None, time=None)
    rows = unfold(laid, chosen, [])
    book = Book(rows, chosen)
    at = rows.names.index
    positive = 0
    for x, y, u, among in (("x", "y", "z", ""), ("x", "y", "d", "z"), ("x", "z", "y", ""), ("y", "z", "x", "d"), ("x", "z", "", "y")):
        names = [x, y, *u]
        kept = frame.dropna(subset=[*names, *among])
        columns, flags = [kept[name].tolist() for name in names], [name != "d" for name in names]
        twin = naive.conditioned_information if u else naive.pair_information
        info, shifted = twin(columns, flags, how)[:2]
        found = book.get(book.key(at(x), at(y), [at(name) for name in u], [at(name) for name in among]))
        assert found == pytest.approx((info, shifted, len(kept)), abs=1e-6), names
        positive += info > 0
    assert positive >= 2


def test_doubling_weights_is_doubling_rows_for_discrete_columns():
    x, y = draw(3, 60, ["discrete"] * 2)
    twice = mutual_information(np.tile(x, 2), np.tile(y, 2), kinds=["discrete"] * 2)
    weighted = mutual_information(x, y, kinds=["discrete"] * 2, weights=np.full(60, 2.0))
    assert weighted.info == pytest.approx(twice.info)
    assert weighted.info_shifted == pytest.approx(twice.info_shifted)
