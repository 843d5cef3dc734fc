"""Shapes and classes of the data sets that settings can name without a factory."""

from lightweights.settings.data_sets import DATA_SETS

SHAPES: dict[str, tuple[tuple[int, int, int], int]] = {name: (known.shape, known.classes) for name, known in DATA_SETS.items()}
"""(channels, height, width) of an image, and how many classes there are."""
