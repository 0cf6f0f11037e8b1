"""A real Slurm of one node on the loopback interface, from Debian's packages, without systemd. All its files lie in one folder."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

CONF = """ClusterName=toy
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
ReturnToService=2
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=UNLIMITED State=UP
"""

TOOLS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo")


def missing():
    """Why a cluster cannot be started here, or an empty text."""
    absent = [tool for tool in TOOLS if not tool_path(tool)]
    if absent:
        return f"no {', '.join(absent)} (apt-get install slurm-wlm munge)"
    return "" if os.getuid() == 0 else "starting Slurm needs root"


def tool_path(name):
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"]))


def free_port():
    with socket.socket() as handle:
        handle.bind(("127.0.0.1", 0))
        return handle.getsockname()[1]


@contextmanager
def cluster(folder):
    """Start the cluster, yield the environment in which its commands work, and stop it."""
    folder = Path(folder)
    for name in ("state", "spool", "log", "run", "bin"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    total_kb = int(Path("/proc/meminfo").read_text().split()[1])
    conf = folder / "slurm.conf"
    conf.write_text(
        CONF.format(
            host=socket.gethostname().split(".")[0],
            folder=folder,
            ctld_port=free_port(),
            d_port=free_port(),
            cpus=os.cpu_count(),
            memory=int(total_kb / 1024 * 0.9),
        )
    )
    # The plugin clears SLURM_CONF before srun; a shim first on the PATH sets it again.
    shim = folder / "bin" / "srun"
    shim.write_text(f'#!/bin/sh\nexport SLURM_CONF={conf}\nexec {tool_path("srun")} "$@"\n')
    shim.chmod(0o755)
    env = {**os.environ, "SLURM_CONF": str(conf), "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    run = folder / "run"
    munged = [
        "--force", f"--key-file={key}", f"--socket={run / 'munge.sock'}", f"--pid-file={run / 'munged.pid'}",
        f"--log-file={folder / 'log' / 'munged.log'}", f"--seed-file={run / 'munged.seed'}", "--num-threads=2",
    ]  # fmt: skip
    try:
        for command in (["munged", *munged], ["slurmctld", "-c"], ["slurmd"]):
            subprocess.run([tool_path(command[0]), *command[1:]], env=env, check=True, timeout=60)
        wait_until_idle(env, folder)
        yield env
    finally:
        for name in ("slurmd", "slurmctld", "munged"):
            stop(run / f"{name}.pid")


def wait_until_idle(env, folder, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = subprocess.run([tool_path("sinfo"), "-h", "-o", "%T"], env=env, capture_output=True, text=True, check=False)
        if state.stdout.strip() == "idle":
            return
        time.sleep(0.1)
    logs = "\n".join(path.read_text()[-1500:] for path in (folder / "log").iterdir())
    raise TimeoutError(f"Slurm's node is not idle after {seconds} s: {state.stdout} {state.stderr}\n{logs}")


def stop(pid_file):
    """Ask one daemon to end and wait until it has."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except OSError:
            return
        time.sleep(0.1)
