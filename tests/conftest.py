"""What all tests share: one thread, and a tiny data set that any CPU learns in seconds."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that tests start, too

import pytest
import torch
from hypothesis import settings

from lightweights.datasets import Dataset, Split

torch.set_num_threads(1)

settings.register_profile("lightweights", deadline=None, max_examples=40, derandomize=True)  # a suite that passes passes again
# --hypothesis-profile=explore: other examples
settings.register_profile("explore", settings.get_profile("lightweights"), derandomize=False)
settings.load_profile("lightweights")


@pytest.fixture(autouse=True)
def _memory_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that tests call in their own process must not make it keep all memory that any of them has needed."""
    monkeypatch.setattr("lightweights.allocator.keep_memory", lambda: False)


@pytest.fixture(autouse=True)
def _the_same_draws_each_time() -> None:
    """What a test draws without a generator of its own is the same in every order: a rare draw is no failure of one run in a thousand."""
    torch.manual_seed(0)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(12)


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    """Three classes of noisy 16x16 pictures: 120 to train on, 40 and 30 to test on."""
    return tiny_dataset()


def tiny_dataset(classes: int = 3, size: int = 16) -> Dataset:
    """Each class has its own chequered pattern; the pixels are integers, so any machine makes the same ones."""
    draws = torch.Generator().manual_seed(5)
    patterns = torch.randint(0, 2, (classes, 1, size // 4, size // 4), generator=draws).repeat_interleave(4, -1).repeat_interleave(4, -2)

    def split(count: int) -> Split:
        labels = torch.randint(0, classes, (count,), generator=draws)
        noise = torch.randint(0, 128, (count, 1, size, size), generator=draws)
        return Split((127 * patterns[labels] + noise).to(torch.uint8), labels)

    return Dataset("digits", classes, split(120), {"test": split(40), "other": split(30)})
