"""The command: python -m cytocause.infer TABLE --time COL --out DIR

Reads a table (CSV, TSV, Parquet, or h5ad: its obs columns and the variables named), infers the graph, and writes
edges.tsv, raw.tsv, triples.tsv, graph.graphml, graph.json, run.json into DIR. Without --time the table is static.
"""

import argparse
import logging
import sys
from pathlib import Path

STOPPED = 130  # exit status after Ctrl-C


def main(arguments=None):
    """Run the command; returns the exit status (0, 2 for input that cannot be used, 130 when stopped)."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        graph = _run(options)
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        return STOPPED
    except (ValueError, OSError) as error:
        print(f"cytocause.infer: {error}", file=sys.stderr)
        return 2
    counts = graph.run["counts"]
    print(
        f"{counts['edges']} edges from {counts['pairs']} pairs on {counts['rows']} rows "
        f"in {graph.run['timings']['total']:.1f} s; see {options.out}",
        file=sys.stderr,
    )
    return 0


def _run(options):
    """Read, infer, write; returns the graph. Loads what it needs, which takes a second or two, so that a stop then is clean too."""
    from .engine import infer
    from .output import write_folder
    from .workflow import say_progress

    out = Path(options.out).resolve()
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; --out names a folder.")
    names = [name.strip() for name in (options.var or "").split(",") if name.strip()]
    variables = _read_variables(options.variables)
    wanted = names if variables is None else [*names, *(str(name) for name in variables.get("name", ()))]
    table = read_any(options.table, wanted, [c for c in (options.trajectory, options.time) if c])
    if options.trajectory and options.trajectory not in table.columns:
        raise ValueError(
            f"The table has no column {options.trajectory!r} for the trajectory; its columns are {', '.join(map(str, table.columns))}."
        )
    config = _read_config(options.config)
    if options.seed is not None:
        config["seed"] = options.seed
    graph = infer(
        table,
        _chosen(names, variables, Path(options.table).suffix == ".h5ad"),
        config,
        trajectory=options.trajectory or "trajectory",
        time=options.time,
        threads=options.threads,
        progress=say_progress(),
    )
    write_folder(graph, out)
    return graph


def _chosen(names, variables, adds):
    """The table of variables for infer(), None for all columns, from --var and --variables.

    names: those of --var; variables: the table of --variables or None; adds: names add to the other columns (h5ad), else
    they choose among them.
    """
    import pandas as pd

    if not names:
        return variables
    if variables is None:
        return None if adds else [{"name": name} for name in dict.fromkeys(names)]
    described = variables.get("name", pd.Series(dtype=object)).astype(str)
    new = [name for name in dict.fromkeys(names) if name not in set(described)]
    if adds:
        return pd.concat([variables, pd.DataFrame({"name": new})], ignore_index=True) if new else variables
    if new:
        raise ValueError(
            f"--var names {new[0]!r}, which is not in the table of --variables; add it there, or leave one of the two out."
        )
    return variables[described.isin(names)]


def _parser():
    parser = argparse.ArgumentParser(prog="python -m cytocause.infer", description=__doc__.split("\n\n")[1])
    parser.add_argument("table", help="CSV, TSV, Parquet or h5ad")
    parser.add_argument(
        "--trajectory",
        help="column that names the trajectory; default: `trajectory`, else a new one starts where time goes back",
    )
    parser.add_argument("--time", help="column of time steps; without it the table is static")
    parser.add_argument("--variables", help="table with name, kind, role, levels, n_layers, delta_t, mov_avg")
    parser.add_argument("--config", help="JSON or YAML with parameters (or a section `infer`)")
    parser.add_argument(
        "--var",
        help="names of variables, separated by commas; of an h5ad they join its obs columns, of others only they are used",
    )
    parser.add_argument("--seed", type=int, help="of shuffles (default: the config's, else 0)")
    parser.add_argument("--threads", type=int, help="default: all cores allowed")
    parser.add_argument("--out", required=True, help="folder for the results")
    return parser


def read_any(path, names=(), keys=()):
    """A DataFrame from any of the formats; names, keys: columns that must be in an h5ad.

    Of an h5ad: all obs columns, and the names that are none, from var. Keys and names come first.
    """
    path = Path(path)
    if path.suffix != ".h5ad":
        from cytocause.io import read_table

        return read_table(path)
    import anndata
    import numpy as np

    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    wanted = list(dict.fromkeys([*keys, *names]))
    data = anndata.read_h5ad(path, backed="r")
    try:
        table = data.obs.copy()
        genes = [name for name in wanted if name not in table.columns]
        for name in genes:
            found = int((data.var_names == name).sum())
            if found == 0:
                raise ValueError(f"{path} has no obs column and no variable named {name!r}.")
            if found > 1:
                raise ValueError(f"{path} has {found} variables named {name!r}; make their names unique.")
        if genes:
            values = data[:, genes].X
            values = np.asarray(values.todense() if hasattr(values, "todense") else values)
            for name, column in zip(genes, values.T):
                table[name] = column
        table = table[list(dict.fromkeys([*wanted, *table.columns]))]
    finally:
        data.file.close()
    return table.reset_index(drop=True)


def _read_variables(path):
    if path is None:
        return None
    from .workflow import read_variables_file

    return read_variables_file(path)


def _read_config(path):
    if path is None:
        return {}
    import yaml

    try:
        config = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{path} cannot be read as YAML ({' '.join(str(error).split())}).") from None
    if not isinstance(config, dict):
        raise ValueError(f"{path} is not a list of parameters; expected name: value.")  # noqa: TRY004 - the user's file, not a caller's type
    return dict(config.get("infer") or {}) if "infer" in config else config


if __name__ == "__main__":
    sys.exit(main())
