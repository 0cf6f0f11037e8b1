"""The command, the files it leaves, and that these are the same bytes for any number of threads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from cytocause.infer.__main__ import main
from tests.infer import data

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("edges.tsv", "raw.tsv", "triples.tsv", "graph.graphml", "graph.json")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    data.var_table(240).to_csv(folder / "table.csv", index=False)
    data.VAR_ROLES.to_csv(folder / "variables.tsv", sep="\t", index=False)
    (folder / "config.yaml").write_text("infer:\n  n_layers: 3\n  delta_t: 1\n  n_shuffles: 5\n")
    return folder


def command(given, out, *more):
    return [
        str(given / "table.csv"), "--trajectory", "trajectory", "--time", "time",
        "--variables", str(given / "variables.tsv"), "--config", str(given / "config.yaml"), "--out", str(out), *more,
    ]  # fmt: skip


def test_files(given, tmp_path, capsys):
    assert main(command(given, tmp_path / "out", "--threads", "1")) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted((*TABLES, "run.json"))
    edges = pd.read_csv(tmp_path / "out" / "edges.tsv", sep="\t")
    assert {"x", "y", "type", "ai", "info_shifted", "ort_inferred", "p_y2x", "p_x2y", "lag_frames", "lag_min"} <= set(edges)
    graph = json.loads((tmp_path / "out" / "graph.json").read_text())
    assert {node["name"]: node["role"] for node in graph["nodes"]}["pulse"] == "exogenous"
    edge = next(e for e in graph["edges"] if (e["source"], e["target"]) == ("a", "b"))
    assert (edge["lag_steps"], edge["orientation"], edge["mark_target"]) == (2, "directed", "arrow")
    assert set(edge) == {
        "source", "target", "lag_steps", "lag_frames", "lag_min", "orientation", "mark_source", "mark_target",
        "p_head_source", "p_head_target", "is_causal", "info_shifted", "n", "sign", "partial_correlation", "confidence",
        "contributors", "x", "y",
    }  # fmt: skip
    assert all(e["lag_steps"] is None for e in graph["edges"] if e["source"] == "drug")
    drawn = nx.read_graphml(tmp_path / "out" / "graph.graphml", force_multigraph=True)
    assert drawn.number_of_edges() == len(graph["edges"])
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["parameters"]["n_layers"] == 3 and run["timings"]["total"] > 0
    assert "edges from" in capsys.readouterr().err


def test_same_bytes_for_any_number_of_threads_and_again(given, tmp_path):
    first = None
    for k, threads in enumerate((1, 2, 8, 1)):
        out = tmp_path / str(k)
        env = {**os.environ, "NUMBA_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT / "scripts")}
        done = subprocess.run(
            [sys.executable, "-m", "cytocause.infer", *command(given, out)], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found = {name: (out / name).read_bytes() for name in TABLES}
        first = first or found
        assert found == first
        assert json.loads((out / "run.json").read_text())["threads"] == threads


def test_static_tables_and_other_formats(given, tmp_path):
    table = data.var_table(200)[["a", "b", "drug"]]
    for name, write in (("t.parquet", table.to_parquet), ("t.tsv", lambda p: table.to_csv(p, sep="\t", index=False))):
        write(tmp_path / name)
        assert main([str(tmp_path / name), "--out", str(tmp_path / name[2:])]) == 0
    assert (tmp_path / "parquet" / "edges.tsv").read_bytes() == (tmp_path / "tsv" / "edges.tsv").read_bytes()
    edges = pd.read_csv(tmp_path / "tsv" / "edges.tsv", sep="\t")
    assert edges["lag_steps"].isna().all()


def test_h5ad(tmp_path):
    import anndata

    table = data.var_table(200)
    cells = anndata.AnnData(
        X=table[["a", "b"]].to_numpy(), obs=table[["drug"]].astype(float).set_index(np.arange(200).astype(str))
    )
    cells.var_names = ["a", "b"]
    cells.write_h5ad(tmp_path / "cells.h5ad")
    assert main([str(tmp_path / "cells.h5ad"), "--var", "a,b,drug", "--out", str(tmp_path / "out")]) == 0
    table[["a", "b", "drug"]].to_csv(tmp_path / "t.csv", index=False)
    assert main([str(tmp_path / "t.csv"), "--out", str(tmp_path / "csv")]) == 0
    kept = [
        pd.read_csv(tmp_path / where / "edges.tsv", sep="\t").query("type == 'P'")[["x", "y"]] for where in ("out", "csv")
    ]
    pd.testing.assert_frame_equal(*kept)
    table = data.var_table(200)
    cells.obs = table[["trajectory", "time", "drug"]].set_index(cells.obs_names)
    cells.write_h5ad(tmp_path / "in_time.h5ad")
    named = ["--trajectory", "trajectory", "--time", "time", "--var", "a,b,drug"]
    assert main([str(tmp_path / "in_time.h5ad"), *named, "--out", str(tmp_path / "h5ad_in_time")]) == 0
    table[["trajectory", "time", "a", "b", "drug"]].to_csv(tmp_path / "in_time.csv", index=False)
    assert main([str(tmp_path / "in_time.csv"), *named, "--out", str(tmp_path / "csv_in_time")]) == 0
    one, two = (pd.read_csv(tmp_path / f"{kind}_in_time" / "edges.tsv", sep="\t") for kind in ("h5ad", "csv"))
    pd.testing.assert_frame_equal(one, two)
    assert main([str(tmp_path / "cells.h5ad"), "--var", "nobody", "--out", str(tmp_path / "no")]) == 2


def test_input_that_cannot_be_used_is_said_in_a_sentence(given, tmp_path, capsys):
    assert main([str(tmp_path / "absent.csv"), "--out", str(tmp_path / "out")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main(command(given, tmp_path / "out", "--time", "clock")) == 2
    assert "The table has no column 'clock' for time" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_clean_stop(given, tmp_path, monkeypatch, capsys):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("cytocause.infer.engine.thin", stop)
    assert main(command(given, tmp_path / "out")) == 130
    assert capsys.readouterr().err.endswith("Stopped; nothing was written.\n")
    assert not (tmp_path / "out").exists()


def test_a_stop_while_writing_leaves_what_was_there(given, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    assert main(command(given, out)) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("cytocause.infer.output.write_graphml", stop)
    assert main(command(given, out, "--seed", "5")) == 130
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert capsys.readouterr().err.endswith("Stopped; nothing was written.\n")


@pytest.mark.parametrize("when", ["pairs", "shuffled edges"])
def test_a_signal_stops_the_command_and_leaves_nothing(given, tmp_path, when):
    # the child sends itself the signal of Ctrl-C as soon as that part of the work has begun, threads and all
    code = f"""
import os, signal, sys
from cytocause.infer import workflow
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background hands its children a deaf one
from cytocause.infer.__main__ import main
def stop():
    def progress(what, done, total):
        if what == {when!r}:
            os.kill(os.getpid(), signal.SIGINT)
    return progress
workflow.say_progress = stop
sys.exit(main(sys.argv[1:]))
"""
    env = {**os.environ, "NUMBA_NUM_THREADS": "2", "PYTHONPATH": str(ROOT / "scripts")}
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", code, *command(given, out)], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr.endswith("Stopped; nothing was written.\n") and "Traceback" not in done.stderr
    assert not out.exists()


def test_importing_the_room_compiles_and_loads_nothing_heavy():
    code = "import sys, cytocause.infer; assert not {'numba', 'pandas', 'scipy', 'networkx'} & set(sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0
