"""Table 4: every way to use fewer parameters, ours beside the published."""

import math
from collections.abc import Sequence

import pandas as pd

from lightweights.report.claims import NEAR, Claim
from lightweights.report.measures import format_number, heading
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, summary_cell
from lightweights.study.collect import reported_test_sets

PUBLISHED_DATASET = "mnist-partial"


OTHER_TEST_SET = ("gate_qt",)
"""Methods whose published accuracies come from another test set, so that they stand beside nothing."""
METHODS = {
    "quantum_train": "photonic QT",
    "weight_sharing": "weight sharing",
    "pruning": "pruning at the start",
    "gate_qt": "gate-based QT",
    "magnitude_pruning": "magnitude pruning",
    "low_rank": "low rank",
    "tensor_train": "tensor train",
    "hypernetwork": "hypernetwork",
    "small_cnn": "distilled smaller CNN",
    "merlin_cnn": "MerLin's network",
    "merlin_variant": "MerLin's photonic variant",
}
"""Experiments with their labels."""


def compression(results: Results) -> Table | None:
    """Table 4: every way to use fewer parameters, ours beside the published; None without runs of a baseline."""
    mine = results.of("classical", *METHODS)
    if mine[~mine.experiment.isin(("quantum_train", "classical"))].empty:
        return None
    sets = reported_test_sets(mine.dropna(axis=1, how="all"))
    rows, cells = [], []
    for experiment in ("classical", *METHODS):
        label = METHODS.get(experiment, "target network")
        groups = [group for _, group in mine[mine.experiment == experiment].groupby("variant")]
        for group in sorted(groups, key=lambda part: part.parameters_trained_used.mean()):
            first = group.iloc[0]
            trained, target = float(group.parameters_trained_used.mean()), int(first.parameters_target)
            cell = {"Method": label, "Setting": _setting(str(first.variant)), "Parameters": f"{trained:.0f}"}
            cell |= {"Compression": f"{target / trained:.2f}", "Epochs": _epochs(first), "n": str(len(group))}
            known = _published(experiment, first, results.claims)
            for name in sets:
                column = f"{name}_accuracy_percent"
                found = summarise(group[column])
                row = {"experiment": experiment, "variant": first.variant, "parameters": trained, "compression": target / trained}
                row |= {"quantity": column} | found.columns()
                row |= dict.fromkeys(("published_mean", "published_sd_ddof1", "published_parameters"), math.nan)
                cell[heading(column)] = summary_cell(found, column)
                if name == "test600":
                    cell["Published\n(parameters)"] = "-"
                    if known is not None:
                        row |= {"published_mean": known.reported_mean, "published_sd_ddof1": known.sd or math.nan}
                        row |= {"published_parameters": known.reported_parameters}
                        spread = f" ± {format_number(known.sd, column)}" if known.sd is not None else ""
                        size = f"\n({known.reported_parameters})" if known.reported_parameters else ""
                        cell["Published\n(parameters)"] = format_number(known.reported_mean or math.nan, column) + spread + size
                rows.append(row)
            cells.append(cell)
    caption = (
        "Ways to use fewer parameters than the target network. Parameters: trained numbers in use; photonic QT counts the phases that "
        "enter the circuits. Compression: the target network's parameters divided by these. Epochs: passes over the training images "
        "(photonic QT: of its mapping). Which weights magnitude pruning keeps is not counted, and it trains all of them "
        "first; the distilled CNN needs a trained teacher. Published numbers of gate-based QT come from another test set and are left out. "
        "Mean ± sd (ddof = 1) over n seeds, in "
        "brackets the 95 % t interval. Published: on the 600 images of test600; sds converted to ddof = 1 where n is known."
    )
    return Table("compression", caption, pd.DataFrame(rows), pd.DataFrame(cells).fillna("-"))


def equal_training(results: Results) -> Table | None:
    """Ordinary methods of as many numbers, trained as long; None without runs."""
    from .equal_training import equal_training_table  # which asks the facts, and they these labels

    return equal_training_table(results)


def learning_rates(results: Results) -> Table | None:
    """The choice of learning rates; None without runs."""
    from .equal_training import learning_rates_table

    return learning_rates_table(results)


def _published(experiment: str, run: pd.Series, claims: Sequence[Claim]) -> Claim | None:
    """The published number of the same method and nearest parameter count, if that is within 1 % (photonic QT: the bond dimension)."""
    if run.dataset != PUBLISHED_DATASET or experiment in OTHER_TEST_SET:
        return None
    own = [c for c in claims if c.experiment == experiment and c.quantity == "test_accuracy_percent" and c.reported_mean is not None]
    if experiment == "quantum_train":
        return next((c for c in own if c.at("bond_dim") == run.bond_dim), None)
    if len(own) == 1:
        return own[0]
    count = float(run.parameters_trained_used)
    near = [c for c in own if c.reported_parameters and abs(c.reported_parameters - count) <= NEAR * count]
    return min(near, key=lambda c: abs((c.reported_parameters or 0) - count), default=None)


def _epochs(run: pd.Series) -> str:
    """Passes over the training images; without any, the rounds in which phases alone are trained."""
    if not pd.isna(run.epochs):
        return str(run.epochs)
    epochs = run.rounds * run.mapping_epochs
    return str(epochs) if epochs else f"{run.rounds} rounds"


def _setting(variant: str) -> str:
    """The first thing that a variant varies, in words."""
    return "" if variant == "base" or variant.startswith("name=") else variant.split(",")[0].replace("bond_dim", "bond dimension")
