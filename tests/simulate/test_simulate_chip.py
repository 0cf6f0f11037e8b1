"""One chip: the same bytes every time, and truths that agree with each other."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from cytocause.io import InputDefect, describe, empty_table
from cytocause.simulate import SimulatedChip
from cytocause.simulate.chip import MIN_PIXELS
from tests.simulate import worlds

SMALL = {"n_frames": 40, "height": 200, "width": 200, "conditions": tuple(worlds.PLAIN.items())}


@pytest.fixture(scope="module")
def chip():
    return worlds.chip(**SMALL)


@pytest.fixture(scope="module")
def labels(chip):
    return np.stack(list(chip.label_frames()))


@pytest.fixture(scope="module")
def images(chip):
    return np.stack(list(chip.image_frames()))


def digest(sample="chip_01", conditions=worlds.DRUG, **changes):
    """Bytes of a short chip: masks, counts and tables."""
    chip = SimulatedChip(worlds.model(), worlds.section(n_frames=6, height=96, width=96, **changes), sample, conditions)
    total = hashlib.sha256()
    for label, image in zip(chip.label_frames(), chip.image_frames()):
        total.update(label.tobytes() + image.tobytes())
    for table in (chip.tracks(), chip.events(), chip.variables()):
        total.update(table.to_csv(index=False).encode())
    return total.hexdigest()


def test_the_same_seed_and_sample_give_the_same_bytes_on_any_number_of_threads():
    hard = {"seed": 100, "difficulty": "hard"}  # every feature of the microscope
    code = f"from tests.simulate.test_simulate_chip import digest; print(digest(), digest(**{hard}))"
    expected = f"{digest()} {digest(**hard)}"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(worlds.ROOT), str(worlds.ROOT / "scripts")])}
    for threads in ("1", "2"):
        env |= {name: threads for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        run = subprocess.run([sys.executable, "-c", code], env=env, cwd=worlds.ROOT, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == expected


def test_another_seed_sample_or_condition_gives_another_chip():
    assert len({digest(), digest(seed=2), digest("chip_02"), digest(conditions=worlds.PLAIN)}) == 4


def test_a_longer_movie_begins_like_a_shorter_one():
    short, long = worlds.chip(n_frames=6, height=96, width=96), worlds.chip(n_frames=9, height=96, width=96)
    for a, b in zip(short.image_frames(), long.image_frames()):
        np.testing.assert_array_equal(a, b)


def test_shapes_types_and_ranges(chip, labels, images):
    assert labels.shape == images.shape == (40, 2, 200, 200)
    assert labels.dtype == np.int32 and images.dtype == np.uint16
    assert images.max() < 65535 and images.min() > 0
    assert chip.label_dtype() == "uint16"


def test_every_label_has_one_track_row_and_its_centroid(chip, labels):
    tracks = chip.tracks()
    for channel, name in enumerate(("tumour", "immune")):
        rows = tracks[tracks["population"] == name]
        assert not rows.duplicated(["track_id", "frame"]).any()
        for frame in (0, 17, 39):
            here = rows[rows["frame"] == frame]
            found = np.unique(labels[frame, channel])
            assert sorted(here["label"]) == found[found > 0].tolist()
            for row in here.itertuples():
                y, x = np.nonzero(labels[frame, channel] == row.label)
                assert y.size >= MIN_PIXELS
                assert (row.y_um, row.x_um) == pytest.approx((y.mean() * chip.pixel_um, x.mean() * chip.pixel_um))


def test_tables_have_the_columns_of_the_contract(chip):
    tracks, events = chip.tracks(), chip.events()
    for table, kind in ((tracks, "tracks"), (events, "events")):
        expected = list(empty_table(kind).columns)
        assert [name for name in table.columns if name != "population"] == expected
    assert tracks["track_id"].dtype == "int64" and tracks["frame"].dtype == "int32" and tracks["label"].dtype == "int32"


def test_a_mother_ends_where_her_daughters_begin(chip):
    tracks, events = chip.tracks(), chip.events()
    spans = tracks[tracks["population"] == "tumour"].groupby("track_id").agg(
        first=("frame", "min"), last=("frame", "max"), parent=("parent_id", "first")
    )
    divisions = events[(events["population"] == "tumour") & (events["event"] == "division")]
    assert len(divisions) >= 3
    for row in divisions.itertuples():
        daughters = spans[spans["parent"] == row.track_id]
        assert len(daughters) == 2
        assert (daughters["first"] == row.frame).all()
        assert spans.loc[row.track_id, "last"] == row.frame - 1
    assert set(spans.loc[spans["parent"] > 0, "parent"]) == set(divisions["track_id"])


def test_daughters_share_the_mothers_area(chip):
    rows = chip.variables().set_index(["track_id", "frame"])
    events = chip.events()
    for row in events[events["event"] == "division"].itertuples():
        daughters = [k for k, p in chip.history.parents["tumour"].items() if p == row.track_id]
        whole = rows.loc[(row.track_id, row.frame - 1), "area_um2"]
        parts = sum(rows.loc[(k, row.frame), "area_um2"] for k in daughters)
        assert parts == pytest.approx(whole, rel=0.25)


def test_every_tumour_track_ends_once(chip):
    tracks, events = chip.tracks(), chip.events()
    rows = tracks[tracks["population"] == "tumour"]
    ends = events[(events["population"] == "tumour")]
    assert sorted(ends["track_id"]) == sorted(rows["track_id"].unique())  # one event each
    last = rows.groupby("track_id")["frame"].max()
    for row in ends.itertuples():
        if row.event == "censored":
            assert row.reason in ("movie_end", "border") and last[row.track_id] == row.frame
        elif row.event == "death":
            assert last[row.track_id] >= row.frame


def test_a_dying_cell_shrinks_condenses_and_stays_long_enough_to_be_seen():
    chip = worlds.chip(n_frames=60)
    events = chip.events()
    onsets = events[(events["event"] == "death") & (events["frame"] < 35)]
    assert len(onsets) >= 2
    rows = chip.variables().set_index(["track_id", "frame"])
    for row in onsets.itertuples():
        start = rows.loc[(row.track_id, row.frame), "area_um2"]
        assert rows.loc[(row.track_id, row.frame + 8), "area_um2"] < 0.62 * start
        assert (row.track_id, row.frame + 12) in rows.index


def test_nuclei_are_brighter_than_the_background_and_sizes_are_as_declared(chip, labels, images):
    for channel, (low, high) in enumerate(((14, 22), (7, 9.5))):
        inside = labels[:, channel] > 0
        assert images[:, channel][inside].mean() > 2 * images[:, channel][~inside].mean()
        ids, count = np.unique(labels[:5, channel] + 1000 * np.arange(5)[:, None, None], return_counts=True)
        count = count[ids % 1000 > 0]
        assert low < 2 * np.sqrt(np.median(count) / np.pi) < high


def test_cells_move_little_against_their_spacing(chip):
    rows = chip.tracks()
    tumour = rows[rows["population"] == "tumour"].sort_values(["track_id", "frame"])
    same = tumour["track_id"].diff() == 0
    step = np.hypot(tumour["y_um"].diff()[same], tumour["x_um"].diff()[same])
    assert step.quantile(0.99) < 8.0  # um; nuclei are about 15 um across


def test_cells_cross_the_border_both_ways():
    chip = worlds.chip(n_frames=40, height=160, width=160, immune_density_mm2=900)
    events, rows = chip.events(), chip.tracks()
    assert ((events["population"] == "immune") & (events["reason"] == "border")).any()
    first = rows[rows["population"] == "immune"].groupby("track_id")["frame"].min()
    assert (first > 0).any()


def test_a_chip_without_cells_is_an_empty_movie():
    chip = worlds.chip(n_frames=3, height=64, width=64, tumour_density_mm2=0, immune_density_mm2=0)
    assert not np.stack(list(chip.label_frames())).any()
    assert np.stack(list(chip.image_frames())).min() > 0
    assert len(chip.tracks()) == len(chip.events()) == len(chip.variables()) == 0
    assert chip.tracks()["track_id"].dtype == "int64"


def test_every_column_of_the_truth_is_in_the_data_dictionary(chip):
    for table in (chip.tracks(), chip.events(), chip.variables()):
        for name in table.columns:
            assert name in chip.conditions or describe(name) is not None, name


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"treatment": 0}, "the model 'tumour_on_chip' has the condition 'CAF_presence', but the sample gives no value for it"),
        ({"treatment": "high", "CAF_presence": 0}, "the condition 'treatment' is 'high'; the model 'tumour_on_chip' needs a number"),
    ],
)
def test_a_sample_whose_conditions_do_not_fit_the_model_is_refused(conditions, words):
    with pytest.raises(InputDefect, match="sample 'chip_01'") as caught:
        SimulatedChip(worlds.model(), worlds.section(n_frames=3, height=64, width=64), "chip_01", conditions)
    assert words in str(caught.value)
