"""Contestants timed in turn, so that whatever slows the machine down slows all of them."""

import gc
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

SHORTEST_BLOCK_MS = 5.0
"""Calls that are shorter are timed several at a time."""

TOLERANCE = 1e-4
"""Largest difference of a contestant's values from ours, relative to our largest value. Single precision gives about 1e-6."""


class DisagreementError(RuntimeError):
    """A contestant does not compute what ours computes."""


def processor_seconds() -> float:
    """CPU time of this process."""
    return time.process_time()


def gpu_seconds() -> float:
    """Wall time, once the GPU has done all that it was given."""
    torch.cuda.synchronize()
    return time.perf_counter()


@dataclass(frozen=True)
class Contestant:
    """One way to do a piece of work.

    ``run`` does it ``work`` times over; ``value`` is what it computes, to be compared with ours (None: nothing comparable).
    """

    name: str
    run: Callable[[], object]
    value: Callable[[], Tensor] | None = None
    work: int = 1


@dataclass(frozen=True)
class Row:
    """One line of the results. Times are in ms for one piece of work; the ratio is the median over rounds."""

    benchmark: str
    setting: str
    contestant: str
    median_ms: float
    q1_ms: float
    q3_ms: float
    ratio_to_ours: float
    repeats: int
    deviation: float = math.nan
    peak_mib: float = math.nan

    def plain(self) -> dict[str, str | float | int]:
        return asdict(self)


@dataclass
class Race:
    """A benchmark: contestants for the same work in one setting. The first is ours, to which all are compared."""

    benchmark: str
    setting: str
    contestants: list[Contestant]
    rounds: int
    warm: bool = field(default=True)
    """Whether each turn begins with an untimed call, which refills the caches that the contestant before has emptied."""
    clock: Callable[[], float] = processor_seconds

    def run(self) -> list[Row]:
        """Compare the values, then time round after round, each in a new order. Raises DisagreementError before any timing."""
        deviations = {c.name: self._deviation(c) for c in self.contestants}
        times: dict[str, list[float]] = {c.name: [] for c in self.contestants}
        shuffle = np.random.default_rng(0)
        gc.collect()
        gc.freeze()  # what the contestants have built stays: collecting garbage before each turn then costs little
        try:
            for _ in range(self.rounds):
                for position in shuffle.permutation(len(self.contestants)):
                    contestant = self.contestants[position]
                    times[contestant.name].append(turn_ms(contestant.run, self.warm, self.clock) / contestant.work)
        finally:
            gc.unfreeze()
        ours = times[self.contestants[0].name]
        return [summarise(self.benchmark, self.setting, name, own, ours, deviation=deviations[name]) for name, own in times.items()]

    def _deviation(self, contestant: Contestant) -> float:
        reference = self.contestants[0]
        if contestant is reference or contestant.value is None or reference.value is None:
            return math.nan
        ours, theirs = (c.value().detach().double().flatten() for c in (reference, contestant) if c.value)
        deviation = float((theirs - ours).abs().max() / ours.abs().max())
        if not deviation <= TOLERANCE:
            raise DisagreementError(f"{self.benchmark}, {self.setting}: {contestant.name} differs from {reference.name} by {deviation:.1e}")
        return deviation


def turn_ms(run: Callable[[], object], warm: bool, clock: Callable[[], float] = processor_seconds) -> float:
    """Time of one call in ms: the mean over as many calls as fill the shortest block."""
    if warm:
        run()
    gc.collect()
    gc.disable()
    try:
        calls, begin = 0, clock()
        while True:
            run()
            calls += 1
            elapsed = 1000 * (clock() - begin)
            if elapsed >= SHORTEST_BLOCK_MS or not warm:
                return elapsed / calls
    finally:
        gc.enable()


def summarise(
    benchmark: str, setting: str, name: str, own: list[float], ours: list[float], deviation: float = math.nan, peak_mib: float = math.nan
) -> Row:
    """Median and quartiles of a contestant's times, and the median of its ratios to ours in the same rounds."""
    q1, median, q3 = np.percentile(own, [25, 50, 75]).tolist()
    ratio = statistics.median(a / b for a, b in zip(own, ours, strict=True))
    return Row(benchmark, setting, name, median, q1, q3, ratio, len(own), deviation, peak_mib)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
