"""Tables 2 and 3, and the notebooks' protocol beside gradients on the phases."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lightweights.report.claims import Claim
from lightweights.report.measures import NOTHING, format_number, heading
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, summarise
from lightweights.report.table import Table, counts_cell, counts_of, short_cell, signed_from_three, summary_cell
from lightweights.settings.study import Study
from lightweights.study.collect import reported_test_sets

from . import PROTOCOLS

PUBLISHED_DATASET = "mnist-partial"
NOT_RUN = "not run"

MINUS_COBYLA = "gradient minus cobyla"
POWELLS = "cobyla, Powell's"
MINUS_SCIPYS = "Powell's minus SciPy's cobyla"
FULL, OF_POWELL = ("cobyla", "cobyla_powell_full"), ("cobyla_powell", "cobyla_powell_full")
"""Experiments at full length, and by Powell's COBYLA."""
PAIRS = {MINUS_COBYLA: ("gradient", "cobyla"), MINUS_SCIPYS: (POWELLS, "cobyla")}
"""Protocols that are compared, by what the difference is called."""

_OURS = "Mean ± sd (ddof = 1) over n seeds after the last round or epoch; in brackets the 95 % t interval of the mean."
_PUBLISHED = (
    "Published: mean ± sd over the n in parentheses, the sd converted from ddof = 0 to ddof = 1; "
    "the published test set is the 600 images of test600."
)
_COUNTS = (
    "Parameters: as published (3M(M-1)/2 a circuit) / entering the circuits / effective (rank of the Jacobian of the probabilities), "
    "each with the mapping's."
)


def classical(results: Results) -> Table:
    """Table 2: the target network trained directly, ours beside the published."""
    study = results.study
    beside = [c for c in results.claims if c.method == "classical_target"] if study.dataset.name == PUBLISHED_DATASET else None
    data = _compare(_variants(study, "classical", []), results.of("classical"), beside, reported_test_sets(results.runs))
    data = data.drop(columns="bond_dim")
    caption = f"The target network trained directly. {_OURS} {_remark(study)}"
    return Table("classical", caption, data, _display(data, "Network", {v: study.network.name if v == "base" else v for v in data.variant}))


def quantum_train(results: Results) -> Table:
    """Table 3: photonic Quantum-Train by bond dimension, ours beside the published.

    Bond dimensions that are asked for or published and have no runs appear as not run.
    """
    study = results.study
    beside = [c for c in results.claims if c.method == "photonic_qt"] if study.dataset.name == PUBLISHED_DATASET else None
    known = sorted({int(dim) for c in beside or [] if (dim := c.at("bond_dim")) is not None})
    variants = _variants(study, "quantum_train", known)
    data = _compare(variants, results.of("quantum_train"), beside, reported_test_sets(results.runs))
    unique = len({dim for _, dim in variants}) == len(variants)
    labels = {variant: str(dim) if unique else variant for variant, dim in variants}
    caption = f"Photonic Quantum-Train by bond dimension. {_OURS} {_remark(study)} {_COUNTS}"
    return Table("quantum_train", caption, data, _display(data, "Bond\ndimension" if unique else "Variant", labels))


def protocol_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs that compare the protocols: those of the experiment, the same by Powell's COBYLA, which is told apart, and both at full length,
    with their like of ``quantum_train`` beside them.
    """
    full, powells = runs[runs.experiment.isin(FULL)], runs.experiment.isin(OF_POWELL)
    alike = ["seed", "rounds", "mapping_epochs", "bond_dim", "dataset"]
    beside = runs[(runs.experiment == "quantum_train") & runs[alike].apply(tuple, axis=1).isin(full[alike].apply(tuple, axis=1))]
    named = runs.assign(protocol=runs.protocol.mask(powells, POWELLS))
    return pd.concat([*(named[named.experiment == name] for name in PROTOCOLS), beside])


def protocols(results: Results) -> Table | None:
    """The protocols beside each other after equally many epochs on the mapping; None without such runs."""
    runs = protocol_runs(results.runs)
    if runs.empty:
        return None
    columns = ["train_accuracy_percent", "train_cross_entropy", *_set_columns(reported_test_sets(runs))]
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, str]] = []
    compared = False
    for epochs, part in runs.groupby(runs.rounds * runs.mapping_epochs, sort=False):
        several = part.groupby("protocol")[["experiment", "variant"]].apply(lambda own: len(own.drop_duplicates())).max() > 1
        arms = [group for _, group in part.groupby(["experiment", "variant"], sort=False)]
        for group in arms:
            first = group.iloc[0]
            for column in [*columns, "wall_seconds"]:
                rows.append({"arm": first.variant, "protocol": first.protocol, "rounds": first.rounds, "mapping_epochs": epochs,
                             "quantity": column} | summarise(group[column]).columns())  # fmt: skip
            cells.append(
                {"Protocol": str(first.variant if several else first.protocol), "Rounds": str(first.rounds),
                 "Epochs on\nthe mapping": str(epochs), "n": str(len(group))}
                | {heading(column): summary_cell(summarise(group[column]), column) for column in columns}
                | {"Minutes\na run": f"{group.wall_seconds.mean() / 60:.1f}"}
            )  # fmt: skip
        arms_by_protocol = {protocol: group for protocol, group in part.groupby("protocol")}
        for words, pair in PAIRS.items():
            if several or not set(pair) <= set(arms_by_protocol):
                continue
            compared = True
            row = {"Protocol": words, "Rounds": "", "Epochs on\nthe mapping": str(epochs), "n": ""}
            for column in columns:
                difference, p = paired_by_seed(*(arms_by_protocol[name] for name in pair), column)
                rows.append({"arm": words, "mapping_epochs": epochs, "quantity": column, "p": p} | difference.columns())
                row |= {heading(column): signed_from_three(difference, column), "n": str(difference.n)}
            cells.append(row | {"Minutes\na run": ""})
    caption = "The notebooks' protocol (COBYLA on the phases) beside gradients on the phases. " + _OURS
    caption += " Differences are paired by seed." if compared else ""
    caption += " Minutes are those of the machines that trained, GPUs among them, and their load differed: not to be compared."
    data = pd.DataFrame(rows).astype({"rounds": "Int64", "mapping_epochs": "Int64"})
    return Table("protocols", caption, data, pd.DataFrame(cells))


def glance(results: Results) -> Table | None:
    """The small table for a terminal: accuracy of every variant of the main experiments; None without such runs."""
    cells = []
    for name, label in (("classical", "classical"), ("quantum_train", "photonic QT")):
        group = results.of(name).sort_values("bond_dim", kind="stable")
        for variant, part in group.groupby("variant", sort=False):
            columns = ["train_accuracy_percent", *(f"{s}_accuracy_percent" for s in reported_test_sets(part.dropna(axis=1, how="all")))]
            numbers = {heading(column): short_cell(summarise(part[column]), column) for column in columns}
            name = label if variant == "base" else f"{label}, {variant}"
            cells.append({"Method": name, "Parameters": str(part.parameters_trained_used.max()), "n": str(len(part))} | numbers)
    if not cells:
        return None
    caption = f"Accuracy in percent, mean ± sd (ddof = 1) over n seeds.{_answer(results)}"
    return Table("glance", caption, results.of("classical", "quantum_train"), pd.DataFrame(cells).fillna(NOTHING))


def _answer(results: Results) -> str:
    """What the largest generator reaches beside the network's own weights, in a sentence; nothing where one of them was not run."""
    plain, generated = results.of("classical"), results.of("quantum_train")
    if plain.empty or generated.empty:
        return ""
    largest = generated[generated.bond_dim == generated.bond_dim.max()]
    column = f"{reported_test_sets(largest.dropna(axis=1, how='all'))[0]}_accuracy_percent"
    reached, own = (format_number(part[column].mean(), column) for part in (largest, plain))
    numbers, weights = (int(part.parameters_trained_used.max()) for part in (largest, plain))
    return (
        f"\n\nPhotons and a mapping of bond dimension {largest.bond_dim.max():.0f} make the network's {weights:,} weights from {numbers:,} "
        f"trained numbers: {reached} % of test images right, {own} % with weights of its own."
    )


def _variants(study: Study, experiment: str, published: Iterable[int]) -> list[tuple[str, int | None]]:
    """(variant, bond dimension) of an experiment as asked for, and published bond dimensions that are not asked for."""
    asked = {r.variant: r.settings.mapping.bond_dim if r.settings.mapping else None for r in study.runs() if r.experiment == experiment}
    rest = {f"bond_dim={dim}": dim for dim in published if dim not in asked.values()}
    if not asked and not rest and experiment == "classical":
        return [("base", None)]
    return sorted((asked | rest).items(), key=lambda item: item[1] or 0)


def _set_columns(test_sets: list[str]) -> list[str]:
    return [f"{s}_{quantity}" for quantity in ("accuracy_percent", "generalisation_error") for s in test_sets]


def _compare(variants: list[tuple[str, int | None]], runs: pd.DataFrame, claims: list[Claim] | None, test_sets: list[str]) -> pd.DataFrame:
    """One row a variant and quantity: our summary, the published one where there are any, parameter counts."""
    rows = []
    groups = dict(list(runs.groupby("variant")))
    for variant, bond_dim in variants:
        group = groups.get(variant, runs.iloc[:0])
        counts = counts_of(group)
        for column in ["train_accuracy_percent", *_set_columns(test_sets)]:
            row: dict[str, Any] = {"variant": variant, "bond_dim": bond_dim, "quantity": column} | summarise(group[column]).columns()
            row["last10_mean"] = group[f"last10_{column}"].mean()
            if claims is not None:
                claim = next((c for c in claims if c.at("bond_dim") == bond_dim and c.column == column), None)
                row |= {
                    "published_mean": claim.reported_mean if claim else math.nan,
                    "published_sd_ddof0": claim.reported_sd if claim else math.nan,
                    "published_sd_ddof1": claim.sd if claim else math.nan,
                    "published_n": claim.reported_n if claim else None,
                }
            rows.append(row | counts)
    data = pd.DataFrame(rows)
    return data.astype({c: "Int64" for c in data if c in ("bond_dim", "published_n") or c.startswith("parameters_")})


def _display(data: pd.DataFrame, first: str, labels: dict[str, str]) -> pd.DataFrame:
    rows = []
    for variant, part in data.groupby("variant", sort=False):
        numbers = part.set_index("quantity")
        any_row = numbers.iloc[0]
        row = {first: labels[variant], "Parameters": counts_cell(any_row), "n": str(any_row.n)}
        for index, (column, values) in enumerate(numbers.iterrows()):
            absent = NOT_RUN if index == 0 else NOTHING
            row[heading(column)] = summary_cell(_summary(values), column) if values.n else absent
            if "published_mean" in numbers and numbers.published_mean.notna().any() and not column.startswith("test10k"):
                row[f"{heading(column)},\npublished"] = _published(values, column)
        rows.append(row)
    return pd.DataFrame(rows).fillna(NOTHING)


def _published(values: pd.Series, column: str) -> str:
    if pd.isna(values.published_mean):
        return NOTHING
    spread = "" if pd.isna(values.published_sd_ddof1) else f" ± {format_number(values.published_sd_ddof1, column)}"
    count = "" if pd.isna(values.published_n) else f"\n({values.published_n})"
    return format_number(values.published_mean, column) + spread + count


def _summary(values: pd.Series) -> Summary:
    return Summary(int(values.n), values["mean"], values.sd_ddof1, values.ci95_low, values.ci95_high)


def _remark(study: Study) -> str:
    return _PUBLISHED if study.dataset.name == PUBLISHED_DATASET else ""
