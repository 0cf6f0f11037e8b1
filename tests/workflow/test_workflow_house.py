"""The house keeps its own rules: pins, entries, set-up, and who imports whom."""

import ast
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions

import pytest
import yaml

from cytocause.io.provenance import code_files
from cytocause.io.settings import STAGES
from tests.workflow import lab
from tests.workflow.lab import ROOT


def lock():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


def test_environments_carry_the_locks_pins():
    paths = sorted((ROOT / "envs").glob("*.yaml"))
    assert {path.stem for path in paths} >= {"analysis", "segment"}
    for path in paths:
        pins = next(item["pip"] for item in yaml.safe_load(path.read_text())["dependencies"] if isinstance(item, dict))
        assert pins
        for pin in pins:
            name, version = pin.split("==")
            assert lock()[name] == version, f"{path.name}: {pin}"


def foreign_imports(path):
    """Top-level names of what a module imports from neither Python nor this package."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        yield from {name.split(".")[0] for name in names} - {*sys.stdlib_module_names, "cytocause"}


def test_environments_hold_what_their_rules_scripts_import():
    files = {}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for text in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            env, script = re.search(r"envs/(\w+)\.yaml", text)[1], re.search(r"scripts/(\w+)\.py", text)[1]
            files.setdefault(env, set()).update(code_files(script))
    needed = {env: {name for file in own for name in foreign_imports(file)} for env, own in files.items()}
    assert needed["segment"] >= {"torch", "cellpose"} and needed["analysis"] >= {"jinja2", "numba"}
    packages = packages_distributions()
    for env, names in needed.items():
        pins = next(item["pip"] for item in yaml.safe_load((ROOT / "envs" / f"{env}.yaml").read_text())["dependencies"] if isinstance(item, dict))
        pinned = {pin.split("==")[0].lower() for pin in pins}
        missing = [name for name in sorted(names) if not pinned & {package.lower() for package in packages[name]}]
        assert missing == [], f"envs/{env}.yaml"


def test_the_pins_that_must_not_move():
    assert lock()["torch"] == "2.13.0"  # without a local suffix: the CPU and the CUDA builds both satisfy it
    assert lock()["snakemake-executor-plugin-slurm"] == "2.6.1"
    assert lock()["cellpose"] == "3.1.1.3"


def test_the_top_level_holds_the_house_and_nothing_else(skip):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        skip("not a git checkout: what belongs to the project cannot be told from what was made")
    top = {name.split("/")[0] for name in tracked.stdout.splitlines()}
    assert top <= {
        ".ci", ".gitignore", ".snakemake-workflow-catalog.yml", "CHANGELOG.md", "CITATION.cff", "LICENSE", "README.md", "Snakefile",
        "config", "envs", "pyproject.toml", "requirements.lock", "resources", "scripts", "tests", "workflow",
    }  # fmt: skip


def imported_rooms(path, room):
    """Rooms of the package that a module imports beside its own and io."""
    package = path.relative_to(ROOT / "scripts").parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = [".".join([*package[: len(package) - node.level + 1], node.module or alias.name]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            if parts[0] == "cytocause" and len(parts) > 1 and parts[1] in STAGES and parts[1] != room:
                yield parts[1]


@pytest.mark.parametrize("room", [*STAGES, "io"])
def test_a_room_imports_io_and_itself(room):
    folder = ROOT / "scripts" / "cytocause" / room
    assert folder.is_dir()
    found = {str(path.name): sorted(set(imported_rooms(path, room))) for path in folder.rglob("*.py")}
    assert {name: rooms for name, rooms in found.items() if rooms} == {}


def test_every_rule_has_log_benchmark_memory_run_time_one_dict_and_the_codes_hash():
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for text in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            name = text.split(":")[0]
            for word in ("log:", "benchmark:", "threads:", "mem_mb=", "runtime=", "cfg=", f'code=code_hash("{name}")', "script:", "conda:"):
                assert word in text, f"{name} has no {word}"
            for word in ("temp(", "checkpoint", "    run:", "shell:", "snakemake.config"):
                assert word not in text, f"{name} uses {word}"


def test_scripts_read_no_configuration_but_their_own():
    for path in (ROOT / "scripts").glob("*.py"):
        assert "snakemake.config" not in path.read_text(), path.name


def test_the_profiles_name_their_executor_and_hold_no_science():
    for name in ("workstation", "slurm"):
        profile = yaml.safe_load((ROOT / "workflow" / "profiles" / name / "profile.yaml").read_text())
        assert not {"config", "configfile", "configfiles"} & set(profile)
        assert profile["rerun-incomplete"] is True
    assert profile["executor"] == "slurm"
    assert "slurm-array-jobs" not in profile


# --- scripts/run, with a stand-in for pip and python ---------------------------------------------------------------------

PYTHON = """#!/usr/bin/env bash
# A stand-in: answers the version check, makes a "venv" with itself in it, and writes down what pip is asked for.
case "$*" in
  *"sys.version_info"*) exit {suitable} ;;
  --version) echo "Python {version}" ;;
  "-m venv --clear "*) rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; echo "venv" >>"$LOG" ;;
  *" pip "*) all="$*"; echo "pip ${{all##*--no-warn-script-location }}" >>"$LOG"; [ ! -e "$LOG.fail" ] || exit 1 ;;
  "-m pytest"*) echo "pytest ${{*:3}}" >>"$LOG" ;;
  "-m cytocause.infer.warm") echo "kernels" >>"$LOG"; [ ! -e "$LOG.cold" ] || exit 1 ;;
esac
"""


@pytest.fixture
def bare(tmp_path):
    """call(*arguments, suitable=True): scripts/run in a bare clone, where python3.11 is a stand-in. Returns (status, messages, what was done)."""
    tree = tmp_path / "clone"
    (tree / "scripts").mkdir(parents=True)
    for name in ("scripts/run", "requirements.lock", "pyproject.toml"):
        (tree / name).write_bytes((ROOT / name).read_bytes())
    (tree / "scripts" / "run").chmod(0o755)
    tools, log = tmp_path / "tools", tmp_path / "log"
    tools.mkdir()

    def call(*arguments, suitable=True, fail=False):
        for name in ("python3.11", "python3.12", "python3", "python"):
            (tools / name).write_text(PYTHON.format(suitable=0 if suitable else 1, version="3.11.7" if suitable else "3.9.2"))
            (tools / name).chmod(0o755)
        log.write_text("")
        fault = log.with_name("log.fail")
        fault.touch() if fail else fault.unlink(missing_ok=True)
        env = {**os.environ, "PATH": f"{tools}:/usr/bin:/bin", "LOG": str(log)}
        done = subprocess.run([str(tree / "scripts" / "run"), *arguments], cwd="/", env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr, log.read_text().splitlines()

    call.tree, call.cold = tree, tmp_path / "log.cold"
    return call


WHOLE_SUITE = "pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder"
INSTALL = ["pip torch==2.13.0", "pip -r", "pip --no-deps", "kernels"]


def starts(lines, expected):
    return len(lines) == len(expected) and all(line.startswith(word) for line, word in zip(lines, expected))


def test_set_up_installs_torch_then_the_lock_then_the_package_then_compiles_and_only_once(bare):
    status, _, done = bare("test", "-k", "x")
    assert status == 0
    assert starts(done, ["venv", *INSTALL, "pytest -k x"]), done
    assert bare("test")[2] == [WHOLE_SUITE]


def test_a_changed_lock_sets_up_again_over_what_is_there(bare):
    bare("test")
    lock_file = bare.tree / "requirements.lock"
    lock_file.write_text(lock_file.read_text() + "# changed\n")
    assert starts(bare("test")[2], [*INSTALL, "pytest"])


def test_an_interrupted_set_up_heals(bare):
    status, _, done = bare("test", fail=True)
    assert status != 0
    assert starts(done, ["venv", INSTALL[0]])
    assert starts(bare("test")[2], ["venv", *INSTALL, "pytest"])


def test_kernels_that_cannot_be_compiled_beforehand_stop_nothing(bare):
    bare.cold.touch()
    status, message, done = bare("test")
    assert status == 0 and "the first inference will compile them" in message
    assert starts(done, ["venv", *INSTALL, "pytest"])
    assert bare("test")[2] == [WHOLE_SUITE]


def test_another_python_is_refused_with_what_to_do(bare):
    status, message, done = bare("test", suitable=False)
    assert status == 1
    assert "Python 3.11 or 3.12" in message
    assert "found Python 3.9.2" in message
    assert "CYTOCAUSE_PYTHON" in message
    assert done == []


def test_snakemakes_own_report_holds_every_category(tiny, tmp_path):
    page = tmp_path / "snakemake.zip"
    done = lab.snakemake(tiny, "--report", page)
    assert done.returncode == 0, done.stdout[-3000:]
    with zipfile.ZipFile(page) as archive:
        text = "".join(archive.read(name).decode(errors="replace") for name in archive.namelist() if name.endswith((".html", ".js")))
    for category in ("Page", "Graph", "Table", "Quality", "Films", "Score"):
        assert f'"{category}"' in text, category
