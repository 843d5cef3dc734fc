"""What runs far away cost, before they are sent: the jobs that are foretold are those that are asked for."""

import torch
from torch import nn
from typer.testing import CliRunner

from lightweights import MPS, QuantumTrain, fit
from lightweights.cli import app
from lightweights.methods.devices import jobs_asked
from lightweights.photonics.backends import InHouse
from lightweights.settings.study import parse_study
from lightweights.study.forecast import remote_lines

CIRCUITS = [(4, 2), (5, 2)]


class Counting(InHouse):
    """Our own numbers; how often they are asked for, and whether a question is a new one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.questions: set[bytes] = set()

    def ask(self, circuit, phases):
        self.asked += 1
        self.questions.add(bytes([circuit.modes]) + phases.detach().double().numpy().tobytes())
        return super().ask(circuit, phases)


def study_with(schedule: str, **changes):
    photonics = {"circuits": CIRCUITS, "backend": "perceval-remote", "platform": "quandela:sim:slos", "shots": 1000}
    override = {"schedule.rounds": 2, **{f"schedule.{name}": value for name, value in changes.items()}}
    experiment = {"method": "quantum_train", "seeds": [0], "schedule": schedule, "override": override}
    return parse_study({"dataset": {"name": "digits"}, "photonics": photonics, "experiments": {"far": experiment}})


def test_jobs_that_are_foretold_are_those_that_training_asks_for():
    for schedule, changes in (("gradient", {"phase_steps": 2}), ("spsa", {"phase_steps": 3})):
        backend = Counting()
        torch.manual_seed(0)
        generated = QuantumTrain(nn.Linear(3, 2), CIRCUITS, MPS(2), seed=0, backend=backend, mesh="notebook")
        images, labels = torch.randn(8, 3), torch.tensor([0, 1] * 4)
        before = len(backend.questions)
        told = {"mapping_epochs": 1, **changes}
        list(fit(generated, [(images, labels)], rounds=2, schedule={"protocol": schedule, **told} if schedule != "gradient" else told))
        run = study_with(schedule, **changes).runs()[0]
        assert sum(jobs_asked(run.settings, CIRCUITS)) >= len(backend.questions) - before > 0.8 * sum(jobs_asked(run.settings, CIRCUITS))


def test_plan_tells_jobs_shots_and_credits():
    runs = study_with("spsa", phase_steps=3).runs()
    jobs = 2 * (1 + (1 + 2 * 3) * 2)  # circuits; at the start, then in two rounds once and two a step
    shots = 1000 * jobs
    told = f"1 runs send at most {jobs} jobs of {shots:,} shots in all, {shots / 1e6 * 5:,.0f} credits."
    assert remote_lines(runs, 5.0) == [f"Platform quandela:sim:slos: {told}"]
    assert "--price" in remote_lines(runs, None)[-1] and remote_lines([], None) == []


def test_probe_asks_a_backend_beside_our_own_numbers():
    said = CliRunner().invoke(app, ["probe", "--modes", "5", "--photons", "2", "--noise", "g2=0.02", "--backend", "perceval"])
    assert said.exit_code == 0 and "perceval: total variation from our device 0.0000" in said.output
