"""Noisy probabilities: against Perceval's noisy processor, every photon's fate written out, and what is known by hand."""

import itertools
import math
from collections import Counter, defaultdict
from decimal import Decimal, localcontext

import pytest
import reference
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from lightweights.photonics import Circuit, Mesh, Noise, NoiseError, NoisyCircuit, unitary
from lightweights.photonics.noise import LEAST_HERALD, applied_phases, emission, survival

ALL = {"brightness": 0.6, "indistinguishability": 0.9, "g2": 0.08, "transmittance": 0.7, "phase_imprecision": 0.1}
EACH = [
    {},
    {"brightness": 0.6},
    {"transmittance": 0.7},
    {"indistinguishability": 0.9},
    {"indistinguishability": 0.0},
    {"g2": 0.1},
    {"g2": 0.1, "g2_distinguishable": False},
    {"phase_imprecision": 0.3},
    ALL,
    ALL | {"g2_distinguishable": False},
]
SELECTIONS = list(itertools.product(["threshold", "pnr"], ["exactly", "at_least"]))
PLAN = Noise(brightness=0.6, indistinguishability=0.95, g2=0.02, transmittance=0.7)


def phases_of(circuit: Circuit, seed: int = 0, *batch: int) -> torch.Tensor:
    """Beyond one turn on both sides."""
    draws = torch.Generator().manual_seed(seed)
    return 20 * torch.rand(*batch, circuit.phase_count, generator=draws, dtype=torch.float64) - 10


def close(found: torch.Tensor, truth: torch.Tensor, within: float) -> None:
    torch.testing.assert_close(found, truth, atol=within, rtol=0)


# Against Perceval


def percevals(circuit: Circuit, phases: torch.Tensor, noise: Noise, detectors: str, precision: float) -> tuple[torch.Tensor, float]:
    """Probabilities given at least N detected photons, and the probability of that, by Perceval's noisy processor."""
    pcvl = pytest.importorskip("perceval")
    built, values = pcvl.Circuit(circuit.modes), iter(phases.tolist())
    for mode in reference.crossings(circuit.mesh.kind, circuit.modes):
        if circuit.mesh.kind == "mzi":
            for _ in range(2):
                built.add((mode, mode + 1), pcvl.BS()).add(mode, pcvl.PS(next(values)))
        else:
            built.add((mode, mode + 1), pcvl.BS(theta=next(values)))
            built.add(mode, pcvl.PS(next(values))).add(mode + 1, pcvl.PS(next(values)))
    processor = pcvl.Processor("SLOS", built, noise=pcvl.NoiseModel(**vars(noise)))
    for mode in range(circuit.modes if detectors == "threshold" else 0):
        processor.add(mode, pcvl.Detector.threshold())
    processor.min_detected_photons_filter(circuit.photons)
    processor.with_input(pcvl.BasicState([circuit.inputs.count(mode) for mode in range(circuit.modes)]))
    found = processor.probs(precision=precision)
    outcomes = [pcvl.BasicState([int(mode in s) for mode in range(circuit.modes)]) for s in circuit.outcomes()]
    return torch.tensor([found["results"][outcome] for outcome in outcomes], dtype=torch.float64), found["global_perf"]


def agrees_with_perceval(circuit: Circuit, noise: Noise, detectors: str, seed: int) -> None:
    """Perceval leaves out rare inputs (``precision``), which is all of the difference: it is far below 1e-5, and shrinks with it."""
    phases = phases_of(circuit, seed)
    truth, rate = percevals(circuit, phases, noise, detectors, precision=1e-10)
    noisy = NoisyCircuit(circuit, noise, detectors, "at_least")
    close(noisy(phases), truth, 1e-6)
    close(noisy(phases.float()).double(), truth, 1e-5)
    joint, herald = noisy.per_cycle(phases)
    close(joint, truth * rate, 1e-6)
    assert float(herald) == pytest.approx(rate, abs=1e-6)
    close(NoisyCircuit(circuit, noise, detectors)(phases), truth / truth.sum(), 1e-6)


@pytest.mark.parametrize("detectors", ["threshold", "pnr"])
@pytest.mark.parametrize("parameters", EACH, ids=str)
def test_each_parameter_is_percevals(parameters: dict, detectors: str) -> None:
    for seed, circuit in enumerate(
        [Circuit(4, 2), Circuit(5, 3, "clements"), Circuit(6, 3, "mzi", "first"), Circuit(4, 3, input_state=[0, 2, 0, 1])]
    ):
        agrees_with_perceval(circuit, Noise(**parameters), detectors, seed)


@pytest.mark.parametrize("detectors", ["threshold", "pnr"])
@pytest.mark.parametrize("g2_distinguishable", [True, False])
def test_published_circuit_with_all_noise_is_percevals(g2_distinguishable: bool, detectors: str) -> None:
    noise = Noise(0.6, 0.95, 0.02, g2_distinguishable, 0.7, phase_imprecision=0.1)
    agrees_with_perceval(Circuit(9, 4), noise, detectors, seed=9)


# Against every photon's fate written out


def written_out(matrix: torch.Tensor, inputs: list[int], noise: Noise, detectors: str) -> dict[tuple[int, ...], float]:
    """Probabilities of all detected photon numbers, zero included, from every way in which photons are emitted, coloured and lost.

    A photon is a pair of the mode where it enters and its colour: 0 the common one, else one that no other photon has.
    """
    modes, common = len(matrix), math.sqrt(noise.indistinguishability)
    with localcontext(prec=60):  # a small g2 takes the difference of nearly equal numbers
        x = Decimal(noise.brightness) * Decimal(noise.g2)
        two = float((1 - x - (1 - 2 * x).sqrt()) / Decimal(noise.g2)) if noise.g2 > 1e-18 else 0.0
    inputs_of_the_mesh = defaultdict(float)
    for emitted in itertools.product([0, 1, 2], [True, False], repeat=len(inputs)):
        chance, photons = 1.0, []
        for source, (count, alike) in enumerate(zip(emitted[::2], emitted[1::2], strict=True)):
            chance *= [1 - noise.brightness, noise.brightness - two, two][count] * (common if alike else 1 - common)
            colours = [0 if alike else 2 * source + 1, 2 * source + 2 if noise.g2_distinguishable else 0]
            photons += [(inputs[source], colour) for colour in colours[:count]]
        for survivors in itertools.product([True, False], repeat=len(photons)):
            passed = math.prod(noise.transmittance if survives else 1 - noise.transmittance for survives in survivors)
            inputs_of_the_mesh[tuple(sorted(itertools.compress(photons, survivors)))] += chance * passed
    known: dict[tuple[int, ...], dict[tuple[int, ...], float]] = {(): {(0,) * modes: 1.0}}

    def leaving(entered: tuple[int, ...]) -> dict[tuple[int, ...], float]:
        if entered not in known:
            found = itertools.combinations_with_replacement(range(modes), len(entered))
            known[entered] = {tuple(map(s.count, range(modes))): float(reference.probability(matrix, entered, s)) for s in found}
        return known[entered]

    detected: dict[tuple[int, ...], float] = defaultdict(float)
    for photons, chance in inputs_of_the_mesh.items():
        if chance == 0:
            continue
        groups = [tuple(mode for mode, own in photons if own == colour) for colour in Counter(colour for _, colour in photons)]
        for parts in itertools.product(*(leaving(group).items() for group in groups)):
            numbers = tuple(map(sum, zip(*(state for state, _ in parts), (0,) * modes, strict=True)))
            seen = tuple(min(n, 1) for n in numbers) if detectors == "threshold" else numbers
            detected[seen] += chance * math.prod(p for _, p in parts)
    return detected


noises = st.builds(
    Noise,
    brightness=st.floats(0.2, 1),
    indistinguishability=st.floats(0, 1),
    g2=st.floats(0, 0.5),
    g2_distinguishable=st.booleans(),
    transmittance=st.floats(0.2, 1),
)


@settings(max_examples=8)
@example(Noise(g2=0.5), [1, 0, 1], 0)  # each source emits two photons in every cycle: no two modes ever see one each
@example(Noise(indistinguishability=0, g2=2.0**-52, g2_distinguishable=False), [1, 0, 1], 1)
@given(noises, st.sampled_from([[1, 0, 1], [0, 1, 1], [0, 2, 0]]), st.integers(0, 2**32))
def test_probabilities_are_those_of_every_photons_fate(noise: Noise, state: list[int], seed: int) -> None:
    circuit = Circuit(3, 2, "clements", state)
    phases = phases_of(circuit, seed)
    matrix = reference.unitary("clements", 3, phases)
    for detectors in ("threshold", "pnr"):
        truth = written_out(matrix, circuit.inputs, noise, detectors)
        assert sum(truth.values()) == pytest.approx(1, abs=1e-12)
        expected = torch.tensor([truth[tuple(int(m in s) for m in range(3))] for s in circuit.outcomes()], dtype=torch.float64)
        at_least = sum(p for numbers, p in truth.items() if sum(numbers) >= 2)
        for post_selection, rate in {"exactly": float(expected.sum()), "at_least": at_least}.items():
            noisy = NoisyCircuit(circuit, noise, detectors, post_selection)
            joint, herald = noisy.per_cycle(phases)
            close(joint, expected, 1e-13)
            assert float(herald) == pytest.approx(rate, abs=1e-13)
            if rate > LEAST_HERALD:
                close(noisy(phases), expected / rate, 1e-13 + 1e-13 / rate)
            else:
                with pytest.raises(NoiseError, match="cycles are heralded with probability"):
                    noisy(phases)


def test_photons_of_a_source_are_percevals_numbers() -> None:
    """Perceval's Source(0.6, 0.1, 0.8, losses=0.3).generate_distribution(|1>), with an extra photon of its own and a common one."""
    alone = emission(Noise(0.6, 0.8, 0.1, True, 0.7))
    expected = [[0.5759746191258406, 0.04737436219977422, 0.0009915984544205181], [0.36725846330134654, 0.008400956918618082, 0]]
    close(alone, torch.tensor(expected, dtype=torch.float64), 1e-15)
    common = emission(Noise(0.6, 0.8, 0.1, False, 0.7))
    expected = [[0.5759746191258406, 0.04334898132561482], [0.3712838441755059, 0.0009915984544205181], [0.008400956918618082, 0]]
    close(common, torch.tensor(expected, dtype=torch.float64), 1e-15)


@pytest.mark.parametrize("brightness", [0.1, 0.6, 1.0])
@pytest.mark.parametrize("g2", [1e-12, 0.02, 0.5])
def test_second_order_correlation_of_the_source_is_g2(brightness: float, g2: float) -> None:
    none, one, two = survival([emission(Noise(brightness, g2=g2))]).tolist()
    assert none == pytest.approx(1 - brightness)
    assert 2 * two / (one + 2 * two) ** 2 == pytest.approx(g2)


# Identities


@pytest.mark.parametrize(("detectors", "post_selection"), SELECTIONS)
def test_without_noise_they_are_the_circuits(detectors: str, post_selection: str) -> None:
    circuit = Circuit(6, 3)
    phases = phases_of(circuit)
    noisy = NoisyCircuit(circuit, Noise(), detectors, post_selection)
    ideal = circuit(phases)
    joint, herald = noisy.per_cycle(phases)
    close(joint, ideal, 1e-14)
    everything = detectors == "pnr" and post_selection == "at_least"
    assert float(herald) == pytest.approx(1 if everything else float(ideal.sum()), abs=1e-14)
    close(noisy(phases), ideal / herald, 1e-14)


@pytest.mark.parametrize(("detectors", "post_selection"), SELECTIONS)
@pytest.mark.parametrize("parameters", [{"brightness": 0.35}, {"transmittance": 0.35}, {"brightness": 0.7, "transmittance": 0.5}])
def test_losses_without_second_photons_change_the_rate_alone(parameters: dict, detectors: str, post_selection: str) -> None:
    circuit = Circuit(6, 3)
    phases = phases_of(circuit)
    ideal, lossy = (NoisyCircuit(circuit, noise, detectors, post_selection) for noise in (Noise(), Noise(**parameters)))
    close(lossy(phases), ideal(phases), 1e-13)
    assert float(lossy.per_cycle(phases)[1]) == pytest.approx(0.35**3 * float(ideal.per_cycle(phases)[1]))


def test_second_photons_alone_do_not_change_what_number_resolving_detectors_see() -> None:
    circuit = Circuit(6, 3)
    phases = phases_of(circuit)
    close(NoisyCircuit(circuit, Noise(g2=0.1), "pnr")(phases), NoisyCircuit(circuit, Noise(), "pnr")(phases), 1e-13)


def test_losses_and_second_photons_together_change_the_probabilities() -> None:
    circuit = Circuit(9, 4)
    phases = phases_of(circuit)
    ideal = NoisyCircuit(circuit, Noise())(phases)
    distance = [float((NoisyCircuit(circuit, Noise(g2=0.1, transmittance=t))(phases) - ideal).abs().sum() / 2) for t in (1, 0.7, 0.4)]
    assert 0.01 < distance[0] < distance[1] < distance[2]


@pytest.mark.parametrize("detectors", ["threshold", "pnr"])
def test_photons_that_share_nothing_walk_alone(detectors: str) -> None:
    circuit, alone = Circuit(6, 3), Circuit(6, 3, distinguishable=True)
    phases = phases_of(circuit)
    close(NoisyCircuit(circuit, Noise(indistinguishability=0), detectors).per_cycle(phases)[0], alone(phases), 1e-14)


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.9, 1.0])
def test_visibility_at_a_balanced_beam_splitter_is_the_indistinguishability(overlap: float) -> None:
    noisy = NoisyCircuit(Circuit(2, 2), Noise(indistinguishability=overlap), "pnr", "at_least")
    coincidence = noisy(torch.tensor([math.pi / 2, 0.4, 1.9], dtype=torch.float64))
    assert float(coincidence) == pytest.approx((1 - overlap) / 2, abs=1e-15)


@pytest.mark.parametrize("parameters", [ALL, ALL | {"g2_distinguishable": False}], ids=str)
@pytest.mark.parametrize(("detectors", "post_selection"), SELECTIONS)
def test_a_batch_is_one_by_one_and_keeps_the_dtype(parameters: dict, detectors: str, post_selection: str) -> None:
    noisy = NoisyCircuit(Circuit(5, 2), Noise(**parameters), detectors, post_selection)
    phases = phases_of(noisy.circuit, 1, 3, 2)
    together, (joint, herald) = noisy(phases), noisy.per_cycle(phases)
    assert together.shape == (3, 2, 10) and herald.shape == (3, 2)
    for i, j in itertools.product(range(3), range(2)):
        close(together[i, j], noisy(phases[i, j]), 1e-14)
        close(joint[i, j], noisy.per_cycle(phases[i, j])[0], 1e-15)
    if post_selection == "exactly":
        close(together.sum(-1), torch.ones(3, 2, dtype=torch.float64), 1e-13)
    single = noisy(phases.float())
    assert single.dtype == torch.float32
    assert noisy.per_cycle(phases.float())[1].dtype == torch.float32


@pytest.mark.parametrize("parameters", [{}, ALL, ALL | {"g2_distinguishable": False}], ids=str)
@pytest.mark.parametrize(("detectors", "post_selection"), SELECTIONS)
def test_gradients_are_finite_differences(parameters: dict, detectors: str, post_selection: str) -> None:
    noise = Noise(**{name: value for name, value in parameters.items() if name != "phase_imprecision"})
    noisy = NoisyCircuit(Circuit(4, 2, input_state=[0, 1, 0, 1]), noise, detectors, post_selection)
    phases = phases_of(noisy.circuit, 3).requires_grad_()
    assert torch.autograd.gradcheck(noisy, phases, fast_mode=True)
    assert torch.autograd.gradcheck(noisy.per_cycle, phases, fast_mode=True)


def test_faint_light_keeps_its_digits() -> None:
    """Second photons as good as absent: inclusion and exclusion against the sum of positive terms, at 1.6e-7 heralds a cycle."""
    circuit = Circuit(9, 4)
    phases = phases_of(circuit)
    faint = {"transmittance": 0.02, "indistinguishability": 0.9}
    close(NoisyCircuit(circuit, Noise(g2=1e-14, **faint))(phases), NoisyCircuit(circuit, Noise(**faint))(phases), 1e-6)


# Phase shifters


@pytest.mark.parametrize("kind", ["notebook", "clements", "mzi"])
def test_phase_shifters_are_rounded_as_percevals_and_beam_splitters_are_not(kind: str) -> None:
    pcvl = pytest.importorskip("perceval")
    mesh = Mesh(kind, 5)
    phases = phases_of(Circuit(5, 2, kind))[: mesh.used_phase_count]
    applied = applied_phases(Noise(phase_imprecision=0.5), mesh, phases)
    for number, (before, after) in enumerate(zip(phases.tolist(), applied.tolist(), strict=True)):
        if kind != "mzi" and number % 3 == 0:
            assert after == before
            continue
        shifter = pcvl.PS(before)
        shifter.apply_phase_noise(0, 0.5)
        truth = float(shifter.get_parameters(all_params=True)[0])
        assert math.remainder(after - truth, 2 * math.pi) == pytest.approx(0, abs=1e-12)


def test_phase_errors_are_uniform_independent_and_decided_by_the_generator() -> None:
    mesh = Mesh("notebook", 6)
    phases = phases_of(Circuit(6, 2), 0, 40).remainder(2 * math.pi)
    noise = Noise(phase_error=0.2)
    first, again, other = (applied_phases(noise, mesh, phases, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    error = first - phases
    assert (error[:, 0::3] == 0).all()
    moved = error[:, [k for k in range(mesh.phase_count) if k % 3]].flatten()
    assert stats.kstest(moved.numpy(), stats.uniform(-0.2, 0.4).cdf).pvalue > 0.01
    assert moved.unique().numel() == moved.numel()


def test_phase_errors_come_before_rounding() -> None:
    mesh = Mesh("mzi", 5)
    phases = torch.full((mesh.phase_count,), 1.0, dtype=torch.float64)
    applied = applied_phases(Noise(phase_imprecision=0.5, phase_error=0.6), mesh, phases, torch.Generator().manual_seed(0))
    close(2 * applied, (2 * applied).round(), 1e-12)
    assert set(applied.tolist()) == {0.5, 1.0, 1.5}


def test_probabilities_with_phase_errors_are_those_of_the_applied_phases() -> None:
    noisy = NoisyCircuit(Circuit(5, 2), Noise(phase_error=0.3, g2=0.1))
    phases = phases_of(noisy.circuit)
    applied = applied_phases(noisy.noise, noisy.circuit.mesh, phases, torch.Generator().manual_seed(4))
    steady = NoisyCircuit(noisy.circuit, Noise(g2=0.1))
    close(noisy(phases, torch.Generator().manual_seed(4)), steady(applied), 1e-13)
    assert float((steady(applied) - steady(phases)).abs().max()) > 1e-3


def test_gradient_passes_straight_through_the_rounding() -> None:
    circuit = Circuit(5, 2)
    rounding, steady = NoisyCircuit(circuit, Noise(phase_imprecision=0.5, g2=0.1)), NoisyCircuit(circuit, Noise(g2=0.1))
    phases = phases_of(circuit).requires_grad_()
    rounded = applied_phases(rounding.noise, circuit.mesh, phases).detach().requires_grad_()
    weights = torch.rand(10, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (found,) = torch.autograd.grad((rounding(phases) * weights).sum(), phases)
    (truth,) = torch.autograd.grad((steady(rounded) * weights).sum(), rounded)
    close(found, truth, 1e-13)
    assert float(found.abs().max()) > 1e-3


# Refused


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"g2": 1.2}, "g2 is 1.2; it must be between 0 and 1"),
        ({"transmittance": -0.1}, "transmittance is -0.1"),
        ({"brightness": 1.01}, "brightness is 1.01"),
        ({"indistinguishability": math.nan}, "indistinguishability is nan"),
        ({"phase_imprecision": -1.0}, "phase_imprecision is -1.0; it must be 0 or more"),
        ({"phase_imprecision": math.inf}, "phase_imprecision is inf"),
        ({"phase_error": 3.2}, "phase_error is 3.2; it must be between 0 and 3.142"),
        ({"brightness": 0.9, "g2": 0.6}, "product is at most 0.5"),
    ],
)
def test_impossible_noise_is_refused(parameters: dict, message: str) -> None:
    with pytest.raises(NoiseError, match=message):
        Noise(**parameters)
    assert issubclass(NoiseError, ValueError)


@pytest.mark.parametrize("parameters", [{"brightness": 0.0}, {"transmittance": 0.0}, {"transmittance": 1e-3}])
def test_devices_that_herald_nothing_are_refused_before_they_are_used(parameters: dict) -> None:
    with pytest.raises(NoiseError, match="no cycle would be heralded; raise either of them"):
        NoisyCircuit(Circuit(9, 4), Noise(**parameters))


@pytest.mark.parametrize("detectors", ["threshold", "pnr"])
def test_extinction_at_certain_phases_is_an_error_and_not_a_number(detectors: str) -> None:
    noisy = NoisyCircuit(Circuit(2, 2), Noise(), detectors)
    with pytest.raises(NoiseError, match="cannot be conditioned"):
        noisy(torch.tensor([math.pi / 2, 0.4, 1.9]))


def test_random_errors_need_a_generator() -> None:
    noisy = NoisyCircuit(Circuit(4, 2), Noise(phase_error=0.1))
    with pytest.raises(NoiseError, match="give a generator"):
        noisy(phases_of(noisy.circuit))


@pytest.mark.parametrize(
    ("circuit", "options", "message"),
    [
        (Circuit(4, 2, bunching=True), {}, "collision-free outcomes"),
        (Circuit(4, 2, distinguishable=True), {}, "indistinguishability 0"),
        (Circuit(4, 2), {"detectors": "perfect"}, "detectors 'perfect': expected one of threshold, pnr"),
        (Circuit(4, 2), {"post_selection": "all"}, "post_selection 'all'"),
    ],
)
def test_circuits_and_options_that_do_not_fit_are_refused(circuit: Circuit, options: dict, message: str) -> None:
    with pytest.raises(NoiseError, match=message):
        NoisyCircuit(circuit, Noise(), **options)


@pytest.mark.parametrize("detectors", ["threshold", "pnr"])
def test_sizes_beyond_memory_are_refused_at_once(detectors: str) -> None:
    with pytest.raises(ValueError, match="8 photons in 16 modes need tables of"):
        NoisyCircuit(Circuit(16, 8), PLAN, detectors)


def test_columns_are_the_circuits_unitary() -> None:
    """One photon: outcomes are |U|^2 of its column, whatever the noise."""
    circuit = Circuit(5, 1)
    phases = phases_of(circuit)
    expected = unitary(circuit.mesh, phases)[:, 0].abs() ** 2
    close(NoisyCircuit(circuit, Noise(0.6, 0.5, 0.0, True, 0.7))(phases), expected, 1e-14)
