"""The four published instances of HamilToniQ (arXiv 2404.13971; FelixXu35/hamiltoniq, MIT licence, hamiltoniq/instances.py).

Each is a symmetric matrix Q with entries drawn from [-10, 10]; the energy of a string of bits x is x^T Q x, its first bit the most
significant one of the string's number.
"""

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

MATRICES: dict[int, tuple[tuple[float, ...], ...]] = {
    3: ((5.1392, 8.3819, -5.5258), (8.3819, -6.8845, -7.2893), (-5.5258, -7.2893, 1.0008)),
    4: (
        (-1.6292, -0.0451, 2.3957, 3.0602),
        (-0.0451, 2.1688, 2.4190, -3.8315),
        (2.3957, 2.4190, 3.9348, 0.1753),
        (3.0602, -3.8315, 0.1753, -2.8370),
    ),
    5: (
        (-9.4291, -1.6019, 1.9343, -0.2141, -8.7335),
        (-1.6019, 8.6767, -6.4287, -4.1609, -8.6520),
        (1.9343, -6.4287, -5.9249, 1.7974, -4.8354),
        (-0.2141, -4.1609, 1.7974, 8.8065, 8.0320),
        (-8.7335, -8.6520, -4.8354, 8.0320, -2.8406),
    ),
    6: (
        (-6.2846, -1.1275, -0.0589, -1.3926, -6.3518, 2.8184),
        (-1.1275, 3.4039, -6.1943, 0.3797, -1.6178, -9.7141),
        (-0.0589, -6.1943, -8.4891, -2.3465, -8.8365, 1.0696),
        (-1.3926, 0.3797, -2.3465, -6.4120, -7.6571, -5.4157),
        (-6.3518, -1.6178, -8.8365, -7.6571, 7.2076, 0.3253),
        (2.8184, -9.7141, 1.0696, -5.4157, 0.3253, 3.0779),
    ),
}


def energies(qubits: int) -> Reals:
    """x^T Q x of all 2^qubits strings, in the order of their numbers."""
    matrix = np.array(MATRICES[qubits])
    strings = (np.arange(2**qubits)[:, None] >> np.arange(qubits - 1, -1, -1)) & 1
    return np.einsum("si,ij,sj->s", strings, matrix, strings)
