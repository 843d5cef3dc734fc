"""What an experiment varied, and what its runs are told by."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lightweights.report.measures import known
from lightweights.report.statistics import Summary, summarise
from lightweights.settings.experiment import variant_name
from lightweights.settings.study import Study
from lightweights.study.collect import reported_test_sets

OTHERS = ("train", "validation", "last10", "photons", "parameters", "last")
"""Beginnings of columns that no experiment is told by."""


@dataclass(frozen=True)
class Variant:
    """One variant of an experiment: what it is by varied setting, its runs' measure, and the numbers that they trained."""

    name: str
    varied: dict[str, Any]
    summary: Summary
    values: tuple[float, ...]
    numbers: float


def measured(runs: pd.DataFrame) -> str:
    """The column that runs are told by: accuracy on the test set that is named last, else the first other measure; nothing without one."""
    there = runs.dropna(axis=1, how="all")
    accuracies = [column for name in reported_test_sets(there) if (column := f"{name}_accuracy_percent") in there]
    others = [name for name in there if known(name) and "." not in name and name.partition("_")[0] not in OTHERS]
    return next(iter([*accuracies[::-1], *others]), "")


def variants_of(runs: pd.DataFrame, study: Study, experiment: str) -> list[Variant]:
    """The variants of an experiment in the order in which the study asks for them, those without runs too."""
    column, asked = measured(runs), study.experiments[experiment]
    found = []
    for values in itertools.product(*asked.vary.values()):
        varied = dict(zip(asked.vary, values, strict=True))
        name = variant_name({**varied, **asked.override})
        own = runs[runs.variant == name]
        reached = own[column].dropna().astype(float) if column else pd.Series(dtype=float)
        numbers = own.parameters_trained_used.dropna().astype(float)
        found.append(Variant(name, varied, summarise(reached), tuple(reached), float(numbers.max()) if len(numbers) else math.nan))
    return found


def told(value: Any) -> str:
    """A value of a setting as readers see it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {told(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(f"({told(item)})" if isinstance(item, list | tuple) else told(item) for item in value)
    return str(value)


def heading_of(path: str) -> str:
    """A setting as readers see it: ``mapping.bond_dim`` is the bond dimension."""
    return path.rsplit(".", 1)[-1].replace("bond_dim", "bond dimension").replace("_", " ").capitalize()


def is_number(values: Iterable[Any]) -> bool:
    """Whether a varied setting is a number at all of its values."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
