"""The data sets of the studies: fetched, verified against pinned SHA-256 digests, and read into tensors.

Importing this package imports neither torch nor scikit-learn, so that settings can be checked quickly.
"""

from lightweights.datasets.dataset import Data, DataError, Dataset, Split
from lightweights.datasets.flat import digest, from_tensors, to_tensors
from lightweights.datasets.loading import load, shape_of
from lightweights.datasets.own import from_arrays
from lightweights.datasets.series import Series, SeriesSplit, series_from_arrays, windows
from lightweights.datasets.text import Text, TextSplit, text_from_tokens

__all__ = [
    "Data",
    "DataError",
    "Dataset",
    "Series",
    "SeriesSplit",
    "Split",
    "Text",
    "TextSplit",
    "digest",
    "from_arrays",
    "from_tensors",
    "load",
    "series_from_arrays",
    "shape_of",
    "text_from_tokens",
    "to_tensors",
    "windows",
]
