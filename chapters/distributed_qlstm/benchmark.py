"""How much faster than PennyLane's default.qubit, window by window? A training step of one batch, taken in turn by both.

    python -m chapters.distributed_qlstm.benchmark            # needs pennylane; a minute or two
    python -m chapters.distributed_qlstm.benchmark --rounds 3

An epoch is nothing but such steps, so that the ratio of a step is that of an epoch. Both contestants must agree to 1e-9 before they are
timed, and what is told is the ratio round by round, which a busy machine slows down alike.
"""

import argparse
import statistics
import time

import torch
from torch import nn

from .peer import pennylane_forecasts
from .qlstm import CIRCUITS, QLSTM
from .qubits import QubitCircuits
from .series import series
from .windows import cut

BATCH = 10


def race(segments: int, qubits: int, rounds: int) -> list[tuple[float, float]]:
    """CPU seconds of a step of (ours, PennyLane), one pair a round. Raises AssertionError where the forecasts differ."""
    generator = torch.Generator().manual_seed(0)
    model = QLSTM(QubitCircuits(CIRCUITS, segments, qubits, generator), generator)
    batch = cut(series("oscillator"), "published").train[:BATCH]
    torch.testing.assert_close(model(batch.inputs), pennylane_forecasts(model, batch.inputs), rtol=0, atol=1e-9)

    def seconds(forecast: object) -> float:
        started = time.process_time()
        model.zero_grad()
        nn.functional.mse_loss(forecast(batch.inputs), batch.targets).backward()  # type: ignore[operator]
        return time.process_time() - started

    return [(seconds(model), seconds(lambda windows: pennylane_forecasts(model, windows))) for _ in range(rounds)]


def main() -> None:
    """Print one line a shape."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns that each contestant takes")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    for segments, qubits in ((1, 4), (1, 6), (2, 3)):
        pairs = race(segments, qubits, rounds)
        ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(
            f"{segments} x {qubits} qubits, a batch of {BATCH}: {1e3 * ours:.1f} ms, default.qubit {1e3 * theirs:.0f} ms, ratio {ratio:.0f}"
        )


if __name__ == "__main__":
    main()
