"""The command: which columns it takes, from which options, and what a stop leaves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytocause.infer.__main__ import main, read_any
from cytocause.infer.output import FILES
from tests.infer import data

ROOT = Path(__file__).resolve().parents[2]


def cells(folder, sparse=False):
    """An h5ad of 200 cells: obs trajectory, time, drug; genes a, b, c."""
    import anndata
    from scipy.sparse import csr_matrix

    table = data.var_table(200)
    values = table[["a", "b", "c"]].to_numpy()
    obs = table[["trajectory", "time", "drug"]].set_index(np.arange(200).astype(str))
    found = anndata.AnnData(X=csr_matrix(values) if sparse else values, obs=obs)
    found.var_names = ["a", "b", "c"]
    found.write_h5ad(folder / "cells.h5ad")
    return str(folder / "cells.h5ad"), table


def nodes(out):
    import json

    return {node["name"]: node["role"] for node in json.loads((out / "graph.json").read_text())["nodes"]}


def test_genes_join_the_obs_columns_of_an_h5ad(tmp_path):
    path, _ = cells(tmp_path)
    timed = ["--time", "time", "--config", str(config(tmp_path))]
    assert main([path, *timed, "--var", "b", "--out", str(tmp_path / "one")]) == 0
    assert set(nodes(tmp_path / "one")) == {"b", "drug"}
    # names and roles from the table of variables
    (tmp_path / "v.tsv").write_text("name\trole\na\tdynamic\ndrug\tcontextual\n")
    described = ["--variables", str(tmp_path / "v.tsv")]
    assert main([path, *timed, *described, "--out", str(tmp_path / "two")]) == 0
    assert nodes(tmp_path / "two") == {"a": "dynamic", "drug": "contextual"}
    # both
    assert main([path, *timed, *described, "--var", "c", "--out", str(tmp_path / "three")]) == 0
    assert nodes(tmp_path / "three") == {"a": "dynamic", "drug": "contextual", "c": "dynamic"}


@pytest.mark.parametrize("sparse", [False, True])
def test_columns_of_an_h5ad(tmp_path, sparse):
    path, table = cells(tmp_path, sparse)
    found = read_any(path, ["c", "a"], ["time"])
    assert list(found) == ["time", "c", "a", "trajectory", "drug"]
    np.testing.assert_array_equal(found[["c", "a"]], table[["c", "a"]])
    assert list(read_any(path)) == ["trajectory", "time", "drug"]
    with pytest.raises(ValueError, match="has no obs column and no variable named 'nobody'"):
        read_any(path, ["nobody"])


def test_a_gene_that_is_there_twice(tmp_path):
    import anndata

    found = anndata.AnnData(X=np.ones((4, 2)))
    found.var_names = ["a", "a"]
    found.write_h5ad(tmp_path / "twice.h5ad")
    with pytest.raises(ValueError, match="has 2 variables named 'a'; make their names unique"):
        read_any(tmp_path / "twice.h5ad", ["a"])


def config(folder):
    (folder / "config.yaml").write_text("n_layers: 2\ndelta_t: 1\n")
    return folder / "config.yaml"


@pytest.fixture
def given(tmp_path):
    data.var_table(120).to_csv(tmp_path / "table.csv", index=False)
    data.VAR_ROLES.to_csv(tmp_path / "variables.tsv", sep="\t", index=False)
    return [str(tmp_path / "table.csv"), "--time", "time", "--config", str(config(tmp_path)), "--out", str(tmp_path / "out")]


def test_names_choose_among_the_variables_of_a_text_table(given, tmp_path, capsys):
    described = ["--variables", str(tmp_path / "variables.tsv")]
    assert main([*given, *described, "--var", "drug, a"]) == 0
    assert nodes(tmp_path / "out") == {"a": "dynamic", "drug": "contextual"}
    assert main([*given, "--var", "drug,a"]) == 0
    assert nodes(tmp_path / "out") == {"a": "dynamic", "drug": "dynamic"}
    assert main([*given, *described, "--var", "a,time"]) == 2
    assert "--var names 'time', which is not in the table of --variables" in capsys.readouterr().err


def test_the_usual_trajectory_column_is_no_variable(given, tmp_path, capsys):
    assert main(given) == 0
    assert set(nodes(tmp_path / "out")) == {"a", "b", "c", "drug", "pulse"}
    assert main([*given, "--trajectory", "track"]) == 2
    assert "The table has no column 'track' for the trajectory; its columns are trajectory, time, a" in capsys.readouterr().err
    pd.read_csv(tmp_path / "table.csv").drop(columns="trajectory").to_csv(tmp_path / "table.csv", index=False)
    assert main(given) == 0
    assert main([*given, "--trajectory", "trajectory"]) == 2
    assert "The table has no column 'trajectory' for the trajectory; its columns are time, a" in capsys.readouterr().err


def test_a_file_where_the_folder_should_be_is_said_before_the_work(given, tmp_path, capsys, monkeypatch):
    (tmp_path / "out").write_text("mine")
    monkeypatch.setattr("cytocause.infer.engine.infer", None)
    assert main(given) == 2
    assert "out is a file; --out names a folder." in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


def test_a_config_that_is_no_yaml(given, tmp_path, capsys):
    (tmp_path / "config.yaml").write_text("n_layers: [2\n")
    assert main(given) == 2
    assert "cannot be read as YAML" in capsys.readouterr().err


def test_nothing_of_others_is_touched(given, tmp_path):
    mine = tmp_path / "out.part"
    mine.mkdir()
    (mine / "precious").write_text("mine")
    assert main(given) == 0
    assert (mine / "precious").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["out", "out.part"]


def test_a_stop_between_two_renames_comes_too_late(given, tmp_path, monkeypatch):
    rename = Path.replace

    def stop_and_rename(self, target):
        os.kill(os.getpid(), signal.SIGINT)
        return rename(self, target)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        monkeypatch.setattr(Path, "replace", stop_and_rename)
        from cytocause.infer import output

        # only the renames into the folder, not those by which each file is written
        monkeypatch.setattr(output, "write_graph", lambda graph, paths: [path.write_text(name) for name, path in paths.items()])
        assert main(given) == 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES.values())


def test_a_stop_while_modules_are_loaded(given, tmp_path):
    # the signal comes while the engine is imported, before anything is read
    code = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == "cytocause.infer.engine":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stop())
from cytocause.infer.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run([sys.executable, "-c", code, *given], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, "Stopped; nothing was written.\n")
    assert not (tmp_path / "out").exists()
