"""Steps that a GPU records and plays back; elsewhere they are done as they are."""

import pytest
import torch
from torch import Tensor, nn

from lightweights.baselines.low_rank import Factorised
from lightweights.distillation.teacher_training import Taught
from lightweights.networks import TargetCNN
from lightweights.settings.baselines import LowRank
from lightweights.training.data import Examples
from lightweights.training.epochs import descent as descent_of
from lightweights.training.replay import BEFORE, Replay
from lightweights.training.state import Training, adam

STEPS = 3 * BEFORE


def descent(device: str) -> tuple[nn.Linear, Replay]:
    """A regression in double precision, and its step."""
    torch.manual_seed(0)
    network = nn.Linear(5, 2).double().to(device)
    optimiser = adam(network.parameters(), 0.1)

    def step(inputs: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        optimiser.zero_grad()
        outputs = network(inputs)
        loss = (outputs - wanted).square().mean()
        loss.backward()
        optimiser.step()
        return loss.detach(), outputs.detach()

    return network, Replay(step, network)


def batches(device: str) -> list[tuple[Tensor, Tensor]]:
    """Of two sizes in turn, as the last of an epoch is smaller."""
    generator = torch.Generator().manual_seed(1)
    sizes = [8 if k % 3 else 5 for k in range(STEPS)]
    return [tuple(torch.randn(n, d, generator=generator, dtype=torch.float64).to(device) for d in (5, 2)) for n in sizes]


def losses(device: str, alone: bool) -> list[float]:
    network, replay = descent(device)
    step = replay.step if alone else replay
    found = [float(step(*batch)[0]) for batch in batches(device)]
    return [*found, *network.weight.flatten().tolist()]


def test_without_a_gpu_each_step_is_done_as_it_is() -> None:
    assert losses("cpu", alone=False) == losses("cpu", alone=True)
    network, replay = descent("cpu")
    before = network.weight.detach().clone()
    replay(*batches("cpu")[0])
    assert not torch.equal(network.weight, before) and not replay._recorded


class Counting(nn.Linear):
    """A network of a user's own that changes from call to call."""

    calls = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(inputs) * self.calls


def test_a_step_of_a_users_own_network_is_never_recorded() -> None:
    assert not Replay(lambda: (), nn.Sequential(nn.Linear(3, 2), TargetCNN((1, 28, 28), 10))).why_not
    assert Replay(lambda: (), nn.Sequential(nn.Linear(3, 2), Counting(2, 2))).why_not == (
        f"{__name__}.Counting may change on the host from step to step"
    )


@pytest.mark.parametrize("own", ["classical", "baseline", "teacher"])
def test_every_training_on_epochs_records_its_steps_or_says_why_not(own: str) -> None:
    network = TargetCNN((1, 28, 28), 10)
    baseline = Factorised(LowRank(kind="low_rank", rank=1), network, torch.Generator())
    images = Examples(torch.rand(4, 1, 28, 28), torch.arange(4))
    for wrapped, recorded in ((nn.Identity(), True), (Counting(10, 10), False)):
        module = {"classical": network, "baseline": baseline, "teacher": Taught(network, "last")}[own]
        training = Training(nn.Sequential(module, wrapped), {"network": adam(network.parameters(), 0.1)}, {})
        step = descent_of(training, images, lambda pictures, labels, _: (network(pictures).sum(), labels))
        assert isinstance(step, Replay) and (not step.why_not) == recorded


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_what_is_played_back_is_what_was_recorded() -> None:
    assert losses("cuda", alone=False) == pytest.approx(losses("cuda", alone=True), rel=1e-9)
    _, replay = descent("cuda")
    for batch in batches("cuda"):
        replay(*batch)
    assert len(replay._recorded) == 1 + (STEPS // 3 > BEFORE) and not replay.why_not


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_what_cuda_cannot_record_is_done_as_it_is() -> None:
    replay = Replay(lambda given: (torch.tensor(float(given.sum()), device="cuda"),), nn.Identity())  # asks the host
    assert [float(replay(torch.ones(k, device="cuda").expand(2, k))[0]) for k in [3] * (BEFORE + 2)] == [6.0] * (BEFORE + 2)
    assert replay.why_not
