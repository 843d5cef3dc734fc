"""Steps that a GPU records and plays back; elsewhere they are done as they are."""

import pytest
import torch
from torch import Tensor, nn

from lightweights.training.replay import BEFORE, Replay
from lightweights.training.state import adam

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

    return network, Replay(step)


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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_what_is_played_back_is_what_was_recorded() -> None:
    assert losses("cuda", alone=False) == pytest.approx(losses("cuda", alone=True), rel=1e-9)
    _, replay = descent("cuda")
    for batch in batches("cuda"):
        replay(*batch)
    assert len(replay._recorded) == 1 + (STEPS // 3 > BEFORE) and not replay.why_not


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_what_cuda_cannot_record_is_done_as_it_is() -> None:
    replay = Replay(lambda given: (torch.tensor(float(given.sum()), device="cuda"),))  # asks the host
    assert [float(replay(torch.ones(k, device="cuda").expand(2, k))[0]) for k in [3] * (BEFORE + 2)] == [6.0] * (BEFORE + 2)
    assert replay.why_not
