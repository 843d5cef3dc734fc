"""Where a result comes from: code, versions, machine."""

import hashlib
import platform
import resource
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

CODE = ("src", "chapters", "params.yaml", "workflow", "Snakefile")

PACKAGES = ("lightweights", "torch", "numpy", "scipy")


def provenance(device: torch.device, threads: int) -> dict[str, Any]:
    """Commit (of the working folder, None outside git), whether code differs from it, versions, host, device, kind of processor, threads.

    To be asked when a run starts: the code may move on meanwhile.

    The host is a digest: it tells machines apart without naming them.
    """
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(
            _git("status", "--porcelain", "--untracked-files=no", "--", "src", "chapters", "params.yaml", "workflow", "Snakefile")
        ),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "host": hashlib.sha256(f"{platform.node()} {uuid.getnode()}".encode()).hexdigest()[:8],
        "device": torch.cuda.get_device_name() if device.type == "cuda" else _processor(),
        "instructions": instructions(),
        "threads": threads,
    }


def instructions() -> str:
    """What decides how this processor rounds: torch's vector instructions, family and model. Processors of one name differ in them."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().split("\n\n")[0].splitlines() if info.is_file() else []
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return " ".join([torch.backends.cpu.get_cpu_capability(), *(told[name] for name in ("cpu family", "model") if name in told)])


def peak_memory_mb() -> int:
    """Largest memory that this process has held, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)


def now() -> str:
    """Present time, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=30, cwd=Path.cwd())
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.is_file()
        else []
    )
    return f"cpu: {names[0] if names else platform.processor() or platform.machine()}"
