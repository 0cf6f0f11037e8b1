"""The Slurm profile on a real single-node Slurm: the tiny example gives the same bytes as on one computer."""

import tempfile

import pytest

from tests.workflow import lab, slurm


@pytest.mark.timeout(900)
def test_the_tiny_example_through_slurm_gives_the_same_bytes(tiny, tmp_path, skip):
    if slurm.missing():
        skip(slurm.missing())
    tree = lab.copy_tree(tmp_path / "tree")
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, slurm.cluster(f"{folder}/toy") as env:
        done = lab.snakemake(
            tree,
            *("--workflow-profile", "workflow/profiles/slurm"),
            # what a machine of two cores without accounting needs, and a test that does not wait 40 s for each answer
            *("--set-threads", "segment=1", "infer=1", "--cores", 1, "--latency-wait", 10),
            *("--slurm-status-command", "squeue", "--slurm-no-account", "--slurm-init-seconds-before-status-checks", 2),
            env=lab.environment(PATH=env["PATH"], SLURM_CONF=env["SLURM_CONF"]),
            timeout=850,
        )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "slurm" in done.stdout.lower()
    assert lab.differences(lab.content(tree), lab.content(tiny)) == []
