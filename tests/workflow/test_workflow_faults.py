"""Faults of the machine: killed in the middle of each stage, a full disk. Nothing half-made is ever taken for a result."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.workflow import lab

STAGES = ["simulate", "prepare", "segment", "track", "measure", "fate", "overlay", "assemble", "infer", "score", "report"]
COMMAND = [sys.executable, "-m", "snakemake", "--cores", "1", "--rerun-incomplete", "--configfile", lab.TINY]


def killed_in(tree, stage):
    """Start the workflow and kill -9 all of it as soon as the first job of `stage` writes.

    Returns (whether it was still running then, what the dead stage left: its log's first line and half-written outputs, a list of str).
    """
    printed = tree / f"kill-{stage}.txt"
    with open(printed, "w") as output:
        # `--until` keeps the run from going on to later stages; what is finished already is not made again
        process = subprocess.Popen(
            [*COMMAND, "--until", stage], cwd=tree, env=lab.environment(), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        wait(process, lambda: re.search(rf"^(local)?rule {stage}:", printed.read_text(), re.MULTILINE), pause_s=0.02)
        before = half_written(tree)  # left by stages that were killed earlier
        wait(process, lambda: half_written(tree) - before or has_lines(tree, stage), pause_s=0.002)
        running = process.poll() is None
        if running:
            os.killpg(process.pid, signal.SIGKILL)  # at once, or the file is whole before
        process.wait()
        wait(None, lambda: not family(process.pid), pause_s=0.01, at_most_s=30)
    return running, [*sorted(half_written(tree) - before), *(["a line in its log"] if has_lines(tree, stage) else [])]


def wait(process, seen, *, pause_s, at_most_s=300):
    """Wait until `seen()` is true, the process (if any) has ended, or the time is over."""
    end = time.monotonic() + at_most_s
    while time.monotonic() < end and (process is None or process.poll() is None) and not seen():
        time.sleep(pause_s)


def half_written(tree):
    """Temporary files and folders of the atomic writers, as paths under results/."""
    found, folders = set(), [tree / "results"]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except (FileNotFoundError, NotADirectoryError):  # renamed or removed since
            continue
        found |= {os.path.relpath(entry.path, tree / "results") for entry in entries if entry.name.startswith(".tmp-")}
        folders += [entry.path for entry in entries if entry.is_dir() and not entry.name.startswith(".tmp-")]
    return found


def has_lines(tree, stage):
    """Whether a log of the stage has a first line."""
    logs = tree / "results" / "logs"
    return any(path.stat().st_size for path in (*logs.glob(f"{stage}.log"), *logs.glob(f"{stage}/*.log")))


def family(leader):
    """Living processes of a process group: snakemake and the scripts it started."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, psutil.Error):
            continue
    return found


@pytest.mark.timeout(900)
def test_killed_in_the_middle_of_each_stage_a_second_run_ends_with_the_same_bytes(tiny, tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    running, left = {}, {}
    for stage in STAGES:
        running[stage], left[stage] = killed_in(tree, stage)
        status, text = lab.in_fork(tree, "--unlock", "--configfile", lab.TINY)
        assert status == 0, text[-2000:]
    print(*(f"{stage}: {', '.join(found) or 'nothing'}" for stage, found in left.items()), sep="\n")
    assert all(running.values()), f"not killed while the stage ran: {[stage for stage in running if not running[stage]]}"
    assert sum(map(bool, left.values())) >= 8, left
    lab.run(tree, "--rerun-incomplete")
    assert lab.differences(lab.content(tree), lab.content(tiny)) == []
    # the leftovers of killed writers are no results; none is where a reader would take it for one
    assert lab.planned(tree) == {}


@pytest.mark.timeout(600)
def test_a_full_disk_fails_the_job_and_a_second_run_with_room_ends_with_the_same_bytes(tiny, tmp_path, skip):
    if os.getuid() != 0 or shutil.which("mount") is None:
        skip("mounting a small file system needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    tree = lab.copy_tree(tmp_path / "tree")
    whole = sum(path.stat().st_size for path in (tiny / "results").rglob("*") if path.is_file())
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={whole // 3072}k", "tmpfs", str(disk)], check=False, capture_output=True, text=True
    )
    if mounted.returncode != 0:
        skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        (tree / "results").symlink_to(disk)
        first = lab.snakemake(tree, "--cores", 1, "--keep-going")
        assert first.returncode != 0, "the disk was large enough"
        assert "No space left on device" in first.stdout
        reference = lab.content(tiny)
        made = lab.content(tree)
        assert made, "nothing was finished before the disk was full"
        assert [name for name in made if made[name] != reference.get(name)] == []
        subprocess.run(["mount", "-o", f"remount,size={whole * 3 // 1024 + 20000}k", str(disk)], check=True)
        lab.run(tree, "--rerun-incomplete")
        assert lab.differences(lab.content(tree), reference) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
