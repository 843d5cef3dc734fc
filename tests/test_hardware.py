"""Training on imperfect devices: what a device tells, its gradient, resuming, regeneration, and settings that cannot be."""

import math
import threading
import time
from pathlib import Path

import perceval as pcvl
import pytest
import torch
from torch import Tensor, nn

from lightweights import MPS, QuantumTrain
from lightweights.datasets import Dataset
from lightweights.methods.devices import hardware_of
from lightweights.methods.method import check_settings
from lightweights.photonics import Circuit, Hardware, MeasuredCircuit, Noise, NoiseError, NoisyCircuit, unitary
from lightweights.photonics.backends import InHouse
from lightweights.photonics.shots import ShotsError
from lightweights.settings.base import SettingsError
from lightweights.settings.photonics import PhotonicsSection
from lightweights.settings.study import parse_study
from lightweights.study.checkpoint import resume, save_checkpoint
from lightweights.study.execute import begin, execute, finish
from lightweights.training.regeneration import device_probabilities, regenerated_accuracies

CPU = torch.device("cpu")
TYPICAL = Noise(brightness=0.6, indistinguishability=0.95, g2=0.02, transmittance=0.7)
BASE = {"brightness": 0.6, "indistinguishability": 0.95, "g2": 0.02, "transmittance": 0.7}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def run_with(photonics: dict, **experiment: object):
    tree = {
        "study": {"name": "trial"},
        "dataset": {"name": "digits"},
        "mapping": {"bond_dim": 2, "init_std": 0.05},
        "photonics": photonics,
        "schedules": {
            "gradient": {"rounds": 4, "mapping_epochs": 1, "batch_size": 50, "phase_steps": 2, "phase_batch_size": 60},
            "spsa": {"rounds": 4, "mapping_epochs": 1, "batch_size": 50, "phase_steps": 3, "phase_batch_size": 60},
            "cobyla": {"rounds": 2, "mapping_epochs": 1, "batch_size": 50, "evaluations": 200, "phase_batch_size": 60},
        },
        "experiments": {"trial": {"method": "quantum_train", "seeds": [0], **experiment}},
    }
    return parse_study(tree).runs()[0]


def generated(hardware: Hardware | None, seed: int = 0, arm: str = "photonic") -> QuantumTrain:
    return QuantumTrain(nn.Linear(8, 4), [(5, 2), (4, 2)], MPS(2, 0.1), arm=arm, hardware=hardware, generator=seeded(seed))


# What a device tells


def test_the_probabilities_of_a_device_are_percevals() -> None:
    circuit = Circuit(5, 3, "clements")
    phases = circuit.random_phases(seeded(1), torch.float64)
    found = MeasuredCircuit(circuit, Hardware(TYPICAL, "pnr"))(phases)
    processor = pcvl.Processor(
        "SLOS", pcvl.Unitary(pcvl.Matrix(unitary(circuit.mesh, phases).numpy())), noise=pcvl.NoiseModel(**vars(TYPICAL))
    )
    processor.min_detected_photons_filter(3)
    processor.with_input(pcvl.BasicState([int(mode in circuit.inputs) for mode in range(5)]))
    results = {tuple(state): float(p) for state, p in processor.probs(precision=1e-9)["results"].items()}
    wanted = torch.tensor([results.get(tuple(int(m in s) for m in range(5)), 0.0) for s in circuit.outcomes()], dtype=torch.float64)
    assert torch.allclose(found, wanted / wanted.sum(), atol=1e-6)


def test_a_perfect_device_gives_the_exact_probabilities_given_the_herald() -> None:
    circuit = Circuit(5, 2)
    phases = circuit.random_phases(seeded(1), torch.float64)
    exact = circuit(phases)
    assert torch.allclose(MeasuredCircuit(circuit, Hardware())(phases), exact / exact.sum(), atol=1e-12)
    perfect, plain = generated(Hardware()), generated(None)
    assert torch.allclose(perfect.probabilities(), plain.probabilities(), atol=1e-5)


def test_a_splitter_bias_is_a_shift_of_every_theta() -> None:
    circuit = Circuit(5, 2)
    phases = circuit.random_phases(seeded(1), torch.float64)
    shifted = phases.clone()
    shifted[0::3] += 0.2
    biased = MeasuredCircuit(circuit, Hardware(splitter_bias=0.2))(phases)
    assert torch.allclose(biased, MeasuredCircuit(circuit, Hardware())(shifted), atol=1e-12)
    assert not torch.allclose(biased, MeasuredCircuit(circuit, Hardware())(phases), atol=1e-3)


def test_counts_scatter_around_the_probabilities_as_multinomial_numbers_do() -> None:
    circuit = Circuit(4, 2)
    phases = circuit.random_phases(seeded(2), torch.float64)
    exact = NoisyCircuit(circuit, TYPICAL)(phases)
    device, draws = MeasuredCircuit(circuit, Hardware(TYPICAL, cycles=20_000)), seeded(3)
    shots = 20_000 * device.herald(phases)
    found = torch.stack([device(phases, draws) for _ in range(400)])
    assert torch.allclose(found.sum(-1), torch.ones(400, dtype=torch.float64))
    spread = (exact * (1 - exact) / shots).sqrt()
    assert ((found.mean(0) - exact).abs() < 5 * spread / 20 + 1e-12).all()
    assert ((found.std(0) / spread - 1).abs() < 0.25).all()


def test_the_gradient_of_counts_is_that_of_the_probabilities() -> None:
    circuit = Circuit(4, 2)
    phases = circuit.random_phases(seeded(2), torch.float64).requires_grad_()
    weights = torch.arange(6, dtype=torch.float64)
    (exact,) = torch.autograd.grad((NoisyCircuit(circuit, TYPICAL)(phases) * weights).sum(), phases)
    (found,) = torch.autograd.grad((MeasuredCircuit(circuit, Hardware(TYPICAL, cycles=5000))(phases, seeded(1)) * weights).sum(), phases)
    assert torch.allclose(found, exact, atol=1e-10)


def test_more_cycles_come_nearer_to_the_probabilities() -> None:
    circuit = Circuit(5, 2)
    phases = circuit.random_phases(seeded(2), torch.float64)
    exact = NoisyCircuit(circuit, TYPICAL)(phases)
    errors = [
        float((MeasuredCircuit(circuit, Hardware(TYPICAL, cycles=cycles))(phases, seeded(4)) - exact).abs().sum())
        for cycles in (10**3, 10**5, 10**7, 10**9)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3


# A generator on devices


def test_a_random_device_gives_the_same_answer_until_it_is_asked_anew() -> None:
    generator = generated(Hardware(TYPICAL, cycles=10_000))
    first = generator.probabilities()
    assert torch.equal(first, generator.probabilities())
    generator.ask_anew(seeded(5))
    second = generator.probabilities()
    assert not torch.equal(first, second)
    again = generated(Hardware(TYPICAL, cycles=10_000))
    again.load_state_dict(generator.state_dict())
    assert torch.equal(again.probabilities(), second)


def test_each_of_two_equal_circuits_counts_on_its_own() -> None:
    generator = QuantumTrain(nn.Linear(5, 5), [(5, 2), (5, 2)], hardware=Hardware(TYPICAL, cycles=3000), generator=seeded())
    generator.phases[1].data.copy_(generator.phases[0].data)
    one, other = generator.factors()
    assert not torch.equal(one, other)


def test_exact_devices_leave_no_trace_in_the_state() -> None:
    assert generated(Hardware(TYPICAL)).state_dict().keys() == generated(None).state_dict().keys()


def test_mps_only_cannot_feel_noise() -> None:
    noisy, plain = generated(Hardware(TYPICAL, cycles=1000), arm="mps-only"), generated(None, arm="mps-only")
    assert not noisy.answers_vary
    assert torch.equal(noisy.weights(), plain.weights())


# Late devices


def test_late_probabilities_are_those_of_rounds_ago() -> None:
    generator, prompt = generated_late(2), generated(None)
    sent, arrived = [prompt.factors()], []
    for number in range(5):
        for made in (generator, prompt):
            with torch.no_grad():
                for k, phases in enumerate(made.phases):
                    phases.add_(0.1 * (number + k + 1))
        sent.append(prompt.factors())
        generator.end_round()
        arrived.append(generator.factors())
    for number, found in enumerate(arrived, start=1):
        for one, other in zip(found, sent[max(0, number - 2)], strict=True):
            assert torch.allclose(one, other, atol=1e-6)
    again = generated_late(2)
    again.load_state_dict(generator.state_dict())
    assert torch.equal(again.probabilities(), generator.probabilities())


def generated_late(staleness: int) -> QuantumTrain:
    return QuantumTrain(nn.Linear(8, 4), [(5, 2), (4, 2)], MPS(2, 0.1), staleness=staleness, generator=seeded())


def test_the_gradient_of_late_probabilities_goes_to_the_present_phases() -> None:
    late, prompt = generated_late(3), generated(None)
    for made in (late, prompt):
        with torch.no_grad():
            made.phases[0].add_(0.3)
        made.factors()[0].square().sum().backward()
    old = generated(None).factors()[0].detach()
    p = prompt.factors()[0]
    (wanted,) = torch.autograd.grad((p * 2 * old).sum(), prompt.phases[0])
    assert torch.allclose(late.phases[0].grad, wanted, atol=1e-5)


class Slow:
    """Our own numbers; the smaller circuit's device answers only when it may."""

    def __init__(self) -> None:
        self.may, self.inner = threading.Event(), InHouse()
        self.may.set()

    def ask(self, circuit: Circuit, phases: Tensor) -> Tensor:
        if circuit.modes == 4:
            assert self.may.wait(60)
        return self.inner.ask(circuit, phases)


@torch.no_grad()
def test_a_late_device_is_not_waited_for_until_it_is_too_late_and_holds_up_no_other() -> None:
    backend = Slow()
    made = QuantumTrain(nn.Linear(8, 4), [(5, 2), (4, 2)], MPS(2, 0.1), staleness=2, backend=backend, generator=seeded())
    prompt = generated(None)
    sent = [prompt.factors()]
    backend.may.clear()
    for number in range(2):
        for other in (made, prompt):
            for phases in other.phases:
                phases.add_(0.2 + number)
        sent.append(prompt.factors())
        assert torch.allclose(made.factors()[1], sent[0][1], atol=1e-6)  # the last known of the silent device, which is not asked
        made.end_round()  # returns although it is silent
    threading.Timer(0.2, backend.may.set).start()
    made.end_round()  # more than two rounds late: now it is waited for
    assert any(torch.allclose(made.factors()[1], factors[1], atol=1e-6) for factors in sent[1:])
    deadline = time.monotonic() + 60
    while not all(torch.allclose(now, last, atol=1e-6) for now, last in zip(made.factors(), sent[2], strict=True)):
        assert time.monotonic() < deadline
        made.end_round()


@torch.no_grad()
def test_the_error_of_a_late_device_is_told() -> None:
    backend = Slow()
    made = QuantumTrain(nn.Linear(8, 4), [(5, 2), (4, 2)], MPS(2, 0.1), staleness=1, backend=backend, generator=seeded())
    made.phases[0].add_(0.1)
    backend.inner = None  # it breaks
    with pytest.raises(AttributeError):
        for _ in range(2):
            made.end_round()


def test_late_by_nothing_is_prompt(tiny: Dataset) -> None:
    rows = []
    for photonics in ({}, {"staleness": 0}, {"staleness": 1}):
        _, progress, _ = begin(run_with(photonics).settings, tiny, 0, CPU)
        rows.append([{name: value for name, value in row.items() if name != "seconds"} for row in progress])
    assert rows[0] == rows[1] != rows[2]


# Runs


RANDOM = {
    "late": {"staleness": 2},
    "late counts": {"staleness": 1, "noise": BASE, "cycles": 100_000},
    "counts": {"noise": BASE, "cycles": 100_000},
    "phase error": {"noise": BASE | {"phase_error": 0.1}},
    "both": {"noise": BASE | {"phase_error": 0.1, "phase_imprecision": 0.05, "splitter_bias": 0.1}, "cycles": 100_000, "detectors": "pnr"},
    "noise alone": {"noise": BASE},
}


@pytest.mark.whole
@pytest.mark.parametrize("name", RANDOM)
def test_resumed_after_any_round_a_run_on_devices_gives_the_same_bits(name: str, tiny: Dataset, tmp_path: Path) -> None:
    run = run_with(RANDOM[name])
    whole, progress, total = begin(run.settings, tiny, 0, CPU)
    files = []
    for _ in progress:
        files.append(tmp_path / f"{len(files)}.safetensors")
        save_checkpoint(whole, run, files[-1])
    expected = whole.tensors()
    for done, file in enumerate(files[:-1], start=1):
        resumed, progress, _ = begin(run.settings, tiny, 0, CPU)
        resume(resumed, run, file)
        assert len(list(progress)) == total - done
        found = resumed.tensors()
        assert found.keys() == expected.keys()
        assert [key for key, value in found.items() if not torch.equal(value, expected[key])] == []
        weights = [finish(training, run.settings, tiny, 0).weights for training in (resumed, whole)]
        assert all(torch.equal(weights[0][key], value) for key, value in weights[1].items())


def test_the_weights_kept_are_those_that_were_measured(tiny: Dataset) -> None:
    """With random devices, too, the network that is stored has the accuracy that is reported."""
    run = run_with(RANDOM["both"])
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    row = list(progress)[-1]
    network = training.module.bake().eval()  # type: ignore[union-attr]
    images, labels = tiny.tests["test"].images.float() / 255, tiny.tests["test"].labels
    accuracy = 100 * float((network(images).argmax(-1) == labels).float().mean())
    assert accuracy == pytest.approx(row["test_accuracy_percent"])


def test_shot_noise_enters_the_training(tiny: Dataset) -> None:
    rows = {}
    for name, photonics in {"exact": {"noise": BASE}, "few": {"noise": BASE, "cycles": 30_000}}.items():
        _, progress, _ = begin(run_with(photonics).settings, tiny, 0, CPU)
        rows[name] = list(progress)
    assert rows["exact"][0]["training_loss"] != rows["few"][0]["training_loss"]


@pytest.mark.whole
def test_cobyla_trains_on_counts(tiny: Dataset) -> None:
    run = run_with(RANDOM["counts"], schedule="cobyla")
    _, progress, total = begin(run.settings, tiny, 0, CPU)
    assert all(math.isfinite(row["phase_loss"]) for row in progress)
    assert total == 2


@pytest.mark.parametrize("photonics", [{}, RANDOM["counts"]], ids=["exact", "counts"])
def test_spsa_resumes_to_the_same_bits_and_moves_the_phases(photonics: dict, tiny: Dataset, tmp_path: Path) -> None:
    run = run_with(photonics, schedule="spsa")
    whole, progress, _ = begin(run.settings, tiny, 0, CPU)
    start = [phases.detach().clone() for phases in whole.module.phases]
    next(progress)
    next(progress)
    save_checkpoint(whole, run, tmp_path / "state")
    assert all(math.isfinite(row["phase_loss"]) for row in progress)
    resumed, progress, _ = begin(run.settings, tiny, 0, CPU)
    resume(resumed, run, tmp_path / "state")
    assert len(list(progress)) == 2
    found, expected = resumed.tensors(), whole.tensors()
    assert [name for name, value in found.items() if not torch.equal(value, expected[name])] == []
    assert not any(torch.equal(a, b) for a, b in zip(start, whole.module.phases, strict=True))


def test_spsa_goes_downhill() -> None:
    from lightweights.settings.schedules import SpsaSchedule
    from lightweights.training.alternating import begin_rounds, rounds
    from lightweights.training.data import Examples, TrainingData

    generator = QuantumTrain(nn.Linear(8, 4), [(5, 2), (4, 2)], MPS(2, 0.3), generator=seeded())
    images = torch.rand(60, 8, generator=seeded(7))
    labels = generated(None, seed=9).bake()(images).detach().argmax(-1)
    schedule = SpsaSchedule(rounds=6, mapping_epochs=0, phase_steps=40, phase_batch_size=60, gain=1.0)
    losses = [
        row["train_cross_entropy"]
        for row in rounds(begin_rounds(generator, schedule, 0), TrainingData(Examples(images, labels), {}), schedule)
    ]
    assert losses[-1] < losses[0]


# Backends


@pytest.mark.whole
def test_trained_through_perceval_a_run_is_the_same(tiny: Dataset, tmp_path: Path) -> None:
    """Parameter shifts in place of autograd, Perceval's numbers in place of ours: the same rounds, within rounding."""
    small = {"circuits": [[4, 1], [4, 1]]}
    tree = lambda extra: QuantumTrain(  # noqa: E731
        nn.Linear(3, 4), small["circuits"], MPS(2, 0.3), hardware=Hardware(TYPICAL), backend=extra, generator=seeded()
    )
    from lightweights.photonics.backends import PercevalLocal
    from lightweights.settings.schedules import GradientSchedule
    from lightweights.training.alternating import begin_rounds, rounds
    from lightweights.training.data import Examples, TrainingData

    schedule = GradientSchedule(rounds=2, mapping_epochs=1, batch_size=10, phase_steps=1, phase_batch_size=30)
    examples = Examples(torch.rand(30, 3, generator=seeded(7)), torch.randint(4, (30,), generator=seeded(8)))
    made = [tree(None), tree(PercevalLocal(Hardware(TYPICAL)))]
    rows = [list(rounds(begin_rounds(one, schedule, 0), TrainingData(examples, {"test": examples}), schedule)) for one in made]
    for ours, theirs in zip(*rows, strict=True):
        assert theirs["phase_loss"] == pytest.approx(ours["phase_loss"], abs=1e-4)
    for ours, theirs in zip(made[0].phases, made[1].phases, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-3)


@pytest.mark.whole
def test_a_run_can_name_perceval_as_its_backend(tiny: Dataset, tmp_path: Path) -> None:
    gently = {"schedule": "spsa", "override": {"schedule.gain": 0.001, "schedule.rounds": 1}}  # large steps would amplify rounding
    run, ours = run_with({"backend": "perceval", "noise": BASE}, **gently), run_with({"noise": BASE}, **gently)
    results = [
        execute(one, tiny, tmp_path / name, threads=1, device="cpu", checkpoint_seconds=600.0)
        for one, name in ((run, "theirs"), (ours, "ours"))
    ]
    assert results[0].final["train_cross_entropy"] == pytest.approx(results[1].final["train_cross_entropy"], rel=1e-3)
    assert results[0].details == {}


@pytest.mark.parametrize(
    ("photonics", "message"),
    [
        ({"backend": "perceval-remote", "platform": "quandela:sim:slos", "shots": 1000}, "set the environment variable PCVL_CLOUD_TOKEN"),
        ({"backend": "merlin"}, "needs merlinquantum, which is not installed"),
    ],
)
def test_a_backend_that_cannot_be_had_is_told_before_training(photonics: dict, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PCVL_CLOUD_TOKEN", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "merlin", None)
    with pytest.raises(SettingsError, match=message):
        check_settings(run_with(photonics, schedule="spsa").settings, "trial/base")


def test_very_many_jobs_far_away_are_refused() -> None:
    far = {"backend": "perceval-remote", "platform": "quandela:sim:slos", "shots": 1000, "circuits": [[9, 4], [8, 4]]}
    with pytest.raises(SettingsError, match=r"a gradient takes 1,824 jobs .* use schedule spsa"):
        check_settings(run_with(far, override={"schedule.rounds": 200}).settings, "trial/base")


# Regeneration


def test_regenerating_on_a_perfect_device_changes_nothing_and_on_a_dark_one_the_photons_only() -> None:
    generator = generated(None)
    images, labels = torch.rand(200, 8, generator=seeded(1)), torch.randint(4, (200,), generator=seeded(2))
    from lightweights.training.data import Examples, TrainingData, measure

    test = Examples(images, labels)
    devices = {"perfect": Hardware(), "none": None, "noisy": Hardware(Noise(indistinguishability=0.0)), "shots": Hardware(cycles=300)}
    found = regenerated_accuracies(generator, devices, test, seeded(3))
    trained = measure(lambda x: generator(x), TrainingData(test, {"test": test}))["test_accuracy_percent"]
    assert found["regenerated_none_accuracy_percent"] == pytest.approx(trained)
    assert found["regenerated_perfect_accuracy_percent"] == pytest.approx(trained, abs=1)
    assert set(found) == {f"regenerated_{name}_accuracy_percent" for name in devices}


def test_devices_stand_where_the_trained_phases_are(monkeypatch: pytest.MonkeyPatch) -> None:
    places = []

    def measured(self: MeasuredCircuit, phases: Tensor, draws: torch.Generator) -> Tensor:
        places.append({phases.device.type, *(table.device.type for table in self.buffers())})
        return torch.ones(1000)

    monkeypatch.setattr(MeasuredCircuit, "forward", measured)
    device_probabilities(generated(None).to("meta"), Hardware(Noise(g2=0.1)), seeded())
    assert places == [{"meta"}] * 2


def test_regenerated_weights_take_the_probabilities_of_the_device() -> None:
    generator, noise = generated(None), Noise(indistinguishability=0.0)
    found = device_probabilities(generator, Hardware(noise), seeded())
    factors = []
    for circuit, phases in zip(generator.circuits, generator.phases, strict=True):
        device = NoisyCircuit(circuit, noise)(phases)
        factors.append(device / device.mean())
    assert torch.allclose(found, torch.outer(*factors).flatten()[: generator.weight_count], atol=1e-5)
    assert (found - generator.probabilities()).abs().max() > 0.01


@pytest.mark.whole
def test_a_run_that_asks_for_it_reports_regenerated_accuracies_and_the_same_finals(tiny: Dataset, tmp_path: Path) -> None:
    asked = run_with({}, regenerate={"noise": BASE, "vary": {"g2": [0.0, 0.1], "cycles": [100_000]}})
    plain = run_with({})
    once = {"threads": 1, "device": "cpu", "checkpoint_seconds": 600.0}
    first, second = execute(asked, tiny, tmp_path / "a", **once), execute(plain, tiny, tmp_path / "b", **once)
    assert first.final == second.final
    extra = {name for name in first.details["photons"] if name not in second.details["photons"]}
    assert extra == {f"regenerated_{name}_accuracy_percent" for name in ("base", "g2=0", "g2=0.1", "cycles=100000")}


# Settings


def test_settings_name_percevals_parameters() -> None:
    section = PhotonicsSection.model_validate({"noise": BASE | {"splitter_bias": 0.1}, "cycles": 1000, "detectors": "pnr"})
    assert hardware_of(section) == Hardware(TYPICAL, "pnr", splitter_bias=0.1, cycles=1000)
    assert hardware_of(PhotonicsSection()) is None
    assert hardware_of(PhotonicsSection(cycles=5)) == Hardware(cycles=5)


def test_an_experiment_can_vary_one_parameter_of_noise() -> None:
    run = run_with({}, override={"photonics.noise.brightness": 0.6}, vary={"photonics.noise.g2": [0.1]})
    assert run.settings.photonics.noise.g2 == 0.1
    assert run.settings.photonics.noise.brightness == 0.6
    assert run.variant == "g2=0.1,brightness=0.6"


def test_runs_without_noise_keep_their_identity() -> None:
    assert set(run_with({}).settings.plain()["photonics"]) == {"circuits", "mesh", "input_state", "bunching", "normalisation"}
    assert "regenerate" not in run_with({}).settings.plain()


@pytest.mark.parametrize(
    ("photonics", "message"),
    [
        ({"noise": {"g2": 1.2}}, r"g2 = 1.2.*less than or equal to 1"),
        ({"noise": {"transmittance": -0.1}}, r"transmittance = -0.1.*greater than or equal to 0"),
        ({"noise": {"g2": 0.9, "brightness": 0.9}}, r"their product is at most 0.5"),
        ({"noise": {"dark_counts": 0.1}}, r"no such setting"),
        ({"noise": BASE, "bunching": True}, r"bunching is for perfect devices"),
        ({"cycles": 0}, r"cycles = 0"),
        ({"backend": "perceval", "cycles": 100}, r"backend perceval has no cycles"),
        ({"backend": "perceval-remote", "shots": 100}, r"platform is None, backend perceval-remote"),
        ({"shots": 100}, r"shots is 100, backend None"),
        ({"backend": "perceval-remote", "platform": "ibm:heron", "shots": 100}, r"platform = 'ibm:heron'"),
        ({"staleness": -1}, r"staleness = -1"),
        ({"backend": "perceval-remote", "platform": "quandela:x", "shots": 9, "detectors": "pnr"}, r"has detectors and beam splitters"),
        ({"backend": "perceval-remote", "platform": "quandela:x", "shots": 9, "noise": {"splitter_bias": 0.1}}, r"has detectors and beam"),
        ({"backend": "merlin"}, r"backend merlin .* use schedule spsa"),
        ({"backend": "perceval", "noise": {"phase_imprecision": 0.1}}, r"rounds phases .* use schedule spsa"),
        ({"noise": {"splitter_bias": 0.1}, "mesh": "mzi"}, r"use mesh notebook or clements"),
    ],
)
def test_impossible_devices_are_refused(photonics: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        run_with(photonics)


@pytest.mark.parametrize(
    ("photonics", "message"),
    [
        ({"noise": {"transmittance": 0.0}}, r"no cycle would be heralded"),
        ({"noise": {"brightness": 0.001}}, r"no cycle would be heralded"),
        ({"noise": BASE, "cycles": 100}, r"photonics.cycles = 100: circuit \[9, 4\].*give at least"),
    ],
)
def test_devices_that_show_nothing_are_refused_before_training(photonics: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        check_settings(run_with(photonics).settings, "trial/base")


def test_no_heralded_cycle_in_a_budget_is_an_error() -> None:
    circuit = Circuit(4, 2)
    with pytest.raises(ShotsError, match="none of 2 clock cycles"):
        MeasuredCircuit(circuit, Hardware(Noise(brightness=0.05), cycles=2))(circuit.random_phases(seeded()), seeded())


def test_impossible_hardware_is_refused() -> None:
    with pytest.raises(NoiseError, match="splitter_bias is 4"):
        Hardware(splitter_bias=4.0)
    with pytest.raises(NoiseError, match="budget of 0"):
        Hardware(cycles=0)
    with pytest.raises(NoiseError, match="mesh mzi"):
        MeasuredCircuit(Circuit(4, 2, "mzi"), Hardware(splitter_bias=0.1))
