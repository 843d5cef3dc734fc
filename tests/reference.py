"""Slow, obvious versions of the formulas that the package computes fast."""

import math
from collections.abc import Sequence
from itertools import permutations, product

import torch
from torch import Tensor


def permanent(matrix: Tensor) -> Tensor:
    """Sum over all permutations of the products of the entries; (n, n)."""
    rows = range(len(matrix))
    return sum(math.prod((matrix[row, column] for row, column in zip(rows, order, strict=True)), start=1) for order in permutations(rows))


def crossing(kind: str, phases: Tensor) -> Tensor:
    """The 2x2 unitary of one crossing, as a product of its components in the order in which light meets them."""

    def beam_splitter(theta: Tensor) -> Tensor:
        kept, crossed = (theta / 2).cos() + 0j, 1j * (theta / 2).sin()
        return torch.stack([torch.stack([kept, crossed]), torch.stack([crossed, kept])])

    def shifters(upper: Tensor, lower: Tensor) -> Tensor:
        return torch.diag(torch.exp(1j * torch.stack([upper, lower])))

    nothing = torch.zeros_like(phases[0])
    if kind == "mzi":
        half = beam_splitter(torch.full_like(nothing, math.pi / 2))
        return shifters(phases[1], nothing) @ half @ shifters(phases[0], nothing) @ half
    return shifters(phases[1], phases[2]) @ beam_splitter(phases[0])


def crossings(kind: str, modes: int) -> list[int]:
    """First mode of each crossing in order: M-1 layers for the notebooks' mesh, M for the others."""
    layers = modes - 1 if kind == "notebook" else modes
    return [mode for layer in range(layers) for mode in range(layer % 2, modes - 1, 2)]


def unitary(kind: str, modes: int, phases: Tensor) -> Tensor:
    """The mesh's unitary, one embedded crossing after the other."""
    per = 2 if kind == "mzi" else 3
    total = torch.eye(modes, dtype=torch.complex128)
    for number, mode in enumerate(crossings(kind, modes)):
        left, right = torch.eye(modes)[:, :mode] + 0j, torch.eye(modes)[:, mode + 2 :] + 0j
        rows = torch.eye(modes, dtype=torch.complex128)[:, mode : mode + 2] @ crossing(kind, phases[per * number : per * (number + 1)])
        total = torch.cat([left, rows, right], 1) @ total
    return total


def probability(unitary: Tensor, entered: Sequence[int], found: Sequence[int]) -> Tensor:
    """|perm(U[found, entered])|^2 over the factorials of the photon numbers; modes of the photons that enter and are found."""
    factorials = math.prod(math.factorial(list(modes).count(mode)) for modes in (entered, found) for mode in set(modes))
    return permanent(unitary[list(found)][:, list(entered)]).abs() ** 2 / factorials


def outer_product(factors: Sequence[Tensor], count: int) -> Tensor:
    """Every product of one entry of each factor, the first factor slowest; the first ``count`` of them."""
    return torch.stack([math.prod(entries) for entries in product(*factors)])[:count]


def site_by_site(cores: Tensor, bias_left: Tensor, bias_right: Tensor, output: Tensor, probabilities: Tensor) -> Tensor:
    """The mapping of arXiv 2505.08474 for one weight after the other, centred.

    ``cores`` (sites, 2, chi, chi): the last site sees the probability, those before the bits of the weight's index as -1/+1.
    """
    sites, raw = len(cores), []
    for index, probability_ in enumerate(probabilities):
        bits = [2 * int(bit) - 1 for bit in format(index, f"0{sites - 1}b")]
        vector = torch.eye(len(output), dtype=cores.dtype)[0]
        for site, value in enumerate([*bits, probability_]):
            if site == sites // 2:
                vector = vector @ output
            bias = bias_left if site < sites // 2 else bias_right
            vector = vector @ (bias + value * cores[site, 0] + (1 - value) * cores[site, 1])
        raw.append(vector[0])
    weights = torch.stack(raw)
    return weights - weights.mean()


def perceval_probabilities(
    kind: str, modes: int, phases: Sequence[float], entered: Sequence[int], outcomes: Sequence[Sequence[int]]
) -> list[float]:
    """The same circuit built in Perceval, its probabilities by the SLOS backend."""
    import perceval as pcvl

    def state(photons: Sequence[int]) -> pcvl.BasicState:
        return pcvl.BasicState([list(photons).count(mode) for mode in range(modes)])

    circuit, values = pcvl.Circuit(modes), iter(phases)
    for mode in crossings(kind, modes):
        if kind == "mzi":
            for _ in range(2):
                circuit.add((mode, mode + 1), pcvl.BS()).add(mode, pcvl.PS(next(values)))
        else:
            circuit.add((mode, mode + 1), pcvl.BS.Rx(theta=next(values)))
            circuit.add(mode, pcvl.PS(next(values))).add(mode + 1, pcvl.PS(next(values)))
    backend = pcvl.BackendFactory.get_backend("SLOS")
    backend.set_circuit(circuit)
    backend.set_input_state(state(entered))
    return [backend.probability(state(outcome)) for outcome in outcomes]
