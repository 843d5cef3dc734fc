"""Races for one evaluation of the two kernels: outcome probabilities, and the mapping to weights."""

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks import peers
from benchmarks.effort import BOND_DIMS, Effort
from benchmarks.timing import Contestant, Race, seeded
from lightweights.mapping import MPS
from lightweights.photonics import Circuit

BATCH = 64
BATCHED = f"ours, {BATCH} parameter vectors at once, time for one"
WEIGHTS = 6690


def probability_races(effort: Effort) -> list[Race]:
    """The 126 + 70 probabilities of circuits (9, 4) and (8, 4), each divided by their mean."""
    circuits = [Circuit(9, 4), Circuit(8, 4)]
    draw = seeded(1)
    phases = [circuit.random_phases(draw).requires_grad_() for circuit in circuits]
    batches = [torch.cat([p.detach()[None], torch.rand(BATCH - 1, len(p), generator=draw)]).requires_grad_() for p in phases]
    cotangent = torch.rand(sum(circuit.outcome_count for circuit in circuits), generator=draw)

    def ours(inputs: list[Tensor]) -> Tensor:
        return _joined([circuit(p) for circuit, p in zip(circuits, inputs, strict=True)])

    def gradient(output: Callable[[], Tensor], inputs: list[Tensor]) -> list[Tensor]:
        return list(torch.autograd.grad((output() * cotangent).sum(), inputs))

    def used(gradients: list[Tensor]) -> Tensor:
        """The gradients of the phases that enter the circuits; of a batch, the first vector's."""
        return torch.cat([g.view(-1, g.shape[-1])[0, : c.mesh.used_phase_count] for c, g in zip(circuits, gradients, strict=True)])

    forward = [
        Contestant("ours", no_grad := torch.no_grad()(lambda: ours(phases)), no_grad),
        Contestant(BATCHED, many := torch.no_grad()(lambda: ours(batches)), lambda: many()[0], BATCH),
    ]
    for name, make in [
        ("Perceval, circuit rebuilt (authors)", peers.perceval_rebuilt),
        ("Perceval, parametrised circuit", peers.perceval_parametrised),
        ("Perceval, backend given the unitary", peers.perceval_backend),
    ]:
        forward.append(_evaluated(name, [make(circuit) for circuit in circuits], phases))
    backward = [
        Contestant("ours", own := lambda: gradient(lambda: ours(phases), phases), lambda: used(own())),
        Contestant(BATCHED, both := lambda: gradient(lambda: ours(batches), batches), lambda: used(both()), BATCH),
    ]
    if peers.merlin_available():
        layers = [peers.merlin_layer(circuit, p) for circuit, p in zip(circuits, phases, strict=True)]
        parameters = [p for layer in layers for p in layer.parameters()]
        merlin = lambda: _joined([layer()[0] for layer in layers])  # noqa: E731
        without = torch.no_grad()(merlin)
        forward.append(Contestant("MerLin QuantumLayer", without, without))
        theirs = lambda: gradient(merlin, parameters)  # noqa: E731
        backward.append(Contestant("MerLin QuantumLayer", theirs, lambda: used(theirs())))
    return [
        Race("probabilities", "forward", forward, effort.rounds),
        Race("probabilities", "forward + backward", backward, effort.rounds),
    ]


def mapping_races(effort: Effort) -> list[Race]:
    """The matrix product state's 6690 weights from given probabilities, and the gradients of all its parameters."""
    races = []
    for bond_dim in BOND_DIMS:
        mapping = MPS(bond_dim, init_std=0.02).build(WEIGHTS, seeded(2))
        probabilities = 2 * torch.rand(WEIGHTS, generator=seeded(3))
        cotangent = torch.randn(WEIGHTS, generator=seeded(4))
        bits = peers.bit_inputs(mapping)
        ways = {
            "ours": lambda mapping=mapping, p=probabilities: mapping(p),
            "site by site": lambda mapping=mapping, p=probabilities, bits=bits: peers.site_by_site(mapping, bits, p),
        }

        def gradient(weights: Callable[[], Tensor], mapping=mapping, cotangent=cotangent) -> Tensor:
            gradients = torch.autograd.grad((weights() * cotangent).sum(), list(mapping.parameters()))
            return torch.cat([g.flatten() for g in gradients])

        forward = [Contestant(name, run := torch.no_grad()(way), run) for name, way in ways.items()]
        backward = [Contestant(name, run := (lambda way=way, g=gradient: g(way)), run) for name, way in ways.items()]
        races += [
            Race("mapping", f"bond_dim={bond_dim}, forward", forward, effort.rounds),
            Race("mapping", f"bond_dim={bond_dim}, forward + backward", backward, effort.rounds),
        ]
    return races


def _joined(probabilities: list[Tensor]) -> Tensor:
    return torch.cat([p / p.mean(-1, keepdim=True) for p in probabilities], -1)


def _evaluated(name: str, evaluators: list[peers.Evaluator], phases: list[Tensor]) -> Contestant:
    detached = [p.detach() for p in phases]
    evaluators[0](torch.zeros_like(detached[0]))  # so that a way which keeps an old answer would be found out

    def run() -> Tensor:
        return _joined([evaluate(p) for evaluate, p in zip(evaluators, detached, strict=True)])

    return Contestant(name, run, run)
