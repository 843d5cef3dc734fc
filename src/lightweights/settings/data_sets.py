"""What is known of each data set before any of it is read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownDataSet:
    """Shape of an image (channels, height, width), classes, images to train on and to test on (all test sets together), test sets, the one
    of the publication first, and the name in words.
    """

    shape: tuple[int, int, int]
    classes: int
    train: int
    test: int
    tests: tuple[str, ...]
    words: str

    @property
    def numbers(self) -> int:
        """Numbers in an image."""
        channels, height, width = self.shape
        return channels * height * width


DATA_SETS = {
    "none": KnownDataSet((1, 1, 1), 1, 1, 1, ("test",), "no data"),
    "digits": KnownDataSet((1, 28, 28), 10, 1347, 450, ("test",), "digits"),
    "mnist-partial": KnownDataSet((1, 28, 28), 10, 6000, 10_600, ("test600", "test10k"), "partial MNIST"),
    "mnist": KnownDataSet((1, 28, 28), 10, 60_000, 10_000, ("test",), "MNIST"),
    "fashion-mnist": KnownDataSet((1, 28, 28), 10, 60_000, 10_000, ("test",), "Fashion-MNIST"),
    "cifar-10": KnownDataSet((3, 32, 32), 10, 50_000, 10_000, ("test",), "CIFAR-10"),
}


def taken_for(name: str) -> KnownDataSet:
    """What is known of a data set; one's own is taken to be as large as MNIST, with one test set."""
    return DATA_SETS.get(name, DATA_SETS["mnist"])
