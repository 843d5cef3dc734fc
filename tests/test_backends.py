"""Backends beside each other, the parameter-shift rule beside autograd, and jobs far away through Perceval's own client code."""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import perceval as pcvl
import pytest
import requests
import torch
from perceval.runtime import CommunicationLayer, ExecutionStatus, PayloadGenerator, PlatformSpecs, RunningStatus, SimulatedComputer

from lightweights.photonics import Circuit, Hardware, MeasuredCircuit, Noise, unitary
from lightweights.photonics.backends import BackendError, InHouse, Merlin, PercevalLocal, ask_all, give_photons, perceval_circuit
from lightweights.photonics.parameter_shift import degrees, jacobian, shifts, with_shifted_gradient
from lightweights.photonics.remote import JobLog, Remote, connect, require_token

TYPICAL = Noise(brightness=0.6, indistinguishability=0.95, g2=0.02, transmittance=0.7)
CIRCUIT = Circuit(5, 2)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


PHASES = CIRCUIT.random_phases(seeded(4), torch.float64)


# On this machine


@pytest.mark.parametrize("mesh", ["notebook", "clements", "mzi"])
def test_the_circuit_of_perceval_has_our_unitary(mesh: Any) -> None:
    circuit = Circuit(5, 2, mesh)
    phases = circuit.random_phases(seeded(), torch.float64)
    theirs = torch.tensor(pcvl.Matrix(perceval_circuit(circuit, phases).compute_unitary()).tolist(), dtype=torch.complex128)
    assert torch.allclose(theirs, unitary(circuit.mesh, phases), atol=1e-12)


@pytest.mark.parametrize(
    "hardware",
    [None, Hardware(TYPICAL), Hardware(TYPICAL, "pnr"), Hardware(TYPICAL, splitter_bias=0.1), Hardware(Noise(phase_imprecision=0.2))],
    ids=["perfect", "threshold", "pnr", "bias", "imprecision"],
)
def test_backends_on_this_machine_agree(hardware: Hardware | None) -> None:
    ours, theirs = InHouse(hardware).ask(CIRCUIT, PHASES), PercevalLocal(hardware).ask(CIRCUIT, PHASES)
    assert torch.allclose(ours, theirs, atol=1e-7)
    assert 0 < ours.sum() < 1


def test_photons_enter_the_circuit_of_their_own_thread() -> None:
    circuits = [Circuit(modes, 2) for modes in (4, 5, 6, 7)]
    pause = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda circuit: give_photons(pcvl.Experiment(circuit.modes), circuit), circuits * 500))
    finally:
        sys.setswitchinterval(pause)


def test_merlin_is_asked_for_by_name_where_it_is_missing() -> None:
    pytest.importorskip("perceval")
    try:
        import merlin  # noqa: F401
    except ImportError:
        with pytest.raises(BackendError, match=r"needs merlinquantum.*pip install 'lightweights\[merlin\]'"):
            Merlin()
    else:
        exact = CIRCUIT(PHASES)
        assert torch.allclose(Merlin().ask(CIRCUIT, PHASES), exact / exact.sum(), atol=1e-5)


# Parameter shift


@pytest.mark.parametrize("mesh", ["notebook", "clements", "mzi"])
@pytest.mark.parametrize("photons", [1, 2, 3])
def test_the_shift_rule_is_exact_for_collision_free_probabilities(mesh: Any, photons: int) -> None:
    circuit = Circuit(4, photons, mesh)
    phases = circuit.random_phases(seeded(1), torch.float64)
    exact = torch.autograd.functional.jacobian(circuit, phases)
    assert torch.allclose(jacobian(circuit, circuit, phases), exact, atol=1e-12)


def test_beam_splitters_need_twice_the_degree() -> None:
    """With the degree of a phase shifter in theta itself the rule is wrong: half frequencies are missed."""
    circuit = Circuit(4, 2)
    phases = circuit.random_phases(seeded(1), torch.float64)
    exact = torch.autograd.functional.jacobian(circuit, phases)[:, 6]  # the first beam splitter that light in superposition meets

    wrong = torch.zeros_like(exact)
    for shift, weight in shifts(2):
        moved = phases.clone()
        moved[6] += shift
        wrong += weight * circuit(moved)
    assert not torch.allclose(wrong, exact, atol=1e-3)
    assert degrees(circuit)[:3] == [(4, 0.5), (2, 1.0), (2, 1.0)]
    assert degrees(circuit)[-1] == (0, 1.0)  # not in the circuit


@pytest.mark.whole
@pytest.mark.parametrize(("detectors", "photons"), [("threshold", 4), ("pnr", 2)])
def test_the_shift_rule_holds_under_noise_per_cycle_but_not_given_the_herald(detectors: Any, photons: int) -> None:
    hardware = Hardware(Noise(0.6, 0.9, 0.1, True, 0.7), detectors)
    backend = InHouse(hardware)
    exact = torch.autograd.functional.jacobian(lambda p: backend.ask(CIRCUIT, p), PHASES)
    assert torch.allclose(jacobian(lambda p: backend.ask(CIRCUIT, p), CIRCUIT, PHASES, photons), exact, atol=1e-12)
    device = MeasuredCircuit(CIRCUIT, hardware)
    exact = torch.autograd.functional.jacobian(device, PHASES)
    assert not torch.allclose(jacobian(device, CIRCUIT, PHASES, photons), exact, atol=1e-4)


def test_a_backends_answer_carries_its_gradient() -> None:
    phases = PHASES.clone().requires_grad_()
    backend = PercevalLocal()
    answer = with_shifted_gradient(phases, backend.ask(CIRCUIT, phases), backend, CIRCUIT, 2)
    (answer / answer.mean())[0].backward()
    found = phases.grad.clone()
    phases.grad = None
    exact = CIRCUIT(phases)
    (exact / exact.mean())[0].backward()
    assert torch.allclose(found, phases.grad, atol=1e-7)


# Far away


class StandIn(CommunicationLayer):
    """A provider on this machine: Perceval's communication layer over its own simulator, with the moods of a network."""

    def __init__(self, **moods: Any) -> None:
        self.computer, self.jobs, self.sent, self.moods = SimulatedComputer("SLOS"), {}, [], moods
        self.lock, self.asked = threading.Lock(), 0

    name = "sim:stand-in"

    def get_specs(self) -> PlatformSpecs:
        specs = PlatformSpecs()
        specs["constraints"] = {"max_mode_count": 12, "max_photon_count": 6}
        return specs

    def send(self, payload: dict) -> str:
        with self.lock:
            if self.moods.get("unreachable", 0):
                self.moods["unreachable"] -= 1
                raise requests.exceptions.ConnectionError("no route to host")
            job = f"job-{len(self.sent)}"
            self.sent.append(payload)
        computation = PayloadGenerator.get_computation(payload)
        if "together" in self.moods:
            self.moods["together"].wait(timeout=60)  # broken, an error, unless both are here at the same time
        with self.lock, PayloadGenerator.payload_applier(self.computer, payload):  # one simulator, which two at once would mix up
            self.jobs[job] = self.computer.sample_count(computation.experiment, **computation.parameters)
        return job

    def get_job_status(self, remote_id: str, refresh_errors: int = 0) -> ExecutionStatus | None:
        self.asked += 1
        if self.moods.get("blinks", 0):
            self.moods["blinks"] -= 1
            return None
        status = ExecutionStatus()
        failed = remote_id in self.moods.get("failing", ())
        if remote_id not in self.moods.get("hanging", ()):
            status.stop_run(RunningStatus.ERROR if failed else RunningStatus.SUCCESS, "detector too warm" if failed else None)
        return status

    def get_results(self, remote_id: str) -> dict:
        return self.jobs[remote_id]

    def get_remote_status(self) -> str:
        return "available"

    def get_performances(self) -> dict:
        return {}

    def get_commands(self) -> list:
        return [self.computer.get_command("sample_count")]

    def cancel(self, remote_id: str) -> None:
        self.moods.setdefault("cancelled", []).append(remote_id)

    def get_availability(self) -> int:
        return 1

    def get_platform_details(self) -> dict:
        return {}


def remote(layer: StandIn, log: Path | None = None, **settings: Any) -> Remote:
    pauses: list[float] = []
    made = Remote(layer, settings.pop("shots", 20_000), JobLog(log), sleep=pauses.append, **settings)
    made.pauses = pauses  # type: ignore[attr-defined]
    return made


def test_a_remote_platform_counts_what_the_circuit_gives() -> None:
    found = remote(StandIn()).ask(CIRCUIT, PHASES)
    joint = CIRCUIT(PHASES)
    assert (found - joint).abs().max() < 5 * (0.25 / 20_000) ** 0.5
    noisy = remote(StandIn(), noise=Noise(indistinguishability=0.0)).ask(CIRCUIT, PHASES)
    expected = InHouse(Hardware(Noise(indistinguishability=0.0))).ask(CIRCUIT, PHASES)
    assert (noisy - expected).abs().max() < 5 * (0.25 / 20_000) ** 0.5
    assert (noisy - joint).abs().max() > 0.02


def test_a_platform_that_tells_the_share_of_shots_it_counted_is_believed() -> None:
    layer = StandIn()
    told = layer.get_results
    layer.get_results = lambda job: told(job) | {"global_perf": 0.25}  # type: ignore[method-assign]
    assert torch.allclose(remote(layer).ask(CIRCUIT, PHASES), CIRCUIT(PHASES) / 4, atol=0.01)


def test_a_question_is_sent_once() -> None:
    layer = StandIn()
    backend = remote(layer)
    first = backend.ask(CIRCUIT, PHASES)
    assert torch.equal(backend.ask(CIRCUIT, PHASES), first)
    assert len(layer.sent) == 1
    backend.ask(CIRCUIT, PHASES + 0.1)
    assert len(layer.sent) == 2


def test_a_killed_study_picks_its_job_up_again(tmp_path: Path) -> None:
    layer, log = StandIn(hanging=["job-0"]), tmp_path / "jobs.jsonl"

    def killed(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Remote(layer, 1000, JobLog(log), sleep=killed).ask(CIRCUIT, PHASES)
    log.write_text(log.read_text() + '{"question": "cut o')
    layer.moods["hanging"] = []
    remote(layer, log, shots=1000).ask(CIRCUIT, PHASES)
    assert len(layer.sent) == 1
    entries = [json.loads(line) for line in log.read_text().splitlines() if "cut o" not in line]
    assert [entry["job"] for entry in entries] == [None, "job-0"] and entries[0]["sending"].startswith("lightweights ")
    assert entries[1]["circuit"] == [CIRCUIT.mesh.kind, 5, *CIRCUIT.inputs] and len(entries[1]["phases_sha256"]) == 64


def test_errors_of_the_network_are_tried_again_with_growing_pauses() -> None:
    layer = StandIn(unreachable=3, blinks=2)
    backend = remote(layer)
    assert backend.ask(CIRCUIT, PHASES).sum() > 0
    assert backend.pauses == [1.0, 2.0, 4.0, 1.0, 2.0]  # type: ignore[attr-defined]


def test_a_network_that_stays_away_is_an_error() -> None:
    with pytest.raises(BackendError, match=r"sim:stand-in does not answer.*no route to host"):
        remote(StandIn(unreachable=99)).ask(CIRCUIT, PHASES)


def test_a_failed_job_is_sent_again(tmp_path: Path) -> None:
    layer = StandIn(failing=["job-0"])
    remote(layer, tmp_path / "jobs").ask(CIRCUIT, PHASES)
    assert len(layer.sent) == 2
    assert JobLog(tmp_path / "jobs").find(remote(layer).question(CIRCUIT, PHASES).key) == "job-1"
    backend = remote(StandIn(failing=[f"job-{k}" for k in range(3)]), attempts=3)
    with pytest.raises(BackendError, match="job-2 ended as ERROR: detector too warm; 3 attempts"):
        backend.ask(CIRCUIT, PHASES)


def test_a_job_that_takes_too_long_is_given_up_and_sent_again() -> None:
    layer = StandIn(hanging=["job-0"])
    backend = remote(layer, patience=10.0)
    backend.ask(CIRCUIT, PHASES)
    assert layer.moods["cancelled"] == ["job-0"]
    assert len(layer.sent) == 2
    with pytest.raises(BackendError, match="job-1 has not ended after 10 s; 2 attempts"):
        remote(StandIn(hanging=["job-0", "job-1"]), patience=10.0, attempts=2).ask(CIRCUIT, PHASES)


def test_circuits_are_asked_at_the_same_time_and_a_failing_one_is_retried_alone() -> None:
    other = Circuit(4, 2)
    phases = [PHASES, other.random_phases(seeded(), torch.float64)]
    answers = ask_all(remote(StandIn(together=threading.Barrier(2))), [CIRCUIT, other], phases)
    assert [len(answer) for answer in answers] == [10, 6]
    layer = StandIn(failing=["job-0"])
    answers = ask_all(remote(layer), [CIRCUIT, other], phases)
    sizes = [PayloadGenerator.get_computation(payload).experiment.circuit_size for payload in layer.sent]
    assert sorted(sizes) in ([4, 4, 5], [4, 5, 5])  # only the one that failed twice
    assert (answers[0] - CIRCUIT(PHASES)).abs().max() < 0.02
    assert (answers[1] - other(phases[1])).abs().max() < 0.02


def test_too_small_a_platform_is_found_before_anything_is_sent() -> None:
    backend = remote(StandIn())
    backend.check(CIRCUIT)
    with pytest.raises(BackendError, match="at most 12 modes; a circuit of 14"):
        backend.check(Circuit(14, 2))
    with pytest.raises(BackendError, match="at most 6 photons; a circuit of 7"):
        backend.check(Circuit(10, 7))


def test_without_a_token_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PCVL_CLOUD_TOKEN", "SCALEWAY_CLOUD_TOKEN", "SCALEWAY_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BackendError, match="set the environment variable PCVL_CLOUD_TOKEN"):
        connect("quandela:sim:slos")
    with pytest.raises(BackendError, match="expected provider:name with provider one of quandela, scaleway"):
        require_token("ibm:heron")
    monkeypatch.setenv("SCALEWAY_CLOUD_TOKEN", "secret-token")
    with pytest.raises(BackendError, match="SCALEWAY_PROJECT_ID"):
        connect("scaleway:sim:ascella")


@pytest.mark.parametrize(("code", "remedy"), [(401, "get a new token"), (404, "check the name of the platform")])
def test_what_the_provider_refuses_is_told_without_the_token(code: int, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCVL_CLOUD_TOKEN", "secret-token")

    def refuse(*arguments: Any, **named: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.reason, answer.url = code, "refused for secret-token", "https://cloud"
        return answer

    monkeypatch.setattr(requests, "get", refuse)
    with pytest.raises(BackendError, match=remedy) as caught:
        connect("quandela:qpu:nowhere")
    assert "secret-token" not in str(caught.value)
