"""The data sets of the studies: fetched, verified against pinned SHA-256 digests, and read into tensors.

Importing this package imports neither torch nor scikit-learn, so that settings can be checked quickly.
"""

from lightweights.datasets.dataset import DataError, Dataset, Split, digest, from_tensors, to_tensors
from lightweights.datasets.loading import load, shape_of
from lightweights.datasets.own import from_arrays
from lightweights.datasets.series import AnyDataset, SeriesDataset

__all__ = [
    "AnyDataset",
    "DataError",
    "Dataset",
    "SeriesDataset",
    "Split",
    "digest",
    "from_arrays",
    "from_tensors",
    "load",
    "shape_of",
    "to_tensors",
]
