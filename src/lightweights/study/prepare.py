"""Preparing a data set once for all runs of a study."""

from pathlib import Path

from safetensors.torch import save

from lightweights.datasets import load, to_tensors
from lightweights.params import DatasetSection
from lightweights.study.files import write_atomic


def prepare_data(settings: Path, output: Path) -> None:
    """Fetch and verify the data set that the settings file names, and write it as one safetensors file."""
    tensors, metadata = to_tensors(load(DatasetSection.model_validate_json(settings.read_text())))
    write_atomic(output, save(tensors, metadata))
