"""Meshes, Fock states and outcome probabilities of photonic circuits."""

from lightweights.photonics.circuit import Circuit, effective_phase_count
from lightweights.photonics.mesh import Mesh, unitary

__all__ = ["Circuit", "Mesh", "effective_phase_count", "unitary"]
