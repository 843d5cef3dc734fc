"""The kernel of cuTN-QSVM (arXiv 2405.02630) for any number of qubits, exactly, without a tensor-network contraction engine.

The feature map on n qubits is H, RZ(x_q), RY(x_q) on each qubit q, CX from q to q + 1 for q = 0, 1, ..., n - 2, then RZ(x_q) on each; the
kernel is K(x, y) = |<psi(y)|psi(x)>|^2. Let phi_q(s) be the two amplitudes of qubit q before the CX. They replace bit q by its exclusive or
with the bit to its left, so that psi(b) = prod_q phi_q(b_q xor b_(q-1)) exp(i x_q (b_q - 1/2)) with b_(-1) = 0: each bit meets only its
neighbour. Hence psi is a matrix product state of bond dimension 2, and <psi(y)|psi(x)> a product of n matrices of 2 x 2, as the partition
function of a chain of spins is.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Kernel = Callable[[Reals, Reals], Reals]

ROWS = 64
"""Rows of a kernel that are computed at a time, so that the running products stay in the processor's cache."""


def qubit_amplitudes(angles: Reals) -> tuple[Complexes, Complexes]:
    """RY(x) RZ(x) H |0> for each angle x: the amplitudes of 0 and of 1, each with the angles' shape."""
    c, s = np.cos(angles / 2), np.sin(angles / 2)
    phase = np.exp(0.5j * angles)
    return (c / phase - s * phase) / np.sqrt(2), (s / phase + c * phase) / np.sqrt(2)


def chain_kernel(x: Reals, y: Reals) -> Reals:
    """K between the rows of x (a, n) and those of y (b, n), as (a, b)."""
    return _in_blocks(_chain_block, x, y)


def product_kernel(x: Reals, y: Reals) -> Reals:
    """The same without the CX: (a, n) and (b, n) give (a, b). Nothing is entangled and the kernel is a product over qubits, each of them
    |(phi_0* phi'_0) + e^(i d) (phi_1* phi'_1)|^2 with d the difference of the angles.
    """
    return _in_blocks(_product_block, x, y)


def gram(kernel: Kernel, x: Reals) -> Reals:
    """The kernel of the rows of x (a, n) with themselves, (a, a): half of it is computed, the rest is its mirror image."""
    result = np.empty((len(x), len(x)))
    for first in range(0, len(x), ROWS):
        rows = slice(first, first + ROWS)
        result[rows, first:] = kernel(x[rows], x[first:])
        result[first:, rows] = result[rows, first:].T
    return result


def _in_blocks(block: Callable[[Reals, Reals], Reals], x: Reals, y: Reals) -> Reals:
    return np.concatenate([block(x[first : first + ROWS], y) for first in range(0, len(x), ROWS)])


def _by_qubit(x: Reals) -> tuple[Complexes, Complexes, Complexes]:
    """Of the rows of x (a, n), each (n, a): amplitudes of 0 and of 1 before the CX, and the phase of 1 relative to 0 behind it."""
    zero, one = qubit_amplitudes(x.T)
    return zero, one, np.exp(1j * x.T)


def _chain_block(x: Reals, y: Reals) -> Reals:
    x0, x1, xp = _by_qubit(x)
    y0, y1, yp = (part.conj() for part in _by_qubit(y))
    left_zero: Complexes = np.ones((len(x), len(y)), complex)
    left_one: Complexes = np.zeros_like(left_zero)
    for q in range(x.shape[1]):
        same, flipped = np.multiply.outer(x0[q], y0[q]), np.multiply.outer(x1[q], y1[q])
        zero = same * left_zero + flipped * left_one
        left_one = (flipped * left_zero + same * left_one) * np.multiply.outer(xp[q], yp[q])
        left_zero = zero
    total = left_zero + left_one
    return total.real**2 + total.imag**2


def _product_block(x: Reals, y: Reals) -> Reals:
    x0, x1, xp = _by_qubit(x)
    y0, y1, yp = (part.conj() for part in _by_qubit(y))
    result = np.ones((len(x), len(y)))
    for q in range(x.shape[1]):
        total = np.multiply.outer(x0[q], y0[q]) + np.multiply.outer(x1[q] * xp[q], y1[q] * yp[q])
        result *= total.real**2 + total.imag**2
    return result


def rbf_kernel(x: Reals, y: Reals) -> Reals:
    """exp(-|x - y|^2) between the rows of x (a, n) and y (b, n), as (a, b)."""
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * x @ y.T
    return np.exp(-np.maximum(squares, 0.0))


def linear_kernel(x: Reals, y: Reals) -> Reals:
    """Scalar products of the rows of x (a, n) and y (b, n), as (a, b)."""
    return x @ y.T
