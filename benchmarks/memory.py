"""What memory that stays with the process saves: python -m benchmarks.memory [PAIRS]

Pairs of processes, one with :func:`lightweights.allocator.keep_memory` and one without, in turn; each times Adam steps on the mapping (128
images) and on the phases (1000 images) at bond dimension 10, as processor time, and counts the pages that the system had to bring.
"""

import json
import resource
import statistics
import subprocess
import sys

WAYS = ("given back", "kept")
STEPS = {"mapping": (60, 128), "phases": (12, 1000)}
"""Timed steps, and images in each."""


def measured(keep: bool) -> dict[str, list[float]]:
    """Milliseconds of processor time and page faults of a step, by what is trained."""
    from lightweights.allocator import keep_memory

    if keep and not keep_memory():
        raise SystemExit("this C library cannot be told to keep memory")
    import torch
    from torch.nn.functional import cross_entropy

    from lightweights import MPS, QuantumTrain
    from lightweights.networks import TargetCNN

    torch.set_num_threads(1)
    draws = torch.Generator().manual_seed(0)
    generator = QuantumTrain(TargetCNN((1, 28, 28), 10), [(9, 4), (8, 4)], MPS(10, 1e-9), generator=draws)
    found = {}
    for name, (steps, size) in STEPS.items():
        optimiser = torch.optim.Adam(list(getattr(generator, name).parameters()), lr=1e-3, fused=True)
        images, labels = torch.rand(size, 1, 28, 28, generator=draws), torch.randint(10, (size,), generator=draws)
        for number in range(steps + 5):
            if number == 5:
                before = resource.getrusage(resource.RUSAGE_SELF)
            optimiser.zero_grad()
            cross_entropy(generator(images), labels).backward()
            optimiser.step()
        after = resource.getrusage(resource.RUSAGE_SELF)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found[name] = [1000 * seconds / steps, (after.ru_minflt - before.ru_minflt) / steps]
    return found


def main(pairs: int) -> None:
    """Print medians and the median of the pairs' ratios."""
    results: dict[str, list[dict[str, list[float]]]] = {way: [] for way in WAYS}
    for _ in range(pairs):
        for way in WAYS:
            done = subprocess.run([sys.executable, "-m", "benchmarks.memory", way], capture_output=True, text=True, check=True)
            results[way].append(json.loads(done.stdout))
    for name in STEPS:
        before, after = ([one[name] for one in results[way]] for way in WAYS)
        ratio = statistics.median(b[0] / a[0] for a, b in zip(before, after, strict=True))
        times, faults = ([statistics.median(one[k] for one in side) for side in (before, after)] for k in (0, 1))
        print(
            f"step on the {name}: {times[0]:.1f} ms given back, {times[1]:.1f} ms kept, ratio {ratio:.2f}; "
            f"pages brought: {faults[0]:.0f} and {faults[1]:.0f}"
        )


if __name__ == "__main__":
    words = sys.argv[1:]
    if words and words[0] in WAYS:
        print(json.dumps(measured(words[0] == "kept")))
    else:
        main(int(words[0]) if words else 7)
