"""Large sizes, each in a process of its own so that its peak memory can be read.

``python -m benchmarks.large WORK SIZE...`` does one piece of work (once untimed, then timed) and prints times and peak as JSON.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.timing import Row, summarise, turn_ms

TIMED_CALLS = 3

Job = tuple[str, str, str, list[str]]


def large_rows(effort: Effort) -> list[Row]:
    """One process a job, the jobs in turn, round after round."""
    jobs = _jobs(effort)
    times: dict[Job, list[float]] = {tuple(job[:3]): [] for job in jobs}
    peaks: dict[Job, list[float]] = {tuple(job[:3]): [] for job in jobs}
    for _ in range(effort.long_rounds):
        for *key, arguments in jobs:
            found = _in_process(arguments)
            times[tuple(key)] += found["ms"]
            peaks[tuple(key)].append(found["peak_mib"])
    rows = []
    for key, own in times.items():
        benchmark, setting, name = key
        ours = times[(benchmark, setting, "ours")]
        rows.append(summarise(benchmark, setting, name, own, ours, peak_mib=max(peaks[key])))
    return rows


def _jobs(effort: Effort) -> list[tuple[str, str, str, list[str]]]:
    """Benchmark, setting, contestant, and the process's arguments."""
    modes, photons = effort.large_circuit
    size, shape = [str(modes), str(photons)], f"M={modes}, N={photons}"
    weights = effort.large_weights
    return [
        ("large circuit", f"{shape}, forward", "ours", ["forward", *size]),
        ("large circuit", f"{shape}, forward", "Perceval, backend given the unitary", ["perceval", *size]),
        ("large circuit", f"{shape}, forward + backward", "ours", ["backward", *size]),
        *(
            ("large mapping", f"{weights:,} weights, bond_dim={chi}, forward + backward", "ours", ["mapping", str(weights), str(chi)])
            for chi in effort.large_bond_dims
        ),
    ]


def _in_process(arguments: list[str]) -> dict:
    command = [sys.executable, "-m", "benchmarks.large", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    if done.returncode:
        raise RuntimeError(f"large benchmark {' '.join(arguments)} ended with status {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def _work(kind: str, first: int, second: int) -> Callable[[], object]:
    import torch

    from benchmarks.timing import seeded
    from lightweights.mapping import MPS
    from lightweights.photonics import Circuit

    torch.set_num_threads(1)
    if kind == "mapping":
        mapping = MPS(second, init_std=0.02).build(first, seeded(2))
        probabilities = torch.rand(first, generator=seeded(3))
        return lambda: torch.autograd.grad(mapping(probabilities).square().sum(), list(mapping.parameters()))
    circuit = Circuit(first, second)
    phases = circuit.random_phases(seeded(1)).requires_grad_()
    if kind == "perceval":
        from benchmarks import peers

        evaluate = peers.perceval_backend(circuit)
        return lambda: evaluate(phases.detach())
    if kind == "forward":
        return torch.no_grad()(lambda: circuit(phases))
    return lambda: torch.autograd.grad(circuit(phases).square().sum(), phases)


def _peak_mib() -> float:
    """Largest resident memory of this process so far. Linux only, elsewhere unknown: rusage would count the parent's memory too."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    return int(found[1]) / 1024 if found else float("nan")


def main(kind: str, first: str, second: str) -> None:
    run = _work(kind, int(first), int(second))
    run()
    times = [turn_ms(run, warm=False) for _ in range(TIMED_CALLS)]
    print(json.dumps({"ms": times, "peak_mib": _peak_mib()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
