"""A real Slurm on this machine for the tests: nodes that are processes, no services, no database."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "srun")
_SYSTEM = "/usr/sbin:/sbin"
_CONF = """ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
CredType=cred/munge
SlurmctldPort={port}
SlurmdPort={port_of_slurmd}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
GresTypes=gpu
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MinJobAge=300
KillWait=60
InactiveLimit=0
SlurmctldTimeout=30
SlurmdTimeout=10
NodeName=DEFAULT CPUs=4 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
{nodes}
PartitionName=main Nodes={names} Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes={names} MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def missing() -> str:
    """Which commands of a real Slurm this machine lacks; "" when it has all of them."""
    lacking = [name for name in COMMANDS if _command(name) is None]
    return f"no {', '.join(lacking)}: apt-get install slurmctld slurmd slurm-client munge" if lacking else ""


def _command(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM}")


def wait_for(what: Callable[[], bool], described: str, seconds: float = 300.0) -> None:
    """Wait until it is so. The limit only ends a test that will never pass."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"not within {seconds:.0f} s: {described}"
        time.sleep(0.1)


class Cluster:
    """A Slurm of `nodes` nodes in `folder`, ended by the ids of its processes."""

    def __init__(self, folder: Path, nodes: int = 2) -> None:
        self.folder, self.nodes = folder, [f"n{number}" for number in range(1, nodes + 1)]
        self.conf = folder / "etc" / "slurm.conf"

    def start(self) -> None:
        """Start it and wait until all nodes are idle."""
        for name in ("run", "log", "state", "spool", "etc"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        (self.folder / "run").chmod(0o755)
        key = self.folder / "etc" / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        self._write_configuration()
        self._munge()
        self.start_controller()
        for node in self.nodes:
            self.start_node(node)
        wait_for(lambda: self.idle() == len(self.nodes), "all nodes are idle")

    def stop(self) -> None:
        """End all of it, jobs first."""
        self.clear()
        self.kill("slurmctld")  # at a SIGTERM it takes seconds to save what nobody needs
        names = [*(f"slurmd-{node}" for node in self.nodes), "munged"]
        for name in names:
            self.kill(name, signal.SIGTERM)
        for name in names:
            self._gone(name, 20)

    def clear(self) -> None:
        """Cancel all jobs and wait for their end."""
        self._ask("scancel", f"--user={os.getuid()}")
        if self._ask("squeue", "-h"):
            self._ask("scancel", "--signal=KILL", f"--user={os.getuid()}")
        wait_for(lambda: not self._ask("squeue", "-h", "-o", "%i"), "no jobs are left")

    def start_controller(self) -> None:
        """Start slurmctld."""
        subprocess.run([_command("slurmctld") or "", "-f", str(self.conf)], check=True, timeout=60)

    def start_node(self, node: str) -> None:
        """Start a node's slurmd."""
        subprocess.run([_command("slurmd") or "", "-f", str(self.conf), "-N", node], check=True, timeout=60)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to one of its own daemons."""
        if pid := self.pid(name):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            if number == signal.SIGKILL:
                self._gone(name, 60)

    def pid(self, name: str) -> int | None:
        """The process of a daemon: munged, slurmctld, slurmd-n1."""
        try:
            return int((self.folder / "run" / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return None

    def idle(self) -> int:
        """How many nodes are idle."""
        said = self._ask("sinfo", "-h", "-N", "-p", "main", "-o", "%t")
        return said.split().count("idle")

    def start_now(self, job: str) -> None:
        """Skip the two minutes that Slurm waits after a requeue, but for the second in which a node still
        refuses the job: its credential was revoked."""
        time.sleep(3)
        self._ask("scontrol", "update", f"jobid={job}", "StartTime=now")

    def limit(self, job: str, minutes: int) -> None:
        """Change a job's time limit."""
        self._ask("scontrol", "update", f"jobid={job}", f"TimeLimit={minutes}")

    def down(self, node: str) -> None:
        """Say that a node is down, as Slurm itself finds out after a while."""
        self._ask("scontrol", "update", f"nodename={node}", "state=DOWN", "reason=test")

    def show(self, job: str) -> dict[str, str]:
        """What scontrol says of a job."""
        said = self._ask("scontrol", "-o", "show", "job", job)
        pairs = (word.partition("=") for word in said.split())
        return {name: value for name, _, value in pairs}

    def comment(self, job: str) -> str:
        """A job's comment."""
        return self._ask("squeue", "-h", "-j", job, "-o", "%k").rstrip("\n")

    def steps(self, job: str) -> int:
        """How many steps of srun a job is running."""
        said = self._ask("squeue", "-h", "--steps", "-o", "%i").split()
        return sum(step.startswith(f"{job}.") and step.rpartition(".")[2].isdigit() for step in said)

    def _ask(self, *command: str) -> str:
        environment = {**os.environ, "SLURM_CONF": str(self.conf)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        return done.stdout

    def _write_configuration(self) -> None:
        port = _free_ports(4 + len(self.nodes))
        host = socket.gethostname().partition(".")[0]
        lines, devices = [], []
        for number, node in enumerate(self.nodes, 2):
            lines.append(f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port + number}")
            # any character device passes for a GPU
            devices += [f"NodeName={node} Name=gpu File={file}" for file in ("/dev/null", "/dev/zero")]
        self.conf.write_text(
            _CONF.format(
                host=host,
                user=pwd.getpwuid(os.getuid()).pw_name,
                folder=self.folder,
                port=port,
                port_of_slurmd=port + 1,
                nodes="\n".join(lines),
                names=",".join(self.nodes),
            )
        )
        (self.conf.parent / "gres.conf").write_text("\n".join(devices) + "\n")

    def _munge(self) -> None:
        run, etc = self.folder / "run", self.folder / "etc"
        command = [_command("munged") or "", "--force", f"--key-file={etc}/munge.key", "--num-threads=2"]
        command += [f"--socket={run}/munge.socket", f"--pid-file={run}/munged.pid"]
        command += [f"--log-file={self.folder}/log/munged.log", f"--seed-file={etc}/munge.seed"]
        subprocess.run(command, check=True, timeout=60, capture_output=True)

    def _gone(self, name: str, seconds: float) -> None:
        """Wait for a daemon's end, and end it if it does not come."""
        pid, until = self.pid(name), time.monotonic() + seconds
        while pid and Path(f"/proc/{pid}/stat").exists() and _alive(pid):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
                until += 1e9
            time.sleep(0.05)
        (self.folder / "run" / f"{name}.pid").unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens at."""
    for first in range(21_000 + os.getpid() % 500 * 20, 60_000, count):
        with_sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, one in enumerate(with_sockets):
                one.bind(("127.0.0.1", first + offset))
            return first
        except OSError:
            continue
        finally:
            for one in with_sockets:
                one.close()
    raise AssertionError("no free ports")
