"""Preparing a data set once for all runs of a study."""

from pathlib import Path

from safetensors.torch import save

from lightweights.datasets import load, to_tensors
from lightweights.files import write_atomic
from lightweights.settings.base import SettingsError
from lightweights.settings.dataset import DatasetSection


def prepare_data(settings: Path, output: Path) -> None:
    """Fetch and verify the data set that the settings file names, and write it as one safetensors file."""
    try:
        section = DatasetSection.model_validate_json(settings.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{settings}: not the settings of a data set ({error}); "
            "expected is results/STUDY/settings/NAME.json as snakemake writes it; if it is that one, move it away and start snakemake again"
        ) from None
    tensors, metadata = to_tensors(load(section))
    write_atomic(output, save(tensors, metadata))
