"""Meshes, Fock states, outcome probabilities of photonic circuits, noise and shots."""

from lightweights.photonics.circuit import Circuit, effective_phase_count
from lightweights.photonics.hardware import Hardware, MeasuredCircuit
from lightweights.photonics.mesh import Mesh, unitary
from lightweights.photonics.noise import Noise, NoiseError, NoisyCircuit

__all__ = ["Circuit", "Hardware", "MeasuredCircuit", "Mesh", "Noise", "NoiseError", "NoisyCircuit", "effective_phase_count", "unitary"]
