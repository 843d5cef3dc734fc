"""The published numbers, read from workflow/reference/claims.csv, and which of our runs judge each of them."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lightweights.errors import LightweightsError
from lightweights.study.statistics import Summary, from_numbers, sample_sd

SOURCES = {
    "challenge-report": "Liu and Chen, Compressing classical neural network with photonic Quantum-Train (challenge report)",
    "2505.08474": "Chen et al., arXiv 2505.08474 (QCE 2025)",
    "notebooks": "the authors' notebooks, Louisanity/PhotonicQuantumTrain, commit 5fc1183",
    "slides": "the authors' slides",
    "merlin-notebook": "MerLin's notebook variant of photonic Quantum-Train",
    "2603.14898": "arXiv 2603.14898 (photonic-quantum-enhanced knowledge distillation)",
}

_POPULATION_SD = ("challenge-report", "notebooks")
_SAMPLE_SD = ("ablation.random.notebooks.test",)
"""Claims of those sources whose sd is ddof = 1 all the same: mean and sd of ten single runs that the notebooks list."""
_PAPER_TEST_SET = "test600"
_COLUMNS = {
    "train_accuracy_percent": "train_accuracy_percent",
    "test_accuracy_percent": f"{_PAPER_TEST_SET}_accuracy_percent",
    "generalisation_error": f"{_PAPER_TEST_SET}_generalisation_error",
    "validation_accuracy_percent": "validation_accuracy_percent",
    "validation_cross_entropy": "validation_cross_entropy",
    "validation_accuracy_percent_about": "validation_accuracy_percent",
}


_EXPERIMENTS = {
    "classical_target": "classical",
    "weight_sharing": "weight_sharing",
    "pruning": "pruning",
    "gate_based_qt": "gate_qt",
    "photonic_qt_random_inputs": "other_arms",
    "cnn_978": "merlin_cnn",
    "photonic_logit_tanh": "merlin_variant",
    "photonic_qt_noise": "noise_none",
}
"""Experiments that judge the claims about a method."""
_DISTILLED = {
    "teacher": "pqkd_teacher",
    "pqkd_partial": "pqkd_student",
    "pqkd_extreme": "pqkd_extreme_narrow",
    "pqkd": "pqkd_shots",
}
"""The same for distillation; CIFAR-10 has experiments of its own."""
PUBLISHED_EPOCHS = 100
"""Epochs of the published distillation: its numbers are judged by runs of so many."""
PUBLISHED_COMPRESSION = (41.0, 105.0)
"""Of the convolutions, at extreme compression."""
PUBLISHED_SHOTS = 200
_SETTINGS = {"shared_rows": "baseline.rows", "ratio": "baseline.ratio"}


class ClaimsError(LightweightsError):
    """A table of published numbers that cannot be used; names the file, the row and what would be right."""


@dataclass(frozen=True)
class Claim:
    """One published number, with where it stands. Numbers that the source does not give are None."""

    id: str
    source: str
    location: str
    provenance: str
    method: str
    dataset: str
    setting: str
    quantity: str
    reported: str
    reported_mean: float | None
    reported_sd: float | None
    reported_n: int | None
    reported_parameters: int | None

    @property
    def bond_dim(self) -> int | None:
        """Bond dimension that the claim is about, if its setting is one."""
        name, _, value = self.setting.partition("=")
        return int(value) if name == "bond_dim" else None

    @property
    def distilled(self) -> bool:
        """Whether the claim is about distillation."""
        return self.method in _DISTILLED

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Lower and upper end of a claim of the form "6 to 12"."""
        low, between, high = self.reported.partition(" to ")
        return (float(low), float(high)) if between else None

    @property
    def column(self) -> str | None:
        """Column of runs.csv that holds the claimed quantity; None for quantities that are derived from several runs."""
        name = _COLUMNS.get(self.quantity)
        return name if self.dataset == "mnist-partial" or name is None else name.replace(_PAPER_TEST_SET, "test")

    @property
    def sd(self) -> float | None:
        """The published sd with ddof = 1: converted where it is known to be of the population; None where n is unknown."""
        if self.reported_sd is None or self.reported_n is None or self.reported_n < 2:
            return None
        population = self.source in _POPULATION_SD and self.id not in _SAMPLE_SD
        return sample_sd(self.reported_sd, self.reported_n) if population else self.reported_sd

    @property
    def summary(self) -> Summary | None:
        """Mean, sd (ddof = 1), n and 95 % interval as published; None where the source does not give enough."""
        if self.reported_mean is None or self.sd is None or self.reported_n is None:
            return None
        return from_numbers(self.reported_mean, self.sd, self.reported_n)


def read_claims(path: Path) -> list[Claim]:
    """All claims in the order of the file; raises ClaimsError naming row and column."""
    names = [name for name in Claim.__dataclass_fields__ if name != "reported"]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ClaimsError(f"{path}: cannot be read ({error})") from None
    if list(reader.fieldnames or []) != names:
        raise ClaimsError(f"{path}: columns are {reader.fieldnames}; expected {names}")
    claims = [_claim(row, f"{path}, row {number}") for number, row in enumerate(rows, start=2)]
    ids = [claim.id for claim in claims]
    if len(set(ids)) != len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise ClaimsError(f"{path}: id {twice!r} stands there twice; ids must differ")
    return claims


def published(claims: list[Claim], method: str, quantity: str, dataset: str = "mnist-partial") -> list[Claim]:
    """The claims about one quantity of a method that give a number, by bond dimension."""
    found = [c for c in claims if (c.method, c.quantity, c.dataset) == (method, quantity, dataset) and c.reported_mean is not None]
    return sorted(found, key=lambda claim: claim.bond_dim or 0)


def judged_by(claim: Claim) -> str | None:
    """The experiment whose runs judge a claim: the classical target's, photonic Quantum-Train's, a baseline's, or that of the other arms
    for random inputs; None where there is none.
    """
    if claim.method == "photonic_qt":
        return "quantum_train" if claim.bond_dim is not None or claim.bounds is not None else None
    if claim.distilled:
        return _DISTILLED[claim.method] + ("_cifar" if claim.dataset == "cifar-10" else "")
    return _EXPERIMENTS.get(claim.method)


def matching_runs(claim: Claim, runs: pd.DataFrame) -> pd.DataFrame | None:
    """The runs that a claim is judged by, possibly none yet: those of its experiment with its setting, on its data set. None if no
    experiment can judge it.
    """
    experiment = judged_by(claim)
    if experiment is None:
        return None
    found = runs[(runs.experiment == experiment) & (runs.dataset == claim.dataset)]
    if claim.bond_dim is not None:
        return _with(found, "bond_dim", claim.bond_dim)
    if claim.method == "photonic_qt_random_inputs":
        return _with(found, "arm", "paper-random")
    if claim.method == "gate_based_qt":
        return _nearest(found, claim.reported_parameters or 0)
    name, _, value = claim.setting.partition("=")
    return _with(found, _SETTINGS[name], float(value)) if name in _SETTINGS else found


def _nearest(runs: pd.DataFrame, parameters: int) -> pd.DataFrame:
    """The runs whose number of trained parameters is nearest, if that is within 1 %: sizes cannot always be hit exactly."""
    distance = (runs.parameters_trained_used.astype(float) - parameters).abs()
    return runs[(distance == distance.min()) & (distance <= 0.01 * parameters)]


def _with(runs: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    return runs[runs[column] == value] if column in runs else runs.iloc[:0]


def _claim(row: dict[str, str], where: str) -> Claim:
    def number(column: str, kind: type[int] | type[float]) -> int | float | None:
        try:
            return kind(row[column]) if row[column] else None
        except ValueError:
            raise ClaimsError(f"{where}: {column} is {row[column]!r}; expected a number or nothing") from None

    if None in row or None in row.values():
        raise ClaimsError(f"{where}: has another number of fields than the header")
    texts = {name: row[name] for name in ("id", "source", "location", "provenance", "method", "dataset", "setting", "quantity")}
    empty = [name for name, text in texts.items() if not text and name != "setting"]
    if empty:
        raise ClaimsError(f"{where}: {empty[0]} is empty")
    try:
        mean = float(row["reported_mean"])
    except ValueError:
        mean = None
    claim = Claim(
        **texts,
        reported=row["reported_mean"],
        reported_mean=mean,
        reported_sd=number("reported_sd", float),
        reported_n=number("reported_n", int),
        reported_parameters=number("reported_parameters", int),
    )
    if claim.setting.startswith("bond_dim="):
        try:
            _ = claim.bond_dim
        except ValueError:
            raise ClaimsError(f"{where}: setting is {claim.setting!r}; expected bond_dim=<integer>") from None
    return claim
