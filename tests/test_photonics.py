"""Meshes and outcome probabilities: against Perceval, permanents, and what is known by hand."""

import itertools
import math
import subprocess
import sys

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightweights.photonics import Circuit, Mesh, effective_phase_count, unitary
from lightweights.photonics.circuit import input_modes

MESHES = ["notebook", "clements", "mzi"]


def phases_of(circuit: Circuit, seed: int = 0, *batch: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    return 2 * math.pi * torch.rand(*batch, circuit.phase_count, generator=draws, dtype=dtype)


@st.composite
def circuits(draw: st.DrawFn, largest: int = 6) -> Circuit:
    """Circuits of all kinds: 2 to 6 modes, 1 to 4 photons, named and explicit input states, with and without bunching."""
    bunching = draw(st.booleans())
    modes = draw(st.integers(2, largest))
    photons = draw(st.integers(1, 4 if bunching else min(4, modes)))
    states = [state for state, fits in {"spaced": modes, "first": modes, "alternating": modes // 2}.items() if photons <= fits]
    if not states or draw(st.booleans()):
        entered = draw(st.lists(st.integers(0, modes - 1), min_size=photons, max_size=photons))
        state = [entered.count(mode) for mode in range(modes)]
    else:
        state = draw(st.sampled_from(states))
    return Circuit(modes, photons, draw(st.sampled_from(MESHES)), state, bunching)


seeds = st.integers(0, 2**32)


# Probabilities


@given(circuits(), seeds)
def test_probabilities_are_percevals(circuit: Circuit, seed: int) -> None:
    pytest.importorskip("perceval")
    phases = phases_of(circuit, seed)
    truth = reference.perceval_probabilities(circuit.mesh.kind, circuit.modes, phases.tolist(), circuit.inputs, circuit.outcomes())
    truth = torch.tensor(truth, dtype=torch.float64)
    torch.testing.assert_close(circuit(phases), truth, atol=1e-12, rtol=0)
    single = circuit(phases.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), truth, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("modes", "photons", "state"), [(9, 4, "|1,0,1,0,0,1,0,0,1>"), (8, 4, "|1,0,1,0,1,0,0,1>")])
def test_published_circuits_are_percevals_processor(modes: int, photons: int, state: str) -> None:
    pcvl = pytest.importorskip("perceval")
    circuit = Circuit(modes, photons)
    phases = phases_of(circuit, modes)
    device, values = pcvl.Circuit(modes), iter(phases.tolist())
    for layer in range(modes - 1):
        for mode in range(layer % 2, modes - 1, 2):
            device.add((mode, mode + 1), pcvl.BS(theta=next(values)))
            device.add(mode, pcvl.PS(next(values))).add(mode + 1, pcvl.PS(next(values)))
    processor = pcvl.Processor("SLOS", device)
    processor.with_input(pcvl.BasicState(state))
    processor.min_detected_photons_filter(photons)
    found = processor.probs(precision=0)["results"]
    outcomes = [pcvl.BasicState([int(mode in s) for mode in range(modes)]) for s in itertools.combinations(range(modes), photons)]
    truth = torch.tensor([found[outcome] for outcome in outcomes], dtype=torch.float64)
    torch.testing.assert_close(circuit(phases), truth, atol=1e-12, rtol=0)
    torch.testing.assert_close(circuit(phases.float()).double(), truth, atol=1e-5, rtol=0)


@given(circuits(largest=5), seeds)
def test_probabilities_are_squared_permanents(circuit: Circuit, seed: int) -> None:
    phases = phases_of(circuit, seed)
    matrix = reference.unitary(circuit.mesh.kind, circuit.modes, phases)
    slow = torch.stack([reference.probability(matrix, circuit.inputs, outcome) for outcome in circuit.outcomes()])
    torch.testing.assert_close(circuit(phases), slow, atol=1e-12, rtol=0)


@given(circuits(), seeds)
def test_all_outcomes_sum_to_one_and_collision_free_ones_to_the_yield(circuit: Circuit, seed: int) -> None:
    phases = phases_of(circuit, seed)
    everything = Circuit(circuit.modes, circuit.photons, circuit.mesh.kind, counts(circuit), bunching=True)
    full = everything(phases)
    assert full.min() >= 0
    assert float(full.sum()) == pytest.approx(1, abs=1e-12)
    alone = [position for position, outcome in enumerate(everything.outcomes()) if len(set(outcome)) == circuit.photons]
    if circuit.photons <= circuit.modes:
        single = Circuit(circuit.modes, circuit.photons, circuit.mesh.kind, counts(circuit))
        torch.testing.assert_close(single(phases), full[alone], atol=1e-14, rtol=0)


def counts(circuit: Circuit) -> list[int]:
    return [circuit.inputs.count(mode) for mode in range(circuit.modes)]


@given(circuits(largest=5), st.lists(st.integers(1, 3), max_size=3), seeds)
def test_a_batch_of_any_shape_is_one_by_one(circuit: Circuit, batch: list[int], seed: int) -> None:
    phases = phases_of(circuit, seed, *batch)
    together = circuit(phases)
    assert together.shape == (*batch, circuit.outcome_count)
    one_by_one = torch.stack([circuit(vector) for vector in phases.flatten(0, -2)]) if batch else circuit(phases)[None]
    torch.testing.assert_close(together.reshape(-1, circuit.outcome_count), one_by_one, atol=1e-14, rtol=0)


@pytest.mark.parametrize("bunching", [False, True])
@pytest.mark.parametrize("mesh", MESHES)
def test_gradients_are_finite_differences(mesh: str, bunching: bool) -> None:
    circuit = Circuit(4, 2, mesh, [0, 2, 0, 0] if bunching else "spaced", bunching)
    assert torch.autograd.gradcheck(circuit, phases_of(circuit, 3, 2).requires_grad_())


def test_order_of_photons_in_the_input_state_does_not_matter() -> None:
    circuit = Circuit(5, 3)
    phases = phases_of(circuit)
    before = circuit(phases)
    circuit.inputs = circuit.inputs[::-1]
    torch.testing.assert_close(circuit(phases), before, atol=1e-14, rtol=0)


# Cases known by hand


@pytest.mark.parametrize("theta", [0.0, 0.3, math.pi / 2, 2.0, math.pi])
def test_two_photons_on_a_beam_splitter_interfere(theta: float) -> None:
    """Hong, Ou and Mandel: both photons stay or both cross with amplitude cos(theta); at 50:50 they never leave apart."""
    phases = torch.tensor([theta, 0.4, 1.9], dtype=torch.float64)
    coincidence = math.cos(theta) ** 2
    together = Circuit(2, 2, "notebook", bunching=True)(phases)
    expected = torch.tensor([(1 - coincidence) / 2, coincidence, (1 - coincidence) / 2], dtype=torch.float64)
    torch.testing.assert_close(together, expected, atol=1e-15, rtol=0)
    assert float(Circuit(2, 2, "notebook")(phases)) == pytest.approx(coincidence, abs=1e-15)


@pytest.mark.parametrize("inner", [0.0, 0.7, math.pi / 2])
def test_two_photons_in_a_mach_zehnder_interferometer(inner: float) -> None:
    """Two modes have one layer with a crossing; perm = -(1 + exp(2 i phi)) / 2 up to a phase."""
    phases = torch.tensor([inner, 0.6], dtype=torch.float64)
    assert float(Circuit(2, 2, "mzi")(phases)) == pytest.approx(math.cos(inner) ** 2, abs=1e-15)


@pytest.mark.parametrize("mesh", ["notebook", "clements"])
@pytest.mark.parametrize("modes", [2, 3, 6, 7])
def test_full_crossings_permute_the_modes(mesh: str, modes: int) -> None:
    """theta = pi swaps neighbours at every crossing: the photons leave at one place, which M layers make the mirror image."""
    circuit = Circuit(modes, modes // 2, mesh, "first")
    phases = phases_of(circuit)
    phases[0::3] = math.pi
    places = list(range(modes))
    for mode in reference.crossings(mesh, modes):
        places[mode], places[mode + 1] = places[mode + 1], places[mode]
    if mesh == "clements":
        assert places == list(range(modes))[::-1]
    leaving = tuple(sorted(places.index(mode) for mode in circuit.inputs))
    expected = torch.tensor([float(outcome == leaving) for outcome in circuit.outcomes()], dtype=torch.float64)
    torch.testing.assert_close(circuit(phases), expected, atol=1e-14, rtol=0)


def test_light_passes_straight_through_open_crossings() -> None:
    circuit = Circuit(6, 3)
    phases = phases_of(circuit)
    phases[0::3] = 0
    assert float(circuit(phases)[circuit.outcomes().index(tuple(circuit.inputs))]) == pytest.approx(1, abs=1e-14)


def test_unused_phases_and_phases_after_the_last_crossing_change_nothing() -> None:
    circuit = Circuit(9, 4)
    phases = phases_of(circuit)
    before = circuit(phases)
    phases[96:] += 1
    assert torch.equal(circuit(phases), before)
    phases[95] += 1  # a phase shifter straight before a detector
    torch.testing.assert_close(circuit(phases), before, atol=1e-15, rtol=0)


# Meshes


@given(st.sampled_from(MESHES), st.integers(2, 9), seeds)
def test_meshes_are_unitary_and_those_of_the_reference(kind: str, modes: int, seed: int) -> None:
    mesh = Mesh(kind, modes)
    phases = 2 * math.pi * torch.rand(mesh.phase_count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    matrix = unitary(mesh, phases)
    torch.testing.assert_close(matrix @ matrix.mH, torch.eye(modes, dtype=torch.complex128), atol=1e-13, rtol=0)
    torch.testing.assert_close(matrix, reference.unitary(kind, modes, phases), atol=1e-13, rtol=0)


@pytest.mark.parametrize(
    ("kind", "modes", "counted", "used"),
    [
        ("notebook", 9, 108, 96),
        ("notebook", 8, 84, 75),
        ("clements", 9, 108, 108),
        ("clements", 8, 84, 84),
        ("mzi", 9, 72, 72),
        ("mzi", 8, 56, 56),
    ],
)
def test_phases_are_counted_as_published_and_as_used(kind: str, modes: int, counted: int, used: int) -> None:
    mesh = Mesh(kind, modes)
    assert (mesh.phase_count, mesh.used_phase_count) == (counted, used)
    vector = torch.rand(counted, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()
    weights = torch.rand(modes, modes, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    (unitary(mesh, vector) * weights).sum().abs().backward()
    assert int((vector.grad != 0).sum()) == used


@pytest.mark.parametrize("seed", [0, 1])
def test_only_79_directions_of_the_published_phases_move_the_probabilities(seed: int) -> None:
    assert [effective_phase_count(c, phases_of(c, seed)) for c in (Circuit(9, 4), Circuit(8, 4))] == [42, 37]


def test_effective_phases_are_the_rank_of_the_finite_difference_jacobian() -> None:
    circuit = Circuit(4, 2)
    phases = phases_of(circuit, 4)
    steps = 1e-6 * torch.eye(circuit.phase_count, dtype=torch.float64)
    jacobian = (circuit(phases + steps) - circuit(phases - steps)) / 2e-6
    singular = torch.linalg.svdvals(jacobian)
    assert effective_phase_count(circuit, phases.float()) == int((singular > 1e-6 * singular[0]).sum())


# Outcomes and input states


@pytest.mark.parametrize(("modes", "photons"), [(2, 1), (5, 3), (6, 6), (9, 4)])
def test_outcomes_come_in_the_order_of_itertools(modes: int, photons: int) -> None:
    assert Circuit(modes, photons).outcomes() == list(itertools.combinations(range(modes), photons))
    bunched = Circuit(modes, photons, bunching=True)
    assert bunched.outcomes() == list(itertools.combinations_with_replacement(range(modes), photons))
    assert bunched.outcome_count == math.comb(modes + photons - 1, photons) == len(bunched.outcomes())


@pytest.mark.parametrize(
    ("state", "modes", "photons", "entered"),
    [
        ("spaced", 9, 4, [0, 2, 5, 8]),  # |101001001>
        ("spaced", 8, 4, [0, 2, 4, 7]),  # |10101001>
        ("spaced", 5, 1, [0]),
        ("alternating", 9, 4, [1, 3, 5, 7]),
        ("alternating", 8, 4, [1, 3, 5, 7]),
        ("first", 9, 4, [0, 1, 2, 3]),
        ([0, 2, 0, 1], 4, 3, [1, 1, 3]),
    ],
)
def test_photons_enter_where_the_input_state_says(state: str | list[int], modes: int, photons: int, entered: list[int]) -> None:
    assert input_modes(state, modes, photons) == entered


@pytest.mark.parametrize("modes", range(2, 33))
def test_spaced_photons_enter_at_the_floor_of_linspace(modes: int) -> None:
    for photons in range(2, modes + 1):
        places = [math.floor(k * (modes - 1) / (photons - 1) + 1e-9) for k in range(photons)]
        assert input_modes("spaced", modes, photons) == places


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, 5), "5 photons in 4 modes"),
        ((1, 1), "at least 2 modes"),
        ((4, 0), "1 photon"),
        ((4, 2, "notebook", "middle"), "'middle'"),
        ((4, 3, "notebook", "alternating"), "does not put 3 photons into 4 modes"),
        ((4, 2, "notebook", [1, 1, 0]), "expected 4 photon numbers"),
        ((4, 2, "notebook", [1, 2, -1, 0]), "none negative"),
        ((4, 2, "notebook", [1, 1, 1, 0]), "does not put 2 photons"),
        ((4, 5, "notebook", "first", True), "does not put 5 photons into 4 modes"),
        ((32, 16), "601,080,390 outcomes"),
        ((26, 20), "10,400,600 outcomes on the way"),
        ((2, 30, "notebook", "spaced", True), "30 photons: at most 20 are possible, since permanents of N photons take"),
    ],
)
def test_impossible_circuits_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Circuit(*arguments)


def test_phases_of_the_wrong_length_are_refused() -> None:
    circuit = Circuit(4, 2)
    with pytest.raises((ValueError, RuntimeError)):
        circuit(torch.zeros(circuit.mesh.used_phase_count - 1))


def test_random_phases_are_uniform_and_decided_by_the_generator() -> None:
    circuit = Circuit(16, 2)
    draw = torch.cat([circuit.random_phases(torch.Generator().manual_seed(seed)) for seed in range(20)])
    assert draw.min() >= 0
    assert draw.max() < 2 * math.pi
    assert float(draw.mean()) == pytest.approx(math.pi, abs=0.1)
    again = [circuit.random_phases(torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert torch.equal(again[0], again[1])
    assert not torch.equal(again[0], again[2])


# Size


@pytest.mark.whole
def test_sixteen_modes_and_eight_photons_fit_into_2_gib() -> None:
    program = (
        "import pathlib, torch\n"
        "from lightweights.photonics import Circuit\n"
        "torch.set_num_threads(1)\n"
        "circuit = Circuit(16, 8)\n"
        "phases = circuit.random_phases(torch.Generator().manual_seed(0)).requires_grad_()\n"
        "probabilities = circuit(phases)\n"
        "probabilities.max().backward()\n"
        # getrusage would tell the peak of the process that started this one where that was larger
        "status = dict(line.split(':') for line in pathlib.Path('/proc/self/status').read_text().splitlines())\n"
        "print(len(probabilities), int(phases.grad.isfinite().all()), status['VmHWM'].split()[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    outcomes, finite, kib = map(int, done.stdout.split())
    assert (outcomes, finite) == (12_870, 1)
    assert kib < 2 * 2**20
