"""What the benchmarks share: the checked config, a stage run in a process of its own, medians, the machine's load.

Run by hand, never by the test run: python tests/benchmarks/<name>.py. Numbers that were measured are in README.md.
"""

import json
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
os.environ.update(THREADS)
sys.path[:0] = [str(SCRIPTS), str(ROOT)]


def work_folder(name):
    """A folder for what a benchmark makes, kept between runs: $CYTOCAUSE_BENCHMARKS, else in the system's temporary folder."""
    base = os.environ.get("CYTOCAUSE_BENCHMARKS") or Path(tempfile.gettempdir()) / "cytocause-benchmarks"
    folder = Path(base) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def config():
    """The demo's configuration with every default filled in."""
    from cytocause.io.settings import check_config, load_schema, load_yaml

    path = ROOT / "config" / "config.yaml"
    return check_config(load_yaml(path), load_schema(ROOT / "workflow" / "schemas"), path.name)


def median(values):
    return statistics.median(values)


def load():
    """The machine's load over the last minute, as text."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


# --- a stage's script in a process of its own ---------------------------------------------------------------------------


class Named(dict):
    """Named inputs and outputs as Snakemake gives them: by attribute and by key."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, name):
        return list(self.values())[name] if isinstance(name, int) else super().__getitem__(name)


def run_script(job):
    """Run scripts/<stage>.py with a stand-in for the snakemake object. job: dict stage, input, output, cfg, threads."""

    class Snakemake:
        rule, threads, log = job["stage"], job.get("threads", 1), [job["log"]]
        wildcards = Named(sample="bench", population="tumour")
        input, output, params = Named(job["input"]), Named(job["output"]), Named(cfg=job["cfg"])

    runpy.run_path(str(SCRIPTS / f"{job['stage']}.py"), init_globals={"snakemake": Snakemake}, run_name="__main__")


def peak_kib():
    """Largest resident memory of this process so far (KiB).

    VmHWM where there is one: ru_maxrss also remembers the parent that this process was forked from.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def peak_of(job, folder):
    """Peak memory (MiB) and CPU time (s) of one stage run in a fresh interpreter; its log goes into `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{job['stage']}.job.json"
    path.write_text(json.dumps({**job, "log": str(folder / f"{job['stage']}.log")}))
    env = {**os.environ, **THREADS, "PYTHONPATH": os.pathsep.join([str(SCRIPTS), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), str(path)], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{job['stage']} failed:\n{done.stderr[-4000:]}")
    status = job["output"].get("status")
    if status and not json.loads(Path(status).read_text())["ok"]:
        raise SystemExit(f"{job['stage']}: {Path(status).read_text()}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["peak_mib"], answer["cpu_s"]


def main():
    run_script(json.loads(Path(sys.argv[1]).read_text()))
    times = os.times()
    cpu = times.user + times.system + times.children_user + times.children_system
    print(json.dumps({"peak_mib": peak_kib() / 1024, "cpu_s": cpu}))


if __name__ == "__main__":
    main()
