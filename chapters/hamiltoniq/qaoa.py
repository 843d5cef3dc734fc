"""The quantum approximate optimisation algorithm as HamilToniQ runs it, with the noise of a device in two numbers.

The state is prod_l exp(-i b_l sum_q X_q) exp(-i g_l H) |+>, H diagonal. What is measured is a histogram of shots. Noise: each layer mixes
the outcome probabilities with the uniform ones, and each bit that is read out is wrong with some probability.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """Probability that a layer leaves nothing but uniform outcomes, and that a bit is read wrongly."""

    layer: float = 0.0
    readout: float = 0.0


class Circuit:
    """QAOA on a diagonal of 2^n energies. Angles are (2, layers): first those of the mixer, b, then those of the energies, g."""

    def __init__(self, energies: Reals, noise: Noise = Noise()) -> None:
        self.energies, self.noise = energies, noise
        self.qubits = len(energies).bit_length() - 1
        one = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
        wrong = np.array([[1 - noise.readout, noise.readout], [noise.readout, 1 - noise.readout]])
        self._hadamards, self._readout = np.ones((1, 1)), np.ones((1, 1))
        for _ in range(self.qubits):
            self._hadamards, self._readout = np.kron(self._hadamards, one), np.kron(self._readout, wrong)
        ones = np.array([bin(number).count("1") for number in range(2**self.qubits)])
        self._mixer = (self.qubits - 2 * ones).astype(float)  # sum X where the Hadamards make it diagonal

    def probabilities(self, angles: Reals) -> Reals:
        """Of the 2^n outcomes, noise included."""
        state = np.full(len(self.energies), 2 ** (-self.qubits / 2), complex)
        for mixing, phase in zip(*angles, strict=True):
            state = np.exp(-1j * phase * self.energies) * state
            state = self._hadamards @ (np.exp(-1j * mixing * self._mixer) * (self._hadamards @ state))
        found = state.real**2 + state.imag**2
        if self.noise.layer:
            kept = (1 - self.noise.layer) ** angles.shape[1]
            found = kept * found + (1 - kept) / len(found)
        if self.noise.readout:
            found = self._readout @ found
        return found / found.sum()

    def sample(self, angles: Reals, shots: int, rng: np.random.Generator) -> Reals:
        """Relative frequencies of the outcomes in ``shots`` shots."""
        return rng.multinomial(shots, self.probabilities(angles)) / shots
