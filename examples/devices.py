"""Weights from imperfect devices: noise, a budget of clock cycles, and a device that answers in this package's place.

    python examples/devices.py           # a minute or two
    python examples/devices.py --quick   # seconds

The network tells scikit-learn's zeros from ones by a few pixels. Its weights come from perfect devices; from lossy ones with partly
distinguishable photons; from the same with a budget of clock cycles, so that each evaluation counts clicks; and from a backend, here
Perceval's simulator on this machine. A device far away is asked in the same way, with lightweights.photonics.remote.Remote in its place
(docs/noise.md).
"""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from lightweights import MPS, Hardware, Noise, QuantumTrain, fit
from lightweights.photonics.backends import BackendError, PercevalLocal

CIRCUITS = [(5, 2), (5, 2)]
LOSSY = Noise(transmittance=0.7, indistinguishability=0.9)


def digits() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Ones and zeros as sixteen pixels, to train and to test on."""
    data = load_digits(n_class=2)
    pixels = torch.nn.functional.avg_pool2d(torch.tensor(data.images / 16, dtype=torch.float32)[:, None], 2).flatten(1)
    labels = torch.tensor(data.target)
    return (pixels[:240], labels[:240]), (pixels[240:], labels[240:])


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 4), nn.Tanh(), nn.Linear(4, 2))


def right(generated: QuantumTrain, rounds: int, phase_steps: int) -> float:
    """Percent of the test digits that the trained network tells."""
    training, (pixels, labels) = digits()
    batches = [tuple(part[k : k + 40] for part in training) for k in range(0, 240, 40)]
    for _ in fit(generated, batches, rounds=rounds, schedule={"mapping_lr": 1e-2, "phase_steps": phase_steps}, seed=0):
        pass
    generated.eval()
    with torch.no_grad():
        return 100 * (generated(pixels).argmax(-1) == labels).double().mean().item()


def main(quick: bool) -> None:
    rounds = 2 if quick else 15
    devices: dict[str, dict] = {
        "perfect devices": {},
        "noise": {"hardware": Hardware(LOSSY)},
        "noise, 100,000 cycles": {"hardware": Hardware(LOSSY, cycles=100_000)},
    }
    for name, settings in devices.items():
        generated = QuantumTrain(network(), CIRCUITS, MPS(bond_dim=2), seed=0, **settings)
        print(f"{name + ':':<24} {right(generated, rounds, 2):.1f} % right")
    try:
        backend = PercevalLocal()
    except BackendError as error:
        print(f"Perceval:                not asked ({error})")
        return
    # Gradients of a backend follow from the parameter-shift rule: many questions a step, so few steps, and probabilities of late rounds.
    generated = QuantumTrain(network(), CIRCUITS, MPS(bond_dim=2), seed=0, backend=backend, staleness=1)
    print(f"{'Perceval, a round late:':<24} {right(generated, 1 if quick else 3, 0 if quick else 1):.1f} % right")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    main(parser.parse_args().quick)
