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


def killed_in(tree, stage, seconds):
    """Start the workflow and kill -9 all of it, `seconds` after the first job of `stage` has begun. Returns the output."""
    log = tree / f"kill-{stage}.txt"
    with open(log, "w") as output:
        # `--until` keeps the run from going on to later stages; what is finished already is not made again
        process = subprocess.Popen(
            [*COMMAND, "--until", stage], cwd=tree, env=lab.environment(), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        end = time.monotonic() + 300
        while time.monotonic() < end and process.poll() is None:
            if re.search(rf"^(local)?rule {stage}:", log.read_text(), re.MULTILINE):
                break
            time.sleep(0.02)
        worker = wait_for_worker(process, 60)
        time.sleep(seconds)
        family = [process.pid, *(child.pid for child in children(process.pid))]
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()
    return worker


def children(pid):
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_for_worker(process, seconds):
    """Whether a process that runs a stage's script came up while snakemake was alive."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if any(".snakemake/scripts" in " ".join(cmdline(child)) for child in children(process.pid)):
            return True
        time.sleep(0.02)
    return False


def cmdline(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.timeout(900)
def test_killed_in_the_middle_of_each_stage_a_second_run_ends_with_the_same_bytes(tiny, tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    hit = {}
    for k, stage in enumerate(STAGES):
        hit[stage] = killed_in(tree, stage, 0.2 + 0.15 * (k % 4))
        unlocked = lab.snakemake(tree, "--unlock")
        assert unlocked.returncode == 0, unlocked.stdout[-2000:]
    assert all(hit.values()), f"not killed while a script ran: {[stage for stage in hit if not hit[stage]]}"
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
