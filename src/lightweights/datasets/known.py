"""Shapes and classes of the data sets that settings can name without a factory."""

SHAPES: dict[str, tuple[tuple[int, int, int], int]] = {
    "none": ((1, 1, 1), 1),
    "digits": ((1, 28, 28), 10),
    "mnist-partial": ((1, 28, 28), 10),
    "mnist": ((1, 28, 28), 10),
    "fashion-mnist": ((1, 28, 28), 10),
    "cifar-10": ((3, 32, 32), 10),
}
"""(channels, height, width) of an image, and how many classes there are."""
