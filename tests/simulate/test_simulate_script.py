"""The script: every truth file of the contract, readable and in agreement."""

import runpy
from types import SimpleNamespace

import numpy as np

from cytocause.io import open_labels, open_movie, read_json, read_table
from tests.simulate import worlds

NAMES = {
    "movie": "movie.ome.tif", "labels": "labels.ome.tif", "tracks": "tracks.parquet", "events": "events.parquet",
    "variables": "variables.parquet", "variables_hidden": "variables_hidden.parquet", "contacts": "contacts.parquet",
    "ctc": "ctc", "lineage": "lineage", "graph": "graph.json", "seeds": "seeds.json", "status": "status.json",
}  # fmt: skip


def run(folder, model, sample="chip_01", conditions=worlds.DRUG, **changes):
    folder.mkdir(exist_ok=True)
    cfg = worlds.section(**{"n_frames": 4, "height": 64, "width": 80, **changes})
    snakemake = SimpleNamespace(
        rule="simulate",
        wildcards=SimpleNamespace(sample=sample),
        threads=1,
        log=[str(folder / "log.txt")],
        input=SimpleNamespace(model=str(model)),
        output=SimpleNamespace(**{key: str(folder / name) for key, name in NAMES.items()}),
        params=SimpleNamespace(cfg={**cfg, "sample": sample, "model": "x", "conditions": dict(conditions)}),
    )
    runpy.run_path(str(worlds.ROOT / "scripts/simulate.py"), init_globals={"snakemake": snakemake})
    return {key: folder / name for key, name in NAMES.items()}


def contents(path):
    """Bytes of a file, or of every file of a folder by name."""
    if path.is_dir():
        return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}
    return path.read_bytes()


def test_all_truth_files_are_written_and_agree(tmp_path):
    out = run(tmp_path, worlds.ROOT / "resources/causal_models/tumour_on_chip.yaml")
    assert read_json(out["status"])["ok"] is True
    tracks = read_table(out["tracks"])
    with open_movie(out["movie"]) as movie:
        assert (movie.n_frames, movie.height, movie.width, movie.channel_names) == (4, 64, 80, ["tumour", "immune"])
        assert movie.metadata["pixel_size_um"] == 0.8
        assert list(movie.metadata["time_min"]) == [0, 10, 20, 30]
    for channel, name in enumerate(("tumour", "immune")):
        labels = open_labels(out["labels"], channel=channel)
        for frame in range(4):
            here = tracks[(tracks["population"] == name) & (tracks["frame"] == frame)]
            assert sorted(here["label"]) == [k for k in np.unique(labels.frame(frame)) if k]
    assert {"population", "event", "reason"} <= set(read_table(out["events"]).columns)
    shown, hidden = read_table(out["variables"]), read_table(out["variables_hidden"])
    assert shown[["track_id", "frame"]].equals(hidden[["track_id", "frame"]]) and len(shown) > 0
    assert not set(hidden.columns) & {"area_um2", "phase"} and "hazard_death_per_h" not in shown.columns
    assert set(read_table(out["contacts"])["track_id"]) <= set(shown["track_id"])
    assert read_json(out["graph"])["scored_edges"]


def test_two_runs_write_the_same_bytes(tmp_path):
    model = worlds.ROOT / "resources/causal_models/null.yaml"
    first, second = run(tmp_path / "a", model), run(tmp_path / "b", model)
    for key in NAMES:
        assert contents(first[key]) == contents(second[key]), key


def test_every_feature_of_the_microscope_gives_the_same_bytes_twice(tmp_path):
    model = worlds.ROOT / "resources/causal_models/tumour_on_chip.yaml"
    for mode in ("fluorescence", "brightfield_chip"):
        imaging = {**worlds.section()["imaging"], "mode": mode}
        first, second = (
            run(tmp_path / f"{mode}{k}", model, difficulty="hard", seed=100, imaging=imaging, n_frames=5) for k in (1, 2)
        )
        for key in NAMES:
            assert contents(first[key]) == contents(second[key]), key


def test_a_model_with_a_mistake_fails_the_sample_and_not_the_job(tmp_path):
    broken = tmp_path / "mine.yaml"
    broken.write_text(worlds.model_text("null").replace("diameter_um: 6.6", "diameter_um: -1"))
    out = run(tmp_path / "out", broken)
    status = read_json(out["status"])
    assert status["ok"] is False and "mine.yaml, line" in status["reason"] and "'diameter_um' is -1" in status["reason"]
    good = run(tmp_path / "good", worlds.ROOT / "resources/causal_models/null.yaml")
    for key in ("tracks", "events", "variables", "contacts"):
        empty, full = read_table(out[key]), read_table(good[key])
        assert len(empty) == 0
        assert [c for c in full.columns if c not in worlds.DRUG] == list(empty.columns)
    assert len(read_table(out["variables_hidden"])) == 0 and len(read_table(good["variables_hidden"])) > 0
    assert open_labels(out["labels"]).n_frames == 0


def test_the_lineages_are_those_of_the_tracks_in_both_formats(tmp_path):
    import geff
    import tifffile

    model = worlds.ROOT / "resources/causal_models/tumour_on_chip.yaml"
    out = run(tmp_path, model, conditions=worlds.PLAIN, n_frames=24, height=160, width=160)
    tracks = read_table(out["tracks"])
    for name in ("tumour", "immune"):
        own = tracks[tracks["population"] == name]
        lines = [tuple(map(int, line.split())) for line in (out["ctc"] / name / "man_track.txt").read_text().splitlines()]
        assert {line[0] for line in lines} >= set(own["track_id"])
        daughters = own.groupby("track_id")["parent_id"].first()
        parents = {line[0]: line[3] for line in lines}
        for track, parent in daughters[daughters > 0].items():
            assert parents[track] in {line[0] for line in lines}, (track, parent)
        for page in (0, 23):
            mask = tifffile.imread(out["ctc"] / name / f"man_track{page:03d}.tif")
            assert {line[0] for line in lines if line[1] <= page <= line[2]} == set(np.unique(mask)) - {0}
        graph, _ = geff.read(out["lineage"] / f"{name}.geff")
        assert graph.number_of_nodes() == len(own)
    assert (tracks["parent_id"] > 0).any()


def test_hidden_variables_are_in_their_own_file_and_in_no_other(tmp_path):
    out = run(tmp_path, worlds.ROOT / "resources/causal_models/tumour_on_chip.yaml")
    seen, hidden = read_table(out["variables"]), read_table(out["variables_hidden"])
    assert len(seen) == len(hidden) > 0
    assert {"hazard_death_per_h", "age_min"} <= set(hidden.columns) and not {"hazard_death_per_h", "age_min"} & set(seen.columns)
    assert (seen[["track_id", "frame"]] == hidden[["track_id", "frame"]]).all().all()


def test_contact_intervals_are_the_contacts_of_the_variables(tmp_path):
    out = run(tmp_path, worlds.ROOT / "resources/causal_models/tumour_on_chip.yaml", n_frames=24, height=128, width=128)
    contacts, rows = read_table(out["contacts"]), read_table(out["variables"]).set_index(["track_id", "frame"])["n_immune_r1"]
    count = rows * 0
    for row in contacts.itertuples():
        for frame in range(row.start_frame, row.end_frame + 1):
            count.loc[(row.track_id, frame)] += 1
    assert (count == rows).all() and rows.sum() > 10
    assert (contacts["end_min"] == contacts["end_frame"] * 10.0).all()


def test_the_seeds_say_how_to_draw_the_chip_again(tmp_path):
    out = run(tmp_path, worlds.ROOT / "resources/causal_models/null.yaml", seed=7)
    said = read_json(out["seeds"])
    assert said["seed"] == 7 and said["frames"] == [0, 1, 2, 3] and said["stage_shift_px"] == [[0.0, 0.0]] * 4
    again = worlds.SimulatedChip(worlds.model("null"), said["settings"], said["sample"], said["conditions"])
    effects = worlds.model("null").variables
    assert said["offsets"] == again.history.offsets and said["offsets"]["speed"] != 0
    assert all(abs(value) <= 5 * (effects[name].values["chip_sd"] + effects[name].values.get("date_sd", 0)) for name, value in said["offsets"].items())
    with open_movie(out["movie"]) as movie:
        for frame, image in enumerate(again.image_frames()):
            np.testing.assert_array_equal(movie.frame(frame, 1), image[1])


def test_dropped_frames_are_gaps_in_the_movies_times(tmp_path):
    cfg = worlds.section()
    out = run(tmp_path, worlds.ROOT / "resources/causal_models/null.yaml", n_frames=20, imaging={**cfg["imaging"], "dropped": 0.3})
    frames = read_json(out["seeds"])["frames"]
    assert len(frames) < 20
    with open_movie(out["movie"]) as movie:
        assert movie.n_frames == len(frames) and list(movie.metadata["time_min"]) == [10.0 * k for k in frames]
    assert open_labels(out["labels"], channel="tumour").n_frames == len(frames)
