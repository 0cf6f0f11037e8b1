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
    from cytocause.io import InputDefect

    from .engine import infer
    from .output import write_folder
    from .workflow import say_progress

    try:
        names = [name for name in (options.var or "").split(",") if name]
        table = read_any(options.table, names, [c for c in (options.trajectory, options.time) if c])
        variables = _read_variables(options.variables)
        if names and variables is None and Path(options.table).suffix != ".h5ad":
            variables = [{"name": name} for name in names]
        config = _read_config(options.config)
        if options.seed is not None:
            config["seed"] = options.seed
        graph = infer(
            table,
            variables,
            config,
            trajectory=options.trajectory,
            time=options.time,
            threads=options.threads,
            progress=say_progress(),
        )
        write_folder(graph, Path(options.out).resolve())
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        return STOPPED
    except (InputDefect, ValueError, OSError) as error:
        print(f"cytocause.infer: {error}", file=sys.stderr)
        return 2
    counts = graph.run["counts"]
    print(
        f"{counts['edges']} edges from {counts['pairs']} pairs on {counts['rows']} rows "
        f"in {graph.run['timings']['total']:.1f} s; see {options.out}",
        file=sys.stderr,
    )
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m cytocause.infer", description=__doc__.split("\n\n")[1])
    parser.add_argument("table", help="CSV, TSV, Parquet or h5ad")
    parser.add_argument("--trajectory", help="column that names the trajectory; default: a new one starts where time goes back")
    parser.add_argument("--time", help="column of time steps; without it the table is static")
    parser.add_argument("--variables", help="table with name, kind, role, levels, n_layers, delta_t, mov_avg")
    parser.add_argument("--config", help="JSON or YAML with parameters (or a section `infer`)")
    parser.add_argument("--var", help="names of variables, separated by commas; for h5ad also from var")
    parser.add_argument("--seed", type=int, help="of shuffles (default: the config's, else 0)")
    parser.add_argument("--threads", type=int, help="default: all cores allowed")
    parser.add_argument("--out", required=True, help="folder for the results")
    return parser


def read_any(path, names=(), keys=()):
    """A DataFrame from any of the formats; names, keys: columns wanted from an h5ad (obs, or var by name)."""
    path = Path(path)
    if path.suffix != ".h5ad":
        from cytocause.io import read_table

        return read_table(path)
    import anndata
    import numpy as np

    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    data = anndata.read_h5ad(path, backed="r")
    try:
        table = data.obs.copy()
        if names:
            missing = [n for n in (*names, *keys) if n not in table.columns and n not in data.var_names]
            if missing:
                raise ValueError(f"{path} has no obs column and no variable named {missing[0]!r}.")
            genes = [n for n in (*names, *keys) if n not in table.columns]
            for name in genes:
                column = data[:, name].X
                table[name] = np.asarray(column.todense() if hasattr(column, "todense") else column).ravel()
            table = table[list(dict.fromkeys([*keys, *names]))]
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

    config = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    if not isinstance(config, dict):
        raise ValueError(f"{path} is not a list of parameters; expected name: value.")  # noqa: TRY004 - the user's file, not a caller's type
    return dict(config.get("infer") or {}) if "infer" in config else config


if __name__ == "__main__":
    sys.exit(main())
