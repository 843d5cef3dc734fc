"""How others do the same work: Perceval in three ways and its sampler, MerLin's layer, a matrix product state site by site, and a
dictionary convolution by einsum.

Each circuit evaluator is made once for a :class:`Circuit` and then called with its phases; it gives the probabilities of the
collision-free outcomes in the circuit's order, float64.
"""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import perceval as pcvl
import torch
from jaxtyping import Float
from perceval.utils import allstate_iterator
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights.distillation.feature import histograms
from lightweights.mapping import MPSMapping
from lightweights.networks.dictionary import DictionaryConv2d
from lightweights.photonics import Circuit
from lightweights.photonics.time_bin import TimeBin

Evaluator = Callable[[Tensor], Tensor]


def perceval_rebuilt(circuit: Circuit) -> Evaluator:
    """As the authors of arXiv 2505.08474 do: circuit and SLOS processor are built anew at every evaluation."""

    def evaluate(phases: Tensor) -> Tensor:
        processor = _processor(circuit, _perceval_circuit(circuit, phases.tolist()))
        return _collision_free(circuit, processor.probs()["results"])

    return evaluate


def perceval_parametrised(circuit: Circuit) -> Evaluator:
    """Circuit with named parameters and SLOS processor are built once; only the parameters' values are set."""
    parameters = _parameters(circuit)
    processor = _processor(circuit, _perceval_circuit(circuit, parameters))

    def evaluate(phases: Tensor) -> Tensor:
        _set(parameters, phases)
        return _collision_free(circuit, processor.probs()["results"])

    return evaluate


def perceval_backend(circuit: Circuit) -> Evaluator:
    """No processor: the unitary of a parametrised circuit is recomputed and handed to the SLOS backend."""
    parameters = _parameters(circuit)
    built = _perceval_circuit(circuit, parameters)
    backend = pcvl.SLOSBackend()
    entering = _fock_state(circuit, circuit.inputs)
    order = {state: position for position, state in enumerate(allstate_iterator(entering))}
    wanted = torch.tensor([order[_fock_state(circuit, outcome)] for outcome in circuit.outcomes()])

    def evaluate(phases: Tensor) -> Tensor:
        _set(parameters, phases)
        backend.set_circuit(built)
        backend.set_input_state(entering)
        return torch.tensor(backend.all_prob(), dtype=torch.float64)[wanted]

    return evaluate


def merlin_available() -> bool:
    """Whether MerLin is installed. It is optional: it takes seconds to import and asks for an older torch."""
    try:
        version("merlinquantum")
    except PackageNotFoundError:
        return False
    return True


def merlin_layer(circuit: Circuit, phases: Float[Tensor, " phases"]) -> nn.Module:
    """MerLin's QuantumLayer of the same circuit. Called without arguments it gives the probabilities (1, outcomes), summing to 1.

    Its one parameter holds the phases that the mesh uses.
    """
    import merlin

    layer = merlin.QuantumLayer(
        input_size=0,
        circuit=_perceval_circuit(circuit, _parameters(circuit)),
        input_state=_fock_state(circuit, circuit.inputs),
        trainable_parameters=["phase"],
        measurement_strategy=merlin.MeasurementStrategy.probs(computation_space=merlin.ComputationSpace.UNBUNCHED),
    )
    (parameter,) = layer.parameters()
    with torch.no_grad():
        parameter.copy_(phases[: circuit.mesh.used_phase_count])
    return layer


def bit_inputs(mapping: MPSMapping) -> Float[Tensor, "weights bits"]:
    """The bits of every weight's number as -1 and +1, most significant first."""
    ends = torch.tensor([-1.0, 1.0]).to(mapping.output)
    return torch.cartesian_prod(*[ends] * mapping.bits).reshape(-1, mapping.bits)[: mapping.weight_count]


def site_by_site(mapping: MPSMapping, bits: Float[Tensor, "weights bits"], probabilities: Float[Tensor, " weights"]) -> Tensor:
    """The mapping's weights (weights,), contracted site by site for every weight at once, as TorchMPS does.

    Each input x is embedded as (x, 1-x), each site becomes one matrix a weight, and vectors run from both ends to the output core.
    Costs O(m n chi^2) where the factorised form costs O(m chi).
    """
    inputs = torch.cat([bits, probabilities[:, None]], 1).T
    half = (mapping.bits + 1) // 2
    embedded = torch.stack([inputs, 1 - inputs], -1)  # (sites, weights, 2)
    matrices = torch.einsum("smf,sfij->smij", embedded, mapping.cores)
    left_side, right_side = matrices[:half] + mapping.bias_left, matrices[half:] + mapping.bias_right
    left, right = left_side[0][:, 0], right_side[-1][:, :, 0]
    for site in left_side[1:]:
        left = torch.einsum("mi,mij->mj", left, site)
    for site in right_side[:-1].flip(0):
        right = torch.einsum("mij,mj->mi", site, right)
    raw = ((left @ mapping.output) * right).sum(-1)
    return raw - raw.mean()


class EinsumConv2d(nn.Module):
    """A dictionary convolution as one would first write it, with the parameters of one of ours (stride 1, one group)."""

    def __init__(self, layer: DictionaryConv2d) -> None:
        super().__init__()
        self.basis, self.bias, self.padding = layer.basis, layer.bias, layer.padding
        self.register_buffer("mixing", layer.mixing)

    def forward(self, images: Float[Tensor, "n in height width"]) -> Float[Tensor, "n out rows columns"]:
        return F.conv2d(images, torch.einsum("oir,rhw->oihw", self.mixing, self.basis), self.bias, padding=self.padding)


def perceval_histograms(circuit: TimeBin, theta: Float[Tensor, " angles"], shots: int) -> Float[Tensor, " feature"]:
    """Raw histograms of the clicks in Perceval's samples (Clifford and Clifford), from the interferometer's matrix."""
    backend = pcvl.Clifford2017Backend()
    backend.set_circuit(pcvl.Unitary(pcvl.Matrix(circuit.matrix(theta).numpy())))
    backend.set_input_state(pcvl.BasicState([circuit.inputs.count(mode) for mode in range(circuit.modes)]))
    return histograms(torch.tensor([list(state) for state in backend.samples(shots)]) > 0)


def _parameters(circuit: Circuit) -> list[pcvl.P]:
    return [pcvl.P(f"phase{number:04d}") for number in range(circuit.mesh.used_phase_count)]


def _set(parameters: list[pcvl.P], phases: Tensor) -> None:
    for parameter, value in zip(parameters, phases.tolist(), strict=False):  # the tail of the phases is unused
        parameter.set_value(value)


def _perceval_circuit(circuit: Circuit, phases: list) -> pcvl.Circuit:
    """The notebooks' mesh, from numbers or parameters."""
    if circuit.mesh.kind != "notebook":
        raise ValueError(f"mesh {circuit.mesh.kind!r}: the benchmarks compare the mesh of the notebooks only")
    built = pcvl.Circuit(circuit.modes)
    for number, (_, mode) in enumerate(circuit.mesh.crossings):
        theta, upper, lower = phases[3 * number : 3 * number + 3]
        built.add(mode, pcvl.BS(theta=theta))
        built.add(mode, pcvl.PS(upper))
        built.add(mode + 1, pcvl.PS(lower))
    return built


def _processor(circuit: Circuit, built: pcvl.Circuit) -> pcvl.Processor:
    processor = pcvl.Processor("SLOS", built)
    processor.min_detected_photons_filter(circuit.photons)
    processor.with_input(_fock_state(circuit, circuit.inputs))
    return processor


def _fock_state(circuit: Circuit, occupied: list[int] | tuple[int, ...]) -> pcvl.BasicState:
    numbers = [0] * circuit.modes
    for mode in occupied:
        numbers[mode] += 1
    return pcvl.BasicState(numbers)


def _collision_free(circuit: Circuit, distribution: pcvl.BSDistribution) -> Tensor:
    return torch.tensor([distribution[_fock_state(circuit, outcome)] for outcome in circuit.outcomes()], dtype=torch.float64)
