"""A real SLURM on this machine for tests: two virtual nodes on loopback, without systemd, cgroups or a database.

    python tests/slurm/cluster.py install     Debian's slurmctld, slurmd, slurm-client and munge, by apt, where they are missing

Everything that runs is started here, in a folder of its own, and stopped by its process id.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "munged")
PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")

CONFIG = """\
ClusterName=toy
SlurmctldHost={host}({address})
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge.sock
SlurmctldPort={ports[0]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MinJobAge=300
GresTypes=gpu
DefMemPerCPU=500
KillWait=2
NodeName=n1 NodeHostname={host} NodeAddr={address} Port={ports[1]} CPUs=2 RealMemory=4000 Gres=gpu:1
NodeName=n2 NodeHostname={host} NodeAddr={address} Port={ports[2]} CPUs=2 RealMemory=4000 Gres=gpu:1
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=600 State=UP
"""


def missing() -> list[str]:
    """Programs that a cluster needs and this machine has not."""
    return [name for name in PROGRAMS if _program(name) is None]


def why_not() -> str:
    """What keeps a cluster from starting here; empty if nothing does."""
    if missing():
        return f"no SLURM here ({', '.join(missing())} missing); `make test-slurm` installs it where it may: root on Debian or Ubuntu"
    if Path("/etc/slurm/slurm.conf").exists():
        return "this machine has a SLURM of its own (/etc/slurm/slurm.conf), which the tests leave alone"
    try:
        if not socket.gethostbyname(_host()).startswith("127."):
            return f"the name of this machine, {_host()}, is not one of loopback; the test cluster must not be reachable from outside"
    except OSError:
        return f"the name of this machine, {_host()}, cannot be resolved; give it 127.0.0.1 in /etc/hosts"
    return ""


def install() -> str:
    """Install what is missing, without starting any daemon; returns why that is impossible, if it is."""
    if not missing():
        return ""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "SLURM can only be installed here by root with apt-get"
    policy, said = Path("/usr/sbin/policy-rc.d"), b"#!/bin/sh\nexit 101\n"
    ours = not policy.exists()
    if ours:
        policy.write_bytes(said)
        policy.chmod(0o755)
    try:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=False, env=environment)
        done = subprocess.run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", *PACKAGES], env=environment)
    finally:
        if ours:
            policy.unlink()
    return f"apt-get could not install {', '.join(missing())}" if done.returncode or missing() else ""


class Cluster:
    """A running cluster: what to set for programs that shall use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{folder}/bin{os.pathsep}{os.environ['PATH']}"}

    def call(self, *words: str) -> str:
        """Output of one of SLURM's commands."""
        done = subprocess.run(words, env=os.environ | self.environment, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip()

    def jobs(self) -> list[str]:
        """Ids of jobs that wait or run."""
        return self.call("squeue", "-h", "-t", "pending,running", "-o", "%i").split()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a cluster, and stop it with all that it runs."""
    folder = Path(tempfile.mkdtemp(prefix="lightweights-slurm-"))
    folder.chmod(0o755)  # munge's socket must be reachable
    for name in ("state", "spool/n1", "spool/n2", "log", "bin"):
        (folder / name).mkdir(parents=True)
    config = folder / "slurm.conf"
    values = {"host": _host(), "address": socket.gethostbyname(_host()), "user": _user(), "folder": folder, "ports": _free_ports(3)}
    config.write_text(CONFIG.format(**values))
    (folder / "gres.conf").write_text("Name=gpu Count=1 File=/dev/null\n")  # a GPU that is none: it is only counted
    # The plugin's job step forgets SLURM_CONF before it calls srun.
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={config} exec {_program("srun")} "$@"\n')
    srun.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    found = Cluster(folder)
    munged = {"key-file": key, "socket": folder / "munge.sock", "pid-file": folder / "munged.pid"}
    munged |= {"log-file": folder / "log/munged.log", "seed-file": folder / "munge.seed"}
    try:
        _start(found, "munged", *(f"--{name}={value}" for name, value in munged.items()))
        _start(found, "slurmctld", "-c")
        for node in ("n1", "n2"):
            _start(found, "slurmd", "-N", node)
        _wait(lambda: set(found.call("sinfo", "-h", "-o", "%T").split()) == {"idle"}, 60, f"see {folder}/log")
        yield found
    finally:
        _stop(found)


def _start(found: Cluster, name: str, *options: str) -> None:
    done = subprocess.run(
        [str(_program(name)), *options], env=os.environ | found.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{name} does not start: {done.stderr or done.stdout}")


def _stop(found: Cluster) -> None:
    pids = {name: _pid(found.folder / f"{name}.pid") for name in ("slurmctld", "slurmd-n1", "slurmd-n2", "munged")}
    if pids["slurmctld"]:
        try:
            if found.jobs():
                found.call("scancel", *found.jobs())
                _wait(lambda: not found.jobs(), 20, "jobs do not end")
        except (subprocess.SubprocessError, TimeoutError) as error:
            print(error, file=sys.stderr)
    for name in ("slurmd-n1", "slurmd-n2", "slurmctld", "munged"):
        if pids[name]:
            os.kill(pids[name], signal.SIGTERM)
            try:
                _wait(lambda pid=pids[name]: not _alive(pid), 15, f"{name} does not stop")
            except TimeoutError:
                os.kill(pids[name], signal.SIGKILL)
    shutil.rmtree(found.folder, ignore_errors=True)


def _wait(ready, seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.2)


def _pid(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        sys.exit(__doc__)
    problem = install()
    print(problem or "SLURM is installed")
