"""A laboratory for the workflow: copies of the tree, runs of snakemake in them, and which jobs a dry run plans."""

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TINY = "config/examples/tiny/config.yaml"
TREE = ("Snakefile", "workflow", "config", "resources", "scripts", "envs", "pyproject.toml", "requirements.lock")


def copy_tree(folder):
    """A copy of what a run needs, file times included; no results. Returns the folder.

    `scripts` is a link: numba keeps its compiled kernels by the path of their source, and compiling them anew for each copy takes minutes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in TREE:
        source = ROOT / name
        if name == "scripts":
            (folder / name).symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True)
        else:
            shutil.copy2(source, folder / name)
    return folder


def copy_run(source, folder):
    """A copy of a tree with its results and Snakemake's memory of them, and scripts of its own to edit; file times included."""
    shutil.copytree(source, folder, symlinks=True)
    return own_scripts(folder)


def own_scripts(folder):
    """Put a copy of the scripts, file times included, in the place of the link."""
    link = Path(folder) / "scripts"
    link.unlink()
    shutil.copytree(ROOT / "scripts", link, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return Path(folder)


def environment(**more):
    """The environment of a run: this interpreter's tools first, one thread, nothing of the outer run."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SNAKEMAKE_PROFILE")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["OMP_NUM_THREADS"] = "1"
    return {**env, **{key: str(value) for key, value in more.items()}}


def snakemake(folder, *arguments, configfile=TINY, env=None, timeout=600):
    """Run snakemake in `folder` and return the finished process (stdout holds both streams)."""
    command = [sys.executable, "-m", "snakemake", *map(str, arguments)]
    if configfile:
        command += ["--configfile", str(configfile)]
    return subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=env or environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )


def run(folder, *arguments, cores=2, **options):
    """Run snakemake for real and insist on success."""
    done = snakemake(folder, *arguments, "--cores", cores, "--quiet", "rules", **options)
    assert done.returncode == 0, done.stdout[-6000:]
    return done


def planned(folder, *arguments, configfile=TINY):
    """The jobs a dry run plans: {rule: number of jobs}, without the target `all`."""
    status, text = dry_run(folder, *arguments, configfile=configfile)
    assert status == 0, text[-6000:]
    return jobs(text)


def dry_run(folder, *arguments, configfile=TINY):
    """(exit status, output) of `snakemake -n`."""
    command = [*arguments, "-n", "--quiet", "rules"]
    return in_fork(folder, *command, *(["--configfile", configfile] if configfile else []))


def in_fork(folder, *arguments):
    """(exit status, output) of a snakemake that runs no job, in a fork of this process: importing Snakemake costs more than a plan itself."""
    import snakemake.cli  # noqa: F401 (imported here so that every fork has it)

    with tempfile.TemporaryFile("w+") as output:
        child = multiprocessing.get_context("fork").Process(target=_in_fork, args=(str(folder), [*map(str, arguments)], output.fileno()))
        child.start()
        child.join(120)
        output.seek(0)
        return child.exitcode, output.read()


def _in_fork(folder, command, output):
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = sys.stderr = os.fdopen(output, "w", closefd=False)
    os.chdir(folder)
    os.environ.pop("PYTHONPATH", None)
    for name in [name for name in sys.modules if name.split(".")[0] == "cytocause"]:
        del sys.modules[name]  # the plan must be made by the package of `folder`
    from snakemake.cli import main

    main(command)


def jobs(text):
    """The table "Job stats" of a dry run as {rule: number}."""
    if "Job stats" not in text:
        assert "Nothing to be done" in text, text[-3000:]
        return {}
    table = text.split("Job stats:")[1]
    found = dict(re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE))
    return {rule: int(n) for rule, n in found.items() if rule not in ("all", "total")}


def edit(path, old, new):
    """Replace text that must be there exactly once."""
    path = Path(path)
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new))


DATED = ("run.json", "report.html")  # times and dates live here, in logs and in benchmarks only


def content(folder):
    """{path: bytes} of all results that may not differ between two runs."""
    results = Path(folder) / "results"
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and path.name not in DATED and path.relative_to(results).parts[0] not in ("logs", "benchmarks")
    }


def differences(one, other):
    """Names of files that differ between two `content`s or are missing in one of them."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
