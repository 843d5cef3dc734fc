"""What a study found, as tables, figures, judges and facts take it: runs with every setting a column, claims, and what lies beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lightweights.errors import LightweightsError
from lightweights.files import read_json
from lightweights.report.claims import Claim
from lightweights.settings.study import Study
from lightweights.study.collect import SHORT_NAMES, flatten, read_histories
from lightweights.study.layout import RESULTS, folder_of_row, study_folder


class ResultsError(LightweightsError):
    """Something beside runs.csv that cannot be read; names the file and the remedy."""


@dataclass(frozen=True)
class Results:
    """A study's results. Nothing is read before it is asked for, but for ``runs``.

    Attributes:
        study: The settings.
        runs: runs.csv, every setting a column (``schedule.precision``), whether it varies in the study or not.
        claims: The published numbers, of all chapters in their order.
        judge: What gives ``scores``.
        root: Folder of all studies' results.
    """

    study: Study
    runs: pd.DataFrame
    claims: tuple[Claim, ...] = ()
    judge: Callable[["Results"], pd.DataFrame] | None = None
    root: Path = RESULTS

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return study_folder(self.study.study.name, self.root)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The scorecard, a row a claim."""
        if self.judge is None:
            raise ValueError("these results were made without a judge, so that claims have no verdicts")
        return self.judge(self)

    def of(self, *experiments: str) -> pd.DataFrame:
        """The runs of some experiments, in the order of runs.csv."""
        return self.runs[self.runs.experiment.isin(experiments)]

    def history(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The histories of some of the runs below each other: experiment, variant, seed, then the columns of history.csv."""
        return read_histories(self.study.study.name, runs, self.root)

    def details(self, run: Any) -> dict[str, Any]:
        """All of a run's metrics.json; ``run`` is its row."""
        path = folder_of_row(self.study.study.name, run, self.root) / "metrics.json"
        try:
            return read_json(path)
        except (OSError, ValueError) as error:
            raise ResultsError(f"{path} cannot be read ({error}); train the run again: `snakemake --cores N`") from None

    def data(self, name: str) -> pd.DataFrame:
        """A file of the study's folder that was measured without runs."""
        try:
            return pd.read_csv(self.folder / name)
        except (OSError, ValueError) as error:
            remedy = f"`lightweights draw {self.folder}/settings/study.json {name}` makes it"
            raise ResultsError(f"{self.folder / name} cannot be read ({error}); {remedy}") from None


def settings_by_variant(study: Study) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Flat settings of each experiment and variant that a study asks for."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for run in study.runs():
        if (run.experiment, run.variant) not in found:
            found[run.experiment, run.variant] = flatten(run.settings)
    return found


def with_settings(runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The runs with a column for every setting that has none yet; nothing where a run has not the setting."""
    told = settings_by_variant(study)
    flat = [told.get(key, {}) for key in zip(runs.experiment, runs.variant, strict=True)]
    names = dict.fromkeys(name for settings in told.values() for name in settings)
    new = [name for name in names if name not in runs and name not in SHORT_NAMES and name != "method"]
    columns = {name: pd.Series([settings.get(name) for settings in flat], index=runs.index) for name in new}
    return pd.concat([runs, pd.DataFrame(columns, index=runs.index)], axis=1).copy()  # in one piece
